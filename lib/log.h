/* SPDX-License-Identifier: MIT */
/* The log: stderr, one line per event, `TIME LEVEL what: why key=value`, or `<N>` and no
 * TIME under journald (JOURNAL_STREAM). Only main functions and loops log; library code
 * returns errors. Thread-safe: a line is one write(2). Line breaks, control characters,
 * what turns the direction of writing and what is no UTF-8 are escaped: no user string
 * can fake a line or drive a terminal. */
#ifndef AERO_LIB_LOG_H
#define AERO_LIB_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum aero_level {
	AERO_DEBUG,
	AERO_INFO,
	AERO_WARNING,
	AERO_ERROR,
	AERO_CRITICAL,
};

void aero_log_level(enum aero_level least);
void aero_log(enum aero_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Quote a string for a log line: "..." with C escapes, cut to fit. Returns buf. */
const char *aero_quote(const char *text, char *buf, size_t size);
/* A text from outside in a line for people: as it is where it has plain characters alone,
 * else quoted in buf. */
const char *aero_show(const char *text, char *buf, size_t size);

#endif
