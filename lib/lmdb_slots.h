/* SPDX-License-Identifier: MIT */
/* Documents in the LMDB store's file: found by an index, written with indexes and log.
 * All within a transaction of lib/lmdb.h; codes as its steps return them. */
#ifndef AERO_LIB_LMDB_SLOTS_H
#define AERO_LIB_LMDB_SLOTS_H

#include <bson/bson.h>

#include "lib/lmdb.h"

/* A document of the file, as a copy that outlives writes. */
struct aero_lmdb_doc {
	unsigned char id[512]; /* the key: the value of _id */
	size_t id_len;
	bson_t *doc;
};

void aero_lmdb_doc_clear(struct aero_lmdb_doc *doc);

/* A text as a key or value. */
MDB_val aero_lmdb_text(const char *text);

/* The document under a key; MDB_NOTFOUND. *ret is empty before. */
int aero_lmdb_doc_get(struct aero_lmdb_txn *txn, enum aero_lmdb_db db, MDB_val key,
	struct aero_lmdb_doc *ret, struct aero_err *err);
/* The slot of a hostname or an instance (index says which), MDB_NOTFOUND. */
int aero_lmdb_slot_get(struct aero_lmdb_txn *txn, enum aero_lmdb_db index,
	const char *text, struct aero_lmdb_doc *ret, struct aero_err *err);

/* Set top-level fields of a slot; the unique rules are checked first, so that a refusal
 * (AERO_DUP_HOSTNAME, AERO_DUP_INSTANCE) changes nothing and the transaction may go on.
 * was->doc NULL: a new slot, which gets a new ObjectId. now: Unix ms, for the log. */
int aero_lmdb_slot_set(struct aero_lmdb_txn *txn, struct aero_lmdb_doc *was,
	const bson_t *set, int64_t now, struct aero_err *err);

/* Delete a slot, which was is a copy of. */
int aero_lmdb_slot_delete(
	struct aero_lmdb_txn *txn, const struct aero_lmdb_doc *was, int64_t now);

/* Set top-level fields of a document of nodes or control, made if it is not there; was
 * (NULL: none) is what stands there. */
int aero_lmdb_doc_set(struct aero_lmdb_txn *txn, enum aero_lmdb_db db, const char *id,
	const bson_t *was, const bson_t *set);

/* Walk the slots: each is called with key and document (lent); AERO_OK goes on. */
typedef int aero_lmdb_each(
	MDB_val id, const bson_t *doc, void *arg, struct aero_err *err);
int aero_lmdb_slots_walk(
	struct aero_lmdb_txn *txn, aero_lmdb_each *each, void *arg, struct aero_err *err);
/* The same for any database: the documents whose key begins with `from` ('': all). */
int aero_lmdb_walk_docs(struct aero_lmdb_txn *txn, enum aero_lmdb_db db, const char *from,
	aero_lmdb_each *each, void *arg, struct aero_err *err);

/* ---- the log of changes ---- */

#define AERO_LMDB_LOG_MAX 100000 /* entries kept */

struct aero_lmdb_head {
	unsigned char store_id[AERO_LMDB_ID_LEN];
	uint64_t first, last; /* sequence numbers in the log; 1, 0 when it is empty */
	uint64_t source_time;
};

int aero_lmdb_head(struct aero_lmdb_txn *txn, struct aero_lmdb_head *ret);

/* Big-endian, so that keys sort as numbers. */
void aero_lmdb_seq_key(uint64_t seq, unsigned char ret[static 8]);
uint64_t aero_lmdb_seq_of(const void *key);

#endif
