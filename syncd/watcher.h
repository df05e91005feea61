/* SPDX-License-Identifier: MIT */
/*
 * The thread that follows the store: CONNECT, FULL, WATCH, BACKOFF. It alone calls the
 * driver, which may block, and hands what it gets to the main thread.
 */
#ifndef AERO_SYNCD_WATCHER_H
#define AERO_SYNCD_WATCHER_H

#include "lib/watch.h"

struct aero_watcher;

/* Start; the watcher owns store from here on, also on failure. from (may be empty): where
 * the last watch stood. Signals must be blocked already. */
int aero_watcher_start(struct aero_store *store, const struct aero_position *from,
	int poll_interval, struct aero_watcher **ret, struct aero_err *err);

/* Readable when there is something to take or the state has changed. */
int aero_watcher_fd(const struct aero_watcher *watcher);

struct aero_news {
	struct aero_batch batch;
	int64_t began;   /* FULL, POLL: unix ms before it was asked for */
	int64_t arrived; /* aero_unix_ns */
};

/* The next batch in order; false: none. */
bool aero_watcher_take(struct aero_watcher *watcher, struct aero_news *ret);
void aero_news_clear(struct aero_news *news);

struct aero_watcher_state {
	const char *mode;     /* starting, backoff, or what aero_watch_mode says */
	char error[512];      /* of the last failure; '' when connected */
	int64_t last_contact; /* unix ms; 0 = never */
	int64_t reconnects;
	int64_t alive; /* aero_clock_ms at which the thread last moved, or has yet to */
};

void aero_watcher_state(struct aero_watcher *watcher, struct aero_watcher_state *ret);

/* Read the whole collection again, now. */
void aero_watcher_resync(struct aero_watcher *watcher);

/* End the thread; false if it is stuck in the driver: it and its memory are then left to
 * the end of the process, which must come by _exit. */
bool aero_watcher_stop(struct aero_watcher *watcher, int64_t timeout_ms);

#endif
