/* SPDX-License-Identifier: MIT */
/* The naming store's interface over a world (search_world.h). */
#ifndef AERO_TESTS_SEARCH_STORE_H
#define AERO_TESTS_SEARCH_STORE_H

#include "tests/search_world.h"

/* What becomes of the next write. */
enum w_fault {
	W_CLEAR,       /* applied and answered */
	W_LOST_BEFORE, /* ambiguous, never applied */
	W_LOST_AFTER,  /* ambiguous, applied */
	W_LATER,       /* ambiguous; `last` is to be applied later, or never */
	W_N_FAULTS
};

struct search_store {
	struct aero_store base; /* first */
	struct world *world;
	enum w_fault fault;
	int missed;          /* the slot that a read of all does not see; -1 = none */
	struct w_write last; /* the write of this step, or op W_NONE */
	int answer;          /* to the write, as the store knows it */
	int slot;            /* that it changed, or -1 */
	bool read_all;       /* this step reads all slots */
	bool transactions;   /* change-overs in one piece */
};

/* Over *world; nothing to close. */
void search_store_init(struct search_store *store, struct world *world);

#endif
