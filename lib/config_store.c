/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>

#include "lib/config_store.h"
#include "lib/store_mongo.h"

#define DATABASE "configs"

int aero_config_store_open(const struct aero_conf *conf, const char *role,
	struct aero_store **ret, struct aero_err *err)
{
	struct aero_store_opts opts = {
		.port = conf->port,
		.database = DATABASE,
		.role = role,
		.read_only = conf->dryrun,
	};
	struct aero_server server = {0};
	char *uri = NULL;
	int rc = aero_conf_server(conf, &uri, err);

	if (rc == AERO_OK)
		rc = aero_server_parse(uri, conf->port, &server, err);
	if (rc == AERO_OK && server.kind != AERO_SERVER_MONGO)
		rc = aero_err_set(err, AERO_CONFIG,
			"'%s': configuration files are distributed through MongoDB, not "
			"through an embedded store",
			server.name);
	opts.server = uri;
	if (rc == AERO_OK)
		rc = aero_store_open(&opts, ret, err);
	aero_server_clear(&server);
	free(uri);
	return rc;
}

struct counted {
	int (*take)(const bson_t *doc, void *arg, struct aero_err *err);
	void *arg;
	size_t bytes;
};

static int count(const bson_t *doc, void *arg, struct aero_err *err)
{
	struct counted *counted = arg;

	counted->bytes += doc->len;
	if (counted->bytes > AERO_CONFIG_TOTAL)
		return aero_err_set(err, AERO_REFUSED,
			"the files of one service are larger than %u bytes",
			AERO_CONFIG_TOTAL);
	return counted->take(doc, counted->arg, err);
}

int aero_config_store_read(struct aero_store *store, const char *service,
	int (*take)(const bson_t *doc, void *arg, struct aero_err *err), void *arg,
	struct aero_err *err)
{
	struct counted counted = {take, arg, 0};
	bson_t filter = BSON_INITIALIZER;
	int rc = aero_mongo_find(
		aero_mongo_store(store), service, &filter, NULL, count, &counted, err);

	bson_destroy(&filter);
	return rc;
}

static void filter_id(bson_t *filter, const bson_value_t *id)
{
	bson_append_value(filter, "_id", -1, id);
}

int aero_config_store_put(struct aero_store *store, const char *service,
	const bson_value_t *id, const struct aero_config *config, struct aero_err *err)
{
	bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER,
	       set = BSON_INITIALIZER, unset;
	int rc;

	if (id != NULL)
		filter_id(&filter, id);
	else
		BSON_APPEND_UTF8(&filter, "_id", config->name);
	aero_config_to_bson(config, &set);
	BSON_APPEND_UTF8(&set, AERO_CONFIG_SOURCE, AERO_CONFIG_GIT);
	BSON_APPEND_DOCUMENT(&update, "$set", &set);
	if (config->keywords.n == 0) {
		BSON_APPEND_DOCUMENT_BEGIN(&update, "$unset", &unset);
		BSON_APPEND_BOOL(&unset, "keywords", true);
		bson_append_document_end(&update, &unset);
	}
	rc = aero_mongo_update(
		aero_mongo_store(store), service, &filter, &update, id == NULL, err);
	bson_destroy(&filter);
	bson_destroy(&update);
	bson_destroy(&set);
	return rc;
}

int aero_config_store_delete(struct aero_store *store, const char *service,
	const bson_value_t *id, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(store);
	struct aero_mongo_place place = {s, service, "'find', 'remove'"};
	bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, reply;
	mongoc_collection_t *collection;
	bson_error_t error = {0};
	int rc = aero_mongo_begin(s, &opts, err);

	filter_id(&filter, id);
	if (rc == AERO_OK) {
		collection = aero_mongo_collection(s, service);
		if (!mongoc_collection_delete_one(
			    collection, &filter, &opts, &reply, &error))
			rc = aero_mongo_write_error(&place, &reply, &error, err);
		bson_destroy(&reply);
		mongoc_collection_destroy(collection);
	}
	bson_destroy(&filter);
	bson_destroy(&opts);
	return rc;
}

int aero_config_store_services(
	struct aero_store *store, struct aero_list *ret, struct aero_err *err)
{
	struct aero_store_mongo *s = aero_mongo_store(store);
	struct aero_mongo_place place = {s, "", "'listCollections'"};
	mongoc_database_t *database = NULL;
	bson_error_t error = {0};
	char **names = NULL;
	int rc = aero_mongo_connect(s, err);

	if (rc != AERO_OK)
		return rc;
	database = mongoc_client_get_database(s->client, s->database);
	names = mongoc_database_get_collection_names_with_opts(database, NULL, &error);
	if (names == NULL)
		rc = aero_mongo_read_error(&place, NULL, &error, err);
	for (size_t i = 0; rc == AERO_OK && names[i] != NULL; i++)
		if (!aero_list_add(ret, names[i]))
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	bson_strfreev(names);
	mongoc_database_destroy(database);
	return rc;
}
