/* SPDX-License-Identifier: MIT */
/* A function in a thread of its own, one run at a time: for what waits and talks to the
 * store, which the loop must not. */
#ifndef AERO_SYNCD_TASK_H
#define AERO_SYNCD_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"

struct aero_task;

/* NULL with errno. */
struct aero_task *aero_task_new(void);

/* Begin run(a copy of conf, arg); what arg points to is the thread's until the run is
 * taken. False: one runs, or there is no memory or thread. */
bool aero_task_start(struct aero_task *task, const struct aero_conf *conf,
	void (*run)(const struct aero_conf *conf, void *arg), void *arg);
bool aero_task_runs(const struct aero_task *task);
/* Readable once a run is over. */
int aero_task_fd(const struct aero_task *task);
/* True, once a run: it is over, and its memory is the caller's again. */
bool aero_task_take(struct aero_task *task);

/* Wait at most so long for a run to end, and free; NULL is nothing. False: it is left,
 * with its memory, to the end of the process, which must come by _exit. A run may stop
 * anywhere. */
bool aero_task_stop(struct aero_task *task, int64_t timeout_ms);

#endif
