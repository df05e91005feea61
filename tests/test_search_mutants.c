/* SPDX-License-Identifier: MIT */
/* Each rule of the protocol is needed: without it, the search finds a fault. The steps
 * are compiled a second time here, with register/mutant.h's switches. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "register/mutant.h"
#include "tests/search.h"
#include "tests/search_setups.h"
#include "tests/support.h"

enum aero_mutant aero_mutant;

static const char *const mutant_words[] = {
#define AERO_X(mutant, words) words,
	AERO_MUTANT_MAP(AERO_X)
#undef AERO_X
};

/* The smallest set-up that catches it, what it breaks, and the moves until then. */
static const struct {
	const char *setup, *broken;
	unsigned long trace;
} rows[] = {
	[AERO_MUTANT_NONE] = {"2-callers", "", 0},
	[AERO_MUTANT_NO_CONTROL_BEFORE_V] = {"2-callers", "I5", 36},
	[AERO_MUTANT_VACATE_WITHOUT_REG] = {"back", "I5", 39},
	[AERO_MUTANT_REAP_WITHOUT_REG] = {"certificates", "I7", 12},
	[AERO_MUTANT_RENEW_KEEPS_REG] = {"certificates", "I7", 12},
	[AERO_MUTANT_NO_FENCE] = {"p-or-m-dies", "I7", 23},
	[AERO_MUTANT_NO_S3_AFTER_F] = {"release-p", "I7", 27},
	[AERO_MUTANT_NO_MASTER_EPOCH] = {"back", "I5", 33},
	[AERO_MUTANT_NO_LEFT] = {"late-claim", "liveness", 23},
	[AERO_MUTANT_CERTIFICATE_WITHOUT_GEN] = {"certificates", "I7", 14},
	[AERO_MUTANT_DEAD_MAY_REGISTER] = {"certificates", "I7", 14},
	[AERO_MUTANT_NO_INSTANCE_INDEX] = {"2-callers", "I2", 8},
	[AERO_MUTANT_STRING_ORDER] = {"string-order", "I4", 7},
	[AERO_MUTANT_LAID_DOWNWARDS] = {"append", "I4", 20},
	[AERO_MUTANT_NO_W2] = {"fence", "liveness", 24},
	[AERO_MUTANT_OVER_ANY_NODE] = {"txn-p-or-m-dies", "I6", 11},
	[AERO_MUTANT_OVER_ANY_MASTER] = {"txn-release", "I5", 11},
	[AERO_MUTANT_OVER_ANY_CONTROL] = {"txn-steps", "I5", 11},
};
_Static_assert(AERO_COUNT(rows) == AERO_N_MUTANTS, "a mutant without a row");

static const struct s_setup *setup_named(const char *name)
{
	size_t i = 0;

	while (strcmp(search_setups[i].name, name) != 0)
		assert_true(++i < n_search_setups);
	return &search_setups[i];
}

static void each_mutant_is_caught(void **state)
{
	bool show = getenv("AEROSTAT_SEARCH_SHOW") != NULL;
	struct search_result result;
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		aero_mutant = (enum aero_mutant)i;
		w_rules.mutant_index = AERO_MUTANT(NO_INSTANCE_INDEX);
		w_rules.string_order = AERO_MUTANT(STRING_ORDER);
		w_rules.no_w2 = AERO_MUTANT(NO_W2);
		w_rules.over_any_node = AERO_MUTANT(OVER_ANY_NODE);
		w_rules.over_any_master = AERO_MUTANT(OVER_ANY_MASTER);
		w_rules.over_any_control = AERO_MUTANT(OVER_ANY_CONTROL);
		search_run(setup_named(rows[i].setup), 60000000, false, show, &result);
		printf("%-38s %-13s %6lu states, %2lu moves: %s\n", mutant_words[i],
			rows[i].setup, result.states, result.trace,
			result.broken[0] == '\0' ? "no fault" : result.broken);
		failed += strncmp(result.broken, rows[i].broken,
				  strlen(rows[i].broken)) != 0 ||
			  (rows[i].broken[0] == '\0') != (result.broken[0] == '\0') ||
			  result.trace != rows[i].trace;
	}
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mutant_is_caught),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
