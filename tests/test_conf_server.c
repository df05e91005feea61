/* SPDX-License-Identifier: MIT */
/* The options of aerostatd: its keys, and the file that may be older than we are. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/program.h"
#include "tests/support.h"

static struct aero_conf conf;
static struct aero_err err;
static char root_flag[300];

/* Load with these texts (NULL: no such file) and, if it is not NULL, one more word. */
static int load_as(
	enum aero_program program, const char *all, const char *own, const char *word)
{
	const struct {
		const char *path, *text;
	} files[] = {{"etc/aerostat.conf", all}, {"etc/aerostatd.conf", own}};
	char *argv[] = {
		strdup("program"), strdup(root_flag), word == NULL ? NULL : strdup(word)};
	int rc;

	aero_conf_clear(&conf);
	err.msg[0] = '\0';
	for (size_t i = 0; i < AERO_COUNT(files); i++) {
		(void)unlink(test_path(files[i].path));
		if (files[i].text != NULL)
			test_write(test_path(files[i].path), files[i].text);
	}
	rc = aero_conf_load(program, word == NULL ? 2 : 3, argv, &conf, &err);
	for (size_t i = 0; i < AERO_COUNT(argv); i++)
		free(argv[i]);
	return rc;
}

static int load(const char *all, const char *own, const char *word)
{
	return load_as(AERO_PROG_SERVER, all, own, word);
}

static void assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is not in '%s'", part, text);
}

static void defaults_are_those_of_the_contract(void **state)
{
	(void)state;
	assert_int_equal(load(NULL, NULL, NULL), AERO_OK);
	assert_int_equal(conf.poll, 60);
	assert_int_equal(conf.absent_passes, 3);
	assert_int_equal(conf.grace, 300);
	assert_int_equal(conf.reap_cap_percent, 20);
	assert_int_equal(conf.reap_cap_min, 3);
	assert_int_equal(conf.regions.n, 0);
	assert_string_equal(conf.endpoint, "");
	assert_string_equal(conf.credentials_file, "/root/installer/.ec2");
	assert_int_equal(conf.cloud, AERO_CLOUD_EC2);
	assert_string_equal(conf.cloud_command, "");
	assert_int_equal(conf.lease, 90);
	assert_string_equal(conf.remote_repo_url, "");
	assert_string_equal(conf.repo_path, "");
	assert_string_equal(conf.git_cert, "");
	assert_false(conf.force || conf.check || conf.repair || conf.once);
}

static void every_documented_key_of_the_original_works(void **state)
{
	(void)state;
	assert_int_equal(load(NULL,
				 "remote_repo_url: ssh://git@dev.example.com:configs\n"
				 "git_cert: /root/.aerostat/dev-id\n"
				 "repo_path: '/root/.aerostat'\n"
				 "config_update_freq: 10\n",
				 NULL),
		AERO_OK);
	assert_string_equal(conf.remote_repo_url, "ssh://git@dev.example.com:configs");
	assert_string_equal(conf.git_cert, "/root/.aerostat/dev-id");
	assert_string_equal(conf.repo_path, "/root/.aerostat");
	assert_int_equal(conf.config_update_freq, 10);
	assert_int_equal(conf.warnings.n, 0);
	assert_int_equal(aero_conf_from(&conf, "repo_path"), AERO_FROM_SERVER_FILE);
}

static void its_own_file_beats_the_file_of_all(void **state)
{
	(void)state;
	assert_int_equal(load("poll: 1\nregions: [a, b]\nlease: 5\nserver: all\n",
				 "poll: 2\nregions: c\nserver: own\n", NULL),
		AERO_OK);
	assert_int_equal(conf.poll, 2);
	assert_int_equal(conf.lease, 5);
	assert_string_equal(conf.server, "own");
	assert_int_equal(conf.regions.n, 1);
	assert_string_equal(conf.regions.v[0], "c");
	assert_int_equal(load("poll: 1\n", "poll: 2\n", "--poll=4"), AERO_OK);
	assert_int_equal(conf.poll, 4);
	(void)setenv("AEROSTAT_POLL", "3", 1);
	assert_int_equal(load("poll: 1\n", "poll: 2\n", NULL), AERO_OK);
	assert_int_equal(conf.poll, 3);
	(void)unsetenv("AEROSTAT_POLL");
	assert_int_equal(load(NULL, NULL, "--regions=us-east-1,eu-west-1"), AERO_OK);
	assert_int_equal(conf.regions.n, 2);
}

/* One file for a whole fleet; but neither flag nor environment steers the others. */
static void the_other_programs_let_its_keys_pass(void **state)
{
	(void)state;
	(void)setenv("AEROSTAT_POLL", "never", 1);
	assert_int_equal(
		load_as(AERO_PROG_SYNCD, "poll: 5\n", "port: many\n", NULL), AERO_OK);
	assert_int_equal(conf.poll, 5);
	assert_int_equal(load(NULL, NULL, NULL), AERO_CONFIG);
	(void)unsetenv("AEROSTAT_POLL");
	assert_int_equal(
		load_as(AERO_PROG_SYNCD, "poll: never\n", NULL, NULL), AERO_CONFIG);
	assert_int_equal(load_as(AERO_PROG_CLI, NULL, NULL, "--regions=a"), AERO_USAGE);
	assert_has(err.msg, "--regions is an option of aerostatd, not of aerostat");
}

/* What the file of all programs is refused for is a warning in the older one, and the
 * rest of it counts; but --check-config refuses it too. */
static void what_is_unknown_or_no_yaml_is_a_warning(void **state)
{
	static const struct {
		const char *text, *words;
		int poll; /* 60: what sets it was not used */
	} rows[] = {
		{"pol: 5\npoll: 7\n",
			"/etc/aerostatd.conf:1:1: unknown key \"pol\"; did you mean "
			"'poll'?; "
			"it is not used",
			7},
		{"mongo:\n  hosts: [a, {b: c}]\n  port: 1\npoll: 7\n",
			"/etc/aerostatd.conf:1:1: unknown key \"mongo\"; it is not used",
			7},
		{"x: &a 1\nmongo: *a\npoll: 7\n", ":1:1: unknown key \"x\"", 7},
		{"dryrun: true\npoll: 7\n", ":1:1: 'dryrun' can be said", 7},
		{"poll: 7\npoll: 8\n", ":2:1: 'poll' stands in line 1 already", 7},
		{"poll: 7\nregions: [a\n", "what follows there is not used", 7},
		{"poll: 7\n\tlease: 1\n", "/etc/aerostatd.conf:2:", 60},
		{"poll: 'a\n", "/etc/aerostatd.conf:2:1: ", 60},
		{"poll 7\n", ":1:1: lines of `key: value` are wanted", 60},
		{"poll: 7\n---\npoll: 8\n", ":2:1: a second document", 7},
		{"[a]: 7\npoll: 7\n", ":1:1: a key is one plain word", 60},
		{"poll: 7\n# \xff\n", "/etc/aerostatd.conf:", 60},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		print_message("%s\n", rows[i].words);
		assert_int_equal(load(NULL, rows[i].text, NULL), AERO_OK);
		assert_true(conf.warnings.n >= 1);
		assert_has(conf.warnings.v[0], rows[i].words);
		assert_int_equal(conf.poll, rows[i].poll);
		assert_string_equal(err.msg, "");
		assert_int_equal(load(NULL, rows[i].text, "--check-config"), AERO_CONFIG);
		assert_has(err.msg, "/etc/aerostatd.conf:");
		assert_int_equal(load(rows[i].text, NULL, NULL), AERO_CONFIG);
		assert_has(err.msg, "/etc/aerostat.conf:");
	}
}

static void a_bad_value_is_refused_in_both_files(void **state)
{
	static const char *const texts[] = {"poll: 0\n", "grace: -1\n", "cloud: aws\n",
		"absent_passes: 0\n", "reap_cap_percent: 101\n", "endpoint: [a]\n",
		"regions: {a: b}\n", "lease: 1.5\n"};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(texts); i++) {
		assert_int_equal(load(NULL, texts[i], NULL), AERO_CONFIG);
		assert_has(err.msg, "/etc/aerostatd.conf:1:");
		assert_int_equal(load(texts[i], NULL, NULL), AERO_CONFIG);
		assert_has(err.msg, "/etc/aerostat.conf:1:");
	}
}

static void the_environment_may_name_the_file(void **state)
{
	(void)state;
	test_write(test_path("other.conf"), "poll: 9\nwhat: 1\n");
	(void)setenv("AEROSTATD_CONF", test_path("other.conf"), 1);
	assert_int_equal(load("lease: 8\n", "poll: 5\n", NULL), AERO_OK);
	assert_int_equal(conf.poll, 9);
	assert_int_equal(conf.lease, 8);
	assert_has(conf.warnings.v[0], "other.conf:2:1: unknown key \"what\"");
	/* It is aerostatd's. */
	assert_int_equal(load_as(AERO_PROG_SYNCD, NULL, NULL, NULL), AERO_OK);
	assert_int_equal(conf.poll, 60);
	(void)setenv("AEROSTATD_CONF", test_path("none.conf"), 1);
	assert_int_equal(load(NULL, "poll: 5\n", NULL), AERO_OK);
	assert_int_equal(conf.poll, 60);
	assert_has(conf.warnings.v[0], "none.conf': no such file");
	assert_int_equal(load(NULL, NULL, "--check-config"), AERO_CONFIG);
	(void)setenv("AEROSTATD_CONF", "", 1);
	assert_int_equal(load(NULL, "poll: 5\n", NULL), AERO_OK);
	assert_int_equal(conf.poll, 5);
	(void)unsetenv("AEROSTATD_CONF");
}

static void a_cloud_command_has_to_be_named(void **state)
{
	FILE *out = fopen("/dev/null", "w");

	(void)state;
	assert_non_null(out);
	assert_int_equal(load(NULL, "cloud: Command\n", NULL), AERO_OK);
	assert_int_equal(conf.cloud, AERO_CLOUD_COMMAND);
	assert_int_equal(aero_check_config(&conf, out, &err), AERO_CONFIG);
	assert_has(err.msg, "cloud_command");
	assert_int_equal(
		load(NULL, "cloud: command\ncloud_command: /bin/ids\n", NULL), AERO_OK);
	assert_int_equal(aero_check_config(&conf, out, &err), AERO_OK);
	(void)fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_contract),
		cmocka_unit_test(every_documented_key_of_the_original_works),
		cmocka_unit_test(its_own_file_beats_the_file_of_all),
		cmocka_unit_test(the_other_programs_let_its_keys_pass),
		cmocka_unit_test(what_is_unknown_or_no_yaml_is_a_warning),
		cmocka_unit_test(a_bad_value_is_refused_in_both_files),
		cmocka_unit_test(the_environment_may_name_the_file),
		cmocka_unit_test(a_cloud_command_has_to_be_named),
	};
	int failed;

	(void)unsetenv("AEROSTATD_CONF");
	(void)mkdir(test_path("etc"), 0755);
	(void)snprintf(root_flag, sizeof(root_flag), "--root=%s", test_dir());
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	aero_conf_clear(&conf);
	return failed;
}
