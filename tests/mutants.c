/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "mirror/layout.h"
#include "tests/mutants.h"

#define PAGE MUTANT_PAGE

static unsigned get16(const unsigned char *p)
{
	return (unsigned)aero_le(p, 2);
}

static void put(unsigned char *p, uint64_t v, size_t n)
{
	for (; n > 0; n--, v >>= 8)
		*p++ = (unsigned char)v;
}

uint32_t mutant_rnd(struct mutant *m, uint64_t below)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return (uint32_t)((m->seed >> 32) % below);
}

void mutant_open(struct mutant *m, const unsigned char *good, size_t size,
	const unsigned char *older, size_t older_size, uint64_t seed)
{
	size_t pages = size / PAGE, i;

	*m = (struct mutant){.good = good,
		.older = older,
		.size = size,
		.older_size = older_size,
		.cut = size,
		.seed = seed,
		.bytes = malloc(size),
		.leaves = calloc(pages, sizeof(size_t)),
		.branches = calloc(pages, sizeof(size_t))};
	if (m->bytes == NULL || m->leaves == NULL || m->branches == NULL)
		abort();
	memcpy(m->bytes, good, size);
	for (i = 2; i < pages; i++)
		if (get16(good + i * PAGE + 10) == 2)
			m->leaves[m->n_leaves++] = i;
		else
			m->branches[m->n_branches++] = i;
}

void mutant_close(struct mutant *m)
{
	free(m->bytes);
	free(m->leaves);
	free(m->branches);
}

void mutant_undo(struct mutant *m)
{
	size_t i;

	for (i = 0; i < m->n_dirty; i++)
		memcpy(m->bytes + m->dirty[i] * PAGE, m->good + m->dirty[i] * PAGE, PAGE);
	m->cut = m->size;
}

/* The page, which from now on counts as changed. */
static unsigned char *touch(struct mutant *m, size_t page)
{
	m->dirty[m->n_dirty++] = page;
	return m->bytes + page * PAGE;
}

/* Half of all picks of a tree's page are branches, of which there are few. */
static size_t pick(struct mutant *m)
{
	return m->n_branches > 0 && mutant_rnd(m, 2) == 0
		       ? m->branches[mutant_rnd(m, m->n_branches)]
		       : m->leaves[mutant_rnd(m, m->n_leaves)];
}

static size_t count(const unsigned char *p)
{
	return (get16(p + 12) - 16) / 2;
}

static unsigned char *node(unsigned char *p, size_t i)
{
	return p + get16(p + 16 + 2 * i);
}

static bool one_bit(struct mutant *m)
{
	size_t at = mutant_rnd(m, m->size);
	unsigned char *p = touch(m, at / PAGE);

	p[at % PAGE] ^= (unsigned char)(1U << mutant_rnd(m, 8));
	return true;
}

/* In a page's header, its index, a node's header or its key. */
static bool structure_bit(struct mutant *m)
{
	unsigned char *p = touch(m, pick(m)), *n;
	size_t bit;

	if (mutant_rnd(m, 2) == 0) {
		bit = mutant_rnd(m, get16(p + 12) * 8U);
		p[bit / 8] ^= (unsigned char)(1U << bit % 8);
	} else {
		n = node(p, mutant_rnd(m, count(p)));
		bit = mutant_rnd(m, (8U + get16(n + 6)) * 8U);
		n[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
	return true;
}

static bool bytes_of_a_page(struct mutant *m)
{
	unsigned char *p = touch(m, mutant_rnd(m, m->size / PAGE));
	unsigned n = 1 + mutant_rnd(m, 8);

	while (n-- > 0)
		p[mutant_rnd(m, 2) ? mutant_rnd(m, PAGE) : mutant_rnd(m, 160)] =
			(unsigned char)mutant_rnd(m, 256);
	return true;
}

static bool blank(struct mutant *m)
{
	static const size_t sizes[] = {64, 512, PAGE};
	size_t size = sizes[mutant_rnd(m, 3)];
	unsigned char *p = touch(m, mutant_rnd(m, m->size / PAGE));

	memset(p + size * mutant_rnd(m, PAGE / size), mutant_rnd(m, 2) ? 0 : 0xff, size);
	return true;
}

static bool truncated(struct mutant *m)
{
	static const size_t units[] = {1, 512, PAGE};
	size_t unit = units[mutant_rnd(m, 3)];

	m->cut = mutant_rnd(m, m->size / unit) * unit;
	return true;
}

/* Part of a page from elsewhere in the file, as a torn or misdirected write leaves it. */
static bool foreign_sectors(struct mutant *m)
{
	size_t from = mutant_rnd(m, m->size / PAGE), first = mutant_rnd(m, 8),
	       n = 1 + mutant_rnd(m, 8 - first);
	unsigned char *p = touch(m, mutant_rnd(m, m->size / PAGE));

	memcpy(p + first * 512, m->good + from * PAGE + first * 512, n * 512);
	return true;
}

static bool move(struct mutant *m, bool both, bool renumber)
{
	size_t a = pick(m), b = pick(m);
	unsigned char *p = touch(m, a);

	memcpy(p, m->good + b * PAGE, PAGE);
	if (renumber)
		put(p, a, 8);
	if (both) {
		p = touch(m, b);
		memcpy(p, m->good + a * PAGE, PAGE);
		if (renumber)
			put(p, b, 8);
	}
	return true;
}

static bool pages_swapped(struct mutant *m)
{
	return move(m, true, false);
}

static bool pages_swapped_renumbered(struct mutant *m)
{
	return move(m, true, true);
}

static bool page_copied(struct mutant *m)
{
	return move(m, false, false);
}

static bool page_copied_renumbered(struct mutant *m)
{
	return move(m, false, true);
}

static bool older_page(struct mutant *m)
{
	size_t pages = (m->size < m->older_size ? m->size : m->older_size) / PAGE;
	size_t at = mutant_rnd(m, pages);

	memcpy(touch(m, at), m->older + at * PAGE, PAGE);
	return true;
}

static bool child_pointer(struct mutant *m)
{
	unsigned char *p, *n;
	uint64_t to;
	size_t page;

	if (m->n_branches == 0)
		return false;
	page = m->branches[mutant_rnd(m, m->n_branches)];
	p = touch(m, page);
	n = node(p, mutant_rnd(m, count(p)));
	switch (mutant_rnd(m, 6)) {
	case 0: /* a loop */
		to = m->branches[mutant_rnd(m, m->n_branches)];
		break;
	case 1:
		to = mutant_rnd(m, 2);
		break;
	case 2:
		to = ((uint64_t)mutant_rnd(m, 1U << 16) << 32) |
		     mutant_rnd(m, (uint64_t)1 << 32);
		break;
	case 3: /* beside the right one */
		to = aero_le(n, 4) + (mutant_rnd(m, 2) ? 1 : UINT64_MAX);
		break;
	case 4:
		to = aero_le(n, 4) ^ (uint64_t)1 << mutant_rnd(m, 12);
		break;
	default:
		to = mutant_rnd(m, m->size / PAGE);
	}
	put(n, to, 6);
	return true;
}

/* A branch of which every child leads back to a branch. */
static bool all_children(struct mutant *m)
{
	unsigned char *p;
	size_t i;

	if (m->n_branches == 0)
		return false;
	p = touch(m, m->branches[mutant_rnd(m, m->n_branches)]);
	for (i = 0; i < count(p); i++)
		put(node(p, i), m->branches[mutant_rnd(m, m->n_branches)], 6);
	return true;
}

static bool index_entry(struct mutant *m)
{
	unsigned char *p = touch(m, pick(m)), *index = p + 16;
	size_t n = count(p), i = mutant_rnd(m, n), j = mutant_rnd(m, n);
	unsigned was = get16(index + 2 * i);

	switch (mutant_rnd(m, 5)) {
	case 0: /* twice */
		put(index + 2 * i, get16(index + 2 * j), 2);
		break;
	case 1: /* the neighbour twice */
		put(index + 2 * i, get16(index + 2 * (i > 0 ? i - 1 : n - 1)), 2);
		break;
	case 2: /* changed places */
		put(index + 2 * i, get16(index + 2 * j), 2);
		put(index + 2 * j, was, 2);
		break;
	case 3: /* moved, others move up */
		memmove(index + 2 * i, index + 2 * i + 2, 2 * (n - 1 - i));
		memmove(index + 2 * j + 2, index + 2 * j, 2 * (n - 1 - j));
		put(index + 2 * j, was, 2);
		break;
	default:
		put(index + 2 * i, mutant_rnd(m, 1U << 16), 2);
	}
	return true;
}

/* Where the index ends and the nodes begin. */
static bool counts(struct mutant *m)
{
	unsigned char *p = touch(m, pick(m)) + 12 + 2 * mutant_rnd(m, 2);

	switch (mutant_rnd(m, 4)) {
	case 0:
		put(p, get16(p) + 2 * (1 + mutant_rnd(m, 8)), 2);
		break;
	case 1:
		put(p, get16(p) - 2 * (1 + mutant_rnd(m, 8)), 2);
		break;
	case 2:
		put(p, 0xffff, 2);
		break;
	default:
		put(p, mutant_rnd(m, 1U << 16), 2);
	}
	return true;
}

static bool lengths(struct mutant *m)
{
	unsigned char *p = touch(m, pick(m)), *n = node(p, mutant_rnd(m, count(p)));
	size_t at = mutant_rnd(m, 2) ? 0 : 6, size = at == 0 ? 4 : 2;

	switch (mutant_rnd(m, 3)) {
	case 0:
		put(n + at, aero_le(n + at, size) + (mutant_rnd(m, 2) ? 1 : UINT64_MAX),
			size);
		break;
	case 1:
		put(n + at, 0xffffffff, size);
		break;
	default:
		put(n + at, mutant_rnd(m, (uint64_t)1 << 32), size);
	}
	return true;
}

static bool flags(struct mutant *m)
{
	unsigned char *p = touch(m, pick(m));

	if (mutant_rnd(m, 2) == 0)
		put(p + 10, 1U << mutant_rnd(m, 16), 2);
	else
		put(node(p, mutant_rnd(m, count(p))) + 4, 1U << mutant_rnd(m, 16), 2);
	return true;
}

static bool key_byte(struct mutant *m)
{
	unsigned char *p = touch(m, pick(m)), *n = node(p, mutant_rnd(m, count(p)));
	size_t len = get16(n + 6);

	if (len == 0)
		return false;
	n[8 + mutant_rnd(m, len)] =
		(unsigned char)(mutant_rnd(m, 2) ? mutant_rnd(m, 256)
						 : '0' + mutant_rnd(m, 10));
	return true;
}

static bool record_version(struct mutant *m)
{
	unsigned char *p = touch(m, m->leaves[mutant_rnd(m, m->n_leaves)]);
	unsigned char *n = node(p, mutant_rnd(m, count(p)));

	n[8 + get16(n + 6) + 4] = (unsigned char)(2 + mutant_rnd(m, 254));
	return true;
}

/* What the meta pages say, in one or both of them. */
static bool meta_words(struct mutant *m)
{
	static const struct {
		size_t at, size;
	} words[] = {{0, 8}, {8, 2}, {10, 2}, {16, 4}, {20, 4}, {40, 4}, {92, 2}, {94, 2},
		{112, 8}, {128, 8}, {136, 8}, {144, 8}};
	unsigned which = 1 + mutant_rnd(m, 3), page;
	size_t i = mutant_rnd(m, sizeof(words) / sizeof(words[0]));
	uint64_t to = mutant_rnd(m, 2) ? mutant_rnd(m, (uint64_t)1 << 32)
				       : mutant_rnd(m, m->size / PAGE + 4);

	for (page = 0; page < 2; page++)
		if ((which & 1U << page) != 0)
			put(touch(m, page) + words[i].at, to, words[i].size);
	return true;
}

static bool metas_swapped(struct mutant *m)
{
	unsigned char *a = touch(m, 0), *b = touch(m, 1), txn[8];
	bool whole = mutant_rnd(m, 2) == 0;

	if (whole) {
		memcpy(a, m->good + PAGE, PAGE);
		memcpy(b, m->good, PAGE);
		put(a, 0, 8);
		put(b, 1, 8);
	} else {
		memcpy(txn, a + 144, 8);
		memcpy(a + 144, b + 144, 8);
		memcpy(b + 144, txn, 8);
	}
	return true;
}

const struct mutant_class mutant_classes[] = {
	{"one bit", one_bit},
	{"one bit of the structure", structure_bit},
	{"1 to 8 bytes of a page", bytes_of_a_page},
	{"a blank sector or page", blank},
	{"truncated", truncated},
	{"sectors of another page", foreign_sectors},
	{"pages swapped", pages_swapped},
	{"pages swapped, numbers right", pages_swapped_renumbered},
	{"page over another", page_copied},
	{"page over another, number right", page_copied_renumbered},
	{"page of an older generation", older_page},
	{"child pointer", child_pointer},
	{"all children of a branch", all_children},
	{"index entry", index_entry},
	{"counts of a page", counts},
	{"lengths of a node", lengths},
	{"flags", flags},
	{"a byte of a key", key_byte},
	{"version of a record", record_version},
	{"words of the meta pages", meta_words},
	{"meta pages swapped", metas_swapped},
};
const size_t n_mutant_classes = sizeof(mutant_classes) / sizeof(mutant_classes[0]);
