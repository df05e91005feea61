/* SPDX-License-Identifier: MIT */
/* The program as a whole, with register/ and syncd/ replaced by recorders. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/configs.h"
#include "lib/file.h"
#include "lib/status.h"
#include "register/register.h"
#include "syncd/syncd.h"
#include "tests/mirror_set.h"
#include "tests/support.h"

/* ---- the recorders ---- */

static char calls[64];
static const char *failing; /* the call that fails with AERO_AGAIN */

static int record(const char *call, struct aero_err *err)
{
	(void)snprintf(calls + strlen(calls), sizeof(calls) - strlen(calls), "%s ", call);
	if (failing != NULL && strcmp(failing, call) == 0)
		return aero_err_set(err, AERO_AGAIN, "%s failed", call);
	return AERO_OK;
}

int aero_register_run(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	(void)conf;
	(void)out;
	return record("register", err);
}

int aero_change_master_run(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	(void)conf;
	(void)out;
	return record("master", err);
}

int aero_release_run(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	(void)conf;
	(void)out;
	return record("release", err);
}

int aero_syncd_run(
	const struct aero_conf *conf, bool once, FILE *out, struct aero_err *err)
{
	(void)conf;
	(void)out;
	return record(once ? "once" : "loop", err);
}

int aero_configs_update(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	(void)conf;
	(void)out;
	return record("configs", err);
}

/* ---- running ---- */

static char root_flag[300], server_flag[300];
static char *out_text, *err_text;
static const char *input = "";

/* The exit code of `aerostat --root=... words`; what it printed is in out_text (stdout)
 * and err_text. */
static int run(const char *const *words)
{
	char *argv[16], *text = strdup(input);
	int argc = 0, code, saved = dup(STDERR_FILENO);
	size_t len = 0;
	FILE *out, *in = fmemopen(text, strlen(text) + (*text == '\0'), "r");
	FILE *to = freopen(test_path("stderr"), "w", stderr);

	assert_non_null(to);
	free(out_text);
	free(err_text);
	out_text = NULL;
	out = open_memstream(&out_text, &len);
	calls[0] = '\0';
	argv[argc++] = strdup("aerostat");
	argv[argc++] = strdup(root_flag);
	for (; *words != NULL; words++)
		argv[argc++] = strdup(*words);
	code = aero_cli_main(argc, argv, in, out);
	(void)fclose(out);
	(void)fclose(in);
	(void)fflush(stderr);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	err_text = test_read(test_path("stderr"));
	while (argc > 0)
		free(argv[--argc]);
	free(text);
	return code;
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is not in '%s'", part, text);
}

static void publish(const char *const *lines, unsigned n_zones, const char *zones)
{
	struct mirror_set set = {0};
	struct aero_publish_error error = {0};

	for (; *lines != NULL; lines++)
		assert_null(mirror_set_add(&set, *lines));
	assert_int_equal(mirror_set_publish(&set, test_path("var/lib/aerostat/hosts.mdb"),
				 7, n_zones, zones, &error),
		0);
	mirror_set_clear(&set);
}

static int with_mirror(void **state)
{
	static const char *const lines[] = {"web-0 10.0.0.1,fd00::1 www api",
		"web-10 10.0.0.10", "web-2 10.0.0.2", "db-master 10.0.1.1 database",
		NULL};

	(void)state;
	publish(lines, 1, "cluster.internal");
	return 0;
}

static int without_mirror(void **state)
{
	(void)state;
	(void)remove(test_path("var/lib/aerostat/hosts.mdb"));
	(void)remove(test_path("var/lib/aerostat/status.json"));
	return 0;
}

/* ---- dispatch ---- */

static void actions_run_in_the_documented_order(void **state)
{
	(void)state;
	assert_int_equal(RUN("--update-configs", "--configs", "a b", "--update",
				 "--change-master", "--register"),
		0);
	assert_string_equal(calls, "register master once configs ");
	assert_int_equal(RUN("--daemon", "--update"), 0);
	assert_string_equal(calls, "loop ");
	assert_int_equal(
		RUN("--server=localhost", "--dryrun", "--offline", "--update"), 0);
	assert_string_equal(calls, "once ");
	assert_int_equal(RUN("release"), 0);
	assert_string_equal(calls, "release ");
}

static void a_failed_action_is_the_last(void **state)
{
	(void)state;
	failing = "master";
	assert_int_equal(RUN("--update", "--change-master", "--register"), 75);
	assert_string_equal(calls, "register master ");
	assert_has(err_text, "ERROR change-master: master failed\n");
	failing = NULL;
}

static void wrong_usage_is_told_and_does_nothing(void **state)
{
	static const struct {
		const char *words[4];
		const char *message;
	} rows[] = {
		{{NULL}, "Usage: aerostat [OPTION]... ACTION...\n"},
		{{"--dryrun"}, "Usage: aerostat"},
		{{"lst"}, "\"lst\" is no subcommand; did you mean 'list'?"},
		{{"qwerty"}, "\"qwerty\" is no subcommand; see aerostat --help"},
		{{"mongodb://u:secret@h/"}, "that word is no subcommand"},
		{{"lookup"}, "usage: aerostat lookup NAME|ADDRESS"},
		{{"lookup", "a", "b"}, "usage: aerostat lookup NAME|ADDRESS"},
		{{"status", "web"}, "usage: aerostat status"},
		{{"list", "--update"}, "do not go together"},
		{{"status", "--format=json"}, "--format is for aerostat list"},
		{{"list", "--format=jsn"}, "did you mean 'json'?"},
		{{"list", "--json", "--format=ssh"}, "--json and --format=ssh"},
		{{"--daemon"}, "--daemon goes with --update"},
		{{"nsswitch"}, "usage: aerostat nsswitch --enable | --disable"},
		{{"nsswitch", "--enable", "--disable"}, "usage: aerostat nsswitch"},
		{{"--update", "--enable"}, "--enable and --disable are for"},
		{{"--disable"}, "--enable and --disable are for"},
		{{"list", "--update-configs"}, "do not go together"},
		{{"--configs=a", "--update"}, "--configs goes with --update-configs"},
		{{"--configs=a"}, "--configs goes with --update-configs"},
		{{"--once"}, "--once is an option of aerostat-syncd"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		assert_int_equal(run(rows[i].words), 64);
		assert_has(err_text, rows[i].message);
		assert_null(strstr(err_text, "secret"));
		assert_string_equal(out_text, "");
		assert_string_equal(calls, "");
	}
}

static void version_and_check_are_short(void **state)
{
	(void)state;
	assert_int_equal(RUN("--version"), 0);
	assert_string_equal(out_text, "aerostat 2.0.0\n");
	assert_int_equal(RUN("--check-config"), 0);
	assert_string_equal(out_text,
		"the configuration is right\nservice: from /etc/aerostat_info\n");
	assert_int_equal(RUN("--check-config", "--info-source=tags",
				 "--identity-command=/usr/bin/who"),
		0);
	assert_has(out_text, "\nservice: if identity_command /usr/bin/who says it, from "
			     "there, else from the tags of the instance");
	assert_int_equal(RUN("--check-config", "--service=web"), 0);
	assert_has(out_text, "\nservice: web, from the command line\n");
	assert_int_equal(RUN("--check-config", "--identity-command=who"), 78);
	assert_has(err_text, "not an absolute path");
	assert_int_equal(RUN("--check-config", "--server=lmdb:"), 78);
	assert_int_equal(RUN("--check-config", "--server-file=/nonexistent"), 78);
	assert_has(err_text, "no such file");
	/* What syncd would end with 78 for. */
	assert_int_equal(RUN("--check-config", "--domain=a b"), 78);
	assert_has(err_text, "domain 'a b'");
	assert_int_equal(RUN("--check-config", "--zones=ok.example,a..b"), 78);
	assert_has(err_text, "zone 'a..b'");
	assert_int_equal(RUN("--check-config", "--domain=.a.", "--zones=.,.b"), 0);
}

static void help_fits_80_columns(void **state)
{
	int saved = dup(STDOUT_FILENO);
	char *text;

	(void)state;
	(void)fflush(stdout);
	assert_non_null(freopen(test_path("help"), "w", stdout));
	assert_int_equal(RUN("list", "-h", "--nonsense"), 0);
	(void)fflush(stdout);
	(void)dup2(saved, STDOUT_FILENO);
	(void)close(saved);
	text = test_read(test_path("help"));
	assert_has(text, "\n  lookup NAME|ADDRESS  ");
	assert_has(text, "\n  --legacy-updater=PATH  ");
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
		if (strcspn(line, "\n") > 80)
			fail_msg("%.100s", line);
	free(text);
}

static void a_password_on_the_command_line_is_warned_of_by_the_log(void **state)
{
	(void)state;
	assert_int_equal(RUN("--server=mongodb://u:secret@h/", "--update"), 0);
	assert_has(err_text, "WARNING options: --server holds a password");
	assert_null(strstr(err_text, "secret"));
	assert_int_equal(
		RUN("--server=mongodb://u:secret@h/", "--update", "--loglevel=ERROR"), 0);
	assert_string_equal(err_text, "");
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	char *argv[] = {strdup("aerostat"), strdup("--version")};

	(void)state;
	assert_non_null(full);
	assert_int_equal(aero_cli_main(2, argv, stdin, full), 75);
	(void)fclose(full);
	free(argv[0]);
	free(argv[1]);
}

/* ---- lookup ---- */

static void names_and_addresses_are_looked_up(void **state)
{
	static const struct {
		const char *word, *lines;
	} rows[] = {
		{"web-2", "10.0.0.2 web-2\n"},
		{"web-0", "10.0.0.1 web-0 www api\nfd00::1 web-0 www api\n"},
		{"WWW.", "10.0.0.1 web-0 www api\nfd00::1 web-0 www api\n"},
		{"10.0.1.1", "10.0.1.1 db-master database\n"},
		{"::ffff:10.0.0.2", "10.0.0.2 web-2\n"},
		{"FD00:0::1", "10.0.0.1 web-0 www api\nfd00::1 web-0 www api\n"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		assert_int_equal(RUN("lookup", rows[i].word), 0);
		assert_string_equal(out_text, rows[i].lines);
		assert_string_equal(err_text, "");
	}
}

static void a_miss_says_why_on_stderr(void **state)
{
	static const struct {
		const char *word, *message;
	} rows[] = {
		{"web-1", "lookup: no node is called \"web-1\"\n"},
		{"web-1.cluster.internal", "no node is called"},
		{"a.example.com", "is below neither `domain` nor `zones`"},
		{"cluster.internal", "is below neither `domain` nor `zones`"},
		{"10.0.0.9", "no node has the address 10.0.0.9\n"},
		{"fd00::9", "no node has the address fd00::9\n"},
		{"a..b", "\"a..b\" is neither a name nor an address\n"},
		{"", "\"\" is neither a name nor an address\n"},
		{"a\nb", "\"a\\nb\""},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		assert_int_equal(RUN("lookup", rows[i].word), 1);
		assert_string_equal(out_text, "");
		assert_has(err_text, rows[i].message);
	}
}

static void lookup_prints_json(void **state)
{
	(void)state;
	assert_int_equal(RUN("lookup", "--json", "www"), 0);
	assert_has(out_text,
		"{ \"name\" : \"www\", \"canonical\" : \"web-0\", \"addresses\" : [ "
		"\"10.0.0.1\", \"fd00::1\" ], \"aliases\" : [ \"www\", \"api\" ], "
		"\"generation\" : 7, \"source_time\" : ");
	assert_has(out_text, "\"age\" : ");
}

static void no_or_a_bad_mirror_is_69_with_the_remedy(void **state)
{
	char no_store[300];

	(void)state;
	(void)snprintf(no_store, sizeof(no_store), "lmdb:%s", test_dir());
	assert_int_equal(RUN("lookup", "web-0"), 69);
	assert_has(err_text, "start aerostat-syncd, or run `aerostat --update` once");
	test_write(test_path("var/lib/aerostat/hosts.mdb"), "noise");
	assert_int_equal(RUN("lookup", "web-0"), 69);
	assert_has(err_text, "damaged");
	(void)chmod(test_path("var/lib/aerostat/hosts.mdb"), 0666);
	assert_int_equal(RUN("lookup", "web-0"), 69);
	assert_has(err_text, "chmod 644");
	/* The configured store, which comes next, is none either. */
	(void)setenv("AEROSTAT_SERVER", no_store, 1);
	assert_int_equal(RUN("list"), 69);
	assert_has(err_text, "hosts.mdb");
	assert_has(err_text, "; and the store: ");
	assert_string_equal(out_text, "");
	(void)unsetenv("AEROSTAT_SERVER");
}

/* ---- list ---- */

static void the_mirror_is_listed_in_natural_order(void **state)
{
	(void)state;
	assert_int_equal(RUN("list"), 0);
	assert_string_equal(out_text, "NAME       ADDRESS           ALIASES\n"
				      "db-master  10.0.1.1          database\n"
				      "web-0      10.0.0.1,fd00::1  www,api\n"
				      "web-2      10.0.0.2          -\n"
				      "web-10     10.0.0.10         -\n");
	assert_int_equal(RUN("list", "db", "--format", "hosts"), 0);
	assert_string_equal(out_text, "10.0.1.1 db-master database\n");
	assert_int_equal(RUN("list", "nosuch", "--json"), 1);
	assert_string_equal(out_text, "[]\n");
	assert_has(err_text, "there is no node of service \"nosuch\"");
}

static void a_server_on_the_command_line_beats_the_mirror(void **state)
{
	(void)state;
	input = "{\"hostname\": \"web-7\", \"service\": \"web\", \"ip\": \"10.0.0.7\", "
		"\"instance_id\": \"i-7\"}\n";
	assert_int_equal(RUN("import", "-", server_flag), 0);
	assert_has(out_text, "imported 1 slot into lmdb:");
	assert_int_equal(RUN("list", server_flag, "--format=hosts"), 0);
	assert_string_equal(out_text, "10.0.0.7 web-7\n");
	(void)setenv("AEROSTAT_SERVER", server_flag + strlen("--server="), 1);
	assert_int_equal(RUN("list", "web", "--format=hosts"), 0);
	assert_has(out_text, "web-2");
	without_mirror(NULL);
	assert_int_equal(RUN("list", "web", "--format=hosts"), 0);
	assert_string_equal(out_text, "10.0.0.7 web-7\n");
	(void)unsetenv("AEROSTAT_SERVER");
}

/* ---- import ---- */

static void a_file_with_a_bad_line_is_refused_whole(void **state)
{
	(void)state;
	test_write(test_path("import"),
		"{\"hostname\": \"bad-1\", \"service\": \"bad\"}\n\n"
		"{\"hostname\": \"bad-2\"}\n{\"hostname\": \"-\"}\nnoise\n");
	assert_int_equal(RUN("import", test_path("import"), server_flag), 65);
	assert_has(err_text, "0 of 4 taken, 2 bad: ");
	assert_has(err_text, "import:4: hostname \"-\": ");
	assert_int_equal(RUN("list", "bad", server_flag), 1);
	assert_int_equal(RUN("import", "/nonexistent", server_flag), 1);
	assert_int_equal(RUN("import", "/", server_flag), 65);
}

static void an_import_replaces_by_hostname(void **state)
{
	(void)state;
	input = "{\"hostname\":\"re-1\",\"service\":\"re\",\"ip\":\"10.0.2.1\","
		"\"instance_id\":"
		"\"i-r\",\"aliases\":null}\n";
	assert_int_equal(RUN("import", "-", server_flag, "--dryrun"), 0);
	assert_string_equal(out_text, "dry run: would import re-1 (new) i-r 10.0.2.1\n"
				      "dry run: 1 slot, nothing written\n");
	assert_int_equal(RUN("list", "re", server_flag), 1);
	assert_int_equal(RUN("import", "-", server_flag), 0);
	input = "{\"hostname\":\"re-1\",\"service\":\"re\",\"ip\":\"\",\"ip6\":\"fd00::"
		"5\","
		"\"instance_id\":\"\",\"aliases\":[\"a\",\"b\"]}\n";
	assert_int_equal(RUN("import", "-", server_flag, "--dryrun"), 0);
	assert_has(out_text, "would import re-1 (replaced) static fd00::5 aliases a,b\n");
	assert_int_equal(RUN("import", "-", server_flag), 0);
	assert_int_equal(RUN("list", "re", server_flag, "--format=hosts"), 0);
	assert_string_equal(out_text, "fd00::5 re-1 a b\n");
}

/* ---- status ---- */

static void status_without_a_mirror_is_69_and_says_what_is_known(void **state)
{
	(void)state;
	assert_int_equal(RUN("status"), 69);
	assert_string_equal(out_text, "mirror    none\ndaemon    does not run\n");
	assert_has(err_text, "no mirror here");
	assert_int_equal(RUN("status", "--json"), 69);
	assert_has(out_text, "{ \"mirror\" : false, \"why\" : \"no mirror here");
}

static void status_knows_the_daemon_by_its_lock(void **state)
{
	struct aero_err err;
	int fd = -1;

	(void)state;
	assert_int_equal(
		aero_lock_take(test_path("run/aerostat/syncd.lock"), &fd, NULL, &err),
		AERO_OK);
	assert_int_equal(RUN("status"), 0);
	assert_has(out_text, "daemon    runs, pid ");
	(void)close(fd);
	assert_int_equal(RUN("status"), 0);
	assert_has(out_text, "daemon    does not run: names still resolve, but do not");
}

int main(void)
{
#define PLAIN(test) cmocka_unit_test_setup(test, without_mirror)
#define MIRROR(test) cmocka_unit_test_setup(test, with_mirror)
	const struct CMUnitTest tests[] = {
		PLAIN(actions_run_in_the_documented_order),
		PLAIN(a_failed_action_is_the_last),
		PLAIN(wrong_usage_is_told_and_does_nothing),
		PLAIN(version_and_check_are_short),
		PLAIN(help_fits_80_columns),
		PLAIN(a_password_on_the_command_line_is_warned_of_by_the_log),
		PLAIN(output_that_cannot_be_written_is_a_failure),
		MIRROR(names_and_addresses_are_looked_up),
		MIRROR(a_miss_says_why_on_stderr),
		MIRROR(lookup_prints_json),
		PLAIN(no_or_a_bad_mirror_is_69_with_the_remedy),
		MIRROR(the_mirror_is_listed_in_natural_order),
		MIRROR(a_server_on_the_command_line_beats_the_mirror),
		PLAIN(a_file_with_a_bad_line_is_refused_whole),
		PLAIN(an_import_replaces_by_hostname),
		PLAIN(status_without_a_mirror_is_69_and_says_what_is_known),
		MIRROR(status_knows_the_daemon_by_its_lock),
	};
	struct aero_err err;
	int failed;

	if (aero_dir_make(test_path("var/lib/aerostat"), &err) != AERO_OK)
		return 1;
	(void)unsetenv("AEROSTAT_SERVER");
	(void)unsetenv("JOURNAL_STREAM");
	(void)snprintf(root_flag, sizeof(root_flag), "--root=%s", test_dir());
	(void)snprintf(server_flag, sizeof(server_flag), "--server=lmdb:%s",
		test_path("names.mdb"));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(out_text);
	free(err_text);
	return failed;
}
