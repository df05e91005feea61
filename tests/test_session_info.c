/* SPDX-License-Identifier: MIT */
/* What this node runs, from each place that may say it, and which of them counts. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/loop.h"
#include "register/session.h"
#include "tests/py_server.h"
#include "tests/support.h"

static struct aero_conf conf;
static struct aero_session session;
static struct aero_err err;

/* A session with these flags, which blanks separate. */
static void begin(const char *flags, const char *endpoint)
{
	char words[1024], *argv[24], *at = NULL;
	int argc = 1;

	(void)snprintf(words, sizeof(words),
		"aerostat-register --root=%s --info=%s --metadata-endpoint=%s %s",
		test_dir(), test_path("info"),
		*endpoint != '\0' ? endpoint : "http://127.0.0.1:9", flags);
	argv[0] = strtok_r(words, " ", &at);
	while ((argv[argc] = strtok_r(NULL, " ", &at)) != NULL)
		argc++;
	assert_int_equal(
		AERO_OK, aero_conf_load(AERO_PROG_REGISTER, argc, argv, &conf, &err));
	err.msg[0] = '\0';
	aero_session_look(&conf, &session);
}

static void end(void)
{
	aero_session_close(&session);
	aero_conf_clear(&conf);
}

/* The identity_command that prints this, and leaves a line for each run. */
static const char *command(const char *prints)
{
	static char flag[600];
	char script[2048];

	(void)snprintf(script, sizeof(script), "#!/bin/sh\necho run >>%s\n%s\n",
		test_path("runs"), prints);
	test_write(test_path("who"), script);
	assert_int_equal(0, chmod(test_path("who"), 0700));
	(void)unlink(test_path("runs"));
	(void)snprintf(flag, sizeof(flag), "--identity-command=%s ", test_path("who"));
	return flag;
}

/* "SERVICE TYPE ALIAS..." */
static const char *shown(void)
{
	static char text[256];
	const struct aero_info *info = &session.info;
	size_t len = (size_t)snprintf(
		text, sizeof(text), "%s %s", info->service, aero_info_type(info));

	for (size_t i = 0; i < info->aliases.n; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, " %s", info->aliases.v[i]);
	return text;
}

#define ID "\"instance_id\":\"vm-1\",\"ip\":\"10.0.0.7\""
#define SAYS(more) "echo '{" ID "," more "}'"
#define SAYS_NONE "echo '{" ID "}'"
#define TAGS "--info-source=tags "

static void the_first_place_that_says_it_counts(void **state)
{
	static const struct {
		const char *file, *prints; /* of the command; NULL: there is none */
		const char *tags;          /* JSON */
		const char *flags;
		const char *shown; /* NULL: AERO_CONFIG */
		const char *words; /* part of from, or of the error */
	} rows[] = {
		/* the file */
		{"web front x y", NULL, NULL, "", "web iterative x y", "/info:1"},
		{"web front x y", NULL, NULL, "--type=masterful", "web masterful x y",
			"/info:1, type from the command line"},
		{"web front x y", NULL, NULL, "--alias=A --alias=b", "web iterative a b",
			"/info:1"},
		{NULL, NULL, NULL, "", NULL, "/info: no such file"},
		{"w_b", NULL, NULL, "", NULL, "/info:1: service 'w_b'"},
		{NULL, NULL, NULL, "--service=db --type=masterful", "db masterful",
			"the command line"},
		/* the command */
		{NULL,
			SAYS("\"service\":\"Db\",\"type\":\"masterful\",\"aliases\":"
			     "[\"SQL\",\"a.b\"]"),
			NULL, "", "db masterful sql a.b", "identity_command"},
		{"web", SAYS("\"service\":\"db\""), NULL, "", "db iterative",
			"identity_command"},
		{"web", SAYS("\"service\":\"db\""), NULL, "--type=masterful --alias=x",
			"db masterful x", "identity_command, type from the command line"},
		{"web", SAYS("\"service\":\"db\""), "{\"aerostat-service\":\"tag\"}",
			TAGS, "db iterative", "identity_command"},
		{"web", SAYS_NONE, NULL, "", "web iterative", "/info:1"},
		{"web", SAYS_NONE, "{\"aerostat-service\":\"tag\"}", TAGS,
			"tag iterative", "tag aerostat-service"},
		{"web", SAYS("\"service\":\"db\""), NULL, "--service=app",
			"app iterative", "the command line"},
		{"web", SAYS("\"service\":\"db\""), NULL, "--offline", "web iterative",
			"/info:1"},
		{"web", SAYS("\"service\":\"d_b\""), NULL, "", NULL,
			"identity_command: service 'd_b': character"},
		{"web", SAYS("\"service\":\"db\",\"aliases\":[\"x\",\"a b\"]"), NULL, "",
			NULL, "identity_command: alias 'a b': character"},
		{"web", SAYS("\"type\":\"masterful\""), NULL, "", NULL, "no service"},
		/* tags */
		{"web", NULL,
			"{\"aerostat-service\":\"Db\",\"aerostat-type\":\"masterful\","
			"\"aerostat-aliases\":\"SQL, a.b\",\"Name\":\"x y\"}",
			TAGS, "db masterful sql a.b", "tag aerostat-service"},
		{NULL, NULL, "{\"aerostat-service\":\" web \"}", TAGS, "web iterative",
			"tag aerostat-service"},
		{NULL, NULL, "{\"aerostat-service\":\"web\"}",
			TAGS "--type=masterful --alias=x", "web masterful x",
			"tag aerostat-service, type from the command line"},
		{NULL, NULL, "{\"aerostat-service\":\"web\"}", TAGS "--service=app",
			"app iterative", "the command line"},
		{NULL, NULL, "{\"aerostat-service\":\"w_b\"}", TAGS, NULL,
			"tag aerostat-service: service 'w_b': character"},
		{NULL, NULL, "{\"aerostat-service\":\"web db\"}", TAGS, NULL,
			"tag aerostat-service: service 'web db': character"},
		{NULL, NULL, "{\"aerostat-service\":\"\"}", TAGS, NULL,
			"tag aerostat-service: service '': no service is named"},
		{NULL, NULL,
			"{\"aerostat-service\":\"web\",\"aerostat-aliases\":\"a,-b\"}",
			TAGS, NULL, "tag aerostat-aliases: alias '-b': label"},
		{"web", NULL, "{\"Name\":\"web\"}", TAGS, NULL,
			"no tag aerostat-service: aws ec2 create-tags"},
		{"web", NULL, "{\"Aerostat-Service\":\"web\"}", TAGS, NULL,
			"no tag aerostat-service, but 'Aerostat-Service'"},
		{"web", NULL, NULL, TAGS, NULL, "--instance-metadata-tags enabled"},
		{"web", NULL, "{\"aerostat-service\":\"web\"}", TAGS "--offline", NULL,
			"--offline excludes"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct test_server server = {0};
		char flags[1024];
		int rc;

		(void)snprintf(flags, sizeof(flags), "%s%s",
			rows[i].prints != NULL ? command(rows[i].prints) : "",
			rows[i].flags);
		(void)unlink(test_path("info"));
		if (rows[i].file != NULL)
			test_write(test_path("info"), rows[i].file);
		if (strstr(flags, TAGS) != NULL)
			test_server_start(&server, "imds_server.py", "v2",
				test_path("imds.log"), rows[i].tags);
		begin(flags, server.endpoint);
		rc = aero_session_info(&session, &err);
		print_message("row %zu %s\n", i, err.msg);
		if (rows[i].shown == NULL) {
			assert_int_equal(AERO_CONFIG, rc);
			if (strstr(err.msg, rows[i].words) == NULL)
				fail_msg("'%s' is not in it", rows[i].words);
		} else {
			assert_int_equal(AERO_OK, rc);
			assert_string_equal(rows[i].shown, shown());
			if (strstr(session.info.from, rows[i].words) == NULL)
				fail_msg("from '%s'", session.info.from);
		}
		end();
		test_server_stop(&server);
	}
}

/* And not at all where the flags leave nothing open. */
static void the_command_is_run_once(void **state)
{
	static const struct {
		const char *flags;
		unsigned runs;
	} rows[] = {
		{"", 1},
		{"--instance-id=i-1 --ip=10.0.0.9", 1},
		{"--service=app", 1},
		{"--service=app --instance-id=i-1 --ip=10.0.0.9", 0},
		{"--offline --service=app", 0},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		char flags[1024], *text;
		struct stat st;

		(void)snprintf(flags, sizeof(flags), "%s%s",
			command(SAYS("\"service\":\"db\"")), rows[i].flags);
		begin(flags, "");
		assert_int_equal(AERO_OK, aero_session_info(&session, &err));
		assert_int_equal(AERO_OK,
			aero_identity_find(&conf, &session.asked, &session.me, &err));
		if (rows[i].runs == 0) {
			assert_int_not_equal(0, stat(test_path("runs"), &st));
		} else {
			text = test_read(test_path("runs"));
			assert_string_equal("run\n", text);
			free(text);
		}
		end();
	}
}

static void whoever_does_not_answer_is_given_up(void **state)
{
	static const struct {
		const char *mode, *flags;
		int least_ms, most_ms;
	} rows[] = {
		{"silent", TAGS "--register-deadline=1", 1000, 6000},
		{"tags-silent", TAGS "--register-deadline=1", 1000, 9000},
		{"silent", TAGS "--dryrun", 0, 4000},
		{NULL, "--register-deadline=1", 1000, 4000}, /* the command hangs */
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct test_server server = {0};
		char flags[1024];
		int64_t begun;

		(void)snprintf(flags, sizeof(flags), "%s%s",
			rows[i].mode == NULL ? command("sleep 600") : "", rows[i].flags);
		if (rows[i].mode != NULL)
			test_server_start(&server, "imds_server.py", rows[i].mode,
				test_path("imds.log"), "{\"aerostat-service\":\"web\"}");
		begin(flags, server.endpoint);
		begun = aero_clock_ms();
		assert_int_equal(AERO_NET, aero_session_info(&session, &err));
		begun = aero_clock_ms() - begun;
		print_message("row %zu %lld ms %s\n", i, (long long)begun, err.msg);
		assert_true(begun >= rows[i].least_ms && begun <= rows[i].most_ms);
		assert_null(session.info.service);
		end();
		test_server_stop(&server);
	}
}

static void a_person_does_not_wait_as_long_as_a_boot(void **state)
{
	(void)state;
	begin("--register-deadline=300", "");
	assert_true(session.asked.deadline_ms == session.deadline);
	aero_session_brief(&session);
	assert_true(session.asked.deadline_ms <= aero_clock_ms() + 10000);
	assert_true(session.deadline > aero_clock_ms() + 200000);
	end();
	begin("--dryrun", "");
	aero_session_brief(&session);
	assert_int_equal(0, session.asked.deadline_ms); /* one try */
	end();
}

static void an_odd_type_warns_wherever_it_is_from(void **state)
{
	static const struct {
		const char *flags, *prints, *tags;
		const char *words;
	} rows[] = {
		{"--alias=x", NULL, NULL, "/info:1: service type 'frontend'"},
		{"", SAYS("\"service\":\"web\",\"type\":\"front\""), NULL,
			"identity_command: service type 'front'"},
		{TAGS "--alias=x", NULL,
			"{\"aerostat-service\":\"web\",\"aerostat-type\":\"front\"}",
			"tag aerostat-type: service type 'front'"},
		{"--type=other", NULL, NULL, "--type: service type 'other'"},
	};

	(void)state;
	test_write(test_path("info"), "web frontend y\n");
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct test_server server = {0};
		char flags[1024];

		print_message("row %zu\n", i);
		(void)snprintf(flags, sizeof(flags), "%s%s",
			rows[i].prints != NULL ? command(rows[i].prints) : "",
			rows[i].flags);
		if (rows[i].tags != NULL)
			test_server_start(&server, "imds_server.py", "v2",
				test_path("imds.log"), rows[i].tags);
		begin(flags, server.endpoint);
		assert_int_equal(AERO_OK, aero_session_info(&session, &err));
		assert_non_null(strstr(session.info.warning, rows[i].words));
		end();
		test_server_stop(&server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_place_that_says_it_counts),
		cmocka_unit_test(the_command_is_run_once),
		cmocka_unit_test(whoever_does_not_answer_is_given_up),
		cmocka_unit_test(a_person_does_not_wait_as_long_as_a_boot),
		cmocka_unit_test(an_odd_type_warns_wherever_it_is_from),
	};

	(void)unsetenv("AWS_EC2_METADATA_DISABLED");
	(void)unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	(void)setenv("AEROSTAT_REGISTER_DEADLINE", "5", 1);
	aero_log_level(AERO_CRITICAL);
	test_server_need();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
