/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/table.h"

#define MANY 64

static uint32_t hash_of(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 1099511628211u;
	return (uint32_t)(h ^ h >> 32);
}

/* ---- by id ---- */

static struct aero_document **find(
	struct aero_table *table, const void *id, size_t id_len)
{
	struct aero_document **at =
		&table->chains[hash_of(id, id_len) & (table->n_chains - 1)];

	while (*at != NULL &&
		((*at)->id_len != id_len || memcmp((*at)->id, id, id_len) != 0))
		at = &(*at)->next;
	return at;
}

/* Twice the chains, once there are as many documents. */
static bool grow_chains(struct aero_table *table)
{
	size_t n = table->n_chains == 0 ? 64 : table->n_chains * 2;
	struct aero_document **old = table->chains, **chains, *doc, *next;

	if (table->n < table->n_chains)
		return true;
	chains = calloc(n, sizeof(struct aero_document *));
	if (chains == NULL)
		return false;
	table->chains = chains;
	table->n_chains = n;
	for (size_t i = 0; old != NULL && i < n / 2; i++)
		for (doc = old[i]; doc != NULL; doc = next) {
			next = doc->next;
			chains += hash_of(doc->id, doc->id_len) & (n - 1);
			doc->next = *chains;
			*chains = doc;
			chains = table->chains;
		}
	free(old);
	return true;
}

static bool grow_added(struct aero_table *table)
{
	size_t room = table->added_room * 2 + 16;
	struct aero_document **added;

	if (table->n_added < table->added_room)
		return true;
	added = reallocarray(table->added, room, sizeof(struct aero_document *));
	if (added == NULL)
		return false;
	table->added = added;
	table->added_room = room;
	return true;
}

static void take_out(struct aero_table *table, struct aero_document **at)
{
	struct aero_document *old = *at;

	*at = old->next;
	old->gone = true;
	table->n--;
	if (old->fresh)
		return; /* it is in added alone */
	old->next = table->gone;
	table->gone = old;
	table->n_gone++;
}

bool aero_table_put(struct aero_table *table, const void *id, size_t id_len,
	struct aero_document *doc)
{
	struct aero_document **at;

	if (doc == NULL && table->n_chains == 0)
		return true;
	if (doc != NULL && (!grow_chains(table) || !grow_added(table)))
		return false;
	at = find(table, id, id_len);
	if (*at != NULL)
		take_out(table, at);
	if (doc != NULL) {
		doc->fresh = true;
		doc->next = NULL;
		*find(table, id, id_len) = doc;
		table->added[table->n_added++] = doc;
		table->n++;
	}
	return true;
}

/* ---- in order ---- */

static int compare(const void *left, const void *right)
{
	return aero_document_cmp(*(struct aero_document *const *)left,
		*(struct aero_document *const *)right);
}

void aero_table_init(struct aero_table *table)
{
	table->docs.size = sizeof(struct aero_document *);
	table->docs.cmp = compare;
}

void aero_table_settle(struct aero_table *table)
{
	size_t n = 0;

	for (size_t i = 0; i < table->n_added; i++) {
		if (table->added[i]->gone)
			free(table->added[i]);
		else
			table->added[n++] = table->added[i];
	}
	table->n_added = n;
}

/* Many at once: one look at each is cheaper than finding them. */
static void drop_gone(struct aero_sorted *docs)
{
	struct aero_document **v = (struct aero_document **)(void *)docs->v;
	size_t n = 0;

	for (size_t i = 0; i < docs->n; i++)
		if (!v[i]->gone)
			v[n++] = v[i];
	docs->n = n;
}

struct aero_document *aero_table_update(struct aero_table *table)
{
	struct aero_document *gone = table->gone;

	if (table->n_gone > MANY)
		drop_gone(&table->docs);
	else
		for (struct aero_document *doc = gone; doc != NULL; doc = doc->next)
			aero_sorted_drop(&table->docs, (void *)&doc, 1);
	aero_sorted_add(&table->docs, table->added, table->n_added);
	for (size_t i = 0; i < table->n_added; i++)
		table->added[i]->fresh = false;
	free(table->added);
	table->added = NULL;
	table->n_added = table->added_room = table->n_gone = 0;
	table->gone = NULL;
	return gone;
}

void aero_table_clear(struct aero_table *table)
{
	struct aero_document *next;

	aero_table_settle(table);
	for (size_t i = 0; i < table->n_added; i++)
		free(table->added[i]);
	for (size_t i = 0; i < table->docs.n; i++)
		if (!aero_table_at(table, i)->gone)
			free(aero_table_at(table, i));
	for (; table->gone != NULL; table->gone = next) {
		next = table->gone->next;
		free(table->gone);
	}
	free(table->docs.v);
	free(table->added);
	free(table->chains);
	*table = (struct aero_table){0};
}
