/* SPDX-License-Identifier: MIT */
/* Pages of a mirror file, written front to back: leaves as they are filled, branches as
 * they become full, the root last, then the two metas. For build.c. */
#ifndef AERO_MIRROR_PAGES_H
#define AERO_MIRROR_PAGES_H

#include "mirror/build.h"

enum {
	BRANCH = 0x01,
	LEAF = 0x02,
	META = 0x08,
	HEAD = 10,  /* bytes of a page's number and tag */
	INDEX = 16, /* bytes of a page's header */
	ROOM = AERO_PAGE_SIZE - INDEX,
	NODE = 8,    /* bytes of a node's header */
	CHUNK = 64,  /* pages written or read at once */
	LEVELS = 12, /* of branches: a page stands for fifteen others at least */
};

struct aero_bytes {
	unsigned char *v;
	size_t n, size;
};

struct aero_page {
	size_t n, lower, upper;
	unsigned char bytes[AERO_PAGE_SIZE];
};

/* A branch page that is being filled, and what the branch above will know it by. */
struct aero_level {
	struct aero_page page;
	unsigned char first[AERO_KEY_MAX];
	size_t first_len;
};

struct aero_build {
	int fd, code; /* code: of the first failure; nothing more is done then */
	struct aero_sha sha;
	struct aero_meta meta;
	size_t cut, entries;
	uint64_t pgno, branches, meta_pgno;
	size_t meta_leaf;
	struct aero_bytes marks; /* of all leaves */
	uint64_t bytes;          /* in nodes of leaves */
	size_t n_out;            /* pages in out, of which pgno - n_out is first */
	unsigned char *out;
	struct aero_page leaf;
	size_t limit; /* a leaf is full enough with so many bytes */
	struct aero_level *levels[LEVELS];
	size_t n_levels;
};

/* A node of a leaf, or of a branch, where val is nothing. */
struct aero_node {
	const unsigned char *key, *val;
	size_t keylen, len;
};

void aero_put(unsigned char *to, uint64_t number, unsigned bytes);
/* Room for more bytes, or NULL. */
unsigned char *aero_grow(struct aero_bytes *b, size_t more);
size_t aero_node_size(size_t keylen, size_t len);
struct aero_node aero_node_at(const unsigned char *page, size_t i);
size_t aero_nodes_of(const unsigned char *page);
uint64_t aero_mark_of(const unsigned char *page);

bool aero_pages_begin(struct aero_build *b, int fd, const struct aero_generation *gen);
/* Append an entry; begin a new leaf with the next one; write a leaf, known by mark. */
void aero_leaf_add(struct aero_build *b, const unsigned char *key, size_t keylen,
	const unsigned char *val, size_t len);
void aero_leaf_close(struct aero_build *b);
void aero_leaf_out(struct aero_build *b, const unsigned char *page, uint64_t mark);
/* The place of the description: a leaf of its own, for the whole file must be known
 * first. */
void aero_leaf_meta(struct aero_build *b);
/* The rest: description, branches, metas. *ret describes what was built. */
void aero_pages_end(
	struct aero_build *b, struct aero_generation *gen, struct aero_base *ret);
void aero_pages_clear(struct aero_build *b);

#endif
