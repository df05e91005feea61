/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "syncd/pace.h"

void aero_pace_change(struct aero_pace *pace, int64_t now)
{
	if (!pace->pending)
		pace->first = now;
	pace->pending = true;
	pace->latest = now;
}

void aero_pace_published(struct aero_pace *pace, int64_t now)
{
	pace->pending = false;
	pace->last = now;
}

int64_t aero_pace_wait(const struct aero_pace *pace, int64_t now)
{
	int64_t due;

	if (!pace->pending)
		return -1;
	if (pace->first - pace->last > pace->max_ms) {
		due = pace->first;
	} else {
		due = pace->latest + pace->quiet_ms;
		if (due > pace->first + pace->max_ms)
			due = pace->first + pace->max_ms;
	}
	return due > now ? due - now : 0;
}

bool aero_shrink_holds(size_t published, size_t names, int min, int percent)
{
	return published > 0 && published >= (size_t)min &&
	       (uint64_t)names * 100 < (uint64_t)published * (uint64_t)percent;
}
