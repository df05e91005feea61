/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "lib/store_mongo.h"
int aero_mongo_watch_open(struct aero_store *base, const struct aero_watch_opts *opts,
	struct aero_watch **ret, struct aero_err *err)
{
	(void)base; (void)opts; (void)ret;
	return aero_err_set(err, AERO_DB, "not yet");
}
