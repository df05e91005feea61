/* SPDX-License-Identifier: MIT */
/* Configuration files in MongoDB: the database `configs`, a collection per service, as
 * the Python program laid them down. */
#ifndef AERO_LIB_CONFIG_STORE_H
#define AERO_LIB_CONFIG_STORE_H

#include <bson/bson.h>

#include "lib/conf.h"
#include "lib/config_file.h"
#include "lib/err.h"
#include "lib/store.h"

/* All documents of one service together, as a bound. */
#define AERO_CONFIG_TOTAL (256u << 20)

/* Open it at the server of conf; to be closed as any store. AERO_CONFIG: an embedded
 * store, which has none. */
int aero_config_store_open(const struct aero_conf *conf, const char *role,
	struct aero_store **ret, struct aero_err *err);
/* Give each document of the service to take, until that answers other than AERO_OK. */
int aero_config_store_read(struct aero_store *store, const char *service,
	int (*take)(const bson_t *doc, void *arg, struct aero_err *err), void *arg,
	struct aero_err *err);

/* ---- for the server, which fills it ---- */

/* What stands beside the fields of lib/config_file.h in a document of ours: only those
 * are ever deleted. */
#define AERO_CONFIG_SOURCE "source"
#define AERO_CONFIG_GIT "git"

/* Put config into the document with this _id, keeping its other fields; NULL: a new one
 * with its name as _id. */
int aero_config_store_put(struct aero_store *store, const char *service,
	const bson_value_t *id, const struct aero_config *config, struct aero_err *err);
int aero_config_store_delete(struct aero_store *store, const char *service,
	const bson_value_t *id, struct aero_err *err);
/* The services that have a collection; appended. */
int aero_config_store_services(
	struct aero_store *store, struct aero_list *ret, struct aero_err *err);

#endif
