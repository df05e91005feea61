/* SPDX-License-Identifier: MIT */
/* The sync daemon as one call: aerostat-syncd, aerostat --update [--daemon]. */
#ifndef AERO_SYNCD_SYNCD_H
#define AERO_SYNCD_SYNCD_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/conf.h"
#include "lib/err.h"

/* Bring the mirror, /etc/hosts and what follows from them up to date: once, or as the
 * daemon, in the foreground, until SIGTERM. A dry run prints to out. It logs by itself;
 * an AERO_ code with words is what ended it. */
int aero_syncd_run(
	const struct aero_conf *conf, bool once, FILE *out, struct aero_err *err);

#endif
