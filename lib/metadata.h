/* SPDX-License-Identifier: MIT */
/* The metadata service of EC2 (IMDS): who this instance is. Proxies are never used. */
#ifndef AERO_LIB_METADATA_H
#define AERO_LIB_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct aero_metadata_opts {
	const char *endpoint; /* '' = AWS_EC2_METADATA_SERVICE_ENDPOINT, _MODE, or the
				 usual */
	bool v1;              /* IMDSv1 where v2 is refused or does not answer */
	int64_t deadline_ms;  /* aero_clock_ms until which to try again; past: one try */
};

struct aero_metadata {
	char *instance_id;
	char *ip; /* IPv4; IPv6 where the instance has no IPv4 */
};

/* Ask. AERO_NET: no good answer by the deadline, or a refusal that trying again does not
 * change; the words say what to do. AERO_CONFIG: switched off, or a wrong endpoint. */
int aero_metadata_fetch(const struct aero_metadata_opts *opts, struct aero_metadata *ret,
	struct aero_err *err);
void aero_metadata_clear(struct aero_metadata *metadata);

/* One path, asked once; malloc'd text of *ret_len bytes and a NUL. AERO_MISS: there is no
 * such path (404); else as above. */
int aero_metadata_get(const struct aero_metadata_opts *opts, const char *path, char **ret,
	size_t *ret_len, struct aero_err *err);

/* The answers' parsers; pure. document: the instance identity document (JSON); ip is ''
 * when it names none. word: a one-line answer (an id, an address) without blanks;
 * malloc'd or NULL when it is none. */
int aero_metadata_document(
	const char *text, size_t len, struct aero_metadata *ret, struct aero_err *err);
char *aero_metadata_word(const char *text, size_t len);

#endif
