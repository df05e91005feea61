/* SPDX-License-Identifier: MIT */
/* An array that is kept in order: a change costs a few comparisons and a move of memory,
 * not a sort. For table.c and order.c. */
#ifndef AERO_SYNCD_SORTED_H
#define AERO_SYNCD_SORTED_H

#include <stdbool.h>
#include <stddef.h>

/* No two elements are equal. */
typedef int aero_sorted_cmp(const void *left, const void *right);

struct aero_sorted {
	unsigned char *v;
	size_t n, room, size; /* size: of an element */
	aero_sorted_cmp *cmp;
};

/* Make room for n more; false: out of memory, nothing has changed. */
bool aero_sorted_room(struct aero_sorted *s, size_t n);
/* Take out, or put in where there is room; the n elements of v are put in order. */
void aero_sorted_drop(struct aero_sorted *s, void *v, size_t n);
void aero_sorted_add(struct aero_sorted *s, void *v, size_t n);

#endif
