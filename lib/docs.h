/* SPDX-License-Identifier: MIT */
/* Many documents in little memory: their bytes one behind the other, in pieces of which
 * each goes back to the system as soon as it is taken. */
#ifndef AERO_LIB_DOCS_H
#define AERO_LIB_DOCS_H

#include <bson/bson.h>

struct aero_docs_piece;

struct aero_docs {
	struct aero_docs_piece *first, *last;
};

/* A place between two documents; {0} is before the first. */
struct aero_docs_at {
	const struct aero_docs_piece *piece;
	size_t at;
};

/* A copy of doc at the end; false: out of memory, nothing has changed. */
bool aero_docs_add(struct aero_docs *docs, const bson_t *doc);
/* The document behind *at, which then moves on; false: none. It is a view, which holds
 * until its document is taken. */
bool aero_docs_next(
	const struct aero_docs *docs, struct aero_docs_at *at, bson_t *ret_view);
/* Take the first document out; the view holds until the next is taken. */
bool aero_docs_take(struct aero_docs *docs, bson_t *ret_view);
void aero_docs_clear(struct aero_docs *docs);

#endif
