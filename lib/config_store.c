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
