/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf_parse.h"
#include "tests/support.h"

static struct aero_conf conf;
static struct aero_err err;
static char root_flag[300];

/* Load with --root of the test's own and these words; text, if any, is the file's. */
static int load_as(enum aero_program program, const char *text, const char *const *words)
{
	const char *list[24] = {"program", root_flag};
	char *argv[24];
	int argc = 2;

	aero_conf_clear(&conf);
	err.msg[0] = '\0';
	if (text != NULL)
		test_write(test_path("etc/aerostat.conf"), text);
	else
		(void)remove(test_path("etc/aerostat.conf"));
	for (; words != NULL && *words != NULL; words++)
		list[argc++] = *words;
	for (int i = 0; i < argc; i++)
		argv[i] = strdup(list[i]);
	int rc = aero_conf_load(program, argc, argv, &conf, &err);
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	return rc;
}

#define LOAD(text, ...) \
	load_as(AERO_PROG_CLI, text, (const char *const[]){__VA_ARGS__, NULL})
#define NO NULL

static void assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' is not in '%s'", part, text);
}

static void each_source_beats_the_ones_below_it(void **state)
{
	(void)state;
	assert_int_equal(LOAD(NO, NO), AERO_OK);
	assert_int_equal(conf.port, 27017);
	assert_int_equal(aero_conf_from(&conf, "port"), AERO_FROM_DEFAULT);
	assert_int_equal(LOAD("port: 1\n", NO), AERO_OK);
	assert_int_equal(conf.port, 1);
	assert_int_equal(aero_conf_from(&conf, "port"), AERO_FROM_FILE);
	(void)setenv("AEROSTAT_PORT", "2", 1);
	assert_int_equal(LOAD("port: 1\n", NO), AERO_OK);
	assert_int_equal(conf.port, 2);
	assert_int_equal(aero_conf_from(&conf, "port"), AERO_FROM_ENV);
	assert_int_equal(LOAD("port: 1\n", "--port", "3"), AERO_OK);
	assert_int_equal(conf.port, 3);
	assert_int_equal(aero_conf_from(&conf, "port"), AERO_FROM_FLAG);
	/* Even one that is no number. */
	(void)setenv("AEROSTAT_PORT", "x", 1);
	assert_int_equal(LOAD(NO, "--port=3"), AERO_OK);
	(void)unsetenv("AEROSTAT_PORT");
}

static void lists_of_two_sources_are_not_mixed(void **state)
{
	(void)state;
	assert_int_equal(LOAD("alias: [a, b]\n", NO), AERO_OK);
	assert_int_equal(conf.alias.n, 2);
	(void)setenv("AEROSTAT_ALIAS", "c, d,e", 1);
	assert_int_equal(LOAD("alias: [a, b]\n", NO), AERO_OK);
	assert_int_equal(conf.alias.n, 3);
	assert_string_equal(conf.alias.v[1], "d");
	assert_int_equal(LOAD("alias: [a, b]\n", "--alias", "x", "--alias=y"), AERO_OK);
	assert_int_equal(conf.alias.n, 2);
	assert_string_equal(conf.alias.v[0], "x");
	assert_string_equal(conf.alias.v[1], "y");
	assert_int_equal(LOAD(NO, "--alias="), AERO_OK);
	assert_int_equal(conf.alias.n, 0);
	(void)unsetenv("AEROSTAT_ALIAS");
	assert_int_equal(LOAD("alias:\n  - a\n  - 'b'\n", NO), AERO_OK);
	assert_int_equal(conf.alias.n, 2);
	assert_int_equal(LOAD("alias: []\n", NO), AERO_OK);
	assert_int_equal(conf.alias.n, 0);
	assert_int_equal(LOAD("zones: a.b, c\n", NO), AERO_OK);
	assert_int_equal(conf.zones.n, 2);
	assert_int_equal(LOAD(NO, "--configs", "a b"), AERO_OK);
	assert_int_equal(conf.configs.n, 2);
}

static void a_higher_source_wins_whatever_comes_first(void **state)
{
	static const struct aero_opt_source file = {AERO_FROM_FILE, "file"},
					    flag = {AERO_FROM_FLAG, "flag"};
	int alias = aero_opt_find("alias", 5, false),
	    port = aero_opt_find("port", 4, false);

	(void)state;
	assert_int_equal(LOAD(NO, NO), AERO_OK);
	for (int i = 0; i < 2; i++) {
		const struct aero_opt_source *first = i == 0 ? &file : &flag;
		const struct aero_opt_source *second = i == 0 ? &flag : &file;

		aero_list_clear(&conf.alias);
		conf.from[alias] = conf.from[port] = AERO_FROM_DEFAULT;
		for (int turn = 0; turn < 2; turn++) {
			const struct aero_opt_source *source = turn == 0 ? first : second;
			const char *value = source == &flag ? "1" : "2";

			assert_int_equal(
				aero_opt_set(&conf, (size_t)alias, source, value, &err),
				AERO_OK);
			assert_int_equal(
				aero_opt_set(&conf, (size_t)port, source, value, &err),
				AERO_OK);
		}
		assert_int_equal(conf.port, 1);
		assert_int_equal(conf.alias.n, 1);
		assert_string_equal(conf.alias.v[0], "1");
	}
}

static void values_of_each_type_are_read(void **state)
{
	(void)state;
	assert_int_equal(
		LOAD("set_hostname: no\nservice_names: 'on'\nhosts_file: self\n"
		     "loglevel: warning\ndomain: cluster.internal\nport: 65535\n",
			NO),
		AERO_OK);
	assert_false(conf.set_hostname);
	assert_true(conf.service_names);
	assert_int_equal(conf.hosts_file, AERO_HOSTS_SELF);
	assert_int_equal(conf.loglevel, AERO_WARNING);
	assert_string_equal(conf.domain, "cluster.internal");
	assert_int_equal(conf.port, 65535);
	assert_int_equal(LOAD(NO, "--loglevel", "DeBuG", "--set-hostname", "off",
				 "--service-names", "list", "--metadata-v1=yes", "web"),
		AERO_OK);
	assert_int_equal(conf.loglevel, AERO_DEBUG);
	assert_false(conf.set_hostname);
	assert_true(conf.service_names);
	assert_true(conf.metadata_v1);
	assert_int_equal(conf.words.n, 2);
	assert_string_equal(conf.words.v[0], "list");
	/* A switch takes no word. */
	assert_int_equal(LOAD(NO, "--json", "no"), AERO_OK);
	assert_true(conf.json);
	assert_int_equal(conf.words.n, 1);
}

static void an_empty_value_is_the_default(void **state)
{
	(void)state;
	(void)setenv("AEROSTAT_DATABASE", "", 1);
	assert_int_equal(
		LOAD("database: other\nport:\nhosts_file: ''\ndomain: ~\ntype: x\n",
			"--type=", "--set-hostname=", "--shrink-min", ""),
		AERO_OK);
	assert_string_equal(conf.database, "aerostat");
	assert_int_equal(conf.port, 27017);
	assert_int_equal(conf.hosts_file, AERO_HOSTS_FULL);
	assert_string_equal(conf.domain, "");
	assert_string_equal(conf.type, "");
	assert_true(conf.set_hostname);
	assert_int_equal(conf.shrink_min, 10);
	(void)unsetenv("AEROSTAT_DATABASE");
}

static void errors_name_place_and_remedy(void **state)
{
	static const struct {
		const char *text;
		const char *words[4];
		int rc;
		const char *message;
	} rows[] = {
		{NO, {"--prot=1"}, AERO_USAGE,
			"unknown option \"--prot\"; did you mean '--port'?; see "
			"aerostat "
			"--help"},
		{NO, {"-x"}, AERO_USAGE, "unknown option \"-x\"; see aerostat --help"},
		{NO, {"-dryrun"}, AERO_USAGE, "did you mean '--dryrun'?"},
		{NO, {"--server-x=mongodb://u:secret@h"}, AERO_USAGE,
			"unknown option \"--server-x\""},
		{NO, {"--secre=secret"}, AERO_USAGE, "unknown option \"--secre\""},
		{NO, {"--port"}, AERO_USAGE, "--port needs a value: N"},
		{NO, {"--server", "--dryrun"}, AERO_USAGE,
			"--server needs a value (SERVER)"},
		{NO, {"--port=x"}, AERO_USAGE,
			"--port: \"x\" is not a whole number (1 to 65535)"},
		{NO, {"--port= 5"}, AERO_USAGE, "not a whole number"},
		{NO, {"--port=5s"}, AERO_USAGE, "not a whole number"},
		{NO, {"--port", "65536"}, AERO_USAGE,
			"--port: \"65536\" is out of range (1 to 65535)"},
		{NO, {"--port", "-1"}, AERO_USAGE, "out of range"},
		{NO, {"--port=99999999999999999999"}, AERO_USAGE, "out of range"},
		{NO, {"--set-hostname=maybe"}, AERO_USAGE,
			"--set-hostname: \"maybe\" is none of true, false"},
		{NO, {"--hosts-file=ful"}, AERO_USAGE,
			"--hosts-file: \"ful\" is none of full|self|off"},
		{NO, {"--domain=a\nb"}, AERO_USAGE, "--domain: line breaks"},
		{NO, {"--once"}, AERO_USAGE,
			"--once is an option of aerostat-syncd and aerostatd, not of "
			"aerostat"},
		{"sever: x\n", {NO}, AERO_CONFIG,
			"/etc/aerostat.conf:1:1: unknown key \"sever\"; did you mean "
			"'server'?"},
		{"a: 1\n", {NO}, AERO_CONFIG, ":1:1: unknown key \"a\""},
		{"server:mongodb://u:secret@h: 1\n", {NO}, AERO_CONFIG,
			":1:1: unknown key that"},
		{"port: 1\n\n  \ndatabase: x\nport: 2\n", {NO}, AERO_CONFIG,
			":5:1: 'port' stands in line 1 already"},
		{"dryrun: true\n", {NO}, AERO_CONFIG,
			":1:1: 'dryrun' can be said on the command line only"},
		{"# x\nport:   abc\n", {NO}, AERO_CONFIG,
			"/etc/aerostat.conf:2:9: port: \"abc\" is not a whole number"},
		{"port: 0\n", {NO}, AERO_CONFIG, ":1:7: port: \"0\" is out of range"},
		{"port: [1]\n", {NO}, AERO_CONFIG, ":1:7: port: one value, not a list"},
		{"port: {a: 1}\n", {NO}, AERO_CONFIG, ":1:7: port: a plain value"},
		{"alias: [a, [b]]\n", {NO}, AERO_CONFIG, ":1:12: alias: a list of plain"},
		{"a b\n", {NO}, AERO_CONFIG, ":1:1: lines of `key: value` are wanted"},
		{"- a\n", {NO}, AERO_CONFIG, ":1:1: lines of `key: value` are wanted"},
		{"[a]: b\n", {NO}, AERO_CONFIG, ":1:1: a key is one plain word"},
		{"port: 1\n\tx: 2\n", {NO}, AERO_CONFIG, "/etc/aerostat.conf:2:"},
		{"port: 'a\n", {NO}, AERO_CONFIG, "/etc/aerostat.conf:2:1: "},
		{"port: 1\n---\nport: 2\n", {NO}, AERO_CONFIG, ":2:1: a second document"},
		{"domain: \"a\\0b\"\n", {NO}, AERO_CONFIG, ":1:9: domain: holds a NUL"},
		{"domain: \"a\\nb\"\n", {NO}, AERO_CONFIG, ":1:9: domain: line breaks"},
		{"domain: \xff\n", {NO}, AERO_CONFIG, "/etc/aerostat.conf:1:"},
		{"root: /elsewhere\n", {NO}, AERO_CONFIG, "use --root or AEROSTAT_ROOT"},
		/* Wrong in the file, even where a flag beats it. */
		{"port: x\n", {"--port=5"}, AERO_CONFIG, ":1:7: port"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		assert_int_equal(
			load_as(AERO_PROG_CLI, rows[i].text, rows[i].words), rows[i].rc);
		assert_has(err.msg, rows[i].message);
		assert_null(strstr(err.msg, "secret"));
	}
}

static void environment_errors_name_the_variable(void **state)
{
	(void)state;
	(void)setenv("AEROSTAT_PORT", "no", 1);
	assert_int_equal(LOAD(NO, NO), AERO_CONFIG);
	assert_has(err.msg, "environment AEROSTAT_PORT: \"no\" is not a whole number");
	(void)unsetenv("AEROSTAT_PORT");
	/* No switch can be set so, and other variables are not ours to judge. */
	(void)setenv("AEROSTAT_DRYRUN", "true", 1);
	(void)setenv("AEROSTAT_TEST_STRICT_X", "1", 1);
	assert_int_equal(LOAD(NO, NO), AERO_OK);
	assert_false(conf.dryrun);
	(void)unsetenv("AEROSTAT_DRYRUN");
	(void)unsetenv("AEROSTAT_TEST_STRICT_X");
}

static void files_without_content_set_nothing(void **state)
{
	static const char *const texts[] = {"", "\n", "# only a comment\n", "---\n",
		"{}\n", "\xef\xbb\xbf# bom\n", "---\n...\n"};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(texts); i++)
		assert_int_equal(LOAD(texts[i], NO), AERO_OK);
}

static void a_directory_in_the_files_place_is_an_error(void **state)
{
	(void)state;
	(void)remove(test_path("etc/aerostat.conf"));
	assert_int_equal(mkdir(test_path("etc/aerostat.conf"), 0755), 0);
	assert_int_equal(
		load_as(AERO_PROG_CLI, NULL, NULL), AERO_OK); /* load removes it */
	assert_int_equal(mkdir(test_path("etc/aerostat.conf"), 0755), 0);
	test_write(test_path("etc/aerostat.conf/x"), "");
	assert_int_equal(load_as(AERO_PROG_CLI, NULL, NULL), AERO_CONFIG);
	assert_has(err.msg, "etc/aerostat.conf");
	(void)remove(test_path("etc/aerostat.conf/x"));
	(void)remove(test_path("etc/aerostat.conf"));
}

static void an_unreadable_file_is_an_error(void **state)
{
	(void)state;
	test_write(test_path("etc/aerostat.conf"), "port: 1\n");
	(void)chmod(test_path("etc/aerostat.conf"), 0);
	if (access(test_path("etc/aerostat.conf"), R_OK) != 0) {
		char *argv[] = {strdup("aerostat"), strdup(root_flag)};

		aero_conf_clear(&conf);
		assert_int_equal(
			aero_conf_load(AERO_PROG_CLI, 2, argv, &conf, &err), AERO_PERM);
		assert_has(err.msg, "chmod 644");
		free(argv[0]);
		free(argv[1]);
	}
	(void)remove(test_path("etc/aerostat.conf"));
}

static void the_root_comes_from_flag_then_environment(void **state)
{
	char *argv[] = {strdup("aerostat")}, *path;

	(void)state;
	test_write(test_path("etc/aerostat.conf"), "port: 77\n");
	(void)setenv("AEROSTAT_ROOT", test_dir(), 1);
	aero_conf_clear(&conf);
	assert_int_equal(aero_conf_load(AERO_PROG_CLI, 1, argv, &conf, &err), AERO_OK);
	assert_int_equal(conf.port, 77);
	assert_false(aero_conf_real_root(&conf));
	path = aero_conf_path(&conf, "/etc/hosts");
	assert_string_equal(path, test_path("etc/hosts"));
	free(path);
	(void)setenv("AEROSTAT_ROOT", "/nowhere", 1);
	assert_int_equal(LOAD("port: 78\n", NO), AERO_OK);
	assert_int_equal(conf.port, 78);
	(void)unsetenv("AEROSTAT_ROOT");
	free(argv[0]);
	assert_int_equal(LOAD(NO, "--root=some/where"), AERO_OK);
	assert_int_equal(conf.root[0], '/');
	assert_non_null(strstr(conf.root, "/some/where"));
	aero_conf_clear(&conf);
	assert_int_equal(LOAD(NO, "--root=//"), AERO_OK);
	assert_true(aero_conf_real_root(&conf));
	path = aero_conf_path(&conf, "/etc/hosts");
	assert_string_equal(path, "/etc/hosts");
	free(path);
}

static void the_documented_lines_are_understood(void **state)
{
	(void)state;
	assert_int_equal(
		LOAD(NO, "--server=localhost", "--dryrun", "--offline", "--update"),
		AERO_OK);
	assert_true(conf.dryrun && conf.offline && conf.do_update);
	assert_string_equal(conf.server, "localhost");
	assert_int_equal(conf.words.n, 0);
	assert_int_equal(LOAD(NO, "--update", "--daemon", "--server", "h:1", "--loglevel",
				 "DEBUG", "--legacy-updater", "/x/y"),
		AERO_OK);
	assert_true(conf.do_update && conf.daemon);
	assert_string_equal(conf.legacy_updater, "/x/y");
	assert_int_equal(LOAD(NO, "--register", "--change-master"), AERO_OK);
	assert_true(conf.do_register && conf.do_change_master);
	assert_int_equal(LOAD(NO, "lookup", "--", "--server", "-h"), AERO_OK);
	assert_int_equal(conf.words.n, 3);
	assert_string_equal(conf.server, "admin-master");
	assert_int_equal(LOAD("bad\n", "-h", "--nonsense"), AERO_OK);
	assert_true(conf.help);
	assert_int_equal(LOAD("bad\n", "--version", "--nonsense"), AERO_OK);
	assert_true(conf.version);
}

static void every_row_is_a_flag_of_its_programs_and_of_no_other(void **state)
{
	static const enum aero_program programs[] = {
		AERO_PROG_CLI, AERO_PROG_SYNCD, AERO_PROG_REGISTER, AERO_PROG_SERVER};

	(void)state;
	for (size_t i = 0; i < aero_n_options; i++) {
		const struct aero_option *opt = &aero_options[i];
		char flag[64], *p;
		const char *words[3] = {flag};

		if (strcmp(opt->key, "root") == 0)
			continue;
		(void)snprintf(flag, sizeof(flag), "--%s=", opt->key);
		for (p = flag; *p != '\0'; p++)
			if (*p == '_')
				*p = '-';
		for (size_t j = 0; j < AERO_COUNT(programs); j++)
			assert_int_equal(load_as(programs[j], NULL, words),
				opt->programs & (unsigned)programs[j] ? AERO_OK
								      : AERO_USAGE);
	}
}

static void a_password_on_the_command_line_is_warned_of_once(void **state)
{
	static const struct {
		const char *server;
		size_t warnings;
	} rows[] = {{"mongodb://u:secret@h/", 1}, {"mongodb+srv://u:secret@h", 1},
		{"mongodb://u@h/", 0}, {"mongodb://h:27017,i:27018/", 0}, {"h:27017", 0},
		{"lmdb:/x", 0}, {"mongodb://h/?tlsCertificateKeyFilePassword=secret", 1}};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		assert_int_equal(
			LOAD(NO, "--server", rows[i].server, "--server", rows[i].server),
			AERO_OK);
		assert_int_equal(conf.warnings.n, rows[i].warnings);
		if (conf.warnings.n > 0) {
			assert_has(conf.warnings.v[0], "--server-file");
			assert_null(strstr(conf.warnings.v[0], "secret"));
		}
	}
	(void)setenv("AEROSTAT_SERVER", "mongodb://u:secret@h/", 1);
	assert_int_equal(LOAD(NO, NO), AERO_OK);
	assert_int_equal(conf.warnings.n, 0);
	(void)unsetenv("AEROSTAT_SERVER");
}

static void server_or_server_file_counts_by_rank(void **state)
{
	char file[300], file_flag[320];
	char *server = NULL;

	(void)state;
	(void)snprintf(file, sizeof(file), "server_file: %s\n", test_path("uri"));
	(void)snprintf(
		file_flag, sizeof(file_flag), "--server-file=%s", test_path("uri"));
	test_write(test_path("uri"), "\n# the store\n  mongodb://u:secret@h/ \n");

	assert_int_equal(LOAD(file, NO), AERO_OK);
	assert_int_equal(aero_conf_server(&conf, &server, &err), AERO_OK);
	assert_string_equal(server, "mongodb://u:secret@h/");
	free(server);
	assert_int_equal(LOAD(file, "--server=x"), AERO_OK);
	assert_int_equal(aero_conf_server(&conf, &server, &err), AERO_OK);
	assert_string_equal(server, "x");
	free(server);
	assert_int_equal(LOAD(NO, file_flag, "--server=x"), AERO_OK);
	assert_int_equal(aero_conf_server(&conf, &server, &err), AERO_OK);
	assert_string_equal(server, "x");
	free(server);
	assert_int_equal(LOAD("server: x\n", file_flag), AERO_OK);
	assert_int_equal(aero_conf_server(&conf, &server, &err), AERO_OK);
	assert_string_equal(server, "mongodb://u:secret@h/");
	free(server);
	(void)setenv("AEROSTAT_SERVER", "y", 1);
	assert_int_equal(LOAD(file, NO), AERO_OK);
	assert_int_equal(aero_conf_server(&conf, &server, &err), AERO_OK);
	assert_string_equal(server, "y");
	free(server);
	(void)unsetenv("AEROSTAT_SERVER");

	test_write(test_path("uri"), "mongodb://u:secret@h/\nmongodb://u:secret@i/\n");
	assert_int_equal(LOAD(file, NO), AERO_OK);
	assert_int_equal(aero_conf_server(&conf, &server, &err), AERO_CONFIG);
	assert_has(err.msg, "must hold one line");
	assert_null(strstr(err.msg, "secret"));
	test_write(test_path("uri"), " \n");
	assert_int_equal(aero_conf_server(&conf, &server, &err), AERO_CONFIG);
	(void)remove(test_path("uri"));
	assert_int_equal(aero_conf_server(&conf, &server, &err), AERO_CONFIG);
	assert_has(err.msg, "no such file");
}

static void the_nearest_word_is_found_or_none(void **state)
{
	static const char *const words[] = {
		"list", "lookup", "status", "release", "import"};
	static const struct {
		const char *word, *nearest;
	} rows[] = {{"lst", "list"}, {"loookup", "lookup"}, {"satus", "status"},
		{"LIST", "list"}, {"lits", "list"}, {"xyz", NULL}, {"", NULL},
		{"imprt", "import"},
		{"a-word-that-is-longer-than-any-option-could-ever-be-in-this-table-x",
			NULL}};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		const char *near = aero_nearest(rows[i].word, words, AERO_COUNT(words));

		if (rows[i].nearest == NULL)
			assert_null(near);
		else
			assert_string_equal(near, rows[i].nearest);
	}
}

/* What --help prints, malloc'd. */
static char *help_of(enum aero_program program)
{
	int saved = dup(STDOUT_FILENO);

	(void)fflush(stdout);
	assert_non_null(freopen(test_path("help"), "w", stdout));
	aero_conf_help(program, "aerostat [OPTION]...");
	(void)fflush(stdout);
	(void)dup2(saved, STDOUT_FILENO);
	(void)close(saved);
	return test_read(test_path("help"));
}

static void help_names_the_options_of_a_program_in_80_columns(void **state)
{
	char *text = help_of(AERO_PROG_CLI);

	(void)state;
	assert_has(text, "Usage: aerostat [OPTION]...\n");
	assert_has(text, "\n  --register ");
	assert_has(text, "\n  --port=N ");
	assert_has(text, "(default 27017)");
	assert_has(text, "\n  -h, --help ");
	assert_null(strstr(text, "--once"));
	assert_true(strstr(text, "--register") < strstr(text, "--server"));
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
	free(text);
	text = help_of(AERO_PROG_SYNCD);
	assert_has(text, "--once");
	assert_null(strstr(text, "--register "));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_source_beats_the_ones_below_it),
		cmocka_unit_test(lists_of_two_sources_are_not_mixed),
		cmocka_unit_test(a_higher_source_wins_whatever_comes_first),
		cmocka_unit_test(values_of_each_type_are_read),
		cmocka_unit_test(an_empty_value_is_the_default),
		cmocka_unit_test(errors_name_place_and_remedy),
		cmocka_unit_test(environment_errors_name_the_variable),
		cmocka_unit_test(files_without_content_set_nothing),
		cmocka_unit_test(a_directory_in_the_files_place_is_an_error),
		cmocka_unit_test(an_unreadable_file_is_an_error),
		cmocka_unit_test(the_root_comes_from_flag_then_environment),
		cmocka_unit_test(the_documented_lines_are_understood),
		cmocka_unit_test(every_row_is_a_flag_of_its_programs_and_of_no_other),
		cmocka_unit_test(a_password_on_the_command_line_is_warned_of_once),
		cmocka_unit_test(server_or_server_file_counts_by_rank),
		cmocka_unit_test(the_nearest_word_is_found_or_none),
		cmocka_unit_test(help_names_the_options_of_a_program_in_80_columns),
	};
	int failed;

	for (size_t i = 0; i < aero_n_options; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "AEROSTAT_%s", aero_options[i].key);
		for (char *p = name; *p != '\0'; p++)
			*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
		(void)unsetenv(name);
	}
	(void)mkdir(test_path("etc"), 0755);
	(void)snprintf(root_flag, sizeof(root_flag), "--root=%s", test_dir());
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	aero_conf_clear(&conf);
	return failed;
}
