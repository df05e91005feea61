/* SPDX-License-Identifier: MIT */
/*
 * Following the collection: a snapshot, then every change after it, without a lost or
 * doubled one. MongoDB: change stream (deltas grouped by transaction), or polling where
 * there is none; LMDB: its change log, woken by inotify.
 *
 * A watch is used by one thread, which may differ from the store's other users': it has
 * its own connection. aero_watch_wake makes a running next return early.
 */
#ifndef AERO_LIB_WATCH_H
#define AERO_LIB_WATCH_H

#include "lib/docs.h"
#include "lib/store.h"

enum aero_batch_kind {
	AERO_BATCH_NONE,  /* time-out: nothing new; position may have moved on */
	AERO_BATCH_FULL,  /* docs is the whole collection, exact at position */
	AERO_BATCH_POLL,  /* the same, from polling */
	AERO_BATCH_DELTA, /* v holds changes, to be applied in this order */
};

/* One change of a batch. A deletion has neither doc nor set nor unset. */
struct aero_change {
	bson_t *id;  /* {_id: value} */
	bson_t *doc; /* the whole document after the change, with its _id; or NULL: */
	bson_t *set; /* top-level fields with their new values (a delta); NULL = none */
	struct aero_list unset; /* top-level fields that went */
};

/* The document after a change: old may be NULL (not there before). Returns a new document
 * or NULL with *ret_gone true when the change deletes it. A delta on a document that is
 * not there, or no memory: NULL with *ret_gone false; the holder needs a new snapshot. */
bson_t *aero_change_apply(
	const bson_t *old, const struct aero_change *change, bool *ret_gone);

/* Where a watch stands: kept in state.mdb in the same transaction as the data. */
struct aero_position {
	void *token; /* opaque to all but the store that made it */
	size_t token_len;
	uint64_t source_time; /* BSON timestamp, seconds << 32 | increment */
};

struct aero_batch {
	enum aero_batch_kind kind;
	struct aero_docs docs;         /* of FULL and POLL */
	struct aero_change *v;         /* of DELTA */
	size_t n;                      /* of either */
	struct aero_position position; /* after this batch */
};

struct aero_watch;

struct aero_watch_opts {
	const struct aero_position *from; /* NULL or empty: begin with a snapshot */
	int poll_interval;                /* seconds, where there is no stream */
	bool force_poll;
	/* Called now and then while a snapshot is read, which may take long. */
	void (*progress)(void *arg);
	void *progress_arg;
	bool remembered; /* names of servers have the addresses that `from` remembers */
};

int aero_watch_open(struct aero_store *store, const struct aero_watch_opts *opts,
	struct aero_watch **ret, struct aero_err *err);

/* The next batch, or AERO_BATCH_NONE after at most timeout_ms. Events of one transaction
 * are in one batch. AERO_LOST: the position is of no use any more (history lost, the
 * collection dropped or renamed): close and open without one. AERO_NET, AERO_PERM, ...:
 * close, back off, open again from the last position. *ret is cleared by the caller. */
int aero_watch_next(struct aero_watch *watch, int timeout_ms, struct aero_batch *ret,
	struct aero_err *err);

/* From any thread or signal handler's thread: next returns soon. */
void aero_watch_wake(struct aero_watch *watch);
/* In words for the status: "stream", "poll" or "log". */
const char *aero_watch_mode(const struct aero_watch *watch);
void aero_watch_close(struct aero_watch *watch);

void aero_batch_clear(struct aero_batch *batch);
void aero_position_clear(struct aero_position *position);

#endif
