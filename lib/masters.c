/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/masters.h"
#include "lib/status_bson.h"

static void master_clear(struct aero_master *master)
{
	free(master->hostname);
	free(master->service);
	free(master->instance_id);
}

bool aero_masters_add(struct aero_masters *masters, const struct aero_master *master)
{
	struct aero_master *v, copy = {.epoch = master->epoch};

	if (masters->n == AERO_MASTERS_MAX)
		return true;
	v = realloc(masters->v, (masters->n + 1) * sizeof(*v));
	if (v == NULL)
		return false;
	masters->v = v;
	copy.hostname = strdup(master->hostname);
	copy.service = strdup(master->service);
	copy.instance_id = strdup(master->instance_id);
	if (copy.hostname == NULL || copy.service == NULL || copy.instance_id == NULL) {
		master_clear(&copy);
		return false;
	}
	v[masters->n++] = copy;
	return true;
}

const struct aero_master *aero_masters_find(
	const struct aero_masters *masters, const char *hostname)
{
	for (size_t i = 0; i < masters->n; i++)
		if (strcmp(masters->v[i].hostname, hostname) == 0)
			return &masters->v[i];
	return NULL;
}

void aero_masters_clear(struct aero_masters *masters)
{
	for (size_t i = 0; i < masters->n; i++)
		master_clear(&masters->v[i]);
	free(masters->v);
	*masters = (struct aero_masters){0};
}

bool aero_masters_to_bson(const struct aero_masters *masters, bson_t *doc)
{
	bson_t array, item;
	char buf[16];
	const char *key;
	bool ok = bson_append_array_begin(doc, "masters", -1, &array);

	for (size_t i = 0; ok && i < masters->n; i++) {
		const struct aero_master *m = &masters->v[i];

		(void)bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
		ok = bson_append_document_begin(&array, key, -1, &item) &&
		     aero_status_text(&item, "hostname", m->hostname) &&
		     aero_status_text(&item, "service", m->service) &&
		     aero_status_text(&item, "instance_id", m->instance_id) &&
		     bson_append_int64(&item, "epoch", -1, m->epoch) &&
		     bson_append_document_end(&array, &item);
	}
	return ok && bson_append_array_end(doc, &array);
}

/* A text of the document at it, or NULL. */
static const char *text_at(const bson_iter_t *it, const char *key)
{
	bson_iter_t in;

	return bson_iter_recurse(it, &in) && bson_iter_find(&in, key) &&
			       BSON_ITER_HOLDS_UTF8(&in)
		       ? bson_iter_utf8(&in, NULL)
		       : NULL;
}

bool aero_masters_of_bson(const bson_t *doc, struct aero_masters *ret)
{
	bson_iter_t it, item, in;

	if (!bson_iter_init_find(&it, doc, "masters") || !BSON_ITER_HOLDS_ARRAY(&it) ||
		!bson_iter_recurse(&it, &item))
		return true;
	while (bson_iter_next(&item)) {
		union {
			const char *in;
			char *out;
		} texts[3];

		if (!BSON_ITER_HOLDS_DOCUMENT(&item))
			continue;
		texts[0].in = text_at(&item, "hostname");
		texts[1].in = text_at(&item, "service");
		texts[2].in = text_at(&item, "instance_id");
		if (texts[0].in != NULL && texts[1].in != NULL && texts[2].in != NULL &&
			bson_iter_recurse(&item, &in) && bson_iter_find(&in, "epoch") &&
			BSON_ITER_HOLDS_INT(&in)) {
			struct aero_master m = {.hostname = texts[0].out,
				.service = texts[1].out,
				.instance_id = texts[2].out,
				.epoch = bson_iter_as_int64(&in)};

			if (!aero_masters_add(ret, &m))
				return false;
		}
	}
	return true;
}
