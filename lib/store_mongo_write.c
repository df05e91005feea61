/* SPDX-License-Identifier: MIT */
/*
 * Writing slots: each one conditional update of one document. Filters never rest on ''
 * alone, which no partial index covers: hostname or service stands beside it.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store_doc.h"
#include "lib/store_mongo.h"

/* ---- filters and updates ---- */

void aero_mongo_filter_number(bson_t *filter, const char *key, int64_t number)
{
	bson_t sub, not ;

	if (number != 0) {
		BSON_APPEND_INT64(filter, key, number);
		return;
	}
	/* As the documents are read: absent, null or no number at all is 0. */
	BSON_APPEND_DOCUMENT_BEGIN(filter, key, &sub);
	BSON_APPEND_DOCUMENT_BEGIN(&sub, "$not", &not );
	BSON_APPEND_UTF8(&not, "$type", "number");
	BSON_APPEND_INT32(&not, "$ne", 0);
	bson_append_document_end(&sub, &not );
	bson_append_document_end(filter, &sub);
}

/* key is one of these texts; '' stands for null and absent too. NULL = unused. */
static void filter_text(bson_t *filter, const char *key, const char *a, const char *b)
{
	const char *const texts[] = {a, b};
	bson_t sub, in;

	BSON_APPEND_DOCUMENT_BEGIN(filter, key, &sub);
	BSON_APPEND_ARRAY_BEGIN(&sub, "$in", &in);
	for (size_t i = 0; i < 2; i++) {
		if (texts[i] == NULL)
			continue;
		BSON_APPEND_UTF8(&in, i == 0 ? "0" : "1", texts[i]);
		if (*texts[i] == '\0')
			BSON_APPEND_NULL(&in, "2");
	}
	bson_append_array_end(&sub, &in);
	bson_append_document_end(filter, &sub);
}

static void filter_match(bson_t *filter, const struct aero_slot_match *match)
{
	bson_t sub, not ;

	filter_text(filter, "hostname", match->hostname, NULL);
	if (match->occupant[0] != NULL || match->occupant[1] != NULL)
		filter_text(
			filter, "instance_id", match->occupant[0], match->occupant[1]);
	if (match->match_reg)
		aero_mongo_filter_number(filter, "reg", match->reg);
	if (match->epoch_below == 0)
		return;
	BSON_APPEND_DOCUMENT_BEGIN(filter, "epoch", &sub);
	BSON_APPEND_DOCUMENT_BEGIN(&sub, "$not", &not ); /* absent too */
	BSON_APPEND_INT64(&not, "$gte", match->epoch_below);
	bson_append_document_end(&sub, &not );
	bson_append_document_end(filter, &sub);
}

/* {$set: set, $currentDate: registered_at}; servers refuse an empty $set. */
static void put_update(bson_t *update, const bson_t *set, bool clock)
{
	bson_t sub;

	if (!bson_empty(set))
		BSON_APPEND_DOCUMENT(update, "$set", set);
	if (!clock)
		return;
	BSON_APPEND_DOCUMENT_BEGIN(update, "$currentDate", &sub);
	BSON_APPEND_BOOL(&sub, "registered_at", true);
	bson_append_document_end(update, &sub);
}

static void change_update(bson_t *update, const struct aero_slot_change *change)
{
	bson_t set = BSON_INITIALIZER;
	bool clock;

	aero_doc_slot_change(change, &set, &clock);
	put_update(update, &set, clock);
	bson_destroy(&set);
}

/* ---- updating ---- */

static int64_t count_of(const bson_t *reply, const char *key)
{
	bson_iter_t it;

	return bson_iter_init_find(&it, reply, key) ? bson_iter_as_int64(&it) : 0;
}

int aero_mongo_update(struct aero_store_mongo *s, const char *name, const bson_t *filter,
	const bson_t *update, bool upsert, struct aero_err *err)
{
	struct aero_mongo_place place = {
		s, name, upsert ? "'find', 'update', 'insert'" : "'find', 'update'"};
	bson_t opts = BSON_INITIALIZER, reply;
	mongoc_collection_t *collection;
	bson_error_t error = {0};
	int rc = aero_mongo_begin(s, &opts, err);

	if (rc == AERO_OK) {
		if (upsert)
			BSON_APPEND_BOOL(&opts, "upsert", true);
		collection = aero_mongo_collection(s, name);
		if (!mongoc_collection_update_one(
			    collection, filter, update, &opts, &reply, &error))
			rc = aero_mongo_write_error(&place, &reply, &error, err);
		else if (count_of(&reply, "matchedCount") == 0 &&
			 count_of(&reply, "upsertedCount") == 0)
			rc = aero_err_set(err, AERO_MISS, "nothing is as it was");
		bson_destroy(&reply);
		mongoc_collection_destroy(collection);
	}
	bson_destroy(&opts);
	return rc;
}

int aero_mongo_slot_update(struct aero_store *base, const struct aero_slot_match *match,
	const struct aero_slot_change *change, struct aero_err *err)
{
	bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER;
	int rc;

	filter_match(&filter, match);
	change_update(&update, change);
	rc = aero_mongo_update(
		aero_mongo_store(base), AERO_MONGO_SLOTS, &filter, &update, false, err);
	if (rc == AERO_MISS)
		rc = aero_err_set(
			err, rc, "slot '%.200s' is not as it was", match->hostname);
	bson_destroy(&filter);
	bson_destroy(&update);
	return rc;
}

/* ---- claiming ---- */

/* Append text as an expression that means it and nothing else. */
static char *add_exact(char *at, const char *text)
{
	for (; *text != '\0'; text++) {
		if (isascii((unsigned char)*text) && !isalnum((unsigned char)*text))
			*at++ = '\\';
		*at++ = *text;
	}
	return at;
}

/* An expression for this text, and behind it for what the expression tail says; \z and
 * not $, which a line break may follow. */
static char *pattern_of(const char *text, const char *tail)
{
	char *pattern = malloc(2 * strlen(text) + strlen(tail) + 4), *at = pattern;

	if (pattern == NULL)
		return NULL;
	*at++ = '^';
	at = add_exact(at, text);
	at = stpcpy(at, tail);
	(void)stpcpy(at, "\\z");
	return pattern;
}

/* With the collation that counts, web01 equals web1: an expression ignores it. The names
 * are those of aero_slot_name_fits. */
static bool claim_query(bson_t *command, const char *service, const char *except)
{
	char *pattern = pattern_of(service, "");
	char *names = pattern_of(service, "-(master|(slave-)?(0|[1-9][0-9]{0,16}))");
	bool ok = pattern != NULL && names != NULL;
	bson_t query, sub, not ;

	if (ok) {
		BSON_APPEND_DOCUMENT_BEGIN(command, "query", &query);
		BSON_APPEND_DOCUMENT_BEGIN(&query, "service", &sub);
		BSON_APPEND_UTF8(&sub, "$eq", service);
		BSON_APPEND_REGEX(&sub, "$regex", pattern, "s");
		bson_append_document_end(&query, &sub);
		filter_text(&query, "instance_id", "", NULL);
		BSON_APPEND_DOCUMENT_BEGIN(&query, "hostname", &sub);
		BSON_APPEND_UTF8(&sub, "$gt", "");
		BSON_APPEND_REGEX(&sub, "$regex", names, "s");
		/* all that compares looks into arrays */
		BSON_APPEND_DOCUMENT_BEGIN(&sub, "$not", &not );
		BSON_APPEND_UTF8(&not, "$type", "array");
		bson_append_document_end(&sub, &not );
		if (except != NULL)
			BSON_APPEND_UTF8(&sub, "$ne", except);
		bson_append_document_end(&query, &sub);
		bson_append_document_end(command, &query);
	}
	free(pattern);
	free(names);
	return ok;
}

static bool claim_command(bson_t *command, const char *service, const char *except,
	const struct aero_slot_change *change)
{
	bson_t sub;

	BSON_APPEND_UTF8(command, "findAndModify", AERO_MONGO_SLOTS);
	if (!claim_query(command, service, except))
		return false;
	BSON_APPEND_DOCUMENT_BEGIN(command, "sort", &sub);
	BSON_APPEND_INT32(&sub, "hostname", 1);
	bson_append_document_end(command, &sub);
	BSON_APPEND_DOCUMENT_BEGIN(command, "update", &sub);
	change_update(&sub, change);
	bson_append_document_end(command, &sub);
	BSON_APPEND_BOOL(command, "new", true);
	BSON_APPEND_DOCUMENT_BEGIN(command, "collation", &sub);
	BSON_APPEND_UTF8(&sub, "locale", "en");
	BSON_APPEND_BOOL(&sub, "numericOrdering", true);
	bson_append_document_end(command, &sub);
	return true;
}

/* The slot in an answer of findAndModify; AERO_MISS for null. */
static int claimed(const bson_t *reply, struct aero_slot *ret, struct aero_err *err)
{
	bson_iter_t it;
	const uint8_t *data;
	uint32_t len;
	bson_t doc;

	if (!bson_iter_init_find(&it, reply, "value") || !BSON_ITER_HOLDS_DOCUMENT(&it))
		return AERO_MISS;
	bson_iter_document(&it, &len, &data);
	if (!bson_init_static(&doc, data, len))
		return aero_err_set(err, AERO_DB, "a damaged answer to a claim");
	return aero_mongo_slot_of(&doc, ret, err);
}

int aero_mongo_slot_claim(struct aero_store *base, const char *service,
	const char *except_hostname, const struct aero_slot_change *change,
	struct aero_slot *ret, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	struct aero_mongo_place place = {s, AERO_MONGO_SLOTS, "'find', 'update'"};
	bson_t command = BSON_INITIALIZER, opts = BSON_INITIALIZER, reply;
	bson_error_t error = {0};
	int rc = aero_mongo_begin(s, &opts, err);

	if (rc == AERO_OK && !claim_command(&command, service, except_hostname, change))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK) {
		if (!mongoc_client_write_command_with_opts(
			    s->client, s->database, &command, &opts, &reply, &error))
			rc = aero_mongo_write_error(&place, &reply, &error, err);
		else
			rc = claimed(&reply, ret, err);
		if (rc == AERO_MISS)
			rc = aero_err_set(err, rc, "no blank slot of '%.200s'", service);
		bson_destroy(&reply);
	}
	bson_destroy(&command);
	bson_destroy(&opts);
	return rc;
}

/* ---- inserting ---- */

static bson_t *new_document(const struct aero_slot *slot)
{
	bson_t *doc = bson_new();
	bson_oid_t oid;

	bson_oid_init(&oid, NULL);
	BSON_APPEND_OID(doc, "_id", &oid);
	aero_slot_to_bson(slot, doc);
	return doc;
}

/* In order: it stops at the first that is refused. */
int aero_mongo_slots_insert(struct aero_store *base, const struct aero_slot *slots,
	size_t n, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	struct aero_mongo_place place = {s, AERO_MONGO_SLOTS, "'insert'"};
	bson_t opts = BSON_INITIALIZER, reply, **docs = calloc(n, sizeof(*docs));
	mongoc_collection_t *collection;
	bson_error_t error = {0};
	int rc = docs == NULL ? aero_err_set(err, AERO_NOMEM, "out of memory")
			      : aero_mongo_begin(s, &opts, err);

	for (size_t i = 0; rc == AERO_OK && i < n; i++)
		docs[i] = new_document(&slots[i]);
	if (rc == AERO_OK) {
		collection = aero_mongo_collection(s, AERO_MONGO_SLOTS);
		if (!mongoc_collection_insert_many(collection,
			    (const bson_t **)(void *)docs, n, &opts, &reply, &error))
			rc = aero_mongo_write_error(&place, &reply, &error, err);
		bson_destroy(&reply);
		mongoc_collection_destroy(collection);
	}
	for (size_t i = 0; docs != NULL && i < n; i++)
		bson_destroy(docs[i]);
	free(docs);
	bson_destroy(&opts);
	return rc;
}

int aero_mongo_slot_import(
	struct aero_store *base, const struct aero_slot *slot, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	bson_t filter = BSON_INITIALIZER, set = BSON_INITIALIZER,
	       update = BSON_INITIALIZER;
	bool clock;
	int rc;

	BSON_APPEND_UTF8(&filter, "hostname", slot->hostname);
	aero_doc_slot_import(slot, &set, &clock);
	put_update(&update, &set, clock);
	rc = aero_mongo_update(s, AERO_MONGO_SLOTS, &filter, &update, true, err);
	if (rc == AERO_DUP_HOSTNAME) /* inserted by another one meanwhile: now it is there
				      */
		rc = aero_mongo_update(s, AERO_MONGO_SLOTS, &filter, &update, true, err);
	bson_destroy(&filter);
	bson_destroy(&set);
	bson_destroy(&update);
	return rc;
}

/* ---- aliases ---- */

/* Old data may have null, or a text, in the place of the array: $pullAll fails on both.
 */
static void take_filter(
	bson_t *filter, const struct aero_list *aliases, const char *instance_id)
{
	bson_t sub;

	BSON_APPEND_DOCUMENT_BEGIN(filter, "aliases", &sub);
	aero_list_to_bson(aliases, &sub, "$in");
	BSON_APPEND_UTF8(&sub, "$type", "array");
	bson_append_document_end(filter, &sub);
	BSON_APPEND_DOCUMENT_BEGIN(filter, "instance_id", &sub);
	BSON_APPEND_UTF8(&sub, "$ne", instance_id);
	bson_append_document_end(filter, &sub);
}

int aero_mongo_aliases_take(struct aero_store *base, const struct aero_list *aliases,
	const char *instance_id, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	struct aero_mongo_place place = {s, AERO_MONGO_SLOTS, "'find', 'update'"};
	bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER, sub;
	bson_t opts = BSON_INITIALIZER, reply;
	mongoc_collection_t *collection;
	bson_error_t error = {0};
	int rc = aero_mongo_begin(s, &opts, err);

	take_filter(&filter, aliases, instance_id);
	BSON_APPEND_DOCUMENT_BEGIN(&update, "$pullAll", &sub);
	aero_list_to_bson(aliases, &sub, "aliases");
	bson_append_document_end(&update, &sub);
	if (rc == AERO_OK) {
		collection = aero_mongo_collection(s, AERO_MONGO_SLOTS);
		if (!mongoc_collection_update_many(
			    collection, &filter, &update, &opts, &reply, &error))
			rc = aero_mongo_write_error(&place, &reply, &error, err);
		bson_destroy(&reply);
		mongoc_collection_destroy(collection);
	}
	bson_destroy(&filter);
	bson_destroy(&update);
	bson_destroy(&opts);
	return rc;
}
