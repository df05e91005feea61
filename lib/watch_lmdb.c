/* SPDX-License-Identifier: MIT */
/*
 * Following the LMDB store: a snapshot, then what its log says. A batch is what changed
 * between two transactions, read in one, so it never shows half a change. inotify says
 * when to look; a look each second makes up for what it cannot see.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/mapped.h"
#include "lib/store_lmdb.h"

#define LOOK_MS 1000
#define SOON_MS \
	2 /* the file is written to before its readers are let see it: again... \
	   */
#define SOON_MAX 100 /* ... and more slowly, up to here */

struct watch {
	struct aero_watch base;
	char *path;
	bool read_only;
	struct aero_lmdb *db;
	struct aero_position at; /* no token: a snapshot is due */
	int inotify, wake;
};

/* The token: whose log, and how far. */
struct token {
	unsigned char store_id[AERO_LMDB_ID_LEN];
	unsigned char seq[8];
};

static struct watch *of(struct aero_watch *base)
{
	return (struct watch *)(void *)base; /* base is its first member */
}

struct batch_arg {
	const struct aero_position *from;
	struct aero_mapped mapped;
	struct aero_batch batch;
};

static int add(struct batch_arg *arg, struct aero_change *change, struct aero_err *err)
{
	int rc = AERO_OK;

	if (!aero_batch_add(&arg->batch, change))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	aero_change_clear(change);
	return rc;
}

/* {_id: value} of a document, or of a key whose document went. */
static bson_t *id_of(const bson_t *doc, MDB_val key)
{
	bson_t *id = doc == NULL ? bson_new() : aero_doc_id(doc);
	bson_oid_t oid;

	if (bson_empty(id) && key.mv_size == sizeof(oid.bytes)) {
		bson_oid_init_from_data(&oid, key.mv_data);
		BSON_APPEND_OID(id, "_id", &oid);
	}
	return id;
}

static int snapshot_each(MDB_val id, const bson_t *doc, void *varg, struct aero_err *err)
{
	struct batch_arg *arg = varg;

	(void)id;
	if (!aero_batch_add_doc(&arg->batch, doc))
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	aero_mapped_read(&arg->mapped, bson_get_data(doc), doc->len);
	return AERO_OK;
}

static int delta_add(struct aero_lmdb_txn *txn, MDB_val id, struct batch_arg *arg,
	struct aero_err *err)
{
	struct aero_lmdb_doc doc = {0};
	struct aero_change change = {0};
	int rc = aero_lmdb_doc_get(txn, AERO_LMDB_SLOTS, id, &doc, err);

	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	change.id = id_of(doc.doc, id);
	change.doc = doc.doc; /* now owned by change; NULL: it went */
	return add(arg, &change, err);
}

static int by_id(const void *a, const void *b)
{
	const MDB_val *x = a, *y = b;
	size_t len = x->mv_size < y->mv_size ? x->mv_size : y->mv_size;
	int order = memcmp(x->mv_data, y->mv_data, len);

	return order != 0 ? order : (x->mv_size > y->mv_size) - (x->mv_size < y->mv_size);
}

/* The keys that the log names behind seq, each once, as views into the file. */
static int delta_ids(struct aero_lmdb_txn *txn, uint64_t seq, uint64_t last,
	MDB_val **ret, size_t *ret_n)
{
	unsigned char from[8];
	MDB_val key = {sizeof(from), from}, id, *ids;
	MDB_cursor *cursor = NULL;
	size_t n = 0, unique = 0;
	int rc;

	ids = reallocarray(NULL, (size_t)(last - seq), sizeof(*ids));
	if (ids == NULL)
		return ENOMEM;
	aero_lmdb_seq_key(seq + 1, from);
	rc = mdb_cursor_open(txn->txn, txn->dbi[AERO_LMDB_LOG], &cursor);
	if (rc == 0)
		rc = mdb_cursor_get(cursor, &key, &id, MDB_SET_RANGE);
	for (; rc == 0 && n < last - seq; n++) {
		ids[n] = id;
		rc = mdb_cursor_get(cursor, &key, &id, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	if (rc != 0 && rc != MDB_NOTFOUND) {
		free(ids);
		return rc;
	}
	qsort(ids, n, sizeof(*ids), by_id);
	for (size_t i = 0; i < n; i++)
		if (unique == 0 || by_id(&ids[unique - 1], &ids[i]) != 0)
			ids[unique++] = ids[i];
	*ret = ids;
	*ret_n = unique;
	return 0;
}

static int lost(struct aero_err *err, const char *why)
{
	return aero_err_set(
		err, AERO_LOST, "the position is of no use any more: %s", why);
}

/* How far the position is; AERO_LOST when this log cannot go on from it. */
static int seq_of(const struct aero_position *from, const struct aero_lmdb_head *head,
	uint64_t *ret, struct aero_err *err)
{
	struct token token;
	uint64_t seq;

	if (from->token_len != sizeof(token))
		return lost(err, "it is none of an LMDB store");
	memcpy(&token, from->token, sizeof(token));
	if (memcmp(token.store_id, head->store_id, sizeof(token.store_id)) != 0)
		return lost(err, "it is of another store file");
	seq = aero_lmdb_seq_of(token.seq);
	if (seq > head->last)
		return lost(err, "the store file is older than it");
	if (seq + 1 < head->first)
		return lost(err, "the log does not go back so far");
	*ret = seq;
	return AERO_OK;
}

static int batch_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct batch_arg *arg = varg;
	struct aero_lmdb_head head;
	struct token token;
	MDB_val *ids = NULL;
	size_t n = 0;
	uint64_t seq;
	int rc;

	aero_batch_clear(&arg->batch);
	rc = aero_lmdb_head(txn, &head);
	if (rc != 0)
		return rc;
	if (arg->from->token_len == 0) {
		arg->batch.kind = AERO_BATCH_FULL;
		rc = aero_lmdb_slots_walk(txn, snapshot_each, arg, err);
		aero_mapped_drop(&arg->mapped);
	} else {
		rc = seq_of(arg->from, &head, &seq, err);
		if (rc == 0 && seq < head.last) {
			arg->batch.kind = AERO_BATCH_DELTA;
			rc = delta_ids(txn, seq, head.last, &ids, &n);
		}
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = delta_add(txn, ids[i], arg, err);
		free(ids);
	}
	memcpy(token.store_id, head.store_id, sizeof(token.store_id));
	aero_lmdb_seq_key(head.last, token.seq);
	if (rc == 0 && !aero_position_set(&arg->batch.position, &token, sizeof(token),
			       head.source_time))
		rc = ENOMEM;
	return rc;
}

/* Look once: what is new, or a batch NONE with the position. */
static int look(struct watch *w, struct aero_batch *ret, struct aero_err *err)
{
	struct batch_arg arg = {.from = &w->at};
	int rc;

	if (!aero_lmdb_current(w->db))
		return aero_err_set(err, AERO_NET,
			"the store file '%s' was removed or replaced", w->path);
	rc = aero_lmdb_run(w->db, false, batch_step, &arg, err);
	if (rc == AERO_OK &&
		!aero_position_set(&w->at, arg.batch.position.token,
			arg.batch.position.token_len, arg.batch.position.source_time))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK)
		*ret = arg.batch;
	else
		aero_batch_clear(&arg.batch);
	return rc;
}

/* Wait for a change or a wake; true if somebody woke us. */
static bool wait_for(struct watch *w, int64_t timeout_ms, bool *ret_written)
{
	struct pollfd fds[2] = {
		{.fd = w->wake, .events = POLLIN}, {.fd = w->inotify, .events = POLLIN}};
	char events[4096];
	uint64_t count;

	(void)poll(fds, 2, (int)timeout_ms);
	*ret_written = (fds[1].revents & POLLIN) != 0;
	if (*ret_written)
		while (read(w->inotify, events, sizeof(events)) > 0)
			;
	return (fds[0].revents & POLLIN) != 0 &&
	       read(w->wake, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

static int op_next(struct aero_watch *base, int timeout_ms, struct aero_batch *ret,
	struct aero_err *err)
{
	struct watch *w = of(base);
	int64_t end = aero_clock_ms() + timeout_ms, left, pause = SOON_MS;
	bool written;
	int rc;

	for (;;) {
		rc = look(w, ret, err);
		left = end - aero_clock_ms();
		if (rc != AERO_OK || ret->kind != AERO_BATCH_NONE || left <= 0 ||
			wait_for(w, left < pause ? left : pause, &written))
			return rc;
		if (written)
			pause = SOON_MS;
		else
			pause = pause * 4 > SOON_MAX ? LOOK_MS : pause * 4;
		aero_batch_clear(ret);
	}
}

static void op_wake(struct aero_watch *base)
{
	uint64_t one = 1;
	ssize_t n = write(of(base)->wake, &one, sizeof(one));

	(void)n; /* full: it is awake already */
}

static const char *op_mode(const struct aero_watch *base)
{
	(void)base;
	return "log";
}

static void op_close(struct aero_watch *base)
{
	struct watch *w = of(base);

	if (w->inotify >= 0)
		(void)close(w->inotify);
	if (w->wake >= 0)
		(void)close(w->wake);
	aero_position_clear(&w->at);
	aero_lmdb_put(w->db);
	free(w->path);
	free(w);
}

static const struct aero_watch_ops ops = {op_next, op_wake, op_mode, op_close};

int aero_lmdb_watch_open(struct aero_store *base, const struct aero_watch_opts *opts,
	struct aero_watch **ret, struct aero_err *err)
{
	struct aero_store_lmdb *s = aero_lmdb_store(base);
	struct watch *w = calloc(1, sizeof(*w));
	int rc = AERO_NOMEM;

	if (w == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	w->base.ops = &ops;
	w->read_only = s->read_only;
	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->path = strdup(s->path);
	if (w->path == NULL ||
		(opts->from != NULL &&
			!aero_position_set(&w->at, opts->from->token,
				opts->from->token_len, opts->from->source_time)))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	else if (w->wake < 0)
		rc = aero_err_set(err, AERO_IO, "eventfd: %s", strerror(errno));
	else
		rc = aero_lmdb_get(w->path, w->read_only, false, &w->db, err);
	if (rc == AERO_OK && w->db == NULL)
		rc = aero_err_set(err, AERO_NET, "no store file '%s' yet", w->path);
	if (rc != AERO_OK) {
		op_close(&w->base);
		return rc;
	}
	/* Without inotify (no watches left) the look each second goes on. */
	(void)inotify_add_watch(w->inotify, w->path,
		IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
	*ret = &w->base;
	return AERO_OK;
}
