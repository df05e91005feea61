/* SPDX-License-Identifier: MIT */
/* C, S, V, F: change-overs, alone, against each other, and cut at every operation. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/actors.h"
#include "tests/support.h"

static const char *const two[] = {"db-master", "db-slave-1", NULL};
static const char *const three[] = {"db-master", "db-slave-1", "db-slave-2", NULL};

static const char *held_by(struct fake_store *fake, const char *hostname)
{
	struct aero_slot *slot = fake_slot(fake, hostname);

	assert_non_null(slot);
	return slot->who.instance_id;
}

static void begin(struct test_actor *me, struct fake_store *fake, const char *id)
{
	actor_init(me, fake, AERO_ACT_CHANGE_MASTER, "db", true, id);
}

static void the_two_swap_with_what_is_theirs_by(bool transactions)
{
	struct fake_store *fake = fake_store_new();
	struct test_actor me;
	struct aero_slot *slot;

	fake->transactions = transactions;
	actors_put(fake, "db", true, two);
	free(fake_slot(fake, "db-slave-1")->who.ip);
	fake_slot(fake, "db-slave-1")->who.ip = strdup("10.0.0.7");
	assert_true(aero_list_add(&fake_slot(fake, "db-slave-1")->who.aliases, "fast"));
	assert_true(aero_list_add(&fake_slot(fake, "db-master")->who.aliases, "old"));
	begin(&me, fake, "i-db-slave-1");
	assert_int_equal(AERO_OK, actor_run(&me));
	assert_string_equal("db-master", me.actor.hostname);
	slot = fake_slot(fake, "db-master");
	assert_string_equal("i-db-slave-1", slot->who.instance_id);
	assert_string_equal("10.0.0.7", slot->who.ip);
	assert_string_equal("fast", slot->who.aliases.v[0]);
	assert_int_equal(1, slot->epoch);
	slot = fake_slot(fake, "db-slave-1");
	assert_string_equal("i-db-master", slot->who.instance_id);
	assert_string_equal("10.9.9.9", slot->who.ip);
	assert_string_equal("old", slot->who.aliases.v[0]);
	assert_int_equal(0, slot->epoch);
	assert_int_equal(2, fake->slots.n);
	actors_check(fake, "db");
	actor_end(&me);
	/* Again: nothing to do, nothing written. */
	begin(&me, fake, "i-db-slave-1");
	assert_int_equal(AERO_OK, actor_run(&me));
	assert_int_equal(1, fake_control(fake, "db")->epoch);
	assert_int_equal(AERO_HOW_HELD, me.actor.how);
	actor_end(&me);
	aero_store_close(&fake->base);
}

static void the_two_swap_with_what_is_theirs(void **state)
{
	(void)state;
	the_two_swap_with_what_is_theirs_by(false);
	the_two_swap_with_what_is_theirs_by(true);
}

static void without_a_name_or_of_another_service_it_is_refused(void **state)
{
	struct fake_store *fake = fake_store_new();
	struct test_actor me;

	(void)state;
	actors_put(fake, "db", true, two);
	fake_put(fake, "web-0", "web", "", "i-web");
	begin(&me, fake, "i-nobody");
	assert_int_equal(AERO_REFUSED, actor_run(&me));
	assert_non_null(strstr(me.err.msg, "register it first"));
	actor_end(&me);
	begin(&me, fake, "i-web");
	assert_int_equal(AERO_REFUSED, actor_run(&me));
	assert_non_null(strstr(me.err.msg, "is web-0 of service web"));
	actor_end(&me);
	assert_int_equal(0, fake_control(fake, "db")->epoch);
	aero_store_close(&fake->base);
}

static void dead_or_released_node_does_not_become_master(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct fake_store *fake = fake_store_new();
		bool left = i % 2 != 0;
		struct test_actor me;

		fake->transactions = i / 2 != 0;
		actors_put(fake, "db", true, two);
		*fake_node(fake, "i-db-slave-1") = (struct aero_node){
			.exists = true, .gen = 1, .left = left, .dead = !left};
		begin(&me, fake, "i-db-slave-1");
		assert_int_equal(AERO_AGAIN, actor_run(&me));
		assert_non_null(strstr(me.err.msg, "declared dead or released"));
		assert_string_equal("i-db-master", held_by(fake, "db-master"));
		assert_int_equal(1, fake_slot(fake, "db-master")->epoch); /* fenced */
		actors_check(fake, "db");
		actor_end(&me);
		aero_store_close(&fake->base);
	}
}

static void dead_old_master_is_not_placed_again_by(bool transactions)
{
	struct fake_store *fake = fake_store_new();
	struct test_actor me;

	fake->transactions = transactions;
	actors_put(fake, "db", true, two);
	*fake_node(fake, "i-db-master") =
		(struct aero_node){.exists = true, .gen = 1, .dead = true};
	begin(&me, fake, "i-db-slave-1");
	assert_int_equal(AERO_OK, actor_run(&me));
	assert_int_equal(0, fake_held(fake, "i-db-master"));
	assert_string_equal("", held_by(fake, "db-slave-1"));
	actor_end(&me);
	aero_store_close(&fake->base);
}

static void dead_old_master_is_not_placed_again(void **state)
{
	(void)state;
	dead_old_master_is_not_placed_again_by(false);
	dead_old_master_is_not_placed_again_by(true);
}

static void op_that_was_left_open_is_helped_by_a_newcomer(void **state)
{
	(void)state;
	for (unsigned at = 1; at < 20; at++) {
		struct fake_store *fake = fake_store_new();
		struct test_actor me;

		actors_put(fake, "db", true, three);
		begin(&me, fake, "i-db-slave-2");
		while (fake->ops < at && me.actor.step != AERO_STEP_DONE)
			assert_int_equal(AERO_OK, aero_actor_step(&me.actor, &me.err));
		actor_end(&me);
		actor_init(&me, fake, AERO_ACT_REGISTER, "db", true, "i-new");
		assert_int_equal(AERO_OK, actor_run(&me));
		actors_check(fake, "db");
		actors_dense(fake, "db", true);
		/* Either it was not opened yet or it is through. */
		assert_string_equal(fake_control(fake, "db")->epoch == 0 ? "i-db-master"
									 : "i-db-slave-2",
			held_by(fake, "db-master"));
		assert_int_equal(1, fake_held(fake, "i-db-master"));
		assert_int_equal(1, fake_held(fake, "i-db-slave-2"));
		assert_int_equal(1, fake_held(fake, "i-new"));
		actor_end(&me);
		aero_store_close(&fake->base);
	}
}

static void lost_answers(bool transactions)
{
	struct fake_store *fake = fake_store_new();
	struct test_actor me;
	unsigned ops;

	fake->transactions = transactions;
	actors_put(fake, "db", true, two);
	begin(&me, fake, "i-db-slave-1");
	assert_int_equal(AERO_OK, actor_run(&me));
	ops = fake->ops;
	if (transactions)
		assert_int_equal(ops, 5);
	else
		assert_true(ops > 10);
	actor_end(&me);
	aero_store_close(&fake->base);
	for (unsigned at = 1; at <= ops; at++)
		for (int fault = FAKE_NET; fault < FAKE_N_FAULTS; fault++) {
			fake = fake_store_new();
			fake->transactions = transactions;
			actors_put(fake, "db", true, two);
			begin(&me, fake, "i-db-slave-1");
			fake->fault_at = at;
			fake->fault = (enum fake_fault)fault;
			assert_int_equal(AERO_OK, actor_run(&me));
			assert_int_equal(1, me.troubles);
			assert_string_equal("i-db-slave-1", held_by(fake, "db-master"));
			assert_string_equal("i-db-master", held_by(fake, "db-slave-1"));
			assert_int_equal(1, fake_control(fake, "db")->epoch);
			actors_check(fake, "db");
			actor_end(&me);
			aero_store_close(&fake->base);
		}
}

static void lost_answers_change_nothing_of_the_outcome(void **state)
{
	(void)state;
	lost_answers(false);
	lost_answers(true);
}

/* protocol.md (a): a helper that is slow before V must not blank a later tenure of p. */
static void slow_helper_before_v_hurts_nobody(void **state)
{
	struct fake_store *fake = fake_store_new();
	struct test_actor slow, other;

	(void)state;
	actors_put(fake, "db", true, two);
	begin(&slow, fake, "i-db-slave-1");
	while (slow.actor.step != AERO_STEP_V)
		assert_int_equal(AERO_OK, aero_actor_step(&slow.actor, &slow.err));
	/* A newcomer helps to the end; the old master asks back. */
	actor_init(&other, fake, AERO_ACT_REGISTER, "db", true, "i-new");
	assert_int_equal(AERO_OK, actor_run(&other));
	actor_end(&other);
	begin(&other, fake, "i-db-master");
	assert_int_equal(AERO_OK, actor_run(&other));
	actor_end(&other);
	assert_string_equal("i-db-master", held_by(fake, "db-master"));
	assert_int_equal(AERO_AGAIN, actor_run(&slow));
	assert_non_null(strstr(slow.err.msg, "a later change-over"));
	assert_int_equal(1, fake_held(fake, "i-db-slave-1"));
	assert_int_equal(1, fake_held(fake, "i-db-master"));
	assert_string_equal("i-db-master", held_by(fake, "db-master"));
	actors_check(fake, "db");
	actor_end(&slow);
	aero_store_close(&fake->base);
}

static void many_callers_at_random_end_with_one_master(void **state)
{
	static const char *const ids[] = {"i-db-master", "i-db-slave-1", "i-db-slave-2"};
	unsigned done = 0, superseded = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 600; seed++) {
		struct fake_store *fake = fake_store_new();
		struct test_actor me[4];
		uint64_t rnd = seed * 0x9e3779b97f4a7c15u;
		bool ended[4] = {false};
		size_t left = 4;

		actors_put(fake, "db", true, three);
		fake->transactions = seed % 2 != 0;
		for (size_t i = 0; i < 3; i++)
			begin(&me[i], fake, ids[i]);
		actor_init(&me[3], fake, AERO_ACT_REGISTER, "db", true, "i-new");
		while (left > 0) {
			size_t i;
			int rc;

			rnd = rnd * 6364136223846793005u + 1442695040888963407u;
			i = (rnd >> 33) % 4;
			if (ended[i])
				continue;
			fake->fault_at = (rnd >> 40) % 16 == 0 ? fake->ops + 1 : 0;
			fake->fault =
				(rnd >> 50) % 2 ? FAKE_LOST_AFTER : FAKE_LOST_BEFORE;
			rc = aero_actor_step(&me[i].actor, &me[i].err);
			ended[i] = me[i].actor.step == AERO_STEP_DONE ||
				   (rc != AERO_OK && !aero_actor_retry(rc));
			assert_true(fake->ops < 5000);
			left -= ended[i];
			done += ended[i] && rc == AERO_OK;
			superseded += ended[i] && rc == AERO_AGAIN;
			/* I3, always: a change-over never blanks the master. */
			assert_string_not_equal("", held_by(fake, "db-master"));
		}
		for (size_t i = 0; i < 4; i++) {
			assert_int_equal(1, fake_held(fake, me[i].who.instance_id));
			actor_end(&me[i]);
		}
		/* An append that a vacated slot made needless is a gap. */
		assert_in_range(fake->slots.n, 4, 7);
		assert_int_equal(fake_control(fake, "db")->epoch,
			fake_slot(fake, "db-master")->epoch);
		actors_check(fake, "db");
		actors_dense(fake, "db", true);
		aero_store_close(&fake->base);
	}
	print_message("%u done, %u superseded\n", done, superseded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_two_swap_with_what_is_theirs),
		cmocka_unit_test(without_a_name_or_of_another_service_it_is_refused),
		cmocka_unit_test(dead_or_released_node_does_not_become_master),
		cmocka_unit_test(dead_old_master_is_not_placed_again),
		cmocka_unit_test(op_that_was_left_open_is_helped_by_a_newcomer),
		cmocka_unit_test(lost_answers_change_nothing_of_the_outcome),
		cmocka_unit_test(slow_helper_before_v_hurts_nobody),
		cmocka_unit_test(many_callers_at_random_end_with_one_master),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
