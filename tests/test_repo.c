/* SPDX-License-Identifier: MIT */
/* The repository of configuration files: its metadata, what is taken of it, and git. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "server/git.h"
#include "server/meta.h"
#include "server/repo.h"
#include "tests/support.h"

static void metadata_is_a_flat_mapping(void **state)
{
	static const struct {
		const char *text;
		const char *words; /* of an error; NULL: none */
		const char *path, *owner;
		mode_t mode;
		size_t keywords;
	} rows[] = {
		{"", NULL, NULL, "root", 0644, 0},
		{"# none\n", NULL, NULL, "root", 0644, 0},
		{"path: /etc/x\nowner: app\nmode: '0600'\n", NULL, "/etc/x", "app", 0600,
			0},
		/* As YAML 1.1 reads it, as people mean it. */
		{"mode: 0755\n", NULL, NULL, "root", 0755, 0},
		{"mode: 755\n", NULL, NULL, "root", 0755, 0},
		{"keywords: [hostname, service_name]\n", NULL, NULL, "root", 0644, 2},
		{"{owner: \"a b\"}", NULL, NULL, "a b", 0644, 0},
		{"onwer: app\n", "line 1: a key that is none of", NULL, "", 0, 0},
		{"path: a\npath: b\n", "line 2: twice: \"path\"", NULL, "", 0, 0},
		{"path: [a]\n", "line 1: no single value", NULL, "", 0, 0},
		{"mode: u=rw\n", "line 1: a mode that is not octal: \"u=rw\"", NULL, "",
			0, 0},
		{"keywords: a\n", "keywords are a list", NULL, "", 0, 0},
		{"keywords: [[a]]\n", "keywords are words", NULL, "", 0, 0},
		{"- a\n", "no `key: value`", NULL, "", 0, 0},
		{"text\n", "no `key: value`", NULL, "", 0, 0},
		{"a: b: c\n", "line 1:", NULL, "", 0, 0},
		{"path: \"a\\0b\"\n", "a NUL byte", NULL, "", 0, 0},
		{"\xff\n", "line 1:", NULL, "", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_config config = {.owner = strdup("root"), .mode = 0644};
		struct aero_err err = {""};
		int rc = aero_meta_parse(
			rows[i].text, strlen(rows[i].text), &config, &err);

		print_message("row %zu %s\n", i, err.msg);
		assert_int_equal(rc, rows[i].words == NULL ? AERO_OK : AERO_BAD);
		if (rows[i].words != NULL) {
			assert_non_null(strstr(err.msg, rows[i].words));
		} else {
			if (rows[i].path != NULL)
				assert_string_equal(config.path, rows[i].path);
			else
				assert_null(config.path);
			assert_string_equal(config.owner, rows[i].owner);
			assert_int_equal(config.mode, rows[i].mode);
			assert_int_equal(config.keywords.n, rows[i].keywords);
		}
		aero_config_clear(&config);
	}
}

static void folder(const char *name)
{
	assert_int_equal(mkdir(test_path(name), 0755), 0);
}

static const struct aero_config *find(
	const struct aero_repo *repo, const char *service, const char *name)
{
	for (size_t i = 0; i < repo->n; i++)
		for (size_t j = 0; j < repo->v[i].n; j++)
			if (strcmp(repo->v[i].name, service) == 0 &&
				strcmp(repo->v[i].v[j].name, name) == 0)
				return &repo->v[i].v[j];
	return NULL;
}

static void a_clone_is_read_and_what_could_do_harm_left_out(void **state)
{
	const struct aero_config *config;
	struct aero_repo repo;
	struct aero_err err = {""};
	FILE *big;

	(void)state;
	aero_log_level(AERO_CRITICAL);
	folder("repo");
	folder("repo/.git");
	folder("repo/web");
	folder("repo/web/folder");
	folder("repo/Not_A_Service");
	folder("repo/empty");
	test_write(test_path("repo/README"), "text\n");
	test_write(test_path("repo/.git/config"), "git's\n");
	test_write(test_path("repo/web/.gitignore"), "x\n");
	test_write(test_path("repo/web/plain"), "p\n");
	test_write(test_path("repo/web/full"), "f\n");
	test_write(test_path("repo/web/full.meta"),
		"name: other\npath: /opt/f\nowner: app\ngroup: grp\nmode: '0640'\n");
	/* Left out: 11. */
	test_write(test_path("repo/web/alone.meta"), "path: /x\n");
	test_write(test_path("repo/web/up"), "");
	test_write(test_path("repo/web/up.meta"), "path: /etc/../x\n");
	test_write(test_path("repo/web/suid"), "");
	test_write(test_path("repo/web/suid.meta"), "mode: '4755'\n");
	test_write(test_path("repo/web/wrong"), "");
	test_write(test_path("repo/web/wrong.meta"), "onwer: x\n");
	test_write(test_path("repo/web/twin"), "");
	test_write(test_path("repo/web/twin.meta"), "path: /etc/plain\n");
	test_write(test_path("repo/web/linked"), "");
	assert_int_equal(symlink("/etc/hostname", test_path("repo/web/linked.meta")), 0);
	assert_int_equal(symlink("/etc/shadow", test_path("repo/web/secret")), 0);
	assert_int_equal(symlink("/etc", test_path("repo/link")), 0);
	big = fopen(test_path("repo/web/big"), "we");
	assert_non_null(big);
	assert_int_equal(ftruncate(fileno(big), (off_t)AERO_CONFIG_MAX + 1), 0);
	(void)fclose(big);
	assert_int_equal(aero_repo_read(test_path("repo"), &repo, &err), AERO_OK);
	assert_int_equal(repo.n, 2);
	assert_int_equal(repo.files, 2);
	assert_int_equal(repo.refused, 11);
	assert_int_equal(repo.folders_refused, 2);
	config = find(&repo, "web", "plain");
	assert_non_null(config);
	assert_string_equal(config->path, "/etc/plain");
	assert_string_equal(config->contents, "p\n");
	config = find(&repo, "web", "other");
	assert_non_null(config);
	assert_string_equal(config->path, "/opt/f");
	assert_string_equal(config->group, "grp");
	assert_int_equal(config->mode, 0640);
	aero_repo_clear(&repo);
	assert_int_not_equal(aero_repo_read(test_path("nowhere"), &repo, &err), AERO_OK);
	aero_repo_clear(&repo);
}

static void words_of_git_hold_no_password(void **state)
{
	static const struct {
		const char *output, *url, *words;
	} rows[] = {
		{"", "x", ""},
		{"fatal: no\n", "x", "fatal: no"},
		{"\n\nfatal: no\r\n\nhint: yes\n\n", "x", "fatal: no; hint: yes"},
		{"fatal: 'https://u:pw@h/x' and u:pw@h\n", "https://u:pw@h/x",
			"fatal: 'https://h/x' and h"},
		{"git@h: denied\n", "git@h:x", "git@h: denied"},
		{"u:p@w@h", "https://u:p@w@h/x@y", "h"},
	};
	char said[64], small[8];

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		aero_git_words(rows[i].output, rows[i].url, said, sizeof(said));
		assert_string_equal(said, rows[i].words);
	}
	aero_git_words("123456789\n1", "x", small, sizeof(small));
	assert_string_equal(small, "12345");
}

static void what_cannot_be_kept_is_said_at_the_start(void **state)
{
	static const struct {
		const char *url, *dir, *cert, *words;
	} rows[] = {
		{"file:///nonexistent", "", "", "needs repo_path"},
		{"file:///nonexistent", "clone", "", "is not an absolute path"},
		{"file:///nonexistent", "/proc", "", "is no clone, and not empty"},
		{"file:///nonexistent", "/nonexistent/clone", "/nonexistent/key",
			"git_cert '/nonexistent/key': No such file"},
		{"file:///nonexistent", "/nonexistent/clone", "/etc/passwd",
			"only its owner may read"},
		{"file:///nonexistent", "/nonexistent/clone", "k'y", "has a quote in it"},
		{"file:///nonexistent", "/nonexistent/clone", "",
			"git: fatal: '/nonexistent' does not appear to be a git"},
		{"ext::sh -c true", "/nonexistent/clone", "", "not allowed"},
		{"--upload-pack=/bin/true", "/nonexistent/clone", "", "git: fatal: "},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		const struct aero_git git = {rows[i].url, rows[i].dir, rows[i].cert, -1};
		struct aero_err err = {""};

		assert_int_equal(aero_git_check(&git, &err), AERO_CONFIG);
		if (strstr(err.msg, rows[i].words) == NULL)
			fail_msg("'%s' is not in '%s'", rows[i].words, err.msg);
	}
}

static void told_to_stop_it_stops(void **state)
{
	struct aero_git git = {"ssh://127.0.0.1/x", "/nonexistent/clone", "", -1};
	struct aero_err err = {""};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	git.stop_fd = fds[0];
	assert_int_equal(aero_git_check(&git, &err), AERO_AGAIN);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_is_a_flat_mapping),
		cmocka_unit_test(a_clone_is_read_and_what_could_do_harm_left_out),
		cmocka_unit_test(words_of_git_hold_no_password),
		cmocka_unit_test(what_cannot_be_kept_is_said_at_the_start),
		cmocka_unit_test(told_to_stop_it_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
