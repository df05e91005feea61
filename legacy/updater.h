/* SPDX-License-Identifier: MIT */
/*
 * The legacy updater: a program of the user's that leaves /etc/hosts.legacy. Run without
 * a shell, in a process group of its own, which is ended with it or at the time limit.
 *
 * In a poll loop: start; then until step returns true, poll the descriptors of
 * aero_updater_fds with at most aero_updater_wait_ms, and step; then finish. None of them
 * blocks. The caller must not reap the child (no waitpid(-1)).
 */
#ifndef AERO_LEGACY_UPDATER_H
#define AERO_LEGACY_UPDATER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "legacy/paths.h"
#include "lib/err.h"

#define AERO_UPDATER_FDS 2
#define AERO_UPDATER_OUTPUT 16384   /* bytes of output kept */
#define AERO_LEGACY_MAX (64u << 20) /* bytes of /etc/hosts.legacy taken */

struct aero_updater;

struct aero_updater_result {
	char *legacy; /* the text left; NULL on failure */
	size_t legacy_len;
	char *output; /* what it wrote to stdout and stderr, NUL-ended; to be logged */
	size_t output_len;
	bool output_cut; /* there was more of it */
	struct aero_err
		warning; /* not '': the last good copy could not be kept, and why */
};

/* Run `program` (argv = {PATH}, cwd /, stdin /dev/null, environment PATH, HOME,
 * AEROSTAT_LEGACY) for at most timeout_ms. now is aero_clock_ms (lib/loop.h).
 * AERO_REFUSED: it cannot be run. paths must live as long as the updater. */
int aero_updater_start(const char *program, const struct aero_hosts_paths *paths,
	int64_t timeout_ms, int64_t now, struct aero_updater **ret, struct aero_err *err);
/* Fill in what to poll; how many. */
size_t aero_updater_fds(
	const struct aero_updater *updater, struct pollfd fds[AERO_UPDATER_FDS]);
/* Time until step is due even without an event, ms. */
int64_t aero_updater_wait_ms(const struct aero_updater *updater, int64_t now);
/* Read output, end what is over time, reap. True: it is over, finish is due. */
bool aero_updater_step(struct aero_updater *updater, int64_t now);
/* How it went: the legacy text, kept as the last good copy too, or AERO_REFUSED with the
 * reason. *ret is set in both cases and must be cleared. */
int aero_updater_finish(struct aero_updater *updater, struct aero_updater_result *ret,
	struct aero_err *err);
/* Ends a run that is not over, at once. */
void aero_updater_free(struct aero_updater *updater);

/* All of it, waiting (one-shots). *ret is set in any case and must be cleared. */
int aero_updater_run(const char *program, const struct aero_hosts_paths *paths,
	int64_t timeout_ms, struct aero_updater_result *ret, struct aero_err *err);
void aero_updater_result_clear(struct aero_updater_result *result);

/* The text at paths->legacy (dry runs) or paths->good (the daemon, when the updater
 * fails), which must be a regular file and no symlink. AERO_MISS when there is none. */
int aero_legacy_read(const char *path, char **ret, size_t *ret_len, struct aero_err *err);

#endif
