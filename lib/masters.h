/* SPDX-License-Identifier: MIT */
/* Who is the master of each masterful service, and by which change-over (its epoch): a
 * list, as status.json has it. */
#ifndef AERO_LIB_MASTERS_H
#define AERO_LIB_MASTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AERO_MASTERS_MAX 1000 /* kept in a list */

struct aero_master {
	char *hostname, *service, *instance_id;
	int64_t epoch;
};

struct aero_masters {
	struct aero_master *v;
	size_t n;
};

/* Append copies; what is over AERO_MASTERS_MAX is left out. False without memory. */
bool aero_masters_add(struct aero_masters *masters, const struct aero_master *master);
/* NULL: none is called so. */
const struct aero_master *aero_masters_find(
	const struct aero_masters *masters, const char *hostname);
void aero_masters_clear(struct aero_masters *masters);

#endif
