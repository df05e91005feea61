/* SPDX-License-Identifier: MIT */
/* The parts of aero_syncd_run: syncd.c (lock, choice), once.c, dryrun.c, daemon.c. */
#ifndef AERO_SYNCD_PARTS_H
#define AERO_SYNCD_PARTS_H

#include "lib/masters.h"
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

/* What the operator's programs were told last: daemon_hooks.c. */
struct aero_told {
	uint64_t generation;
	char named[256];
	struct aero_masters masters;
	bool masters_known;
};

/* As status.json has it, so that what changed while nobody ran is told; the generation is
 * no news. To be cleared. */
void aero_told_load(
	const struct aero_conf *conf, uint64_t generation, struct aero_told *ret);
void aero_told_clear(struct aero_told *told);
/* After one update: run the operator's programs, to their end, for what is news. */
void aero_hooks_once(const struct aero_conf *conf, const struct aero_mirror *m,
	struct aero_told *told);

#endif
