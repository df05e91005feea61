/* SPDX-License-Identifier: MIT */
/*
 * Heartbeats (DESIGN 3): this node's seen_at, in a thread of its own, one at a time. The
 * store stays open between them, apart from that of the watch thread, so that neither
 * waits for the other; after a failure it is opened anew.
 */
#ifndef AERO_SYNCD_BEATER_H
#define AERO_SYNCD_BEATER_H

#include "lib/conf.h"
#include "lib/err.h"

struct aero_beater;

struct aero_beat {
	bool ours; /* identity.json says who this node is; else nothing was sent */
	int rc; /* AERO_OK; AERO_MISS: the store does not know the node; or the store's */
	struct aero_err err;
};

/* NULL with errno. */
struct aero_beater *aero_beater_new(void);

/* Send one; conf is copied. It may take as long as the store takes to give up, some 12 s.
 * False: one is on its way, or there is no memory or thread. */
bool aero_beater_start(struct aero_beater *beater, const struct aero_conf *conf);
bool aero_beater_runs(const struct aero_beater *beater);
/* Readable once one is over. */
int aero_beater_fd(const struct aero_beater *beater);
/* What came of the one that is over; false: none is. */
bool aero_beater_take(struct aero_beater *beater, struct aero_beat *ret);
/* The options changed: the next one opens the store that they name. */
void aero_beater_forget(struct aero_beater *beater);

/* As aero_task_stop. */
bool aero_beater_stop(struct aero_beater *beater, int64_t timeout_ms);

#endif
