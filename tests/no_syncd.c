/* SPDX-License-Identifier: MIT */
/* Stands in for syncd/libaero_syncd.la in the aerostat program, until it is there. */
#include "config.h"

#include "syncd/syncd.h"

int aero_syncd_run(
	const struct aero_conf *conf, bool once, FILE *out, struct aero_err *err)
{
	(void)conf;
	(void)once;
	(void)out;
	return aero_err_set(err, AERO_CONFIG, "this build has no sync daemon");
}
