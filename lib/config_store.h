/* SPDX-License-Identifier: MIT */
/* Configuration files in MongoDB: the database `configs`, a collection per service, as
 * the Python program laid them down. */
#ifndef AERO_LIB_CONFIG_STORE_H
#define AERO_LIB_CONFIG_STORE_H

#include <bson/bson.h>

#include "lib/conf.h"
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

#endif
