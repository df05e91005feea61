/* SPDX-License-Identifier: MIT */
/* What was settled, given out: entries of the mirror, hosts. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/answers_parts.h"

/* ---- records ---- */

static char *add_text(char *at, const char *text)
{
	size_t size = strlen(text) + 1;

	memcpy(at, text, size);
	return at + size;
}

const struct aero_rec *aero_answers_record(
	struct aero_answers *answers, const struct aero_document *doc)
{
	char *at = answers->aliases;

	answers->rec = (struct aero_rec){.n4 = doc->n4,
		.n6 = doc->n6,
		.addr4 = doc->addrs,
		.addr6 = aero_document_addr6(doc),
		.canon = doc->fqdn != NULL ? doc->fqdn : doc->name.text,
		.aliases = answers->aliases};
	*at = '\0';
	if (doc->fqdn != NULL) {
		at = add_text(at, doc->name.text);
		answers->rec.n_alias++;
	}
	for (size_t i = 0; i < doc->n_aliases; i++)
		if (doc->aliases[i].won) {
			at = add_text(at, doc->aliases[i].text);
			answers->rec.n_alias++;
		}
	return &answers->rec;
}

/* The first eight addresses of each family of a service's members, which are the
 * candidates from i on; false if none answers. */
static bool record_service(struct aero_answers *answers, size_t i, size_t end)
{
	struct aero_rec *rec = &answers->rec;

	*rec = (struct aero_rec){
		.addr4 = answers->addr4[0], .addr6 = answers->addr6[0], .aliases = ""};
	for (; i < end && (rec->n4 < AERO_ADDR_MAX || rec->n6 < AERO_ADDR_MAX); i++) {
		const struct aero_document *doc = aero_order_at(&answers->order, i)->doc;
		const unsigned char *addr6 = aero_document_addr6(doc);

		if (!aero_is_host(doc))
			continue;
		if (rec->canon == NULL) {
			rec->canon = doc->service->text;
			if (doc->service->full > 0) {
				memcpy(answers->canon, doc->service->key + 1,
					doc->service->full - 1U);
				answers->canon[doc->service->full - 1] = '\0';
				rec->canon = answers->canon;
			}
		}
		for (uint8_t j = 0; j < doc->n4 && rec->n4 < AERO_ADDR_MAX; j++)
			memcpy(answers->addr4[rec->n4++], doc->addrs + (size_t)4 * j, 4);
		for (uint8_t j = 0; j < doc->n6 && rec->n6 < AERO_ADDR_MAX; j++)
			memcpy(answers->addr6[rec->n6++], addr6 + (size_t)16 * j, 16);
	}
	return rec->canon != NULL;
}

/* ---- entries ---- */

/* The entry of the candidates from i to end, who ask for one key; false if nobody gets
 * it. */
static bool entry_of(
	struct aero_answers *answers, size_t i, size_t end, struct aero_entry *ret)
{
	bool taken = false; /* by the name of a host or gap, which no service gets */

	ret->rec = NULL;
	for (; i < end; i++) {
		const struct aero_candidate *c = aero_order_at(&answers->order, i);
		const struct aero_document *doc = c->doc;

		ret->is_alias = false;
		switch ((enum aero_claim)c->claim) {
		case AERO_CLAIM_HOST:
			/* with a full name, the short one is an alias of that */
			ret->is_alias = doc->name.full > 0 && !c->full;
			taken = true;
			if (aero_is_host(doc))
				ret->rec = aero_answers_record(answers, doc);
			break;
		case AERO_CLAIM_ALIAS:
			ret->is_alias = true;
			if (doc->aliases[c->index].won)
				ret->rec = aero_answers_record(answers, doc);
			break;
		case AERO_CLAIM_SERVICE:
			/* a service is no node of its own: enumeration skips it */
			ret->is_alias = true;
			if (!taken && record_service(answers, i, end))
				ret->rec = &answers->rec;
			return ret->rec != NULL;
		case AERO_CLAIM_ADDRESS:
		default:
			if (doc->addr_won[c->index])
				ret->rec = aero_answers_record(answers, doc);
			break;
		}
		if (ret->rec != NULL)
			return true;
	}
	return false;
}

static int compare(const void *left, const void *right, void *arg)
{
	const unsigned char *bytes = arg;
	const unsigned char *a = bytes + *(const uint32_t *)left;
	const unsigned char *b = bytes + *(const uint32_t *)right;
	uint16_t alen, blen;
	int diff;

	memcpy(&alen, a, 2);
	memcpy(&blen, b, 2);
	diff = memcmp(a + 2, b + 2, alen < blen ? alen : blen);
	return diff != 0 ? diff : (alen > blen) - (alen < blen);
}

void aero_answers_walk(
	struct aero_answers *answers, bool changed, struct aero_answers_walk *ret)
{
	struct aero_keys *keys = &answers->changed;
	size_t n = 0;

	*ret = (struct aero_answers_walk){.answers = answers, .changed = changed};
	if (!changed || keys->n == 0)
		return;
	qsort_r(keys->at, keys->n, sizeof(*keys->at), compare, keys->bytes);
	for (size_t i = 0; i < keys->n; i++)
		if (n == 0 || compare(&keys->at[n - 1], &keys->at[i], keys->bytes) != 0)
			keys->at[n++] = keys->at[i];
	keys->n = n;
}

static bool next_changed(struct aero_answers_walk *walk, struct aero_entry *ret)
{
	struct aero_answers *answers = walk->answers;
	const struct aero_sorted *order = &answers->order;
	const unsigned char *key;
	size_t i, end;
	uint16_t len;

	if (walk->at == answers->changed.n)
		return false;
	key = answers->changed.bytes + answers->changed.at[walk->at++];
	memcpy(&len, key, 2);
	*ret = (struct aero_entry){.key = key + 2, .keylen = len};
	if (aero_order_find(order, ret->key, len, &i, &end))
		(void)entry_of(answers, i, end, ret);
	return true;
}

bool aero_answers_next(void *varg, struct aero_entry *ret)
{
	struct aero_answers_walk *walk = varg;
	struct aero_answers *answers = walk->answers;
	size_t i, end;

	if (walk->changed)
		return next_changed(walk, ret);
	for (i = walk->at; i < answers->order.n; i = end) {
		const struct aero_candidate *c = aero_order_at(&answers->order, i);

		end = aero_order_group(&answers->order, i);
		*ret = (struct aero_entry){.key = c->key, .keylen = c->len};
		if (entry_of(answers, i, end, ret)) {
			walk->at = end;
			return true;
		}
	}
	walk->at = i;
	return false;
}

/* ---- since the last publish ---- */

static void clear(struct aero_keys *keys)
{
	free(keys->bytes);
	free(keys->at);
	*keys = (struct aero_keys){0};
}

bool aero_answers_all_changed(const struct aero_answers *answers)
{
	return answers->all_changed;
}

void aero_answers_published(struct aero_answers *answers)
{
	clear(&answers->changed);
	answers->all_changed = false;
}

void aero_answers_forget(struct aero_answers *answers)
{
	clear(&answers->changed);
	answers->all_changed = true;
}

/* ---- hosts ---- */

const struct aero_document *aero_answers_host(
	const struct aero_answers *answers, size_t *at)
{
	while (*at < answers->table.docs.n) {
		const struct aero_document *doc = aero_table_at(&answers->table, (*at)++);

		if (aero_is_host(doc))
			return doc;
	}
	return NULL;
}

const struct aero_document *aero_answer_of_instance(
	const struct aero_answer_set *set, const char *instance_id)
{
	const struct aero_document *doc = NULL;
	size_t at = 0;

	if (*instance_id == '\0')
		return NULL;
	do
		doc = aero_answers_host(set->answers, &at);
	while (doc != NULL && strcmp(doc->instance_id, instance_id) != 0);
	return doc;
}

const struct aero_document *aero_answers_at(const struct aero_answers *answers, size_t i)
{
	return i < answers->table.docs.n ? aero_table_at(&answers->table, i) : NULL;
}

const struct aero_document *aero_answers_held(
	const struct aero_answers *answers, const char *instance_id)
{
	const struct aero_document *held = NULL;

	for (size_t i = 0; i < answers->table.docs.n; i++) {
		const struct aero_document *doc = aero_table_at(&answers->table, i);

		if (strcmp(doc->instance_id, instance_id) == 0 &&
			(held == NULL || aero_is_host(doc)))
			held = doc;
	}
	return held;
}
