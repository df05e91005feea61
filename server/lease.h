/* SPDX-License-Identifier: MIT */
/*
 * cloud: lease (DESIGN 8): who lives, by the heartbeats in the collection itself. Pure.
 *
 * A node that was seen within `lease` runs; one that was not is absent, never dead by
 * word: the guard and the passes of rules.h hold. One that was never seen sends none, and
 * is not judged.
 *
 * Ages are by the store's clock alone. Where nobody could be seen, age proves nothing:
 * the store was away, or took no writes, or its clock jumped (a failover to a member
 * whose clock is another), or nobody looked. Each of these begins a quiet time of one
 * lease, in which whoever lives is seen again, and in which the listing counts for
 * nothing. It shows as:
 *   - the first pass, or a pause between two passes that could read
 *   - the store's clock and ours went on by different amounts
 *   - the fleet's newest heartbeat is older than half a lease: as they come each
 *     third of a lease, that is so before the first living node is overdue
 *   - none was written for as long: a jump leaves some that were ahead of the
 *     clock, and look new when it comes to them
 *
 * What falls between two passes and shows in none is over by the first that finds a
 * living node overdue: its name goes only if it is so for half a lease more, in which
 * whoever lives is seen.
 */
#ifndef AERO_SERVER_LEASE_H
#define AERO_SERVER_LEASE_H

#include <stdint.h>

#include "lib/conf.h"
#include "server/cloud.h"
#include "server/view.h"

/* Between passes: in reap.json. ms; all 0: there was no pass. */
struct aero_lease {
	int64_t store_ms; /* the store's clock at the last pass that read it */
	int64_t boot_ms;  /* ours (aero_boot_ms), then */
	int64_t quiet_ms; /* ours, when the quiet time began */
	int64_t sum;      /* of all heartbeats, so that a new one shows */
	int64_t sum_ms;   /* ours, when it was seen to change */
};

/* The heartbeats of all nodes. */
struct aero_lease_beats {
	int64_t newest; /* that the store's clock has come to; 0 = none */
	int64_t sum;    /* modulo 2^63 */
};

struct aero_lease_limits {
	int64_t lease_ms;
	int64_t pause_ms;  /* between two passes; more is a break */
	int64_t step_ms;   /* by which the two clocks may differ */
	int64_t absent_ms; /* of a node that is overdue, until its name goes */
};
struct aero_lease_limits aero_lease_limits(const struct aero_conf *conf);

/* A pass has read the clocks and the heartbeats. NULL: go on as before; else why a quiet
 * time begins now. */
const char *aero_lease_read(struct aero_lease *lease,
	const struct aero_lease_limits *limits, int64_t store_ms, int64_t boot_ms,
	const struct aero_lease_beats *beats);
/* How much of the quiet time is left, at the last pass that read; 0: the listing counts.
 */
int64_t aero_lease_quiet_ms(
	const struct aero_lease *lease, const struct aero_lease_limits *limits);

/* RUNS or ABSENT, of a node that was seen then. */
enum aero_sight aero_lease_sight(
	const struct aero_lease_limits *limits, int64_t store_ms, int64_t seen_at);
/* "last seen 12 s ago", "never seen". */
const char *aero_lease_words(int64_t store_ms, int64_t seen_at, char buf[static 64]);

/* The listing of a pass: who was seen when, sorted; the store's clock was read before the
 * view. AERO_AGAIN: it is there, but counts for nothing, and err says why; AERO_NOMEM. */
int aero_lease_list(struct aero_lease *lease, const struct aero_conf *conf,
	const struct aero_view *view, int64_t store_ms, int64_t boot_ms,
	struct aero_listing *ret, struct aero_err *err);

#endif
