/* SPDX-License-Identifier: MIT */
/* `aerostatd --check`: what is wrong in the collection (server/check.h). */
#ifndef AERO_SERVER_REPAIR_H
#define AERO_SERVER_REPAIR_H

#include <stdio.h>

#include "lib/conf.h"
#include "lib/err.h"

/* Print a line for each finding on out, or JSON, and how many there are. AERO_OK: nothing
 * is wrong; AERO_REFUSED: something is, err says how much; or the store's code. */
int aero_repair_run(const struct aero_conf *conf, FILE *out, struct aero_err *err);

#endif
