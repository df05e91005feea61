/* SPDX-License-Identifier: MIT */
/* Stands in for lib/store_mongo.c in tests that use no MongoDB, until it is there. */
#include "config.h"

#include "lib/store_ops.h"

int aero_store_mongo_open(const struct aero_store_opts *opts,
	const struct aero_server *server, struct aero_store **ret, struct aero_err *err)
{
	(void)opts;
	(void)ret;
	return aero_err_set(err, AERO_CONFIG, "no MongoDB here: %s", server->name);
}
