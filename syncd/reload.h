/* SPDX-License-Identifier: MIT */
/* SIGHUP: the options read again, from the same command line. */
#ifndef AERO_SYNCD_RELOAD_H
#define AERO_SYNCD_RELOAD_H

#include "syncd/daemon.h"

/* Read and adopt them; on failure all is as before. Where the store is another one now,
 * daemon->store is that, daemon->watcher is NULL and has to be started. */
int aero_daemon_reload(struct aero_daemon *daemon, struct aero_err *err);
void aero_daemon_conf_free(struct aero_daemon *daemon);

#endif
