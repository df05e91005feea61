/* SPDX-License-Identifier: MIT */
/* S, V, F: help an open change-over to its end. p is the instance to make master, m the
 * one to replace. "p's slot, then control, then V" is what makes a slow helper harmless:
 * an op does not close while p sits in that tenure, but through F, when p is dead or
 * left. */
#include "config.h"

#include <string.h>

#include "register/mutant.h"
#include "register/steps.h"

int aero_help(struct aero_actor *actor)
{
	actor->epoch = actor->op.epoch;
	actor->mine = aero_is_me(actor, actor->op.promote.instance_id);
	return aero_next(actor, AERO_STEP_S1);
}

/* The op is closed, by us or by another. */
static int helped(struct aero_actor *actor)
{
	actor->op.open = false;
	if (actor->mine && actor->first == AERO_STEP_C0)
		return aero_next(actor, AERO_STEP_CE);
	return aero_next(actor, actor->back);
}

static struct aero_slot_match master_match(
	const struct aero_actor *actor, char name[static AERO_HOSTNAME_SIZE])
{
	aero_pick_master(actor->service, name);
	return (struct aero_slot_match){.hostname = name, .epoch_below = actor->epoch};
}

int aero_step_S0(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_read_control(actor, err);

	if (rc != AERO_OK)
		return rc;
	return actor->op.open ? aero_help(actor) : aero_next(actor, AERO_STEP_DONE);
}

int aero_step_S1(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_store_node(
		actor->store, actor->op.promote.instance_id, &actor->node, err);

	if (rc != AERO_OK)
		return rc;
	if (!actor->node.dead && !actor->node.left)
		return aero_next(actor, AERO_STEP_S2);
	return aero_next(actor, AERO_MUTANT(NO_FENCE) ? AERO_STEP_S3 : AERO_STEP_F);
}

int aero_step_S2(struct aero_actor *actor, struct aero_err *err)
{
	char name[AERO_HOSTNAME_SIZE];
	struct aero_slot_match match = master_match(actor, name);
	struct aero_slot_change change = {
		.who = &actor->op.promote,
		.reg = aero_tenure(actor),
		.epoch = actor->epoch,
		.service_type = "masterful",
	};
	int rc;

	if (AERO_MUTANT(NO_MASTER_EPOCH))
		match.epoch_below = 0;
	match.occupant[0] = "";
	if (*actor->op.master.instance_id != '\0')
		match.occupant[1] = actor->op.master.instance_id;
	rc = aero_store_slot_update(actor->store, &match, &change, err);
	if (rc == AERO_MISS)
		return aero_next(actor, AERO_STEP_S2C);
	if (rc == AERO_DUP_INSTANCE)
		return aero_next(actor, AERO_STEP_V0);
	return rc == AERO_OK ? aero_next(actor, AERO_STEP_S3) : rc;
}

int aero_step_S2C(struct aero_actor *actor, struct aero_err *err)
{
	const char *held_by;
	int rc = aero_read_master(actor, err);

	if (rc == AERO_MISS)
		return aero_next(actor, AERO_STEP_S2_INSERT);
	if (rc == AERO_OK)
		rc = aero_check_service(actor, err);
	if (rc != AERO_OK)
		return rc;
	held_by = actor->slot.who.instance_id;
	if (actor->slot.epoch == actor->epoch)
		return aero_next(actor, AERO_STEP_S3);
	if (actor->slot.epoch > actor->epoch)
		return aero_next(actor, AERO_STEP_S4);
	if (*held_by != '\0' && strcmp(held_by, actor->op.master.instance_id) != 0)
		return aero_next(actor, AERO_STEP_F);
	return aero_lost(actor, AERO_STEP_S1);
}

int aero_step_S2_INSERT(struct aero_actor *actor, struct aero_err *err)
{
	return aero_insert_master(actor, AERO_STEP_S1, err);
}

int aero_step_V0(struct aero_actor *actor, struct aero_err *err)
{
	char master[AERO_HOSTNAME_SIZE];
	int rc = aero_read_held(actor, actor->op.promote.instance_id, err);

	if (rc != AERO_OK && rc != AERO_MISS)
		return rc;
	aero_pick_master(actor->service, master);
	if (rc == AERO_MISS || strcmp(actor->slot.hostname, master) == 0)
		return aero_lost(actor, AERO_STEP_S1);
	/* p went over to another service: its tenure there is no business of this op. */
	if (aero_check_service(actor, NULL) != AERO_OK)
		return aero_next(actor, AERO_STEP_F);
	return aero_next(actor,
		AERO_MUTANT(NO_CONTROL_BEFORE_V) ? AERO_STEP_V : AERO_STEP_V0_CONTROL);
}

int aero_step_V0_CONTROL(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_read_control(actor, err);

	if (rc != AERO_OK)
		return rc;
	if (!actor->op.open || actor->op.epoch != actor->epoch)
		return helped(actor);
	return aero_next(actor, AERO_STEP_V);
}

int aero_step_V(struct aero_actor *actor, struct aero_err *err)
{
	struct aero_slot_match match = {
		.hostname = actor->slot.hostname,
		.occupant = {actor->op.promote.instance_id},
		.match_reg = !AERO_MUTANT(VACATE_WITHOUT_REG),
		.reg = actor->slot.reg,
	};
	struct aero_slot_change change = {.blank = true};
	int rc = aero_store_slot_update(actor->store, &match, &change, err);

	return rc == AERO_OK || rc == AERO_MISS ? aero_next(actor, AERO_STEP_S1) : rc;
}

int aero_step_F(struct aero_actor *actor, struct aero_err *err)
{
	char name[AERO_HOSTNAME_SIZE];
	struct aero_slot_match match = master_match(actor, name);
	struct aero_slot_change change = {.epoch = actor->epoch};
	int rc = aero_store_slot_update(actor->store, &match, &change, err);

	if (rc != AERO_OK && rc != AERO_MISS)
		return rc;
	/* An S2 of this op may have been quicker than the death or the release of p: m
	 * then needs its place all the same. */
	return aero_next(actor, AERO_MUTANT(NO_S3_AFTER_F) ? AERO_STEP_S4 : AERO_STEP_S3);
}

int aero_step_S3(struct aero_actor *actor, struct aero_err *err)
{
	int rc;

	if (*actor->op.master.instance_id == '\0')
		return aero_next(actor, AERO_STEP_S4);
	rc = aero_read_held(actor, actor->op.master.instance_id, err);
	if (rc == AERO_MISS)
		return aero_next(actor, AERO_STEP_S3_NODE);
	return rc == AERO_OK ? aero_next(actor, AERO_STEP_S4) : rc;
}

int aero_step_S3_NODE(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_store_node(
		actor->store, actor->op.master.instance_id, &actor->node, err);

	if (rc != AERO_OK)
		return rc;
	return aero_next(actor,
		actor->node.dead || actor->node.left ? AERO_STEP_S4 : AERO_STEP_S3_CLAIM);
}

int aero_step_S3_CLAIM(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_claim_gap(actor, &actor->op.master, "masterful", err);

	if (rc == AERO_MISS)
		return aero_next(actor, AERO_STEP_R5_FIND);
	if (rc == AERO_OK || rc == AERO_DUP_INSTANCE)
		return aero_next(actor, AERO_STEP_S4);
	return rc;
}

int aero_step_S4(struct aero_actor *actor, struct aero_err *err)
{
	int rc =
		aero_store_control_close(actor->store, actor->service, actor->epoch, err);

	return rc == AERO_OK || rc == AERO_MISS ? helped(actor) : rc;
}
