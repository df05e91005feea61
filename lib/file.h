/* SPDX-License-Identifier: MIT */
/* Files: whole reads, atomic replacement, locks, directories. */
#ifndef AERO_LIB_FILE_H
#define AERO_LIB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/err.h"

/* What failed with errno on path, with the remedy where there is one, in words and as a
 * code; errno stays. */
int aero_file_fail(struct aero_err *err, const char *what, const char *path);

/* Read a regular file of at most max bytes, NUL-ended behind *ret_len bytes; malloc'd.
 * AERO_MISS when there is none, AERO_BAD when it is larger or no regular file. */
int aero_file_read(
	const char *path, size_t max, char **ret, size_t *ret_len, struct aero_err *err);

/* The same of an open file; path is for the words of an error. */
int aero_file_read_fd(int fd, const char *path, size_t max, char **ret, size_t *ret_len,
	struct aero_err *err);

/* Replace path by data: temporary file `path.tmp` beside it with this mode (exactly,
 * whatever the umask), fsync, rename, fsync of the directory. A crash leaves old or new.
 * On failure errno says why. */
int aero_file_replace(const char *path, const void *data, size_t len, mode_t mode,
	struct aero_err *err);

/* Write all of data to fd; path is for the words of an error. */
int aero_file_write(
	int fd, const char *path, const void *data, size_t len, struct aero_err *err);

/* fsync the directory that holds path. */
int aero_file_sync_dir(const char *path, struct aero_err *err);

/* Make a directory (0755) and its parents; there already is AERO_OK. */
int aero_dir_make(const char *path, struct aero_err *err);

/* Take an exclusive flock on path (made 0600 with its directory), writing our pid into
 * it. AERO_AGAIN when another process holds it; *ret_holder (may be NULL) is then its
 * pid, or 0. The lock goes with the descriptor *ret_fd or the process. */
int aero_lock_take(
	const char *path, int *ret_fd, pid_t *ret_holder, struct aero_err *err);
/* The same for a daemon that must be alone: AERO_AGAIN says so. */
int aero_lock_alone(const char *path, int *ret_fd, struct aero_err *err);
/* The pid that holds the lock now, or 0; any user may ask. */
pid_t aero_lock_holder(const char *path);

#endif
