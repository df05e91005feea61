/* SPDX-License-Identifier: MIT */
/* The collections as one pass reads them: slots first, then nodes and open change-overs.
 */
#ifndef AERO_SERVER_VIEW_H
#define AERO_SERVER_VIEW_H

#include "lib/store.h"

struct aero_view_node {
	char *id;
	struct aero_node node;
};

struct aero_view_op {
	char *service;
	char *promote; /* whom it makes the master */
};

struct aero_view {
	struct aero_slots slots;
	struct aero_view_node *nodes; /* by id */
	size_t n_nodes;
	struct aero_view_op *ops; /* the open ones */
	size_t n_ops;
	const char **held; /* ids that are in a slot, in order; lent by slots */
	size_t n_held;
};

/* Read all three into *ret (empty); to be cleared in any case. */
int aero_view_read(struct aero_store *store, struct aero_view *ret, struct aero_err *err);
/* The nodes alone. */
int aero_view_nodes(
	struct aero_store *store, struct aero_view *ret, struct aero_err *err);
/* The node of that id; one that does not exist where there is none. */
struct aero_node aero_view_node(const struct aero_view *view, const char *id);
/* Is it in any slot? */
bool aero_view_held(const struct aero_view *view, const char *id);
void aero_view_clear(struct aero_view *view);

#endif
