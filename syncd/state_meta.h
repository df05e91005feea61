/* SPDX-License-Identifier: MIT */
/* What state.mdb says of itself: whose documents it has, and how far. For state.c. */
#ifndef AERO_SYNCD_STATE_META_H
#define AERO_SYNCD_STATE_META_H

#include <lmdb.h>

#include "syncd/state.h"

/* 0 or a code of LMDB. */
int aero_state_meta_write(MDB_txn *txn, MDB_dbi about, const char *source,
	const struct aero_state_meta *meta);
/* Into *io, which stays as it is in a new file. 0, a code of LMDB, ENOMEM, or
 * MDB_INCOMPATIBLE when it is of another version or source: the generation alone is then
 * taken over, for its count goes on whatever else is given up. */
int aero_state_meta_read(
	MDB_txn *txn, MDB_dbi about, const char *source, struct aero_state_meta *io);

#endif
