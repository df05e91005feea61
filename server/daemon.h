/* SPDX-License-Identifier: MIT */
/* aerostatd as a whole: passes one after the other, or one. */
#ifndef AERO_SERVER_DAEMON_H
#define AERO_SERVER_DAEMON_H

#include <stdio.h>

#include "lib/conf.h"
#include "lib/err.h"

/* With conf->check or conf->repair: aero_repair_run. With conf->once or conf->dryrun one
 * pass: indexes, listing, reaping, change-overs, configuration files; its code is the
 * first failure's. Else in the foreground until SIGTERM or SIGINT; SIGHUP and SIGUSR1
 * begin a pass at once. What only people can mend (AERO_CONFIG, AERO_PERM) ends it in the
 * first pass, and is logged later on. out: the plan of a dry run. */
int aero_server_run(const struct aero_conf *conf, FILE *out, struct aero_err *err);

#endif
