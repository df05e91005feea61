/* SPDX-License-Identifier: MIT */
/* The file that /etc/hosts really is, links followed, and how it is replaced. Used by
 * legacy/writer.c, which holds the lock, and by tests. */
#ifndef AERO_LEGACY_TARGET_H
#define AERO_LEGACY_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "legacy/paths.h"
#include "lib/err.h"

#define AERO_HOSTS_MAX (256u << 20) /* bytes of /etc/hosts taken */
/* On a complete recovery copy: this bit means nothing on a file, and every file system
 * that has modes keeps it. */
#define AERO_TARGET_MARK S_ISVTX

struct aero_target {
	char *path; /* no link */
	char *tmp;  /* path.tmp */
	bool exists;
	struct stat st; /* when it was read; a writer must find it so */
	int tmp_fd;     /* open while tmp is ours; -1 = it is not */
};

/* Follow links, an absolute one from the root prefix on. AERO_CONFIG: the link leaves the
 * prefix, or is a loop. On success *ret must be cleared. */
int aero_target_find(const struct aero_hosts_paths *paths, struct aero_target *ret,
	struct aero_err *err);
void aero_target_clear(struct aero_target *target);

/* Read it into *ret (malloc'd, NUL-ended), "" when there is none, noting its state. */
int aero_target_read(
	struct aero_target *target, char **ret, size_t *ret_len, struct aero_err *err);

/* Make target->tmp: complete, on the disk, owner, mode and attributes as the file's. */
int aero_target_prepare(
	struct aero_target *target, const char *data, size_t len, struct aero_err *err);
/* Put it in the file's place, by rename or, where that is a mount, by writing the same
 * data in place: *ret_in_place. AERO_AGAIN: somebody else changed the file since it was
 * read, nothing was written. After success the temporary file is gone. After a failure
 * tmp_fd tells: >= 0, the file was not touched; -1, it has the new text, or half of it,
 * which the next update finishes from the temporary file. */
int aero_target_commit(struct aero_target *target, const char *data, size_t len,
	bool *ret_in_place, struct aero_err *err);
/* Remove a prepared temporary file. */
void aero_target_abandon(struct aero_target *target);

/* A crash in the middle of writing in place left a complete target->tmp: whether it is
 * there, with its text in *ret when ret is not NULL. */
int aero_target_unfinished(const struct aero_target *target, bool *ret_unfinished,
	char **ret, size_t *ret_len, struct aero_err *err);
/* Finish it. */
int aero_target_finish(struct aero_target *target, struct aero_err *err);

#endif
