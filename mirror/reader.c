/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mirror/reader.h"

/*
 * LMDB's data version 1, as far as our files use it (64-bit, little-endian, byte
 * offsets). Page: 0 u64 page number, 10 u16 flags, 12 u16 end of the index, 14 u16 start
 * of the nodes, 16 index of u16 node offsets in key order. Node: 0 u32 size of the value,
 * 4 u16 flags, 6 u16 key size, 8 key, value. In a branch the first six bytes are the
 * child's page number, and the first key means "anything". Meta, after the page header:
 * 16 magic, 20 version, 40 page size, 88 main database (4 u16 flags, 6 u16 depth, 24 u64
 * overflow pages, 40 u64 root), 136 u64 last page, 144 u64 transaction. Pages 0 and 1 are
 * metas; the newer transaction counts.
 */
enum {
	BRANCH = 0x01,
	LEAF = 0x02,
	META = 0x08,
	INDEX = 16,
	NODE_HEADER = 8,
	META_LEN = 152,
	DEPTH_MAX = 16, /* far beyond any file: a wrong depth ends soon */
};

struct node {
	const unsigned char *key, *val;
	size_t keylen, len;
	uint64_t child;
};

/* What a failed system call means. */
static enum aero_read failed(struct aero_reader *r)
{
	int e = r->err = errno;

	if (e == EMFILE || e == ENFILE || e == ENOMEM)
		return AERO_READ_BUSY;
	return e == ENOENT   ? AERO_READ_ABSENT
	       : e == EACCES ? AERO_READ_DENIED
			     : AERO_READ_FAILED;
}

static enum aero_read fill(struct aero_reader *r, uint64_t pgno, size_t len)
{
	ssize_t got;

	r->at = r->n = 0;
	do
		got = pread(r->fd, r->page, len, (off_t)(pgno * AERO_PAGE_SIZE));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return failed(r);
	return (size_t)got == len && aero_le(r->page, 8) == pgno ? AERO_READ_OK
								 : AERO_READ_DAMAGED;
}

/* Check one of the two meta pages, and take what it says unless *txn is newer. */
static enum aero_read take_meta(struct aero_reader *r, uint64_t pgno, uint64_t *txn)
{
	const unsigned char *p = r->page;
	enum aero_read rc = fill(r, pgno, META_LEN);

	if (rc != AERO_READ_OK)
		return rc;
	if (aero_le(p + 10, 2) != META || aero_le(p + 16, 4) != 0xbeefc0de ||
		aero_le(p + 20, 4) != 1 || aero_le(p + 40, 4) != AERO_PAGE_SIZE ||
		aero_le(p + 92, 2) != 0 || aero_le(p + 112, 8) != 0)
		return AERO_READ_DAMAGED;
	if (aero_le(p + 144, 8) < *txn)
		return AERO_READ_OK;
	*txn = aero_le(p + 144, 8);
	r->depth = (uint16_t)aero_le(p + 94, 2);
	r->root = aero_le(p + 128, 8);
	r->last_page = aero_le(p + 136, 8);
	return AERO_READ_OK;
}

static enum aero_read choose_meta(struct aero_reader *r)
{
	enum aero_read rc;
	uint64_t txn = 0;
	struct stat st;

	if (fstat(r->fd, &st) < 0)
		return failed(r);
	if (!S_ISREG(st.st_mode))
		return AERO_READ_DAMAGED;
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return AERO_READ_DENIED;
	rc = take_meta(r, 0, &txn);
	if (rc == AERO_READ_OK)
		rc = take_meta(r, 1, &txn);
	if (rc == AERO_READ_OK &&
		(r->depth == 0 || r->depth > DEPTH_MAX ||
			r->last_page >= (uint64_t)st.st_size / AERO_PAGE_SIZE))
		rc = AERO_READ_DAMAGED;
	return rc;
}

enum aero_read aero_reader_open(struct aero_reader *r, const char *path)
{
	enum aero_read rc;

	r->err = 0;
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (r->fd < 0)
		return failed(r);
	rc = choose_meta(r);
	if (rc != AERO_READ_OK)
		aero_reader_close(r);
	return rc;
}

void aero_reader_close(struct aero_reader *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	r->fd = -1;
}

/* Read page pgno, which must be of this kind. */
static enum aero_read load(struct aero_reader *r, uint64_t pgno, unsigned kind)
{
	enum aero_read rc;
	unsigned lower, upper;

	if (pgno < 2 || pgno > r->last_page)
		return AERO_READ_DAMAGED;
	rc = fill(r, pgno, AERO_PAGE_SIZE);
	if (rc != AERO_READ_OK)
		return rc;
	lower = (unsigned)aero_le(r->page + 12, 2);
	upper = (unsigned)aero_le(r->page + 14, 2);
	if (aero_le(r->page + 10, 2) != kind || lower <= INDEX || lower % 2 != 0 ||
		lower > upper || upper > AERO_PAGE_SIZE)
		return AERO_READ_DAMAGED;
	r->n = (uint16_t)((lower - INDEX) / 2);
	return AERO_READ_OK;
}

/* Node i of the loaded page; false if it is not wholly inside the page. */
static bool node(const struct aero_reader *r, unsigned i, bool leaf, struct node *ret)
{
	size_t at = (uint16_t)aero_le(r->page + INDEX + (size_t)2 * i, 2), left;
	const unsigned char *p;

	if (at < INDEX + (size_t)2 * r->n || at > AERO_PAGE_SIZE - NODE_HEADER)
		return false;
	p = r->page + at;
	left = AERO_PAGE_SIZE - NODE_HEADER - at;
	ret->key = p + NODE_HEADER;
	ret->keylen = (uint16_t)aero_le(p + 6, 2);
	if (ret->keylen > left)
		return false;
	ret->val = ret->key + ret->keylen;
	ret->len = (uint32_t)aero_le(p, 4);
	ret->child = (uint32_t)aero_le(p, 4) | (uint64_t)(uint16_t)aero_le(p + 4, 2)
						       << 32;
	return !leaf || (aero_le(p + 4, 2) == 0 && ret->len <= left - ret->keylen);
}

static int compare(const unsigned char *a, size_t alen, const struct node *b)
{
	int diff = memcmp(a, b->key, alen < b->keylen ? alen : b->keylen);

	return diff != 0 ? diff : (alen > b->keylen) - (alen < b->keylen);
}

/* *ret = the first node whose key is greater than key; at least 1 in a branch. */
static bool after(const struct aero_reader *r, const unsigned char *key, size_t keylen,
	bool leaf, unsigned *ret)
{
	unsigned low = leaf ? 0 : 1, high = r->n, mid;
	struct node at;

	while (low < high) {
		mid = (low + high) / 2;
		if (!node(r, mid, leaf, &at))
			return false;
		if (compare(key, keylen, &at) < 0)
			high = mid;
		else
			low = mid + 1;
	}
	*ret = low;
	return true;
}

/* Load the leaf where key belongs and point r->at behind it. With `next`, go on to the
 * right neighbour when that is the leaf's end. MISS if there is nothing behind key. */
static enum aero_read descend(
	struct aero_reader *r, const unsigned char *key, size_t keylen, bool next)
{
	uint64_t pgno = r->root, right = 0;
	unsigned level, right_level = 0, i;
	enum aero_read rc;
	struct node at;
	bool leaf;

	for (level = 1;; level++) {
		leaf = level == r->depth;
		rc = load(r, pgno, leaf ? LEAF : BRANCH);
		if (rc != AERO_READ_OK)
			return rc;
		if (!after(r, key, keylen, leaf, &i))
			return AERO_READ_DAMAGED;
		if (leaf) {
			r->at = (uint16_t)i;
			if (!next || i < r->n)
				return AERO_READ_OK;
			if (right == 0)
				return AERO_READ_MISS;
			pgno = right;
			level = right_level;
			keylen = 0; /* the first key there */
			right = 0;
			continue;
		}
		if (i < r->n) {
			if (!node(r, i, leaf, &at))
				return AERO_READ_DAMAGED;
			right = at.child;
			right_level = level;
		}
		if (!node(r, i - 1, leaf, &at))
			return AERO_READ_DAMAGED;
		pgno = at.child;
	}
}

static enum aero_read find(
	struct aero_reader *r, const unsigned char *key, size_t keylen, struct node *ret)
{
	enum aero_read rc = descend(r, key, keylen, false);

	if (rc != AERO_READ_OK)
		return rc;
	if (r->at == 0)
		return AERO_READ_MISS;
	if (!node(r, r->at - 1U, true, ret))
		return AERO_READ_DAMAGED;
	return compare(key, keylen, ret) == 0 ? AERO_READ_OK : AERO_READ_MISS;
}

enum aero_read aero_reader_get(struct aero_reader *r, const unsigned char *key,
	size_t keylen, struct aero_rec *ret)
{
	struct node at;
	enum aero_read rc = find(r, key, keylen, &at);

	if (rc == AERO_READ_OK && !aero_rec_decode(key, keylen, at.val, at.len, ret))
		rc = AERO_READ_DAMAGED;
	return rc;
}

enum aero_read aero_reader_meta(struct aero_reader *r, struct aero_meta *ret)
{
	static const unsigned char key[1] = {AERO_KEY_META};
	struct node at;
	enum aero_read rc = find(r, key, sizeof(key), &at);

	/* A file without its description is none of ours. */
	if (rc == AERO_READ_MISS ||
		(rc == AERO_READ_OK && !aero_meta_decode(at.val, at.len, ret)))
		rc = AERO_READ_DAMAGED;
	return rc;
}

enum aero_read aero_reader_next(struct aero_reader *r, unsigned char kind,
	unsigned char key[static AERO_KEY_MAX], size_t *keylen, struct aero_rec *ret)
{
	enum aero_read rc;
	struct node at;

	if (*keylen == 0)
		key[(*keylen)++] = kind;
	/* The key that this reader gave last: its neighbour is in the page already. */
	if (r->at == 0 || r->at >= r->n || !node(r, r->at - 1U, true, &at) ||
		compare(key, *keylen, &at) != 0) {
		rc = descend(r, key, *keylen, true);
		if (rc != AERO_READ_OK)
			return rc;
	}
	if (!node(r, r->at, true, &at))
		return AERO_READ_DAMAGED;
	if (at.keylen == 0 || at.key[0] > kind)
		return AERO_READ_MISS;
	if (compare(key, *keylen, &at) >= 0 || at.keylen > AERO_KEY_MAX ||
		!aero_rec_decode(at.key, at.keylen, at.val, at.len, ret))
		return AERO_READ_DAMAGED;
	r->at++;
	memcpy(key, at.key, at.keylen);
	*keylen = at.keylen;
	return AERO_READ_OK;
}
