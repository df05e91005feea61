/* SPDX-License-Identifier: MIT */
/* The parts of the MongoDB store: store_mongo.c (opening, reading), store_mongo_err.c
 * (errors), store_mongo_uri.c (options), store_mongo_write.c (slots), store_mongo_mend.c
 * (repair), store_mongo_node.c (nodes, control), store_mongo_table.c (whole collections),
 * store_mongo_txn.c, store_mongo_index.c; watch_mongo*.c. */
#ifndef AERO_LIB_STORE_MONGO_H
#define AERO_LIB_STORE_MONGO_H

#include <mongoc/mongoc.h>

#include "lib/store_ops.h"

#define AERO_MONGO_SLOTS "servers"
#define AERO_MONGO_NODES "nodes"
#define AERO_MONGO_CONTROL "control"
#define AERO_MONGO_HISTORY "history" /* capped */

struct aero_store_mongo {
	struct aero_store base;
	char *database;
	bool read_only;
	mongoc_uri_t *uri; /* with our defaults; the read preference is the user's */
	mongoc_client_pool_t *pool;
	mongoc_client_t *client;          /* NULL until the first use */
	bool lent;                        /* client is somebody else's; no pool, no uri */
	mongoc_client_session_t *session; /* of all writes; NULL: the server has none */
	bson_t *hosts; /* the servers that last worked for a watch; NULL = not known */
	bool in_txn;   /* the operations belong to a transaction of the session */
	unsigned sent; /* write commands that went out since aero_mongo_begin */
};

struct aero_store_mongo *aero_mongo_store(struct aero_store *base);

/* A store for reading over a client of the caller's, which must outlive it. */
int aero_store_mongo_lend(mongoc_client_t *client, const char *database,
	struct aero_store **ret, struct aero_err *err);

/* ---- options of the connection (store_mongo_uri.c) ---- */

/* Set before the first use in a process that is not ours: its signals and the driver's
 * log stay as they are. */
extern bool aero_mongo_guest;

/* The user's URI with our defaults for what it leaves open. AERO_CONFIG, AERO_NOMEM. */
int aero_mongo_uri(const struct aero_server *server, const char *role, mongoc_uri_t **ret,
	struct aero_err *err);
/* A pool with our settings; sent (may be NULL) counts the write commands it sends. */
int aero_mongo_pool(const mongoc_uri_t *uri, unsigned *sent, mongoc_client_pool_t **ret,
	struct aero_err *err);

/* ---- errors (store_mongo_err.c; pure) ---- */

enum aero_mongo_kind {
	AERO_MONGO_OTHER,     /* a refusal: nothing was done */
	AERO_MONGO_TRANSIENT, /* network, time-out, election: perhaps done */
	AERO_MONGO_PERM,      /* a privilege is missing */
	AERO_MONGO_AUTH,      /* user, password or certificate */
	AERO_MONGO_DUP,       /* a unique index */
	AERO_MONGO_MISSING,   /* no such collection */
	AERO_MONGO_WIRE,      /* a server too old or too new for the driver */
	AERO_MONGO_NO_STREAM, /* this server has no change streams */
	AERO_MONGO_LOST,      /* a change stream that cannot go on */
	AERO_MONGO_NO_TXN,    /* this server has no transactions, or not for this */
};
enum aero_mongo_kind aero_mongo_kind_of(const bson_t *reply, const bson_error_t *error);

/* Where it happened and what a role needs for it. */
struct aero_mongo_place {
	const struct aero_store_mongo *store;
	const char *collection;
	const char *actions; /* as in a role: "find, update" */
};

/* Words and code for a failed read, or a write that was certainly not done. */
int aero_mongo_read_error(const struct aero_mongo_place *place, const bson_t *reply,
	const bson_error_t *error, struct aero_err *err);
/* For a failed write: by what was sent, AERO_NET or AERO_AMBIGUOUS. A duplicate in
 * another index than the two is AERO_MISS: somebody else made the document. */
int aero_mongo_write_error(const struct aero_mongo_place *place, const bson_t *reply,
	const bson_error_t *error, struct aero_err *err);

/* ---- reading (store_mongo.c) ---- */

/* Connect if need be. */
int aero_mongo_connect(struct aero_store_mongo *s, struct aero_err *err);
/* Connect for a write: AERO_PERM when reading only; *opts gets the session. */
int aero_mongo_begin(struct aero_store_mongo *s, bson_t *opts, struct aero_err *err);
/* Free what it holds, not the struct itself. */
void aero_mongo_clear(struct aero_store_mongo *s);
mongoc_collection_t *aero_mongo_collection(
	const struct aero_store_mongo *s, const char *name);
/* Run the query until take answers other than AERO_OK. */
int aero_mongo_find(struct aero_store_mongo *s, const char *collection,
	const bson_t *filter, const bson_t *opts, aero_table_take *take, void *arg,
	struct aero_err *err);
/* The first document that matches, to be destroyed; AERO_MISS when there is none. */
int aero_mongo_find_one(struct aero_store_mongo *s, const char *collection,
	const bson_t *filter, bson_t **ret, struct aero_err *err);
/* aero_slot_of_bson with words. */
int aero_mongo_slot_of(const bson_t *doc, struct aero_slot *ret, struct aero_err *err);

/* ---- writing (store_mongo_write.c) ---- */

/* key equals this number; 0: or is none. */
void aero_mongo_filter_number(bson_t *filter, const char *key, int64_t number);
/* One update of one document. AERO_MISS: none matched. */
int aero_mongo_update(struct aero_store_mongo *s, const char *collection,
	const bson_t *filter, const bson_t *update, bool upsert, struct aero_err *err);

/* Operations, as in struct aero_store_ops. */
int aero_mongo_indexes_check(struct aero_store *base, struct aero_err *err);
int aero_mongo_indexes_create(struct aero_store *base, struct aero_err *err);
int aero_mongo_slot_update(struct aero_store *base, const struct aero_slot_match *match,
	const struct aero_slot_change *change, struct aero_err *err);
int aero_mongo_slot_claim(struct aero_store *base, const char *service,
	const char *except_hostname, const struct aero_slot_change *change,
	struct aero_slot *ret, struct aero_err *err);
int aero_mongo_slots_insert(struct aero_store *base, const struct aero_slot *slots,
	size_t n, struct aero_err *err);
int aero_mongo_slot_import(
	struct aero_store *base, const struct aero_slot *slot, struct aero_err *err);
int aero_mongo_aliases_take(struct aero_store *base, const struct aero_list *aliases,
	const char *instance_id, struct aero_err *err);
int aero_mongo_slot_mend(struct aero_store *base, const bson_t *was, const bson_t *set,
	struct aero_err *err);
int aero_mongo_node(struct aero_store *base, const char *instance_id,
	struct aero_node *ret, struct aero_err *err);
int aero_mongo_node_update(struct aero_store *base, const char *instance_id,
	const struct aero_node *was, bool left, bool dead, const char *why,
	struct aero_err *err);
int aero_mongo_node_seen(
	struct aero_store *base, const char *instance_id, struct aero_err *err);
int aero_mongo_clock(struct aero_store *base, int64_t *ret, struct aero_err *err);
int aero_mongo_control(struct aero_store *base, const char *service,
	struct aero_control *ret, struct aero_err *err);
int aero_mongo_control_open(struct aero_store *base, const char *service, int64_t epoch,
	const struct aero_occupant *promote, const struct aero_occupant *master,
	struct aero_err *err);
int aero_mongo_control_close(struct aero_store *base, const char *service, int64_t epoch,
	struct aero_err *err);
int aero_mongo_walk(struct aero_store *base, enum aero_table table, aero_table_take *take,
	void *arg, struct aero_err *err);
int aero_mongo_history_add(
	struct aero_store *base, const bson_t *event, struct aero_err *err);
int aero_mongo_change_over(struct aero_store *base, const struct aero_change_over *change,
	struct aero_err *err);
int aero_mongo_watch_open(struct aero_store *base, const struct aero_watch_opts *opts,
	struct aero_watch **ret, struct aero_err *err);

#endif
