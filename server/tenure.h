/* SPDX-License-Identifier: MIT */
/* reap.json: what the passes know of each tenure (who is in a slot since when), so that
 * counters of several passes outlive the daemon, and passes of --once add up. */
#ifndef AERO_SERVER_TENURE_H
#define AERO_SERVER_TENURE_H

#include "lib/conf.h"
#include "lib/err.h"
#include "server/lease.h"
#include "server/rules.h"

struct aero_tenure {
	char *hostname, *instance_id, *service;
	int64_t reg, epoch;
	struct aero_tally tally; /* since_ms: CLOCK_BOOTTIME of this boot */
};

/* By hostname once aero_tenures_sort was called. */
struct aero_tenures {
	struct aero_tenure *v;
	size_t n;
	bool known;              /* a pass was before: what is not in here is new */
	struct aero_lease lease; /* times of this boot */
};

/* Append copies; false when out of memory. */
bool aero_tenures_add(struct aero_tenures *tenures, const struct aero_tenure *tenure);
void aero_tenures_sort(struct aero_tenures *tenures);
struct aero_tenure *aero_tenures_find(
	const struct aero_tenures *tenures, const char *hostname);
void aero_tenures_clear(struct aero_tenures *tenures);

/* Read the file into *ret (empty). None: empty, not known. What another boot wrote keeps
 * its counters, but its times begin anew. A file that cannot be understood is a warning
 * in the log, and as if there were none: nobody dies sooner by it. */
int aero_tenures_load(const struct aero_conf *conf, int64_t now_ms,
	struct aero_tenures *ret, struct aero_err *err);
int aero_tenures_save(const struct aero_conf *conf, const struct aero_tenures *tenures,
	struct aero_err *err);

/* The text of the file: pure. boot: this boot's id. AERO_BAD: it is none. */
int aero_tenures_parse(const char *text, size_t len, const char *boot, int64_t now_ms,
	struct aero_tenures *ret, struct aero_err *err);
char *aero_tenures_text(const struct aero_tenures *tenures, const char *boot);

/* CLOCK_BOOTTIME, ms: it goes on while the machine sleeps. */
int64_t aero_boot_ms(void);

#endif
