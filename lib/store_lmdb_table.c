/* SPDX-License-Identifier: MIT */
/* Whole tables, and the history, in the LMDB store. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/store_lmdb.h"

#define HISTORY_MAX 100000 /* events kept */

static const struct {
	enum aero_lmdb_db db;
	const char *from; /* how its keys begin */
} tables[] = {
	[AERO_TABLE_SLOTS] = {AERO_LMDB_SLOTS, ""},
	[AERO_TABLE_NODES] = {AERO_LMDB_NODES, ""},
	[AERO_TABLE_CONTROL] = {AERO_LMDB_CONTROL, ""},
	[AERO_TABLE_HISTORY] = {AERO_LMDB_META, "h"},
};

/* Copies, so that nobody's work keeps a transaction open. */
struct walk_arg {
	enum aero_table table;
	bson_t **v;
	size_t n;
};

static void walk_clear(struct walk_arg *arg)
{
	for (size_t i = 0; i < arg->n; i++)
		bson_destroy(arg->v[i]);
	free(arg->v);
	arg->v = NULL;
	arg->n = 0;
}

static int walk_each(MDB_val id, const bson_t *doc, void *varg, struct aero_err *err)
{
	struct walk_arg *arg = varg;
	bson_t **v = aero_array_room(arg->v, arg->n, sizeof(*v));

	(void)id;
	if (v == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	arg->v = v;
	arg->v[arg->n++] = bson_copy(doc);
	return AERO_OK;
}

static int walk_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct walk_arg *arg = varg;

	walk_clear(arg); /* it may be run again */
	return aero_lmdb_walk_docs(
		txn, tables[arg->table].db, tables[arg->table].from, walk_each, arg, err);
}

int aero_lmdb_walk(struct aero_store *base, enum aero_table table, aero_table_take *take,
	void *arg, struct aero_err *err)
{
	struct walk_arg walk = {.table = table};
	int rc = aero_lmdb_read(base, walk_step, &walk, err);

	if (rc == AERO_MISS) /* no file yet */
		rc = AERO_OK;
	for (size_t i = 0; rc == AERO_OK && i < walk.n; i++)
		rc = take(walk.v[i], arg, err);
	walk_clear(&walk);
	return rc;
}

/* ---- the history: below "h" and a number ---- */

#define KEY_LEN 9

struct add_arg {
	const bson_t *event;
	bool known; /* its _id is there */
};

static int add_known(MDB_val id, const bson_t *doc, void *varg, struct aero_err *err)
{
	struct add_arg *arg = varg;
	bson_iter_t a, b;

	(void)id;
	(void)err;
	if (bson_iter_init_find(&a, doc, "_id") &&
		bson_iter_init_find(&b, arg->event, "_id") && BSON_ITER_HOLDS_UTF8(&a) &&
		BSON_ITER_HOLDS_UTF8(&b) &&
		strcmp(bson_iter_utf8(&a, NULL), bson_iter_utf8(&b, NULL)) == 0)
		arg->known = true;
	return AERO_OK;
}

/* The number of the last event, 0 = none: what stands before the first key behind "h". */
static int last_number(MDB_cursor *cursor, uint64_t *ret)
{
	MDB_val key = aero_lmdb_text("i"), value;
	int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

	rc = mdb_cursor_get(cursor, &key, &value, rc == 0 ? MDB_PREV : MDB_LAST);
	*ret = 0;
	if (rc == 0 && key.mv_size == KEY_LEN && *(const char *)key.mv_data == 'h')
		*ret = aero_lmdb_seq_of((const unsigned char *)key.mv_data + 1);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Drop the oldest, where there are too many. */
static int trim(MDB_cursor *cursor, uint64_t last)
{
	MDB_val key = aero_lmdb_text("h"), value;
	int rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);

	if (rc == 0 && key.mv_size == KEY_LEN &&
		aero_lmdb_seq_of((const unsigned char *)key.mv_data + 1) + HISTORY_MAX <=
			last)
		rc = mdb_cursor_del(cursor, 0);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int add_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct add_arg *arg = varg;
	unsigned char bytes[KEY_LEN] = "h";
	MDB_val key = {KEY_LEN, bytes}, value;
	MDB_cursor *cursor = NULL;
	union {
		const void *in;
		void *out;
	} data = {.in = bson_get_data(arg->event)}; /* LMDB writes through no value */
	uint64_t last = 0;
	int rc;

	arg->known = false;
	rc = aero_lmdb_walk_docs(txn, AERO_LMDB_META, "h", add_known, arg, err);
	if (rc != 0 || arg->known)
		return rc;
	rc = mdb_cursor_open(txn->txn, txn->dbi[AERO_LMDB_META], &cursor);
	if (rc == 0)
		rc = last_number(cursor, &last);
	if (rc == 0) {
		aero_lmdb_seq_key(last + 1, bytes + 1);
		value = (MDB_val){arg->event->len, data.out};
		rc = mdb_put(txn->txn, txn->dbi[AERO_LMDB_META], &key, &value, 0);
	}
	if (rc == 0)
		rc = trim(cursor, last + 1);
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	return rc;
}

int aero_lmdb_history_add(
	struct aero_store *base, const bson_t *event, struct aero_err *err)
{
	struct add_arg arg = {.event = event};

	return aero_lmdb_write(base, add_step, &arg, err);
}
