/* SPDX-License-Identifier: MIT */
/* The indexes of DESIGN 3: what makes two claims of one name impossible. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/store_mongo.h"

static const struct index {
	const char *name;
	const char *keys[3];
	bool unique; /* and partial: '' is no value */
} indexes[] = {
	{"aero_hostname", {"hostname"}, true},
	{"aero_instance", {"instance_id"}, true},
	{"aero_gap", {"service", "instance_id", "hostname"}, false},
};

#define HISTORY_BYTES (32 << 20) /* some 100,000 events */

#define N_INDEXES (sizeof(indexes) / sizeof(indexes[0]))

static void put_keys(bson_t *spec, const struct index *index)
{
	bson_t key;

	BSON_APPEND_DOCUMENT_BEGIN(spec, "key", &key);
	for (size_t i = 0; i < 3 && index->keys[i] != NULL; i++)
		BSON_APPEND_INT32(&key, index->keys[i], 1);
	bson_append_document_end(spec, &key);
}

static void put_index(bson_t *spec, const struct index *index)
{
	bson_t sub, range;

	put_keys(spec, index);
	BSON_APPEND_UTF8(spec, "name", index->name);
	if (index->unique) {
		BSON_APPEND_BOOL(spec, "unique", true);
		BSON_APPEND_DOCUMENT_BEGIN(spec, "partialFilterExpression", &sub);
		BSON_APPEND_DOCUMENT_BEGIN(&sub, index->keys[0], &range);
		BSON_APPEND_UTF8(&range, "$gt", "");
		bson_append_document_end(&sub, &range);
		bson_append_document_end(spec, &sub);
	} else {
		/* The order of numbers: db-2 before db-10. */
		BSON_APPEND_DOCUMENT_BEGIN(spec, "collation", &sub);
		BSON_APPEND_UTF8(&sub, "locale", "en");
		BSON_APPEND_BOOL(&sub, "numericOrdering", true);
		bson_append_document_end(spec, &sub);
	}
}

/* ---- creating ---- */

/* A transaction needs its collections; who may not make one can still insert. capped: so
 * many bytes, the oldest go; 0 = not. */
static void make_collection(struct aero_store_mongo *s, const char *name, int64_t capped)
{
	bson_t command = BSON_INITIALIZER, opts = BSON_INITIALIZER;

	BSON_APPEND_UTF8(&command, "create", name);
	if (capped > 0) {
		BSON_APPEND_BOOL(&command, "capped", true);
		BSON_APPEND_INT64(&command, "size", capped);
	}
	(void)mongoc_client_write_command_with_opts(
		s->client, s->database, &command, &opts, NULL, NULL);
	bson_destroy(&command);
	bson_destroy(&opts);
}

static int create_error(const struct aero_mongo_place *place, const bson_t *reply,
	const bson_error_t *error, struct aero_err *err)
{
	/* IndexOptionsConflict, IndexKeySpecsConflict */
	if (error->domain == MONGOC_ERROR_SERVER &&
		(error->code == 85 || error->code == 86))
		return aero_err_set(err, AERO_CONFIG,
			"%s.%s has one of our indexes with other options; drop it: "
			"%.250s",
			place->store->database, place->collection, error->message);
	return aero_mongo_write_error(place, reply, error, err);
}

int aero_mongo_indexes_create(struct aero_store *base, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	struct aero_mongo_place place = {s, AERO_MONGO_SLOTS, "'createIndex'"};
	bson_t command = BSON_INITIALIZER, opts = BSON_INITIALIZER, array, spec, reply;
	bson_error_t error = {0};
	char key[8];
	int rc = aero_mongo_begin(s, &opts, err);

	BSON_APPEND_UTF8(&command, "createIndexes", AERO_MONGO_SLOTS);
	BSON_APPEND_ARRAY_BEGIN(&command, "indexes", &array);
	for (size_t i = 0; i < N_INDEXES; i++) {
		(void)snprintf(key, sizeof(key), "%zu", i);
		BSON_APPEND_DOCUMENT_BEGIN(&array, key, &spec);
		put_index(&spec, &indexes[i]);
		bson_append_document_end(&array, &spec);
	}
	bson_append_array_end(&command, &array);
	if (rc == AERO_OK) {
		if (!mongoc_client_write_command_with_opts(
			    s->client, s->database, &command, &opts, &reply, &error))
			rc = create_error(&place, &reply, &error, err);
		bson_destroy(&reply);
	}
	if (rc == AERO_OK) {
		make_collection(s, AERO_MONGO_NODES, 0);
		make_collection(s, AERO_MONGO_CONTROL, 0);
		make_collection(s, AERO_MONGO_HISTORY, HISTORY_BYTES);
	}
	bson_destroy(&command);
	bson_destroy(&opts);
	return rc;
}

/* ---- checking ---- */

static bool same_index(const bson_t *doc, const struct index *index)
{
	bson_t keys = BSON_INITIALIZER;
	bson_iter_t it, want;
	bool same;

	put_keys(&keys, index);
	same = bson_iter_init_find(&it, doc, "name") && BSON_ITER_HOLDS_UTF8(&it) &&
	       strcmp(bson_iter_utf8(&it, NULL), index->name) == 0 &&
	       bson_iter_init_find(&it, doc, "key") &&
	       bson_iter_init_find(&want, &keys, "key") &&
	       bson_iter_value(&it)->value.v_doc.data_len ==
		       bson_iter_value(&want)->value.v_doc.data_len &&
	       (!index->unique || (bson_iter_init_find(&it, doc, "unique") &&
					  bson_iter_as_bool(&it)));
	bson_destroy(&keys);
	return same;
}

static int missing(
	const struct aero_store_mongo *s, const bool *found, struct aero_err *err)
{
	char names[64] = "";

	for (size_t i = 0; i < N_INDEXES; i++) {
		size_t at = strlen(names);

		if (!found[i])
			(void)snprintf(names + at, sizeof(names) - at, "%s%s",
				at == 0 ? "" : ", ", indexes[i].name);
	}
	if (*names == '\0')
		return AERO_OK;
	return aero_err_set(err, AERO_MISS, "%.120s: %s.%s lacks the indexes %s",
		aero_store_name(&s->base), s->database, AERO_MONGO_SLOTS, names);
}

int aero_mongo_indexes_check(struct aero_store *base, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	struct aero_mongo_place place = {s, AERO_MONGO_SLOTS, "'listIndexes'"};
	bool found[N_INDEXES] = {false};
	mongoc_collection_t *collection;
	mongoc_cursor_t *cursor;
	const bson_t *doc, *reply;
	bson_error_t error;
	int rc = aero_mongo_connect(s, err);

	if (rc != AERO_OK)
		return rc;
	collection = aero_mongo_collection(s, AERO_MONGO_SLOTS);
	cursor = mongoc_collection_find_indexes_with_opts(collection, NULL);
	while (mongoc_cursor_next(cursor, &doc))
		for (size_t i = 0; i < N_INDEXES; i++)
			found[i] = found[i] || same_index(doc, &indexes[i]);
	if (mongoc_cursor_error_document(cursor, &error, &reply) &&
		aero_mongo_kind_of(reply, &error) != AERO_MONGO_MISSING)
		rc = aero_mongo_read_error(&place, reply, &error, err);
	if (rc == AERO_OK)
		rc = missing(s, found, err);
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(collection);
	return rc;
}
