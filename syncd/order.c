/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/order.h"

static int key_cmp(
	const unsigned char *a, size_t alen, const unsigned char *b, size_t blen)
{
	int diff = memcmp(a, b, alen < blen ? alen : blen);

	return diff != 0 ? diff : (alen > blen) - (alen < blen);
}

static int compare(const void *left, const void *right)
{
	const struct aero_candidate *a = left, *b = right;
	int diff = key_cmp(a->key, a->len, b->key, b->len);

	if (diff == 0)
		diff = (a->claim > b->claim) - (a->claim < b->claim);
	return diff != 0 ? diff : aero_document_cmp(a->doc, b->doc);
}

void aero_order_init(struct aero_sorted *order)
{
	order->size = sizeof(struct aero_candidate);
	order->cmp = compare;
}

static size_t count_label(const struct aero_label *label)
{
	return label->full > 0 ? 2 : 1;
}

size_t aero_candidates_count(const struct aero_document *doc)
{
	size_t n;

	if (!doc->answers)
		return doc->gap ? count_label(&doc->name) : 0;
	n = count_label(&doc->name) + doc->n4 + doc->n6;
	if (doc->service != NULL)
		n += count_label(doc->service);
	for (size_t i = 0; i < doc->n_aliases; i++)
		n += count_label(&doc->aliases[i]);
	return n;
}

static struct aero_candidate *add_label(struct aero_candidate *to,
	struct aero_document *doc, const struct aero_label *label, enum aero_claim claim,
	size_t index)
{
	*to++ = (struct aero_candidate){.key = label->key,
		.doc = doc,
		.len = label->len,
		.claim = (uint8_t)claim,
		.index = (uint8_t)index};
	if (label->full > 0) {
		*to = to[-1];
		to->len = label->full;
		to++->full = true;
	}
	return to;
}

struct aero_candidate *aero_candidates_add(
	struct aero_candidate *to, struct aero_document *doc)
{
	size_t len;

	if (!doc->answers && !doc->gap)
		return to;
	to = add_label(to, doc, &doc->name, AERO_CLAIM_HOST, 0);
	if (!doc->answers)
		return to;
	for (size_t i = 0; i < doc->n_aliases; i++)
		to = add_label(to, doc, &doc->aliases[i], AERO_CLAIM_ALIAS, i);
	if (doc->service != NULL)
		to = add_label(to, doc, doc->service, AERO_CLAIM_SERVICE, 0);
	for (size_t i = 0; i < (size_t)doc->n4 + doc->n6; i++) {
		*to = (struct aero_candidate){.doc = doc,
			.key = aero_document_addr_key(doc, i, &len),
			.claim = AERO_CLAIM_ADDRESS,
			.index = (uint8_t)i};
		to++->len = (uint16_t)len;
	}
	return to;
}

size_t aero_order_group(const struct aero_sorted *order, size_t i)
{
	const struct aero_candidate *c = aero_order_at(order, i);
	size_t end = i + 1;

	for (; end < order->n; end++) {
		const struct aero_candidate *next = aero_order_at(order, end);

		if (next->len != c->len || memcmp(next->key, c->key, c->len) != 0)
			break;
	}
	return end;
}

bool aero_order_find(const struct aero_sorted *order, const unsigned char *key,
	size_t len, size_t *ret_i, size_t *ret_end)
{
	size_t low = 0, high = order->n, mid;

	while (low < high) {
		const struct aero_candidate *c;

		mid = low + (high - low) / 2;
		c = aero_order_at(order, mid);
		if (key_cmp(c->key, c->len, key, len) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == order->n || key_cmp(aero_order_at(order, low)->key,
				       aero_order_at(order, low)->len, key, len) != 0)
		return false;
	*ret_i = low;
	*ret_end = aero_order_group(order, low);
	return true;
}
