/* SPDX-License-Identifier: MIT */
/* The system hostname. */
#ifndef AERO_REGISTER_HOSTNAME_H
#define AERO_REGISTER_HOSTNAME_H

#include <stdbool.h>

#include "lib/conf.h"
#include "lib/err.h"

/* True if this run may set it: set_hostname, root `/`, neither --offline nor --dryrun. */
bool aero_hostname_allowed(const struct aero_conf *conf);

/* Set it now (sethostname) and for the next boot (/etc/hostname, atomically); what is
 * right already is not written. */
int aero_hostname_set(
	const struct aero_conf *conf, const char *hostname, struct aero_err *err);

#endif
