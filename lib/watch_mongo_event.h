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

/* A resume token as a position keeps it: together with where it comes from, so that it is
 * never used on another server, database or pipeline, and with hosts (NULL: nothing), the
 * servers that last worked. A poll has an empty token. unpack: false = not from there;
 * *ret_hosts (may be NULL) is empty where there are none; the views live as long as data.
 */
bool aero_mongo_token_pack(const bson_t *token, const bson_t *hosts, const char *server,
	const char *database, uint64_t time, struct aero_position *ret);
bool aero_mongo_token_unpack(const struct aero_position *position, const char *server,
	const char *database, bson_t *ret_token, bson_t *ret_hosts);

#endif
