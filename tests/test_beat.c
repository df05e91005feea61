/* SPDX-License-Identifier: MIT */
/* Heartbeats: who sends them and how often, and that nobody waits for them. */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/identity.h"
#include "lib/loop.h"
#include "lib/store.h"
#include "syncd/beater.h"
#include "tests/support.h"

static char names[300];
static struct aero_conf conf;
static struct aero_store *store;
static struct aero_beater *beater;
static struct aero_err err;

static void load(const char *server, const char *flags)
{
	char line[1024], *save = NULL, *argv[32];
	int argc = 0;

	aero_conf_clear(&conf);
	(void)snprintf(line, sizeof(line), "aerostat-syncd --server=%s --root=%s %s",
		server, test_dir(), flags);
	for (char *word = strtok_r(line, " ", &save); word != NULL && argc < 31;
		word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	assert_int_equal(
		aero_conf_load(AERO_PROG_SYNCD, argc, argv, &conf, &err), AERO_OK);
}

static void mark(char *id)
{
	struct aero_identity identity = {.who = {.instance_id = id,
						 .ip = (char[]){"10.0.0.1"},
						 .ip6 = (char[]){""}},
		.service = (char[]){"web"},
		.type = (char[]){""},
		.hostname = (char[]){"web-0"}};

	assert_int_equal(aero_identity_save(&conf, &identity, &err), AERO_OK);
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(names, sizeof(names), "lmdb:%s", test_path("names.lmdb"));
	load(names, "");
	assert_int_equal(
		aero_store_open_conf(&conf, "test", false, &store, &err), AERO_OK);
	beater = aero_beater_new();
	assert_non_null(beater);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_true(aero_beater_stop(beater, 20000));
	aero_store_close(store);
	aero_conf_clear(&conf);
	test_dir_remove();
	return 0;
}

/* What one comes to. */
static struct aero_beat beat(void)
{
	struct aero_beat ret = {.rc = 1};
	struct pollfd fd = {.fd = aero_beater_fd(beater), .events = POLLIN};

	assert_false(aero_beater_take(beater, &ret));
	assert_true(aero_beater_start(beater, &conf));
	assert_true(aero_beater_runs(beater));
	assert_false(aero_beater_start(beater, &conf));
	assert_int_equal(poll(&fd, 1, 20000), 1);
	assert_true(aero_beater_take(beater, &ret));
	assert_false(aero_beater_runs(beater));
	return ret;
}

static void only_a_registered_node_sends_one(void **state)
{
	struct aero_node none = {0}, node;
	struct aero_beat got = beat();

	(void)state;
	assert_false(got.ours);
	mark((char[]){"test-instance"});
	assert_false(beat().ours);
	mark((char[]){"i-1"});
	got = beat();
	assert_true(got.ours);
	assert_int_equal(got.rc, AERO_MISS); /* and none is made */
	assert_int_equal(aero_store_node(store, "i-1", &node, &err), AERO_OK);
	assert_false(node.exists);
	assert_int_equal(
		aero_store_node_update(store, "i-1", &none, false, false, NULL, &err),
		AERO_OK);
	got = beat();
	assert_true(got.ours);
	assert_int_equal(got.rc, AERO_OK);
	assert_int_equal(aero_store_node(store, "i-1", &node, &err), AERO_OK);
	assert_true(node.seen_at > 1700000000000 && node.gen == 1);
	assert_int_equal(beat().rc, AERO_OK); /* over the same store */
}

static void nobody_waits_for_a_store_that_does_not_answer(void **state)
{
	struct aero_node none = {0};
	struct aero_beat got;
	int64_t began;

	(void)state;
	mark((char[]){"i-1"});
	assert_int_equal(
		aero_store_node_update(store, "i-1", &none, false, false, NULL, &err),
		AERO_OK);
	assert_int_equal(beat().rc, AERO_OK);
	load("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=700", "");
	assert_int_equal(beat().rc, AERO_OK); /* the options are read at forget */
	aero_beater_forget(beater);
	began = aero_clock_ms();
	assert_true(aero_beater_start(beater, &conf));
	assert_true(aero_clock_ms() - began < 500);
	assert_false(aero_beater_take(beater, &got));
	while (!aero_beater_take(beater, &got))
		assert_true(aero_clock_ms() - began < 20000);
	assert_true(got.ours);
	assert_int_equal(got.rc, AERO_NET);
	load(names, "");
	assert_int_equal(beat().rc, AERO_OK); /* after a failure too */
}

static void a_heartbeat_is_sent_each_third_of_a_lease(void **state)
{
	static const struct {
		const char *flags;
		int64_t ms;
	} rows[] = {
		{"", 0},
		{"--lease=9", 0},
		{"--heartbeat", 30000},
		{"--cloud=lease", 30000},
		{"--cloud=command --heartbeat=true", 30000},
		{"--cloud=lease --heartbeat=false --lease=9", 3000},
		{"--heartbeat --lease=1", 333},
		{"--heartbeat --lease=600", 30000},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		load(names, rows[i].flags);
		print_message("%s\n", rows[i].flags);
		assert_int_equal(aero_conf_heartbeat_ms(&conf), rows[i].ms);
	}
}

static void jitter_stays_within_a_fifth(void **state)
{
	int64_t low = INT64_MAX, high = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t ms = aero_jitter_ms(30000);

		low = ms < low ? ms : low;
		high = ms > high ? ms : high;
	}
	assert_true(low >= 24000 && low < 24500);
	assert_true(high <= 36000 && high > 35500);
	assert_int_equal(aero_jitter_ms(0), 0);
	assert_int_equal(aero_jitter_ms(1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			only_a_registered_node_sends_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			nobody_waits_for_a_store_that_does_not_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_heartbeat_is_sent_each_third_of_a_lease, set_up, tear_down),
		cmocka_unit_test(jitter_stays_within_a_fifth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
