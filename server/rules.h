/* SPDX-License-Identifier: MIT */
/*
 * Who of the nodes that hold a name is dead, judged by what the cloud listed (DESIGN 8).
 * Pure: no clock, no file, no network. Nobody dies of an error: only of what a complete
 * listing said, and only within the guard.
 */
#ifndef AERO_SERVER_RULES_H
#define AERO_SERVER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one listing says of one instance. */
enum aero_sight {
	AERO_SIGHT_ABSENT, /* it is not in there */
	AERO_SIGHT_RUNS,
	AERO_SIGHT_DEAD, /* it is, as one that has ended */
};

/* What earlier passes left about a tenure; {0} for one that is seen for the first time.
 */
struct aero_tally {
	int64_t since_ms;  /* when it was seen first; 0 = it never was */
	unsigned absent;   /* complete passes in a row without it */
	unsigned dead;     /* complete passes in a row that called it dead */
	int64_t absent_ms; /* with absent: when the first of these was */
};

/* clang-format off */
/* X(verdict, the name goes, words for people) */
#define AERO_VERDICT_MAP(X)                                                              \
	X(RUNS, false, "runs")                                                           \
	X(FOREIGN, false, "an id that this cloud cannot know")                           \
	X(NO_LISTING, false, "the cloud gave no complete listing")                       \
	X(NONE_OF_OURS, false, "the listing has none of our instances")                  \
	X(ABSENT, false, "not listed, but not for long enough passes")                   \
	X(YOUNG, false, "not listed, but within the grace time")                         \
	X(HELD, false, "held by the guard: too many at once")                            \
	X(DEAD_TOLD, true, "the cloud says that it has ended")                           \
	X(DEAD_ABSENT, true, "the cloud does not know it any more")
/* clang-format on */

enum aero_verdict {
#define AERO_X(verdict, goes, words) AERO_VERDICT_##verdict,
	AERO_VERDICT_MAP(AERO_X)
#undef AERO_X
		AERO_N_VERDICTS
};

/* One slot with an occupant. */
struct aero_candidate {
	bool judgeable;            /* its id is of the form that this cloud gives out */
	enum aero_sight sight;     /* where there is a complete listing */
	struct aero_tally tally;   /* before the pass; afterwards for the next one */
	enum aero_verdict verdict; /* what came of it */
};

struct aero_rules {
	unsigned absent_passes; /* of 0 and 1 the first absence counts */
	int64_t absent_ms;      /* and for so long, from the first absence on */
	int64_t grace_ms;
	unsigned cap_percent, cap_min; /* the guard: the larger of the two may go */
	bool force;                    /* the guard is off, for this pass */
};

struct aero_judgement {
	size_t judged;   /* candidates whose id the cloud can know */
	size_t proposed; /* of them dead, or absent for long enough passes */
	size_t cap;      /* so many may go in one pass */
	size_t going;
	bool guarded; /* proposed was over the cap, and force not given */
};

/* Explicit evidence passes the guard after so many complete passes that agree. */
#define AERO_RULES_AGREE 3

/* Judge all candidates of a pass. listed: there is a complete listing. now_ms is of the
 * clock that tally.since_ms was read from and is over 0. */
struct aero_judgement aero_rules_judge(const struct aero_rules *rules, bool listed,
	struct aero_candidate *v, size_t n, int64_t now_ms);

/* So many of n may go at once. */
size_t aero_rules_cap(const struct aero_rules *rules, size_t n);

bool aero_verdict_goes(enum aero_verdict verdict);
const char *aero_verdict_words(enum aero_verdict verdict);

#endif
