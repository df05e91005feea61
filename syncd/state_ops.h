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
	const uint8_t *doc; /* its bytes; NULL: it went */
	bson_t *owned;      /* whose bytes they are, if it is ours */
};

struct aero_ops {
	struct aero_op *v;
	size_t n;
	bool append; /* to an empty file, in order */
	/* v is written up to here: by transactions that were committed, and by this one
	 */
	size_t done, to;
	struct aero_state_diff diff;
};

/* Find what differs and write it: of a whole collection about limit bytes, then again,
 * after ops->done was set to ops->to at the commit, until that is ops->n. A code of LMDB,
 * or AERO_LOST. May be called again. */
int aero_ops_apply(struct aero_ops *ops, MDB_txn *txn, MDB_dbi docs,
	const struct aero_batch *batch, size_t limit);
/* The document of an op, as a view; false: it went. */
bool aero_op_doc(const struct aero_op *op, bson_t *ret_view);
void aero_ops_clear(struct aero_ops *ops);

#endif
