/* SPDX-License-Identifier: MIT */
/* Whole collections, and the history, in MongoDB. */
#include "config.h"

#include "lib/store_mongo.h"

static const struct {
	const char *name;
	bool ordered; /* capped: as inserted */
} tables[] = {
	[AERO_TABLE_SLOTS] = {AERO_MONGO_SLOTS, false},
	[AERO_TABLE_NODES] = {AERO_MONGO_NODES, false},
	[AERO_TABLE_CONTROL] = {AERO_MONGO_CONTROL, false},
	[AERO_TABLE_HISTORY] = {AERO_MONGO_HISTORY, true},
};

int aero_mongo_walk(struct aero_store *base, enum aero_table table, aero_table_take *take,
	void *arg, struct aero_err *err)
{
	bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, sort;
	int rc;

	if (tables[table].ordered) {
		BSON_APPEND_DOCUMENT_BEGIN(&opts, "sort", &sort);
		BSON_APPEND_INT32(&sort, "$natural", 1);
		bson_append_document_end(&opts, &sort);
	}
	rc = aero_mongo_find(aero_mongo_store(base), tables[table].name, &filter, &opts,
		take, arg, err);
	bson_destroy(&filter);
	bson_destroy(&opts);
	return rc;
}

int aero_mongo_history_add(
	struct aero_store *base, const bson_t *event, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	struct aero_mongo_place place = {s, AERO_MONGO_HISTORY, "'insert'"};
	bson_t opts = BSON_INITIALIZER, reply;
	mongoc_collection_t *collection;
	bson_error_t error = {0};
	int rc = aero_mongo_begin(s, &opts, err);

	if (rc == AERO_OK) {
		collection = aero_mongo_collection(s, AERO_MONGO_HISTORY);
		if (!mongoc_collection_insert_one(
			    collection, event, &opts, &reply, &error))
			rc = aero_mongo_write_error(&place, &reply, &error, err);
		if (rc == AERO_MISS) /* its _id is there */
			rc = AERO_OK;
		bson_destroy(&reply);
		mongoc_collection_destroy(collection);
	}
	bson_destroy(&opts);
	return rc;
}
