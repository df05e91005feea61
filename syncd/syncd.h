/* SPDX-License-Identifier: MIT */
/* aerostat-syncd: the mirror kept up to date, as a daemon or once. */
#ifndef AERO_SYNCD_SYNCD_H
#define AERO_SYNCD_SYNCD_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/conf.h"
#include "lib/err.h"

/* What aerostat-syncd and `aerostat --update [--daemon]` do. once: one update (or, with
 * conf->dryrun, what it would change, on out); if the daemon runs, it is asked for one.
 * Else the daemon's loop, until SIGTERM or SIGINT. Where the driver hangs then, the
 * process ends here, by _exit. */
int aero_syncd_run(
	const struct aero_conf *conf, bool once, FILE *out, struct aero_err *err);

#endif
