/* SPDX-License-Identifier: MIT */
/* All keys of the mirror that documents ask for, in the order of the file: who asks for
 * one key stands together. For answers.c. */
#ifndef AERO_SYNCD_ORDER_H
#define AERO_SYNCD_ORDER_H

#include "syncd/document.h"
#include "syncd/sorted.h"

/* The first beats the later ones. */
enum aero_claim {
	AERO_CLAIM_HOST, /* also of a gap: nobody else may have its name */
	AERO_CLAIM_ALIAS,
	AERO_CLAIM_SERVICE,
	AERO_CLAIM_ADDRESS,
};

/* A document asks for a key. Those for one key stand in the order of claims, then in
 * natural order of the documents. */
struct aero_candidate {
	const unsigned char *key;
	struct aero_document *doc;
	uint16_t len;
	uint8_t claim; /* enum aero_claim */
	uint8_t index; /* of the alias or address */
	bool full;     /* it is the name with the domain: it goes with that without */
};

void aero_order_init(struct aero_sorted *order);
/* How many keys a document asks for, and these. */
size_t aero_candidates_count(const struct aero_document *doc);
struct aero_candidate *aero_candidates_add(
	struct aero_candidate *to, struct aero_document *doc);
/* Those who ask for this key: from *ret_i up to *ret_end; false: nobody does. */
bool aero_order_find(const struct aero_sorted *order, const unsigned char *key,
	size_t len, size_t *ret_i, size_t *ret_end);
/* Behind the last one that asks for the same key as i. */
size_t aero_order_group(const struct aero_sorted *order, size_t i);

static inline const struct aero_candidate *aero_order_at(
	const struct aero_sorted *order, size_t i)
{
	return (const struct aero_candidate *)(const void *)order->v + i;
}

#endif
