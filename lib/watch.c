/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/store_ops.h"

int aero_watch_next(struct aero_watch *watch, int timeout_ms, struct aero_batch *ret,
	struct aero_err *err)
{
	return watch->ops->next(watch, timeout_ms, ret, err);
}

void aero_watch_wake(struct aero_watch *watch)
{
	watch->ops->wake(watch);
}

const char *aero_watch_mode(const struct aero_watch *watch)
{
	return watch->ops->mode(watch);
}

void aero_watch_close(struct aero_watch *watch)
{
	if (watch != NULL)
		watch->ops->close(watch);
}

static bool has(const bson_t *doc, const char *key)
{
	bson_iter_t it;

	return doc != NULL && bson_iter_init_find(&it, doc, key);
}

/* The old fields in their places, with new values where set has them, then the new ones
 * of set: as the server orders them. A field both unset and set moves to the end. */
static bool apply_delta(const bson_t *old, const struct aero_change *change, bson_t *doc)
{
	bson_iter_t it, value;
	const char *key;

	if (!bson_iter_init(&it, old))
		return false;
	while (bson_iter_next(&it)) {
		key = bson_iter_key(&it);
		if (aero_list_has(&change->unset, key))
			continue;
		if (change->set == NULL || !bson_iter_init_find(&value, change->set, key))
			value = it;
		if (!bson_append_iter(doc, key, -1, &value))
			return false;
	}
	if (it.err_off != 0)
		return false;
	if (change->set == NULL)
		return true;
	if (!bson_iter_init(&it, change->set))
		return false;
	while (bson_iter_next(&it)) {
		key = bson_iter_key(&it);
		if (has(old, key) && !aero_list_has(&change->unset, key))
			continue;
		if (!bson_append_iter(doc, key, -1, &it))
			return false;
	}
	return it.err_off == 0;
}

bson_t *aero_change_apply(
	const bson_t *old, const struct aero_change *change, bool *ret_gone)
{
	bson_t *doc = NULL;

	*ret_gone = false;
	if (change->doc != NULL)
		return bson_copy(change->doc);
	if (change->set == NULL && change->unset.n == 0) {
		*ret_gone = true;
		return NULL;
	}
	if (old == NULL)
		return NULL;
	doc = bson_new();
	if (!apply_delta(old, change, doc)) {
		bson_destroy(doc);
		doc = NULL;
	}
	return doc;
}

static bool needed(const char *key)
{
	return strcmp(key, "_id") == 0 || aero_slot_field(key);
}

static bool needs_all(const bson_t *doc)
{
	bson_iter_t it;
	bool all = true;

	if (!bson_iter_init(&it, doc))
		return true;
	while (all && bson_iter_next(&it))
		all = needed(bson_iter_key(&it));
	return all;
}

/* Leave in *doc (which may be NULL) what is needed. */
static bool strip(bson_t **doc)
{
	bool ok = true;
	bson_t *kept;
	bson_iter_t it;

	if (*doc == NULL || needs_all(*doc) || !bson_iter_init(&it, *doc))
		return true;
	kept = bson_new();
	while (ok && bson_iter_next(&it))
		ok = !needed(bson_iter_key(&it)) || bson_append_iter(kept, NULL, 0, &it);
	bson_destroy(ok ? *doc : kept);
	if (ok)
		*doc = kept;
	return ok;
}

bool aero_change_strip(struct aero_change *change)
{
	struct aero_list *unset = &change->unset;
	size_t n = 0;

	/* Even when nothing is left it is no deletion. */
	if (change->set == NULL && unset->n > 0)
		change->set = bson_new();
	for (size_t i = 0; i < unset->n; i++) {
		if (needed(unset->v[i]))
			unset->v[n++] = unset->v[i];
		else
			free(unset->v[i]);
	}
	unset->n = n;
	return strip(&change->doc) && strip(&change->set);
}

bool aero_batch_add(struct aero_batch *batch, struct aero_change *change)
{
	struct aero_change *grown = aero_array_room(batch->v, batch->n, sizeof(*grown));

	if (grown == NULL)
		return false;
	grown[batch->n++] = *change;
	batch->v = grown;
	*change = (struct aero_change){0}; /* now owned by batch */
	return true;
}

bool aero_batch_add_doc(struct aero_batch *batch, const bson_t *doc)
{
	bson_t *kept = needs_all(doc) ? NULL : bson_copy(doc);
	bool ok = kept == NULL || strip(&kept);

	ok = ok && aero_docs_add(&batch->docs, kept == NULL ? doc : kept);
	batch->n += ok;
	bson_destroy(kept);
	return ok;
}

bson_t *aero_doc_id(const bson_t *doc)
{
	bson_t *id = bson_new();
	bson_iter_t it;

	if (bson_iter_init_find(&it, doc, "_id"))
		(void)bson_append_iter(id, "_id", -1, &it);
	return id;
}

void aero_change_clear(struct aero_change *change)
{
	bson_destroy(change->id);
	bson_destroy(change->doc);
	bson_destroy(change->set);
	aero_list_clear(&change->unset);
	*change = (struct aero_change){0};
}

bool aero_position_set(struct aero_position *position, const void *token,
	size_t token_len, uint64_t source_time)
{
	void *copy = NULL;

	if (token_len > 0) {
		copy = malloc(token_len);
		if (copy == NULL)
			return false;
		memcpy(copy, token, token_len);
	}
	free(position->token);
	*position = (struct aero_position){copy, token_len, source_time};
	return true;
}

void aero_position_clear(struct aero_position *position)
{
	free(position->token);
	*position = (struct aero_position){0};
}

void aero_batch_clear(struct aero_batch *batch)
{
	for (size_t i = 0; batch->v != NULL && i < batch->n; i++)
		aero_change_clear(&batch->v[i]);
	free(batch->v);
	aero_docs_clear(&batch->docs);
	aero_position_clear(&batch->position);
	*batch = (struct aero_batch){0};
}
