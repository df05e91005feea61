/* SPDX-License-Identifier: MIT */
/* What a change stream says, read; and the token of a position. Pure. */
#ifndef AERO_LIB_WATCH_MONGO_EVENT_H
#define AERO_LIB_WATCH_MONGO_EVENT_H

#include "lib/watch.h"

enum aero_mongo_event_kind {
	AERO_MONGO_IGNORED, /* nothing for a mirror: an index was made */
	AERO_MONGO_CHANGE,
	AERO_MONGO_REREAD, /* the event tells too little; change has the id alone */
	AERO_MONGO_END,    /* dropped, renamed, an _id of another type: read it all */
};

struct aero_mongo_event {
	enum aero_mongo_event_kind kind;
	struct aero_change change;
	bson_t *token; /* _id: the stream goes on behind this event */
	bson_t *txn;   /* {lsid, txnNumber} of its transaction; NULL = alone */
	uint64_t time; /* clusterTime */
	char what[24]; /* operationType, for words */
};

/* Read an event. False, with *ret empty, when it is none: damaged, or without what every
 * event has. */
bool aero_mongo_event_of(const bson_t *event, struct aero_mongo_event *ret);
void aero_mongo_event_clear(struct aero_mongo_event *event);

/* The cluster time of a resume token; 0 = a form that is not known. */
uint64_t aero_mongo_token_time(const bson_t *token);

/*
 * The server processes that are known to hold the history which a token is a place in:
 * topologyVersion.processId of hello, which a mongod draws anew at each start and shows
 * to anyone. A set that was made anew under the same URI, or put back from a copy, may
 * take an old token of an idle collection and wait behind it for ever; but not without
 * its processes having been started again. So what none of these asks for is a snapshot.
 */
#define AERO_MONGO_PROCESS_LEN 12
#define AERO_MONGO_KNOWN_MAX 16 /* the latest: 7 members vote */

struct aero_mongo_known {
	unsigned char v[AERO_MONGO_KNOWN_MAX][AERO_MONGO_PROCESS_LEN];
	size_t n;
};

/* The process behind an answer to hello; false: it tells none (before 4.4). */
bool aero_mongo_process_of(
	const bson_t *hello, unsigned char ret[AERO_MONGO_PROCESS_LEN]);
bool aero_mongo_known_has(const struct aero_mongo_known *known,
	const unsigned char process[AERO_MONGO_PROCESS_LEN]);
void aero_mongo_known_add(struct aero_mongo_known *known,
	const unsigned char process[AERO_MONGO_PROCESS_LEN]);

/* Where a token comes from. */
struct aero_mongo_origin {
	const char *server, *database;
	struct aero_mongo_known known;
};

/* A resume token as a position keeps it: together with where it comes from, so that it is
 * never used on another server, database or pipeline, and with hosts (NULL: nothing), the
 * servers that last worked. A poll has an empty token. unpack: false = not from there;
 * else origin->known is filled in, and *ret_hosts (may be NULL) is empty where there are
 * none; the views live as long as data. */
bool aero_mongo_token_pack(const bson_t *token, const bson_t *hosts,
	const struct aero_mongo_origin *origin, uint64_t time, struct aero_position *ret);
bool aero_mongo_token_unpack(const struct aero_position *position,
	struct aero_mongo_origin *origin, bson_t *ret_token, bson_t *ret_hosts);

#endif
