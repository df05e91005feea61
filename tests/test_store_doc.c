/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/support.h"
#include "lib/store_doc.h"

static void json(const char *text, bson_t *ret)
{
	bson_error_t error;

	if (!bson_init_from_json(ret, text, -1, &error))
		fail_msg("%s: %s", text, error.message);
}

/* What set functions write, as text. */
static void expect(bson_t *set, const char *want)
{
	char *text = bson_as_relaxed_extended_json(set, NULL);

	assert_string_equal(text, want);
	bson_free(text);
	bson_reinit(set);
}

static void a_slot_matches_by_name_occupant_tenure_and_epoch(void **state)
{
	static const struct {
		struct aero_slot_match match;
		bool want;
	} rows[] = {
		{{.hostname = "web-0"}, true},
		{{.hostname = "web-1"}, false},
		{{.hostname = "WEB-0"}, false},
		{{.hostname = "web-0", .occupant = {"i-0"}}, true},
		{{.hostname = "web-1", .occupant = {"i-0"}}, false},
		{{.hostname = "web-0", .occupant = {NULL, "i-0"}}, true},
		{{.hostname = "web-0", .occupant = {"", "i-1"}}, false},
		{{.hostname = "web-0", .match_reg = true, .reg = 5}, true},
		{{.hostname = "web-0", .match_reg = true}, false},
		{{.hostname = "web-0", .epoch_below = 3}, false},
		{{.hostname = "web-0", .epoch_below = 4}, true},
		{{.hostname = "web-0",
			 .occupant = {"i-0", ""},
			 .match_reg = true,
			 .reg = 5,
			 .epoch_below = 4},
			true},
	};
	char hostname[] = "web-0", id[] = "i-0";
	struct aero_slot slot = {
		.hostname = hostname, .who = {.instance_id = id}, .reg = 5, .epoch = 3};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++)
		if (aero_slot_matches(&slot, &rows[i].match) != rows[i].want)
			fail_msg("row %zu", i);
}

static void changes_are_written_as_sets(void **state)
{
	char id[] = "i-1", ip[] = "10.0.0.1";
	struct aero_occupant who = {.instance_id = id, .ip = ip};
	struct aero_slot_change put = {.who = &who, .reg = 7},
				renew = {.who = &who, .reg = 8, .renew = true},
				blank = {.blank = true, .epoch = 3},
				type = {.service_type = "x"};
	bson_t set = BSON_INITIALIZER;
	bool clock;

	(void)state;
	aero_doc_slot_change(&put, &set, &clock);
	assert_true(clock);
	expect(&set,
		"{ \"instance_id\" : \"i-1\", \"ip\" : \"10.0.0.1\", \"ip6\" : \"\", "
		"\"aliases\" : [  ], \"reg\" : 7 }");
	aero_doc_slot_change(&renew, &set, &clock);
	assert_true(clock);
	expect(&set, "{ \"ip\" : \"10.0.0.1\", \"ip6\" : \"\", \"aliases\" : [  ], "
		     "\"reg\" : 8 }");
	aero_doc_slot_change(&blank, &set, &clock);
	assert_false(clock);
	expect(&set, "{ \"instance_id\" : \"\", \"ip\" : \"\", \"ip6\" : \"\", "
		     "\"epoch\" : 3 }");
	aero_doc_slot_change(&type, &set, &clock);
	assert_false(clock);
	expect(&set, "{ \"service_type\" : \"x\" }");
	aero_doc_node_set(4, true, false, "ignored", 5000, &set);
	expect(&set, "{ \"gen\" : 4, \"left\" : true, \"dead\" : null }");
	aero_doc_node_set(5, false, true, NULL, 5000, &set);
	expect(&set, "{ \"gen\" : 5, \"left\" : false, \"dead\" : { \"why\" : \"\", "
		     "\"at\" : { \"$date\" : \"1970-01-01T00:00:05Z\" } } }");
	bson_destroy(&set);
}

static void nodes_of_any_form_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t gen;
		bool left, dead;
		const char *why;
		int64_t seen_at;
	} rows[] = {
		{"{}", 0, false, false, "", 0},
		{"{\"_id\":\"i\",\"seen_at\":1,\"hostname\":\"x\"}", 0, false, false, "",
			0},
		{"{\"gen\":1,\"seen_at\":{\"$date\":1700000000123}}", 1, false, false, "",
			1700000000123},
		{"{\"seen_at\":{\"$date\":-5}}", 0, false, false, "", 0},
		{"{\"seen_at\":null}", 0, false, false, "", 0},
		{"{\"gen\":3,\"left\":true,\"dead\":null}", 3, true, false, "", 0},
		{"{\"gen\":3.0,\"left\":false,\"dead\":{\"why\":\"gone\"}}", 3, false,
			true, "gone", 0},
		{"{\"gen\":\"x\",\"left\":null,\"dead\":{}}", 0, false, true, "", 0},
		{"{\"dead\":{\"why\":5}}", 0, false, true, "", 0},
		{"{\"dead\":true}", 0, false, true, "", 0},
		{"{\"dead\":false}", 0, false, false, "", 0},
		{"{\"dead\":{\"why\":"
		 "\"0123456789012345678901234567890123456789012345678901"
		 "23456789012345\"}}",
			0, false, true,
			"01234567890123456789012345678901234567890123456789012345678901"
			"2",
			0},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_node node = {.why = "old"};
		bson_t doc;

		json(rows[i].text, &doc);
		aero_doc_node_of_bson(&doc, &node);
		if (!node.exists || node.gen != rows[i].gen ||
			node.left != rows[i].left || node.dead != rows[i].dead)
			fail_msg("%s", rows[i].text);
		assert_string_equal(node.why, rows[i].why);
		assert_int_equal(node.seen_at, rows[i].seen_at);
		bson_destroy(&doc);
	}
}

static void controls_of_any_form_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t epoch;
		const char *p, *m, *p_ip; /* p NULL: no op is open */
	} rows[] = {
		{"{}", 0, NULL, NULL, NULL},
		{"{\"epoch\":4,\"op\":null}", 4, NULL, NULL, NULL},
		{"{\"epoch\":4,\"op\":\"x\"}", 4, NULL, NULL, NULL},
		{"{\"epoch\":4,\"op\":{}}", 4, "", "", ""},
		{"{\"epoch\":4,\"op\":{\"p\":\"a\",\"m\":\"b\"}}", 4, "a", "b", ""},
		{"{\"epoch\":4,\"op\":{\"p\":7,\"m\":null,\"ips\":5}}", 4, "", "", ""},
		{"{\"op\":{\"ips\":{\"p\":{\"ip\":\"10.0.0.1\",\"instance_id\":\"no\"},"
		 "\"m\":[]},\"p\":\"a\"}}",
			0, "a", "", "10.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_control control = {0};
		bson_t doc;

		json(rows[i].text, &doc);
		assert_true(aero_doc_control_of_bson(&doc, &control));
		if (control.epoch != rows[i].epoch || control.open != (rows[i].p != NULL))
			fail_msg("%s", rows[i].text);
		if (control.open) {
			assert_string_equal(control.promote.instance_id, rows[i].p);
			assert_string_equal(control.master.instance_id, rows[i].m);
			assert_string_equal(control.promote.ip, rows[i].p_ip);
			assert_string_equal(control.master.ip6, "");
		}
		aero_control_clear(&control);
		bson_destroy(&doc);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slot_matches_by_name_occupant_tenure_and_epoch),
		cmocka_unit_test(changes_are_written_as_sets),
		cmocka_unit_test(nodes_of_any_form_are_read),
		cmocka_unit_test(controls_of_any_form_are_read),
	};

	return cmocka_run_group_tests_name("store_doc", tests, NULL, NULL);
}
