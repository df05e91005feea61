/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/child.h"
#include "lib/file.h"
#include "lib/list.h"
#include "lib/loop.h"
#include "server/git.h"

#define WORDS 360
#define ARGS 16

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

/* User and password of a URL with a scheme: what stands before the @ of its host. */
static size_t userinfo(const char *url, const char **ret)
{
	const char *start = strstr(url, "://"), *at;

	if (start == NULL)
		return 0;
	start += 3;
	at = memrchr(start, '@', strcspn(start, "/"));
	*ret = start;
	return at == NULL ? 0 : (size_t)(at - start) + 1;
}

void aero_git_words(const char *output, const char *url, char *ret, size_t size)
{
	const char *secret = "";
	size_t len = userinfo(url, &secret), used = 0;

	for (const char *at = output; *at != '\0' && used + 3 < size; at++) {
		if (len > 1 && strncmp(at, secret, len) == 0) {
			at += len - 1;
		} else if (*at == '\n' || *at == '\r') {
			/* a line ends where another follows */
			if (used > 0 && at[strspn(at, "\r\n ")] != '\0' &&
				ret[used - 1] != ' ') {
				ret[used++] = ';';
				ret[used++] = ' ';
			}
		} else {
			ret[used++] = *at;
		}
	}
	ret[used] = '\0';
}

/* ---- running git ---- */

/* GIT_SSH_COMMAND goes through a shell of git's: the path is quoted, and aero_git_check
 * has refused one with a quote in it. */
static bool environment(const struct aero_git *git, struct aero_list *ret)
{
	char *ssh = NULL;
	bool ok;

	if (asprintf(&ssh,
		    "GIT_SSH_COMMAND=ssh -o BatchMode=yes -o ConnectTimeout=20 "
		    "-o StrictHostKeyChecking=accept-new%s%s%s",
		    *git->cert != '\0' ? " -o IdentitiesOnly=yes -i '" : "", git->cert,
		    *git->cert != '\0' ? "'" : "") < 0)
		return false;
	ok = aero_list_add(ret, ssh) && aero_list_add(ret, "GIT_TERMINAL_PROMPT=0") &&
	     aero_list_add(ret, "GIT_ASKPASS=true") &&
	     aero_list_add(ret, "SSH_ASKPASS=true") && aero_list_add(ret, "LC_ALL=C");
	free(ssh);
	return ok;
}

/* git with these words, NULL-ended. The folder may be anybody's mirror: no hook runs. */
static int run(const struct aero_git *git, const char *const *words, int failed,
	struct aero_err *err)
{
	char *argv[ARGS] = {strdup("/usr/bin/env"), strdup("git"), strdup("-c"),
		strdup("core.hooksPath=/dev/null"), strdup("-c"),
		strdup("core.autocrlf=false")};
	struct aero_list env = {0};
	struct aero_child_opts opts = {.what = "git",
		.argv = argv,
		.env = &env,
		.timeout_ms = AERO_GIT_TIMEOUT_MS};
	struct aero_child *child = NULL;
	struct aero_child_output output;
	size_t n = 6;
	bool ok = true;
	int rc;

	for (; *words != NULL && n < ARGS - 1; words++)
		argv[n++] = strdup(*words);
	for (size_t i = 0; i < n; i++)
		ok = ok && argv[i] != NULL;
	rc = ok && environment(git, &env)
		     ? aero_child_start(&opts, aero_clock_ms(), &child, err)
		     : no_memory(err);
	if (rc == AERO_OK)
		rc = aero_child_wait_or_stop(child, git->stop_fd, err);
	if (rc == AERO_OK && aero_child_check(child, err) != AERO_OK) {
		char said[WORDS];

		rc = failed;
		aero_child_output(child, &output);
		aero_git_words(output.text, git->url, said, sizeof(said));
		/* without words of git: how it ended */
		if (*said != '\0')
			(void)aero_err_set(err, rc, "git: %s", said);
	}
	aero_child_free(child);
	aero_list_clear(&env);
	for (size_t i = 0; i < n; i++)
		free(argv[i]);
	return rc;
}

/* ---- checking ---- */

static int check_cert(const char *cert, struct aero_err *err)
{
	struct stat st;

	if (*cert == '\0')
		return AERO_OK;
	if (*cert != '/' || strchr(cert, '\'') != NULL)
		return aero_err_set(err, AERO_CONFIG,
			"git_cert '%s' is not an absolute path, or has a quote in it",
			cert);
	if (stat(cert, &st) < 0 || access(cert, R_OK) < 0)
		return aero_err_set(
			err, AERO_CONFIG, "git_cert '%s': %s", cert, strerror(errno));
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
		return aero_err_set(err, AERO_CONFIG,
			"git_cert '%s' must be a file that only its owner may read "
			"(chmod 600)",
			cert);
	return AERO_OK;
}

static bool is_clone(const char *dir)
{
	char *path = NULL;
	bool is;

	if (asprintf(&path, "%s/.git", dir) < 0)
		return false;
	is = access(path, F_OK) == 0;
	free(path);
	return is;
}

/* What is there and no clone may be dear to somebody. */
static int check_dir(const char *dir, struct aero_err *err)
{
	struct dirent *entry;
	size_t n = 0;
	DIR *open_dir;

	if (*dir != '/')
		return aero_err_set(err, AERO_CONFIG,
			*dir == '\0' ? "remote_repo_url needs repo_path, the folder of "
				       "its clone"
				     : "repo_path '%s' is not an absolute path",
			dir);
	open_dir = opendir(dir);
	if (open_dir == NULL && errno == ENOENT)
		return AERO_OK;
	if (open_dir == NULL)
		return aero_err_set(
			err, AERO_CONFIG, "repo_path '%s': %s", dir, strerror(errno));
	while ((entry = readdir(open_dir)) != NULL)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(open_dir);
	if (n > 0 && !is_clone(dir))
		return aero_err_set(err, AERO_CONFIG,
			"repo_path '%s' is no clone, and not empty: name a folder of its "
			"own",
			dir);
	if (access(dir, W_OK | X_OK) < 0)
		return aero_err_set(
			err, AERO_CONFIG, "repo_path '%s': %s", dir, strerror(errno));
	return AERO_OK;
}

int aero_git_check(const struct aero_git *git, struct aero_err *err)
{
	const char *const words[] = {"ls-remote", "-q", "--", git->url, "HEAD", NULL};
	int rc = check_dir(git->dir, err);

	if (rc == AERO_OK)
		rc = check_cert(git->cert, err);
	return rc == AERO_OK ? run(git, words, AERO_CONFIG, err) : rc;
}

/* ---- pulling ---- */

/* What a git that was killed leaves behind would stop every later one. We alone run git
 * in this folder. */
static void remove_locks(const char *dir)
{
	static const char *const names[] = {"index", "shallow", "HEAD", "config"};
	char *path = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (asprintf(&path, "%s/.git/%s.lock", dir, names[i]) < 0)
			return;
		(void)unlink(path);
		free(path);
	}
}

int aero_git_pull(const struct aero_git *git, struct aero_err *err)
{
	const char *const init[] = {"init", "-q", "--", git->dir, NULL};
	const char *const fetch[] = {"-C", git->dir, "fetch", "-q", "--depth=1",
		"--no-tags", "--", git->url, "HEAD", NULL};
	const char *const reset[] = {
		"-C", git->dir, "reset", "-q", "--hard", "FETCH_HEAD", NULL};
	const char *const clean[] = {"-C", git->dir, "clean", "-qffdx", NULL};
	int rc = check_dir(git->dir, err);

	if (rc == AERO_OK)
		rc = check_cert(git->cert, err);
	if (rc == AERO_OK && !is_clone(git->dir)) {
		rc = aero_dir_make(git->dir, err);
		if (rc == AERO_OK && chmod(git->dir, 0700) < 0) /* may hold secrets */
			rc = aero_err_set(err, aero_rc_of_errno(errno), "chmod '%s': %s",
				git->dir, strerror(errno));
		if (rc == AERO_OK)
			rc = run(git, init, AERO_NET, err);
	}
	if (rc != AERO_OK)
		return rc;
	remove_locks(git->dir);
	rc = run(git, fetch, AERO_NET, err);
	if (rc == AERO_OK)
		rc = run(git, reset, AERO_NET, err);
	return rc == AERO_OK ? run(git, clean, AERO_NET, err) : rc;
}
