/* SPDX-License-Identifier: MIT */
/*
 * Following MongoDB: a snapshot and a change stream without a lost event, or polling
 * where there are no change streams (DESIGN 7). Opening meets the server, takes the time
 * T0 and opens the stream there; the first batch is all documents, read after that, with
 * the events up to T1, the time behind that reading, applied.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/watch_mongo.h"

/* How long the server may wait for events; a wake is seen then. The socket waits longer:
 * how long a frozen server holds us up. */
#define AWAIT_MS 1000
#define SOCKET_MS (AWAIT_MS + 2000)
/* A router tells the time of its idlest shard, which writes one at least each 10 s.
 * Giving up costs only that the events up to T1, which the snapshot shows, come once
 * more. */
#define DRAIN_MS 15000

static struct aero_watch_mongo *of(struct aero_watch *base)
{
	return (struct aero_watch_mongo *)(void *)base; /* base is its first member */
}

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

bool aero_mongo_watch_opts(const struct aero_watch_mongo *w, bson_t *opts)
{
	return (w->own.session == NULL ||
		       mongoc_client_session_append(w->own.session, opts, NULL)) &&
	       BSON_APPEND_INT32(opts, "serverId", (int32_t)w->server_id);
}

bool aero_mongo_woken(const struct aero_watch_mongo *w)
{
	uint64_t count;

	return read(w->wake, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

/* Say in the batch where the watch stands, and remember it. */
static int stand(struct aero_watch_mongo *w, struct aero_batch *ret, struct aero_err *err)
{
	const struct aero_position *at = &w->at;
	struct aero_mongo_origin origin = {w->own.base.name, w->own.database, {{{0}}, 0}};
	bson_t none = BSON_INITIALIZER;

	(void)aero_mongo_know_members(w);
	origin.known = w->known;
	if (w->time < at->source_time)
		w->time = at->source_time;
	aero_mongo_hosts_note(w);
	if ((w->token != NULL || w->polling) &&
		!aero_mongo_token_pack(w->token != NULL ? w->token : &none,
			w->parent->hosts, &origin, w->time, &w->at))
		return no_memory(err);
	if (!aero_position_set(&ret->position, at->token, at->token_len, at->source_time))
		return no_memory(err);
	return AERO_OK;
}

/* ---- streaming ---- */

/* Read on until the stream has shown all up to the time behind the snapshot, and no
 * transaction is open. */
static int drain(struct aero_watch_mongo *w, uint64_t until, struct aero_err *err)
{
	int64_t end = aero_clock_ms() + DRAIN_MS;
	uint64_t before;
	size_t n;
	int rc = AERO_OK;

	while (rc == AERO_OK && (w->seen < until || w->n_whole < w->read.n) &&
		aero_clock_ms() < end) {
		before = w->seen;
		n = w->read.n;
		rc = aero_mongo_stream_read(w, AWAIT_MS, err);
		/* Nothing in all that time: an old server, which tells no position. */
		if (rc == AERO_OK && w->seen == before && w->read.n == n)
			w->seen = until;
	}
	return rc;
}

static int next_full(
	struct aero_watch_mongo *w, struct aero_batch *ret, struct aero_err *err)
{
	struct aero_batch changes = {0};
	uint64_t until;
	int rc = aero_mongo_snapshot(w, ret, err);

	if (rc == AERO_AGAIN) {
		aero_batch_clear(ret);
		return AERO_OK;
	}
	until = aero_mongo_operation_time(w);
	if (rc == AERO_OK)
		rc = drain(w, until, err);
	if (rc == AERO_OK)
		rc = aero_mongo_stream_take(w, &changes, err);
	if (rc == AERO_OK)
		rc = aero_mongo_merge(ret, &changes, err);
	if (until > w->time)
		w->time = until;
	if (rc == AERO_OK)
		rc = stand(w, ret, err);
	if (rc == AERO_OK)
		w->snapshot_due = false;
	ret->kind = AERO_BATCH_FULL;
	aero_batch_clear(&changes);
	return rc;
}

static int next_delta(struct aero_watch_mongo *w, int timeout_ms, struct aero_batch *ret,
	struct aero_err *err)
{
	int64_t end = aero_clock_ms() + timeout_ms, left = timeout_ms;
	int rc = AERO_OK;

	do {
		if (left > AWAIT_MS)
			left = AWAIT_MS;
		if (w->n_whole == 0)
			rc = aero_mongo_stream_read(w, left < 1 ? 1 : (int)left, err);
		if (rc == AERO_OK)
			rc = aero_mongo_hosts_heard(w, err);
		left = end - aero_clock_ms();
		/* a member that was started anew is worth a position of its own */
	} while (rc == AERO_OK && w->n_whole == 0 && left > 0 && !aero_mongo_woken(w) &&
		 !aero_mongo_know_members(w));
	if (rc == AERO_OK && w->n_whole > 0) {
		ret->kind = AERO_BATCH_DELTA;
		rc = aero_mongo_stream_take(w, ret, err);
	}
	return rc == AERO_OK ? stand(w, ret, err) : rc;
}

/* ---- polling ---- */

static int64_t jitter(int seconds)
{
	int64_t ms = (int64_t)seconds * 1000;

	return ms - ms / 10 + (int64_t)(aero_random() % (uint64_t)(ms / 5 + 1));
}

/* Polling, now and then: are there streams by now? */
static int probe(struct aero_watch_mongo *w, struct aero_err *err)
{
	struct aero_mongo_known self = {{{0}}, 0};
	int rc;

	if (w->force_poll || !w->polled)
		return AERO_OK;
	rc = aero_mongo_greet(w, &self, err);
	return rc == AERO_OK ? aero_mongo_open_stream(w, NULL, &self, err) : rc;
}

static int next_poll(struct aero_watch_mongo *w, int timeout_ms, struct aero_batch *ret,
	struct aero_err *err)
{
	struct pollfd fd = {.fd = w->wake, .events = POLLIN};
	int64_t wait = w->poll_due - aero_clock_ms();
	int rc = AERO_OK;

	if (wait > 0)
		(void)poll(&fd, 1, (int)(wait < timeout_ms ? wait : timeout_ms));
	if (!aero_mongo_woken(w) && aero_clock_ms() >= w->poll_due) {
		rc = probe(w, err);
		if (rc != AERO_OK || !w->polling)
			return rc == AERO_OK ? next_full(w, ret, err) : rc;
		w->time = (uint64_t)(aero_unix_ms() / 1000) << 32;
		rc = aero_mongo_snapshot(w, ret, err);
		if (rc == AERO_OK) {
			ret->kind = AERO_BATCH_POLL;
			w->polled = true;
			w->poll_due = aero_clock_ms() + jitter(w->poll_interval);
			if (w->time > w->at.source_time)
				w->at.source_time = w->time;
		} else if (rc == AERO_AGAIN) {
			aero_batch_clear(ret);
			rc = AERO_OK;
		}
	}
	return rc == AERO_OK ? stand(w, ret, err) : rc;
}

/* ---- the operations ---- */

static int op_next(struct aero_watch *base, int timeout_ms, struct aero_batch *ret,
	struct aero_err *err)
{
	struct aero_watch_mongo *w = of(base);
	int rc;

	if (w->polling)
		rc = next_poll(w, timeout_ms, ret, err);
	else if (w->snapshot_due)
		rc = next_full(w, ret, err);
	else
		rc = next_delta(w, timeout_ms, ret, err);
	if (rc != AERO_OK)
		aero_batch_clear(ret);
	return rc;
}

static void op_wake(struct aero_watch *base)
{
	uint64_t one = 1;
	ssize_t n = write(of(base)->wake, &one, sizeof(one));

	(void)n; /* full: it is awake already */
}

static const char *op_mode(const struct aero_watch *base)
{
	const struct aero_watch_mongo *w =
		(const struct aero_watch_mongo *)(const void *)base;

	return w->polling ? "poll" : "stream";
}

static void op_close(struct aero_watch *base)
{
	struct aero_watch_mongo *w = of(base);

	aero_mongo_stream_close(w);
	aero_mongo_clear(&w->own);
	if (w->wake >= 0)
		(void)close(w->wake);
	aero_position_clear(&w->at);
	free(w->own.base.name);
	free(w);
}

static const struct aero_watch_ops ops = {op_next, op_wake, op_mode, op_close};

/* ---- opening ---- */

static int start(struct aero_watch_mongo *w, const struct aero_watch_opts *opts,
	struct aero_err *err)
{
	struct aero_mongo_origin origin = {w->own.base.name, w->own.database, {{{0}}, 0}};
	struct aero_mongo_known self = {{{0}}, 0};
	bool given = opts->from != NULL && opts->from->token_len > 0, resume;
	bson_t token = BSON_INITIALIZER;
	int rc = aero_mongo_connect(&w->own, err);

	if (rc == AERO_OK)
		rc = aero_mongo_choose(w, err);
	if (rc == AERO_OK)
		rc = aero_mongo_greet(w, &self, err);
	if (rc != AERO_OK)
		return rc;
	w->polling = w->force_poll;
	if (w->polling)
		return AERO_OK;
	if (given && !aero_mongo_token_unpack(opts->from, &origin, &token, NULL))
		return aero_err_set(
			err, AERO_LOST, "the position is of another server or database");
	resume = !bson_empty(&token); /* a poll has none */
	if (resume && self.n == 1 && aero_mongo_known_has(&origin.known, self.v[0])) {
		w->known = origin.known;
	} else if (resume) {
		resume = false; /* started since: perhaps with another history */
		w->at.source_time = 0;
	}
	return aero_mongo_open_stream(w, resume ? &token : NULL, &self, err);
}

/* What the position remembers of the servers, unless we know it better. */
static void recall(struct aero_watch_mongo *w, const struct aero_watch_opts *opts)
{
	struct aero_mongo_origin origin = {w->own.base.name, w->own.database, {{{0}}, 0}};
	bson_t token, hosts;

	if (w->parent->hosts == NULL && opts->from != NULL && opts->from->token_len > 0 &&
		aero_mongo_token_unpack(opts->from, &origin, &token, &hosts))
		w->parent->hosts = bson_copy(&hosts);
	aero_mongo_hosts_pin(w, opts->remembered);
}

/* The same server, over a connection of its own with a short time-out. */
static int own_connection(struct aero_watch_mongo *w, struct aero_store_mongo *s,
	const struct aero_watch_opts *opts, struct aero_err *err)
{
	mongoc_read_concern_t *majority = mongoc_read_concern_new();
	int rc = AERO_OK;

	(void)mongoc_read_concern_set_level(majority, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
	w->parent = s;
	w->own.read_only = true;
	w->own.base.name = strdup(aero_store_name(&s->base));
	w->own.database = strdup(s->database);
	w->own.uri = mongoc_uri_copy(s->uri);
	mongoc_uri_set_read_concern(w->own.uri, majority);
	(void)mongoc_uri_set_option_as_int32(
		w->own.uri, MONGOC_URI_SOCKETTIMEOUTMS, SOCKET_MS);
	if (w->own.base.name == NULL || w->own.database == NULL)
		rc = no_memory(err);
	if (rc == AERO_OK)
		recall(w, opts);
	if (rc == AERO_OK)
		rc = aero_mongo_pool(w->own.uri, NULL, &w->own.pool, err);
	mongoc_read_concern_destroy(majority);
	return rc;
}

int aero_mongo_watch_open(struct aero_store *base, const struct aero_watch_opts *opts,
	struct aero_watch **ret, struct aero_err *err)
{
	struct aero_watch_mongo *w = calloc(1, sizeof(*w));
	int rc = AERO_OK;

	if (w == NULL)
		return no_memory(err);
	w->base.ops = &ops;
	w->poll_interval = opts->poll_interval > 0 ? opts->poll_interval : 60;
	w->force_poll = opts->force_poll;
	w->progress = opts->progress;
	w->progress_arg = opts->progress_arg;
	w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->wake < 0)
		rc = aero_err_set(err, AERO_IO, "eventfd: %s", strerror(errno));
	if (rc == AERO_OK && opts->from != NULL)
		w->at.source_time = opts->from->source_time;
	if (rc == AERO_OK)
		rc = own_connection(w, aero_mongo_store(base), opts, err);
	if (rc == AERO_OK)
		rc = start(w, opts, err);
	if (rc == AERO_OK)
		*ret = &w->base;
	else
		op_close(&w->base);
	return rc;
}
