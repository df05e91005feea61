/* SPDX-License-Identifier: MIT */
/*
 * The operator's programs in `hooks_dir`, run after a change is out: each executable, in
 * C order, one after the other, for each event. A failure is logged, never fatal. Events
 * that wait are put together, so that a slow hook meets the newest state and no backlog.
 * It is part of the loop, so it logs.
 */
#ifndef AERO_SYNCD_HOOKS_H
#define AERO_SYNCD_HOOKS_H

#include <stdint.h>

#include "lib/child.h"

#define AERO_HOOK_TIMEOUT_MS 10000

enum aero_hook_kind {
	AERO_HOOK_RENAMED,   /* this node's name: hostname, before it old_hostname */
	AERO_HOOK_PUBLISHED, /* a new generation of names */
	AERO_HOOK_MASTER,    /* service has another master, decided by epoch */
	AERO_HOOK_KINDS
};

/* '' and 0 where the event has none. */
struct aero_hook_event {
	enum aero_hook_kind kind;
	char hostname[256], old_hostname[256], service[256];
	int64_t epoch;
	uint64_t generation;
};

struct aero_hooks;

/* Programs of dir ('' = there are none, ever), which is read anew for each event. NULL
 * without memory. */
struct aero_hooks *aero_hooks_new(const char *dir);
void aero_hooks_free(struct aero_hooks *hooks);
/* Another folder, from the next event on. False without memory: the old one stays. */
bool aero_hooks_configure(struct aero_hooks *hooks, const char *dir);

/* Let an event wait for its turn. */
void aero_hooks_add(struct aero_hooks *hooks, const struct aero_hook_event *event);
/* Go on with what runs or waits; now is aero_clock_ms. True while something does. */
bool aero_hooks_step(struct aero_hooks *hooks, int64_t now);
/* What runs, to poll; NULL = nothing. */
const struct aero_child *aero_hooks_child(const struct aero_hooks *hooks);
/* All that waits, to its end (one-shots). */
void aero_hooks_run(struct aero_hooks *hooks);

#endif
