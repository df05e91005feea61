/* SPDX-License-Identifier: MIT */
/* The client against tests/ec2_server.py: everything or nothing. Time does not pass but
 * by the pauses of the client itself. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/loop.h"
#include "server/ec2.h"
#include "server/ec2_error.h"
#include "tests/py_server.h"
#include "tests/support.h"

static struct aero_conf conf;
static struct aero_ec2_listing listing;
static struct aero_err err;
static struct test_server server;
static int64_t clock_now, clock_step, paused;
static unsigned pauses;

static int64_t clock_ms(void)
{
	return clock_now += clock_step;
}

static uint64_t rnd(void)
{
	return UINT64_MAX; /* not 0: a pause is never nothing */
}

static void pause_ms(int64_t ms, int stop_fd)
{
	(void)stop_fd;
	clock_now += ms;
	paused += ms;
	pauses++;
}

static const struct aero_ec2_world world = {clock_ms, aero_unix_ms, rnd, pause_ms};

static void start_server(const char *mode, const char *count)
{
	(void)unlink(test_path("ec2.log"));
	test_server_start(&server, "ec2_server.py", mode, test_path("ec2.log"), count);
}

static int done(void **state)
{
	(void)state;
	test_server_stop(&server);
	aero_ec2_listing_clear(&listing);
	aero_conf_clear(&conf);
	return 0;
}

/* One listing as aerostatd with these regions would have it. */
static int describe(const char *regions, bool once)
{
	char words[3][128];
	char *argv[] = {words[0], words[1], words[2], strdup("--once")};
	struct aero_ec2 *ec2 = NULL;
	int rc;

	(void)snprintf(words[0], sizeof(words[0]), "aerostatd");
	(void)snprintf(words[1], sizeof(words[1]), "--endpoint=%s/", server.endpoint);
	(void)snprintf(words[2], sizeof(words[2]), "--regions=%s", regions);
	aero_ec2_listing_clear(&listing);
	aero_conf_clear(&conf);
	err.msg[0] = '\0';
	clock_now = paused = 0;
	pauses = 0;
	(void)setenv("AEROSTAT_ROOT", test_dir(), 1);
	assert_int_equal(AERO_OK,
		aero_conf_load(AERO_PROG_SERVER, once ? 4 : 3, argv, &conf, &err));
	free(argv[3]);
	rc = aero_ec2_new(&conf, -1, &world, &ec2, &err);
	if (rc == AERO_OK)
		rc = aero_ec2_describe(ec2, &listing, &err);
	aero_ec2_free(ec2);
	assert_null(strstr(err.msg, "secret/"));
	if (rc != AERO_OK) {
		assert_int_equal(listing.n, 0);
		assert_null(listing.v);
		assert_string_not_equal(err.msg, "");
	}
	return rc;
}

static void outcomes(void **state)
{
	static const struct {
		const char *mode, *regions;
		int rc;
		size_t n;
		unsigned pauses;
		const char *words;
	} rows[] = {
		{"good", "us-east-1", AERO_OK, 7, 0, NULL},
		{"good", "", AERO_OK, 7, 0, NULL},
		{"good", "us-east-1,eu-west-1", AERO_OK, 47, 0, NULL},
		{"good", "us-east-1,us-east-1", AERO_OK, 7, 0, NULL},
		{"good", "eu-west-1", AERO_OK, 40, 0, NULL},
		{"good", "eu-west-2", AERO_OK, 0, 0, NULL},
		{"pages", "us-east-1", AERO_OK, 7, 0, NULL},
		{"circle", "us-east-1", AERO_NET, 0, 0, "run in a circle"},
		{"throttle", "us-east-1", AERO_OK, 7, 2, NULL},
		{"busy", "us-east-1", AERO_NET, 0, 5,
			"us-east-1, tried 6 times: it answered 500"},
		{"cut", "us-east-1", AERO_NET, 0, 5, "tried 6 times"},
		{"lost", "us-east-1", AERO_NET, 0, 5, "tried 6 times"},
		{"doctype", "us-east-1", AERO_NET, 0, 5, "a DOCTYPE"},
		{"later-cut", "us-east-1", AERO_NET, 0, 5, "tried 6 times"},
		{"skew", "us-east-1", AERO_AGAIN, 0, 0,
			"the clock of this machine says 20"},
		{"expired", "us-east-1", AERO_OK, 7, 0, NULL},
		{"denied", "us-east-1", AERO_PERM, 0, 0, "ec2:DescribeInstances on *"},
		{"moved", "us-east-1", AERO_CONFIG, 0, 0, "sends us elsewhere"},
		{"good", "us-east-1,Paris!", AERO_CONFIG, 0, 0, "no region of EC2"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		print_message("%s %s\n", rows[i].mode, rows[i].regions);
		start_server(rows[i].mode, "7");
		assert_int_equal(describe(rows[i].regions, false), rows[i].rc);
		if (rows[i].words != NULL && strstr(err.msg, rows[i].words) == NULL)
			fail_msg("'%s' is not in '%s'", rows[i].words, err.msg);
		assert_int_equal(listing.n, rows[i].n);
		assert_int_equal(pauses, rows[i].pauses);
		if (rows[i].n == 7) {
			assert_string_equal(listing.v[6].id, "i-00000000000000006");
			assert_string_equal(listing.v[6].state, "running");
			assert_string_equal(listing.v[6].ip, "10.0.0.6");
		}
		(void)done(NULL);
	}
}

static void signatures_hold_and_wrong_keys_are_named(void **state)
{
	(void)state;
	start_server("good", "7");
	(void)setenv("AWS_SESSION_TOKEN", "session", 1);
	assert_int_equal(describe("us-east-1", false), AERO_OK);
	(void)setenv("AWS_SESSION_TOKEN", "other", 1);
	assert_int_equal(describe("us-east-1", false), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "AuthFailure (401)"));
	(void)unsetenv("AWS_SESSION_TOKEN");
	(void)setenv("AWS_SECRET_ACCESS_KEY", "secret/wrong", 1);
	assert_int_equal(describe("us-east-1", false), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "SignatureDoesNotMatch (401)"));
	(void)setenv("AWS_SECRET_ACCESS_KEY", "secret/test+key", 1);
}

/* Proxies of the environment are not used. */
static void a_hundred_thousand_instances_are_read(void **state)
{
	int64_t begun = aero_clock_ms();

	(void)state;
	start_server("good", "100000");
	(void)setenv("http_proxy", "http://127.0.0.1:9", 1);
	assert_int_equal(describe("us-east-1", false), AERO_OK);
	(void)unsetenv("http_proxy");
	assert_int_equal(listing.n, 100000);
	assert_string_equal(listing.v[99999].id, "i-0000000000001869f");
	print_message("100,000 instances in 100 pages: %lld ms\n",
		(long long)(aero_clock_ms() - begun));
}

static void once_gives_up_after_30_s(void **state)
{
	(void)state;
	start_server("busy", "7");
	assert_int_equal(describe("us-east-1", true), AERO_NET);
	assert_true(paused <= 30000);
	clock_step = 5000; /* each request takes so long */
	assert_int_equal(describe("us-east-1", true), AERO_NET);
	assert_true(pauses >= 1 && pauses < 5 && clock_now < 45000);
	assert_int_equal(describe("us-east-1", false), AERO_NET);
	assert_int_equal(pauses, 5);
	clock_step = 0;
	(void)done(NULL);
	(void)snprintf(server.endpoint, sizeof(server.endpoint), "http://127.0.0.1:9");
	assert_int_equal(describe("us-east-1", true), AERO_NET);
	assert_true(paused <= 30000 && pauses >= 1);
}

static void an_endpoint_elsewhere_has_to_be_https(void **state)
{
	(void)state;
	(void)snprintf(
		server.endpoint, sizeof(server.endpoint), "http://ec2.example.com");
	assert_int_equal(describe("us-east-1", true), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "https://"));
}

static void a_stop_ends_a_silent_request(void **state)
{
	struct aero_ec2 *ec2 = NULL;
	int64_t begun = aero_clock_ms();
	int fds[2];

	(void)state;
	start_server("silent", "7");
	assert_int_equal(describe("us-east-1,Paris!", true), AERO_CONFIG); /* sets conf */
	conf.regions.n = 1;
	assert_int_equal(0, pipe(fds));
	assert_int_equal(1, write(fds[1], "x", 1));
	assert_int_equal(AERO_OK, aero_ec2_new(&conf, fds[0], NULL, &ec2, &err));
	assert_int_equal(AERO_AGAIN, aero_ec2_describe(ec2, &listing, &err));
	assert_true(aero_clock_ms() - begun < 15000);
	aero_ec2_free(ec2);
	conf.regions.n = 2;
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void each_fault_has_an_act_and_words(void **state)
{
	static const struct {
		struct aero_ec2_fault fault;
		enum aero_ec2_act act;
		int rc;
		const char *words;
	} rows[] = {
		{{503, "RequestLimitExceeded", 0, 0}, AERO_EC2_RETRY, AERO_NET,
			"too many"},
		{{400, "Throttling", 0, 0}, AERO_EC2_RETRY, AERO_NET, "too many"},
		{{400, "ThrottlingException", 0, 0}, AERO_EC2_RETRY, AERO_NET,
			"too many"},
		{{400, "EC2ThrottledException", 0, 0}, AERO_EC2_RETRY, AERO_NET,
			"too many"},
		{{503, "ServiceUnavailable", 0, 0}, AERO_EC2_RETRY, AERO_NET,
			"out of order"},
		{{503, "Unavailable", 0, 0}, AERO_EC2_RETRY, AERO_NET, "out of order"},
		{{500, "InternalError", 0, 0}, AERO_EC2_RETRY, AERO_NET, "out of order"},
		{{500, "InternalFailure", 0, 0}, AERO_EC2_RETRY, AERO_NET,
			"out of order"},
		{{401, "AuthFailure", 100, 200}, AERO_EC2_RENEW, AERO_CONFIG,
			"knows these keys"},
		{{401, "AuthFailure", 5000, 200}, AERO_EC2_FAIL, AERO_AGAIN,
			"says 1970-01-01T01:23:20Z, that of EC2 1970-01-01T00:03:20Z"},
		{{403, "SignatureDoesNotMatch", 5, 0}, AERO_EC2_RENEW, AERO_CONFIG,
			"secret key"},
		{{403, "SignatureDoesNotMatch", 1, 5000}, AERO_EC2_FAIL, AERO_AGAIN,
			"clock"},
		{{403, "InvalidClientTokenId", 1, 5000}, AERO_EC2_RENEW, AERO_CONFIG,
			"key id"},
		{{400, "RequestExpired", 5, 5}, AERO_EC2_RENEW, AERO_CONFIG, "expired"},
		{{400, "RequestExpired", 1, 5000}, AERO_EC2_FAIL, AERO_AGAIN, "clock"},
		{{400, "ExpiredToken", 0, 0}, AERO_EC2_RENEW, AERO_CONFIG,
			"have expired"},
		{{400, "ExpiredTokenException", 0, 0}, AERO_EC2_RENEW, AERO_CONFIG,
			"expired"},
		{{403, "UnauthorizedOperation", 0, 0}, AERO_EC2_FAIL, AERO_PERM,
			"lack the permission ec2:DescribeInstances"},
		{{403, "AccessDenied", 0, 0}, AERO_EC2_FAIL, AERO_PERM,
			"DescribeInstances"},
		{{403, "AccessDeniedException", 0, 0}, AERO_EC2_FAIL, AERO_PERM,
			"permission"},
		{{403, "Blocked", 0, 0}, AERO_EC2_FAIL, AERO_PERM, "blocked"},
		{{401, "OptInRequired", 0, 0}, AERO_EC2_FAIL, AERO_CONFIG, "not enabled"},
		{{400, "PendingVerification", 0, 0}, AERO_EC2_FAIL, AERO_CONFIG,
			"verified"},
		{{400, "InvalidAction", 0, 0}, AERO_EC2_FAIL, AERO_CONFIG, "`endpoint`"},
		{{400, "SomethingNew", 0, 0}, AERO_EC2_FAIL, AERO_NET,
			"SomethingNew (400)"},
		{{503, "SomethingNew", 0, 0}, AERO_EC2_RETRY, AERO_NET,
			"SomethingNew (503)"},
		{{302, "", 0, 0}, AERO_EC2_FAIL, AERO_CONFIG, "elsewhere"},
		{{404, "", 0, 0}, AERO_EC2_FAIL, AERO_NET, "answered 404"},
		{{429, "", 0, 0}, AERO_EC2_RETRY, AERO_NET, "answered 429"},
		{{502, "", 0, 0}, AERO_EC2_RETRY, AERO_NET, "answered 502"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		int rc = AERO_OK;

		print_message("%ld %s\n", rows[i].fault.status, rows[i].fault.code);
		assert_int_equal(aero_ec2_fault(&rows[i].fault, &rc, &err), rows[i].act);
		assert_int_equal(rc, rows[i].rc);
		assert_non_null(strstr(err.msg, rows[i].words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_has_an_act_and_words),
		cmocka_unit_test_teardown(outcomes, done),
		cmocka_unit_test_teardown(signatures_hold_and_wrong_keys_are_named, done),
		cmocka_unit_test_teardown(a_hundred_thousand_instances_are_read, done),
		cmocka_unit_test_teardown(once_gives_up_after_30_s, done),
		cmocka_unit_test_teardown(an_endpoint_elsewhere_has_to_be_https, done),
		cmocka_unit_test_teardown(a_stop_ends_a_silent_request, done),
	};
	static const char *const unset[] = {"AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE",
		"AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2", "AEROSTATD_CONF"};
	int failed;

	for (size_t i = 0; i < AERO_COUNT(unset); i++)
		(void)unsetenv(unset[i]);
	(void)setenv("AWS_ACCESS_KEY_ID", "AKIATEST", 1);
	(void)setenv("AWS_SECRET_ACCESS_KEY", "secret/test+key", 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)prctl(PR_SET_DUMPABLE, 1); /* for the leak checker */
	return failed;
}
