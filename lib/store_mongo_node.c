/* SPDX-License-Identifier: MIT */
/* The certificates of nodes and the intent log of change-overs, in MongoDB. */
#include "config.h"

#include "lib/loop.h"
#include "lib/store_doc.h"
#include "lib/store_mongo.h"

/* The document with this _id; AERO_MISS when there is none. */
static int get(struct aero_store *base, const char *collection, const char *id,
	bson_t **ret, struct aero_err *err)
{
	bson_t filter = BSON_INITIALIZER;
	int rc;

	BSON_APPEND_UTF8(&filter, "_id", id);
	rc = aero_mongo_find_one(aero_mongo_store(base), collection, &filter, ret, err);
	bson_destroy(&filter);
	return rc;
}

/* Set fields of the document that filter describes; with insert, make it if it is not
 * there, which the unique _id refuses when it is there but not as described. */
static int set_fields(struct aero_store *base, const char *collection,
	const bson_t *filter, const bson_t *set, bool insert, struct aero_err *err)
{
	bson_t update = BSON_INITIALIZER;
	int rc;

	BSON_APPEND_DOCUMENT(&update, "$set", set);
	rc = aero_mongo_update(
		aero_mongo_store(base), collection, filter, &update, insert, err);
	bson_destroy(&update);
	return rc;
}

int aero_mongo_node(struct aero_store *base, const char *instance_id,
	struct aero_node *ret, struct aero_err *err)
{
	bson_t *doc = NULL;
	int rc = get(base, AERO_MONGO_NODES, instance_id, &doc, err);

	if (rc == AERO_OK)
		aero_doc_node_of_bson(doc, ret);
	else if (rc == AERO_MISS)
		*ret = (struct aero_node){0};
	bson_destroy(doc);
	return rc == AERO_MISS ? AERO_OK : rc;
}

int aero_mongo_node_update(struct aero_store *base, const char *instance_id,
	const struct aero_node *was, bool left, bool dead, const char *why,
	struct aero_err *err)
{
	bson_t filter = BSON_INITIALIZER, set = BSON_INITIALIZER, sub, none;
	int rc;

	BSON_APPEND_UTF8(&filter, "_id", instance_id);
	if (was->exists) {
		aero_mongo_filter_number(&filter, "gen", was->gen);
	} else {
		/* Matches nothing that is there. */
		BSON_APPEND_DOCUMENT_BEGIN(&filter, "gen", &sub);
		BSON_APPEND_ARRAY_BEGIN(&sub, "$in", &none);
		bson_append_array_end(&sub, &none);
		bson_append_document_end(&filter, &sub);
	}
	aero_doc_node_set(was->gen + 1, left, dead, why, aero_unix_ms(), &set);
	rc = set_fields(base, AERO_MONGO_NODES, &filter, &set, !was->exists, err);
	if (rc == AERO_MISS)
		rc = aero_err_set(err, rc, "node '%.200s' is not as it was", instance_id);
	bson_destroy(&filter);
	bson_destroy(&set);
	return rc;
}

int aero_mongo_node_seen(
	struct aero_store *base, const char *instance_id, struct aero_err *err)
{
	bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER, sub;
	int rc;

	BSON_APPEND_UTF8(&filter, "_id", instance_id);
	BSON_APPEND_DOCUMENT_BEGIN(&update, "$currentDate", &sub);
	BSON_APPEND_BOOL(&sub, "seen_at", true);
	bson_append_document_end(&update, &sub);
	rc = aero_mongo_update(
		aero_mongo_store(base), AERO_MONGO_NODES, &filter, &update, false, err);
	if (rc == AERO_MISS)
		rc = aero_err_set(err, rc, "the store has no node '%.200s'", instance_id);
	bson_destroy(&filter);
	bson_destroy(&update);
	return rc;
}

/* isMaster and not hello, which servers before 4.4 may not know. Nobody needs a right for
 * it. */
int aero_mongo_clock(struct aero_store *base, int64_t *ret, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	struct aero_mongo_place place = {s, "", ""};
	bson_t command = BSON_INITIALIZER, reply;
	bson_error_t error;
	bson_iter_t it;
	int rc = aero_mongo_connect(s, err);

	BSON_APPEND_INT32(&command, "isMaster", 1);
	if (rc == AERO_OK) {
		/* no read preference: the primary */
		if (!mongoc_client_command_simple(
			    s->client, "admin", &command, NULL, &reply, &error))
			rc = aero_mongo_read_error(&place, &reply, &error, err);
		else if (!bson_iter_init_find(&it, &reply, "localTime") ||
			 !BSON_ITER_HOLDS_DATE_TIME(&it))
			rc = aero_err_set(err, AERO_DB,
				"the server does not tell its "
				"time");
		else
			*ret = bson_iter_date_time(&it);
		bson_destroy(&reply);
	}
	bson_destroy(&command);
	return rc;
}

int aero_mongo_control(struct aero_store *base, const char *service,
	struct aero_control *ret, struct aero_err *err)
{
	bson_t *doc = NULL;
	int rc = get(base, AERO_MONGO_CONTROL, service, &doc, err);

	if (rc == AERO_OK && !aero_doc_control_of_bson(doc, ret))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	else if (rc == AERO_MISS)
		*ret = (struct aero_control){0};
	bson_destroy(doc);
	return rc == AERO_MISS ? AERO_OK : rc;
}

/* {_id, epoch}, and op is set or is not. */
static void control_filter(bson_t *filter, const char *service, int64_t epoch, bool open)
{
	bson_t sub, not ;

	BSON_APPEND_UTF8(filter, "_id", service);
	aero_mongo_filter_number(filter, "epoch", epoch);
	BSON_APPEND_DOCUMENT_BEGIN(filter, "op", &sub);
	if (open) {
		BSON_APPEND_UTF8(&sub, "$type", "object");
	} else {
		BSON_APPEND_DOCUMENT_BEGIN(&sub, "$not", &not );
		BSON_APPEND_UTF8(&not, "$type", "object");
		bson_append_document_end(&sub, &not );
	}
	bson_append_document_end(filter, &sub);
}

static int set_control(struct aero_store *base, const char *service, int64_t epoch,
	bool open, const bson_t *set, struct aero_err *err)
{
	bson_t filter = BSON_INITIALIZER;
	int rc;

	control_filter(&filter, service, epoch, open);
	rc = set_fields(base, AERO_MONGO_CONTROL, &filter, set, epoch == 0, err);
	if (rc == AERO_MISS)
		rc = aero_err_set(
			err, rc, "control of '%.200s' is not as it was", service);
	bson_destroy(&filter);
	return rc;
}

int aero_mongo_control_open(struct aero_store *base, const char *service, int64_t epoch,
	const struct aero_occupant *promote, const struct aero_occupant *master,
	struct aero_err *err)
{
	bson_t set = BSON_INITIALIZER;
	int rc;

	aero_doc_control_open(epoch, promote, master, aero_unix_ms(), &set);
	rc = set_control(base, service, epoch - 1, false, &set, err);
	bson_destroy(&set);
	return rc;
}

int aero_mongo_control_close(
	struct aero_store *base, const char *service, int64_t epoch, struct aero_err *err)
{
	bson_t set = BSON_INITIALIZER;
	int rc;

	aero_doc_control_close(&set);
	rc = set_control(base, service, epoch, true, &set, err);
	bson_destroy(&set);
	return rc;
}
