/* SPDX-License-Identifier: MIT */
/* A batch applied to the documents of state.mdb, within a transaction. For state.c. */
#ifndef AERO_SYNCD_STATE_OPS_H
#define AERO_SYNCD_STATE_OPS_H

#include <lmdb.h>

#include "syncd/state.h"

/* A document that differs. */
struct aero_op {
	unsigned char *key;
	size_t len;
	const bson_t *doc; /* NULL: it went */
	bson_t *owned;     /* doc, if it is ours */
};

struct aero_ops {
	struct aero_op *v;
	size_t n;
	struct aero_state_diff diff;
};

/* Find what differs and write it. A code of LMDB, or AERO_LOST. May be called again. */
int aero_ops_apply(
	struct aero_ops *ops, MDB_txn *txn, MDB_dbi docs, const struct aero_batch *batch);
void aero_ops_clear(struct aero_ops *ops);

#endif
