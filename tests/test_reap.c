/* SPDX-License-Identifier: MIT */
/* B over the scripted store: what becomes of one candidate, and of lost answers. That its
 * order is right is shown by the search (test_search.c). */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "register/reap.h"
#include "tests/fake_store.h"
#include "tests/support.h"

static struct fake_store *fake;

static int set_up(void **state)
{
	(void)state;
	fake = fake_store_new();
	fake_put(fake, "db-0", "db", "", "i-a");
	fake_slot(fake, "db-0")->reg = 7;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	aero_store_close(&fake->base);
	return 0;
}

/* To the end, or to the first trouble. */
static int run(struct aero_reap *reap, enum aero_evidence evidence)
{
	struct aero_err err;
	int rc = AERO_OK;

	while (rc == AERO_OK && reap->step != AERO_REAP_DONE)
		if (reap->step == AERO_REAP_B2)
			aero_reap_judge(reap, evidence, "stopped");
		else
			rc = aero_reap_step(reap, &err);
	return rc;
}

static void only_the_dead_and_the_released_lose_their_slot(void **state)
{
	static const struct {
		struct aero_node node;
		bool with_slot;
		enum aero_evidence evidence;
		bool held, certified, cleared, dead;
	} rows[] = {
		{{0}, true, AERO_EVIDENCE_NONE, true, false, false, false},
		{{0}, true, AERO_EVIDENCE_RUNS, true, false, false, false},
		{{0}, true, AERO_EVIDENCE_DEAD, false, true, false, true},
		{{.exists = true, .gen = 3}, true, AERO_EVIDENCE_DEAD, false, true, false,
			true},
		/* A certificate of either kind needs no evidence. */
		{{.exists = true, .gen = 3, .left = true}, true, AERO_EVIDENCE_NONE,
			false, false, false, false},
		{{.exists = true, .gen = 3, .dead = true}, true, AERO_EVIDENCE_RUNS,
			false, false, false, true},
		/* The node alone. */
		{{0}, false, AERO_EVIDENCE_DEAD, true, true, false, true},
		{{.exists = true, .gen = 3, .dead = true}, false, AERO_EVIDENCE_RUNS,
			true, false, true, false},
		{{.exists = true, .gen = 3, .dead = true}, false, AERO_EVIDENCE_DEAD,
			true, false, false, true},
		{{.exists = true, .gen = 3, .dead = true}, false, AERO_EVIDENCE_NONE,
			true, false, false, true},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_reap reap;
		struct aero_slot slot;

		(void)tear_down(NULL);
		(void)set_up(NULL);
		*fake_node(fake, "i-a") = rows[i].node;
		assert_true(aero_slot_copy(fake_slot(fake, "db-0"), &slot));
		aero_reap_begin(
			&reap, &fake->base, "i-a", rows[i].with_slot ? &slot : NULL);
		assert_int_equal(run(&reap, rows[i].evidence), AERO_OK);
		print_message("row %zu\n", i);
		assert_int_equal(fake_held(fake, "i-a"), rows[i].held);
		assert_int_equal(reap.blanked, !rows[i].held);
		assert_int_equal(reap.certified, rows[i].certified);
		assert_int_equal(reap.cleared, rows[i].cleared);
		assert_int_equal(fake_node(fake, "i-a")->dead, rows[i].dead);
		if (rows[i].certified)
			assert_string_equal(fake_node(fake, "i-a")->why, "stopped");
		assert_int_equal(fake_node(fake, "i-a")->left, rows[i].node.left);
		aero_slot_clear(&slot);
	}
}

/* Between the reading and the writing it booted and registered again. */
static void who_came_back_meanwhile_is_left_alone(void **state)
{
	struct aero_reap reap;
	struct aero_slot slot;
	struct aero_err err;

	(void)state;
	assert_true(aero_slot_copy(fake_slot(fake, "db-0"), &slot));
	aero_reap_begin(&reap, &fake->base, "i-a", &slot);
	assert_int_equal(aero_reap_step(&reap, &err), AERO_OK);
	assert_int_equal(reap.step, AERO_REAP_B2);
	fake_node(fake, "i-a")->exists = true;
	fake_node(fake, "i-a")->gen = 1;
	fake_slot(fake, "db-0")->reg = 8;
	assert_int_equal(run(&reap, AERO_EVIDENCE_DEAD), AERO_OK);
	assert_false(reap.certified || reap.blanked);
	assert_false(fake_node(fake, "i-a")->dead);
	assert_int_equal(fake_held(fake, "i-a"), 1);
	aero_slot_clear(&slot);
}

static void a_lost_answer_ends_the_run_and_the_next_ends_the_work(void **state)
{
	(void)state;
	for (unsigned at = 1; at <= 3; at++)
		for (enum fake_fault fault = FAKE_NET; fault < FAKE_N_FAULTS; fault++) {
			struct aero_reap reap;
			struct aero_slot slot;

			(void)tear_down(NULL);
			(void)set_up(NULL);
			assert_true(aero_slot_copy(fake_slot(fake, "db-0"), &slot));
			fake->fault_at = at;
			fake->fault = fault;
			aero_reap_begin(&reap, &fake->base, "i-a", &slot);
			assert_int_not_equal(run(&reap, AERO_EVIDENCE_DEAD), AERO_OK);
			aero_reap_begin(&reap, &fake->base, "i-a", &slot);
			assert_int_equal(run(&reap, AERO_EVIDENCE_DEAD), AERO_OK);
			assert_true(fake_node(fake, "i-a")->dead);
			assert_int_equal(fake_held(fake, "i-a"), 0);
			aero_slot_clear(&slot);
		}
}

static void words_begin_with_the_step(void **state)
{
	(void)state;
	assert_string_equal(aero_reap_words(AERO_REAP_B1), "B1 read the node");
	for (int step = 0; step < AERO_N_REAP_STEPS; step++)
		assert_non_null(aero_reap_words((enum aero_reap_step)step));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(only_the_dead_and_the_released_lose_their_slot),
		TEST(who_came_back_meanwhile_is_left_alone),
		TEST(a_lost_answer_ends_the_run_and_the_next_ends_the_work),
		TEST(words_begin_with_the_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
