/* SPDX-License-Identifier: MIT */
/* Pack a record into the caller's buffer, at any alignment of it. Pure. */
#ifndef AERO_NSS_ANSWER_H
#define AERO_NSS_ANSWER_H

#include <netdb.h>
#include <nss.h>

#include "mirror/record.h"

/* All of the record's addresses of one family, or only the one given. False if buf is too
 * small; nothing is written to *ret then. */
bool aero_answer_host(const struct aero_rec *rec, int af, const void *only,
	struct hostent *ret, char *buf, size_t len);

/* All addresses, at least one, IPv4 first, as a list that begins in **pat when that is
 * preset (as glibc before 2.36 does), in buf otherwise. False as above. */
bool aero_answer_tuples(
	const struct aero_rec *rec, struct gaih_addrtuple **pat, char *buf, size_t len);

/* path.c: where the published file is. */
const char *aero_hosts_path(void);

#endif
