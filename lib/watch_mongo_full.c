/* SPDX-License-Identifier: MIT */
/* The snapshot that a watch begins with. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/watch_mongo.h"

struct taking {
	struct aero_watch_mongo *w;
	struct aero_batch *batch;
};

static int take(const bson_t *doc, void *varg, struct aero_err *err)
{
	struct taking *arg = varg;
	int rc = AERO_OK;

	if (!aero_batch_add_doc(arg->batch, doc))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK && arg->batch->n % 1024 == 0) {
		if (aero_mongo_woken(arg->w))
			rc = aero_err_set(err, AERO_AGAIN, "woken");
		else if (arg->w->progress != NULL)
			arg->w->progress(arg->w->progress_arg);
	}
	return rc;
}

int aero_mongo_snapshot(
	struct aero_watch_mongo *w, struct aero_batch *ret, struct aero_err *err)
{
	struct taking arg = {w, ret};
	bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, sort;
	int rc = AERO_OK;

	BSON_APPEND_DOCUMENT_BEGIN(&opts, "sort", &sort);
	BSON_APPEND_INT32(&sort, "_id", 1);
	bson_append_document_end(&opts, &sort);
	/* Short answers, for the socket's time-out is short. */
	BSON_APPEND_INT32(&opts, "batchSize", 1000);
	if (!aero_mongo_watch_opts(w, &opts))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK)
		rc = aero_mongo_find(
			&w->own, AERO_MONGO_SLOTS, &filter, &opts, take, &arg, err);
	bson_destroy(&filter);
	bson_destroy(&opts);
	return rc;
}

/* ---- merging ---- */

/* A document that changed since. */
struct held {
	const bson_t *id; /* a change's */
	bson_t *doc;      /* NULL: not there */
};

/* All of them, and where each stands: open addressing, 0 = free, else index + 1. */
struct map {
	struct held *held;
	size_t n, mask, *v;
};

static size_t hash(const bson_t *id)
{
	const uint8_t *data = bson_get_data(id);
	uint64_t h = 0xcbf29ce484222325U;

	for (uint32_t i = 0; i < id->len; i++)
		h = (h ^ data[i]) * 0x100000001b3U;
	return (size_t)(h ^ h >> 32);
}

/* The place of id: where it is, or the free one where it belongs. */
static size_t *place_of(const struct map *map, const bson_t *id)
{
	size_t at = hash(id) & map->mask;

	while (map->v[at] != 0 && !bson_equal(map->held[map->v[at] - 1].id, id))
		at = (at + 1) & map->mask;
	return &map->v[at];
}

/* A place for each document that changes has; half of the room is free. */
static bool map_init(struct map *map, const struct aero_batch *changes)
{
	size_t room = 16;

	while (room < changes->n * 2)
		room *= 2;
	map->v = calloc(room, sizeof(*map->v));
	map->held = calloc(changes->n, sizeof(*map->held));
	map->mask = room - 1;
	if (map->v == NULL || map->held == NULL)
		return false;
	for (size_t i = 0; i < changes->n; i++) {
		size_t *place = place_of(map, changes->v[i].id);

		if (*place == 0) {
			map->held[map->n].id = changes->v[i].id;
			*place = ++map->n;
		}
	}
	return true;
}

static void map_clear(struct map *map)
{
	for (size_t i = 0; map->held != NULL && i < map->n; i++)
		bson_destroy(map->held[i].doc);
	free(map->held);
	free(map->v);
}

/* Move what changed out of the snapshot into the map. */
static bool part(struct aero_batch *snapshot, const struct map *map)
{
	struct aero_batch rest = {0};
	bool ok = true;
	bson_t doc;

	while (ok && aero_docs_take(&snapshot->docs, &doc)) {
		bson_t *id = aero_doc_id(&doc);
		size_t at = *place_of(map, id);

		if (at == 0) {
			ok = aero_batch_add_doc(&rest, &doc);
		} else {
			bson_destroy(map->held[at - 1].doc);
			map->held[at - 1].doc = bson_copy(&doc);
		}
		bson_destroy(id);
	}
	aero_docs_clear(&snapshot->docs);
	snapshot->docs = rest.docs;
	snapshot->n = rest.n;
	return ok;
}

int aero_mongo_merge(struct aero_batch *snapshot, const struct aero_batch *changes,
	struct aero_err *err)
{
	struct map map = {0};
	bool ok = true;

	if (changes->n == 0)
		return AERO_OK;
	ok = map_init(&map, changes) && part(snapshot, &map);
	for (size_t i = 0; ok && i < changes->n; i++) {
		const struct aero_change *change = &changes->v[i];
		bson_t **doc = &map.held[*place_of(&map, change->id) - 1].doc, *after;
		bool gone;

		/* NULL also for a delta on what is not there: read when it was gone
		 * again, as a later event will say. */
		after = aero_change_apply(*doc, change, &gone);
		bson_destroy(*doc);
		*doc = after;
	}
	for (size_t i = 0; ok && i < map.n; i++)
		if (map.held[i].doc != NULL)
			ok = aero_batch_add_doc(snapshot, map.held[i].doc);
	map_clear(&map);
	return ok ? AERO_OK : aero_err_set(err, AERO_NOMEM, "out of memory");
}
