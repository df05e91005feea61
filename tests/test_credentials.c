/* SPDX-License-Identifier: MIT */
/* Where keys come from, in which order, and that none gets into an error. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/loop.h"
#include "server/credentials.h"
#include "tests/py_server.h"
#include "tests/support.h"

static struct aero_credentials got;
static struct aero_err err;
static char file[300];
static struct test_server server;

static const char *const variables[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE",
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
	"AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT"};

/* Nobody listens there. */
static void no_server(void)
{
	test_server_stop(&server);
	(void)snprintf(server.endpoint, sizeof(server.endpoint), "http://127.0.0.1:9");
}

static int clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < AERO_COUNT(variables); i++)
		(void)unsetenv(variables[i]);
	(void)setenv("HOME", test_path("home"), 1);
	(void)snprintf(file, sizeof(file), "%s", test_path("keys"));
	(void)unlink(file);
	(void)unlink(test_path("home/.aws/credentials"));
	no_server();
	aero_credentials_clear(&got);
	return 0;
}

static int done(void **state)
{
	(void)state;
	test_server_stop(&server);
	aero_credentials_clear(&got);
	return 0;
}

static int load(bool asked)
{
	struct aero_credentials_opts opts = {.file = file,
		.file_asked = asked,
		.metadata = {.endpoint = server.endpoint}};
	int rc;

	aero_credentials_clear(&got);
	err.msg[0] = '\0';
	rc = aero_credentials_load(&opts, &got, &err);
	assert_null(strstr(err.msg, "secret/"));
	if (rc != AERO_OK) {
		assert_null(got.secret);
		assert_string_not_equal(err.msg, "");
	}
	return rc;
}

static void write_keys(const char *text, mode_t mode)
{
	test_write(file, text);
	(void)chmod(file, mode);
}

static void assert_keys(const char *id, const char *secret, const char *token)
{
	assert_string_equal(got.key_id, id);
	assert_string_equal(got.secret, secret);
	assert_string_equal(got.token, token);
}

static void the_file_of_the_original_is_read(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *words;
	} rows[] = {
		{"AKIA\nsecret/1\nkeypair\n", AERO_OK, NULL},
		{"AKIA secret/1", AERO_OK, NULL},
		{"\n\tAKIA \r\n  secret/1\r\n\r\n", AERO_OK, NULL},
		{"AKIA\n", AERO_CONFIG, "the secret key is missing"},
		{"\n", AERO_CONFIG, "the key id is missing"},
		{"", AERO_CONFIG, "the key id is missing"},
		{"AKIA secret/1 pair more\n", AERO_CONFIG, "more than three words"},
		{"AKIA secret/1\x01\n", AERO_CONFIG, "a character that cannot"},
		{"AKIA secret/\xc3\xa4\n", AERO_CONFIG, "a character that cannot"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		write_keys(rows[i].text, 0600);
		assert_int_equal(load(true), rows[i].rc);
		if (rows[i].rc == AERO_OK) {
			assert_keys("AKIA", "secret/1", "");
			assert_int_equal(got.expires_ms, 0);
			assert_non_null(strstr(got.source, "file '"));
			assert_null(strstr(got.source, "secret/"));
		} else {
			assert_non_null(strstr(err.msg, rows[i].words));
			assert_non_null(strstr(err.msg, file));
		}
	}
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
}

static void a_file_for_others_is_refused(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0610, 0666};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(modes); i++) {
		write_keys("AKIA secret/1\n", modes[i]);
		assert_int_equal(load(i % 2 == 0), AERO_CONFIG);
		assert_non_null(strstr(err.msg, "chmod 600"));
	}
	write_keys("AKIA secret/1\n", 0400);
	assert_int_equal(load(true), AERO_OK);
	(void)unlink(file);
	assert_int_equal(load(true), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "No such file"));
	assert_int_equal(mkdir(file, 0700), 0);
	assert_int_equal(load(false), AERO_CONFIG);
	(void)rmdir(file);
}

static void profile(const char *text)
{
	(void)mkdir(test_path("home"), 0755);
	(void)mkdir(test_path("home/.aws"), 0755);
	test_write(test_path("home/.aws/credentials"), text);
}

static void the_first_place_that_has_keys_decides(void **state)
{
	(void)state;
	test_server_start(&server, "imds_server.py", "role", NULL, NULL);
	assert_int_equal(load(false), AERO_OK);
	assert_keys("ASIAROLE", "role/secret+key=", "role-token==");
	assert_string_equal(got.source, "role 'web-role'");
	assert_true(got.expires_ms == INT64_C(1893553445) * 1000);

	(void)snprintf(file, sizeof(file), "%s/keys", server.endpoint);
	(void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", file, 1);
	(void)snprintf(file, sizeof(file), "%s", test_path("keys"));
	(void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic right", 1);
	assert_int_equal(load(false), AERO_OK);
	assert_string_equal(got.source, "the container's service");
	assert_string_equal(got.token, "role-token==");
	(void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic wrong", 1);
	assert_int_equal(load(false), AERO_NET);
	assert_non_null(strstr(err.msg, "answered 401"));
	/* The file beats the variable, and is read anew each time. */
	test_write(test_path("token"), "Basic right\n");
	(void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", test_path("token"), 1);
	assert_int_equal(load(false), AERO_OK);
	test_write(test_path("token"), "Basic old\n");
	assert_int_equal(load(false), AERO_NET);

	profile("# mine\n[other]\naws_access_key_id = OTHER\n"
		"aws_secret_access_key=secret/o\n[default]\r\n"
		"AWS_ACCESS_KEY_ID = DEF\r\n aws_secret_access_key = secret/d=\r\n"
		"aws_session_token = tok\nregion = x\n");
	assert_int_equal(load(false), AERO_OK);
	assert_keys("DEF", "secret/d=", "tok");
	(void)setenv("AWS_PROFILE", "other", 1);
	assert_int_equal(load(false), AERO_OK);
	assert_keys("OTHER", "secret/o", "");
	assert_string_equal(got.source, "profile 'other'");
	(void)setenv("AWS_PROFILE", "none", 1);
	assert_int_equal(load(false), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "profile 'none'"));

	(void)setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
	assert_int_equal(load(false), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "AWS_SECRET_ACCESS_KEY is not"));
	(void)setenv("AWS_SECRET_ACCESS_KEY", "secret/e", 1);
	assert_int_equal(load(false), AERO_OK);
	assert_keys("ENV", "secret/e", "");
	(void)setenv("AWS_SESSION_TOKEN", "tok\nHost: evil", 1);
	assert_int_equal(load(false), AERO_CONFIG);
	(void)setenv("AWS_SESSION_TOKEN", "tok en", 1);
	assert_int_equal(load(false), AERO_CONFIG);
	(void)setenv("AWS_SESSION_TOKEN", "tok", 1);
	assert_int_equal(load(false), AERO_OK);
	assert_keys("ENV", "secret/e", "tok");

	write_keys("FILE secret/f", 0600);
	assert_int_equal(load(false), AERO_OK);
	assert_keys("FILE", "secret/f", "");
}

static void what_the_metadata_service_lacks_is_said(void **state)
{
	static const struct {
		const char *mode;
		int rc;
		const char *words;
	} rows[] = {
		{"v2", AERO_CONFIG, "this instance has no role"},
		{"role-bad", AERO_CONFIG, "Code AssumeRoleUnauthorizedAccess"},
		{"role-none", AERO_NET, "keys of the role 'web-role'"},
		{"garbage", AERO_NET, "a role that cannot be one"},
		{"disabled", AERO_NET, "answered 403"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		test_server_start(&server, "imds_server.py", rows[i].mode, NULL, NULL);
		print_message("%s\n", rows[i].mode);
		assert_int_equal(load(false), rows[i].rc);
		assert_non_null(strstr(err.msg, rows[i].words));
		assert_non_null(strstr(err.msg, "credentials_file (mode 600)"));
		test_server_stop(&server);
	}
	no_server();
	assert_int_equal(load(false), AERO_NET);
	(void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	assert_int_equal(load(false), AERO_CONFIG);
}

static void only_these_are_asked_for_a_containers_keys(void **state)
{
	static const struct {
		const char *url;
		bool allowed;
	} rows[] = {{"http://169.254.170.2/v2/x", true}, {"http://169.254.170.23/", true},
		{"http://[fd00:ec2::23]/v1", true}, {"http://[fd00:ec2::23]:80/v1", true},
		{"http://127.0.0.1:8080/x", true}, {"http://127.9.9.9", true},
		{"http://localhost/x", true}, {"http://[::1]/x", true},
		{"https://example.com/x", true}, {"https://", false},
		{"http://example.com/", false}, {"http://169.254.170.2.evil.com/", false},
		{"http://169.254.170.2@evil.com/", false},
		{"http://localhost.evil/", false}, {"http://127.0.0.1.evil/", false},
		{"http://127.1/", false}, {"http://10.0.0.1/", false},
		{"http://[::1/x", false}, {"http://", false},
		{"http://[fd00:ec2::24]/", false}, {"file:///etc/shadow", false},
		{"ftp://127.0.0.1/", false}, {"HTTP://127.0.0.1/", false}, {"", false},
		{"http://127.0.0.1\\@evil.com/", false}};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++)
		if (aero_credentials_url_allowed(rows[i].url) != rows[i].allowed)
			fail_msg("%s", rows[i].url);
	(void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/", 1);
	assert_int_equal(load(false), AERO_CONFIG);
	(void)setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@10.0.0.1/", 1);
	assert_int_equal(load(false), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "RELATIVE_URI"));
}

static void they_are_renewed_before_they_end(void **state)
{
	const int64_t minute = 60000;
	struct aero_credentials c = {.expires_ms = 100 * minute};

	(void)state;
	assert_true(aero_credentials_due_ms(&c, 0, 0) == 90 * minute);
	assert_true(
		aero_credentials_due_ms(&c, 0, (uint64_t)(5 * minute)) == 85 * minute);
	for (uint64_t rnd = 0; rnd < 64; rnd++) {
		int64_t due = aero_credentials_due_ms(&c, 0, UINT64_MAX >> rnd);

		assert_true(due >= 85 * minute && due <= 90 * minute);
	}
	assert_true(aero_credentials_due_ms(&c, 92 * minute, 0) == 93 * minute);
	assert_true(
		aero_credentials_due_ms(&c, 99 * minute, 0) == 99 * minute + minute / 2);
	assert_true(aero_credentials_due_ms(&c, 101 * minute, 0) == 101 * minute);
	c.expires_ms = 0;
	assert_true(aero_credentials_due_ms(&c, 0, 7) == INT64_MAX);
}

/* As of one pass after the other. */
static int load_kept(struct aero_credentials *kept, bool refused)
{
	struct aero_credentials_opts opts = {.file = file,
		.metadata = {.endpoint = server.endpoint},
		.kept = kept,
		.refused = refused};

	aero_credentials_clear(&got);
	return aero_credentials_load(&opts, &got, &err);
}

static void a_service_that_is_away_takes_no_keys_along(void **state)
{
	struct aero_credentials kept = {0};
	int64_t due;

	(void)state;
	test_server_start(&server, "imds_server.py", "role", NULL, NULL);
	assert_int_equal(load_kept(&kept, false), AERO_OK);
	due = kept.due_ms;
	assert_true(due > aero_unix_ms() && due < kept.expires_ms - 599999);
	no_server();
	assert_int_equal(load_kept(&kept, false), AERO_OK); /* it is not asked */
	assert_keys("ASIAROLE", "role/secret+key=", "role-token==");
	assert_true(got.due_ms == due && kept.due_ms == due);
	kept.due_ms = 0;
	assert_int_equal(load_kept(&kept, false), AERO_OK); /* in vain */
	assert_keys("ASIAROLE", "role/secret+key=", "role-token==");
	assert_true(kept.due_ms > 0);
	assert_int_equal(load_kept(&kept, true), AERO_NET);
	kept.expires_ms = aero_unix_ms() - 1;
	assert_int_equal(load_kept(&kept, false), AERO_NET);
	write_keys("AKIAFILE file/secret", 0600);
	kept.expires_ms = kept.due_ms = INT64_MAX;
	assert_int_equal(load_kept(&kept, false), AERO_OK);
	assert_keys("AKIAFILE", "file/secret", "");
	aero_credentials_clear(&kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_file_of_the_original_is_read, clean, done),
		cmocka_unit_test_setup_teardown(
			a_file_for_others_is_refused, clean, done),
		cmocka_unit_test_setup_teardown(
			the_first_place_that_has_keys_decides, clean, done),
		cmocka_unit_test_setup_teardown(
			what_the_metadata_service_lacks_is_said, clean, done),
		cmocka_unit_test_setup_teardown(
			only_these_are_asked_for_a_containers_keys, clean, done),
		cmocka_unit_test_setup_teardown(
			they_are_renewed_before_they_end, clean, done),
		cmocka_unit_test_setup_teardown(
			a_service_that_is_away_takes_no_keys_along, clean, done),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	(void)prctl(PR_SET_DUMPABLE, 1); /* for the leak checker */
	return failed;
}
