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
	struct aero_change change = {.id = bson_new(), .doc = bson_copy(doc)};
	bson_iter_t it;
	int rc = AERO_OK;

	if (bson_iter_init_find(&it, doc, "_id"))
		(void)bson_append_iter(change.id, "_id", -1, &it);
	if (!aero_change_strip(&change) || !aero_batch_add(arg->batch, &change))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	aero_change_clear(&change);
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

/* Where each _id stands in the snapshot: open addressing, 0 = free, else index + 1. */
struct map {
	size_t *v;
	size_t mask;
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
static size_t *place_of(
	const struct map *map, const struct aero_batch *snapshot, const bson_t *id)
{
	size_t at = hash(id) & map->mask;

	while (map->v[at] != 0 && !bson_equal(snapshot->v[map->v[at] - 1].id, id))
		at = (at + 1) & map->mask;
	return &map->v[at];
}

/* Room for all of the snapshot and more changes, half empty. */
static bool map_init(struct map *map, const struct aero_batch *snapshot, size_t more)
{
	size_t room = 16;

	while (room < (snapshot->n + more) * 2)
		room *= 2;
	map->v = calloc(room, sizeof(*map->v));
	map->mask = room - 1;
	for (size_t i = 0; map->v != NULL && i < snapshot->n; i++)
		*place_of(map, snapshot, snapshot->v[i].id) = i + 1;
	return map->v != NULL;
}

/* A slot of the snapshot for a document that is not in it; its doc is NULL. */
static bool add_place(struct aero_batch *snapshot, const bson_t *id, size_t *place)
{
	struct aero_change change = {.id = bson_copy(id)};

	if (!aero_batch_add(snapshot, &change)) {
		aero_change_clear(&change);
		return false;
	}
	*place = snapshot->n;
	return true;
}

/* Documents that went leave holes: close them. */
static void close_holes(struct aero_batch *snapshot)
{
	size_t n = 0;

	for (size_t i = 0; i < snapshot->n; i++) {
		if (snapshot->v[i].doc == NULL)
			aero_change_clear(&snapshot->v[i]);
		else
			snapshot->v[n++] = snapshot->v[i];
	}
	/* Growing counts on the length: at least as much room as a power of two. */
	snapshot->n = n;
}

int aero_mongo_merge(struct aero_batch *snapshot, const struct aero_batch *changes,
	struct aero_err *err)
{
	struct map map;
	int rc = AERO_OK;

	if (changes->n == 0)
		return AERO_OK;
	if (!map_init(&map, snapshot, changes->n))
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	for (size_t i = 0; rc == AERO_OK && i < changes->n; i++) {
		const struct aero_change *change = &changes->v[i];
		size_t *place = place_of(&map, snapshot, change->id);
		bson_t **doc, *after;
		bool gone;

		if (*place == 0 && !add_place(snapshot, change->id, place)) {
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
			continue;
		}
		doc = &snapshot->v[*place - 1].doc;
		/* NULL also for a delta on what is not there: read when it was gone
		 * again, as a later event will say. */
		after = aero_change_apply(*doc, change, &gone);
		bson_destroy(*doc);
		*doc = after;
	}
	free(map.v);
	close_holes(snapshot);
	return rc;
}
