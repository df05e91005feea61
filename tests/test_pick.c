/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "register/pick.h"
#include "tests/support.h"

/* `name` is held, `name!` is blank; ends with NULL. */
static void slots_of(const char *const *names, struct aero_slots *ret)
{
	for (; *names != NULL; names++) {
		struct aero_slot slot = {0};
		size_t len = strlen(*names);
		bool blank = len > 0 && (*names)[len - 1] == '!';

		slot.hostname = strndup(*names, blank ? len - 1 : len);
		slot.service = strdup("db");
		slot.service_type = strdup("");
		slot.who.instance_id = strdup(blank ? "" : *names);
		slot.who.ip = strdup("");
		slot.who.ip6 = strdup("");
		assert_true(aero_slots_add(ret, &slot));
	}
}

static void numbers_are_read_by_exact_pattern(void **state)
{
	static const struct {
		const char *hostname;
		bool masterful;
		int64_t number;
	} rows[] = {
		{"db-0", false, 0},
		{"db-10", false, 10},
		{"db-01", false, -1},
		{"db-", false, -1},
		{"db", false, -1},
		{"db-1x", false, -1},
		{"db--1", false, -1},
		{"xdb-1", false, -1},
		{"db-slave-1", false, -1},
		{"db-master", false, -1},
		{"db-master", true, -1},
		{"db-slave-1", true, 1},
		{"db-slave-0", true, -1},
		{"db-slave-007", true, -1},
		{"db-1", true, -1},
		{"db-12345678901234567", false, 12345678901234567},
		{"db-123456789012345678901", false, -1},
		{"", false, -1},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		print_message("%s\n", rows[i].hostname);
		assert_int_equal(rows[i].number,
			aero_pick_number(rows[i].hostname, "db", rows[i].masterful));
	}
}

static void append_fills_holes_then_grows(void **state)
{
	static const struct {
		const char *names[8];
		bool masterful;
		const char *next;
		bool hole;
	} rows[] = {
		{{NULL}, false, "db-0", false},
		{{"db-0", "db-1", NULL}, false, "db-2", false},
		{{"db-0!", "db-1", NULL}, false, "db-2", false},
		{{"db-10", "db-0", "db-1", NULL}, false, "db-2", true},
		{{"db-1", NULL}, false, "db-0", true},
		{{"db-0", "db-0", "db-1", NULL}, false, "db-2",
			false}, /* old duplicate */
		{{"", "other", "db-0", NULL}, false, "db-1", false},
		{{"db-99999999999", NULL}, false, "db-0", true},
		/* The original's: after the master comes slave-1. */
		{{"db-master", NULL}, true, "db-slave-1", false},
		{{NULL}, true, "db-slave-1", false},
		{{"db-master", "db-slave-1", "db-slave-3", NULL}, true, "db-slave-2",
			true},
		{{"db-0", "db-slave-1", NULL}, true, "db-slave-2", false},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_slots slots = {0};
		char next[AERO_HOSTNAME_SIZE];
		bool hole;

		print_message("row %zu\n", i);
		slots_of(rows[i].names, &slots);
		assert_true(
			aero_pick_append(&slots, "db", rows[i].masterful, next, &hole));
		assert_string_equal(rows[i].next, next);
		assert_int_equal(rows[i].hole, hole);
		aero_slots_clear(&slots);
	}
}

static void gap_is_the_numerically_lowest_blank_slot(void **state)
{
	static const struct {
		const char *names[8];
		const char *vacated, *gap;
	} rows[] = {
		{{NULL}, NULL, NULL},
		{{"db-0", "db-1", NULL}, NULL, NULL},
		{{"db-10!", "db-2!", "db-3!", NULL}, NULL, "db-2"},
		/* The original's: the smallest of -1 and -2 is -1. */
		{{"db-2!", "db-1!", NULL}, NULL, "db-1"},
		{{"db-master!", NULL}, NULL, NULL},
		{{"db-master!", "db-slave-2!", "!", NULL}, NULL, "db-slave-2"},
		{{"db-master", "db-slave-1", "db-slave-2!", NULL}, "db-slave-1",
			"db-slave-1"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_slots slots = {0};
		const struct aero_slot *gap;

		print_message("row %zu\n", i);
		slots_of(rows[i].names, &slots);
		gap = aero_pick_gap(&slots, "db", rows[i].vacated);
		if (rows[i].gap == NULL) {
			assert_null(gap);
		} else {
			assert_non_null(gap);
			assert_string_equal(rows[i].gap, gap->hostname);
		}
		aero_slots_clear(&slots);
	}
}

static void names_and_holders_are_found(void **state)
{
	const char *const names[] = {"db-0", "db-1!", NULL};
	struct aero_slots slots = {0};
	char master[AERO_HOSTNAME_SIZE];

	(void)state;
	slots_of(names, &slots);
	assert_string_equal("db-1", aero_pick_named(&slots, "db-1")->hostname);
	assert_null(aero_pick_named(&slots, "db-2"));
	assert_string_equal("db-0", aero_pick_held(&slots, "db-0")->hostname);
	assert_null(aero_pick_held(&slots, "db-1"));
	aero_slots_clear(&slots);
	aero_pick_master("db", master);
	assert_string_equal("db-master", master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_by_exact_pattern),
		cmocka_unit_test(append_fills_holes_then_grows),
		cmocka_unit_test(gap_is_the_numerically_lowest_blank_slot),
		cmocka_unit_test(names_and_holders_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
