/* SPDX-License-Identifier: MIT */
/*
 * What names of servers stand for. A node that takes its names from a mirror finds its
 * own server by it, and must not be cut off by an old one: so addresses that worked are
 * remembered, and when a name leads nowhere they are used in its place.
 *
 * The driver has no place for this, so getaddrinfo itself is ours, in our programs: it
 * notes what the system's answers, and answers for pinned names from memory. (It is never
 * to be exported by a library.) Certificates are still checked against the name.
 */
#ifndef AERO_LIB_RESOLVE_H
#define AERO_LIB_RESOLVE_H

#include <bson/bson.h>

/* From now on the names in hosts, {NAME: [ADDRESS, ...]}, have these addresses, in all
 * threads. NULL: what the system says. */
void aero_resolve_pin(const bson_t *hosts);

/* Append [ADDRESS, ...] as key: what the system said last of the name, in this process.
 * False: it has not been asked. */
bool aero_resolve_noted(const char *name, const char *key, bson_t *ret);

#endif
