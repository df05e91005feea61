/* SPDX-License-Identifier: MIT */
/*
 * A program of the user's: run without a shell, in a process group of its own, which is
 * ended with it or at the time limit; what it writes to stdout and stderr is kept.
 *
 * In a poll loop: start; then until step returns true, poll the descriptors of
 * aero_child_fds with at most aero_child_wait_ms, and step; then aero_child_check. None
 * of them blocks. The caller must not reap the child (no waitpid(-1)).
 */
#ifndef AERO_LIB_CHILD_H
#define AERO_LIB_CHILD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/list.h"

#define AERO_CHILD_FDS 2
#define AERO_CHILD_OUTPUT 16384 /* bytes of output kept, by default */

struct aero_child;

/* Lent until aero_child_start returns, but for `what`. */
struct aero_child_opts {
	const char *what;            /* for messages: "hook"; must outlive the child */
	char *const *argv;           /* NULL-ended; argv[0] is the path */
	const struct aero_list *env; /* NAME=value; PATH and HOME are always set */
	int64_t timeout_ms;
	size_t output_max; /* 0 = AERO_CHILD_OUTPUT */
};

/* What it wrote; lent until the child is freed. */
struct aero_child_output {
	const char *text; /* NUL-ended */
	size_t len;
	bool cut; /* there was more of it */
};

/* cwd /, stdin /dev/null, all signals as in a fresh login. now is aero_clock_ms
 * (lib/loop.h). AERO_REFUSED: it cannot be run; AERO_AGAIN: not now. */
int aero_child_start(const struct aero_child_opts *opts, int64_t now,
	struct aero_child **ret, struct aero_err *err);
/* Fill in what to poll; how many. */
size_t aero_child_fds(const struct aero_child *child, struct pollfd fds[AERO_CHILD_FDS]);
/* Time until step is due even without an event, ms. */
int64_t aero_child_wait_ms(const struct aero_child *child, int64_t now);
/* Read output, end what is over time, reap. True: it is over. */
bool aero_child_step(struct aero_child *child, int64_t now);
/* Once it is over: AERO_OK for exit 0 in time, else AERO_REFUSED with the reason. */
int aero_child_check(const struct aero_child *child, struct aero_err *err);
void aero_child_output(const struct aero_child *child, struct aero_child_output *ret);
/* Wait for its end, or until stop_fd (-1 = none) becomes readable: AERO_AGAIN. */
int aero_child_wait_or_stop(struct aero_child *child, int stop_fd, struct aero_err *err);
/* Wait for its end. */
void aero_child_wait(struct aero_child *child);
/* Ends a run that is not over, at once. NULL is nothing. */
void aero_child_free(struct aero_child *child);

#endif
