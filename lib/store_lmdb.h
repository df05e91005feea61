/* SPDX-License-Identifier: MIT */
/* The parts of the LMDB store: store_lmdb.c (opening, reading, nodes, control),
 * store_lmdb_table.c (whole tables), store_lmdb_write.c (slots), watch_lmdb.c. */
#ifndef AERO_LIB_STORE_LMDB_H
#define AERO_LIB_STORE_LMDB_H

#include "lib/lmdb_slots.h"
#include "lib/store_ops.h"

struct aero_store_lmdb {
	struct aero_store base;
	char *path;
	bool read_only;
	struct aero_lmdb *db; /* NULL: no file yet */
	struct aero_lmdb_txn
		*txn; /* that all operations belong to; NULL = each its own */
};

struct aero_store_lmdb *aero_lmdb_store(struct aero_store *base);

/* Run a step that reads (AERO_MISS when there is no file) or writes (makes it). */
int aero_lmdb_read(
	struct aero_store *base, aero_lmdb_step *step, void *arg, struct aero_err *err);
int aero_lmdb_write(
	struct aero_store *base, aero_lmdb_step *step, void *arg, struct aero_err *err);

/* aero_slot_of_bson with words. */
int aero_lmdb_slot_of(const bson_t *doc, struct aero_slot *ret, struct aero_err *err);

/* Operations, as in struct aero_store_ops. */
int aero_lmdb_slot_update(struct aero_store *base, const struct aero_slot_match *match,
	const struct aero_slot_change *change, struct aero_err *err);
int aero_lmdb_slot_claim(struct aero_store *base, const char *service,
	const char *except_hostname, const struct aero_slot_change *change,
	struct aero_slot *ret, struct aero_err *err);
int aero_lmdb_slots_insert(struct aero_store *base, const struct aero_slot *slots,
	size_t n, struct aero_err *err);
int aero_lmdb_slot_import(
	struct aero_store *base, const struct aero_slot *slot, struct aero_err *err);
int aero_lmdb_aliases_take(struct aero_store *base, const struct aero_list *aliases,
	const char *instance_id, struct aero_err *err);
int aero_lmdb_slot_mend(struct aero_store *base, const bson_t *was, const bson_t *set,
	struct aero_err *err);
int aero_lmdb_walk(struct aero_store *base, enum aero_table table, aero_table_take *take,
	void *arg, struct aero_err *err);
int aero_lmdb_history_add(
	struct aero_store *base, const bson_t *event, struct aero_err *err);
int aero_lmdb_watch_open(struct aero_store *base, const struct aero_watch_opts *opts,
	struct aero_watch **ret, struct aero_err *err);

#endif
