/* SPDX-License-Identifier: MIT */
/* A naming store in memory, scripted: it loses answers and refuses at chosen operations.
 * It answers as lib/store.h says; nothing in it sleeps, and its clock is a counter. */
#ifndef AERO_TESTS_FAKE_STORE_H
#define AERO_TESTS_FAKE_STORE_H

#include "lib/store_ops.h"

enum fake_fault {
	FAKE_NONE,
	FAKE_NET,         /* certainly not applied */
	FAKE_LOST_BEFORE, /* ambiguous, in truth not applied (a read: AERO_NET) */
	FAKE_LOST_AFTER,  /* ambiguous, in truth applied (a read: AERO_NET) */
	FAKE_N_FAULTS
};

struct fake_node {
	char id[64];
	struct aero_node node;
};

struct fake_control {
	char service[64];
	struct aero_control control;
};

struct fake_store {
	struct aero_store base; /* first */
	struct aero_slots slots;
	struct fake_node nodes[64];
	size_t n_nodes;
	struct fake_control controls[8];
	size_t n_controls;
	bson_t *history[256];
	size_t n_history;
	int check_rc, create_rc; /* what the indexes answer */
	int64_t clock;
	bool transactions; /* change-overs in one piece */
	bool in_txn;       /* within one: not counted, not failing */

	unsigned ops;      /* operations so far */
	unsigned fault_at; /* the operation (from 1) that fails; 0 = none */
	enum fake_fault fault;
	const char *last; /* name of the last operation */
};

/* Begin a write: true if it is to be applied; *ret_rc is then what to answer instead of
 * OK. */
bool fake_write_fault(
	struct aero_store *store, const char *name, int *ret_rc, struct aero_err *err);
/* fake_store_change.c */
int fake_change_over(struct aero_store *store, const struct aero_change_over *change,
	struct aero_err *err);

/* A new, empty store; aero_store_close frees it. */
struct fake_store *fake_store_new(void);

/* Put a slot in; instance_id may be empty. */
void fake_put(struct fake_store *fake, const char *hostname, const char *service,
	const char *type, const char *instance_id);
/* The slot of that name, or NULL. */
struct aero_slot *fake_slot(struct fake_store *fake, const char *hostname);
/* The node or control document, made if it is not there. */
struct aero_node *fake_node(struct fake_store *fake, const char *instance_id);
struct aero_control *fake_control(struct fake_store *fake, const char *service);
/* How many slots an instance is in. */
size_t fake_held(const struct fake_store *fake, const char *instance_id);

#endif
