/* SPDX-License-Identifier: MIT */
/* C: make me the master, in one transaction where the store can, else by an op that
 * whoever meets it helps; and R3's claim of a blank one. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "register/steps.h"

/* After an ambiguous answer: an acknowledged write of ours keeps the earlier one from
 * landing late (W2). The certificates stay as they are. */
int aero_step_C_FENCE_FIND(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_store_node(actor->store, actor->me->instance_id, &actor->node, err);

	return rc == AERO_OK ? aero_next(actor, AERO_STEP_C_FENCE) : rc;
}

int aero_step_C_FENCE(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_store_node_update(actor->store, actor->me->instance_id,
		&actor->node, actor->node.left, actor->node.dead, actor->node.why, err);

	if (rc == AERO_MISS)
		return aero_lost(actor, AERO_STEP_C_FENCE_FIND);
	return rc == AERO_OK ? aero_next(actor, AERO_STEP_C0) : rc;
}

int aero_step_C0(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_read_control(actor, err);

	if (rc != AERO_OK)
		return rc;
	return actor->op.open ? aero_help(actor) : aero_next(actor, AERO_STEP_C0_SELF);
}

static int is_master(struct aero_actor *actor)
{
	aero_pick_master(actor->service, actor->hostname);
	actor->how = actor->mine ? AERO_HOW_GAP : AERO_HOW_HELD;
	return aero_next(actor, AERO_STEP_DONE);
}

int aero_step_C0_SELF(struct aero_actor *actor, struct aero_err *err)
{
	char master[AERO_HOSTNAME_SIZE];
	int rc = aero_read_held(actor, actor->me->instance_id, err);

	if (rc == AERO_MISS || (rc == AERO_OK && *actor->slot.hostname == '\0')) {
		actor->epoch = actor->op.epoch;
		return aero_next(actor, AERO_STEP_C0_NONE);
	}
	if (rc != AERO_OK)
		return rc;
	if (aero_check_service(actor, NULL) != AERO_OK)
		return aero_err_set(err, AERO_REFUSED,
			"this node is %.64s of service %.64s, not of %s",
			actor->slot.hostname, actor->slot.service, actor->service);
	aero_pick_master(actor->service, master);
	if (strcmp(actor->slot.hostname, master) == 0)
		return is_master(actor);
	/* Kept aside: the slot is read anew for the master. */
	(void)snprintf(actor->own, sizeof(actor->own), "%s", actor->slot.hostname);
	actor->own_reg = actor->slot.reg;
	aero_occupant_clear(&actor->op.promote);
	if (!aero_occupant_copy(&actor->slot.who, &actor->op.promote))
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	return aero_next(actor, AERO_STEP_C0_MASTER);
}

/* An op that was opened since C0 may be about to give me a name. */
int aero_step_C0_NONE(struct aero_actor *actor, struct aero_err *err)
{
	int64_t seen = actor->epoch;
	int rc = aero_read_control(actor, err);

	if (rc != AERO_OK)
		return rc;
	if (actor->op.open || actor->op.epoch != seen)
		return aero_lost(actor, AERO_STEP_C0);
	return aero_err_set(err, AERO_REFUSED,
		"instance %.64s has no name in service %s: register it first",
		actor->me->instance_id, actor->service);
}

int aero_step_C0_MASTER(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_read_master(actor, err);

	if (rc == AERO_MISS)
		return aero_next(actor, AERO_STEP_C0_INSERT);
	if (rc == AERO_OK)
		rc = aero_check_service(actor, err);
	return rc == AERO_OK ? aero_next(actor, AERO_STEP_C_TXN) : rc;
}

/* What cannot be done in one piece is done by steps, which also say why not at all. */
int aero_step_C_TXN(struct aero_actor *actor, struct aero_err *err)
{
	char master[AERO_HOSTNAME_SIZE];
	struct aero_change_over change = {
		.service = actor->service,
		.epoch = actor->op.epoch + 1,
		.hostname = actor->own,
		.reg = actor->own_reg,
		.promote = &actor->op.promote,
		.master_hostname = master,
		.master_reg = actor->slot.reg,
		.master = &actor->slot.who,
		.new_reg = aero_tenure(actor),
	};
	int rc;

	aero_pick_master(actor->service, master);
	rc = aero_store_change_over(actor->store, &change, err);
	if (rc == AERO_REFUSED)
		return aero_next(actor, AERO_STEP_C1);
	if (rc == AERO_MISS)
		return aero_lost(actor, AERO_STEP_C0);
	if (rc != AERO_OK)
		return rc;
	actor->epoch = change.epoch;
	actor->mine = true;
	return aero_next(actor, AERO_STEP_CE);
}

int aero_step_C0_INSERT(struct aero_actor *actor, struct aero_err *err)
{
	return aero_insert_master(actor, AERO_STEP_C0, err);
}

/* C1, and at once the helper of our own op. again: where a lost race leads. */
static int open_op(struct aero_actor *actor, const struct aero_occupant *promote,
	const struct aero_occupant *master, enum aero_step again, struct aero_err *err)
{
	struct aero_control op = {.open = true, .epoch = actor->op.epoch + 1};
	int rc;

	if (!aero_occupant_copy(promote, &op.promote) ||
		!aero_occupant_copy(master, &op.master)) {
		aero_control_clear(&op);
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	}
	rc = aero_store_control_open(
		actor->store, actor->service, op.epoch, &op.promote, &op.master, err);
	if (rc != AERO_OK) {
		aero_control_clear(&op);
		return rc == AERO_MISS ? aero_lost(actor, again) : rc;
	}
	aero_control_clear(&actor->op);
	actor->op = op;
	return aero_help(actor);
}

int aero_step_C1(struct aero_actor *actor, struct aero_err *err)
{
	return open_op(actor, &actor->op.promote, &actor->slot.who, AERO_STEP_C0, err);
}

int aero_step_R3_OPEN(struct aero_actor *actor, struct aero_err *err)
{
	return open_op(actor, actor->me, &(struct aero_occupant){0}, AERO_STEP_R1B, err);
}

int aero_step_CE(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_read_master(actor, err);

	if (rc == AERO_OK && aero_is_me(actor, actor->slot.who.instance_id))
		return is_master(actor);
	return rc == AERO_OK || rc == AERO_MISS ? aero_next(actor, AERO_STEP_CE_CONTROL)
						: rc;
}

int aero_step_CE_CONTROL(struct aero_actor *actor, struct aero_err *err)
{
	int64_t mine = actor->epoch;
	int rc = aero_read_control(actor, err);

	if (rc != AERO_OK)
		return rc;
	if (actor->op.epoch > mine)
		return aero_err_set(err, AERO_AGAIN,
			"a later change-over of service %s replaced this one",
			actor->service);
	if (actor->op.open)
		return aero_help(actor);
	return aero_err_set(err, AERO_AGAIN,
		"instance %.64s was not made the master of service %s: it is declared "
		"dead or released",
		actor->me->instance_id, actor->service);
}
