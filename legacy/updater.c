/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "legacy/updater.h"
#include "lib/file.h"
#include "lib/list.h"
#include "lib/loop.h"

#define GRACE_MS 2000 /* from TERM to KILL */
#define READS 8       /* per step, so that output cannot hold up the loop */
#define READ_SIZE 4096
#define LOOK_MS 50 /* between looks without a pidfd */
#define FALLBACK_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum phase {
	RUNS, /* within its time */
	TERM, /* the group was sent TERM: over time, or it left children behind */
	OVER, /* reaped */
};

struct aero_updater {
	char *program;
	const struct aero_hosts_paths *paths;
	int64_t timeout_ms, due; /* when the next signal is due */
	enum phase phase;
	pid_t pid;  /* and process group; valid until reaped */
	int pidfd;  /* -1 = not to be had */
	int out;    /* read end of its output; -1 = ended */
	bool ended; /* it exited; what it left behind may live on */
	bool late;  /* it ran over its time */
	int status; /* of waitpid */
	struct aero_updater_result result;
};

static int fail(struct aero_err *err, int rc, const char *what, const char *path, int e)
{
	return aero_err_set(
		err, rc, "legacy updater: %s '%s': %s", what, path, strerror(e));
}

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "legacy updater: out of memory");
}

/* ---- starting ---- */

/* PATH, HOME and AEROSTAT_LEGACY, and nothing else of ours. */
static bool environment(const struct aero_hosts_paths *paths, struct aero_list *ret)
{
	const struct {
		const char *name, *value, *fallback;
	} table[] = {
		{"PATH", getenv("PATH"), FALLBACK_PATH},
		{"HOME", getenv("HOME"), "/root"},
		{"AEROSTAT_LEGACY", paths->legacy, NULL},
	};
	char **v = calloc(sizeof(table) / sizeof(table[0]) + 1, sizeof(*v));

	if (v == NULL)
		return false;
	*ret = (struct aero_list){.v = v};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *value = table[i].value;

		if (asprintf(&v[i], "%s=%s", table[i].name,
			    value != NULL ? value : table[i].fallback) < 0) {
			v[i] = NULL;
			return false;
		}
		ret->n++;
	}
	return true;
}

/* Own process group, all signals as in a fresh login whatever the daemon blocks. */
static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int e;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	e = posix_spawnattr_setflags(attr,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (e == 0)
		e = posix_spawnattr_setpgroup(attr, 0);
	if (e == 0)
		e = posix_spawnattr_setsigmask(attr, &none);
	if (e == 0)
		e = posix_spawnattr_setsigdefault(attr, &all);
	return e;
}

static int set_actions(posix_spawn_file_actions_t *actions, int out)
{
	int e = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

	if (e == 0)
		e = posix_spawn_file_actions_adddup2(actions, out, 1);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(actions, out, 2);
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	if (e == 0)
		e = posix_spawn_file_actions_addchdir_np(actions, "/");
	return e;
}

/* 0 or an errno. */
static int spawn(struct aero_updater *updater, int out, char *const envp[])
{
	char *argv[] = {updater->program, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int e;

	e = posix_spawn_file_actions_init(&actions);
	if (e != 0)
		return e;
	e = posix_spawnattr_init(&attr);
	if (e != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return e;
	}
	e = set_attributes(&attr);
	if (e == 0)
		e = set_actions(&actions, out);
	if (e == 0)
		e = posix_spawn(
			&updater->pid, updater->program, &actions, &attr, argv, envp);
	if (e != 0)
		updater->pid = 0;
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return e;
}

static int start(struct aero_updater *updater, struct aero_err *err)
{
	struct aero_list env = {0};
	int e, rc = AERO_OK, fds[2] = {-1, -1};

	if (!environment(updater->paths, &env)) {
		rc = no_memory(err);
		goto out;
	}
	/* only our end does not block: the program must not meet EAGAIN */
	if (pipe2(fds, O_CLOEXEC) < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		rc = fail(err, AERO_IO, "pipe for", updater->program, errno);
		goto out;
	}
	updater->out = fds[0];
	e = spawn(updater, fds[1], env.v);
	if (e != 0) {
		rc = fail(err, e == ENOMEM || e == EAGAIN ? AERO_AGAIN : AERO_REFUSED,
			"cannot run", updater->program, e);
		goto out;
	}
	/* refused by some containers and by valgrind: then we look often */
	updater->pidfd = pidfd_open(updater->pid, 0);
out:
	if (fds[1] >= 0)
		(void)close(fds[1]);
	aero_list_clear(&env);
	return rc;
}

int aero_updater_start(const char *program, const struct aero_hosts_paths *paths,
	int64_t timeout_ms, int64_t now, struct aero_updater **ret, struct aero_err *err)
{
	struct aero_updater *updater = calloc(1, sizeof(*updater));
	int rc;

	if (updater == NULL)
		return no_memory(err);
	updater->paths = paths;
	updater->timeout_ms = timeout_ms;
	updater->due = now + timeout_ms;
	updater->pidfd = updater->out = -1;
	updater->program = strdup(program);
	updater->result.output = calloc(1, AERO_UPDATER_OUTPUT + 1);
	if (updater->program == NULL || updater->result.output == NULL)
		rc = no_memory(err);
	else
		rc = start(updater, err);
	if (rc == AERO_OK)
		*ret = updater;
	else
		aero_updater_free(updater);
	return rc;
}

/* ---- running ---- */

size_t aero_updater_fds(
	const struct aero_updater *updater, struct pollfd fds[AERO_UPDATER_FDS])
{
	size_t n = 0;

	/* once it has exited the pidfd stays readable: then only output and time count */
	if (!updater->ended && updater->pidfd >= 0)
		fds[n++] = (struct pollfd){.fd = updater->pidfd, .events = POLLIN};
	if (updater->out >= 0)
		fds[n++] = (struct pollfd){.fd = updater->out, .events = POLLIN};
	return n;
}

int64_t aero_updater_wait_ms(const struct aero_updater *updater, int64_t now)
{
	int64_t wait = updater->due - now;

	if (updater->phase == OVER || wait < 0)
		return 0;
	if (updater->pidfd < 0 && wait > LOOK_MS)
		return LOOK_MS;
	return wait;
}

/* Take output, at most READS pieces; what is over the limit is dropped. */
static void read_output(struct aero_updater *updater)
{
	struct aero_updater_result *result = &updater->result;
	char piece[READ_SIZE];

	for (int i = 0; i < READS && updater->out >= 0; i++) {
		ssize_t n = read(updater->out, piece, sizeof(piece));
		size_t room = AERO_UPDATER_OUTPUT - result->output_len;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			(void)close(updater->out);
			updater->out = -1;
			return;
		}
		if ((size_t)n > room)
			result->output_cut = true;
		else
			room = (size_t)n;
		memcpy(result->output + result->output_len, piece, room);
		result->output_len += room;
	}
}

/* It has ended, but is not reaped: until then its number is nobody else's, so that the
 * group can be signalled safely. */
static bool exited(const struct aero_updater *updater)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)updater->pid, &info, WEXITED | WNOHANG | WNOWAIT) <
		       0 ||
	       info.si_pid != 0;
}

/* End the group for good and reap. */
static void reap(struct aero_updater *updater)
{
	(void)kill(-updater->pid, SIGKILL);
	while (waitpid(updater->pid, &updater->status, 0) < 0 && errno == EINTR)
		continue;
	updater->pid = 0;
	updater->phase = OVER;
	read_output(updater);
}

bool aero_updater_step(struct aero_updater *updater, int64_t now)
{
	bool due = now >= updater->due;

	if (updater->phase == OVER)
		return true;
	read_output(updater);
	updater->ended = exited(updater);
	if (updater->phase == RUNS && !updater->ended && !due)
		return false;
	if (updater->phase == RUNS) {
		/* over time, or what it left behind: the whole group is asked first */
		updater->phase = TERM;
		updater->late = !updater->ended;
		updater->due = now + GRACE_MS;
		(void)kill(-updater->pid, SIGTERM);
		due = false;
	}
	/* with the output closed nobody of the group is known to live on */
	if (!(updater->ended && updater->out < 0) && !due)
		return false;
	reap(updater);
	return true;
}

/* ---- the end ---- */

int aero_legacy_read(const char *path, char **ret, size_t *ret_len, struct aero_err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT
			       ? aero_err_set(err, AERO_MISS, "'%s' does not exist", path)
			       : fail(err, aero_rc_of_errno(errno), "stat", path, errno);
	if (!S_ISREG(st.st_mode))
		return aero_err_set(err, AERO_BAD, "'%s' is not a regular file", path);
	return aero_file_read(path, AERO_LEGACY_MAX, ret, ret_len, err);
}

/* How it ended, in words; AERO_OK for exit 0. */
static int check_status(const struct aero_updater *updater, struct aero_err *err)
{
	if (updater->late)
		return aero_err_set(err, AERO_REFUSED,
			"legacy updater '%s' was ended at its time limit of %lld ms",
			updater->program, (long long)updater->timeout_ms);
	if (WIFSIGNALED(updater->status))
		return aero_err_set(err, AERO_REFUSED,
			"legacy updater '%s' died of signal %d", updater->program,
			WTERMSIG(updater->status));
	if (WEXITSTATUS(updater->status) != 0)
		return aero_err_set(err, AERO_REFUSED,
			"legacy updater '%s' exited with %d", updater->program,
			WEXITSTATUS(updater->status));
	return AERO_OK;
}

/* The last good copy, if it differs. */
static void keep_good(struct aero_updater *updater)
{
	struct aero_updater_result *result = &updater->result;
	const char *good = updater->paths->good;
	char *old = NULL, *dir = NULL;
	size_t len = 0;
	bool same;
	int rc;

	same = aero_legacy_read(good, &old, &len, NULL) == AERO_OK &&
	       len == result->legacy_len && memcmp(old, result->legacy, len) == 0;
	free(old);
	if (same)
		return;
	dir = strndup(good, (size_t)(strrchr(good, '/') - good));
	rc = dir == NULL ? no_memory(&result->warning)
			 : aero_dir_make(dir, &result->warning);
	if (rc == AERO_OK)
		(void)aero_file_replace(
			good, result->legacy, result->legacy_len, 0644, &result->warning);
	free(dir);
}

int aero_updater_finish(struct aero_updater *updater, struct aero_updater_result *ret,
	struct aero_err *err)
{
	struct aero_updater_result *result = &updater->result;
	int rc = check_status(updater, err);

	if (rc == AERO_OK) {
		rc = aero_legacy_read(updater->paths->legacy, &result->legacy,
			&result->legacy_len, err);
		if (rc != AERO_OK)
			rc = aero_err_prefix(err, AERO_REFUSED,
				"legacy updater '%s' left no usable file",
				updater->program);
	}
	if (rc == AERO_OK)
		keep_good(updater);
	*ret = *result;
	*result = (struct aero_updater_result){0}; /* now the caller's */
	return rc;
}

void aero_updater_free(struct aero_updater *updater)
{
	if (updater == NULL)
		return;
	if (updater->pid > 0)
		reap(updater);
	if (updater->pidfd >= 0)
		(void)close(updater->pidfd);
	if (updater->out >= 0)
		(void)close(updater->out);
	aero_updater_result_clear(&updater->result);
	free(updater->program);
	free(updater);
}

void aero_updater_result_clear(struct aero_updater_result *result)
{
	free(result->legacy);
	free(result->output);
	*result = (struct aero_updater_result){0};
}

int aero_updater_run(const char *program, const struct aero_hosts_paths *paths,
	int64_t timeout_ms, struct aero_updater_result *ret, struct aero_err *err)
{
	struct pollfd fds[AERO_UPDATER_FDS];
	struct aero_updater *updater = NULL;
	int rc;

	rc = aero_updater_start(
		program, paths, timeout_ms, aero_clock_ms(), &updater, err);
	if (rc != AERO_OK)
		return rc;
	while (!aero_updater_step(updater, aero_clock_ms())) {
		size_t n = aero_updater_fds(updater, fds);

		(void)poll(fds, n, (int)aero_updater_wait_ms(updater, aero_clock_ms()));
	}
	rc = aero_updater_finish(updater, ret, err);
	aero_updater_free(updater);
	return rc;
}
