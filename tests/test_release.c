/* SPDX-License-Identifier: MIT */
/* L: release, alone, with a change-over under way, and cut at every operation. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/actors.h"
#include "tests/support.h"

static const char *const three[] = {"db-master", "db-slave-1", "db-slave-2", NULL};

static void begin(struct test_actor *me, struct fake_store *fake, const char *id)
{
	actor_init(me, fake, AERO_ACT_RELEASE, "db", true, id);
}

static void slot_becomes_a_gap_that_keeps_its_aliases(void **state)
{
	struct fake_store *fake = fake_store_new();
	struct test_actor me;
	struct aero_slot *slot;

	(void)state;
	actors_put(fake, "db", true, three);
	assert_true(aero_list_add(&fake_slot(fake, "db-slave-1")->who.aliases, "mine"));
	begin(&me, fake, "i-db-slave-1");
	assert_int_equal(AERO_OK, actor_run(&me));
	assert_string_equal("db-slave-1", me.actor.hostname);
	slot = fake_slot(fake, "db-slave-1");
	assert_true(aero_slot_blank(slot));
	assert_string_equal("", slot->who.ip);
	assert_int_equal(1, slot->who.aliases.n);
	assert_true(fake_node(fake, "i-db-slave-1")->left);
	actor_end(&me);
	/* The next newcomer takes it. */
	actor_init(&me, fake, AERO_ACT_REGISTER, "db", true, "i-new");
	assert_int_equal(AERO_OK, actor_run(&me));
	assert_string_equal("db-slave-1", me.actor.hostname);
	assert_int_equal(AERO_HOW_GAP, me.actor.how);
	actor_end(&me);
	aero_store_close(&fake->base);
}

static void nothing_to_release_is_no_error(void **state)
{
	static const char *const services[] = {"db", ""};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(services); i++) {
		struct fake_store *fake = fake_store_new();
		struct test_actor me;

		actor_init(&me, fake, AERO_ACT_RELEASE, services[i], true, "i-nobody");
		assert_int_equal(AERO_OK, actor_run(&me));
		assert_string_equal("", me.actor.hostname);
		assert_true(fake_node(fake, "i-nobody")->left);
		actor_end(&me);
		aero_store_close(&fake->base);
	}
}

static void death_certificate_stays(void **state)
{
	struct fake_store *fake = fake_store_new();
	struct test_actor me;

	(void)state;
	actors_put(fake, "db", true, three);
	*fake_node(fake, "i-db-slave-1") = (struct aero_node){
		.exists = true, .gen = 7, .dead = true, .why = "stopped"};
	begin(&me, fake, "i-db-slave-1");
	assert_int_equal(AERO_OK, actor_run(&me));
	assert_true(fake_node(fake, "i-db-slave-1")->dead);
	assert_string_equal("stopped", fake_node(fake, "i-db-slave-1")->why);
	assert_int_equal(8, fake_node(fake, "i-db-slave-1")->gen);
	actor_end(&me);
	aero_store_close(&fake->base);
}

/* Released at every point of a change-over that names the node, as p and as m. Only a
 * helper that had looked at m's node just before may still place it; then the server
 * finds a node that left in a slot and blanks it (protocol.md (d), B4). */
static void release_during_a_change_over_leaves_no_ghost(void **state)
{
	static const char *const ids[] = {"i-db-slave-1", "i-db-master"};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(ids); i++)
		for (unsigned at = 1; at < 20; at++) {
			struct fake_store *fake = fake_store_new();
			struct test_actor caller, me;
			bool looked;
			int rc;

			actors_put(fake, "db", true, three);
			actor_init(&caller, fake, AERO_ACT_CHANGE_MASTER, "db", true,
				"i-db-slave-1");
			while (fake->ops < at && caller.actor.step != AERO_STEP_DONE)
				assert_int_equal(AERO_OK,
					aero_actor_step(&caller.actor, &caller.err));
			looked = i == 1 && caller.actor.step == AERO_STEP_S3_CLAIM;
			begin(&me, fake, ids[i]);
			assert_int_equal(AERO_OK, actor_run(&me));
			assert_int_equal(0, fake_held(fake, ids[i]));
			actor_end(&me);
			if (caller.actor.step != AERO_STEP_DONE) {
				rc = actor_run(&caller);
				assert_true(rc == AERO_OK || rc == AERO_AGAIN ||
					    rc == AERO_REFUSED);
			}
			assert_int_equal(looked, fake_held(fake, ids[i]));
			assert_true(fake_node(fake, ids[i])->left);
			actors_check(fake, "db");
			actor_end(&caller);
			aero_store_close(&fake->base);
		}
}

static void lost_answers_and_crashes_end_released(void **state)
{
	struct fake_store *fake;
	struct test_actor me;

	(void)state;
	for (unsigned at = 1; at <= 7; at++)
		for (int fault = FAKE_NONE; fault < FAKE_N_FAULTS; fault++) {
			fake = fake_store_new();
			actors_put(fake, "db", true, three);
			begin(&me, fake, "i-db-slave-1");
			if (fault == FAKE_NONE) {
				while (fake->ops < at && me.actor.step != AERO_STEP_DONE)
					assert_int_equal(AERO_OK,
						aero_actor_step(&me.actor, &me.err));
				actor_end(&me); /* a crash */
				begin(&me, fake, "i-db-slave-1");
			} else {
				fake->fault_at = at;
				fake->fault = (enum fake_fault)fault;
			}
			assert_int_equal(AERO_OK, actor_run(&me));
			assert_int_equal(0, fake_held(fake, "i-db-slave-1"));
			assert_true(fake_node(fake, "i-db-slave-1")->left);
			actors_check(fake, "db");
			actor_end(&me);
			aero_store_close(&fake->base);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slot_becomes_a_gap_that_keeps_its_aliases),
		cmocka_unit_test(nothing_to_release_is_no_error),
		cmocka_unit_test(death_certificate_stays),
		cmocka_unit_test(release_during_a_change_over_leaves_no_ghost),
		cmocka_unit_test(lost_answers_and_crashes_end_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
