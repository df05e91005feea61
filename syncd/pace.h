/* SPDX-License-Identifier: MIT */
/* When to publish, and what not to publish at once (DESIGN 4). Pure. */
#ifndef AERO_SYNCD_PACE_H
#define AERO_SYNCD_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Times in ms of one steady clock. Start with the two limits and last = a long ago. */
struct aero_pace {
	int64_t quiet_ms, max_ms;
	int64_t last;          /* publish */
	bool pending;          /* a change waits: */
	int64_t first, latest; /* the first and the latest that wait */
};

void aero_pace_change(struct aero_pace *pace, int64_t now);
void aero_pace_published(struct aero_pace *pace, int64_t now);
/* ms until a publish is due: at once when the last one is over max_ms ago, else after
 * quiet_ms without a change, max_ms at most; -1 when nothing waits. */
int64_t aero_pace_wait(const struct aero_pace *pace, int64_t now);

/* Is a whole collection of `names` suspiciously small after one of `published`? */
bool aero_shrink_holds(size_t published, size_t names, int min, int percent);

#endif
