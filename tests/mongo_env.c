/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support.h"
#include "tests/mongo_env.h"

mongoc_client_t *mongo_admin;
const char *mongo_uri;
char mongo_database[64];
static struct aero_store *resetter;

static char *with_options(const char *options)
{
	char *text = NULL;

	assert_true(asprintf(&text, "%s%s%s", mongo_uri,
			    strchr(mongo_uri, '?') == NULL ? "?" : "&",
			    options == NULL ? "" : options) > 0);
	return text;
}

mongoc_client_t *mongo_client(const char *options)
{
	char *text = with_options(options);
	mongoc_write_concern_t *w = mongoc_write_concern_new();
	mongoc_client_t *client = mongoc_client_new(text);

	assert_non_null(client);
	mongoc_write_concern_set_w(w, MONGOC_WRITE_CONCERN_W_MAJORITY);
	mongoc_client_set_write_concern(client, w);
	(void)mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
	mongoc_write_concern_destroy(w);
	free(text);
	return client;
}

struct aero_store *mongo_open(const char *options)
{
	char *text = with_options(options);
	struct aero_store_opts opts = {.server = text,
		.port = 27017,
		.database = mongo_database,
		.role = "test"};
	struct aero_store *store = NULL;
	struct aero_err err = {{0}};

	if (aero_store_open(&opts, &store, &err) != AERO_OK)
		print_error("open: %s\n", err.msg);
	free(text);
	return store;
}

void mongo_begin(const char *variable)
{
	static int turn;

	mongo_uri = getenv(variable);
	if (mongo_uri == NULL)
		test_skip("no MongoDB here: run tests/e2e/store_mongo.sh");
	mongoc_log_set_handler(NULL, NULL);
	(void)snprintf(mongo_database, sizeof(mongo_database), "aero_test_%ld_%d",
		(long)getpid(), turn++);
	mongo_admin = mongo_client("appName=admin");
	resetter = mongo_open(NULL);
}

void mongo_end(void)
{
	(void)mongo_try(mongo_database, "{\"dropDatabase\": 1}");
	aero_store_close(resetter);
	mongoc_client_destroy(mongo_admin);
}

mongoc_collection_t *mongo_servers(mongoc_client_t *client)
{
	return mongoc_client_get_collection(client, mongo_database, "servers");
}

void mongo_reset(void)
{
	static const char *const names[] = {"servers", "nodes", "control"};
	struct aero_err err = {{0}};
	bson_error_t error = {0};

	for (size_t i = 0; i < AERO_COUNT(names); i++) {
		bson_t all = BSON_INITIALIZER;
		mongoc_collection_t *c = mongoc_client_get_collection(
			mongo_admin, mongo_database, names[i]);

		if (!mongoc_collection_delete_many(c, &all, NULL, NULL, &error))
			print_error("delete: %s\n", error.message);
		mongoc_collection_destroy(c);
		bson_destroy(&all);
	}
	if (aero_store_indexes_create(resetter, &err) != AERO_OK)
		print_error("indexes: %s\n", err.msg);
}

static bool run(
	const char *database, const char *json, bson_t *reply, bson_error_t *error)
{
	bson_t *command = bson_new_from_json((const uint8_t *)json, -1, error);
	bool ok;

	if (command == NULL)
		fail_msg("%s: %s", json, error->message);
	ok = mongoc_client_command_simple(
		mongo_admin, database, command, NULL, reply, error);
	bson_destroy(command);
	return ok;
}

void mongo_run(const char *database, const char *json, bson_t *reply)
{
	bson_error_t error = {0};

	if (!run(database, json, reply, &error))
		fail_msg("%s: %s", json, error.message);
}

bool mongo_try(const char *database, const char *json)
{
	bson_error_t error = {0};

	return run(database, json, NULL, &error);
}

const char *mongo_show(const char *hostname)
{
	static char text[4096];
	mongoc_collection_t *c = mongo_servers(mongo_admin);
	bson_t filter = BSON_INITIALIZER;
	mongoc_cursor_t *cursor;
	const bson_t *doc;
	char *json;

	BSON_APPEND_UTF8(&filter, "hostname", hostname);
	cursor = mongoc_collection_find_with_opts(c, &filter, NULL, NULL);
	*text = '\0';
	if (mongoc_cursor_next(cursor, &doc)) {
		json = bson_as_relaxed_extended_json(doc, NULL);
		(void)snprintf(text, sizeof(text), "%s", json);
		bson_free(json);
	}
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(c);
	bson_destroy(&filter);
	return text;
}
