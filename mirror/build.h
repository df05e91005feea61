/* SPDX-License-Identifier: MIT */
/* The pages of a mirror file: an LMDB file as reader.c describes it, written front to
 * back. Made from all entries, or from the file before and what differs from it: then the
 * leaves in which nothing changed are copied as they are, and only the rest is encoded.
 * For publish.c. */
#ifndef AERO_MIRROR_BUILD_H
#define AERO_MIRROR_BUILD_H

#include <openssl/evp.h>

#include "mirror/publish.h"

/* Beside errno (positive) and MDB_* (down from -30799). */
enum {
	AERO_CODE_DAMAGED = AERO_PUBLISH_DAMAGED,
	AERO_CODE_TOO_LONG = -2,
	AERO_CODE_BAD_KEY = -3,
	AERO_CODE_CRYPTO = -4,
	AERO_CODE_BASE = -5,
};

/* SHA-256 over (u16 keylen, key, u16 vallen, value), in large pieces. */
struct aero_sha {
	EVP_MD_CTX *ctx;
	size_t n;
	bool failed;
	unsigned char *bytes;
};

bool aero_sha_begin(struct aero_sha *sha);
void aero_sha_entry(struct aero_sha *sha, const unsigned char *key, size_t keylen,
	const unsigned char *val, size_t len);
bool aero_sha_end(struct aero_sha *sha, unsigned char digest[static AERO_DIGEST_SIZE]);
void aero_sha_clear(struct aero_sha *sha);

/* The counts of meta, one entry more (by 1) or less (by -1). */
void aero_meta_count(struct aero_meta *meta, unsigned char kind, bool is_alias, int by);

/* Write all pages to fd, which is empty. base: the file to take leaves from (gen->delta);
 * *ret is set up for the new one, its fd aside. 0 or a code. */
int aero_build(int fd, struct aero_generation *gen, const struct aero_base *base,
	struct aero_base *ret, size_t *ret_cut);

#endif
