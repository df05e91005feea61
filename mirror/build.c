/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mirror/encode.h"
#include "mirror/pages.h"

/* ---- entries ---- */

/* An entry and its value, which live until the next is asked for. */
struct change {
	const unsigned char *key;
	size_t keylen, len; /* len 0: it went */
	unsigned char val[AERO_REC_MAX];
};

static bool next_entry(struct aero_generation *gen, struct aero_entry *ret)
{
	if (gen->next != NULL)
		return gen->next(gen->arg, ret);
	if (gen->at == gen->n_entries)
		return false;
	*ret = gen->entries[gen->at++];
	return true;
}

static bool next_change(
	struct aero_build *b, struct aero_generation *gen, struct change *ret)
{
	struct aero_entry e = {0};
	struct aero_rec rec;
	size_t len;

	if (b->code != 0 || !next_entry(gen, &e))
		return false;
	ret->key = e.key;
	ret->keylen = e.keylen;
	ret->len = 0;
	if (e.rec == NULL)
		return true;
	rec = *e.rec;
	rec.is_alias = e.is_alias;
	rec.n_alias = (uint8_t)aero_rec_fitting(e.rec, &len);
	b->cut += e.rec->n_alias - rec.n_alias;
	ret->len = aero_rec_encode(e.key, e.keylen, &rec, ret->val);
	gen->encoded++;
	if (ret->len == 0)
		b->code = AERO_CODE_TOO_LONG;
	return ret->len > 0;
}

static void build_all(struct aero_build *b, struct aero_generation *gen)
{
	struct change c;
	bool meta_due = true;

	while (next_change(b, gen, &c)) {
		if (meta_due && c.key[0] > AERO_KEY_META) {
			aero_leaf_meta(b);
			meta_due = false;
		}
		aero_leaf_add(b, c.key, c.keylen, c.val, c.len);
		aero_meta_count(&b->meta, c.key[0], (c.val[5] & AERO_REC_ALIAS) != 0, 1);
	}
	aero_leaf_close(b);
	if (meta_due)
		aero_leaf_meta(b);
}

/* ---- from the file before ---- */

struct merge {
	struct aero_build *b;
	const struct aero_base *base;
	struct aero_generation *gen;
	struct change next;
	bool more;   /* next is there */
	bool repack; /* the leaves have become too empty */
	struct aero_bytes
		region;   /* entries to lay out anew: u16 keylen, key, u16 len, value */
	size_t size;      /* bytes of their nodes */
	uint64_t pgno;    /* of the page to look at next */
	size_t leaf;      /* the leaf that comes next */
	uint64_t n_read;  /* pages in chunk, up to.. */
	uint64_t read_to; /* ..this one */
	unsigned char *chunk;
};

/* The next page of the base, NULL at a failure. */
static const unsigned char *page_read(struct merge *m)
{
	uint64_t left = m->base->n_pages - m->pgno;
	size_t len;

	if (m->pgno >= m->base->n_pages) {
		m->b->code = AERO_CODE_BASE;
		return NULL;
	}
	if (m->pgno == m->read_to) {
		m->n_read = left < CHUNK ? left : CHUNK;
		m->read_to += m->n_read;
		len = (size_t)m->n_read * AERO_PAGE_SIZE;
		if (pread(m->base->fd, m->chunk, len,
			    (off_t)(m->pgno * AERO_PAGE_SIZE)) != (ssize_t)len) {
			m->b->code = AERO_CODE_BASE;
			return NULL;
		}
	}
	return m->chunk + (size_t)(m->pgno++ + m->n_read - m->read_to) * AERO_PAGE_SIZE;
}

/* The next leaf of the base, as it was written; NULL if it is not. */
static const unsigned char *leaf_read(struct merge *m)
{
	const unsigned char *page;

	do
		page = page_read(m);
	while (page != NULL && aero_le(page + 10, 2) == BRANCH);
	if (page != NULL && m->leaf != m->base->meta_leaf &&
		aero_mark_of(page) != m->base->marks[m->leaf])
		m->b->code = AERO_CODE_BASE;
	m->leaf++;
	return m->b->code == 0 ? page : NULL;
}

static int key_cmp(
	const unsigned char *a, size_t alen, const unsigned char *b, size_t blen)
{
	int diff = memcmp(a, b, alen < blen ? alen : blen);

	return diff != 0 ? diff : (alen > blen) - (alen < blen);
}

static void region_add(struct merge *m, const unsigned char *key, size_t keylen,
	const unsigned char *val, size_t len)
{
	unsigned char *to = aero_grow(&m->region, 2 + keylen + 2 + len);

	if (to == NULL) {
		m->b->code = ENOMEM;
		return;
	}
	aero_put(to, keylen, 2);
	memcpy(to + 2, key, keylen);
	aero_put(to + 2 + keylen, len, 2);
	memcpy(to + 2 + keylen + 2, val, len);
	m->size += aero_node_size(keylen, len) + 2;
}

static void count_value(
	struct aero_build *b, unsigned char kind, const unsigned char *val, int by)
{
	aero_meta_count(&b->meta, kind, (val[5] & AERO_REC_ALIAS) != 0, by);
}

/* Take the change at hand into the region, and go on to the next. */
static void take_change(struct merge *m)
{
	if (m->next.len > 0) {
		region_add(m, m->next.key, m->next.keylen, m->next.val, m->next.len);
		count_value(m->b, m->next.key[0], m->next.val, 1);
	}
	m->more = next_change(m->b, m->gen, &m->next);
}

/* The nodes of a leaf and the changes among them; last: also what lies behind it. */
static void take_leaf(struct merge *m, const unsigned char *page, bool last)
{
	unsigned char kind = aero_node_at(page, 0).key[0];
	int order;

	for (size_t i = 0; i < aero_nodes_of(page); i++) {
		struct aero_node node = aero_node_at(page, i);

		for (order = 1; m->more && order > 0;) {
			order = key_cmp(
				node.key, node.keylen, m->next.key, m->next.keylen);
			if (order > 0)
				take_change(m);
		}
		if (m->more && order == 0) {
			count_value(m->b, kind, node.val, -1);
			take_change(m);
		} else {
			region_add(m, node.key, node.keylen, node.val, node.len);
		}
	}
	while (last && m->more && m->next.key[0] == kind)
		take_change(m);
}

/* Lay the region out on as few leaves as can be, all as full as each other, so that there
 * is room for the changes to come. */
static void region_out(struct merge *m)
{
	struct aero_build *b = m->b;
	size_t pages = (m->size + ROOM - 1) / ROOM;
	const unsigned char *at = m->region.v, *end = at + m->region.n;

	if (m->size == 0)
		return;
	if (!m->repack) {
		aero_leaf_close(b);
		b->limit = (m->size + pages - 1) / pages;
	}
	while (at < end) {
		size_t keylen = (size_t)aero_le(at, 2);
		size_t len = (size_t)aero_le(at + 2 + keylen, 2);

		aero_leaf_add(b, at + 2, keylen, at + 2 + keylen + 2, len);
		at += 2 + keylen + 2 + len;
	}
	if (!m->repack)
		aero_leaf_close(b);
	b->limit = ROOM;
	m->region.n = m->size = 0;
}

static void leaf_copy(struct aero_build *b, const unsigned char *page, uint64_t mark)
{
	size_t n = aero_nodes_of(page);

	aero_leaf_close(b);
	if (b->code != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct aero_node node = aero_node_at(page, i);

		aero_sha_entry(&b->sha, node.key, node.keylen, node.val, node.len);
	}
	b->entries += n;
	b->bytes += ROOM - (size_t)(aero_le(page + 14, 2) - aero_le(page + 12, 2));
	aero_leaf_out(b, page, mark);
}

/* The leaves from `from` up to `to`, which all hold keys of one kind. */
static void merge_leaves(struct merge *m, size_t from, size_t to, unsigned char kind)
{
	for (size_t i = from; m->b->code == 0 && i < to; i++) {
		const unsigned char *page = leaf_read(m);
		bool last = i + 1 == to;
		struct aero_node end;

		if (page == NULL)
			return;
		end = aero_node_at(page, aero_nodes_of(page) - 1);
		if (m->size == 0 && !m->repack &&
			!(m->more && m->next.key[0] == kind &&
				(last || key_cmp(m->next.key, m->next.keylen, end.key,
						 end.keylen) <= 0))) {
			leaf_copy(m->b, page, m->base->marks[i]);
			continue;
		}
		take_leaf(m, page, last);
		/* what is left of a leaf goes together with the next one */
		if (last || m->size >= ROOM / 4)
			region_out(m);
	}
	while (m->more && m->next.key[0] == kind) /* there was no leaf */
		take_change(m);
	region_out(m);
	aero_leaf_close(m->b);
}

static void build_delta(
	struct aero_build *b, struct aero_generation *gen, const struct aero_base *base)
{
	struct merge m = {.b = b, .base = base, .gen = gen, .pgno = 2, .read_to = 2};

	m.chunk = malloc((size_t)CHUNK * AERO_PAGE_SIZE);
	if (m.chunk == NULL) {
		b->code = ENOMEM;
		return;
	}
	m.repack = base->n_leaves > 16 + base->bytes / ROOM * 3 / 2;
	b->meta.names = base->names;
	b->meta.aliases = base->aliases;
	b->meta.addresses = base->addresses;
	m.more = next_change(b, gen, &m.next);
	merge_leaves(&m, 0, base->meta_leaf, AERO_KEY_ADDRESS);
	aero_leaf_meta(b);
	if (b->code == 0)
		(void)leaf_read(&m);
	merge_leaves(&m, base->meta_leaf + 1, base->n_leaves, AERO_KEY_NAME);
	if (b->code == 0 && m.more)
		b->code = AERO_CODE_BAD_KEY;
	free(m.chunk);
	free(m.region.v);
}

int aero_build(int fd, struct aero_generation *gen, const struct aero_base *base,
	struct aero_base *ret, size_t *ret_cut)
{
	struct aero_build *b = calloc(1, sizeof(*b));
	int code;

	if (b == NULL)
		return ENOMEM;
	if (aero_pages_begin(b, fd, gen)) {
		if (base != NULL)
			build_delta(b, gen, base);
		else
			build_all(b, gen);
		aero_pages_end(b, gen, ret);
	}
	code = b->code;
	*ret_cut = b->cut;
	aero_pages_clear(b);
	free(b);
	return code;
}
