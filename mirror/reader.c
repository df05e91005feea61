/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mirror/reader.h"

/*
 * LMDB's data version 1, as far as our files use it (64-bit, little-endian, byte
 * offsets). Page: 0 u64 page number, 8 u16 tag, 10 u16 flags, 12 u16 end of the index,
 * 14 u16 start of the nodes, 16 index of u16 node offsets in key order. Node: 0 u32 size
 * of the value, 4 u16 flags, 6 u16 key size, 8 key, value. In a branch the first six
 * bytes are the child's page, and the first key means "anything". Meta, after the page
 * header: 16 magic, 20 version, 40 page size, 88 main database (4 u16 flags, 6 u16 depth,
 * 24 u64 overflow pages, 40 u64 root), 136 u64 last page, 144 u64 transaction. Pages 0
 * and 1 are metas; the newer transaction counts.
 *
 * Our files are built by appending: leaves lie in the order of their keys, the nodes of a
 * leaf fill it from its end down, and a branch has the first key of each leaf. So a miss
 * can be proved: the entries around it are whole, touch, and lie in their leaf's bounds.
 */
enum {
	BRANCH = 0x01,
	LEAF = 0x02,
	META = 0x08,
	INDEX = 16,
	NODE_HEADER = 8,
	META_LEN = 152,
	FIRST_LEAF = 2,
	DEPTH_MAX = 16, /* far beyond any file: a wrong depth ends soon */
};

struct node {
	const unsigned char *key, *val;
	size_t keylen, len;
	size_t start, end; /* in the page */
};

/* What a failed system call means. */
static enum aero_read failed(struct aero_reader *r)
{
	r->err = errno;
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? AERO_READ_BUSY
	       : errno == ENOENT                                     ? AERO_READ_ABSENT
	       : errno == EACCES                                     ? AERO_READ_DENIED
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

/* Check both meta pages, and take what the newer one says. */
static enum aero_read choose_meta(struct aero_reader *r)
{
	const unsigned char *p = r->page;
	uint64_t pgno, txn = 0;
	enum aero_read rc;
	struct stat st;

	if (fstat(r->fd, &st) < 0)
		return failed(r);
	if (!S_ISREG(st.st_mode))
		return AERO_READ_DAMAGED;
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return AERO_READ_DENIED;
	for (pgno = 0; pgno < FIRST_LEAF; pgno++) {
		rc = fill(r, pgno, META_LEN);
		if (rc != AERO_READ_OK)
			return rc;
		if (aero_le(p + 10, 2) != META || aero_le(p + 16, 4) != 0xbeefc0de ||
			aero_le(p + 20, 4) != 1 || aero_le(p + 40, 4) != AERO_PAGE_SIZE ||
			aero_le(p + 92, 2) != 0 || aero_le(p + 112, 8) != 0)
			return AERO_READ_DAMAGED;
		if (aero_le(p + 144, 8) < txn)
			continue;
		txn = aero_le(p + 144, 8);
		r->tag = (uint16_t)aero_le(p + 8, 2);
		r->depth = (uint16_t)aero_le(p + 94, 2);
		r->root = aero_le(p + 128, 8);
		r->last_page = aero_le(p + 136, 8);
	}
	return r->depth > 0 && r->depth <= DEPTH_MAX &&
			       r->last_page + 1 == (uint64_t)st.st_size / AERO_PAGE_SIZE
		       ? AERO_READ_OK
		       : AERO_READ_DAMAGED;
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

/* Read a page of the tree. */
static enum aero_read load(struct aero_reader *r, uint64_t pgno)
{
	enum aero_read rc = AERO_READ_DAMAGED;
	unsigned kind, lower, upper;

	if (pgno >= FIRST_LEAF && pgno <= r->last_page)
		rc = fill(r, pgno, AERO_PAGE_SIZE);
	if (rc != AERO_READ_OK)
		return rc;
	kind = (unsigned)aero_le(r->page + 10, 2);
	lower = (unsigned)aero_le(r->page + 12, 2);
	upper = (unsigned)aero_le(r->page + 14, 2);
	if ((kind != LEAF && kind != BRANCH) || lower <= INDEX || lower % 2 != 0 ||
		lower > upper || upper > AERO_PAGE_SIZE ||
		aero_le(r->page + 8, 2) != r->tag)
		return AERO_READ_DAMAGED;
	r->leaf = kind == LEAF;
	r->n = (uint16_t)((lower - INDEX) / 2);
	r->pgno = pgno;
	return AERO_READ_OK;
}

/* Node i of the loaded page; false if it is not wholly inside the page. */
static bool node(const struct aero_reader *r, unsigned i, struct node *ret)
{
	size_t at = (uint16_t)aero_le(r->page + INDEX + (size_t)2 * i, 2);
	const unsigned char *p;

	if (at < INDEX + (size_t)2 * r->n || at > AERO_PAGE_SIZE - NODE_HEADER)
		return false;
	p = r->page + at;
	ret->start = at;
	ret->key = p + NODE_HEADER;
	ret->keylen = (uint16_t)aero_le(p + 6, 2);
	ret->len = r->leaf ? (uint32_t)aero_le(p, 4) : 0;
	if (ret->keylen > AERO_KEY_MAX || ret->len > AERO_REC_MAX)
		return false;
	ret->val = ret->key + ret->keylen;
	ret->end = (at + NODE_HEADER + ret->keylen + ret->len + 1) & ~(size_t)1;
	return ret->end <= AERO_PAGE_SIZE && (!r->leaf || aero_le(p + 4, 2) == 0);
}

static int compare(const unsigned char *a, size_t alen, const struct node *b)
{
	int diff = memcmp(a, b->key, alen < b->keylen ? alen : b->keylen);

	return diff != 0 ? diff : (alen > b->keylen) - (alen < b->keylen);
}

static void keep(struct aero_bound *bound, const struct node *at)
{
	bound->len = (uint16_t)at->keylen;
	memcpy(bound->key, at->key, at->keylen);
}

/* Load the leaf where key belongs and point r->at behind it. */
static enum aero_read descend(
	struct aero_reader *r, const unsigned char *key, size_t keylen)
{
	uint64_t pgno = r->root;
	unsigned level, low, high, mid;
	enum aero_read rc;
	struct node at;

	r->low.len = r->high.len = 0;
	for (level = 1;; level++) {
		rc = load(r, pgno);
		if (rc != AERO_READ_OK)
			return rc;
		if (r->leaf != (level == r->depth))
			return AERO_READ_DAMAGED;
		low = r->leaf ? 0 : 1; /* the first node behind key */
		for (high = r->n; low < high;) {
			mid = (low + high) / 2;
			if (!node(r, mid, &at))
				return AERO_READ_DAMAGED;
			if (compare(key, keylen, &at) < 0)
				high = mid;
			else
				low = mid + 1;
		}
		if (r->leaf)
			break;
		if (low < r->n && node(r, low, &at))
			keep(&r->high, &at);
		if (!node(r, low - 1, &at))
			return AERO_READ_DAMAGED;
		pgno = aero_le(r->page + at.start, 6);
		if (low > 1)
			keep(&r->low, &at);
	}
	r->at = (uint16_t)low;
	return AERO_READ_OK;
}

/* Node i of the loaded leaf is a whole entry: a record, or the description. */
static bool entry(
	const struct aero_reader *r, unsigned i, struct node *ret, struct aero_rec *rec)
{
	struct aero_meta meta;

	return node(r, i, ret) && ret->keylen > 0 &&
	       (ret->key[0] == AERO_KEY_META ? aero_meta_decode(ret->val, ret->len, &meta)
					     : aero_rec_decode(ret->key, ret->keylen,
						       ret->val, ret->len, rec));
}

/* Find key: OK with its record. Else, or not exact, prove that nothing lies between key
 * and the entry behind it, maybe in the next leaf, and return that one: MISS when exact,
 * or when there is none. */
static enum aero_read seek(struct aero_reader *r, const unsigned char *key, size_t keylen,
	bool exact, struct node *ret, struct aero_rec *rec)
{
	enum aero_read rc = AERO_READ_OK, done = exact ? AERO_READ_MISS : AERO_READ_OK;
	size_t start = AERO_PAGE_SIZE;
	unsigned branches = 0;
	/* The key that this reader gave last: its neighbour is in the page already. */
	bool known = !exact && r->at > 0 && r->at < r->n && node(r, r->at - 1U, ret) &&
		     compare(key, keylen, ret) == 0;

	if (!known)
		rc = descend(r, key, keylen);
	if (rc != AERO_READ_OK)
		return rc;
	if (r->at > 0) {
		if (!known && !entry(r, r->at - 1U, ret, rec))
			return AERO_READ_DAMAGED;
		if (exact && compare(key, keylen, ret) == 0)
			return AERO_READ_OK;
		start = ret->start;
	}
	if (r->at > 0 ? compare(r->low.key, r->low.len, ret) > 0
		      : r->pgno != FIRST_LEAF || r->low.len > 0)
		return AERO_READ_DAMAGED;
	if (r->at < r->n)
		return entry(r, r->at, ret, rec) && ret->end == start &&
				       compare(key, keylen, ret) < 0 &&
				       (r->high.len == 0 ||
					       compare(r->high.key, r->high.len, ret) > 0)
			       ? done
			       : AERO_READ_DAMAGED;
	if (aero_le(r->page + 14, 2) != start)
		return AERO_READ_DAMAGED;
	do { /* A split made the next leaf, and at most a branch of each level. */
		if (r->pgno == r->last_page)
			return r->high.len == 0 ? AERO_READ_MISS : AERO_READ_DAMAGED;
		rc = load(r, r->pgno + 1);
	} while (rc == AERO_READ_OK && !r->leaf && branches++ < r->depth);
	if (rc == AERO_READ_OK)
		rc = r->leaf && entry(r, 0, ret, rec) &&
				     compare(r->high.key, r->high.len, ret) == 0
			     ? done
			     : AERO_READ_DAMAGED;
	r->n = 0; /* for its bounds are not known */
	return rc;
}

enum aero_read aero_reader_get(struct aero_reader *r, const unsigned char *key,
	size_t keylen, struct aero_rec *ret)
{
	struct node next;

	return seek(r, key, keylen, true, &next, ret);
}

enum aero_read aero_reader_next(struct aero_reader *r, unsigned char kind,
	unsigned char key[static AERO_KEY_MAX], size_t *keylen, struct aero_rec *ret)
{
	enum aero_read rc;
	struct node at;

	if (*keylen == 0)
		key[(*keylen)++] = kind;
	rc = seek(r, key, *keylen, false, &at, ret);
	if (rc != AERO_READ_OK)
		return rc;
	if (at.key[0] > kind)
		return AERO_READ_MISS;
	r->at++;
	memcpy(key, at.key, at.keylen);
	*keylen = at.keylen;
	return AERO_READ_OK;
}

enum aero_read aero_reader_meta(struct aero_reader *r, struct aero_meta *ret)
{
	static const unsigned char key[1] = {AERO_KEY_META};
	enum aero_read rc = descend(r, key, sizeof(key));
	struct node at;

	/* A file without its description is none of ours. */
	if (rc == AERO_READ_OK && (r->at == 0 || !node(r, r->at - 1U, &at) ||
					  !aero_meta_decode(at.val, at.len, ret)))
		rc = AERO_READ_DAMAGED;
	return rc;
}
