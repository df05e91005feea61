/* SPDX-License-Identifier: MIT */
/* Write one generation of the mirror: build aside, read back whole through mirror/reader
 * and compare each leaf with its sum in memory, fsync, rename, fsync the directory. Crash
 * at any instruction leaves the old file or the new one. */
#ifndef AERO_MIRROR_PUBLISH_H
#define AERO_MIRROR_PUBLISH_H

#include "mirror/record.h"

/* One key and its record. */
struct aero_entry {
	const unsigned char *key; /* with its kind byte, as in layout.h */
	size_t keylen;
	const struct aero_rec *rec; /* is_alias below overrides the record's */
	bool is_alias;
};

/* The next entry, in the order of keys; false at the end. It lives until the next call.
 */
typedef bool aero_entry_next(void *arg, struct aero_entry *ret);

/* What is to be published: an array of entries, which the publisher sorts, where equal
 * keys are an error of the caller; or, with next, what that gives. delta: next gives only
 * what differs from the file that was published last with the same aero_published, with
 * rec NULL for what went.
 * meta: generation, source_time, published and zones are the caller's; counts and digest
 * are filled in. */
struct aero_generation {
	struct aero_entry *entries; /* sorted in place */
	size_t n_entries;
	aero_entry_next *next;
	void *arg;
	bool delta;
	struct aero_meta meta;
	unsigned char digest[AERO_DIGEST_SIZE]; /* where meta.digest points afterwards */
	size_t encoded;                         /* filled in: records that were encoded */
	size_t at; /* the publisher's: of entries, behind the last one taken */
};

/* A failure: the step and an errno or MDB_* code, worded by aero_publish_strerror. */
struct aero_publish_error {
	const char *step;
	int code;
};

#define AERO_PUBLISH_DAMAGED (-1) /* the code of a file that is not as published */

/* The file published last, for the next one to take unchanged leaves from. */
struct aero_base {
	int fd;
	uint64_t *marks; /* of each leaf, to know it by */
	size_t n_leaves; /* 0: there is no such file */
	size_t meta_leaf;
	uint64_t n_pages;
	uint64_t bytes; /* in all leaves */
	uint32_t names, aliases, addresses;
};

/* Keeps the replaced file open until the next publish, so that the publisher and not a
 * reader pays for freeing it. Start with { .old_fd = -1 }; close with
 * aero_published_close. */
struct aero_published {
	int old_fd;
	struct aero_base base;
};

/* Can a delta follow? */
static inline bool aero_published_base(const struct aero_published *keep)
{
	return keep->base.n_leaves > 0;
}

/* Publish gen as path (a temporary file `path.tmp` stands beside it meanwhile). Returns
 * 0, or -1 with *err set and the published file untouched (if the last step, the fsync of
 * the directory, fails, the new file is in place, but may not survive a crash). Aliases
 * are cut from a record until it fits; *ret_cut counts them. Mode 0644 whatever the
 * umask. After a failure only a whole generation can follow, no delta. */
int aero_publish(const char *path, struct aero_generation *gen,
	struct aero_published *keep, size_t *ret_cut, struct aero_publish_error *err);

/* Walk a whole file through mirror/reader: 0 if every record decodes and the digest and
 * counts of its meta agree. */
int aero_publish_verify(const char *path, struct aero_publish_error *err);

const char *aero_publish_strerror(int code);
void aero_published_close(struct aero_published *keep);

#endif
