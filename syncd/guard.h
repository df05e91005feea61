/* SPDX-License-Identifier: MIT */
/*
 * The shrink guard (DESIGN 4): a whole collection that is suspiciously small is not
 * published at once. What is streamed after it is evidence and is not guarded, also when
 * both come before the next publish. Its time runs on the steady clock.
 */
#ifndef AERO_SYNCD_GUARD_H
#define AERO_SYNCD_GUARD_H

#include "syncd/mirror.h"

/* A whole collection of this time waits to be published; 0: none does. */
void aero_guard_take(struct aero_mirror *mirror, int64_t full_at);
/* The same, from an earlier process. */
void aero_guard_resume(struct aero_mirror *mirror, int64_t full_at);
/* Before a change is applied: what has the collection that waits? */
void aero_guard_count(struct aero_mirror *mirror);
/* Is the collection that waits, which has `names` by now, too small to be believed yet?
 * How long for: *ret_wait_ms. */
bool aero_guard_holds(struct aero_mirror *mirror, size_t names, int64_t *ret_wait_ms);

#endif
