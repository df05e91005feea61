/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/order.h"

static int compare(const void *left, const void *right)
{
	const struct aero_candidate *a = left, *b = right;
	int diff = memcmp(a->key, b->key, a->len < b->len ? a->len : b->len);

	return diff != 0 ? diff : (a->len > b->len) - (a->len < b->len);
}

static size_t count(const struct aero_document *doc)
{
	if (!doc->answers || doc->gone || doc->ordered)
		return 0;
	return 2 * (1 + doc->n_aliases) + doc->n4 + doc->n6;
}

static struct aero_candidate *add_label(struct aero_candidate *to,
	struct aero_document *doc, const struct aero_label *label, bool is_alias)
{
	/* with a full name, the short one is an alias of that */
	*to++ = (struct aero_candidate){.key = label->key,
		.doc = doc,
		.won = &label->won,
		.len = label->len,
		.is_alias = is_alias || label->full > 0};
	if (label->full > 0) {
		*to = to[-1];
		to->len = label->full;
		to++->is_alias = is_alias;
	}
	return to;
}

static struct aero_candidate *add(struct aero_candidate *to, struct aero_document *doc)
{
	if (count(doc) == 0)
		return to;
	doc->ordered = true;
	to = add_label(to, doc, &doc->name, false);
	for (size_t i = 0; i < doc->n_aliases; i++)
		to = add_label(to, doc, &doc->aliases[i], true);
	for (size_t i = 0; i < (size_t)doc->n4 + doc->n6; i++)
		*to++ = (struct aero_candidate){.key = doc->addr_key[i],
			.doc = doc,
			.won = &doc->addr_won[i],
			.len = i < doc->n4 ? 5 : 17};
	return to;
}

bool aero_order_update(
	struct aero_order *order, struct aero_document *const *added, size_t n_added)
{
	struct aero_candidate *all, *fresh, *end, *to;
	size_t room = order->n, n_fresh = 0, i = 0;

	for (size_t j = 0; j < n_added; j++)
		n_fresh += count(added[j]);
	all = calloc(room + 2 * n_fresh + 1, sizeof(*all));
	if (all == NULL)
		return false;
	/* the new ones behind the room for the result, then merged into it */
	fresh = end = all + room + n_fresh;
	for (size_t j = 0; j < n_added; j++)
		end = add(end, added[j]);
	if (end > fresh)
		qsort(fresh, (size_t)(end - fresh), sizeof(*fresh), compare);
	for (to = all; i < order->n || fresh < end;) {
		if (i < order->n && order->v[i].doc->gone)
			i++;
		else if (fresh == end ||
			 (i < order->n && compare(&order->v[i], fresh) <= 0))
			*to++ = order->v[i++];
		else
			*to++ = *fresh++;
	}
	free(order->v);
	order->v = all;
	order->n = (size_t)(to - all);
	return true;
}

void aero_order_clear(struct aero_order *order)
{
	free(order->v);
	*order = (struct aero_order){0};
}
