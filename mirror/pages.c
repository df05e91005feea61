/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mirror/encode.h"
#include "mirror/pages.h"

#define NO_PAGE UINT64_MAX

unsigned char *aero_grow(struct aero_bytes *b, size_t more)
{
	size_t size = b->size;
	unsigned char *v;

	while (size < b->n + more)
		size = size == 0 ? 4096 : size * 2;
	if (size != b->size) {
		v = realloc(b->v, size);
		if (v == NULL)
			return NULL;
		b->v = v;
		b->size = size;
	}
	b->n += more;
	return b->v + b->n - more;
}

void aero_put(unsigned char *p, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0) {
		*p++ = (unsigned char)v;
		v >>= 8;
	}
}

static void write_all(
	struct aero_build *b, const unsigned char *from, size_t len, off_t at)
{
	ssize_t did;

	while (b->code == 0 && len > 0) {
		did = pwrite(b->fd, from, len, at);
		if (did < 0 && errno != EINTR)
			b->code = errno;
		if (did <= 0)
			continue;
		from += did;
		len -= (size_t)did;
		at += did;
	}
}

static void flush(struct aero_build *b)
{
	off_t at = (off_t)((b->pgno - b->n_out) * AERO_PAGE_SIZE);
	size_t len = b->n_out * AERO_PAGE_SIZE;

	write_all(b, b->out, len, at);
	/* The disk may begin: the fsync to come has less to wait for. */
	if (b->n_out == CHUNK)
		(void)sync_file_range(b->fd, at, (off_t)len, SYNC_FILE_RANGE_WRITE);
	b->n_out = 0;
}

/* Give page the next number and write it out, sooner or later. */
static void page_out(struct aero_build *b, const unsigned char *page)
{
	unsigned char *to = b->out + b->n_out * AERO_PAGE_SIZE;

	memcpy(to, page, AERO_PAGE_SIZE);
	aero_put(to, b->pgno++, 8);
	aero_put(to + 8, b->meta.generation, 2);
	if (++b->n_out == CHUNK)
		flush(b);
}

static void page_begin(struct aero_page *page)
{
	memset(page, 0, sizeof(*page));
	page->lower = INDEX;
	page->upper = AERO_PAGE_SIZE;
}

/* What a page holds, as a number, without what page_out says. It need only tell an
 * accident. Four sums side by side: each multiplication waits for the one before. */
uint64_t aero_mark_of(const unsigned char *page)
{
	uint64_t sum[4] = {aero_le(page + HEAD, INDEX - HEAD)}, word;

	/* the last step goes over some words twice: a page is no multiple of four */
	for (size_t i = INDEX; i < AERO_PAGE_SIZE; i += sizeof(sum)) {
		if (i > AERO_PAGE_SIZE - sizeof(sum))
			i = AERO_PAGE_SIZE - sizeof(sum);
#pragma GCC unroll 4
		for (size_t j = 0; j < 4; j++) {
			memcpy(&word, page + i + j * sizeof(word), sizeof(word));
			sum[j] = (sum[j] ^ word) * 0x9e3779b97f4a7c15U;
			sum[j] ^= sum[j] >> 32;
		}
	}
	return sum[0] ^ sum[1] * 3 ^ sum[2] * 5 ^ sum[3] * 7;
}

static void mark_add(struct aero_build *b, uint64_t mark)
{
	unsigned char *at = aero_grow(&b->marks, sizeof(mark));

	if (at == NULL)
		b->code = ENOMEM;
	else
		memcpy(at, &mark, sizeof(mark));
}

size_t aero_node_size(size_t keylen, size_t len)
{
	return (NODE + keylen + len + 1) & ~(size_t)1;
}

static unsigned char *node_add(
	struct aero_page *page, const unsigned char *key, size_t keylen, size_t len)
{
	unsigned char *node = page->bytes + (page->upper -= aero_node_size(keylen, len));

	aero_put(page->bytes + page->lower, page->upper, 2);
	page->lower += 2;
	page->n++;
	aero_put(node + 6, keylen, 2);
	if (keylen > 0)
		memcpy(node + NODE, key, keylen);
	return node;
}

static void page_seal(struct aero_page *page, unsigned flags)
{
	aero_put(page->bytes + 10, flags, 2);
	aero_put(page->bytes + 12, page->lower, 2);
	aero_put(page->bytes + 14, page->upper, 2);
}

struct aero_node aero_node_at(const unsigned char *page, size_t i)
{
	const unsigned char *p = page + aero_le(page + INDEX + 2 * i, 2);
	size_t keylen = (size_t)aero_le(p + 6, 2);

	return (struct aero_node){
		p + NODE, p + NODE + keylen, keylen, (size_t)aero_le(p, 4)};
}

size_t aero_nodes_of(const unsigned char *page)
{
	return ((size_t)aero_le(page + 12, 2) - INDEX) / 2;
}

/* ---- branches ---- */

static void child_put(
	struct aero_level *level, const unsigned char *key, size_t len, uint64_t pgno)
{
	bool first = level->page.n == 0;

	if (first) {
		memcpy(level->first, key, len);
		level->first_len = len;
	}
	/* the first key of a page means "anything" */
	aero_put(node_add(&level->page, key, first ? 0 : len, 0), pgno, 6);
}

static void child_add(struct aero_build *b, size_t at, const unsigned char *key,
	size_t len, uint64_t pgno);

/* Write a branch page out; the one above gets it, unless it is the root. */
static void branch_out(struct aero_build *b, size_t at, bool root)
{
	struct aero_level *level = b->levels[at];
	unsigned char first[AERO_KEY_MAX];
	size_t len = level->first_len;
	uint64_t pgno = b->pgno;

	memcpy(first, level->first, len);
	page_seal(&level->page, BRANCH);
	page_out(b, level->page.bytes);
	page_begin(&level->page);
	b->branches++;
	if (!root)
		child_add(b, at + 1, first, len, pgno);
}

/* One more page below the branches of this level. One that is full is written out without
 * its last child, which goes into the next one: no branch has a single child. So branches
 * lie between the leaves, one of a level at most, as where liblmdb appends. */
static void child_add(struct aero_build *b, size_t at, const unsigned char *key,
	size_t len, uint64_t pgno)
{
	struct aero_level *level;
	struct aero_node last;
	unsigned char moved[AERO_KEY_MAX];
	uint64_t moved_pgno;

	if (b->code != 0)
		return;
	if (at == b->n_levels) {
		level = at < LEVELS ? malloc(sizeof(*level)) : NULL;
		if (level == NULL) {
			b->code = ENOMEM;
			return;
		}
		page_begin(&level->page);
		b->levels[b->n_levels++] = level;
	}
	level = b->levels[at];
	if (level->page.upper - level->page.lower < aero_node_size(len, 0) + 2) {
		last = aero_node_at(level->page.bytes, level->page.n - 1);
		memcpy(moved, last.key, last.keylen);
		moved_pgno = aero_le(last.key - NODE, 6);
		level->page.upper += aero_node_size(last.keylen, 0);
		level->page.lower -= 2;
		level->page.n--;
		branch_out(b, at, false);
		child_put(level, moved, last.keylen, moved_pgno);
	}
	child_put(level, key, len, pgno);
}

/* The branches that are not written yet; the depth of the tree. The root comes last. */
static size_t branches(struct aero_build *b)
{
	size_t at;

	for (at = 0; b->code == 0 && at < b->n_levels; at++) {
		if (at + 1 == b->n_levels && b->levels[at]->page.n == 1)
			break; /* the one leaf is the root */
		branch_out(b, at, at + 1 == b->n_levels);
	}
	return 1 + at;
}

/* ---- leaves ---- */

void aero_leaf_out(struct aero_build *b, const unsigned char *page, uint64_t mark)
{
	struct aero_node first = aero_node_at(page, 0);

	mark_add(b, mark);
	page_out(b, page);
	child_add(b, 0, first.key, first.keylen, b->pgno - 1);
}

void aero_leaf_close(struct aero_build *b)
{
	if (b->code != 0 || b->leaf.n == 0)
		return;
	b->bytes += ROOM - (b->leaf.upper - b->leaf.lower);
	page_seal(&b->leaf, LEAF);
	aero_leaf_out(b, b->leaf.bytes, aero_mark_of(b->leaf.bytes));
	page_begin(&b->leaf);
}

void aero_leaf_add(struct aero_build *b, const unsigned char *key, size_t keylen,
	const unsigned char *val, size_t len)
{
	size_t need = aero_node_size(keylen, len) + 2,
	       used = ROOM - (b->leaf.upper - b->leaf.lower);
	unsigned char *node;

	if (b->leaf.n > 0 && (used + need > ROOM || used >= b->limit))
		aero_leaf_close(b);
	if (b->code != 0)
		return;
	node = node_add(&b->leaf, key, keylen, len);
	aero_put(node, len, 4);
	memcpy(node + NODE + keylen, val, len);
	aero_sha_entry(&b->sha, key, keylen, val, len);
	b->entries++;
}

void aero_leaf_meta(struct aero_build *b)
{
	static const unsigned char key[1] = {AERO_KEY_META};

	aero_leaf_close(b);
	if (b->code != 0)
		return;
	b->meta_pgno = b->pgno;
	b->meta_leaf = b->marks.n / sizeof(uint64_t);
	mark_add(b, 0);
	page_out(b, b->leaf.bytes);
	child_add(b, 0, key, 1, b->meta_pgno);
}

static void meta_add(struct aero_build *b, const unsigned char *val, size_t len)
{
	static const unsigned char key[1] = {AERO_KEY_META};
	unsigned char *node = node_add(&b->leaf, key, 1, len);

	aero_put(node, len, 4);
	memcpy(node + NODE + 1, val, len);
}

static void meta_out(struct aero_build *b, const unsigned char *val, size_t len)
{
	unsigned char *page = b->leaf.bytes;

	meta_add(b, val, len);
	aero_put(page, b->meta_pgno, 8);
	aero_put(page + 8, b->meta.generation, 2);
	page_seal(&b->leaf, LEAF);
	write_all(b, page, AERO_PAGE_SIZE, (off_t)(b->meta_pgno * AERO_PAGE_SIZE));
	page_begin(&b->leaf);
}

/* ---- the end ---- */

/* All of a small file fits one leaf. */
static bool fits_one(const struct aero_build *b, size_t meta_len)
{
	return b->n_out == b->pgno - 2 &&
	       b->bytes + aero_node_size(1, meta_len) + 2 <= ROOM;
}

/* Make that one leaf of those that were not written yet. */
static void make_one(struct aero_build *b, const unsigned char *meta, size_t meta_len)
{
	size_t n = b->n_out;

	for (size_t i = 0; i < n; i++) {
		const unsigned char *page = b->out + i * AERO_PAGE_SIZE;

		if (i + 2 == b->meta_pgno) {
			meta_add(b, meta, meta_len);
			continue;
		}
		for (size_t j = 0; j < aero_nodes_of(page); j++) {
			struct aero_node node = aero_node_at(page, j);
			unsigned char *to =
				node_add(&b->leaf, node.key, node.keylen, node.len);

			aero_put(to, node.len, 4);
			memcpy(to + NODE + node.keylen, node.val, node.len);
		}
	}
	b->n_out = 0;
	b->pgno = 2;
	b->marks.n = 0;
	page_begin(&b->levels[0]->page);
	page_seal(&b->leaf, LEAF);
	aero_leaf_out(b, b->leaf.bytes, 0);
	page_begin(&b->leaf);
}

/* One of the two metas: an empty file for transaction 0, ours for 1. */
static void write_head(struct aero_build *b, unsigned txn, size_t depth)
{
	unsigned char *p = b->leaf.bytes;
	uint64_t leaves = b->marks.n / sizeof(uint64_t);

	aero_put(p, txn, 8);
	aero_put(p + 8, b->meta.generation, 2);
	aero_put(p + 10, META, 2);
	aero_put(p + 16, 0xbeefc0de, 4);
	aero_put(p + 20, 1, 4);
	aero_put(p + 32, b->pgno * AERO_PAGE_SIZE, 8); /* the size of a map */
	aero_put(p + 40, AERO_PAGE_SIZE, 4);
	aero_put(p + 44, 0x08, 2); /* the list of free pages has integers for keys */
	aero_put(p + 80, NO_PAGE, 8);
	aero_put(p + 128, NO_PAGE, 8);
	aero_put(p + 136, 1, 8);
	if (txn > 0) {
		aero_put(p + 94, depth, 2);
		aero_put(p + 96, b->branches, 8);
		aero_put(p + 104, leaves, 8);
		aero_put(p + 120, b->entries, 8);
		aero_put(p + 128, b->pgno - 1, 8); /* the root comes last */
		aero_put(p + 136, b->pgno - 1, 8);
	}
	aero_put(p + 144, txn, 8);
	write_all(b, p, AERO_PAGE_SIZE, (off_t)txn * AERO_PAGE_SIZE);
	page_begin(&b->leaf);
}

bool aero_pages_begin(struct aero_build *b, int fd, const struct aero_generation *gen)
{
	b->fd = fd;
	b->meta = gen->meta;
	b->meta.names = b->meta.aliases = b->meta.addresses = 0;
	b->pgno = 2;
	b->limit = ROOM;
	b->out = malloc((size_t)CHUNK * AERO_PAGE_SIZE);
	page_begin(&b->leaf);
	if (b->out == NULL)
		b->code = ENOMEM;
	else if (!aero_sha_begin(&b->sha))
		b->code = AERO_CODE_CRYPTO;
	return b->code == 0;
}

void aero_pages_end(
	struct aero_build *b, struct aero_generation *gen, struct aero_base *ret)
{
	unsigned char val[AERO_REC_MAX];
	size_t depth, len;
	bool one;

	if (!aero_sha_end(&b->sha, gen->digest) && b->code == 0)
		b->code = AERO_CODE_CRYPTO;
	b->entries++;
	b->meta.digest = gen->digest;
	gen->meta = b->meta;
	len = aero_meta_encode(&gen->meta, val);
	if (len == 0 && b->code == 0)
		b->code = AERO_CODE_TOO_LONG;
	if (b->code != 0)
		return;
	one = fits_one(b, len);
	if (one)
		make_one(b, val, len);
	depth = branches(b);
	flush(b);
	if (!one)
		meta_out(b, val, len);
	write_head(b, 0, depth);
	write_head(b, 1, depth);
	if (b->code != 0)
		return;
	*ret = (struct aero_base){.fd = -1,
		.marks = (uint64_t *)(void *)b->marks.v,
		.n_leaves = one ? 0 : b->marks.n / sizeof(uint64_t),
		.n_pages = b->pgno,
		.meta_leaf = b->meta_leaf,
		.bytes = b->bytes,
		.names = b->meta.names,
		.aliases = b->meta.aliases,
		.addresses = b->meta.addresses};
	b->marks.v = NULL; /* now the base's */
}

void aero_pages_clear(struct aero_build *b)
{
	aero_sha_clear(&b->sha);
	free(b->out);
	while (b->n_levels > 0)
		free(b->levels[--b->n_levels]);
	free(b->marks.v);
}
