/* SPDX-License-Identifier: MIT */
/* The client of EC2's metadata service: tokens, refusals, tries. What is asked: see
 * lib/metadata.h. */
#ifndef AERO_LIB_IMDS_H
#define AERO_LIB_IMDS_H

#include <curl/curl.h>

#include "lib/metadata.h"

struct aero_imds {
	CURL *curl;
	const struct aero_metadata_opts *opts; /* lent */
	const char *instead;                   /* of asking, in words */
	char endpoint[256];
	char *token; /* NULL: none yet; '' = version 1, without one */
	/* the last answer */
	long status; /* 0: none came */
	bool connected;
	size_t len;
	char text[AERO_METADATA_MAX + 1]; /* NUL-ended */
};

/* What to do after a request. */
enum aero_imds_outcome {
	AERO_IMDS_GOOD,
	AERO_IMDS_ABSENT, /* 404 */
	AERO_IMDS_AGAIN,  /* worth another try */
	AERO_IMDS_FINAL,
};

/* Nothing is asked yet. *ret must be closed in any case. */
int aero_imds_open(const struct aero_metadata_opts *opts, struct aero_imds **ret,
	struct aero_err *err);
/* GET a path; a token that expired is renewed once. 5 s at most. */
enum aero_imds_outcome aero_imds_get(
	struct aero_imds *imds, const char *path, struct aero_err *err);
/* Say that the answer to path is none. */
enum aero_imds_outcome aero_imds_useless(
	const struct aero_imds *imds, const char *path, struct aero_err *err);
/* Call ask until it is good, AERO_MISS: it is absent, or AERO_NET: a refusal that trying
 * again does not change, or the deadline. */
int aero_imds_try(struct aero_imds *imds,
	enum aero_imds_outcome (*ask)(
		struct aero_imds *imds, void *arg, struct aero_err *err),
	void *arg, struct aero_err *err);
/* What was answered may be a secret: it is wiped. NULL is nothing. */
void aero_imds_close(struct aero_imds *imds);

#endif
