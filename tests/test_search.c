/* SPDX-License-Identifier: MIT */
/*
 * The search of the naming steps (doc/naming.md) over the shipped objects: every set-up
 * of the table to its end. `test_search NAME...` searches these alone, `test_search
 * --list` names them all; AEROSTAT_SEARCH_MAX=STATES cuts it elsewhere.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/search.h"
#include "tests/search_setups.h"
#include "tests/support.h"

static unsigned long max_states(const struct s_setup *setup)
{
	const char *max = getenv("AEROSTAT_SEARCH_MAX");

	if (max != NULL)
		return strtoul(max, NULL, 10);
	return setup->cut != 0 ? setup->cut : 100000000;
}

/* Print the line of a set-up; 1 if it is not as it should be. */
static int search(const struct s_setup *setup)
{
	struct search_result result;
	bool counted;

	search_run(setup, max_states(setup), false, true, &result);
	counted = result.states == setup->states;
	printf("%-16s %9lu states %9lu edges, depth %3lu, %6.2f s, %4.0f MB, %s: %s\n",
		setup->name, result.states, result.edges, result.depth, result.seconds,
		result.megabytes, result.exhausted ? "exhausted" : "cut", setup->shows);
	if (!counted)
		printf("  %s had %lu states: if the protocol was meant to change, put "
		       "the new number into tests/search_setups.c\n",
			setup->name, setup->states);
	(void)fflush(stdout);
	return result.broken[0] != '\0' || result.exhausted != (setup->cut == 0) ||
	       !counted;
}

static void invariants_hold_in_every_state(void **state)
{
	int failed = 0, length = (int)test_by_length(S_QUICK, S_LONG);

	(void)state;
	for (size_t i = 0; i < n_search_setups; i++)
		if ((int)search_setups[i].length <= length)
			failed += search(&search_setups[i]);
	assert_int_equal(failed, 0);
}

/* Actors are kept without what they do not read any more. Kept with all of it, the same
 * states are reached. */
static void nothing_that_is_left_out_matters(void **state)
{
	struct search_result all, less;

	(void)state;
	for (size_t i = 0; i < n_search_setups; i++) {
		const struct s_setup *setup = &search_setups[i];

		if (setup->length != S_QUICK || setup->states > 30000)
			continue;
		search_run(setup, max_states(setup), true, true, &all);
		search_run(setup, max_states(setup), false, true, &less);
		printf("%-16s %9lu states with all, of them %lu of %lu without\n",
			setup->name, all.states, all.reduced, less.states);
		assert_int_equal(all.reduced, less.states);
	}
}

static const struct s_setup *setup_named(const char *name)
{
	for (size_t i = 0; i < n_search_setups; i++)
		if (strcmp(search_setups[i].name, name) == 0)
			return &search_setups[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invariants_hold_in_every_state),
		cmocka_unit_test(nothing_that_is_left_out_matters),
	};
	int failed = 0;

	if (argc == 1)
		return cmocka_run_group_tests(tests, NULL, NULL);
	for (int i = 1; i < argc; i++) {
		const struct s_setup *setup = setup_named(argv[i]);

		if (setup != NULL)
			failed += search(setup);
		for (size_t j = 0; setup == NULL && j < n_search_setups; j++)
			printf("%-16s %s\n", search_setups[j].name,
				search_setups[j].shows);
	}
	return failed != 0;
}
