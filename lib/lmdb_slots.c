/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "lib/lmdb_slots.h"
#include "lib/watch.h"

/* The unique rules: what a partial unique index `{$gt: ''}` holds. */
static const struct unique {
	const char *key;
	enum aero_lmdb_db index;
	int rc;
} uniques[] = {
	{"hostname", AERO_LMDB_HOSTNAMES, AERO_DUP_HOSTNAME},
	{"instance_id", AERO_LMDB_INSTANCES, AERO_DUP_INSTANCE},
};

#define N_UNIQUES (sizeof(uniques) / sizeof(uniques[0]))

void aero_lmdb_doc_clear(struct aero_lmdb_doc *doc)
{
	bson_destroy(doc->doc);
	doc->doc = NULL;
	doc->id_len = 0;
}

static MDB_val val(const void *data, size_t len)
{
	union {
		const void *in;
		void *out;
	} cast = {.in = data}; /* LMDB writes through no key and no value */

	return (MDB_val){len, cast.out};
}

MDB_val aero_lmdb_text(const char *text)
{
	return val(text, strlen(text));
}

static bool same(MDB_val a, MDB_val b)
{
	return a.mv_size == b.mv_size && memcmp(a.mv_data, b.mv_data, a.mv_size) == 0;
}

/* View a value of the file as a document. */
static int view(MDB_val value, bson_t *ret, struct aero_err *err)
{
	if (bson_init_static(ret, value.mv_data, value.mv_size) &&
		bson_validate(ret, BSON_VALIDATE_NONE, NULL))
		return 0;
	return aero_err_set(err, AERO_DB, "the store's file holds a damaged document");
}

int aero_lmdb_doc_get(struct aero_lmdb_txn *txn, enum aero_lmdb_db db, MDB_val key,
	struct aero_lmdb_doc *ret, struct aero_err *err)
{
	MDB_val value;
	bson_t doc;
	int rc;

	if (key.mv_size == 0 || key.mv_size > sizeof(ret->id))
		return MDB_BAD_VALSIZE;
	rc = mdb_get(txn->txn, txn->dbi[db], &key, &value);
	if (rc == 0)
		rc = view(value, &doc, err);
	if (rc != 0)
		return rc;
	memcpy(ret->id, key.mv_data, key.mv_size);
	ret->id_len = key.mv_size;
	ret->doc = bson_copy(&doc);
	return 0;
}

int aero_lmdb_slot_get(struct aero_lmdb_txn *txn, enum aero_lmdb_db index,
	const char *text, struct aero_lmdb_doc *ret, struct aero_err *err)
{
	MDB_val key = aero_lmdb_text(text), id;
	int rc = key.mv_size == 0 ? MDB_NOTFOUND
				  : mdb_get(txn->txn, txn->dbi[index], &key, &id);

	return rc == 0 ? aero_lmdb_doc_get(txn, AERO_LMDB_SLOTS, id, ret, err) : rc;
}

/* The value that a unique index holds of a document; empty when it holds none. */
static MDB_val unique_of(const bson_t *doc, const char *key)
{
	bson_iter_t it;
	const char *text = "";
	uint32_t len = 0;

	if (doc != NULL && bson_iter_init_find(&it, doc, key) &&
		BSON_ITER_HOLDS_UTF8(&it))
		text = bson_iter_utf8(&it, &len);
	return val(text, len);
}

static int unique_check(
	struct aero_lmdb_txn *txn, MDB_val id, const bson_t *doc, struct aero_err *err)
{
	MDB_val key, there;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < N_UNIQUES; i++) {
		key = unique_of(doc, uniques[i].key);
		if (key.mv_size == 0)
			continue;
		rc = mdb_get(txn->txn, txn->dbi[uniques[i].index], &key, &there);
		if (rc == 0 && !same(there, id))
			return aero_err_set(err, uniques[i].rc,
				"%s '%.*s' is in another slot", uniques[i].key,
				(int)key.mv_size, (const char *)key.mv_data);
		rc = rc == MDB_NOTFOUND ? 0 : rc;
	}
	return rc;
}

static int unique_write(
	struct aero_lmdb_txn *txn, MDB_val id, const bson_t *was, const bson_t *doc)
{
	MDB_val before, after;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < N_UNIQUES; i++) {
		before = unique_of(was, uniques[i].key);
		after = unique_of(doc, uniques[i].key);
		if (same(before, after))
			continue;
		if (before.mv_size > 0)
			rc = mdb_del(txn->txn, txn->dbi[uniques[i].index], &before, NULL);
		if (rc == 0 && after.mv_size > 0)
			rc = mdb_put(
				txn->txn, txn->dbi[uniques[i].index], &after, &id, 0);
	}
	return rc;
}

/* ---- the log ---- */

void aero_lmdb_seq_key(uint64_t seq, unsigned char ret[static 8])
{
	seq = htobe64(seq);
	memcpy(ret, &seq, sizeof(seq));
}

uint64_t aero_lmdb_seq_of(const void *key)
{
	uint64_t seq;

	memcpy(&seq, key, sizeof(seq));
	return be64toh(seq);
}

static int log_end(MDB_cursor *cursor, MDB_cursor_op op, uint64_t *ret)
{
	MDB_val key, value;
	int rc = mdb_cursor_get(cursor, &key, &value, op);

	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc == 0 && key.mv_size != sizeof(*ret))
		rc = MDB_CORRUPTED;
	if (rc == 0)
		*ret = aero_lmdb_seq_of(key.mv_data);
	return rc;
}

int aero_lmdb_head(struct aero_lmdb_txn *txn, struct aero_lmdb_head *ret)
{
	struct aero_lmdb_head head = {.first = 1};
	MDB_val key = aero_lmdb_text("id"), value;
	MDB_cursor *cursor = NULL;
	int rc = mdb_get(txn->txn, txn->dbi[AERO_LMDB_META], &key, &value);

	if (rc == 0 && value.mv_size != sizeof(head.store_id))
		rc = MDB_CORRUPTED;
	if (rc == 0)
		memcpy(head.store_id, value.mv_data, sizeof(head.store_id));
	key = aero_lmdb_text("time");
	if (rc == 0)
		rc = mdb_get(txn->txn, txn->dbi[AERO_LMDB_META], &key, &value);
	if (rc == 0 && value.mv_size != sizeof(head.source_time))
		rc = MDB_CORRUPTED;
	if (rc == 0)
		memcpy(&head.source_time, value.mv_data, sizeof(head.source_time));
	else if (rc == MDB_NOTFOUND)
		rc = 0; /* nothing was ever written */
	if (rc == 0)
		rc = mdb_cursor_open(txn->txn, txn->dbi[AERO_LMDB_LOG], &cursor);
	if (rc == 0)
		rc = log_end(cursor, MDB_FIRST, &head.first);
	if (rc == 0)
		rc = log_end(cursor, MDB_LAST, &head.last);
	mdb_cursor_close(cursor);
	if (rc == 0)
		*ret = head;
	return rc;
}

static int log_prune(struct aero_lmdb_txn *txn, uint64_t last)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int rc = mdb_cursor_open(txn->txn, txn->dbi[AERO_LMDB_LOG], &cursor);

	if (rc != 0)
		return rc;
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST)) == 0 &&
		key.mv_size == sizeof(last) &&
		aero_lmdb_seq_of(key.mv_data) + AERO_LMDB_LOG_MAX <= last) {
		rc = mdb_cursor_del(cursor, 0);
		if (rc != 0)
			break;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int log_add(struct aero_lmdb_txn *txn, MDB_val id, int64_t now)
{
	struct aero_lmdb_head head;
	unsigned char seq[8];
	uint64_t time = (uint64_t)(now / 1000) << 32;
	MDB_val key = val(seq, sizeof(seq)), meta = aero_lmdb_text("time"), value;
	int rc = aero_lmdb_head(txn, &head);

	if (rc != 0)
		return rc;
	if (time <= head.source_time)
		time = head.source_time + 1; /* more in one second, or a clock set back */
	value = val(&time, sizeof(time));
	aero_lmdb_seq_key(head.last + 1, seq);
	rc = mdb_put(txn->txn, txn->dbi[AERO_LMDB_META], &meta, &value, 0);
	if (rc == 0)
		rc = mdb_put(txn->txn, txn->dbi[AERO_LMDB_LOG], &key, &id, MDB_APPEND);
	return rc == 0 ? log_prune(txn, head.last + 1) : rc;
}

/* ---- writing ---- */

static int put_doc(
	struct aero_lmdb_txn *txn, enum aero_lmdb_db db, MDB_val id, const bson_t *doc)
{
	MDB_val value = val(bson_get_data(doc), doc->len);

	return mdb_put(txn->txn, txn->dbi[db], &id, &value, 0);
}

/* was with the fields of set, or NULL when it is damaged. */
static bson_t *with_set(const bson_t *was, const bson_t *set)
{
	bson_t *fields = bson_copy(set), *doc;
	struct aero_change change = {.set = fields};
	bool gone;

	doc = aero_change_apply(was, &change, &gone);
	bson_destroy(fields);
	return doc;
}

int aero_lmdb_slot_set(struct aero_lmdb_txn *txn, struct aero_lmdb_doc *was,
	const bson_t *set, int64_t now, struct aero_err *err)
{
	bson_t first = BSON_INITIALIZER, *doc;
	bson_oid_t oid;
	MDB_val id;
	int rc = 0;

	if (was->doc == NULL) {
		bson_oid_init(&oid, NULL);
		memcpy(was->id, oid.bytes, sizeof(oid.bytes));
		was->id_len = sizeof(oid.bytes);
		BSON_APPEND_OID(&first, "_id", &oid);
	}
	id = val(was->id, was->id_len);
	doc = with_set(was->doc != NULL ? was->doc : &first, set);
	if (doc == NULL)
		rc = aero_err_set(
			err, AERO_DB, "the store's file holds a damaged document");
	else if (was->doc != NULL && bson_equal(doc, was->doc))
		goto out; /* no change, no event */
	if (rc == 0)
		rc = unique_check(txn, id, doc, err);
	if (rc == 0)
		rc = unique_write(txn, id, was->doc, doc);
	if (rc == 0)
		rc = put_doc(txn, AERO_LMDB_SLOTS, id, doc);
	if (rc == 0)
		rc = log_add(txn, id, now);
	if (rc == 0) {
		bson_destroy(was->doc);
		was->doc = doc;
		doc = NULL; /* now owned by was */
	}
out:
	bson_destroy(doc);
	bson_destroy(&first);
	return rc;
}

int aero_lmdb_slot_delete(
	struct aero_lmdb_txn *txn, const struct aero_lmdb_doc *was, int64_t now)
{
	MDB_val id = val(was->id, was->id_len);
	int rc = unique_write(txn, id, was->doc, NULL);

	if (rc == 0)
		rc = mdb_del(txn->txn, txn->dbi[AERO_LMDB_SLOTS], &id, NULL);
	return rc == 0 ? log_add(txn, id, now) : rc;
}

int aero_lmdb_doc_set(struct aero_lmdb_txn *txn, enum aero_lmdb_db db, const char *id,
	const bson_t *was, const bson_t *set)
{
	bson_t first = BSON_INITIALIZER, *doc;
	int rc = MDB_CORRUPTED;

	BSON_APPEND_UTF8(&first, "_id", id);
	doc = with_set(was != NULL ? was : &first, set);
	if (doc != NULL)
		rc = put_doc(txn, db, aero_lmdb_text(id), doc);
	bson_destroy(doc);
	bson_destroy(&first);
	return rc;
}

int aero_lmdb_walk_docs(struct aero_lmdb_txn *txn, enum aero_lmdb_db db, const char *from,
	aero_lmdb_each *each, void *arg, struct aero_err *err)
{
	size_t len = strlen(from);
	MDB_cursor *cursor;
	MDB_val id = aero_lmdb_text(from), value;
	MDB_cursor_op op = len == 0 ? MDB_FIRST : MDB_SET_RANGE;
	bson_t doc;
	int rc = mdb_cursor_open(txn->txn, txn->dbi[db], &cursor);

	if (rc != 0)
		return rc;
	for (; (rc = mdb_cursor_get(cursor, &id, &value, op)) == 0; op = MDB_NEXT) {
		if (id.mv_size < len || memcmp(id.mv_data, from, len) != 0)
			break;
		rc = view(value, &doc, err);
		if (rc == 0)
			rc = each(id, &doc, arg, err);
		if (rc != 0)
			break;
	}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int aero_lmdb_slots_walk(
	struct aero_lmdb_txn *txn, aero_lmdb_each *each, void *arg, struct aero_err *err)
{
	return aero_lmdb_walk_docs(txn, AERO_LMDB_SLOTS, "", each, arg, err);
}
