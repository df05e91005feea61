/* SPDX-License-Identifier: MIT */
/* The registrar's three actions. Each takes the lock /run/aerostat/register.lock, finds
 * out who this node is, and runs the naming steps until they are done or
 * register_deadline has passed; --dryrun only looks. One line on out says what came of
 * it. They log; errors come back in err. */
#ifndef AERO_REGISTER_REGISTER_H
#define AERO_REGISTER_REGISTER_H

#include <stdio.h>

#include "lib/conf.h"
#include "lib/err.h"

/* Register: `web-3 (gap|new|held) i-0abc 10.0.0.7`. The store has acknowledged the name,
 * and identity.json is written, before the system hostname is touched. */
int aero_register_run(const struct aero_conf *conf, FILE *out, struct aero_err *err);

/* Become the master: `db-master i-0abc`. AERO_REFUSED when the service is not masterful
 * or this node has no name in it; already master is AERO_OK. */
int aero_change_master_run(const struct aero_conf *conf, FILE *out, struct aero_err *err);

/* Give the name back and remove identity.json: `released web-3 i-0abc`, or `released
 * nothing i-0abc` when there was no name. */
int aero_release_run(const struct aero_conf *conf, FILE *out, struct aero_err *err);

#endif
