/* SPDX-License-Identifier: MIT */
/* Repair: a document is changed or deleted only as long as it is what was read. */
#include "config.h"

#include "lib/store_mongo.h"

/* {_id, $expr: {$eq: ["$$ROOT", {$literal: was}]}}: the whole document, so that a field
 * that came meanwhile counts too. */
static bool put_filter(bson_t *filter, const bson_t *was)
{
	bson_iter_t it;
	bson_t expr, equal, literal;

	return bson_iter_init_find(&it, was, "_id") &&
	       bson_append_iter(filter, "_id", -1, &it) &&
	       BSON_APPEND_DOCUMENT_BEGIN(filter, "$expr", &expr) &&
	       BSON_APPEND_ARRAY_BEGIN(&expr, "$eq", &equal) &&
	       BSON_APPEND_UTF8(&equal, "0", "$$ROOT") &&
	       BSON_APPEND_DOCUMENT_BEGIN(&equal, "1", &literal) &&
	       BSON_APPEND_DOCUMENT(&literal, "$literal", was) &&
	       bson_append_document_end(&equal, &literal) &&
	       bson_append_array_end(&expr, &equal) &&
	       bson_append_document_end(filter, &expr);
}

static int delete_one(
	struct aero_store_mongo *s, const bson_t *filter, struct aero_err *err)
{
	struct aero_mongo_place place = {s, AERO_MONGO_SLOTS, "'find', 'remove'"};
	bson_t opts = BSON_INITIALIZER, reply;
	mongoc_collection_t *collection;
	bson_error_t error = {0};
	bson_iter_t it;
	int rc = aero_mongo_begin(s, &opts, err);

	if (rc == AERO_OK) {
		collection = aero_mongo_collection(s, AERO_MONGO_SLOTS);
		if (!mongoc_collection_delete_one(
			    collection, filter, &opts, &reply, &error))
			rc = aero_mongo_write_error(&place, &reply, &error, err);
		else if (!bson_iter_init_find(&it, &reply, "deletedCount") ||
			 bson_iter_as_int64(&it) == 0)
			rc = AERO_MISS;
		bson_destroy(&reply);
		mongoc_collection_destroy(collection);
	}
	bson_destroy(&opts);
	return rc;
}

int aero_mongo_slot_mend(struct aero_store *base, const bson_t *was, const bson_t *set,
	struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER;
	int rc;

	if (!put_filter(&filter, was) ||
		(set != NULL && !BSON_APPEND_DOCUMENT(&update, "$set", set)))
		rc = aero_err_set(err, AERO_DB, "a document too large to be compared");
	else if (set != NULL)
		rc = aero_mongo_update(s, AERO_MONGO_SLOTS, &filter, &update, false, err);
	else
		rc = delete_one(s, &filter, err);
	if (rc == AERO_MISS)
		rc = aero_err_set(err, rc, "the document is not as it was");
	bson_destroy(&filter);
	bson_destroy(&update);
	return rc;
}
