/* SPDX-License-Identifier: MIT */
/*
 * The self-heal (register/heal.h) in a thread of its own, one run at a time: it waits and
 * talks to the store, which the loop must not.
 */
#ifndef AERO_SYNCD_HEALER_H
#define AERO_SYNCD_HEALER_H

#include "lib/conf.h"
#include "register/heal.h"

struct aero_healer;

struct aero_heal_result {
	int rc; /* AERO_OK, or what aero_heal_run failed with: */
	struct aero_err err;
	enum aero_healed what; /* with AERO_OK */
	char hostname[256];    /* the name held, '' = none */
};

/* NULL with errno. */
struct aero_healer *aero_healer_new(void);

/* Begin a run; conf is copied; again: the last one failed. False: one runs, or there is
 * no memory or thread. */
bool aero_healer_start(
	struct aero_healer *healer, const struct aero_conf *conf, bool again);
bool aero_healer_runs(const struct aero_healer *healer);
/* Readable once a run is over. */
int aero_healer_fd(const struct aero_healer *healer);
/* What the run that is over came to; false: none is. */
bool aero_healer_take(struct aero_healer *healer, struct aero_heal_result *ret);

/* Wait at most so long for a run to end, and free; NULL is nothing. False: it is left to
 * the end of the process, which must come by _exit. A run may stop anywhere. */
bool aero_healer_stop(struct aero_healer *healer, int64_t timeout_ms);

#endif
