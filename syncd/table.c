/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/names.h"
#include "syncd/table.h"

static uint32_t hash_of(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 1099511628211u;
	return (uint32_t)(h ^ h >> 32);
}

/* ---- documents by id ---- */

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

/* Twice the room, once there are as many documents as chains. */
static bool grow(struct aero_table *table)
{
	size_t n = table->n_chains == 0 ? 64 : table->n_chains * 2;
	struct aero_document **chains, **v, *doc;

	if (table->n < table->size)
		return true;
	v = reallocarray(table->v, n, sizeof(struct aero_document *));
	if (v == NULL)
		return false;
	table->v = v;
	chains = calloc(n, sizeof(struct aero_document *));
	if (chains == NULL)
		return false;
	free(table->chains);
	table->chains = chains;
	table->n_chains = table->size = n;
	for (size_t i = 0; i < table->n; i++) {
		doc = table->v[i];
		if (doc->gone)
			continue;
		doc->next = NULL;
		*find(table, doc->id, doc->id_len) = doc;
	}
	return true;
}

bool aero_table_put(struct aero_table *table, const void *id, size_t id_len,
	struct aero_document *doc)
{
	struct aero_document **at, *old;

	if (doc == NULL && table->n_chains == 0)
		return true;
	if (doc != NULL && !grow(table))
		return false;
	at = find(table, id, id_len);
	old = *at;
	if (old != NULL) {
		/* It stays in v until that is sorted. */
		*at = old->next;
		old->gone = true;
		table->n_gone++;
	}
	if (doc != NULL) {
		doc->next = NULL;
		at = find(table, id, id_len);
		*at = doc;
		table->v[table->n++] = doc;
	}
	return true;
}

/* Natural order of names; of one name twice the better one first. */
static int order(const struct aero_document *a, const struct aero_document *b)
{
	size_t len = a->id_len < b->id_len ? a->id_len : b->id_len;
	int diff = aero_natural_cmp(a->name.text, b->name.text);

	if (diff == 0)
		diff = (a->registered_at < b->registered_at) -
		       (a->registered_at > b->registered_at);
	if (diff == 0)
		diff = memcmp(a->id, b->id, len);
	return diff != 0 ? diff : (a->id_len > b->id_len) - (a->id_len < b->id_len);
}

static int compare(const void *a, const void *b)
{
	return order(
		*(struct aero_document *const *)a, *(struct aero_document *const *)b);
}

bool aero_table_sort(struct aero_table *table)
{
	struct aero_document **merged, **a, **b, **a_end, **b_end;
	size_t n = 0, n_sorted = 0;

	if (table->n == 0)
		return true;
	merged = calloc(table->size + 1, sizeof(struct aero_document *));
	if (merged == NULL)
		return false;
	for (size_t i = 0; i < table->n; i++) {
		if (i == table->n_sorted)
			n_sorted = n;
		if (table->v[i]->gone)
			free(table->v[i]);
		else
			table->v[n++] = table->v[i];
	}
	if (table->n_sorted == table->n)
		n_sorted = n;
	if (n > n_sorted)
		qsort(table->v + n_sorted, n - n_sorted, sizeof(struct aero_document *),
			compare);
	a = table->v;
	a_end = b = a + n_sorted;
	b_end = table->v + n;
	for (size_t i = 0; i < n; i++)
		merged[i] = b == b_end || (a < a_end && order(*a, *b) < 0) ? *a++ : *b++;
	free(table->v);
	table->v = merged;
	table->n = table->n_sorted = n;
	table->n_gone = 0;
	return true;
}

void aero_table_clear(struct aero_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->v[i]);
	free(table->v);
	free(table->chains);
	*table = (struct aero_table){0};
}

/* ---- keys ---- */

bool aero_keys_init(struct aero_keys *keys, size_t n)
{
	size_t size = 64;

	while (size < n * 2)
		size *= 2;
	keys->v = calloc(size, sizeof(*keys->v));
	keys->size = keys->v == NULL ? 0 : size;
	return keys->v != NULL;
}

struct aero_key *aero_keys_at(
	struct aero_keys *keys, const unsigned char *key, size_t len)
{
	uint32_t hash = hash_of(key, len);
	struct aero_key *at;

	for (size_t i = hash;; i++) {
		at = &keys->v[i & (keys->size - 1)];
		if (at->claim == AERO_CLAIM_NONE)
			break;
		if (at->hash == hash && at->len == len && memcmp(at->key, key, len) == 0)
			return at;
	}
	*at = (struct aero_key){.key = key, .len = (uint16_t)len, .hash = hash};
	return at;
}

void aero_keys_clear(struct aero_keys *keys)
{
	free(keys->v);
	*keys = (struct aero_keys){0};
}
