/* SPDX-License-Identifier: MIT */
/*
 * The naming store in MongoDB. Reads are majority reads at the primary, whatever the read
 * preference of the URI (that is for watches); all writes go through one session with
 * retryable writes where the server has them. The server is met at the first use.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/store_doc.h"
#include "lib/store_mongo.h"

struct aero_store_mongo *aero_mongo_store(struct aero_store *base)
{
	return (struct aero_store_mongo *)(void *)base; /* base is its first member */
}

void aero_mongo_clear(struct aero_store_mongo *s)
{
	if (s->session != NULL)
		mongoc_client_session_destroy(s->session);
	if (s->client != NULL && !s->lent)
		mongoc_client_pool_push(s->pool, s->client);
	if (s->pool != NULL)
		mongoc_client_pool_destroy(s->pool);
	mongoc_uri_destroy(s->uri);
	bson_destroy(s->hosts);
	free(s->database);
}

static void op_close(struct aero_store *base)
{
	struct aero_store_mongo *s = aero_mongo_store(base);

	aero_mongo_clear(s);
	free(s);
}

/* Meet a server that the read preference allows: starting a session would wait for a
 * primary, and one that reads elsewhere may not see that. */
static bool meet(const struct aero_store_mongo *s, bson_error_t *error)
{
	mongoc_server_description_t *server = mongoc_client_select_server(
		s->client, false, mongoc_client_get_read_prefs(s->client), error);
	bool met = server != NULL;

	mongoc_server_description_destroy(server);
	return met;
}

int aero_mongo_connect(struct aero_store_mongo *s, struct aero_err *err)
{
	struct aero_mongo_place place = {s, "", ""};
	bson_error_t error = {0};

	if (s->client == NULL) {
		s->client = mongoc_client_pool_pop(s->pool);
		if (meet(s, &error))
			s->session = mongoc_client_start_session(s->client, NULL, &error);
		if (s->session == NULL &&
			(error.domain != MONGOC_ERROR_CLIENT ||
				error.code != MONGOC_ERROR_CLIENT_SESSION_FAILURE)) {
			mongoc_client_pool_push(s->pool, s->client);
			s->client = NULL;
			return aero_mongo_read_error(&place, NULL, &error, err);
		}
	}
	return AERO_OK;
}

int aero_mongo_begin(struct aero_store_mongo *s, bson_t *opts, struct aero_err *err)
{
	int rc;

	if (s->read_only)
		return aero_err_set(err, AERO_PERM, "'%s' is open for reading only",
			aero_store_name(&s->base));
	s->sent = 0;
	rc = aero_mongo_connect(s, err);
	if (rc == AERO_OK && s->session != NULL &&
		!mongoc_client_session_append(s->session, opts, NULL))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	return rc;
}

mongoc_collection_t *aero_mongo_collection(
	const struct aero_store_mongo *s, const char *name)
{
	return mongoc_client_get_collection(s->client, s->database, name);
}

/* Not mongoc_client_read_command_with_opts: it adds a readConcern, which ping refuses. */
static int op_ping(struct aero_store *base, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(base);
	struct aero_mongo_place place = {s, "", ""};
	bson_t command = BSON_INITIALIZER, reply;
	bson_error_t error;
	int rc = aero_mongo_connect(s, err);

	BSON_APPEND_INT32(&command, "ping", 1);
	if (rc == AERO_OK) {
		if (!mongoc_client_command_with_opts(
			    s->client, s->database, &command, NULL, NULL, &reply, &error))
			rc = aero_mongo_read_error(&place, &reply, &error, err);
		bson_destroy(&reply);
	}
	bson_destroy(&command);
	return rc;
}

/* ---- reading ---- */

int aero_mongo_slot_of(const bson_t *doc, struct aero_slot *ret, struct aero_err *err)
{
	const char *odd;

	if (aero_slot_of_bson(doc, ret, &odd))
		return AERO_OK;
	return aero_err_set(err, AERO_DB, "a document of the store: %s", odd);
}

int aero_mongo_find(struct aero_store_mongo *s, const char *name, const bson_t *filter,
	const bson_t *opts, aero_table_take *take, void *arg, struct aero_err *err)
{
	struct aero_mongo_place place = {s, name, "'find'"};
	mongoc_collection_t *collection;
	mongoc_cursor_t *cursor;
	const bson_t *doc, *reply;
	bson_t with = BSON_INITIALIZER;
	bson_error_t error;
	int rc = aero_mongo_connect(s, err);

	if (rc == AERO_OK && ((opts != NULL && !bson_concat(&with, opts)) ||
				     (s->in_txn && !mongoc_client_session_append(
							   s->session, &with, NULL))))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc != AERO_OK) {
		bson_destroy(&with);
		return rc;
	}
	collection = aero_mongo_collection(s, name);
	cursor = mongoc_collection_find_with_opts(collection, filter, &with, NULL);
	while (rc == AERO_OK && mongoc_cursor_next(cursor, &doc))
		rc = take(doc, arg, err);
	if (rc == AERO_OK && mongoc_cursor_error_document(cursor, &error, &reply))
		rc = aero_mongo_read_error(&place, reply, &error, err);
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(collection);
	bson_destroy(&with);
	return rc;
}

static int take_slot(const bson_t *doc, void *slots, struct aero_err *err)
{
	struct aero_slot slot = {0};
	int rc = aero_mongo_slot_of(doc, &slot, err);

	if (rc == AERO_OK && !aero_slots_add(slots, &slot))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	aero_slot_clear(&slot);
	return rc;
}

static int op_slots(struct aero_store *base, const char *service, struct aero_slots *ret,
	struct aero_err *err)
{
	bson_t filter = BSON_INITIALIZER;
	struct aero_slots slots = {0};
	int rc;

	if (service != NULL)
		BSON_APPEND_UTF8(&filter, "service", service);
	rc = aero_mongo_find(aero_mongo_store(base), AERO_MONGO_SLOTS, &filter, NULL,
		take_slot, &slots, err);
	for (size_t i = 0; rc == AERO_OK && i < slots.n; i++)
		if (!aero_slots_add(ret, &slots.v[i]))
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	aero_slots_clear(&slots);
	bson_destroy(&filter);
	return rc;
}

static int take_doc(const bson_t *doc, void *ret, struct aero_err *err)
{
	(void)err;
	*(bson_t **)ret = bson_copy(doc);
	return AERO_OK;
}

int aero_mongo_find_one(struct aero_store_mongo *s, const char *collection,
	const bson_t *filter, bson_t **ret, struct aero_err *err)
{
	bson_t opts = BSON_INITIALIZER, *doc = NULL;
	int rc;

	BSON_APPEND_INT64(&opts, "limit", 1);
	BSON_APPEND_BOOL(&opts, "singleBatch", true);
	rc = aero_mongo_find(s, collection, filter, &opts, take_doc, &doc, err);
	if (rc == AERO_OK && doc == NULL)
		rc = aero_err_set(err, AERO_MISS, "nothing found");
	if (rc == AERO_OK)
		*ret = doc;
	else
		bson_destroy(doc);
	bson_destroy(&opts);
	return rc;
}

static int get_slot(struct aero_store *base, const char *key, const char *value,
	struct aero_slot *ret, struct aero_err *err)
{
	bson_t filter = BSON_INITIALIZER, *doc = NULL;
	int rc;

	BSON_APPEND_UTF8(&filter, key, value);
	rc = aero_mongo_find_one(
		aero_mongo_store(base), AERO_MONGO_SLOTS, &filter, &doc, err);
	if (rc == AERO_OK)
		rc = aero_mongo_slot_of(doc, ret, err);
	else if (rc == AERO_MISS)
		rc = aero_err_set(err, rc, "nothing found for '%.200s'", value);
	bson_destroy(doc);
	bson_destroy(&filter);
	return rc;
}

static int op_by_instance(struct aero_store *base, const char *instance_id,
	struct aero_slot *ret, struct aero_err *err)
{
	return get_slot(base, "instance_id", instance_id, ret, err);
}

static int op_by_hostname(struct aero_store *base, const char *hostname,
	struct aero_slot *ret, struct aero_err *err)
{
	return get_slot(base, "hostname", hostname, ret, err);
}

/* ---- opening ---- */

static const struct aero_store_ops ops = {
	.close = op_close,
	.ping = op_ping,
	.indexes_check = aero_mongo_indexes_check,
	.indexes_create = aero_mongo_indexes_create,
	.slots = op_slots,
	.by_instance = op_by_instance,
	.by_hostname = op_by_hostname,
	.slot_update = aero_mongo_slot_update,
	.slot_claim = aero_mongo_slot_claim,
	.slots_insert = aero_mongo_slots_insert,
	.slot_import = aero_mongo_slot_import,
	.aliases_take = aero_mongo_aliases_take,
	.slot_mend = aero_mongo_slot_mend,
	.node = aero_mongo_node,
	.node_update = aero_mongo_node_update,
	.node_seen = aero_mongo_node_seen,
	.clock = aero_mongo_clock,
	.control = aero_mongo_control,
	.control_open = aero_mongo_control_open,
	.control_close = aero_mongo_control_close,
	.walk = aero_mongo_walk,
	.history_add = aero_mongo_history_add,
	.change_over = aero_mongo_change_over,
	.watch_open = aero_mongo_watch_open,
};

/* The store's own pool: as the URI says, but reading at the primary. */
static int make_pool(struct aero_store_mongo *s, struct aero_err *err)
{
	mongoc_uri_t *uri = mongoc_uri_copy(s->uri);
	mongoc_read_prefs_t *prefs = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
	int rc;

	mongoc_uri_set_read_prefs_t(uri, prefs);
	rc = aero_mongo_pool(uri, &s->sent, &s->pool, err);
	mongoc_read_prefs_destroy(prefs);
	mongoc_uri_destroy(uri);
	return rc;
}

int aero_store_mongo_open(const struct aero_store_opts *opts,
	const struct aero_server *server, struct aero_store **ret, struct aero_err *err)
{
	const char *database = opts->database;
	struct aero_store_mongo *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	s->base.ops = &ops;
	s->read_only = opts->read_only;
	s->database =
		strdup(database == NULL || *database == '\0' ? "aerostat" : database);
	rc = s->database == NULL ? aero_err_set(err, AERO_NOMEM, "out of memory")
				 : aero_mongo_uri(server, opts->role, &s->uri, err);
	if (rc == AERO_OK)
		rc = make_pool(s, err);
	if (rc == AERO_OK)
		*ret = &s->base;
	else
		op_close(&s->base);
	return rc;
}

int aero_store_mongo_lend(mongoc_client_t *client, const char *database,
	struct aero_store **ret, struct aero_err *err)
{
	struct aero_store_mongo *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->database = strdup(database);
	if (s == NULL || s->database == NULL) {
		free(s);
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	}
	s->base.ops = &ops;
	s->read_only = true;
	s->client = client;
	s->lent = true;
	*ret = &s->base;
	return AERO_OK;
}
