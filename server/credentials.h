/* SPDX-License-Identifier: MIT */
/*
 * Keys of the AWS API. Looked for, in this order: the file (`credentials_file`), the
 * environment, the profile, the container's service, the role of this instance. The first
 * place that has any decides: one with half a pair is an error, not a reason to go on.
 * Secrets are in no error and no log; they are wiped when they are freed, and a process
 * that has loaded any writes no core file.
 */
#ifndef AERO_SERVER_CREDENTIALS_H
#define AERO_SERVER_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/metadata.h"

struct aero_credentials {
	char *key_id, *secret;
	char *token;        /* '' = keys of no session */
	int64_t expires_ms; /* unix time; 0 = never */
	int64_t due_ms;     /* when to load them again; INT64_MAX = never */
	char source[128];   /* for people: "the environment", "role 'web'" */
};

struct aero_credentials_opts {
	const char *file;
	bool file_asked; /* the user named it: it must exist */
	struct aero_metadata_opts metadata;
	uint64_t rnd;
	/* NULL, or what a service gave the last time, {0} at first: not asked for again
	 * before it is due, good until it ends whatever the service says. refused: EC2
	 * does not take these any more. */
	struct aero_credentials *kept;
	bool refused;
};

/* AERO_CONFIG: there are none, or what there is is wrong; the words say what to do.
 * AERO_NET: a service that has them does not answer. */
int aero_credentials_load(const struct aero_credentials_opts *opts,
	struct aero_credentials *ret, struct aero_err *err);
void aero_credentials_clear(struct aero_credentials *credentials);

/* When to load them again: 10 to 15 minutes (by rnd) before they end, from then on each
 * minute, or after half of what is left; INT64_MAX if they do not end. */
int64_t aero_credentials_due_ms(
	const struct aero_credentials *credentials, int64_t now_ms, uint64_t rnd);

/* Whether the container's service may be asked there: https, or this machine, or the
 * addresses that AWS uses. Any other could be a trap for the token sent to it. */
bool aero_credentials_url_allowed(const char *url);

/* The parsers; pure. All refuse what does not fit a header: blanks, control characters,
 * beyond ASCII, more than 8 KiB.
 * file: key id, secret key, and a third word that is not used. */
int aero_credentials_of_file(
	const char *text, size_t len, struct aero_credentials *ret, struct aero_err *err);
/* profile: the static keys of a section of an INI file; AERO_MISS: no such section. */
int aero_credentials_of_profile(const char *text, size_t len, const char *profile,
	struct aero_credentials *ret, struct aero_err *err);
/* json: what the metadata and container services answer; Expiration and Token included.
 */
int aero_credentials_of_json(
	const char *text, size_t len, struct aero_credentials *ret, struct aero_err *err);

#endif
