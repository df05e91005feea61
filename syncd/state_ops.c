/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "syncd/document.h"
#include "syncd/state_ops.h"

/* Append; ops then owns `owned`, also on failure. */
static int op_add(struct aero_ops *ops, const void *key, size_t len, const bson_t *doc,
	bson_t *owned)
{
	struct aero_op *grown = ops->v;
	unsigned char *copy = malloc(len);

	if (copy != NULL && (ops->n & (ops->n - 1)) == 0) {
		grown = reallocarray(
			ops->v, ops->n == 0 ? 1 : ops->n * 2, sizeof(*grown));
		if (grown != NULL)
			ops->v = grown;
	}
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

static int put(MDB_txn *txn, MDB_dbi docs, MDB_val key, const bson_t *doc, unsigned flags)
{
	MDB_val value = {doc->len, (void *)(uintptr_t)bson_get_data(doc)};

	return mdb_put(txn, docs, &key, &value, flags);
}

static bool equal(MDB_val value, const bson_t *doc)
{
	return value.mv_size == doc->len &&
	       memcmp(value.mv_data, bson_get_data(doc), doc->len) == 0;
}

/* ---- a whole collection ---- */

struct item {
	unsigned char *key;
	size_t len, at; /* at: in the batch, and then in the keys' memory */
	const bson_t *doc;
};

struct items {
	struct item *v;
	size_t n;
	unsigned char *keys;
};

static int key_cmp(const void *a, size_t a_len, const void *b, size_t b_len)
{
	int diff = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return diff != 0 ? diff : (a_len > b_len) - (a_len < b_len);
}

static int item_cmp(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int diff = key_cmp(x->key, x->len, y->key, y->len);

	return diff != 0 ? diff : (x->at > y->at) - (x->at < y->at);
}

/* The documents of the batch by key, each once: the later one is the newer. */
static int items_make(const struct aero_batch *batch, struct items *ret)
{
	unsigned char key[AERO_DOCUMENT_KEY_MAX];
	size_t size = 0, room = 0, n = 0;

	ret->v = calloc(batch->n + 1, sizeof(*ret->v));
	if (ret->v == NULL)
		return ENOMEM;
	for (size_t i = 0; i < batch->n; i++) {
		struct item *item = &ret->v[i];

		item->doc = batch->v[i].doc;
		item->len = aero_document_key(batch->v[i].id, key);
		if (item->doc == NULL || item->len == 0)
			return AERO_LOST;
		if (size + item->len > room) {
			unsigned char *grown;

			room = (room + item->len) * 2;
			grown = realloc(ret->keys, room);
			if (grown == NULL)
				return ENOMEM;
			ret->keys = grown;
		}
		memcpy(ret->keys + size, key, item->len);
		item->at = size;
		size += item->len;
	}
	for (size_t i = 0; i < batch->n; i++)
		ret->v[i].key = ret->keys + ret->v[i].at;
	qsort(ret->v, batch->n, sizeof(*ret->v), item_cmp);
	for (size_t i = 0; i < batch->n; i++) {
		if (n > 0 && key_cmp(ret->v[n - 1].key, ret->v[n - 1].len, ret->v[i].key,
				     ret->v[i].len) == 0)
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
	int at = mdb_cursor_get(cursor, &key, &value, MDB_FIRST), rc = 0;
	size_t i = 0;

	while (rc == 0 && (i < items->n || at == 0)) {
		const struct item *item = i < items->n ? &items->v[i] : NULL;
		int order;

		if (at != 0 && at != MDB_NOTFOUND)
			return at;
		order = item == NULL ? 1
			: at != 0
				? -1
				: key_cmp(item->key, item->len, key.mv_data, key.mv_size);
		if (order < 0) {
			rc = op_add(ops, item->key, item->len, item->doc, NULL);
			ops->diff.added++;
		} else if (order > 0) {
			rc = op_add(ops, key.mv_data, key.mv_size, NULL, NULL);
			ops->diff.removed++;
		} else if (!equal(value, item->doc)) {
			rc = op_add(ops, item->key, item->len, item->doc, NULL);
			ops->diff.changed++;
		}
		i += order <= 0;
		if (order >= 0)
			at = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	return rc;
}

static int full_write(struct aero_ops *ops, MDB_txn *txn, MDB_dbi docs, bool empty)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ops->n; i++) {
		struct aero_op *op = &ops->v[i];
		MDB_val key = {op->len, op->key};

		if (op->doc != NULL)
			rc = put(txn, docs, key, op->doc, empty ? MDB_APPEND : 0);
		else
			rc = mdb_del(txn, docs, &key, NULL);
	}
	return rc;
}

static int full(
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
	if (rc == 0)
		rc = full_write(ops, txn, docs, stat.ms_entries == 0);
	free(items.v);
	free(items.keys);
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
	if (doc == NULL ? !there : there && equal(value, doc)) {
		bson_destroy(doc);
		return 0; /* seen already */
	}
	ops->diff.added += doc != NULL && !there;
	ops->diff.changed += doc != NULL && there;
	ops->diff.removed += doc == NULL;
	rc = op_add(ops, bytes, key.mv_size, doc, doc);
	if (rc == 0 && doc != NULL)
		rc = put(txn, docs, key, doc, 0);
	else if (rc == 0)
		rc = mdb_del(txn, docs, &key, NULL);
	return rc;
}

int aero_ops_apply(
	struct aero_ops *ops, MDB_txn *txn, MDB_dbi docs, const struct aero_batch *batch)
{
	int rc = 0;

	aero_ops_clear(ops);
	if (batch->kind != AERO_BATCH_DELTA)
		return full(ops, txn, docs, batch);
	for (size_t i = 0; rc == 0 && i < batch->n; i++)
		rc = change(ops, txn, docs, &batch->v[i]);
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
