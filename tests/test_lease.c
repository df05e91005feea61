/* SPDX-License-Identifier: MIT */
/* cloud: lease: the clocks, as tables; then whole passes over a fleet that sends
 * heartbeats, through every kind of trouble, in which no living node may lose its name.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "server/pass.h"
#include "tests/fake_store.h"
#include "tests/support.h"

static const struct aero_lease_limits usual = {90000, 120000, 11250, 45000};

static void a_node_runs_while_it_was_seen_within_the_lease(void **state)
{
	static const struct {
		int64_t now, seen_at;
		enum aero_sight sight;
		const char *words;
	} rows[] = {
		{1000000, 1000000, AERO_SIGHT_RUNS, "last seen 0 s ago"},
		{1000000, 988000, AERO_SIGHT_RUNS, "last seen 12 s ago"},
		{1000000, 910001, AERO_SIGHT_RUNS, "last seen 89 s ago"},
		{1000000, 910000, AERO_SIGHT_ABSENT, "last seen 90 s ago"},
		{1000000, 1, AERO_SIGHT_ABSENT, "last seen 999 s ago"},
		{1000000, 2000000, AERO_SIGHT_RUNS, "last seen 0 s ago"},
		{1000000, INT64_MAX, AERO_SIGHT_RUNS, "last seen 0 s ago"},
		{INT64_MAX, 1, AERO_SIGHT_ABSENT, "last seen 9223372036854775 s ago"},
		{1000000, 0, AERO_SIGHT_ABSENT, "never seen"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		print_message("row %zu\n", i);
		assert_int_equal(aero_lease_sight(&usual, rows[i].now, rows[i].seen_at),
			rows[i].sight);
		assert_string_equal(aero_lease_words(rows[i].now, rows[i].seen_at, buf),
			rows[i].words);
	}
}

static void the_limits_follow_poll_and_lease(void **state)
{
	static const struct {
		int poll, lease;
		struct aero_lease_limits limits;
	} rows[] = {
		{60, 90, {90000, 120000, 11250, 45000}},
		{1, 90, {90000, 45000, 11250, 45000}},
		{1, 6, {6000, 3000, 2000, 3000}},
		{3600, 86400, {86400000, 43200000, 10800000, 43200000}},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_conf conf = {.poll = rows[i].poll, .lease = rows[i].lease};
		struct aero_lease_limits got = aero_lease_limits(&conf);

		assert_memory_equal(&got, &rows[i].limits, sizeof(got));
	}
}

/* Each row is the pass after that of the row before. */
static void what_hid_the_living_begins_a_quiet_time(void **state)
{
	static const struct {
		int64_t store, boot, newest; /* seconds; newest: of age */
		const char *why;             /* NULL: goes on */
		int64_t quiet, sum;
	} rows[] = {
		{5000, 100, 1, "no pass just before", 90, 1},
		{5060, 160, 30, NULL, 30, 2}, {5089, 189, 30, NULL, 1, 3},
		{5090, 190, 30, NULL, 0, 4}, {5209, 310, 30, NULL, 0, 5},
		{5330, 431, 30, "no pass for too long", 90, 6},
		{5420, 521, 45, NULL, 0, 7}, {5421, 522, 46, "nobody was seen", 90, 8},
		{5451, 552, 60, "nobody was seen", 90, 9}, {5552, 653, 1, NULL, 0, 10},
		{5564, 654, 1, NULL, 0, 11},      /* 11 s more than ours */
		{5577, 655, 1, "jumped", 90, 12}, /* 12 */
		{5477, 745, 1, "jumped", 90, 13}, /* back */
		{5567, 835, 1, NULL, 0, 14},
		{5567, 830, 1, "too long", 90, 15}, /* ours cannot: another boot */
		{5663, 925, 1, NULL, 0, 90}, {5708, 970, 1, NULL, 0, 90},
		{5709, 971, 1, "nobody was seen", 90, 90}, /* the same ones */
	};
	struct aero_lease lease = {0};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_lease_beats beats = {
			(rows[i].store - rows[i].newest) * 1000, rows[i].sum};
		const char *why;

		print_message("row %zu\n", i);
		why = aero_lease_read(&lease, &usual, rows[i].store * 1000,
			rows[i].boot * 1000, &beats);
		if (rows[i].why == NULL)
			assert_null(why);
		else
			assert_non_null(why != NULL ? strstr(why, rows[i].why) : NULL);
		assert_int_equal(
			aero_lease_quiet_ms(&lease, &usual), rows[i].quiet * 1000);
	}
}

/* ---- a fleet ---- */

#define NODES 6
#define NEVER INT64_MAX

/* Seconds, of a time that nobody sees. */
static struct {
	struct fake_store *fake;
	struct aero_conf conf;
	struct aero_tenures tenures;
	int64_t now;
	int64_t offset;          /* of the store's clock */
	int64_t away, unwritten; /* until when it is; and takes no writes */
	int64_t pass_at, paused; /* aerostatd; until when */
	int64_t beat_at[NODES], dies_at[NODES];
	uint64_t number, seed;
} fleet;

static int64_t roll(int64_t from, int64_t to)
{
	fleet.seed = fleet.seed * 6364136223846793005U + 1442695040888963407U;
	return from + (int64_t)((fleet.seed >> 33) % (uint64_t)(to - from + 1));
}

static const char *id_of(int i)
{
	static char id[8];

	(void)snprintf(id, sizeof(id), "i-%d", i);
	return id;
}

static int no_cloud(const struct aero_conf *conf, int stop_fd, struct aero_listing *ret,
	struct aero_err *err)
{
	(void)conf;
	(void)stop_fd;
	(void)ret;
	return aero_err_set(err, AERO_DB, "lease asks nobody");
}

static int pass(struct aero_pass_result *ret, FILE *out)
{
	struct aero_pass pass = {.conf = &fleet.conf,
		.store = &fleet.fake->base,
		.list = no_cloud,
		.tenures = &fleet.tenures,
		.now_ms = fleet.now * 1000,
		.out = out};
	struct aero_err err;

	fleet.fake->clock = (fleet.now + fleet.offset) * 1000;
	return aero_pass_run(&pass, ret, &err);
}

/* Six nodes; the last one sends no heartbeats. The guard is off: here the lease alone is
 * to protect. */
static void begin(uint64_t seed)
{
	memset(&fleet, 0, sizeof(fleet));
	fleet.number = fleet.seed = seed;
	fleet.fake = fake_store_new();
	fleet.conf = (struct aero_conf){.cloud = AERO_CLOUD_LEASE,
		.poll = 60,
		.lease = 90,
		.absent_passes = 1,
		.reap_cap_percent = 100,
		.reap_cap_min = 100};
	fleet.now = 1000;
	fleet.offset = 1700000000;
	for (int i = 0; i < NODES; i++) {
		char hostname[16];

		(void)snprintf(hostname, sizeof(hostname), "web-%d", i);
		fake_put(fleet.fake, hostname, "web", "", id_of(i));
		fake_slot(fleet.fake, hostname)->reg = 100 + i;
		*fake_node(fleet.fake, id_of(i)) =
			(struct aero_node){.exists = true, .gen = 1};
		fleet.beat_at[i] = fleet.now + roll(0, 30);
		fleet.dies_at[i] = NEVER;
	}
	fleet.beat_at[NODES - 1] = NEVER;
}

static void end(void)
{
	aero_tenures_clear(&fleet.tenures);
	aero_store_close(&fleet.fake->base);
}

/* As syncd/daemon_beat.c: each 30 s, and 10 s after one that failed, which may have taken
 * 12 s to. */
static void heartbeats(void)
{
	for (int i = 0; i < NODES; i++) {
		if (fleet.now < fleet.beat_at[i] || fleet.now >= fleet.dies_at[i])
			continue;
		if (fleet.now < fleet.away || fleet.now < fleet.unwritten) {
			fleet.beat_at[i] = fleet.now + roll(8, 24);
			continue;
		}
		fake_node(fleet.fake, id_of(i))->seen_at =
			(fleet.now + fleet.offset) * 1000;
		fleet.beat_at[i] = fleet.now + roll(24, 36);
	}
}

static void aerostatd(void)
{
	struct aero_pass_result result;

	if (fleet.now < fleet.pass_at || fleet.now < fleet.paused)
		return;
	fleet.fake->fault = FAKE_NET;
	fleet.fake->fault_at =
		fleet.now < fleet.away ? fleet.fake->ops + (unsigned)roll(1, 3) : 0;
	assert_int_equal(
		pass(&result, NULL), fleet.now < fleet.away ? AERO_NET : AERO_OK);
	fleet.pass_at = fleet.now + fleet.conf.poll + roll(0, fleet.conf.poll / 5) -
			fleet.conf.poll / 10;
}

/* Something happens, mostly alone. */
static void trouble(void)
{
	int64_t long_time = roll(0, 1) == 0 ? roll(1, 150) : roll(1, 900);

	switch (roll(0, 4)) {
	case 0:
		fleet.away = fleet.now + long_time;
		break;
	case 1:
		fleet.unwritten = fleet.now + long_time;
		break;
	case 2: /* to a member with another clock */
		fleet.away = fleet.now + roll(0, 20);
		fleet.offset += roll(0, 1) == 0 ? roll(12, 300) : -roll(12, 300);
		break;
	case 3: /* stopped, or the next --once is late */
		fleet.paused = fleet.now + long_time;
		break;
	default: /* a new machine */
		aero_tenures_clear(&fleet.tenures);
		break;
	}
}

static void live(int64_t seconds, int64_t trouble_each)
{
	for (int64_t until = fleet.now + seconds; fleet.now < until; fleet.now++) {
		if (trouble_each != 0 && roll(1, trouble_each) == 1)
			trouble();
		heartbeats();
		aerostatd();
		for (int i = 0; i < NODES; i++)
			if (fleet.dies_at[i] == NEVER &&
				fake_held(fleet.fake, id_of(i)) != 1)
				fail_msg("fleet %llu: %s lives and lost its name at %lld",
					(unsigned long long)fleet.number, id_of(i),
					(long long)fleet.now);
	}
}

static void the_living_keep_their_names_and_the_dead_do_not(void **state)
{
	static const int polls[] = {1, 7, 20, 30, 45, 60, 300};
	unsigned long n = test_by_length(400, 20000);

	(void)state;
	for (unsigned long seed = 1; seed <= n; seed++) {
		begin(seed);
		fleet.conf.poll = polls[seed % AERO_COUNT(polls)];
		live(300, 0);
		for (int i = 0; i < 2; i++)
			fleet.dies_at[i] = fleet.now + roll(0, 3000);
		live(3000, 400);
		/* Calm, for as long as the clock jumped and all passes take. */
		live(3000 + 10 * fleet.conf.poll, 0);
		for (int i = 0; i < 2; i++)
			if (fake_held(fleet.fake, id_of(i)) != 0)
				fail_msg("seed %lu: %s has its name", seed, id_of(i));
		/* A clock that jumped back may have had one seen again. */
		assert_true(fleet.fake->n_history >= 2);
		end();
	}
}

static void a_dead_node_that_is_seen_again_may_register(void **state)
{
	struct aero_node *node;

	(void)state;
	begin(1);
	live(300, 0);
	fleet.dies_at[0] = fleet.now;
	live(400, 0);
	node = fake_node(fleet.fake, "i-0");
	assert_int_equal(fake_held(fleet.fake, "i-0"), 0);
	assert_true(node->dead);
	assert_non_null(strstr(node->why, "last seen "));
	fleet.dies_at[0] = NEVER - 1; /* it was only stopped */
	live(100, 0);
	assert_false(node->dead);
	end();
}

static void a_dry_run_says_when_each_was_seen(void **state)
{
	struct aero_pass_result result;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	begin(1);
	live(300, 0);
	fleet.conf.absent_passes = 3;
	fleet.dies_at[0] = fleet.now;
	fake_node(fleet.fake, "i-0")->seen_at = (fleet.now + fleet.offset - 100) * 1000;
	fleet.conf.dryrun = true;
	assert_int_equal(pass(&result, out), AERO_OK);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text,
		"keep web-0 i-0: not listed, but not for long enough passes (last seen "
		"100 s ago)\n"
		"keep web-5 i-5: an id that this cloud cannot know\n");
	free(text);
	end();
}

/* What is in reap.json goes on; another boot's does not. */
static void the_quiet_time_outlives_the_program(void **state)
{
	struct aero_tenures was = {.lease = {5000, 4000, 3000, 77, 3500}}, got = {0};
	struct aero_err err;
	char *text = aero_tenures_text(&was, "boot");

	(void)state;
	assert_int_equal(aero_tenures_parse(text, strlen(text), "boot", 9000, &got, &err),
		AERO_OK);
	assert_memory_equal(&got.lease, &was.lease, sizeof(got.lease));
	aero_tenures_clear(&got);
	assert_int_equal(
		aero_tenures_parse(text, strlen(text), "other", 9000, &got, &err),
		AERO_OK);
	assert_int_equal(got.lease.boot_ms, 0);
	aero_tenures_clear(&got);
	/* of a later time than now */
	assert_int_equal(aero_tenures_parse(text, strlen(text), "boot", 3999, &got, &err),
		AERO_OK);
	assert_int_equal(got.lease.boot_ms, 0);
	aero_tenures_clear(&got);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_runs_while_it_was_seen_within_the_lease),
		cmocka_unit_test(the_limits_follow_poll_and_lease),
		cmocka_unit_test(what_hid_the_living_begins_a_quiet_time),
		cmocka_unit_test(the_living_keep_their_names_and_the_dead_do_not),
		cmocka_unit_test(a_dead_node_that_is_seen_again_may_register),
		cmocka_unit_test(a_dry_run_says_when_each_was_seen),
		cmocka_unit_test(the_quiet_time_outlives_the_program),
	};

	aero_log_level(AERO_CRITICAL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
