/* SPDX-License-Identifier: MIT */
/* Which names and addresses may answer (CONTRACTS 4), and how names order. Pure. */
#ifndef AERO_LIB_NAMES_H
#define AERO_LIB_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/list.h"

/* Why a name may not answer, in words; NULL if it may. A name is labels of letters,
 * digits and inner hyphens, 63 bytes each and 253 in all, and `_` when underscore is
 * true (names that already are in the collection); not an address to inet_aton, not
 * localhost*, ip6-* or _gateway. A dotted name must end in domain (may be NULL or '') or
 * in one of zones (`.` allows all; leading dots do not count). */
const char *aero_name_refuse(const char *name, bool underscore, const char *domain,
	const struct aero_list *zones);
/* Why this may not be the domain or one of the zones; NULL if it may. Leading dots do not
 * count, but `.` alone is all. */
const char *aero_zone_refuse(const char *zone);

/* The domain option without the dots around it, which say nothing; malloc'd. */
char *aero_domain_trim(const char *domain);

/* Natural order: runs of digits compare as numbers, letters without case; names that are
 * equal so are ordered as bytes. Never 0 for different strings. */
int aero_natural_cmp(const char *a, const char *b);

struct aero_addr {
	int family; /* AF_INET or AF_INET6; 0 = none */
	unsigned char bytes[16];
};

/* Read an address and check that it may answer: not unspecified, multicast, broadcast,
 * link-local nor (unless loopback is true) loopback. A v4-mapped IPv6 address is its IPv4
 * address. NULL and *ret set, or why not. */
const char *aero_addr_refuse(const char *text, bool loopback, struct aero_addr *ret);

/* Bytes of an address: 4, 16 or 0. */
size_t aero_addr_len(const struct aero_addr *addr);

#endif
