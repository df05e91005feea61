/* SPDX-License-Identifier: MIT */
/* The legacy updater: a program of the user's that leaves /etc/hosts.legacy. Start; step
 * its child (lib/child.h) until that is over; then finish. */
#ifndef AERO_LEGACY_UPDATER_H
#define AERO_LEGACY_UPDATER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "legacy/paths.h"
#include "lib/child.h"
#include "lib/err.h"

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

/* Run `program` (argv = {PATH}, environment PATH, HOME, AEROSTAT_LEGACY) for at most
 * timeout_ms. now is aero_clock_ms (lib/loop.h).
 * AERO_REFUSED: it cannot be run. paths must live as long as the updater. */
int aero_updater_start(const char *program, const struct aero_hosts_paths *paths,
	int64_t timeout_ms, int64_t now, struct aero_updater **ret, struct aero_err *err);
/* Its process, to poll and step; it goes with the updater. */
struct aero_child *aero_updater_child(const struct aero_updater *updater);
/* Its child is over. How it went: the legacy text, kept as the last good copy too, or
 * AERO_REFUSED with the reason. *ret is set in both cases and must be cleared. */
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
