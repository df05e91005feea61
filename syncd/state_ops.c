/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/mapped.h"
#include "syncd/document.h"
#include "syncd/state_ops.h"

/* Append; ops then owns `owned`, also on failure. */
static int op_add(struct aero_ops *ops, const void *key, size_t len, const uint8_t *doc,
	bson_t *owned)
{
	struct aero_op *grown = aero_array_room(ops->v, ops->n, sizeof(*grown));
	unsigned char *copy = malloc(len);

	if (grown != NULL)
		ops->v = grown;
	if (copy == NULL || grown == NULL) {
		free(copy);
		bson_destroy(owned);
		return ENOMEM;
	}
	memcpy(copy, key, len);
	ops->v[ops->n++] =
		(struct aero_op){.key = copy, .len = len, .doc = doc, .owned = owned};
	return 0;
}

/* A document begins with its length. */
static uint32_t length(const uint8_t *doc)
{
	uint32_t len;

	memcpy(&len, doc, sizeof(len));
	return le32toh(len);
}

bool aero_op_doc(const struct aero_op *op, bson_t *ret_view)
{
	return op->doc != NULL && bson_init_static(ret_view, op->doc, length(op->doc));
}

static int write_op(const struct aero_op *op, MDB_txn *txn, MDB_dbi docs, unsigned flags)
{
	MDB_val key = {op->len, op->key}, value;

	if (op->doc == NULL)
		return mdb_del(txn, docs, &key, NULL);
	value = (MDB_val){length(op->doc), (void *)(uintptr_t)op->doc};
	return mdb_put(txn, docs, &key, &value, flags);
}

static bool equal(MDB_val value, const uint8_t *doc)
{
	return value.mv_size == length(doc) &&
	       memcmp(value.mv_data, doc, value.mv_size) == 0;
}

/* ---- a whole collection ---- */

struct item {
	size_t at; /* of the key in the keys' memory: u16 length, bytes */
	const uint8_t *doc;
};

struct items {
	struct item *v;
	size_t n, size, room;
	unsigned char *keys;
};

static MDB_val key_of(const struct items *items, const struct item *item)
{
	uint16_t len;

	memcpy(&len, items->keys + item->at, sizeof(len));
	return (MDB_val){len, items->keys + item->at + sizeof(len)};
}

static int key_cmp(MDB_val a, MDB_val b)
{
	size_t len = a.mv_size < b.mv_size ? a.mv_size : b.mv_size;
	int diff = memcmp(a.mv_data, b.mv_data, len);

	return diff != 0 ? diff : (a.mv_size > b.mv_size) - (a.mv_size < b.mv_size);
}

static int item_cmp(const void *a, const void *b, void *arg)
{
	const struct item *x = a, *y = b;
	int diff = key_cmp(key_of(arg, x), key_of(arg, y));

	return diff != 0 ? diff : (x->at > y->at) - (x->at < y->at);
}

static int item_add(struct items *items, const bson_t *doc)
{
	unsigned char key[AERO_DOCUMENT_KEY_MAX], *grown;
	uint16_t len = (uint16_t)aero_document_key(doc, key);
	size_t size = items->size + sizeof(len) + len;

	if (len == 0)
		return AERO_LOST;
	if (size > items->room) {
		grown = realloc(items->keys, size + size / 2);
		if (grown == NULL)
			return ENOMEM;
		items->keys = grown;
		items->room = size + size / 2;
	}
	memcpy(items->keys + items->size, &len, sizeof(len));
	memcpy(items->keys + items->size + sizeof(len), key, len);
	items->v[items->n++] = (struct item){items->size, bson_get_data(doc)};
	items->size = size;
	return 0;
}

/* The documents of the batch by key, each once: the later one is the newer. */
static int items_make(const struct aero_batch *batch, struct items *ret)
{
	struct aero_docs_at at = {0};
	size_t n = 0;
	bson_t doc;
	int rc = 0;

	ret->v = calloc(batch->n + 1, sizeof(*ret->v));
	if (ret->v == NULL)
		return ENOMEM;
	while (rc == 0 && aero_docs_next(&batch->docs, &at, &doc))
		rc = item_add(ret, &doc);
	if (rc != 0)
		return rc;
	qsort_r(ret->v, ret->n, sizeof(*ret->v), item_cmp, ret);
	for (size_t i = 0; i < ret->n; i++) {
		if (n > 0 && key_cmp(key_of(ret, &ret->v[n - 1]),
				     key_of(ret, &ret->v[i])) == 0)
			n--;
		ret->v[n++] = ret->v[i];
	}
	ret->n = n;
	return 0;
}

/* Walk both in key order and note what differs. */
static int full_diff(struct aero_ops *ops, MDB_cursor *cursor, const struct items *items)
{
	MDB_val key = {0}, value = {0};
	struct aero_mapped mapped = {0}; /* nothing is written yet: all are the file's */
	int at = mdb_cursor_get(cursor, &key, &value, MDB_FIRST), rc = 0;
	size_t i = 0;

	while (rc == 0 && (i < items->n || at == 0)) {
		const struct item *item = i < items->n ? &items->v[i] : NULL;
		MDB_val own = {0};
		int order = 1;

		if (at != 0 && at != MDB_NOTFOUND)
			return at;
		if (item != NULL) {
			own = key_of(items, item);
			order = at != 0 ? -1 : key_cmp(own, key);
		}
		if (order < 0) {
			rc = op_add(ops, own.mv_data, own.mv_size, item->doc, NULL);
			ops->diff.added++;
		} else if (order > 0) {
			rc = op_add(ops, key.mv_data, key.mv_size, NULL, NULL);
			ops->diff.removed++;
		} else if (!equal(value, item->doc)) {
			rc = op_add(ops, own.mv_data, own.mv_size, item->doc, NULL);
			ops->diff.changed++;
		}
		i += order <= 0;
		if (order < 0)
			continue;
		aero_mapped_read(&mapped, value.mv_data, value.mv_size);
		at = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	aero_mapped_drop(&mapped);
	return rc;
}

static int full_find(
	struct aero_ops *ops, MDB_txn *txn, MDB_dbi docs, const struct aero_batch *batch)
{
	struct items items = {0};
	MDB_cursor *cursor = NULL;
	MDB_stat stat;
	int rc = items_make(batch, &items);

	if (rc == 0)
		rc = mdb_stat(txn, docs, &stat);
	if (rc == 0)
		rc = mdb_cursor_open(txn, docs, &cursor);
	if (rc == 0)
		rc = full_diff(ops, cursor, &items);
	mdb_cursor_close(cursor);
	ops->append = rc == 0 && stat.ms_entries == 0;
	free(items.v);
	free(items.keys);
	return rc;
}

static int full_write(struct aero_ops *ops, MDB_txn *txn, MDB_dbi docs, size_t limit)
{
	size_t written = 0;
	int rc = 0;

	for (ops->to = ops->done; rc == 0 && ops->to < ops->n && written < limit;
		ops->to++) {
		const struct aero_op *op = &ops->v[ops->to];

		rc = write_op(op, txn, docs, ops->append ? MDB_APPEND : 0);
		written += op->len + (op->doc == NULL ? 0 : length(op->doc));
	}
	return rc;
}

/* ---- changes ---- */

static int change(struct aero_ops *ops, MDB_txn *txn, MDB_dbi docs,
	const struct aero_change *change)
{
	unsigned char bytes[AERO_DOCUMENT_KEY_MAX];
	MDB_val key = {aero_document_key(change->id, bytes), bytes}, value;
	bson_t old, *doc;
	bool gone = false, there;
	int rc;

	if (key.mv_size == 0)
		return AERO_LOST;
	rc = mdb_get(txn, docs, &key, &value);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	there = rc == 0;
	if (there && !bson_init_static(&old, value.mv_data, value.mv_size))
		return MDB_CORRUPTED;
	doc = aero_change_apply(there ? &old : NULL, change, &gone);
	if (doc == NULL && !gone)
		return AERO_LOST;
	if (doc == NULL ? !there : there && equal(value, bson_get_data(doc))) {
		bson_destroy(doc);
		return 0; /* seen already */
	}
	ops->diff.added += doc != NULL && !there;
	ops->diff.changed += doc != NULL && there;
	ops->diff.removed += doc == NULL;
	rc = op_add(
		ops, bytes, key.mv_size, doc == NULL ? NULL : bson_get_data(doc), doc);
	return rc == 0 ? write_op(&ops->v[ops->n - 1], txn, docs, 0) : rc;
}

int aero_ops_apply(struct aero_ops *ops, MDB_txn *txn, MDB_dbi docs,
	const struct aero_batch *batch, size_t limit)
{
	int rc = 0;

	if (ops->done == 0)
		aero_ops_clear(ops);
	if (batch->kind != AERO_BATCH_DELTA) {
		if (ops->done == 0)
			rc = full_find(ops, txn, docs, batch);
		return rc == 0 ? full_write(ops, txn, docs, limit) : rc;
	}
	for (size_t i = 0; rc == 0 && i < batch->n; i++)
		rc = change(ops, txn, docs, &batch->v[i]);
	ops->to = ops->n;
	return rc;
}

void aero_ops_clear(struct aero_ops *ops)
{
	for (size_t i = 0; i < ops->n; i++) {
		free(ops->v[i].key);
		bson_destroy(ops->v[i].owned);
	}
	free(ops->v);
	*ops = (struct aero_ops){0};
}
