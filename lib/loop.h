/* SPDX-License-Identifier: MIT */
/* What the loops of daemons share: signals, clocks, back-off, readiness. */
#ifndef AERO_LIB_LOOP_H
#define AERO_LIB_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

/* Block TERM, INT, HUP, USR1, CHLD in this and all later threads, and PIPE for good.
 * Returns a signalfd for them, or -1 with errno. */
int aero_signals(void);

int64_t aero_clock_ms(void); /* CLOCK_MONOTONIC */
int64_t aero_unix_ms(void);
int64_t aero_unix_ns(void);

/* Within a fifth of it, at random, so that many do not keep in step. */
int64_t aero_jitter_ms(int64_t ms);
/* Full jitter: uniform in [0, min(cap, base * 2^attempt)], ms; rnd is a random number. */
int64_t aero_backoff_ms(unsigned attempt, int64_t base, int64_t cap, uint64_t rnd);

/* 64 random bits (getrandom). */
uint64_t aero_random(void);

/* Tell the service manager: "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...". Does
 * nothing without NOTIFY_SOCKET. */
void aero_notify(const char *state);
/* Half of WATCHDOG_USEC in ms, or 0 without a watchdog. */
int64_t aero_watchdog_ms(void);

#endif
