/* SPDX-License-Identifier: MIT */
/* The parts of aero_syncd_run: syncd.c (lock, choice), once.c, dryrun.c, daemon.c. */
#ifndef AERO_SYNCD_PARTS_H
#define AERO_SYNCD_PARTS_H

#include "lib/store.h"
#include "lib/watch.h"
#include "syncd/syncd.h"

/* The store of the options, not contacted yet. */
int aero_syncd_store(
	const struct aero_conf *conf, struct aero_store **ret, struct aero_err *err);
/* Whose documents: the store's name and its database. malloc'd, NULL without memory. */
char *aero_syncd_source(const struct aero_conf *conf, const struct aero_store *store);
/* The whole collection; AERO_NET and others when it cannot be had. */
int aero_syncd_fetch(const struct aero_conf *conf, struct aero_store *store,
	struct aero_batch *ret, struct aero_err *err);

/* One update, under the lock. */
int aero_syncd_once(const struct aero_conf *conf, struct aero_err *err);
int aero_syncd_dryrun(const struct aero_conf *conf, FILE *out, struct aero_err *err);
/* The loop, under the lock; signals: of aero_signals, which is closed. */
int aero_syncd_daemon(const struct aero_conf *conf, int signals, struct aero_err *err);

struct aero_mirror;

/* daemon_hooks.c: after one update: run the operator's programs, to their end, if there
 * is another generation than before. */
void aero_hooks_once(
	const struct aero_conf *conf, const struct aero_mirror *m, uint64_t before);

#endif
