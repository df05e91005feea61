/* SPDX-License-Identifier: MIT */
/* Indexes before a registration, and tries until the deadline. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "register/session.h"
#include "tests/actors.h"
#include "tests/support.h"

static void indexes_are_made_or_registering_is_refused(void **state)
{
	static const struct {
		int check, create;
		bool dryrun, no_indexes;
		int rc;
		unsigned ops; /* looked, asked if it may enter at all, made */
		const char *said;
	} rows[] = {
		{AERO_OK, AERO_OK, false, false, AERO_OK, 1, ""},
		{AERO_MISS, AERO_OK, false, false, AERO_OK, 2, ""},
		{AERO_MISS, AERO_OK, true, false, AERO_OK, 1,
			"would create the indexes\n"},
		{AERO_OK, AERO_OK, true, false, AERO_OK, 1, ""},
		{AERO_PERM, AERO_OK, true, false, AERO_OK, 2, ""},
		{AERO_MISS, AERO_PERM, false, false, AERO_CONFIG, 2, ""},
		{AERO_PERM, AERO_PERM, false, false, AERO_OK, 3, ""},
		{AERO_MISS, AERO_DUP_HOSTNAME, false, false, AERO_CONFIG, 2, ""},
		{AERO_MISS, AERO_DUP_INSTANCE, false, false, AERO_CONFIG, 2, ""},
		{AERO_MISS, AERO_NET, false, false, AERO_NET, 2, ""},
		{AERO_NET, AERO_OK, false, false, AERO_NET, 1, ""},
		{AERO_MISS, AERO_OK, false, true, AERO_OK, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct fake_store *fake = fake_store_new();
		struct aero_conf conf = {
			.dryrun = rows[i].dryrun, .no_indexes = rows[i].no_indexes};
		struct aero_session session = {.conf = &conf, .store = &fake->base};
		struct aero_err err = {""};
		char said[256] = "";
		FILE *out = fmemopen(said, sizeof(said), "w");

		print_message("row %zu\n", i);
		assert_non_null(out);
		fake->check_rc = rows[i].check;
		fake->create_rc = rows[i].create;
		assert_int_equal(rows[i].rc, aero_session_indexes(&session, out, &err));
		(void)fclose(out);
		assert_string_equal(rows[i].said, said);
		assert_int_equal(rows[i].ops, fake->ops);
		aero_store_close(&fake->base);
	}
}

struct trouble {
	unsigned calls, good_at; /* 0: never */
	int rc;
};

static int troubled(void *arg, struct aero_err *err)
{
	struct trouble *trouble = arg;

	trouble->calls++;
	if (trouble->calls == trouble->good_at)
		return AERO_OK;
	return aero_err_set(err, trouble->rc, "call %u", trouble->calls);
}

static void store_trouble_is_tried_until_the_deadline(void **state)
{
	static const struct {
		int rc;
		unsigned good_at;
		int deadline_ms;
		int ends;
		unsigned least, most;
	} rows[] = {
		{AERO_NET, 3, 5000, AERO_OK, 3, 3},
		{AERO_AMBIGUOUS, 2, 5000, AERO_OK, 2, 2},
		{AERO_NET, 0, 400, AERO_NET, 2, 9},
		{AERO_NET, 0, 0, AERO_NET, 1, 1}, /* a dry run */
		{AERO_REFUSED, 0, 5000, AERO_REFUSED, 1, 1},
		{AERO_PERM, 0, 5000, AERO_PERM, 1, 1},
		{AERO_AGAIN, 0, 5000, AERO_AGAIN, 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_session session = {
			.deadline = aero_clock_ms() + rows[i].deadline_ms};
		struct trouble trouble = {0, rows[i].good_at, rows[i].rc};
		int64_t begun = aero_clock_ms();
		struct aero_err err = {""};

		print_message("row %zu\n", i);
		assert_int_equal(rows[i].ends,
			aero_session_try(&session, troubled, &trouble, &err));
		assert_in_range(trouble.calls, rows[i].least, rows[i].most);
		assert_true(aero_clock_ms() - begun < 4000);
	}
}

static uint64_t one(void *arg)
{
	(void)arg;
	return 4;
}

static void contention_ends_at_the_deadline(void **state)
{
	struct fake_store *fake = fake_store_new();
	struct aero_session session = {.store = &fake->base};
	struct test_actor me;
	struct aero_err err = {""};

	(void)state;
	/* A node whose gen moves with every read is always quicker than we are. */
	actor_init(&me, fake, AERO_ACT_REGISTER, "db", false, "i-me");
	me.actor.random = one;
	fake_node(fake, "i-me")->exists = true;
	while (me.actor.step != AERO_STEP_R1)
		assert_int_equal(AERO_OK, aero_actor_step(&me.actor, &err));
	fake_node(fake, "i-me")->gen++;
	assert_int_equal(AERO_AGAIN, aero_session_drive(&session, &me.actor, &err));
	assert_non_null(strstr(err.msg, "others were quicker"));
	actor_end(&me);
	aero_store_close(&fake->base);
}

static void whoever_lost_comes_back_the_later_the_longer_it_took(void **state)
{
	static const struct {
		int64_t gone, left, most;
	} rows[] = {
		{0, 60000, 200}, {66, 60000, 200}, {100, 60000, 300}, {2000, 60000, 6000},
		{5000, 60000, 10000}, {20000, 60000, 10000},
		{INT64_MAX, INT64_MAX, 10000}, {2000, 1500, 1500},
		{2000, 1, 200}, /* one more look before the end */
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		int64_t gone = rows[i].gone, left = rows[i].left, most = rows[i].most;

		print_message("row %zu\n", i);
		assert_int_equal(10, aero_session_lost_ms(gone, left, 0));
		assert_int_equal(
			most, aero_session_lost_ms(gone, left, (uint64_t)most - 10));
		assert_int_equal(
			10, aero_session_lost_ms(gone, left, (uint64_t)most - 9));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_lost_comes_back_the_later_the_longer_it_took),
		cmocka_unit_test(indexes_are_made_or_registering_is_refused),
		cmocka_unit_test(store_trouble_is_tried_until_the_deadline),
		cmocka_unit_test(contention_ends_at_the_deadline),
	};

	aero_log_level(AERO_CRITICAL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
