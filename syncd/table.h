/* SPDX-License-Identifier: MIT */
/* Documents by id, and the hash of mirror keys that settles clashes. For answers.c. */
#ifndef AERO_SYNCD_TABLE_H
#define AERO_SYNCD_TABLE_H

#include "syncd/document.h"

/* ---- documents by id ---- */

struct aero_table {
	struct aero_document **chains; /* by hash of id */
	size_t n_chains;               /* a power of two, or 0 */
	struct aero_document **v;      /* all, the first n_sorted in natural order */
	size_t n, n_sorted, size;
	size_t n_gone; /* of v */
};

/* Put in, or take out (doc NULL); the table then owns doc. False: out of memory, the
 * table is as before. */
bool aero_table_put(struct aero_table *table, const void *id, size_t id_len,
	struct aero_document *doc);
/* Drop those that went and put v in natural order. False: out of memory. */
bool aero_table_sort(struct aero_table *table);
void aero_table_clear(struct aero_table *table);

/* ---- keys: who has which ---- */

enum aero_claim {
	AERO_CLAIM_NONE,
	AERO_CLAIM_GAP, /* a slot without an address: nobody else may have its name */
	AERO_CLAIM_HOST,
	AERO_CLAIM_ALIAS,
	AERO_CLAIM_SERVICE,
	AERO_CLAIM_ADDRESS,
};

struct aero_key {
	const unsigned char *key;
	struct aero_document *doc;
	bool *won; /* told when the key goes to another; NULL: nobody */
	uint32_t hash;
	uint32_t index; /* of a service */
	uint16_t len;
	uint8_t claim; /* enum aero_claim */
};

struct aero_keys {
	struct aero_key *v;
	size_t size; /* a power of two */
};

/* Room for n keys. */
bool aero_keys_init(struct aero_keys *keys, size_t n);
/* The entry of a key: claim is AERO_CLAIM_NONE if it is new. */
struct aero_key *aero_keys_at(
	struct aero_keys *keys, const unsigned char *key, size_t len);
void aero_keys_clear(struct aero_keys *keys);

#endif
