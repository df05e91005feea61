/* SPDX-License-Identifier: MIT */
/* Room in a growing array. */
#ifndef AERO_LIB_ARRAY_H
#define AERO_LIB_ARRAY_H

#include <stddef.h>
#include <stdlib.h>

/* The array v (NULL: none yet), which has n elements of size bytes, with room for one
 * more: v itself or where it went. NULL: out of memory, v is as it was. It grows by
 * doubling: n is a power of two whenever there is no room. */
static inline void *aero_array_room(void *v, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return v;
	return reallocarray(v, n == 0 ? 1 : n * 2, size);
}

#endif
