/* SPDX-License-Identifier: MIT */
/* Read a published mirror file: open, fstat, a few bounds-checked preads down the
 * B+tree, close. Libc only, no allocation, no state, no lock: it runs inside foreign
 * processes. The file is untrusted input: any doubt is AERO_READ_DAMAGED. */
#ifndef AERO_MIRROR_READER_H
#define AERO_MIRROR_READER_H

#include "mirror/record.h"

enum aero_read {
	AERO_READ_OK,
	AERO_READ_MISS,    /* no such key in a readable mirror; or the end of the list */
	AERO_READ_ABSENT,  /* no such file */
	AERO_READ_DENIED,  /* not readable, or writable by group or others */
	AERO_READ_DAMAGED, /* empty, short, noise, other version, not a regular file */
	AERO_READ_BUSY,    /* out of descriptors or memory: worth another try */
	AERO_READ_FAILED,  /* any other failed system call; its errno is in reader.err */
};

/* One open generation: about 4.7 kB, meant for the stack. Results of get and next point
 * into page and live until the next call on the same reader. */
struct aero_reader {
	int fd;
	int err;
	uint16_t depth, tag;
	uint16_t n, at; /* page is a leaf of n nodes, and next goes on at `at`; or 0, 0 */
	uint64_t root, last_page, pgno; /* pgno: of page */
	bool leaf;
	struct aero_bound {
		uint16_t len; /* 0: none */
		unsigned char key[AERO_KEY_MAX];
	} low, high; /* of the leaf, as the branches have them: from low to below high */
	_Alignas(8) unsigned char page[AERO_PAGE_SIZE];
};

/* Open path and choose its newest meta page. On anything but AERO_READ_OK nothing is
 * left open. */
enum aero_read aero_reader_open(struct aero_reader *r, const char *path);

/* Look one key up. */
enum aero_read aero_reader_get(struct aero_reader *r, const unsigned char *key,
	size_t keylen, struct aero_rec *ret);

/* The first record whose key is greater than *key (*keylen 0: the first of all) and
 * begins with kind; key and keylen are moved to it. AERO_READ_MISS at the end. The
 * caller keeps nothing but the key, so a list survives a new generation in its middle. */
enum aero_read aero_reader_next(struct aero_reader *r, unsigned char kind,
	unsigned char key[static AERO_KEY_MAX], size_t *keylen, struct aero_rec *ret);

/* The file's own description. */
enum aero_read aero_reader_meta(struct aero_reader *r, struct aero_meta *ret);

void aero_reader_close(struct aero_reader *r);

#endif
