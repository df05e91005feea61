/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <sys/mman.h>

#include "lib/mapped.h"

#define PAGE ((uintptr_t)4096)
#define ENOUGH ((size_t)1 << 20)

void aero_mapped_read(struct aero_mapped *mapped, const void *at, size_t len)
{
	uintptr_t low = (uintptr_t)at & ~(PAGE - 1);
	uintptr_t high = ((uintptr_t)at + len + PAGE - 1) & ~(PAGE - 1);

	if (mapped->n == 0 || low < mapped->low)
		mapped->low = low;
	if (mapped->n == 0 || high > mapped->high)
		mapped->high = high;
	mapped->n += len;
	if (mapped->n >= ENOUGH)
		aero_mapped_drop(mapped);
}

void aero_mapped_drop(struct aero_mapped *mapped)
{
	if (mapped->n > 0)
		(void)madvise(
			(void *)mapped->low, mapped->high - mapped->low, MADV_DONTNEED);
	*mapped = (struct aero_mapped){0};
}
