/* SPDX-License-Identifier: MIT */
/*
 * state.mdb: the documents of the collection and the position behind them, in one
 * transaction, so that a restart goes on exactly where the last commit was. One process
 * at a time (syncd.lock); 0600, because documents are not for everybody.
 */
#ifndef AERO_SYNCD_STATE_H
#define AERO_SYNCD_STATE_H

#include <bson/bson.h>

#include "lib/err.h"
#include "lib/watch.h"

struct aero_state;

struct aero_state_meta {
	bool synced; /* a whole collection is in it */
	uint64_t
		generation; /* of the mirror that these documents are, or are to be, in */
	int64_t full_at;    /* unix ms of the first FULL or POLL result that was not
			       published yet; 0 = none */
	struct aero_position position;
};

/* Open or make. source says whose documents they are: those of another source, of another
 * version or in a damaged file are given up, with *ret_warning saying so ('' = all is
 * well); what was damaged is moved to `path.damaged`. */
int aero_state_open(const char *path, const char *source, struct aero_state **ret,
	struct aero_err *ret_warning, struct aero_err *err);
/* Give up a file in which reading met damage (AERO_DB), as opening does. */
int aero_state_reset(
	struct aero_state *state, struct aero_err *ret_warning, struct aero_err *err);
void aero_state_close(struct aero_state *state);
const struct aero_state_meta *aero_state_meta(const struct aero_state *state);

/* A document is now doc (lent), or went (NULL). */
typedef int aero_state_each(void *arg, const void *id, size_t id_len, const bson_t *doc,
	struct aero_err *err);

/* All documents. */
int aero_state_load(
	struct aero_state *state, aero_state_each *each, void *arg, struct aero_err *err);

struct aero_state_diff {
	size_t added, removed, changed;
};

/* Apply a batch: documents, position, generation and full_at in one transaction (a first
 * collection, which until then counts as none, in several); then each (NULL: the caller
 * will load) is called for every document that differs. A whole collection without a
 * difference is only committed if `always`. AERO_LOST: a change does not fit the
 * documents, a new snapshot is needed, nothing has changed. After any other failure the
 * file is opened afresh, and what it holds may be old or new: load again. If each fails,
 * its code is returned though all is committed: load again too. */
int aero_state_apply(struct aero_state *state, const struct aero_batch *batch,
	uint64_t generation, int64_t full_at, bool always, aero_state_each *each,
	void *arg, struct aero_state_diff *ret, struct aero_err *err);

/* Commit position (NULL: as it is) and generation alone. */
int aero_state_save(struct aero_state *state, const struct aero_position *position,
	uint64_t generation, int64_t full_at, struct aero_err *err);

#endif
