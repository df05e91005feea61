/* SPDX-License-Identifier: MIT */
/* The metadata service of EC2 (IMDS): who this instance is, and its tags. Proxies are
 * never used. */
#ifndef AERO_LIB_METADATA_H
#define AERO_LIB_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/list.h"

#define AERO_METADATA_MAX 16384 /* bytes of one answer */

struct aero_metadata_opts {
	const char *endpoint; /* '' = AWS_EC2_METADATA_SERVICE_ENDPOINT, _MODE, or the
				 usual */
	bool v1;              /* IMDSv1 where v2 is refused or does not answer */
	int64_t deadline_ms;  /* aero_clock_ms until which to try again; past: one try */
	const char *instead;  /* for errors: what to give instead of asking; NULL: id and
				 address */
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

/* The tags of this instance: into ret[i] the value of keys[i], malloc'd, NULL where there
 * is no such tag; into *ret_all the keys of all that it has. Values are as they were set:
 * the caller checks them. AERO_CONFIG: the metadata shows none; else as fetch. */
int aero_metadata_tags(const struct aero_metadata_opts *opts, const char *const *keys,
	size_t n, char **ret, struct aero_list *ret_all, struct aero_err *err);

/* The answers' parsers; pure. document: the instance identity document (JSON); ip is ''
 * when it names none. word: a one-line answer (an id, an address) without blanks;
 * malloc'd or NULL when it is none. lines: a list of such words, a line each; false when
 * it is none or without memory. */
int aero_metadata_document(
	const char *text, size_t len, struct aero_metadata *ret, struct aero_err *err);
char *aero_metadata_word(const char *text, size_t len);
bool aero_metadata_lines(const char *text, size_t len, struct aero_list *ret);

#endif
