/* SPDX-License-Identifier: MIT */
/* What a walk over a mapped file has read, given back as it goes: its pages stay in the
 * system's cache, but count no more as memory of this process. */
#ifndef AERO_LIB_MAPPED_H
#define AERO_LIB_MAPPED_H

#include <stddef.h>
#include <stdint.h>

/* {0} at first. */
struct aero_mapped {
	uintptr_t low, high; /* around all that was read since */
	size_t n;            /* bytes of it */
};

/* len bytes at `at`, which lie in a shared, read-only mapping as all others, are done
 * with. */
void aero_mapped_read(struct aero_mapped *mapped, const void *at, size_t len);
/* The rest, at the end. */
void aero_mapped_drop(struct aero_mapped *mapped);

#endif
