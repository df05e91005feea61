/* SPDX-License-Identifier: MIT */
/* All keys of the mirror that documents ask for, kept in the order of the file, so that a
 * change costs a merge and not a sort. For answers_make.c. */
#ifndef AERO_SYNCD_ORDER_H
#define AERO_SYNCD_ORDER_H

#include "syncd/document.h"

/* A key that a document gets if it wins it (*won). */
struct aero_candidate {
	const unsigned char *key;
	struct aero_document *doc;
	const bool *won;
	uint16_t len;
	bool is_alias; /* enumeration skips it */
};

struct aero_order {
	struct aero_candidate *v;
	size_t n;
};

/* Take in the keys of documents that are new, drop those of documents that are gone: they
 * must still be there. False: out of memory, the order is as before. */
bool aero_order_update(
	struct aero_order *order, struct aero_document *const *added, size_t n_added);
void aero_order_clear(struct aero_order *order);

#endif
