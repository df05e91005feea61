/* SPDX-License-Identifier: MIT */
/* Read the published mirror again now and then and compare its digest: what a disk or a
 * stray write did to it is found before a look-up meets it. In a short-lived thread, so
 * that no publish waits: it shares nothing but what is here. */
#ifndef AERO_SYNCD_SCRUB_H
#define AERO_SYNCD_SCRUB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mirror/publish.h"

struct aero_scrub {
	int64_t due; /* ms of aero_clock_ms: the next one */
	bool started;
	atomic_bool done;
	pthread_t thread;
	const char *path;
	int rc;
	struct aero_publish_error err;
};

/* At its time begin one, each period_ms; path must outlive it. True: the last one found
 * damage, which is told once; why then says what. */
bool aero_scrub_step(struct aero_scrub *scrub, const char *path, int64_t now,
	int64_t period_ms, const char **ret_why);
/* Wait for one that runs. */
void aero_scrub_end(struct aero_scrub *scrub);

#endif
