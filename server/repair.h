/* SPDX-License-Identifier: MIT */
/* `aerostatd --check` and `--repair`: what is wrong in the collection (server/check.h),
 * and mending it by a plan that is printed. */
#ifndef AERO_SERVER_REPAIR_H
#define AERO_SERVER_REPAIR_H

#include <stdio.h>

#include "lib/conf.h"
#include "lib/store.h"

/* Print a line for each finding on out, or JSON, and how many there are. With
 * conf->repair it is the plan; without conf->dryrun it is then carried out, and each step
 * printed. Each step is one conditional write of what was read, or a registration:
 * whatever another client did meanwhile stays, and a run that was cut off is run again.
 * More names and documents than the guard lets go at once (reap_cap_percent,
 * reap_cap_min) stay, all of them, but for conf->force. AERO_OK: nothing is wrong (any
 * more); AERO_REFUSED: something is, or was held, and err says so; or the store's code.
 */
int aero_repair_run(const struct aero_conf *conf, FILE *out, struct aero_err *err);
/* The same in a store that is open. */
int aero_repair_store(const struct aero_conf *conf, struct aero_store *store, FILE *out,
	struct aero_err *err);

#endif
