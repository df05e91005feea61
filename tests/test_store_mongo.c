/* SPDX-License-Identifier: MIT */
/* The MongoDB store on real servers, whose URIs tests/e2e/store_mongo.sh gives:
 * AEROSTAT_TEST_ALONE, AEROSTAT_TEST_SET. */
#include "config.h"

#include <mongoc/mongoc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support.h"
#include "tests/store_suite.h"

static const char *uri;
static char database[64];
static mongoc_client_t *admin;

static struct aero_store *open_store(bool read_only)
{
	struct aero_store_opts opts = {.server = uri,
		.port = 27017,
		.database = database,
		.role = "test",
		.read_only = read_only};
	struct aero_store *store = NULL;
	struct aero_err err = {{0}};

	if (aero_store_open(&opts, &store, &err) != AERO_OK)
		print_error("open: %s\n", err.msg);
	return store;
}

static void empty(const char *collection)
{
	bson_t all = BSON_INITIALIZER;
	bson_error_t error = {0};
	mongoc_collection_t *c = mongoc_client_get_collection(admin, database, collection);

	if (!mongoc_collection_delete_many(c, &all, NULL, NULL, &error))
		print_error("delete: %s\n", error.message);
	mongoc_collection_destroy(c);
	bson_destroy(&all);
}

static void reset(void)
{
	struct aero_store *store = open_store(false);
	struct aero_err err = {{0}};

	empty("servers");
	empty("nodes");
	empty("control");
	if (aero_store_indexes_create(store, &err) != AERO_OK)
		print_error("indexes: %s\n", err.msg);
	aero_store_close(store);
}

static void load(bson_t *const docs[], size_t n)
{
	mongoc_collection_t *c = mongoc_client_get_collection(admin, database, "servers");
	bson_error_t error = {0};

	(void)mongoc_collection_drop(c, NULL);
	for (size_t i = 0; i < n; i++)
		if (!mongoc_collection_insert_one(c, docs[i], NULL, NULL, &error))
			print_error("load: %s\n", error.message);
	mongoc_collection_destroy(c);
}

static int run(const char *name, const char *variable)
{
	struct store_suite_env env = {
		.name = name, .reset = reset, .open = open_store, .load = load};
	mongoc_uri_t *parsed;
	mongoc_write_concern_t *w;
	int failed;

	uri = getenv(variable);
	if (uri == NULL)
		test_skip("no MongoDB here: run tests/e2e/store_mongo.sh");
	parsed = mongoc_uri_new(uri);
	(void)snprintf(database, sizeof(database), "aero_test_%ld", (long)getpid());
	admin = mongoc_client_new_from_uri(parsed);
	w = mongoc_write_concern_new();
	mongoc_write_concern_set_w(w, MONGOC_WRITE_CONCERN_W_MAJORITY);
	mongoc_client_set_write_concern(admin, w);
	mongoc_write_concern_destroy(w);
	failed = store_suite_run(&env);
	mongoc_client_destroy(admin);
	mongoc_uri_destroy(parsed);
	return failed;
}

int main(void)
{
	return run("standalone", "AEROSTAT_TEST_ALONE") + run("set", "AEROSTAT_TEST_SET");
}
