/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/support.h"
#include "syncd/pace.h"

#define AGO (INT64_MIN / 2)

static void a_publish_is_due_at_once_or_after_a_little_quiet(void **state)
{
	static const struct {
		const char *what;
		int64_t last, changes[8], now, want;
	} rows[] = {
		{"nothing waits", AGO, {0}, 50, -1},
		{"the first ever", AGO, {1000}, 1000, 0},
		{"the last one is long ago", 700, {1000}, 1000, 0},
		{"just over the limit", 799, {1000}, 1000, 0},
		{"at the limit", 800, {1000}, 1000, 20},
		{"it was just now", 990, {1000}, 1000, 20},
		{"quiet so far", 990, {1000}, 1012, 8},
		{"quiet enough", 990, {1000}, 1020, 0},
		{"and late", 990, {1000}, 1500, 0},
		{"another change", 990, {1000, 1015}, 1016, 19},
		{"changes without end", 990, {1000, 1015, 1030, 1185, 1195}, 1196, 4},
		{"the most that a change waits", 990, {1000, 1195}, 1200, 0},
		{"leading edge stays due", 700, {1000, 1015}, 1016, 0},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_pace pace = {
			.quiet_ms = 20, .max_ms = 200, .last = rows[i].last};
		int64_t got;

		for (size_t j = 0; j < 8 && rows[i].changes[j] != 0; j++)
			aero_pace_change(&pace, rows[i].changes[j]);
		got = aero_pace_wait(&pace, rows[i].now);
		if (got != rows[i].want)
			fail_msg("%s: %lld, wanted %lld", rows[i].what, (long long)got,
				(long long)rows[i].want);
	}
}

static void a_publish_ends_the_wait(void **state)
{
	struct aero_pace pace = {.quiet_ms = 20, .max_ms = 200, .last = AGO};

	(void)state;
	aero_pace_change(&pace, 1000);
	aero_pace_published(&pace, 1003);
	assert_int_equal(aero_pace_wait(&pace, 5000), -1);
	aero_pace_change(&pace, 1100);
	assert_int_equal(aero_pace_wait(&pace, 1100), 20);
	aero_pace_published(&pace, 1120);
	aero_pace_change(&pace, 1400);
	assert_int_equal(aero_pace_wait(&pace, 1400), 0);
}

static void the_guard_holds_what_lost_most_of_its_names(void **state)
{
	static const struct {
		size_t published, names;
		int min, percent;
		bool want;
	} rows[] = {
		{0, 0, 10, 50, false},
		{9, 0, 10, 50, false},
		{10, 5, 10, 50, false},
		{10, 4, 10, 50, true},
		{10, 0, 10, 50, true},
		{11, 5, 10, 50, true},
		{11, 6, 10, 50, false},
		{100000, 49999, 10, 50, true},
		{100000, 50000, 10, 50, false},
		{100, 0, 10, 0, false}, /* switched off */
		{100, 99, 10, 100, true},
		{100, 100, 10, 100, false},
		{1, 0, 0, 50, true},
		{0, 0, 0, 50, false},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++)
		if (aero_shrink_holds(rows[i].published, rows[i].names, rows[i].min,
			    rows[i].percent) != rows[i].want)
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_publish_is_due_at_once_or_after_a_little_quiet),
		cmocka_unit_test(a_publish_ends_the_wait),
		cmocka_unit_test(the_guard_holds_what_lost_most_of_its_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
