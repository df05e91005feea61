/* SPDX-License-Identifier: MIT */
/* The other half of mirror/record.h: for whoever writes a mirror. */
#ifndef AERO_MIRROR_ENCODE_H
#define AERO_MIRROR_ENCODE_H

#include "mirror/record.h"

/* Encode rec for a key into out. Returns the length, or 0 if it needs more than
 * AERO_REC_MAX bytes (nothing is written then) or a count is over its limit. */
size_t aero_rec_encode(const unsigned char *key, size_t keylen,
	const struct aero_rec *rec, unsigned char out[static AERO_REC_MAX]);

/* How many of its aliases, from the first, a record can hold, and its length then. */
unsigned aero_rec_fitting(const struct aero_rec *rec, size_t *ret_len);

/* The same for the meta value. */
size_t aero_meta_encode(
	const struct aero_meta *meta, unsigned char out[static AERO_REC_MAX]);

#endif
