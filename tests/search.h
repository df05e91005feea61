/* SPDX-License-Identifier: MIT */
/* Breadth first over all that can happen in a set-up (search_model.h): every state once,
 * by a 128-bit fingerprint of its bytes. Deterministic. */
#ifndef AERO_TESTS_SEARCH_H
#define AERO_TESTS_SEARCH_H

#include "tests/search_model.h"

struct search_result {
	unsigned long states, edges, depth;
	unsigned long
		reduced; /* with keep_all: distinct after leaving out what is dead */
	double seconds, megabytes;
	bool exhausted;      /* false: cut at max_states */
	char broken[256];    /* '' = all invariants hold and rest can always be reached */
	unsigned long trace; /* moves to the broken state */
};

/* Search; stops at the first broken state, or with max_states states. A counterexample is
 * printed when show is true. */
void search_run(const struct s_setup *setup, unsigned long max_states, bool keep_all,
	bool show, struct search_result *ret);

#endif
