/* SPDX-License-Identifier: MIT */
/* The IMDS client against tests/imds_server.py, which is wrong in every way that counts.
 * (AWS's own mock: tests/e2e/metadata_mock.sh.) */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/metadata.h"
#include "tests/py_server.h"
#include "tests/support.h"

/* tags: JSON; NULL = none */
static void start_tagged(struct test_server *server, const char *mode, const char *tags)
{
	(void)unlink(test_path("imds.log"));
	test_server_start(server, "imds_server.py", mode, test_path("imds.log"), tags);
}

static void start(struct test_server *server, const char *mode)
{
	start_tagged(server, mode, NULL);
}

#define ID "i-0123456789abcdef0"

static void answers_and_refusals(void **state)
{
	static const struct {
		const char *mode;
		bool v1;
		int tries_ms;
		int rc;
		const char *ip, *words;
	} rows[] = {
		{"v2", false, 0, AERO_OK, "10.1.2.3", NULL},
		{"v2", true, 0, AERO_OK, "10.1.2.3", NULL},
		{"v2only-paths", false, 0, AERO_OK, "10.1.2.3", NULL},
		{"expiry", false, 0, AERO_OK, "10.1.2.3", NULL},
		{"ipv6", false, 0, AERO_OK, "2001:db8::7", NULL},
		{"v1", true, 0, AERO_OK, "10.1.2.3", NULL},
		{"v1", false, 5000, AERO_NET, NULL, "metadata_v1: true"},
		{"disabled", false, 5000, AERO_NET, NULL, "HttpEndpoint disabled"},
		{"unauthorized", false, 0, AERO_NET, NULL, "takes none of ours"},
		{"silent-token", false, 0, AERO_NET, NULL, "HttpPutResponseHopLimit"},
		{"silent-token", true, 0, AERO_OK, "10.1.2.3", NULL},
		{"garbage", false, 0, AERO_NET, NULL, "no usable answer"},
		{"nothing", false, 5000, AERO_NET, NULL, "is it the metadata service"},
		{"flaky", false, 0, AERO_NET, NULL, "answered 503"},
		{"flaky", false, 8000, AERO_OK, "10.1.2.3", NULL},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct test_server server;
		struct aero_metadata metadata = {0};
		struct aero_err err = {""};
		struct aero_metadata_opts opts = {.v1 = rows[i].v1};
		int64_t begun;

		start(&server, rows[i].mode);
		begun = aero_clock_ms();
		opts.endpoint = server.endpoint;
		opts.deadline_ms = begun + rows[i].tries_ms;
		print_message("%s v1=%d\n", rows[i].mode, rows[i].v1);
		assert_int_equal(rows[i].rc, aero_metadata_fetch(&opts, &metadata, &err));
		assert_true(aero_clock_ms() - begun < 9000);
		if (rows[i].rc == AERO_OK) {
			assert_string_equal(ID, metadata.instance_id);
			assert_string_equal(rows[i].ip, metadata.ip);
		} else {
			print_message("  %s\n", err.msg);
			assert_non_null(strstr(err.msg, rows[i].words));
			assert_null(metadata.instance_id);
			/* What cannot change is not asked again. */
			if (rows[i].tries_ms > 0)
				assert_true(aero_clock_ms() - begun < 1000);
		}
		aero_metadata_clear(&metadata);
		test_server_stop(&server);
	}
}

/* 20 kB of keys: no instance has so many. */
static const char *too_many(void)
{
	static char text[20000];
	size_t len = 1;

	text[0] = '{';
	while (len < sizeof(text) - 100)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			"%s\"key-%080zu\":\"\"", len == 1 ? "" : ",", len);
	text[len] = '}';
	return text;
}

static void tags_are_read_or_why_not(void **state)
{
#define WEB "{\"Name\": \"x\", \"aerostat-service\": \"web\"}"
	const struct {
		const char *mode, *tags;
		bool v1;
		int tries_ms;
		int rc;
		const char *service; /* NULL: no such tag */
		const char *words;
		size_t all;
	} rows[] = {
		{"v2", WEB, false, 0, AERO_OK, "web", NULL, 2},
		{"v2", "{\"Name\": \"x\"}", false, 0, AERO_OK, NULL, NULL, 1},
		{"v2", "{\"aerostat-service\": \" \\u00e4\\n b \"}", false, 0, AERO_OK,
			" \xc3\xa4\n b ", NULL, 1},
		{"v2", "{\"aerostat-service\": \"\"}", false, 0, AERO_OK, "", NULL, 1},
		{"expiry", WEB, false, 0, AERO_OK, "web", NULL, 2},
		{"flaky", WEB, false, 8000, AERO_OK, "web", NULL, 2},
		{"v1", WEB, true, 0, AERO_OK, "web", NULL, 2},
		{"tags-gone", WEB, false, 0, AERO_OK, NULL, NULL, 2},
		{"v2", NULL, false, 5000, AERO_CONFIG, NULL,
			"--instance-metadata-tags enabled; or give --service", 0},
		{"disabled", WEB, false, 5000, AERO_NET, NULL, "or give --service", 0},
		{"flaky", WEB, false, 0, AERO_NET, NULL, "answered 503", 0},
		{"garbage", WEB, false, 0, AERO_NET, NULL,
			"no usable answer to /latest/meta-data/tags/instance", 0},
		{"tags-silent", WEB, false, 0, AERO_NET, NULL, "timed out", 0},
		{"tags-silent", WEB, false, 1000, AERO_NET, NULL, "timed out", 0},
		{"v2", "{\"aerostat-service\": \"web\\u0000x\"}", false, 0, AERO_NET,
			NULL, "no usable answer", 0},
		{"v2", "{\"a b\": \"\", \"aerostat-service\": \"web\"}", false, 0,
			AERO_NET, NULL, "no usable answer", 0},
		{"v2", too_many(), false, 0, AERO_NET, NULL, "metadata service", 0},
	};
	static const char *const keys[] = {"aerostat-service", "no-such"};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct test_server server;
		struct aero_metadata_opts opts = {
			.v1 = rows[i].v1, .instead = "--service"};
		char *values[2];
		struct aero_list all = {0};
		struct aero_err err = {""};
		int64_t begun;

		print_message("row %zu %s\n", i, rows[i].mode);
		start_tagged(&server, rows[i].mode, rows[i].tags);
		begun = aero_clock_ms();
		opts.endpoint = server.endpoint;
		opts.deadline_ms = begun + rows[i].tries_ms;
		assert_int_equal(rows[i].rc,
			aero_metadata_tags(&opts, keys, 2, values, &all, &err));
		assert_true(aero_clock_ms() - begun < 9000);
		if (rows[i].rc == AERO_CONFIG)
			assert_true(aero_clock_ms() - begun < 1000); /* at once */
		if (rows[i].words != NULL && strstr(err.msg, rows[i].words) == NULL)
			fail_msg("'%s' is not in '%s'", rows[i].words, err.msg);
		assert_int_equal(rows[i].all, all.n);
		assert_null(values[1]);
		if (rows[i].service == NULL)
			assert_null(values[0]);
		else
			assert_string_equal(rows[i].service, values[0]);
		free(values[0]);
		aero_list_clear(&all);
		test_server_stop(&server);
	}
}

static void proxies_are_not_used(void **state)
{
	struct test_server server;
	struct aero_metadata metadata = {0};
	struct aero_err err = {""};
	struct aero_metadata_opts opts = {0};

	(void)state;
	start(&server, "v2");
	opts.endpoint = server.endpoint;
	(void)setenv("http_proxy", "http://127.0.0.1:1/", 1);
	(void)setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	assert_int_equal(AERO_OK, aero_metadata_fetch(&opts, &metadata, &err));
	(void)unsetenv("http_proxy");
	(void)unsetenv("ALL_PROXY");
	aero_metadata_clear(&metadata);
	test_server_stop(&server);
}

static void no_request_of_version_1_unless_allowed(void **state)
{
	struct test_server server;
	struct aero_metadata metadata = {0};
	struct aero_metadata_opts opts = {0};
	char *log;

	(void)state;
	start(&server, "v1");
	opts.endpoint = server.endpoint;
	assert_int_equal(AERO_NET, aero_metadata_fetch(&opts, &metadata, NULL));
	log = test_read(test_path("imds.log"));
	assert_string_equal("PUT /latest/api/token -\n", log);
	free(log);
	test_server_stop(&server);
}

static void environment_names_endpoint_and_switches_off(void **state)
{
	struct test_server server;
	struct aero_metadata metadata = {0};
	struct aero_err err = {""};
	struct aero_metadata_opts opts = {.endpoint = ""};

	(void)state;
	start(&server, "v2");
	(void)setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.endpoint, 1);
	assert_int_equal(AERO_OK, aero_metadata_fetch(&opts, &metadata, &err));
	aero_metadata_clear(&metadata);
	/* The option wins over it. */
	opts.endpoint = "http://127.0.0.1:1";
	assert_int_equal(AERO_NET, aero_metadata_fetch(&opts, &metadata, &err));
	assert_non_null(strstr(err.msg, "127.0.0.1:1"));
	opts.endpoint = "ftp://127.0.0.1";
	assert_int_equal(AERO_CONFIG, aero_metadata_fetch(&opts, &metadata, &err));
	opts.endpoint = "";
	(void)setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	assert_int_equal(AERO_CONFIG, aero_metadata_fetch(&opts, &metadata, &err));
	assert_non_null(strstr(err.msg, "AWS_EC2_METADATA_DISABLED"));
	(void)unsetenv("AWS_EC2_METADATA_DISABLED");
	(void)unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	test_server_stop(&server);
}

static void documents_and_words_are_parsed(void **state)
{
	static const struct {
		const char *text, *id, *ip; /* id NULL: refused */
	} rows[] = {
		{"{\"instanceId\": \"i-1\", \"privateIp\": \"10.0.0.1\"}", "i-1",
			"10.0.0.1"},
		{"{\"instanceId\": \"i-1\"}", "i-1", ""},
		{"{\"instanceId\": \"i-1\", \"privateIp\": 7}", "i-1", ""},
		{"{\"instanceId\": \"i 1\"}", NULL, NULL},
		{"{\"instanceId\": \"i\\u0000\"}", NULL, NULL},
		{"{\"instanceId\": 1}", NULL, NULL},
		{"{\"instanceId\": \"i-1\"", NULL, NULL},
		{"[]", NULL, NULL},
		{"i-1", NULL, NULL},
		{"", NULL, NULL},
	};
	char *word;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_metadata metadata = {0};
		struct aero_err err = {""};
		int rc = aero_metadata_document(
			rows[i].text, strlen(rows[i].text), &metadata, &err);

		print_message("%s\n", rows[i].text);
		assert_int_equal(rows[i].id == NULL ? AERO_NET : AERO_OK, rc);
		if (rc == AERO_OK) {
			assert_string_equal(rows[i].id, metadata.instance_id);
			assert_string_equal(rows[i].ip, metadata.ip);
		}
		aero_metadata_clear(&metadata);
	}
	word = aero_metadata_word("i-1\r\n", 5);
	assert_string_equal("i-1", word);
	free(word);
	assert_null(aero_metadata_word("", 0));
	assert_null(aero_metadata_word("a b", 3));
	assert_null(aero_metadata_word("a\nb", 3));
	assert_null(aero_metadata_word("\xc3\xa4", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_and_words_are_parsed),
		cmocka_unit_test(answers_and_refusals),
		cmocka_unit_test(tags_are_read_or_why_not),
		cmocka_unit_test(proxies_are_not_used),
		cmocka_unit_test(no_request_of_version_1_unless_allowed),
		cmocka_unit_test(environment_names_endpoint_and_switches_off),
	};

	(void)unsetenv("AWS_EC2_METADATA_DISABLED");
	(void)unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	(void)unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	(void)signal(SIGPIPE, SIG_IGN);
	test_server_need();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
