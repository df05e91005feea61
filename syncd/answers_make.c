/* SPDX-License-Identifier: MIT */
/*
 * Who has which name and address. What a document gets depends on those that ask for the
 * same keys, and, for its aliases and addresses, on whether it got its hostname. So a
 * change touches the keys of its documents before and after, and those of documents that
 * get or lose their hostname by it: first the hostnames among the touched keys are
 * settled, which may touch more, then the rest. Documents that get or lose anything have
 * their records made anew.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "mirror/encode.h"
#include "syncd/answers_parts.h"

#define ALL_ABOVE 64 /* touched keys; and more than an eighth of all: settle all */

/* ---- what a document comes to ---- */

static struct aero_tally tally_of(
	struct aero_answers *answers, const struct aero_document *doc)
{
	struct aero_tally t = {.gaps = doc->gap,
		.refused = doc->n_refused,
		.odd = doc->odd,
		.cut = doc->n_cut};
	const struct aero_rec *rec;
	size_t len;

	if (!doc->answers)
		return t;
	if (!aero_is_host(doc)) {
		t.refused++;
		return t;
	}
	t.hosts = 1;
	for (size_t i = 0; i < doc->n_aliases; i++)
		t.refused += !doc->aliases[i].won;
	if (doc->n_aliases > 0) {
		rec = aero_answers_record(answers, doc);
		t.cut += rec->n_alias - aero_rec_fitting(rec, &len);
	}
	return t;
}

static void count(struct aero_answers *answers, const struct aero_document *doc, bool in)
{
	struct aero_tally t = tally_of(answers, doc), *all = &answers->tally;

	all->hosts = in ? all->hosts + t.hosts : all->hosts - t.hosts;
	all->gaps = in ? all->gaps + t.gaps : all->gaps - t.gaps;
	all->refused = in ? all->refused + t.refused : all->refused - t.refused;
	all->odd = in ? all->odd + t.odd : all->odd - t.odd;
	all->cut = in ? all->cut + t.cut : all->cut - t.cut;
	answers->list_due |= t.refused + t.odd > 0;
}

/* ---- settling ---- */

struct settle {
	struct aero_answers *answers;
	bool all, failed;
	struct aero_candidate *touched; /* keys, in any order, some more than once */
	size_t n, room;
	struct aero_document **changed; /* each once */
	size_t n_changed, changed_room;
};

static bool room_for(void **v, size_t *room, size_t n, size_t size)
{
	void *grown;

	if (n <= *room)
		return true;
	n += n / 2 + 16;
	grown = reallocarray(*v, n, size);
	if (grown == NULL)
		return false;
	*v = grown;
	*room = n;
	return true;
}

/* The document is about to get or lose something. */
static void change(struct settle *s, struct aero_document *doc)
{
	if (s->all || doc->changed)
		return;
	if (!room_for((void **)(void *)&s->changed, &s->changed_room, s->n_changed + 1,
		    sizeof(struct aero_document *))) {
		s->failed = true;
		return;
	}
	count(s->answers, doc, false);
	doc->changed = true;
	s->changed[s->n_changed++] = doc;
}

/* The hostname is won or lost, so its other keys must be looked at. */
static void touch(struct settle *s, struct aero_document *doc)
{
	size_t n = aero_candidates_count(doc);

	if (s->all || n == 0)
		return;
	if (!room_for((void **)(void *)&s->touched, &s->room, s->n + n,
		    sizeof(*s->touched))) {
		s->failed = true;
		return;
	}
	(void)aero_candidates_add(s->touched + s->n, doc);
	s->n += n;
}

/* Is a the one that wins a clash of hostnames? */
static bool better(const struct aero_document *a, const struct aero_document *b)
{
	size_t len = a->id_len < b->id_len ? a->id_len : b->id_len;
	int diff = memcmp(a->id, b->id, len);

	if (a->answers != b->answers)
		return a->answers; /* a gap yields */
	if (a->registered_at != b->registered_at)
		return a->registered_at > b->registered_at;
	return diff < 0 || (diff == 0 && a->id_len < b->id_len);
}

/* The hostname of the group from i to end. */
static void settle_host(struct settle *s, size_t i, size_t end)
{
	const struct aero_sorted *order = &s->answers->order;
	const struct aero_document *best = NULL;

	for (size_t j = i; j < end; j++) {
		const struct aero_candidate *c = aero_order_at(order, j);

		if (c->claim != AERO_CLAIM_HOST) {
			end = j;
			break;
		}
		if (!c->full && (best == NULL || better(c->doc, best)))
			best = c->doc;
	}
	for (size_t j = i; j < end; j++) {
		const struct aero_candidate *c = aero_order_at(order, j);

		if (c->full || c->doc->name.won == (c->doc == best))
			continue;
		change(s, c->doc);
		c->doc->name.won = c->doc == best;
		touch(s, c->doc);
	}
}

static bool *won_of(const struct aero_candidate *c)
{
	return c->claim == AERO_CLAIM_ADDRESS ? &c->doc->addr_won[c->index]
					      : &c->doc->aliases[c->index].won;
}

/* The alias or the address: newest registration, else natural order, in which they come.
 */
static void settle_newest(struct settle *s, size_t i, size_t end)
{
	const struct aero_candidate *best = NULL;
	bool taken = false; /* by a hostname, a gap's as well */

	for (size_t j = i; j < end; j++) {
		const struct aero_candidate *c = aero_order_at(&s->answers->order, j);

		taken |= c->claim == AERO_CLAIM_HOST && !c->full;
		if (c->claim != AERO_CLAIM_ALIAS && c->claim != AERO_CLAIM_ADDRESS)
			continue;
		if (!taken && !c->full && aero_is_host(c->doc) &&
			(best == NULL ||
				c->doc->registered_at > best->doc->registered_at))
			best = c;
	}
	for (size_t j = i; j < end; j++) {
		const struct aero_candidate *c = aero_order_at(&s->answers->order, j);

		if (c->full || c->claim == AERO_CLAIM_HOST ||
			c->claim == AERO_CLAIM_SERVICE)
			continue;
		/* one that has lost may have lost to another now, for another reason */
		s->answers->list_due |= c->claim == AERO_CLAIM_ALIAS && c != best;
		if (*won_of(c) == (c == best))
			continue;
		change(s, c->doc);
		*won_of(c) = c == best;
	}
}

typedef void settle_group(struct settle *s, size_t i, size_t end);

static void settle_groups(struct settle *s, settle_group *group)
{
	const struct aero_sorted *order = &s->answers->order;
	size_t i, end;

	for (i = 0; s->all && i < order->n; i = end) {
		end = aero_order_group(order, i);
		group(s, i, end);
	}
	for (size_t t = 0; !s->all && !s->failed && t < s->n; t++) {
		const struct aero_candidate *c = &s->touched[t];

		/* else nobody asks for it any more */
		if (aero_order_find(order, c->key, c->len, &i, &end))
			group(s, i, end);
	}
}

/* ---- what changed ---- */

static bool key_add(struct aero_keys *keys, const unsigned char *key, size_t len)
{
	uint16_t size = (uint16_t)len;

	if (!room_for((void **)&keys->bytes, &keys->room, keys->len + 2 + len, 1) ||
		!room_for((void **)(void *)&keys->at, &keys->n_room, keys->n + 1,
			sizeof(*keys->at)))
		return false;
	keys->at[keys->n++] = (uint32_t)keys->len;
	memcpy(keys->bytes + keys->len, &size, 2);
	memcpy(keys->bytes + keys->len + 2, key, len);
	keys->len += 2 + len;
	return true;
}

/* The keys of touched candidates, and of documents that changed. */
static void note(struct settle *s)
{
	struct aero_answers *answers = s->answers;

	for (size_t i = 0; !s->failed && i < s->n_changed; i++)
		touch(s, s->changed[i]);
	if (s->all || s->failed || answers->all_changed ||
		answers->changed.n + s->n > answers->order.n / 4 + ALL_ABOVE) {
		aero_answers_forget(answers);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		if (!key_add(&answers->changed, s->touched[i].key, s->touched[i].len)) {
			aero_answers_forget(answers);
			return;
		}
}

static void settle(struct settle *s)
{
	struct aero_answers *answers = s->answers;
	const struct aero_table *table = &answers->table;

	settle_groups(s, settle_host);
	settle_groups(s, settle_newest);
	note(s);
	for (size_t i = 0; i < s->n_changed; i++) {
		s->changed[i]->changed = false;
		count(answers, s->changed[i], true);
	}
	if (s->all) {
		answers->tally = (struct aero_tally){0};
		answers->list_due = true;
		for (size_t i = 0; i < table->docs.n; i++)
			count(answers, aero_table_at(table, i), true);
	}
	answers->unsettled = s->failed;
}

/* ---- taking in what was put ---- */

/* Candidates of the documents that went, then of those that came; false: no memory. */
static bool gather(struct settle *s, size_t *ret_gone)
{
	const struct aero_table *table = &s->answers->table;
	struct aero_candidate *to;
	struct aero_document *doc;
	size_t n = 0;

	for (doc = table->gone; doc != NULL; doc = doc->next)
		n += aero_candidates_count(doc);
	*ret_gone = n;
	for (size_t i = 0; i < table->n_added; i++)
		n += aero_candidates_count(table->added[i]);
	if (!room_for((void **)(void *)&s->touched, &s->room, n, sizeof(*s->touched)) ||
		!room_for((void **)(void *)&s->changed, &s->changed_room, table->n_added,
			sizeof(struct aero_document *)))
		return false;
	s->n = n;
	to = s->touched;
	for (doc = table->gone; doc != NULL; doc = doc->next)
		to = aero_candidates_add(to, doc);
	for (size_t i = 0; i < table->n_added; i++)
		to = aero_candidates_add(to, table->added[i]);
	return true;
}

/* Bring documents and order up to date. False: no memory, nothing has changed. */
static bool take_in(struct settle *s, struct aero_document **ret_gone)
{
	struct aero_answers *answers = s->answers;
	struct aero_table *table = &answers->table;
	size_t n_gone = 0;

	aero_table_settle(table);
	if (!gather(s, &n_gone) || !aero_sorted_room(&answers->order, s->n - n_gone) ||
		!aero_sorted_room(&table->docs, table->n_added))
		return false;
	s->all = answers->unsettled || (s->n > ALL_ABOVE && s->n > answers->order.n / 8);
	for (struct aero_document *doc = table->gone; !s->all && doc != NULL;
		doc = doc->next)
		count(answers, doc, false);
	for (size_t i = 0; !s->all && i < table->n_added; i++) {
		table->added[i]->changed = true;
		s->changed[s->n_changed++] = table->added[i];
	}
	aero_sorted_drop(&answers->order, s->touched, n_gone);
	if (s->n > n_gone)
		aero_sorted_add(&answers->order, s->touched + n_gone, s->n - n_gone);
	*ret_gone = aero_table_update(table);
	return true;
}

/* ---- the refused and the odd, in words ---- */

static void list_add(struct aero_listed *list, const struct aero_refused *one)
{
	if (list->n < AERO_REFUSED_LISTED)
		list->v[list->n++] = *one;
}

static void list_lost(struct aero_answers *answers, const struct aero_document *doc,
	const char *name, const char *why)
{
	list_add(&answers->refused, &(struct aero_refused){name, why, doc});
}

static void list_aliases(struct aero_answers *answers, const struct aero_document *doc)
{
	for (size_t i = 0; i < doc->n_aliases; i++) {
		const struct aero_label *alias = &doc->aliases[i];
		size_t at, end;

		if (alias->won || !aero_order_find(&answers->order, alias->key,
					  alias->len, &at, &end))
			continue;
		list_lost(answers, doc, alias->text,
			aero_order_at(&answers->order, at)->claim == AERO_CLAIM_HOST
				? "alias that is a hostname"
				: "alias of another node");
	}
}

static bool more(const struct aero_listed *list, size_t of)
{
	return list->n < AERO_REFUSED_LISTED && list->n < of;
}

static void list(struct aero_answers *answers)
{
	const struct aero_table *table = &answers->table;
	const struct aero_tally *tally = &answers->tally;

	answers->refused.n = answers->odd.n = 0;
	answers->list_due = false;
	for (size_t i = 0;
		i < table->docs.n && (more(&answers->refused, tally->refused) ||
					     more(&answers->odd, tally->odd));
		i++) {
		const struct aero_document *doc = aero_table_at(table, i);

		for (size_t j = 0; j < doc->n_listed; j++)
			list_add(&answers->refused, &doc->refused[j]);
		if (doc->odd)
			list_add(&answers->odd, &doc->refused[doc->n_listed]);
		if (doc->answers && !aero_is_host(doc))
			list_lost(answers, doc, doc->name.text,
				"hostname of another document");
		else if (doc->answers)
			list_aliases(answers, doc);
	}
}

/* ---- all of it ---- */

int aero_answers_make(
	struct aero_answers *answers, struct aero_answer_set *ret, struct aero_err *err)
{
	struct settle s = {.answers = answers};
	struct aero_document *gone = NULL, *next;
	int rc = AERO_OK;

	if (!take_in(&s, &gone)) {
		rc = aero_err_set(err, AERO_NOMEM, "names: out of memory");
		goto out;
	}
	settle(&s);
	for (; gone != NULL; gone = next) {
		next = gone->next;
		free(gone);
	}
	if (answers->list_due)
		list(answers);
	if (answers->unsettled) {
		rc = aero_err_set(err, AERO_NOMEM, "names: out of memory");
		goto out;
	}
	*ret = (struct aero_answer_set){.answers = answers,
		.n_hosts = answers->tally.hosts,
		.zones = answers->zones_text,
		.n_zones = answers->n_zones,
		.n_documents = answers->table.n,
		.n_gaps = answers->tally.gaps,
		.n_refused = answers->tally.refused,
		.n_odd = answers->tally.odd,
		.n_cut = answers->tally.cut,
		.refused = answers->refused.v,
		.odd = answers->odd.v,
		.n_listed = answers->refused.n,
		.n_odd_listed = answers->odd.n};
out:
	free(s.touched);
	free(s.changed);
	return rc;
}
