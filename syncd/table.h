/* SPDX-License-Identifier: MIT */
/* Documents by id, and in natural order of their names. For answers.c. */
#ifndef AERO_SYNCD_TABLE_H
#define AERO_SYNCD_TABLE_H

#include "syncd/document.h"
#include "syncd/sorted.h"

struct aero_table {
	struct aero_document **chains; /* by hash of id */
	size_t n_chains;               /* a power of two, or 0 */
	size_t n;                      /* in chains */
	/* in natural order, but for what has changed since: */
	struct aero_sorted docs;
	struct aero_document **added; /* some of which may be gone again */
	size_t n_added, added_room;
	struct aero_document *gone; /* by next */
	size_t n_gone;
};

void aero_table_init(struct aero_table *table);
/* Put in, or take out (doc NULL); the table then owns doc. False: out of memory, the
 * table is as before. */
bool aero_table_put(struct aero_table *table, const void *id, size_t id_len,
	struct aero_document *doc);
/* Free what was added and is gone again. */
void aero_table_settle(struct aero_table *table);
/* Bring docs up to date: room was made for n_added. Those that went, by next, are then
 * the caller's to free. */
struct aero_document *aero_table_update(struct aero_table *table);
void aero_table_clear(struct aero_table *table);

/* Document i in natural order. */
static inline struct aero_document *aero_table_at(
	const struct aero_table *table, size_t i)
{
	return ((struct aero_document *const *)(const void *)table->docs.v)[i];
}

#endif
