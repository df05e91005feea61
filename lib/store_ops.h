/* SPDX-License-Identifier: MIT */
/*
 * What stands behind lib/store.h and lib/watch.h: for the stores themselves
 * (store_mongo.c, store_lmdb.c, the tests' scripted one), not for their users.
 *
 * A store is a struct that embeds struct aero_store first and sets ops; the contract of
 * each operation is that of the function of the same name in store.h. No operation may be
 * NULL. store.c owns name: a store neither sets nor frees it.
 */
#ifndef AERO_LIB_STORE_OPS_H
#define AERO_LIB_STORE_OPS_H

#include "lib/server.h"
#include "lib/store.h"
#include "lib/watch.h"

struct aero_store_ops {
	void (*close)(struct aero_store *store); /* frees the store itself too */
	int (*ping)(struct aero_store *store, struct aero_err *err);
	int (*indexes_check)(struct aero_store *store, struct aero_err *err);
	int (*indexes_create)(struct aero_store *store, struct aero_err *err);
	int (*slots)(struct aero_store *store, const char *service,
		struct aero_slots *ret, struct aero_err *err);
	int (*by_instance)(struct aero_store *store, const char *instance_id,
		struct aero_slot *ret, struct aero_err *err);
	int (*by_hostname)(struct aero_store *store, const char *hostname,
		struct aero_slot *ret, struct aero_err *err);
	int (*slot_update)(struct aero_store *store, const struct aero_slot_match *match,
		const struct aero_slot_change *change, struct aero_err *err);
	int (*slot_claim)(struct aero_store *store, const char *service,
		const char *except_hostname, const struct aero_slot_change *change,
		struct aero_slot *ret, struct aero_err *err);
	int (*slots_insert)(struct aero_store *store, const struct aero_slot *slots,
		size_t n, struct aero_err *err);
	int (*slot_import)(struct aero_store *store, const struct aero_slot *slot,
		struct aero_err *err);
	int (*aliases_take)(struct aero_store *store, const struct aero_list *aliases,
		const char *instance_id, struct aero_err *err);
	int (*slot_mend)(struct aero_store *store, const bson_t *was, const bson_t *set,
		struct aero_err *err);
	int (*node)(struct aero_store *store, const char *instance_id,
		struct aero_node *ret, struct aero_err *err);
	int (*node_update)(struct aero_store *store, const char *instance_id,
		const struct aero_node *was, bool left, bool dead, const char *why,
		struct aero_err *err);
	int (*node_seen)(
		struct aero_store *store, const char *instance_id, struct aero_err *err);
	int (*clock)(struct aero_store *store, int64_t *ret, struct aero_err *err);
	int (*control)(struct aero_store *store, const char *service,
		struct aero_control *ret, struct aero_err *err);
	int (*control_open)(struct aero_store *store, const char *service, int64_t epoch,
		const struct aero_occupant *promote, const struct aero_occupant *master,
		struct aero_err *err);
	int (*control_close)(struct aero_store *store, const char *service, int64_t epoch,
		struct aero_err *err);
	int (*walk)(struct aero_store *store, enum aero_table table,
		aero_table_take *take, void *arg, struct aero_err *err);
	int (*history_add)(
		struct aero_store *store, const bson_t *event, struct aero_err *err);
	int (*change_over)(struct aero_store *store,
		const struct aero_change_over *change, struct aero_err *err);
	int (*watch_open)(struct aero_store *store, const struct aero_watch_opts *opts,
		struct aero_watch **ret, struct aero_err *err);
};

struct aero_store {
	const struct aero_store_ops *ops;
	char *name; /* store.c's */
};

/* The stores. server is only lent: copy what is kept. */
int aero_store_mongo_open(const struct aero_store_opts *opts,
	const struct aero_server *server, struct aero_store **ret, struct aero_err *err);
int aero_store_lmdb_open(const struct aero_store_opts *opts,
	const struct aero_server *server, struct aero_store **ret, struct aero_err *err);

/* The change-over, written over the other operations: for a store to run within one
 * transaction (store_change.c). AERO_OK: commit. */
int aero_change_over_run(struct aero_store *store, const struct aero_change_over *change,
	struct aero_err *err);

/* ---- watches: the same ---- */

struct aero_watch_ops {
	int (*next)(struct aero_watch *watch, int timeout_ms, struct aero_batch *ret,
		struct aero_err *err); /* *ret is empty (NONE) when it is called */
	void (*wake)(struct aero_watch *watch);
	const char *(*mode)(const struct aero_watch *watch);
	void (*close)(struct aero_watch *watch); /* frees the watch itself too */
};

struct aero_watch {
	const struct aero_watch_ops *ops;
};

/* Building a batch (watch.c). add: the batch then owns what change holds, and *change is
 * empty; false when out of memory (both as before). */
bool aero_batch_add(struct aero_batch *batch, struct aero_change *change);
/* The same for a document of a whole collection, copied without what nobody reads. */
bool aero_batch_add_doc(struct aero_batch *batch, const bson_t *doc);
/* {_id: value} of a document; empty if it has none. */
bson_t *aero_doc_id(const bson_t *doc);

/* Drop the fields that nobody here reads: they would cost memory, and a publication when
 * they change, and another client may write 16 MiB of them. False: out of memory. */
bool aero_change_strip(struct aero_change *change);
void aero_change_clear(struct aero_change *change);
/* Copy token and time into *position, freeing what was there; false: no memory, as
 * before. token may lie in *position itself. */
bool aero_position_set(struct aero_position *position, const void *token,
	size_t token_len, uint64_t source_time);

#endif
