/* SPDX-License-Identifier: MIT */
/* Bytes of the mirror to records. Pure, bounds-checked, libc only: it runs inside foreign
 * processes. A decoded record points into the bytes that it was decoded from. */
#ifndef AERO_MIRROR_RECORD_H
#define AERO_MIRROR_RECORD_H

#include <stdbool.h>

#include "mirror/layout.h"

/* One answer. */
struct aero_rec {
	bool is_alias; /* the key is an alias of canon, not canon itself */
	uint8_t n4, n6, n_alias;
	const unsigned char *addr4; /* n4 x 4 bytes, network order */
	const unsigned char *addr6; /* n6 x 16 bytes */
	const char *canon;          /* NUL-ended */
	const char *aliases;        /* n_alias strings, each NUL-ended, back to back */
};

/* What the file says of itself. */
struct aero_meta {
	uint64_t generation;  /* this node's publish count */
	uint64_t source_time; /* BSON timestamp of the data: seconds << 32 | increment */
	uint64_t published;   /* unix time, nanoseconds */
	uint32_t names, aliases, addresses;
	uint16_t n_zones;
	const char *zones; /* n_zones strings, each NUL-ended, back to back */
	const unsigned char *digest;
};

/* CRC-32C (Castagnoli), continued from crc; start with 0. Programs have a faster one. */
uint32_t aero_crc32c(uint32_t crc, const void *data, size_t len);
uint32_t aero_crc32c_plain(uint32_t crc, const void *data, size_t len);

/* Decode a value. False unless every byte of it is as layout.h says, the checksum over
 * key and value included; then *ret is written. */
bool aero_rec_decode(const unsigned char *key, size_t keylen, const unsigned char *val,
	size_t len, struct aero_rec *ret);

/* The same for the meta value. */
bool aero_meta_decode(const unsigned char *val, size_t len, struct aero_meta *ret);

/* Make the key of a name: ASCII lower case, one trailing dot dropped. Returns its length,
 * or 0 if the name or a label is empty, a label over 63 bytes or all over 253. */
size_t aero_name_key(const char *name, unsigned char key[static AERO_KEY_MAX]);

#endif
