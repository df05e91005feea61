/* SPDX-License-Identifier: MIT */
/*
 * B: take the name of a dead or released instance away, one candidate at a time, as a
 * machine like that of actor.h: one step is one store operation. The order is the rule:
 *
 *   the slot is read (by the caller, as one of its listing)
 *   B1  the instance's node is read
 *   B2  then, and not before, the caller gets its evidence: aero_reap_judge
 *   B3  dead: certificate, then (whatever that answered) the slot is blanked
 *   B5  runs, but is certified dead: the certificate is taken back
 *
 * A pass over many candidates takes them all to B2, asks the cloud once, and goes on.
 */
#ifndef AERO_REGISTER_REAP_H
#define AERO_REGISTER_REAP_H

#include "lib/store.h"

enum aero_reap_step {
	AERO_REAP_DONE,
	AERO_REAP_B1,
	AERO_REAP_B2,
	AERO_REAP_B3_CERTIFY,
	AERO_REAP_B3_BLANK,
	AERO_REAP_B5,
	AERO_N_REAP_STEPS
};

enum aero_evidence {
	AERO_EVIDENCE_NONE, /* nobody knows: nothing is done */
	AERO_EVIDENCE_RUNS,
	AERO_EVIDENCE_DEAD,
};

struct aero_reap {
	/* Lent. */
	struct aero_store *store;
	const char *instance_id;
	const struct aero_slot *slot; /* NULL: the node alone */
	const char *why;              /* of the death, in words */

	enum aero_reap_step step;
	struct aero_node node;
	bool certified; /* this run wrote the certificate */
	bool cleared;   /* or took it back */
	bool blanked;   /* it took the name away */
};

/* slot is one that instance_id held when it was listed, or NULL: B4's node that an open
 * op promotes, or one with a certificate that may be taken back. */
void aero_reap_begin(struct aero_reap *reap, struct aero_store *store,
	const char *instance_id, const struct aero_slot *slot);

/* Instead of B1: the node as a reading of all showed it, before the evidence. */
void aero_reap_known(struct aero_reap *reap, const struct aero_node *node);

/* One store operation; none at B2 and DONE. AERO_OK, or the store's code: the candidate
 * is given up, the next pass finds it again. */
int aero_reap_step(struct aero_reap *reap, struct aero_err *err);

/* At B2: what was found out after B1. why is lent until the end (for DEAD alone). */
void aero_reap_judge(
	struct aero_reap *reap, enum aero_evidence evidence, const char *why);

/* "B1 read the node" and so on. */
const char *aero_reap_words(enum aero_reap_step step);

#endif
