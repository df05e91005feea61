/* SPDX-License-Identifier: MIT */
/* L: give my name back. `left` is written first: what is still under way for me then
 * finds it, and the server ends what a crash leaves. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "register/mutant.h"
#include "register/steps.h"

int aero_step_L1_FIND(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_store_node(actor->store, actor->me->instance_id, &actor->node, err);

	if (rc != AERO_OK)
		return rc;
	return aero_next(actor, AERO_MUTANT(NO_LEFT) ? AERO_STEP_L2 : AERO_STEP_L1);
}

int aero_step_L1(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_store_node_update(actor->store, actor->me->instance_id,
		&actor->node, true, actor->node.dead, actor->node.why, err);

	if (rc == AERO_MISS)
		return aero_lost(actor, AERO_STEP_L1_FIND);
	return rc == AERO_OK ? aero_next(actor, AERO_STEP_L2) : rc;
}

static bool names_me(const struct aero_actor *actor)
{
	return actor->op.open && (aero_is_me(actor, actor->op.promote.instance_id) ||
					 aero_is_me(actor, actor->op.master.instance_id));
}

/* Nothing is known of a node that never was in a service: no op can name it. */
static int read_control(struct aero_actor *actor, struct aero_err *err)
{
	return *actor->service == '\0' ? AERO_OK : aero_read_control(actor, err);
}

int aero_step_L2(struct aero_actor *actor, struct aero_err *err)
{
	int rc = read_control(actor, err);

	if (rc != AERO_OK)
		return rc;
	if (names_me(actor))
		return aero_help(actor);
	actor->epoch = actor->op.epoch;
	return aero_next(actor, AERO_STEP_L3_FIND);
}

int aero_step_L3_FIND(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_read_held(actor, actor->me->instance_id, err);

	if (rc == AERO_MISS)
		return aero_next(actor, AERO_STEP_L4);
	return rc == AERO_OK ? aero_next(actor, AERO_STEP_L3) : rc;
}

int aero_step_L3(struct aero_actor *actor, struct aero_err *err)
{
	struct aero_slot_match match = {
		.hostname = actor->slot.hostname,
		.occupant = {actor->me->instance_id},
		.match_reg = true,
		.reg = actor->slot.reg,
	};
	struct aero_slot_change change = {.blank = true};
	int rc = aero_store_slot_update(actor->store, &match, &change, err);

	if (rc == AERO_MISS)
		return aero_lost(actor, AERO_STEP_L2);
	if (rc != AERO_OK)
		return rc;
	(void)snprintf(
		actor->hostname, sizeof(actor->hostname), "%s", actor->slot.hostname);
	/* Old data may hold the instance twice: look again. */
	return aero_next(actor, AERO_STEP_L3_FIND);
}

int aero_step_L4(struct aero_actor *actor, struct aero_err *err)
{
	int rc = read_control(actor, err);

	if (rc != AERO_OK)
		return rc;
	if (actor->op.epoch != actor->epoch || names_me(actor))
		return aero_lost(actor, AERO_STEP_L2);
	return aero_next(actor, AERO_STEP_DONE);
}
