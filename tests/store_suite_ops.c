/* SPDX-License-Identifier: MIT */
/* The suite's first part: the operations of lib/store.h. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/support.h"
#include "tests/store_suite.h"

static void get(const char *hostname, struct aero_slot *ret)
{
	aero_slot_clear(ret);
	SUITE_RC(aero_store_by_hostname(suite_store, hostname, ret, err), AERO_OK);
}

/* service:instance:ip:ip6:alias,alias: of a slot, to be compared at a glance. */
static const char *words_of(const struct aero_slot *slot)
{
	static char text[512];
	size_t at;

	(void)snprintf(text, sizeof(text), "%s:%s:%s:%s:%s:", slot->service,
		slot->service_type, slot->who.instance_id, slot->who.ip, slot->who.ip6);
	for (size_t i = 0; i < slot->who.aliases.n; i++) {
		at = strlen(text);
		(void)snprintf(text + at, sizeof(text) - at, "%s%s", i == 0 ? "" : ",",
			slot->who.aliases.v[i]);
	}
	return text;
}

static void expect(const char *hostname, const char *words)
{
	struct aero_slot slot = {0};

	get(hostname, &slot);
	assert_string_equal(words_of(&slot), words);
	aero_slot_clear(&slot);
}

static void an_empty_store_answers_with_nothing(void **state)
{
	struct aero_slots slots = {0};
	struct aero_slot slot = {0};
	struct aero_node node = {.gen = 9};
	struct aero_control control = {.epoch = 9};

	(void)state;
	SUITE_RC(aero_store_ping(suite_store, err), AERO_OK);
	SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
	assert_int_equal(slots.n, 0);
	SUITE_RC(aero_store_by_hostname(suite_store, "web-0", &slot, err), AERO_MISS);
	SUITE_RC(aero_store_by_instance(suite_store, "i-0", &slot, err), AERO_MISS);
	SUITE_RC(aero_store_by_hostname(suite_store, "", &slot, err), AERO_MISS);
	SUITE_RC(aero_store_by_instance(suite_store, "", &slot, err), AERO_MISS);
	assert_null(slot.hostname);
	SUITE_RC(aero_store_node(suite_store, "i-0", &node, err), AERO_OK);
	assert_false(node.exists || node.left || node.dead || node.gen != 0);
	SUITE_RC(aero_store_control(suite_store, "db", &control, err), AERO_OK);
	assert_true(control.epoch == 0 && !control.open &&
		    control.promote.instance_id == NULL);
}

static void indexes_are_made_once_and_found(void **state)
{
	(void)state;
	SUITE_RC(aero_store_indexes_create(suite_store, err), AERO_OK);
	SUITE_RC(aero_store_indexes_create(suite_store, err), AERO_OK);
	SUITE_RC(aero_store_indexes_check(suite_store, err), AERO_OK);
}

static void slots_come_back_as_inserted(void **state)
{
	struct aero_slot *full = suite_slot("db-master", "db", "i-1", "10.0.0.1", "a,b");
	struct aero_slot slot = {0};

	(void)state;
	free(full->who.ip6);
	full->who.ip6 = strdup("2001:db8::1");
	full->reg = INT64_MAX;
	full->epoch = 7;
	full->registered_at = 1700000000123;
	suite_insert(suite_store, full);
	suite_insert(suite_store, suite_slot("db-slave-1", "db", "", "", NULL));
	get("db-master", &slot);
	assert_string_equal(slot.hostname, "db-master");
	assert_string_equal(words_of(&slot), "db:masterful:i-1:10.0.0.1:2001:db8::1:a,b");
	assert_true(slot.reg == INT64_MAX && slot.epoch == 7);
	assert_true(slot.registered_at == 1700000000123);
	expect("db-slave-1", "db:masterful::::");
	aero_slot_clear(&slot);
	SUITE_RC(aero_store_by_instance(suite_store, "i-1", &slot, err), AERO_OK);
	assert_string_equal(slot.hostname, "db-master");
	aero_slot_clear(&slot);
}

static void slots_are_listed_by_service_or_all(void **state)
{
	struct aero_slots slots = {0};

	(void)state;
	suite_insert_blank(suite_store, "web", 3);
	suite_insert_blank(suite_store, "webs", 2);
	SUITE_RC(aero_store_slots(suite_store, "web", &slots, err), AERO_OK);
	assert_int_equal(slots.n, 3);
	SUITE_RC(aero_store_slots(suite_store, "none", &slots, err), AERO_OK);
	assert_int_equal(slots.n, 3);
	SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
	assert_int_equal(slots.n, 8); /* appended */
	aero_slots_clear(&slots);
}

static void an_insert_stops_at_the_first_refusal(void **state)
{
	static const struct {
		const char *hostname, *instance_id;
		int rc;
	} rows[] = {
		{"web-0", "i-9", AERO_DUP_HOSTNAME},
		{"web-9", "i-0", AERO_DUP_INSTANCE},
		{"web-0", "i-0", AERO_DUP_HOSTNAME},
		{"web-0", "", AERO_DUP_HOSTNAME},
	};
	struct aero_slots all = {0};

	(void)state;
	suite_insert(suite_store, suite_slot("web-0", "web", "i-0", "10.0.0.1", NULL));
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_slot *refused = suite_slot(
			rows[i].hostname, "web", rows[i].instance_id, "", NULL);
		struct aero_slots slots = {0};
		char name[16];

		(void)snprintf(name, sizeof(name), "ok-%zu", i);
		aero_slots_add(&slots, suite_slot(name, "web", "", "", NULL));
		aero_slots_add(&slots, refused);
		aero_slots_add(&slots, suite_slot("never", "web", "", "", NULL));
		SUITE_RC(aero_store_slots_insert(suite_store, slots.v, slots.n, err),
			rows[i].rc);
		expect(name, "web:iterative::::");
		aero_slots_clear(&slots);
	}
	SUITE_RC(aero_store_slots(suite_store, NULL, &all, err), AERO_OK);
	assert_int_equal(all.n, 1 + AERO_COUNT(rows));
	aero_slots_clear(&all);
	expect("web-0", "web:iterative:i-0:10.0.0.1::");
}

static void empty_names_and_instances_are_not_unique(void **state)
{
	struct aero_slots slots = {0};

	(void)state;
	suite_insert(suite_store, suite_slot("", "web", "i-1", "10.0.0.1", NULL));
	suite_insert(suite_store, suite_slot("", "web", "i-2", "10.0.0.2", NULL));
	suite_insert(suite_store, suite_slot("web-0", "web", "", "", NULL));
	suite_insert(suite_store, suite_slot("web-1", "web", "", "", NULL));
	SUITE_RC(aero_store_slots(suite_store, "web", &slots, err), AERO_OK);
	assert_int_equal(slots.n, 4);
	aero_slots_clear(&slots);
}

/* Insert web-0 (occupied by i-0, reg 5), web-1 (blank), web-2 (i-2, no reg), db-master
 * (i-m, epoch 4). */
static void insert_four(void)
{
	struct aero_slot *slot = suite_slot("web-0", "web", "i-0", "10.0.0.1", "x,y");

	slot->reg = 5;
	suite_insert(suite_store, slot);
	suite_insert(suite_store, suite_slot("web-1", "web", "", "", "old"));
	suite_insert(suite_store, suite_slot("web-2", "web", "i-2", "10.0.0.2", NULL));
	slot = suite_slot("db-master", "db", "i-m", "10.0.0.9", NULL);
	slot->epoch = 4;
	suite_insert(suite_store, slot);
}

static void an_update_touches_only_what_matches(void **state)
{
	static const struct {
		struct aero_slot_match match;
		int rc;
	} rows[] = {
		{{.hostname = "web-9", .occupant = {"i-0"}}, AERO_MISS},
		{{.hostname = "", .occupant = {""}}, AERO_MISS},
		{{.hostname = "web-0", .occupant = {"i-1"}}, AERO_MISS},
		{{.hostname = "web-0", .occupant = {""}}, AERO_MISS},
		{{.hostname = "web-0", .occupant = {"i-1", ""}}, AERO_MISS},
		{{.hostname = "web-0", .occupant = {NULL, "i-1"}}, AERO_MISS},
		{{.hostname = "web-0"}, AERO_OK},
		{{.hostname = "web-0", .occupant = {"i-0"}}, AERO_OK},
		{{.hostname = "web-0", .occupant = {"i-0", ""}}, AERO_OK},
		{{.hostname = "web-0", .occupant = {"i-1", "i-0"}}, AERO_OK},
		{{.hostname = "web-0", .occupant = {NULL, "i-0"}}, AERO_OK},
		{{.hostname = "web-1", .occupant = {"i-0", ""}}, AERO_OK},
		{{.hostname = "web-1", .occupant = {"", NULL}}, AERO_OK},
		{{.hostname = "web-1", .occupant = {"i-0"}}, AERO_MISS},
		{{.hostname = "web-0", .match_reg = true, .reg = 5}, AERO_OK},
		{{.hostname = "web-0", .match_reg = true, .reg = 6}, AERO_MISS},
		{{.hostname = "web-0", .match_reg = true, .reg = 0}, AERO_MISS},
		{{.hostname = "web-0", .match_reg = false, .reg = 6}, AERO_OK},
		{{.hostname = "web-2", .match_reg = true, .reg = 0}, AERO_OK},
		{{.hostname = "web-2", .match_reg = true, .reg = 5}, AERO_MISS},
		{{.hostname = "web-2", .occupant = {"i-2"}, .match_reg = true}, AERO_OK},
		{{.hostname = "web-2", .occupant = {"i-0"}, .match_reg = true},
			AERO_MISS},
		{{.hostname = "db-master", .epoch_below = 4}, AERO_MISS},
		{{.hostname = "db-master", .epoch_below = 3}, AERO_MISS},
		{{.hostname = "db-master", .epoch_below = 5}, AERO_OK},
		{{.hostname = "db-master", .occupant = {"i-m", ""}, .epoch_below = 5},
			AERO_OK},
		{{.hostname = "db-master", .occupant = {"i-x", ""}, .epoch_below = 5},
			AERO_MISS},
		{{.hostname = "web-0", .epoch_below = 1}, AERO_OK}, /* absent */
	};
	static const struct aero_slot_change change = {.service_type = "touched"};
	struct aero_slots slots = {0};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		size_t touched = 0;

		suite_env->reset();
		insert_four();
		SUITE_RC(
			aero_store_slot_update(suite_store, &rows[i].match, &change, err),
			rows[i].rc);
		SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
		for (size_t j = 0; j < slots.n; j++)
			touched += strcmp(slots.v[j].service_type, "touched") == 0;
		if (touched != (rows[i].rc == AERO_OK))
			fail_msg("row %zu touched %zu slots", i, touched);
		aero_slots_clear(&slots);
	}
}

static void update(const char *hostname, const struct aero_slot_change *change, int rc)
{
	struct aero_slot_match match = {.hostname = hostname};

	SUITE_RC(aero_store_slot_update(suite_store, &match, change, err), rc);
}

static void an_update_writes_just_what_it_says(void **state)
{
	struct aero_slot *who = suite_slot("", "", "i-7", "10.0.0.7", "x,z");
	struct aero_slot_change put = {.who = &who->who, .reg = 77};
	struct aero_slot_change blank = {.blank = true}, epoch = {.epoch = 9};
	struct aero_slot slot = {0};
	int64_t now = (int64_t)time(NULL) * 1000;

	(void)state;
	insert_four();
	free(who->who.ip6);
	who->who.ip6 = strdup("2001:db8::7");
	update("web-1", &put, AERO_OK);
	get("web-1", &slot);
	assert_string_equal(
		words_of(&slot), "web:iterative:i-7:10.0.0.7:2001:db8::7:x,z");
	assert_true(slot.reg == 77 && slot.epoch == 0);
	assert_true(slot.registered_at > now - 60000 && slot.registered_at < now + 60000);

	update("web-1", &blank, AERO_OK);
	get("web-1", &slot);
	assert_string_equal(words_of(&slot), "web:iterative::::x,z"); /* aliases stay */
	assert_true(slot.reg == 77);

	/* With renew the occupant is matched, not written: here another one is in, for
	 * whom i-7's second address does not count. */
	put.renew = true;
	put.epoch = 12;
	put.service_type = "masterful";
	update("web-0", &put, AERO_OK);
	get("web-0", &slot);
	assert_string_equal(words_of(&slot), "web:masterful:i-0:10.0.0.7::x,z");
	assert_true(slot.reg == 77 && slot.epoch == 12);

	update("db-master", &epoch, AERO_OK);
	get("db-master", &slot);
	assert_string_equal(words_of(&slot), "db:masterful:i-m:10.0.0.9::");
	assert_true(slot.reg == 0 && slot.epoch == 9 && slot.registered_at == 0);
	aero_slot_clear(&slot);
}

static void an_instance_never_gets_a_second_slot(void **state)
{
	struct aero_slot *who = suite_slot("", "", "i-2", "10.0.0.7", "z");
	struct aero_slot_change put = {.who = &who->who, .reg = 77};
	struct aero_slot slot = {0};

	(void)state;
	insert_four();
	update("web-1", &put, AERO_DUP_INSTANCE);
	expect("web-1", "web:iterative::::old");
	SUITE_RC(aero_store_slot_claim(suite_store, "web", NULL, &put, &slot, err),
		AERO_DUP_INSTANCE);
	assert_null(slot.hostname);
	expect("web-1", "web:iterative::::old");
	update("web-2", &put, AERO_OK); /* into its own: no clash */
	expect("web-2", "web:iterative:i-2:10.0.0.7::z");
}

static void a_claim_takes_the_lowest_number(void **state)
{
	static const char *const order[] = {"db-2", "db-10", "db-11", "db-100"};
	struct aero_slot slot = {0};
	char id[16];

	(void)state;
	suite_insert(suite_store, suite_slot("db-100", "db", "", "", NULL));
	suite_insert(suite_store, suite_slot("db-10", "db", "", "", "kept-not"));
	suite_insert(suite_store, suite_slot("db-1", "db", "i-1", "10.0.0.1", NULL));
	suite_insert(suite_store, suite_slot("db-2", "db", "", "", NULL));
	suite_insert(suite_store, suite_slot("db-11", "db", "", "", NULL));
	suite_insert(suite_store, suite_slot("db-0", "db", "", "", NULL));
	suite_insert(suite_store, suite_slot("", "db", "", "", NULL));
	suite_insert(suite_store, suite_slot("a-0", "a", "", "", NULL));
	for (size_t i = 0; i < AERO_COUNT(order); i++) {
		struct aero_slot *who;
		struct aero_slot_change put;

		(void)snprintf(id, sizeof(id), "i-c%zu", i);
		who = suite_slot("", "", id, "10.0.1.1", "al");
		put = (struct aero_slot_change){.who = &who->who, .reg = 5 + (int64_t)i};
		SUITE_RC(aero_store_slot_claim(
				 suite_store, "db", "db-0", &put, &slot, err),
			AERO_OK);
		assert_string_equal(slot.hostname, order[i]);
		assert_string_equal(slot.who.instance_id, id);
		assert_string_equal(slot.who.aliases.v[0], "al");
		assert_true(slot.reg == 5 + (int64_t)i && slot.registered_at > 0);
		aero_slot_clear(&slot);
		SUITE_RC(aero_store_by_instance(suite_store, id, &slot, err), AERO_OK);
		assert_string_equal(slot.hostname, order[i]);
		aero_slot_clear(&slot);
	}
	update("db-11", &(struct aero_slot_change){.blank = true}, AERO_OK);
	update("db-100", &(struct aero_slot_change){.blank = true}, AERO_OK);
	suite_insert(suite_store, suite_slot("db-3", "db", "i-3", "10.0.0.3", NULL));
	for (int i = 0; i < 4; i++) {
		/* db-11, db-100 and, no longer excepted, db-0; the nameless one never */
		static const char *const left[] = {"db-0", "db-11", "db-100", NULL};
		struct aero_slot *who;
		struct aero_slot_change put;

		(void)snprintf(id, sizeof(id), "i-d%d", i);
		who = suite_slot("", "", id, "10.0.1.1", NULL);
		put = (struct aero_slot_change){.who = &who->who, .reg = 1};
		SUITE_RC(aero_store_slot_claim(suite_store, "db", NULL, &put, &slot, err),
			left[i] == NULL ? AERO_MISS : AERO_OK);
		if (left[i] != NULL)
			assert_string_equal(slot.hostname, left[i]);
		else
			assert_null(slot.hostname);
		aero_slot_clear(&slot);
	}
}

static void only_the_conflicting_aliases_are_taken(void **state)
{
	struct aero_list mine = {0};

	(void)state;
	suite_insert(suite_store,
		suite_slot("web-0", "web", "i-0", "10.0.0.1", "test,not_test"));
	suite_insert(suite_store,
		suite_slot("web-1", "web", "i-1", "10.0.0.2", "a,test,b,second"));
	suite_insert(suite_store, suite_slot("web-2", "web", "", "", "second"));
	suite_insert(suite_store,
		suite_slot("web-3", "web", "i-3", "10.0.0.3", "testing,tes"));
	suite_insert(suite_store,
		suite_slot("web-4", "web", "i-4", "10.0.0.4", "test,second,own"));
	suite_insert(suite_store, suite_slot("", "web", "i-5", "10.0.0.5", NULL));
	SUITE_RC(aero_store_aliases_take(suite_store, &mine, "i-4", err), AERO_OK);
	expect("web-0", "web:iterative:i-0:10.0.0.1::test,not_test");
	assert_true(aero_list_add(&mine, "test") && aero_list_add(&mine, "second"));
	for (int i = 0; i < 2; i++) {
		SUITE_RC(
			aero_store_aliases_take(suite_store, &mine, "i-4", err), AERO_OK);
		expect("web-0", "web:iterative:i-0:10.0.0.1::not_test");
		expect("web-1", "web:iterative:i-1:10.0.0.2::a,b");
		expect("web-2", "web:iterative::::");
		expect("web-3", "web:iterative:i-3:10.0.0.3::testing,tes");
		expect("web-4", "web:iterative:i-4:10.0.0.4::test,second,own");
	}
	aero_list_clear(&mine);
}

static void a_node_changes_only_from_the_generation_that_was_read(void **state)
{
	struct aero_node none = {0}, node = {0}, stale;

	(void)state;
	SUITE_RC(aero_store_node_update(
			 suite_store, "i-1", &none, false, false, NULL, err),
		AERO_OK);
	SUITE_RC(aero_store_node(suite_store, "i-1", &node, err), AERO_OK);
	assert_true(node.exists && node.gen == 1 && !node.left && !node.dead);
	SUITE_RC(
		aero_store_node_update(suite_store, "i-1", &none, true, false, NULL, err),
		AERO_MISS);
	stale = node;
	SUITE_RC(
		aero_store_node_update(suite_store, "i-1", &node, true, false, NULL, err),
		AERO_OK);
	SUITE_RC(
		aero_store_node_update(suite_store, "i-1", &stale, false, true, "x", err),
		AERO_MISS);
	SUITE_RC(aero_store_node(suite_store, "i-1", &node, err), AERO_OK);
	assert_true(node.gen == 2 && node.left && !node.dead);
	SUITE_RC(aero_store_node_update(
			 suite_store, "i-1", &node, true, true, "terminated", err),
		AERO_OK);
	SUITE_RC(aero_store_node(suite_store, "i-1", &node, err), AERO_OK);
	assert_true(node.gen == 3 && node.left && node.dead);
	assert_string_equal(node.why, "terminated");
	SUITE_RC(aero_store_node_update(
			 suite_store, "i-1", &node, false, false, NULL, err),
		AERO_OK);
	SUITE_RC(aero_store_node(suite_store, "i-1", &node, err), AERO_OK);
	assert_true(node.gen == 4 && !node.left && !node.dead);
	stale = (struct aero_node){.exists = true, .gen = 3};
	SUITE_RC(aero_store_node_update(
			 suite_store, "i-2", &stale, false, false, NULL, err),
		AERO_MISS);
	SUITE_RC(aero_store_node(suite_store, "i-2", &node, err), AERO_OK);
	assert_false(node.exists);
}

/* A heartbeat is by the store's clock, and changes nothing that a certificate rests on.
 */
static void a_heartbeat_is_of_the_store_s_clock_and_nothing_else(void **state)
{
	struct aero_node none = {0}, node = {0};
	int64_t before = 0, after = 0;

	(void)state;
	SUITE_RC(aero_store_node_seen(suite_store, "i-1", err), AERO_MISS);
	SUITE_RC(aero_store_node(suite_store, "i-1", &node, err), AERO_OK);
	assert_false(node.exists);
	SUITE_RC(aero_store_node_update(
			 suite_store, "i-1", &none, false, true, "terminated", err),
		AERO_OK);
	SUITE_RC(aero_store_node_update(
			 suite_store, "i-2", &none, false, false, NULL, err),
		AERO_OK);
	SUITE_RC(aero_store_clock(suite_store, &before, err), AERO_OK);
	SUITE_RC(aero_store_node_seen(suite_store, "i-1", err), AERO_OK);
	SUITE_RC(aero_store_clock(suite_store, &after, err), AERO_OK);
	assert_true(before > 1700000000000 && after >= before);
	SUITE_RC(aero_store_node(suite_store, "i-1", &node, err), AERO_OK);
	assert_true(node.seen_at >= before && node.seen_at <= after);
	assert_true(node.gen == 1 && !node.left && node.dead);
	assert_string_equal(node.why, "terminated");
	before = node.seen_at;
	SUITE_RC(aero_store_node_update(
			 suite_store, "i-1", &node, false, false, NULL, err),
		AERO_OK);
	SUITE_RC(aero_store_node(suite_store, "i-1", &node, err), AERO_OK);
	assert_true(node.seen_at == before && node.gen == 2 && !node.dead);
	SUITE_RC(aero_store_node(suite_store, "i-2", &node, err), AERO_OK);
	assert_int_equal(node.seen_at, 0);
}

/* Open with ids only. */
static int open_op(struct aero_store *store, int64_t epoch, const char *p, const char *m,
	struct aero_err *err)
{
	struct aero_slot *promote = suite_slot("", "", p, "", NULL);
	struct aero_slot *master = suite_slot("", "", m, "", NULL);

	return aero_store_control_open(
		store, "db", epoch, &promote->who, &master->who, err);
}

static void control_opens_and_closes_in_order(void **state)
{
	struct aero_control control = {0};

	(void)state;
	SUITE_RC(aero_store_control_close(suite_store, "db", 1, err), AERO_MISS);
	SUITE_RC(open_op(suite_store, 2, "p", "m", err), AERO_MISS);
	SUITE_RC(open_op(suite_store, 1, "p", "m", err), AERO_OK);
	SUITE_RC(open_op(suite_store, 1, "q", "n", err), AERO_MISS);
	SUITE_RC(open_op(suite_store, 2, "q", "n", err), AERO_MISS);
	SUITE_RC(aero_store_control(suite_store, "db", &control, err), AERO_OK);
	assert_true(control.epoch == 1 && control.open);
	assert_string_equal(control.promote.instance_id, "p");
	assert_string_equal(control.master.instance_id, "m");
	aero_control_clear(&control);
	SUITE_RC(aero_store_control_close(suite_store, "db", 2, err), AERO_MISS);
	SUITE_RC(aero_store_control_close(suite_store, "db", 1, err), AERO_OK);
	SUITE_RC(aero_store_control_close(suite_store, "db", 1, err), AERO_MISS);
	SUITE_RC(aero_store_control(suite_store, "db", &control, err), AERO_OK);
	assert_true(control.epoch == 1 && !control.open);
	assert_null(control.promote.instance_id);
	SUITE_RC(open_op(suite_store, 1, "p", "", err), AERO_MISS);
	SUITE_RC(open_op(suite_store, 2, "q", "", err), AERO_OK);
	SUITE_RC(aero_store_control(suite_store, "db", &control, err), AERO_OK);
	assert_true(control.epoch == 2 && control.open);
	assert_string_equal(control.master.instance_id, "");
	aero_control_clear(&control);
	SUITE_RC(aero_store_control(suite_store, "other", &control, err), AERO_OK);
	assert_true(control.epoch == 0 && !control.open);
}

static void an_op_carries_its_occupants(void **state)
{
	struct aero_slot *p = suite_slot("", "", "i-p", "10.0.0.1", "a,b");
	struct aero_slot *m = suite_slot("", "", "i-m", "10.0.0.2", "c");
	struct aero_control control = {0};

	(void)state;
	free(p->who.ip6);
	p->who.ip6 = strdup("2001:db8::1");
	SUITE_RC(aero_store_control_open(suite_store, "db", 1, &p->who, &m->who, err),
		AERO_OK);
	SUITE_RC(aero_store_control(suite_store, "db", &control, err), AERO_OK);
	assert_string_equal(control.promote.instance_id, "i-p");
	assert_string_equal(control.promote.ip, "10.0.0.1");
	assert_string_equal(control.promote.ip6, "2001:db8::1");
	assert_int_equal(control.promote.aliases.n, 2);
	assert_string_equal(control.promote.aliases.v[1], "b");
	assert_string_equal(control.master.instance_id, "i-m");
	assert_string_equal(control.master.ip, "10.0.0.2");
	assert_string_equal(control.master.ip6, "");
	assert_string_equal(control.master.aliases.v[0], "c");
	aero_control_clear(&control);
	/* No master to replace. */
	SUITE_RC(aero_store_control_open(suite_store, "no", 1, &p->who, NULL, err),
		AERO_OK);
	SUITE_RC(aero_store_control(suite_store, "no", &control, err), AERO_OK);
	assert_string_equal(control.master.instance_id, "");
	assert_int_equal(control.master.aliases.n, 0);
	aero_control_clear(&control);
}

static void an_import_inserts_or_replaces_by_hostname(void **state)
{
	struct aero_slot *slot = suite_slot("web-0", "web", "i-0", "10.0.0.1", "a");
	struct aero_slot got = {0};
	struct aero_slots slots = {0};

	(void)state;
	SUITE_RC(aero_store_slot_import(suite_store, slot, err), AERO_OK);
	expect("web-0", "web:iterative:i-0:10.0.0.1::a");
	slot = suite_slot("web-0", "db", "i-9", "10.0.0.2", NULL);
	SUITE_RC(aero_store_slot_import(suite_store, slot, err), AERO_OK);
	expect("web-0", "db:masterful:i-9:10.0.0.2::");
	/* What it brings of its history is kept, and is not made up. */
	get("web-0", &got);
	assert_true(got.registered_at / 1000 >= (int64_t)time(NULL) - 60 && got.reg == 0);
	slot->reg = 5;
	slot->epoch = 6;
	slot->registered_at = 1700000000123;
	SUITE_RC(aero_store_slot_import(suite_store, slot, err), AERO_OK);
	slot->reg = slot->epoch = 0;
	SUITE_RC(aero_store_slot_import(suite_store, slot, err), AERO_OK);
	get("web-0", &got);
	assert_true(got.registered_at == 1700000000123 && got.reg == 5 && got.epoch == 6);
	aero_slot_clear(&got);
	slot = suite_slot("web-1", "web", "i-9", "10.0.0.2", NULL);
	SUITE_RC(aero_store_slot_import(suite_store, slot, err), AERO_DUP_INSTANCE);
	slot = suite_slot("", "web", "i-8", "10.0.0.2", NULL);
	SUITE_RC(aero_store_slot_import(suite_store, slot, err), AERO_BAD);
	slot = suite_slot("printer", "", "", "10.0.0.3", NULL); /* a static entry */
	SUITE_RC(aero_store_slot_import(suite_store, slot, err), AERO_OK);
	expect("printer", ":iterative::10.0.0.3::");
	SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
	assert_int_equal(slots.n, 2);
	aero_slots_clear(&slots);
}

static void old_documents_load(void **state)
{
	bson_t *docs[64];
	size_t n = suite_original(docs, AERO_COUNT(docs));
	struct aero_slots slots = {0};
	struct aero_slot slot = {0};
	struct aero_err words = {{0}};
	int rc;

	(void)state;
	if (suite_env->load != NULL) {
		suite_env->load(docs, n);
		SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
		assert_int_equal(slots.n, n);
		rc = aero_store_indexes_create(suite_store, &words);
		assert_true(rc == AERO_DUP_HOSTNAME || rc == AERO_DUP_INSTANCE);
		assert_true(aero_store_indexes_check(suite_store, &words) == AERO_MISS);
		assert_true(*words.msg != '\0');
	}
	for (size_t i = 0; suite_env->load == NULL && i < n; i++) {
		assert_true(aero_slot_of_bson(docs[i], &slot, NULL));
		rc = aero_store_slot_import(suite_store, &slot, &words);
		assert_true(
			rc == AERO_OK ||
			rc == (*slot.hostname == '\0' ? AERO_BAD : AERO_DUP_INSTANCE));
		aero_slot_clear(&slot);
	}
	get("web-0", &slot);
	assert_string_equal(words_of(&slot), "web:iterative:i-00000001:10.0.0.1::");
	aero_slot_clear(&slot);
	aero_slots_clear(&slots);
	suite_docs_free(docs, n);
}

static void reading_only_writes_nothing(void **state)
{
	struct aero_store *reader = suite_env->open(true);
	struct aero_slots slots = {0};

	(void)state;
	suite_insert_blank(suite_store, "web", 2);
	SUITE_RC(aero_store_slots(reader, NULL, &slots, err), AERO_OK);
	assert_int_equal(slots.n, 2);
	aero_slots_clear(&slots);
	aero_store_close(reader);
}

/* ---- crowds ---- */

static int claim_four(struct aero_store *store, int turn)
{
	struct aero_slot slot = {0};
	char id[32];
	int rc = AERO_OK;

	for (int i = 0; rc == AERO_OK && i < 4; i++) {
		struct aero_occupant who = {.instance_id = id};
		struct aero_slot_change put = {.who = &who, .reg = 1 + turn};

		(void)snprintf(id, sizeof(id), "i-%d-%d", turn, i);
		rc = aero_store_slot_claim(store, "web", NULL, &put, &slot, NULL);
		aero_slot_clear(&slot);
	}
	return rc != AERO_OK;
}

/* All numbers 0..n-1 of web once, each with an occupant of its own. */
static void expect_dense(size_t n)
{
	struct aero_slots slots = {0};
	char hostname[32];

	SUITE_RC(aero_store_slots(suite_store, "web", &slots, err), AERO_OK);
	for (size_t i = 0, found = 0; i < n; i++, found = 0) {
		(void)snprintf(hostname, sizeof(hostname), "web-%zu", i);
		for (size_t j = 0; j < slots.n; j++)
			found += strcmp(slots.v[j].hostname, hostname) == 0 &&
				 *slots.v[j].who.instance_id != '\0';
		assert_int_equal(found, 1);
	}
	for (size_t i = 0; i < slots.n; i++)
		for (size_t j = 0; j < i; j++)
			assert_true(*slots.v[i].who.instance_id == '\0' ||
				    strcmp(slots.v[i].who.instance_id,
					    slots.v[j].who.instance_id) != 0);
	aero_slots_clear(&slots);
}

static void a_crowd_claims_different_dense_numbers(void **state)
{
	(void)state;
	suite_insert_blank(suite_store, "web", 40);
	suite_crowd_start(claim_four, 8);
	suite_crowd_join();
	expect_dense(32);
}

/* A newcomer as the protocol has it: claim, else append a blank number and claim. */
static int newcomer(struct aero_store *store, int turn)
{
	char id[32], hostname[32] = "";
	struct aero_occupant who = {.instance_id = id};
	struct aero_slot_change put = {.who = &who, .reg = 1};
	struct aero_slot slot = {0};
	struct aero_slots slots = {0};
	int rc = AERO_MISS;

	(void)snprintf(id, sizeof(id), "i-%d", turn);
	for (int i = 0; rc == AERO_MISS && i < 200; i++) {
		struct aero_slot next = {.hostname = hostname, .service = NULL};
		char web[] = "web";

		next.service = web;
		rc = aero_store_slot_claim(store, "web", NULL, &put, &slot, NULL);
		aero_slot_clear(&slot);
		if (rc != AERO_MISS)
			break;
		if (aero_store_slots(store, "web", &slots, NULL) != AERO_OK)
			return 1;
		(void)snprintf(hostname, sizeof(hostname), "web-%zu", slots.n);
		aero_slots_clear(&slots);
		(void)aero_store_slots_insert(store, &next, 1, NULL);
	}
	return rc != AERO_OK;
}

static void a_crowd_of_newcomers_gets_dense_numbers(void **state)
{
	(void)state;
	suite_crowd_start(newcomer, 8);
	suite_crowd_join();
	expect_dense(8);
}

static int open_control(struct aero_store *store, int turn)
{
	char id[32], won[32];
	char nobody[] = "";
	int rc;
	struct aero_occupant who = {.instance_id = id};

	(void)snprintf(id, sizeof(id), "i-%d", turn);
	for (int64_t epoch = 1; epoch <= 5; epoch++) {
		struct aero_slot mark = {.hostname = won, .service = nobody};

		(void)snprintf(won, sizeof(won), "won-%d", (int)epoch);
		rc = aero_store_control_open(store, "db", epoch, &who, NULL, NULL);
		if (rc == AERO_OK &&
			aero_store_slots_insert(store, &mark, 1, NULL) != AERO_OK)
			return 1; /* a second winner meets the first one's mark */
		if (rc == AERO_OK)
			rc = aero_store_control_close(store, "db", epoch, NULL);
		if (rc != AERO_OK && rc != AERO_MISS)
			return 1;
		/* Another one's: until it is closed or passed. */
		for (int i = 0; rc == AERO_MISS && i < 1000; i++) {
			struct aero_control c = {0};

			if (aero_store_control(store, "db", &c, NULL) != AERO_OK)
				return 1;
			rc = c.epoch > epoch || (c.epoch == epoch && !c.open) ? AERO_OK
									      : AERO_MISS;
			aero_control_clear(&c);
		}
	}
	return 0;
}

static void an_epoch_is_opened_once(void **state)
{
	struct aero_control control = {0};

	(void)state;
	suite_crowd_start(open_control, 6);
	suite_crowd_join();
	SUITE_RC(aero_store_control(suite_store, "db", &control, err), AERO_OK);
	assert_true(control.epoch == 5 && !control.open);
}

/* _ids of what was walked, in order, with a blank behind each. */
static int take_id(const bson_t *doc, void *arg, struct aero_err *err)
{
	char *text = arg;
	size_t at = strlen(text);
	bson_iter_t it;

	if (!bson_iter_init_find(&it, doc, "_id") || !BSON_ITER_HOLDS_UTF8(&it))
		return aero_err_set(err, AERO_BAD, "no _id");
	(void)snprintf(text + at, 256 - at, "%s ", bson_iter_utf8(&it, NULL));
	return AERO_OK;
}

static int take_count(const bson_t *doc, void *arg, struct aero_err *err)
{
	(void)doc;
	(void)err;
	++*(int *)arg;
	return AERO_OK;
}

static void add_event(const char *id)
{
	bson_t event = BSON_INITIALIZER;

	BSON_APPEND_UTF8(&event, "_id", id);
	SUITE_RC(aero_store_history_add(suite_store, &event, err), AERO_OK);
	bson_destroy(&event);
}

static void whole_tables_are_walked(void **state)
{
	struct aero_node none = {0};
	struct aero_slot *p = suite_slot("x", "db", "i-1", "10.0.0.1", NULL);
	char text[256] = "";
	int n = 0;

	(void)state;
	for (int table = 0; table < AERO_N_TABLES; table++)
		SUITE_RC(aero_store_walk(suite_store, (enum aero_table)table, take_count,
				 &n, err),
			AERO_OK);
	assert_int_equal(n, 0);
	suite_insert_blank(suite_store, "web", 3);
	SUITE_RC(aero_store_node_update(suite_store, "i-1", &none, true, false, "", err),
		AERO_OK);
	SUITE_RC(aero_store_control_open(suite_store, "db", 1, &p->who, NULL, err),
		AERO_OK);
	SUITE_RC(aero_store_walk(suite_store, AERO_TABLE_SLOTS, take_count, &n, err),
		AERO_OK);
	assert_int_equal(n, 3);
	SUITE_RC(aero_store_walk(suite_store, AERO_TABLE_NODES, take_id, text, err),
		AERO_OK);
	SUITE_RC(aero_store_walk(suite_store, AERO_TABLE_CONTROL, take_id, text, err),
		AERO_OK);
	assert_string_equal(text, "i-1 db ");
}

static int take_one(const bson_t *doc, void *arg, struct aero_err *err)
{
	(void)take_count(doc, arg, err);
	return aero_err_set(err, AERO_REFUSED, "enough");
}

static void the_history_keeps_its_order_and_one_of_each(void **state)
{
	char text[256] = "";
	int n = 0;

	(void)state;
	add_event("e2");
	add_event("e1");
	add_event("e2");
	add_event("e3");
	SUITE_RC(aero_store_walk(suite_store, AERO_TABLE_HISTORY, take_id, text, err),
		AERO_OK);
	assert_string_equal(text, "e2 e1 e3 ");
	SUITE_RC(aero_store_walk(suite_store, AERO_TABLE_HISTORY, take_one, &n, err),
		AERO_REFUSED);
	assert_int_equal(n, 1);
}

/* ---- mending whole documents ---- */

struct whole {
	const char *hostname;
	bson_t *doc;
};

static int take_whole(const bson_t *doc, void *arg, struct aero_err *err)
{
	struct whole *whole = arg;
	bson_iter_t it;

	(void)err;
	if (bson_iter_init_find(&it, doc, "hostname") && BSON_ITER_HOLDS_UTF8(&it) &&
		strcmp(bson_iter_utf8(&it, NULL), whole->hostname) == 0) {
		bson_destroy(whole->doc);
		whole->doc = bson_copy(doc);
	}
	return AERO_OK;
}

/* The document of a hostname as a walk gives it, to be destroyed; NULL: none. */
static bson_t *whole_of(const char *hostname)
{
	struct whole whole = {hostname, NULL};

	SUITE_RC(aero_store_walk(suite_store, AERO_TABLE_SLOTS, take_whole, &whole, err),
		AERO_OK);
	return whole.doc;
}

static void a_document_is_mended_only_as_it_was_read(void **state)
{
	struct aero_slot_match match = {.hostname = "web-0", .occupant = {"i-0"}};
	struct aero_slot_change change = {.epoch = 3};
	bson_t *was, *now, set = BSON_INITIALIZER;

	(void)state;
	SUITE_RC(aero_store_indexes_create(suite_store, err), AERO_OK);
	suite_insert(suite_store, suite_slot("web-0", "web", "i-0", "10.0.0.1", "a,b"));
	suite_insert(suite_store, suite_slot("web-1", "web", "i-1", "10.0.0.2", NULL));
	was = whole_of("web-0");
	assert_non_null(was);
	/* a field that came meanwhile counts, too */
	SUITE_RC(aero_store_slot_update(suite_store, &match, &change, err), AERO_OK);
	BSON_APPEND_UTF8(&set, "instance_id", "");
	BSON_APPEND_UTF8(&set, "ip", "");
	SUITE_RC(aero_store_slot_mend(suite_store, was, &set, err), AERO_MISS);
	SUITE_RC(aero_store_slot_mend(suite_store, was, NULL, err), AERO_MISS);
	expect("web-0", "web:iterative:i-0:10.0.0.1::a,b");
	now = whole_of("web-0");
	SUITE_RC(aero_store_slot_mend(suite_store, now, &set, err), AERO_OK);
	expect("web-0", "web:iterative::::a,b");
	SUITE_RC(aero_store_slot_mend(suite_store, now, &set, err), AERO_MISS);
	bson_destroy(now);
	bson_destroy(was);
	/* the unique rules hold */
	bson_reinit(&set);
	BSON_APPEND_UTF8(&set, "hostname", "web-1");
	was = whole_of("web-0");
	SUITE_RC(aero_store_slot_mend(suite_store, was, &set, err), AERO_DUP_HOSTNAME);
	SUITE_RC(aero_store_slot_mend(suite_store, was, NULL, err), AERO_OK);
	SUITE_RC(aero_store_slot_mend(suite_store, was, NULL, err), AERO_MISS);
	assert_null(whole_of("web-0"));
	bson_destroy(was);
	bson_destroy(&set);
	/* and what it had is free again */
	suite_insert(suite_store, suite_slot("web-0", "web", "i-0", "10.0.0.3", NULL));
	expect("web-0", "web:iterative:i-0:10.0.0.3::");
	expect("web-1", "web:iterative:i-1:10.0.0.2::");
}

const struct CMUnitTest suite_store_tests[] = {
	SUITE_TEST(an_empty_store_answers_with_nothing),
	SUITE_TEST(indexes_are_made_once_and_found),
	SUITE_TEST(slots_come_back_as_inserted),
	SUITE_TEST(slots_are_listed_by_service_or_all),
	SUITE_TEST(an_insert_stops_at_the_first_refusal),
	SUITE_TEST(empty_names_and_instances_are_not_unique),
	SUITE_TEST(an_update_touches_only_what_matches),
	SUITE_TEST(an_update_writes_just_what_it_says),
	SUITE_TEST(an_instance_never_gets_a_second_slot),
	SUITE_TEST(a_claim_takes_the_lowest_number),
	SUITE_TEST(only_the_conflicting_aliases_are_taken),
	SUITE_TEST(a_document_is_mended_only_as_it_was_read),
	SUITE_TEST(a_node_changes_only_from_the_generation_that_was_read),
	SUITE_TEST(a_heartbeat_is_of_the_store_s_clock_and_nothing_else),
	SUITE_TEST(control_opens_and_closes_in_order),
	SUITE_TEST(an_op_carries_its_occupants),
	SUITE_TEST(whole_tables_are_walked),
	SUITE_TEST(the_history_keeps_its_order_and_one_of_each),
	SUITE_TEST(an_import_inserts_or_replaces_by_hostname),
	SUITE_TEST(old_documents_load),
	SUITE_TEST(reading_only_writes_nothing),
	SUITE_TEST(a_crowd_claims_different_dense_numbers),
	SUITE_TEST(a_crowd_of_newcomers_gets_dense_numbers),
	SUITE_TEST(an_epoch_is_opened_once),
};
const size_t suite_n_store_tests = AERO_COUNT(suite_store_tests);
