/* SPDX-License-Identifier: MIT */
/* R and A over the scripted store: every fault and every crash at every operation. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/actors.h"
#include "tests/support.h"

static void newcomers_are_numbered_densely(void **state)
{
	static const struct {
		const char *slots[6]; /* name, or name! when blank */
		bool masterful;
		const char *name;
		enum aero_how how;
	} rows[] = {
		{{NULL}, false, "db-0", AERO_HOW_NEW},
		{{"db-0", "db-1", NULL}, false, "db-2", AERO_HOW_NEW},
		{{"db-10!", "db-2!", "db-0", NULL}, false, "db-2", AERO_HOW_GAP},
		/* A hole of old data. */
		{{"db-0", "db-2", NULL}, false, "db-1", AERO_HOW_GAP},
		{{"db-0", "db-2", "db-3!", NULL}, false, "db-3", AERO_HOW_GAP},
		{{"!", "db-0", NULL}, false, "db-1", AERO_HOW_NEW}, /* nameless gap */
		{{NULL}, true, "db-master", AERO_HOW_NEW},
		{{"db-master!", "db-slave-1!", NULL}, true, "db-master", AERO_HOW_GAP},
		{{"db-master", NULL}, true, "db-slave-1", AERO_HOW_NEW},
		{{"db-master", "db-slave-1", "db-slave-2!", NULL}, true, "db-slave-2",
			AERO_HOW_GAP},
		{{"db-master!", NULL}, false, "db-0", AERO_HOW_NEW},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct fake_store *fake = fake_store_new();
		struct test_actor me;

		print_message("row %zu\n", i);
		actors_put(fake, "db", rows[i].masterful, rows[i].slots);
		actor_init(&me, fake, AERO_ACT_REGISTER, "db", rows[i].masterful, "i-me");
		assert_int_equal(AERO_OK, actor_run(&me));
		assert_string_equal(rows[i].name, me.actor.hostname);
		assert_int_equal(rows[i].how, me.actor.how);
		assert_true(me.actor.ahead <= 1); /* nobody else is there */
		actors_check(fake, "db");
		actor_end(&me);
		aero_store_close(&fake->base);
	}
}

static void who_is_there_keeps_its_name_with_a_new_tenure(void **state)
{
	static const char *const slots[] = {"db-0", "db-1", NULL};
	struct fake_store *fake = fake_store_new();
	struct test_actor me;
	int64_t reg;

	(void)state;
	actors_put(fake, "db", false, slots);
	for (int turn = 0; turn < 3; turn++) {
		actor_init(&me, fake, AERO_ACT_REGISTER, "db", false, "i-db-1");
		reg = fake_slot(fake, "db-1")->reg;
		assert_int_equal(AERO_OK, actor_run(&me));
		assert_string_equal("db-1", me.actor.hostname);
		assert_int_equal(AERO_HOW_HELD, me.actor.how);
		assert_true(fake_slot(fake, "db-1")->reg != reg);
		assert_string_equal("10.0.0.1", fake_slot(fake, "db-1")->who.ip);
		assert_int_equal(turn + 1, fake_node(fake, "i-db-1")->gen);
		actor_end(&me);
	}
	assert_int_equal(2, fake->slots.n);
	aero_store_close(&fake->base);
}

static void refusals_change_no_slot(void **state)
{
	static const struct {
		const char *slots[4];
		const char *service, *id;
		bool dead;
		int rc;
		const char *words;
	} rows[] = {
		{{"db-0", NULL}, "web", "i-db-0", false, AERO_REFUSED,
			"this node is db-0; release it first"},
		{{NULL}, "db", "i-me", true, AERO_AGAIN, "declared dead (stopped)"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct fake_store *fake = fake_store_new();
		struct test_actor me;

		actors_put(fake, "db", false, rows[i].slots);
		if (fake->slots.n > 0)
			assert_true(aero_list_add(&fake->slots.v[0].who.aliases, "mine"));
		*fake_node(fake, rows[i].id) = (struct aero_node){
			.exists = true, .gen = 4, .dead = rows[i].dead, .why = "stopped"};
		actor_init(
			&me, fake, AERO_ACT_REGISTER, rows[i].service, false, rows[i].id);
		assert_true(aero_list_add(&me.who.aliases, "mine"));
		assert_int_equal(rows[i].rc, actor_run(&me));
		assert_non_null(strstr(me.err.msg, rows[i].words));
		assert_int_equal(rows[i].slots[0] != NULL, fake_held(fake, rows[i].id));
		actor_end(&me);
		aero_store_close(&fake->base);
	}
}

static void released_registers_again_only_when_asked(void **state)
{
	struct fake_store *fake = fake_store_new();
	struct test_actor me;

	(void)state;
	*fake_node(fake, "i-me") =
		(struct aero_node){.exists = true, .gen = 1, .left = true};
	actor_init(&me, fake, AERO_ACT_REGISTER, "db", false, "i-me");
	me.actor.asked = false;
	assert_int_equal(AERO_REFUSED, actor_run(&me));
	assert_int_equal(0, fake->slots.n);
	actor_end(&me);
	actor_init(&me, fake, AERO_ACT_REGISTER, "db", false, "i-me");
	assert_int_equal(AERO_OK, actor_run(&me));
	assert_false(fake_node(fake, "i-me")->left);
	actor_end(&me);
	aero_store_close(&fake->base);
}

/* The original's own test: a swapped-out master without a hostname may pick again. */
static void nameless_document_of_mine_is_given_up(void **state)
{
	static const char *const slots[] = {"db-master", NULL};
	struct fake_store *fake = fake_store_new();
	struct test_actor me;

	(void)state;
	actors_put(fake, "db", true, slots);
	fake_put(fake, "", "db", "masterful", "i-me");
	actor_init(&me, fake, AERO_ACT_REGISTER, "db", true, "i-me");
	assert_int_equal(AERO_OK, actor_run(&me));
	assert_string_equal("db-slave-1", me.actor.hostname);
	assert_int_equal(1, fake_held(fake, "i-me"));
	actor_end(&me);
	aero_store_close(&fake->base);
}

/* The original's reset_conflict_aliases(['test']) on ['test', 'not_test']. */
static void only_conflicting_aliases_move(void **state)
{
	static const char *const slots[] = {"db-0", "db-1", NULL};
	struct fake_store *fake = fake_store_new();
	struct test_actor me;
	struct aero_slot *old;

	(void)state;
	actors_put(fake, "db", false, slots);
	old = fake_slot(fake, "db-0");
	assert_true(aero_list_add(&old->who.aliases, "test"));
	assert_true(aero_list_add(&old->who.aliases, "not_test"));
	actor_init(&me, fake, AERO_ACT_REGISTER, "db", false, "i-me");
	assert_true(aero_list_add(&me.who.aliases, "test"));
	assert_int_equal(AERO_OK, actor_run(&me));
	old = fake_slot(fake, "db-0");
	assert_int_equal(1, old->who.aliases.n);
	assert_string_equal("not_test", old->who.aliases.v[0]);
	assert_true(aero_list_has(&fake_slot(fake, "db-2")->who.aliases, "test"));
	actor_end(&me);
	aero_store_close(&fake->base);
}

static void foreign_entry_in_the_way_is_an_error_not_a_loop(void **state)
{
	static const char *const slots[] = {"db-0", NULL};
	struct fake_store *fake = fake_store_new();
	struct test_actor me;

	(void)state;
	actors_put(fake, "db", false, slots);
	fake_put(fake, "db-1", "static", "", "");
	actor_init(&me, fake, AERO_ACT_REGISTER, "db", false, "i-me");
	assert_int_equal(AERO_REFUSED, actor_run(&me));
	assert_non_null(strstr(me.err.msg, "belongs to service static"));
	actor_end(&me);
	aero_store_close(&fake->base);
}

/* Starting points for the fault tests. */
static const struct start {
	const char *slots[5];
	bool masterful;
	const char *id, *name;
} starts[] = {
	{{NULL}, false, "i-me", "db-0"},
	{{"db-0", "db-1!", NULL}, false, "i-me", "db-1"},
	{{"db-0", NULL}, false, "i-db-0", "db-0"},
	{{NULL}, true, "i-me", "db-master"},
	{{"db-master!", "db-slave-1", NULL}, true, "i-me", "db-master"},
	{{"db-master!", "db-slave-1", NULL}, true, "i-db-slave-1", "db-slave-1"},
	{{"db-master", NULL}, true, "i-me", "db-slave-1"},
};

static void start_at(const struct start *start, struct fake_store **ret_fake,
	struct test_actor *ret_me)
{
	*ret_fake = fake_store_new();
	actors_put(*ret_fake, "db", start->masterful, start->slots);
	actor_init(
		ret_me, *ret_fake, AERO_ACT_REGISTER, "db", start->masterful, start->id);
	assert_true(aero_list_add(&ret_me->who.aliases, "alias"));
}

static void lost_answers_never_cost_or_double_a_slot(void **state)
{
	struct fake_store *fake;
	struct test_actor me;
	unsigned ops, tried = 0;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(starts); i++) {
		start_at(&starts[i], &fake, &me);
		assert_int_equal(AERO_OK, actor_run(&me));
		ops = fake->ops;
		actor_end(&me);
		aero_store_close(&fake->base);
		for (unsigned at = 1; at <= ops; at++)
			for (int fault = FAKE_NET; fault < FAKE_N_FAULTS; fault++) {
				start_at(&starts[i], &fake, &me);
				fake->fault_at = at;
				fake->fault = (enum fake_fault)fault;
				assert_int_equal(AERO_OK, actor_run(&me));
				assert_int_equal(1, me.troubles);
				assert_string_equal(starts[i].name, me.actor.hostname);
				assert_int_equal(1, fake_held(fake, starts[i].id));
				actors_check(fake, "db");
				actors_dense(fake, "db", starts[i].masterful);
				tried++;
				actor_end(&me);
				aero_store_close(&fake->base);
			}
	}
	print_message("%u faults\n", tried);
}

static void crash_anywhere_and_the_next_run_finishes(void **state)
{
	struct fake_store *fake;
	struct test_actor me;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(starts); i++)
		for (unsigned at = 1;; at++) {
			bool done;

			start_at(&starts[i], &fake, &me);
			while (fake->ops < at && me.actor.step != AERO_STEP_DONE)
				assert_int_equal(
					AERO_OK, aero_actor_step(&me.actor, &me.err));
			done = me.actor.step == AERO_STEP_DONE;
			actor_end(&me); /* the crash */
			/* Another one comes first, and helps where an op is open. */
			actor_init(&me, fake, AERO_ACT_REGISTER, "db",
				starts[i].masterful, "i-other");
			assert_int_equal(AERO_OK, actor_run(&me));
			actors_check(fake, "db");
			actors_dense(fake, "db", starts[i].masterful);
			actor_end(&me);
			actor_init(&me, fake, AERO_ACT_REGISTER, "db",
				starts[i].masterful, starts[i].id);
			assert_int_equal(AERO_OK, actor_run(&me));
			assert_int_equal(1, fake_held(fake, starts[i].id));
			assert_int_equal(1, fake_held(fake, "i-other"));
			if (done)
				assert_string_equal(starts[i].name, me.actor.hostname);
			actors_check(fake, "db");
			actors_dense(fake, "db", starts[i].masterful);
			actor_end(&me);
			aero_store_close(&fake->base);
			if (done)
				break;
		}
}

/* Until the next step is this one. */
static void go_to(struct test_actor *me, enum aero_step step)
{
	while (me->actor.step != step) {
		assert_true(me->actor.step != AERO_STEP_DONE);
		assert_int_equal(AERO_OK, aero_actor_step(&me->actor, &me->err));
	}
}

/* Each time that another one was quicker, four times as many slots; then the lowest is
 * ours, the rest are gaps for those who come. */
static void who_meets_others_lays_out_slots_for_them(void **state)
{
	static const unsigned ahead[] = {1, 4, 16, 64, 64, 64};
	static const char *const slots[] = {"db-master", NULL};
	char name[AERO_HOSTNAME_SIZE], id[AERO_HOSTNAME_SIZE];

	(void)state;
	for (unsigned kind = 0; kind < 2 * AERO_COUNT(ahead); kind++) {
		struct fake_store *fake = fake_store_new();
		bool masterful = kind % 2 == 1;
		unsigned losses = kind / 2, first = masterful ? 1 : 0;
		struct test_actor me;
		size_t before;

		actors_put(fake, "db", true, slots);
		actor_init(&me, fake, AERO_ACT_REGISTER, "db", masterful, "i-me");
		for (unsigned i = 0; i < losses; i++) {
			go_to(&me, AERO_STEP_R5_INSERT);
			assert_int_equal(ahead[i], me.actor.ahead);
			(void)snprintf(name, sizeof(name), "%s", me.actor.appended);
			(void)snprintf(id, sizeof(id), "i-%u", i);
			fake_put(fake, name, "db", "", id);
			assert_int_equal(AERO_OK, aero_actor_step(&me.actor, &me.err));
		}
		go_to(&me, AERO_STEP_R5_INSERT);
		before = fake->slots.n;
		assert_int_equal(AERO_OK, actor_run(&me));
		assert_int_equal(before + ahead[losses], fake->slots.n);
		(void)snprintf(name, sizeof(name), "db-%s%u", masterful ? "slave-" : "",
			first + losses);
		assert_string_equal(name, me.actor.hostname);
		assert_int_equal(AERO_HOW_NEW, me.actor.how);
		actors_check(fake, "db");
		actors_dense(fake, "db", masterful);
		(void)snprintf(name, sizeof(name), "db-%s%u", masterful ? "slave-" : "",
			first + losses + ahead[losses] - 1);
		assert_true(fake_slot(fake, name) != NULL);
		actor_end(&me);
		aero_store_close(&fake->base);
	}
}

/* A claim that was lost counts as well; an append of one's own that others took. */
static void whoever_takes_our_slot_is_met_too(void **state)
{
	struct fake_store *fake = fake_store_new();
	struct test_actor me;

	(void)state;
	actor_init(&me, fake, AERO_ACT_REGISTER, "db", false, "i-me");
	go_to(&me, AERO_STEP_R5_INSERT);
	go_to(&me, AERO_STEP_R4);
	free(fake_slot(fake, "db-0")->who.instance_id);
	fake_slot(fake, "db-0")->who.instance_id = strdup("i-other");
	assert_int_equal(AERO_OK, actor_run(&me));
	assert_string_equal("db-1", me.actor.hostname);
	assert_non_null(fake_slot(fake, "db-4"));
	assert_int_equal(5, fake->slots.n);
	actor_end(&me);
	aero_store_close(&fake->base);
}

static void many_interleaved_at_random_get_dense_names(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		struct fake_store *fake = fake_store_new();
		struct test_actor me[6];
		bool masterful = seed % 2 == 0;
		uint64_t rnd = seed * 0x9e3779b97f4a7c15u;
		size_t left = AERO_COUNT(me);
		char id[16];

		for (size_t i = 0; i < AERO_COUNT(me); i++) {
			(void)snprintf(id, sizeof(id), "i-%zu", i);
			actor_init(&me[i], fake, AERO_ACT_REGISTER, "db", masterful, id);
		}
		while (left > 0) {
			struct test_actor *one;

			rnd = rnd * 6364136223846793005u + 1442695040888963407u;
			one = &me[(rnd >> 33) % AERO_COUNT(me)];
			if (one->actor.step == AERO_STEP_DONE)
				continue;
			/* Every 16th operation loses its answer, applied or not. */
			fake->fault_at = (rnd >> 40) % 16 == 0 ? fake->ops + 1 : 0;
			fake->fault =
				(rnd >> 50) % 2 ? FAKE_LOST_AFTER : FAKE_LOST_BEFORE;
			(void)aero_actor_step(&one->actor, &one->err);
			left -= one->actor.step == AERO_STEP_DONE;
		}
		assert_in_range(
			fake->slots.n, AERO_COUNT(me), AERO_COUNT(me) + AERO_AHEAD);
		for (size_t i = 0; i < AERO_COUNT(me); i++) {
			assert_int_equal(1, fake_held(fake, me[i].who.instance_id));
			assert_string_equal(me[i].who.instance_id,
				fake_slot(fake, me[i].actor.hostname)->who.instance_id);
			actor_end(&me[i]);
		}
		actors_check(fake, "db");
		actors_dense(fake, "db", masterful);
		aero_store_close(&fake->base);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newcomers_are_numbered_densely),
		cmocka_unit_test(who_is_there_keeps_its_name_with_a_new_tenure),
		cmocka_unit_test(refusals_change_no_slot),
		cmocka_unit_test(released_registers_again_only_when_asked),
		cmocka_unit_test(nameless_document_of_mine_is_given_up),
		cmocka_unit_test(only_conflicting_aliases_move),
		cmocka_unit_test(foreign_entry_in_the_way_is_an_error_not_a_loop),
		cmocka_unit_test(lost_answers_never_cost_or_double_a_slot),
		cmocka_unit_test(crash_anywhere_and_the_next_run_finishes),
		cmocka_unit_test(who_meets_others_lays_out_slots_for_them),
		cmocka_unit_test(whoever_takes_our_slot_is_met_too),
		cmocka_unit_test(many_interleaved_at_random_get_dense_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
