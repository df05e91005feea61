/* SPDX-License-Identifier: MIT */
/* Which name comes next (DESIGN 3, I4). Pure: slots in, a name out. */
#ifndef AERO_REGISTER_PICK_H
#define AERO_REGISTER_PICK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/slot.h"

#define AERO_HOSTNAME_SIZE 64 /* registered names are one label */

/* Why a service may not be registered, in words; NULL if it may. */
const char *aero_pick_service_refuse(const char *service);

/* `<service>-master`. */
void aero_pick_master(const char *service, char ret[static AERO_HOSTNAME_SIZE]);

/* The number of a slot: `<service>-N` from 0, of a masterful service `<service>-slave-N`
 * from 1, exactly so written (no leading zeros). -1: it has none. */
int64_t aero_pick_number(const char *hostname, const char *service, bool masterful);

/* The slot to append, blank slots counting as there: the lowest number below the maximum
 * that has no slot (a hole of old data; *ret_hole), else one more than the maximum.
 * False: out of memory. */
bool aero_pick_append(const struct aero_slots *slots, const char *service, bool masterful,
	char ret[static AERO_HOSTNAME_SIZE], bool *ret_hole);

/* The blank slot that a claim would take: the lowest in natural order of those whose name
 * is a slot's (aero_slot_name_fits), but for the service's master; NULL if there is none.
 * vacated (may be NULL) is an instance whose slot counts as blank. */
const struct aero_slot *aero_pick_gap(
	const struct aero_slots *slots, const char *service, const char *vacated);

/* The slot with this hostname, or held by this instance; NULL if there is none. */
const struct aero_slot *aero_pick_named(
	const struct aero_slots *slots, const char *hostname);
const struct aero_slot *aero_pick_held(
	const struct aero_slots *slots, const char *instance_id);

#endif
