/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "register/mutant.h"
#include "register/reap.h"

void aero_reap_begin(struct aero_reap *reap, struct aero_store *store,
	const char *instance_id, const struct aero_slot *slot)
{
	*reap = (struct aero_reap){
		.store = store,
		.instance_id = instance_id,
		.slot = slot,
		.why = "",
		.step = AERO_REAP_B1,
	};
}

static int next(struct aero_reap *reap, enum aero_reap_step step)
{
	reap->step = step;
	return AERO_OK;
}

static int blank_next(struct aero_reap *reap)
{
	return next(reap, reap->slot != NULL ? AERO_REAP_B3_BLANK : AERO_REAP_DONE);
}

/* B4: a certificate of either kind needs no evidence anew. A slot that a late claim took
 * after it is read with the certificate there. */
void aero_reap_known(struct aero_reap *reap, const struct aero_node *node)
{
	reap->node = *node;
	reap->step = reap->slot != NULL && (node->left || node->dead) ? AERO_REAP_B3_BLANK
								      : AERO_REAP_B2;
}

static int step_b1(struct aero_reap *reap, struct aero_err *err)
{
	struct aero_node node;
	int rc = aero_store_node(reap->store, reap->instance_id, &node, err);

	if (rc == AERO_OK)
		aero_reap_known(reap, &node);
	return rc;
}

/* Write dead as given, if nobody wrote the node since B1. */
static int certify(struct aero_reap *reap, bool dead, struct aero_err *err)
{
	int rc;

	if (AERO_MUTANT(CERTIFICATE_WITHOUT_GEN))
		(void)aero_store_node(reap->store, reap->instance_id, &reap->node, err);
	rc = aero_store_node_update(reap->store, reap->instance_id, &reap->node,
		reap->node.left, dead, dead ? reap->why : "", err);
	return rc;
}

static int step_b3_certify(struct aero_reap *reap, struct aero_err *err)
{
	int rc = certify(reap, true, err);

	if (rc != AERO_OK && rc != AERO_MISS)
		return rc;
	reap->certified = rc == AERO_OK;
	return blank_next(reap);
}

static int step_b3_blank(struct aero_reap *reap, struct aero_err *err)
{
	struct aero_slot_match match = {
		.hostname = reap->slot->hostname,
		.occupant = {reap->instance_id},
		.match_reg = !AERO_MUTANT(REAP_WITHOUT_REG),
		.reg = reap->slot->reg,
	};
	struct aero_slot_change change = {.blank = true};
	int rc = aero_store_slot_update(reap->store, &match, &change, err);

	if (rc != AERO_OK && rc != AERO_MISS)
		return rc;
	reap->blanked = rc == AERO_OK;
	return next(reap, AERO_REAP_DONE);
}

static int step_b5(struct aero_reap *reap, struct aero_err *err)
{
	int rc = certify(reap, false, err);

	if (rc != AERO_OK && rc != AERO_MISS)
		return rc;
	reap->cleared = rc == AERO_OK;
	return next(reap, AERO_REAP_DONE);
}

/* B2 waits for aero_reap_judge, and DONE is the end. */
static int step_none(struct aero_reap *reap, struct aero_err *err)
{
	(void)reap;
	(void)err;
	return AERO_OK;
}

static const struct {
	int (*run)(struct aero_reap *reap, struct aero_err *err);
	const char *words;
} steps[] = {
	[AERO_REAP_DONE] = {step_none, "done"},
	[AERO_REAP_B1] = {step_b1, "B1 read the node"},
	[AERO_REAP_B2] = {step_none, "B2 get the evidence"},
	[AERO_REAP_B3_CERTIFY] = {step_b3_certify, "B3 certify the death"},
	[AERO_REAP_B3_BLANK] = {step_b3_blank, "B3 blank the slot"},
	[AERO_REAP_B5] = {step_b5, "B5 take the certificate back"},
};

int aero_reap_step(struct aero_reap *reap, struct aero_err *err)
{
	return steps[reap->step].run(reap, err);
}

void aero_reap_judge(struct aero_reap *reap, enum aero_evidence evidence, const char *why)
{
	if (reap->step != AERO_REAP_B2)
		return;
	reap->step = AERO_REAP_DONE;
	if (evidence == AERO_EVIDENCE_DEAD && !reap->node.dead) {
		reap->why = why;
		reap->step = AERO_REAP_B3_CERTIFY;
	} else if (evidence == AERO_EVIDENCE_RUNS && reap->node.dead) {
		reap->step = AERO_REAP_B5;
	}
}

const char *aero_reap_words(enum aero_reap_step step)
{
	return steps[step].words;
}
