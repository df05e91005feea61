/* SPDX-License-Identifier: MIT */
/* The parts of a watch of MongoDB: watch_mongo.c (opening, waiting, polling),
 * watch_mongo_meet.c (who answers),
 * watch_mongo_stream.c (the cursor, transactions), watch_mongo_full.c (the snapshot),
 * watch_mongo_event.c (reading), watch_mongo_hosts.c (the servers that worked). */
#ifndef AERO_LIB_WATCH_MONGO_H
#define AERO_LIB_WATCH_MONGO_H

#include "lib/store_mongo.h"
#include "lib/watch_mongo_event.h"

struct aero_watch_mongo {
	struct aero_watch base;
	struct aero_store_mongo own; /* a connection of its own; base.name too */
	int wake;                    /* eventfd */
	uint32_t server_id;          /* the member that is read */
	bool polling, polled, force_poll;
	int poll_interval;
	int64_t poll_due;
	void (*progress)(void *arg);
	void *progress_arg;

	struct aero_mongo_known known; /* who has the history that we stand in */
	int64_t known_due;             /* when to look for more of them */

	int64_t cursor;          /* 0 = none */
	bool snapshot_due;       /* the stream stands at the start, T0 */
	struct aero_position at; /* behind what was given out */

	/* Events that were read: the first n_whole are whole transactions, reaching to
	 * token and time; what follows is the beginning of one more, txn. */
	struct aero_batch read;
	size_t n_whole;
	bson_t *token, *txn;
	uint64_t time; /* of the last whole event */
	uint64_t seen; /* the stream has shown everything up to here */
	bson_t *last;  /* token of the last event read */
	uint64_t last_time;

	struct aero_store_mongo *parent; /* remembers the servers that last worked */
	int64_t hosts_due;               /* when to look again; 0 = not yet */
	bool pinned;                     /* names have the addresses that last worked */
	uint64_t heard;                  /* what seen was ... */
	int64_t heard_at;                /* ... since then */
};

/* {sessionId, serverId} for commands of the watch. */
bool aero_mongo_watch_opts(const struct aero_watch_mongo *w, bson_t *opts);
/* Has somebody called wake since the last time? */
bool aero_mongo_woken(const struct aero_watch_mongo *w);

/* ---- meeting the server (watch_mongo_meet.c) ---- */

/* The session's operationTime; 0 = the server tells none. */
uint64_t aero_mongo_operation_time(const struct aero_watch_mongo *w);
/* Choose the member to read: as the read preference says. */
int aero_mongo_choose(struct aero_watch_mongo *w, struct aero_err *err);
/* Ask for the time T0, which the session keeps, and who it is that answers: added to
 * *ret_self if it tells. */
int aero_mongo_greet(struct aero_watch_mongo *w, struct aero_mongo_known *ret_self,
	struct aero_err *err);
/* Open a stream behind token or (NULL) at T0, or see that there is none: w->polling. */
int aero_mongo_open_stream(struct aero_watch_mongo *w, const bson_t *token,
	const struct aero_mongo_known *self, struct aero_err *err);
/* Now and then: the other members of the set that we stand in are known too. True if one
 * was not yet. */
bool aero_mongo_know_members(struct aero_watch_mongo *w);

/* ---- the stream ---- */

/* Open the cursor behind token, or (NULL) at the time start. *ret_none: this server has
 * no change streams. */
int aero_mongo_stream_open(struct aero_watch_mongo *w, const bson_t *token,
	uint64_t start, bool *ret_none, struct aero_err *err);
/* Wait for events, await_ms at most, and read what is there. */
int aero_mongo_stream_read(
	struct aero_watch_mongo *w, int await_ms, struct aero_err *err);
/* Move the whole transactions that were read to the end of *ret. */
int aero_mongo_stream_take(
	struct aero_watch_mongo *w, struct aero_batch *ret, struct aero_err *err);
void aero_mongo_stream_close(struct aero_watch_mongo *w);

/* ---- the snapshot ---- */

/* All documents in the order of _id, added to *ret; AERO_AGAIN when woken. */
int aero_mongo_snapshot(
	struct aero_watch_mongo *w, struct aero_batch *ret, struct aero_err *err);
/* Apply changes to a snapshot, which may hold later versions already. */
int aero_mongo_merge(struct aero_batch *snapshot, const struct aero_batch *changes,
	struct aero_err *err);

/* ---- the servers that last worked ---- */

/* Something has come: remember where from, once in a while. */
void aero_mongo_hosts_note(struct aero_watch_mongo *w);
/* Before connecting: names have the addresses that last worked, or (false, or none are
 * known) what the system says. */
void aero_mongo_hosts_pin(struct aero_watch_mongo *w, bool remembered);
/* After reading the stream: AERO_NET when the member has stood still for long, cut off
 * from its set but not from us. It answers, but has no news. */
int aero_mongo_hosts_heard(struct aero_watch_mongo *w, struct aero_err *err);

#endif
