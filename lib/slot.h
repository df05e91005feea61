/* SPDX-License-Identifier: MIT */
/* A document of the naming collection as a C value (DESIGN 3), and its BSON form. */
#ifndef AERO_LIB_SLOT_H
#define AERO_LIB_SLOT_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"

/* Who holds a slot. Strings are never NULL once set by the functions below; '' = none. */
struct aero_occupant {
	char *instance_id; /* '' = gap */
	char *ip;          /* IPv4 or IPv6 text; '' = no answer */
	char *ip6;         /* second family; '' = none */
	struct aero_list aliases;
};

struct aero_slot {
	char *hostname; /* '' only in data left by the original */
	char *service;
	char *service_type; /* `masterful`; anything else is iterative */
	struct aero_occupant who;
	int64_t reg;           /* tenure number; 0 = none was ever written (old data) */
	int64_t epoch;         /* master slot only; 0 = none */
	int64_t registered_at; /* server clock, ms since 1970; 0 = unknown */
	bool odd_id;           /* instance_id is there, but no string: somebody's */
	bool odd;              /* that, or hostname, reg or epoch is so that no filter
				  that we could make from here names this document */
};

struct aero_slots {
	struct aero_slot *v;
	size_t n;
};

/* Read a document. Absent and null fields are ''; unknown fields are ignored. A field
 * that we read but that has another type, or a string that is not UTF-8 or holds a NUL,
 * counts as absent, so that one odd field costs no name, and so does an ip6 that another
 * occupant left behind (ip6_of); *ret_odd (may be NULL) then says
 * the gravest such oddity in words, else NULL. False, with *ret untouched and *ret_odd
 * set, only for damaged BSON or when out of memory. */
bool aero_slot_of_bson(const bson_t *doc, struct aero_slot *ret, const char **ret_odd);
/* Does a field of this name matter to aero_slot_of_bson? */
bool aero_slot_field(const char *key);
/* Do these words of *ret_odd speak of a field without which nothing answers? */
bool aero_slot_odd_costs(const char *odd);

/* So many digits at most has the number of a slot: it fits an int64_t, and one more. */
#define AERO_SLOT_DIGITS 17

/* Is this the name of a slot as registration makes them: SERVICE-N or SERVICE-slave-N,
 * without leading zeros, or SERVICE-master? What else a client may have put beside them
 * is never claimed, for it would become the name of a machine. */
bool aero_slot_name_fits(const char *hostname, const char *service);

/* Append the fields of a slot to doc: the original's six always, ip6 with ip6_of, reg,
 * epoch and registered_at when they are set; no _id. */
void aero_slot_to_bson(const struct aero_slot *slot, bson_t *doc);

/* Append whose address ip6 is, if there is one. */
void aero_ip6_of_to_bson(const struct aero_occupant *who, bson_t *doc);

/* Whole numbers, doubles without their fraction, times in ms; false for all else and for
 * doubles out of range. */
bool aero_number_of_bson(const bson_iter_t *it, int64_t *ret);

/* Is this a number that reads as one, but that no whole number is equal to, or not to the
 * server? A filter on what was read would miss for ever. */
bool aero_number_odd(const bson_iter_t *it);

/* Append an array of strings. */
void aero_list_to_bson(const struct aero_list *list, bson_t *doc, const char *key);

bool aero_slot_masterful(const struct aero_slot *slot);
bool aero_slot_blank(const struct aero_slot *slot); /* instance_id is '' or null */

/* Deep copies; false when out of memory, *ret is then empty. */
bool aero_slot_copy(const struct aero_slot *slot, struct aero_slot *ret);
bool aero_occupant_copy(const struct aero_occupant *who, struct aero_occupant *ret);

/* Append to an array; it then owns slot's strings, and *slot is empty. */
bool aero_slots_add(struct aero_slots *slots, struct aero_slot *slot);

void aero_occupant_clear(struct aero_occupant *who);
void aero_slot_clear(struct aero_slot *slot);
void aero_slots_clear(struct aero_slots *slots);

#endif
