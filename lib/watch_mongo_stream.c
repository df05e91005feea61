/* SPDX-License-Identifier: MIT */
/*
 * The change stream as bare aggregate and getMore commands. The driver's own change
 * stream would hide where a batch ends, which is what tells that a transaction is whole;
 * and it retries within the call, for ever if each try fails (CDRIVER-6182).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/watch_mongo.h"

#define BATCH_EVENTS 1000
/* A batch that ends below this many bytes was not cut by the limit of 16 MB. */
#define BATCH_BYTES (8U << 20)

/* Run a command of the stream on its member. *reply is always to be destroyed. */
static bool run(struct aero_watch_mongo *w, const bson_t *command, bson_t *reply,
	bson_error_t *error)
{
	struct aero_store_mongo *s = &w->own;
	bson_t opts = BSON_INITIALIZER;
	bool ok = aero_mongo_watch_opts(w, &opts);

	if (ok) {
		ok = mongoc_client_command_with_opts(s->client, s->database, command,
			mongoc_client_get_read_prefs(s->client), &opts, reply, error);
	} else {
		bson_init(reply);
		bson_set_error(error, MONGOC_ERROR_BSON, MONGOC_ERROR_BSON_INVALID,
			"out of memory");
	}
	bson_destroy(&opts);
	return ok;
}

static int failed(const struct aero_watch_mongo *w, const bson_t *reply,
	const bson_error_t *error, struct aero_err *err)
{
	struct aero_mongo_place place = {
		&w->own, AERO_MONGO_SLOTS, "'find', 'changeStream'"};

	return aero_mongo_read_error(&place, reply, error, err);
}

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

/* ---- events ---- */

static void keep(bson_t **token, const bson_t *view)
{
	bson_destroy(*token);
	*token = view == NULL ? NULL : bson_copy(view);
}

/* All that was read so far is whole. */
static void whole(struct aero_watch_mongo *w)
{
	w->n_whole = w->read.n;
	if (w->last != NULL)
		keep(&w->token, w->last);
	if (w->last_time > w->time)
		w->time = w->last_time;
}

struct rereading {
	bson_t *doc;
};

static int take_doc(const bson_t *doc, void *arg, struct aero_err *err)
{
	struct rereading *reading = arg;

	(void)err;
	keep(&reading->doc, doc);
	return AERO_OK;
}

/* The document as it is now, perhaps later than the event; the events between come all
 * the same and lead to the same end. None: it was deleted since; until that event comes
 * the old version has to stay, for there may be updates before it. */
static int reread(
	struct aero_watch_mongo *w, struct aero_change *change, struct aero_err *err)
{
	struct rereading reading = {NULL};
	bson_t opts = BSON_INITIALIZER;
	int rc = AERO_OK;

	BSON_APPEND_INT64(&opts, "limit", 1);
	if (!aero_mongo_watch_opts(w, &opts))
		rc = no_memory(err);
	if (rc == AERO_OK)
		rc = aero_mongo_find(&w->own, AERO_MONGO_SLOTS, change->id, &opts,
			take_doc, &reading, err);
	if (rc == AERO_OK)
		change->doc = reading.doc;
	else
		bson_destroy(reading.doc);
	bson_destroy(&opts);
	return rc;
}

static int read_event(struct aero_watch_mongo *w, const bson_t *doc, struct aero_err *err)
{
	struct aero_mongo_event event;
	int rc = AERO_OK;

	if (!aero_mongo_event_of(doc, &event))
		return aero_err_set(
			err, AERO_LOST, "the change stream sent a strange event");
	/* Another transaction, or none: what came before is whole. */
	if (w->txn == NULL || event.txn == NULL || !bson_equal(w->txn, event.txn))
		whole(w);
	keep(&w->txn, event.txn);
	keep(&w->last, event.token);
	w->last_time = event.time;
	if (event.kind == AERO_MONGO_END)
		rc = aero_err_set(err, AERO_LOST, "%s.%s: %s", w->own.database,
			AERO_MONGO_SLOTS, event.what);
	else if (event.kind == AERO_MONGO_REREAD)
		rc = reread(w, &event.change, err);
	if (event.kind == AERO_MONGO_REREAD && event.change.doc == NULL)
		event.kind = AERO_MONGO_IGNORED;
	if (rc == AERO_OK && event.kind != AERO_MONGO_IGNORED &&
		(!aero_change_strip(&event.change) ||
			!aero_batch_add(&w->read, &event.change)))
		rc = no_memory(err);
	if (rc == AERO_OK && event.txn == NULL)
		whole(w);
	aero_mongo_event_clear(&event);
	return rc;
}

static int read_events(struct aero_watch_mongo *w, bson_iter_t *events, size_t *ret_n,
	struct aero_err *err)
{
	const uint8_t *data;
	uint32_t len;
	bson_t doc;
	int rc = AERO_OK;

	*ret_n = 0;
	while (rc == AERO_OK && bson_iter_next(events)) {
		if (!BSON_ITER_HOLDS_DOCUMENT(events))
			continue;
		bson_iter_document(events, &len, &data);
		if (bson_init_static(&doc, data, len))
			rc = read_event(w, &doc, err);
		++*ret_n;
	}
	return rc;
}

/* A reply of aggregate or getMore: {cursor: {id, firstBatch | nextBatch,
 * postBatchResumeToken}}. */
static int read_reply(
	struct aero_watch_mongo *w, const bson_t *reply, struct aero_err *err)
{
	bson_iter_t it, cursor, events;
	const uint8_t *data;
	uint32_t len;
	size_t n = 0;
	bson_t after;
	int rc = AERO_OK;

	if (!bson_iter_init_find(&it, reply, "cursor") ||
		!bson_iter_recurse(&it, &cursor) || !bson_iter_find(&cursor, "id"))
		return aero_err_set(err, AERO_DB, "a strange answer to a change stream");
	w->cursor = bson_iter_as_int64(&cursor);
	(void)bson_iter_recurse(&it, &cursor);
	if ((bson_iter_find(&cursor, "nextBatch") ||
		    (bson_iter_recurse(&it, &cursor) &&
			    bson_iter_find(&cursor, "firstBatch"))) &&
		bson_iter_recurse(&cursor, &events))
		rc = read_events(w, &events, &n, err);
	/* Fewer events than asked for: the server had no more, so no transaction is cut.
	 */
	if (rc == AERO_OK && n < BATCH_EVENTS && reply->len < BATCH_BYTES) {
		whole(w);
		keep(&w->txn, NULL);
	}
	if (w->last_time > w->seen)
		w->seen = w->last_time;
	/* Behind all of the batch; for us, unless a transaction is still open. */
	if (rc == AERO_OK && bson_iter_recurse(&it, &cursor) &&
		bson_iter_find(&cursor, "postBatchResumeToken") &&
		BSON_ITER_HOLDS_DOCUMENT(&cursor)) {
		bson_iter_document(&cursor, &len, &data);
		if (bson_init_static(&after, data, len)) {
			if (aero_mongo_token_time(&after) > w->seen)
				w->seen = aero_mongo_token_time(&after);
			if (w->n_whole == w->read.n)
				keep(&w->token, &after);
		}
	}
	return rc;
}

/* ---- the cursor ---- */

enum start {
	START_AFTER,  /* 4.2 and later; behind an invalidate too */
	RESUME_AFTER, /* 4.0 */
	START_AT,     /* a time */
};

static void put_start(bson_t *stage, enum start how, const bson_t *token, uint64_t start)
{
	switch (how) {
	case START_AFTER:
		BSON_APPEND_DOCUMENT(stage, "startAfter", token);
		break;
	case RESUME_AFTER:
		BSON_APPEND_DOCUMENT(stage, "resumeAfter", token);
		break;
	case START_AT:
	default:
		BSON_APPEND_TIMESTAMP(stage, "startAtOperationTime",
			(uint32_t)(start >> 32), (uint32_t)start);
		break;
	}
}

static void stream_command(
	bson_t *command, enum start how, const bson_t *token, uint64_t start)
{
	bson_t pipeline, element, stage, cursor, concern;

	BSON_APPEND_UTF8(command, "aggregate", AERO_MONGO_SLOTS);
	BSON_APPEND_ARRAY_BEGIN(command, "pipeline", &pipeline);
	BSON_APPEND_DOCUMENT_BEGIN(&pipeline, "0", &element);
	BSON_APPEND_DOCUMENT_BEGIN(&element, "$changeStream", &stage);
	put_start(&stage, how, token, start);
	bson_append_document_end(&element, &stage);
	bson_append_document_end(&pipeline, &element);
	bson_append_array_end(command, &pipeline);
	BSON_APPEND_DOCUMENT_BEGIN(command, "cursor", &cursor);
	/* None now: getMore has the time limit. */
	BSON_APPEND_INT32(&cursor, "batchSize", 0);
	bson_append_document_end(command, &cursor);
	BSON_APPEND_DOCUMENT_BEGIN(command, "readConcern", &concern);
	BSON_APPEND_UTF8(&concern, "level", "majority");
	bson_append_document_end(command, &concern);
}

static bool try_open(struct aero_watch_mongo *w, enum start how, const bson_t *token,
	uint64_t start, bson_t *reply, bson_error_t *error)
{
	bson_t command = BSON_INITIALIZER;
	bool ok;

	stream_command(&command, how, token, start);
	ok = run(w, &command, reply, error);
	bson_destroy(&command);
	return ok;
}

/* "unknown field" of $changeStream, before 4.2 */
#define UNKNOWN_FIELD 40415

int aero_mongo_stream_open(struct aero_watch_mongo *w, const bson_t *token,
	uint64_t start, bool *ret_none, struct aero_err *err)
{
	bson_error_t error = {0};
	bson_t reply;
	int rc = AERO_OK;
	bool ok;

	*ret_none = false;
	ok = try_open(
		w, token != NULL ? START_AFTER : START_AT, token, start, &reply, &error);
	if (!ok && token != NULL && error.code == UNKNOWN_FIELD) {
		bson_destroy(&reply);
		ok = try_open(w, RESUME_AFTER, token, start, &reply, &error);
	}
	if (ok)
		rc = read_reply(w, &reply, err);
	else if (aero_mongo_kind_of(&reply, &error) == AERO_MONGO_NO_STREAM)
		*ret_none = true;
	else
		rc = failed(w, &reply, &error, err);
	/* Whatever it has against the token: one without is the remedy. */
	if (rc == AERO_DB && token != NULL)
		rc = AERO_LOST;
	bson_destroy(&reply);
	return rc;
}

int aero_mongo_stream_read(struct aero_watch_mongo *w, int await_ms, struct aero_err *err)
{
	bson_t command = BSON_INITIALIZER, reply;
	bson_error_t error = {0};
	int rc;

	if (w->cursor == 0) /* the server ended it: no such database, or invalidated */
		return aero_err_set(err, AERO_LOST, "the change stream has ended");
	BSON_APPEND_INT64(&command, "getMore", w->cursor);
	BSON_APPEND_UTF8(&command, "collection", AERO_MONGO_SLOTS);
	BSON_APPEND_INT32(&command, "batchSize", BATCH_EVENTS);
	BSON_APPEND_INT32(&command, "maxTimeMS", await_ms);
	if (run(w, &command, &reply, &error)) {
		rc = read_reply(w, &reply, err);
	} else {
		rc = failed(w, &reply, &error, err);
		if (rc == AERO_NET)
			w->cursor = 0; /* not worth a farewell */
	}
	bson_destroy(&reply);
	bson_destroy(&command);
	return rc;
}

int aero_mongo_stream_take(
	struct aero_watch_mongo *w, struct aero_batch *ret, struct aero_err *err)
{
	size_t n = w->n_whole, i = 0;

	while (i < n && aero_batch_add(ret, &w->read.v[i]))
		i++;
	if (i < n)
		return no_memory(err);
	w->read.n -= n;
	w->n_whole = 0;
	if (n > 0 && w->read.n > 0)
		memmove(w->read.v, w->read.v + n, w->read.n * sizeof(*w->read.v));
	return AERO_OK;
}

void aero_mongo_stream_close(struct aero_watch_mongo *w)
{
	bson_t command = BSON_INITIALIZER, reply, array;
	bson_error_t error;

	if (w->cursor != 0) {
		BSON_APPEND_UTF8(&command, "killCursors", AERO_MONGO_SLOTS);
		BSON_APPEND_ARRAY_BEGIN(&command, "cursors", &array);
		BSON_APPEND_INT64(&array, "0", w->cursor);
		bson_append_array_end(&command, &array);
		(void)run(w, &command, &reply, &error);
		bson_destroy(&reply);
	}
	w->cursor = 0;
	aero_batch_clear(&w->read);
	bson_destroy(w->token);
	bson_destroy(w->txn);
	bson_destroy(w->last);
	bson_destroy(&command);
}
