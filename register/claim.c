/* SPDX-License-Identifier: MIT */
/* R: register me. A (aliases) comes before every claim: two racing claimants may then
 * both keep an alias, but never both lose it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/names.h"
#include "register/mutant.h"
#include "register/steps.h"

static const char *my_type(const struct aero_actor *actor)
{
	return actor->masterful ? "masterful" : "iterative";
}

/* By us; also by another newcomer a moment before us. */
static bool was_appended(const struct aero_actor *actor)
{
	bool masterful = actor->masterful;
	int64_t first = aero_pick_number(actor->appended, actor->service, masterful);

	return strcmp(actor->appended, actor->hostname) == 0 ||
	       (first >= 0 && aero_pick_number(actor->hostname, actor->service,
				      masterful) > first);
}

static int acknowledged(struct aero_actor *actor)
{
	(void)snprintf(
		actor->hostname, sizeof(actor->hostname), "%s", actor->slot.hostname);
	actor->how = AERO_HOW_HELD;
	if (actor->had_none)
		actor->how = AERO_HOW_GAP;
	if (actor->had_none && !actor->hole && was_appended(actor))
		actor->how = AERO_HOW_NEW;
	return aero_next(actor, AERO_STEP_DONE);
}

int aero_step_R0(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_store_node(actor->store, actor->me->instance_id, &actor->node, err);

	actor->aliases_done = false;
	if (rc != AERO_OK)
		return rc;
	if (actor->node.dead && !AERO_MUTANT(DEAD_MAY_REGISTER))
		return aero_err_set(err, AERO_AGAIN,
			"instance %.64s was declared dead (%s): it registers again once "
			"aerostatd has seen it running",
			actor->me->instance_id, actor->node.why);
	if (actor->node.left && !actor->asked)
		return aero_err_set(err, AERO_REFUSED, "instance %.64s was released",
			actor->me->instance_id);
	return aero_next(actor, AERO_STEP_R1);
}

int aero_step_R1(struct aero_actor *actor, struct aero_err *err)
{
	bool dead = AERO_MUTANT(DEAD_MAY_REGISTER) && actor->node.dead;
	int rc = aero_store_node_update(actor->store, actor->me->instance_id,
		&actor->node, false, dead, actor->node.why, err);

	if (rc == AERO_MISS)
		return aero_lost(actor, AERO_STEP_R0);
	return rc == AERO_OK ? aero_next(actor, AERO_STEP_R1B) : rc;
}

int aero_step_R1B(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_read_control(actor, err);

	if (rc != AERO_OK)
		return rc;
	return actor->op.open ? aero_help(actor) : aero_next(actor, AERO_STEP_R2_FIND);
}

/* What follows once my slot, or that I have none, is known and my aliases are mine. */
static int claim_or_renew(struct aero_actor *actor)
{
	if (actor->slot.hostname == NULL)
		return aero_next(actor, actor->masterful ? AERO_STEP_R3 : AERO_STEP_R4);
	if (*actor->slot.hostname == '\0')
		return aero_next(actor, AERO_STEP_N_BLANK);
	return aero_next(actor, AERO_STEP_R2_RENEW);
}

/* What a client put into the collection may be no name for a machine. */
int aero_check_name(const char *name, struct aero_err *err)
{
	static char dot[] = ".", *dots[] = {dot};
	static const struct aero_list all = {dots, 1};
	const char *why = *name == '\0' ? NULL : aero_name_refuse(name, true, NULL, &all);
	char shown[100];

	if (why == NULL && strlen(name) >= AERO_HOSTNAME_SIZE)
		why = "longer than 63 bytes";
	if (why == NULL)
		return AERO_OK;
	return aero_err_set(err, AERO_REFUSED,
		"the slot of this node is called %s, which may not answer (%s): mend the "
		"document, or release the node first (`aerostat release`)",
		aero_quote(name, shown, sizeof(shown)), why);
}

int aero_step_R2_FIND(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_read_held(actor, actor->me->instance_id, err);

	if (rc != AERO_OK && rc != AERO_MISS)
		return rc;
	if (rc == AERO_OK && *actor->slot.service != '\0' &&
		strcmp(actor->slot.service, actor->service) != 0)
		return aero_err_set(err, AERO_REFUSED,
			"this node is %.64s; release it first (`aerostat release`), then "
			"register it with service %s",
			actor->slot.hostname, actor->service);
	if (rc == AERO_OK)
		rc = aero_check_name(actor->slot.hostname, err);
	if (rc != AERO_OK && rc != AERO_MISS)
		return rc;
	actor->had_none = actor->had_none || rc == AERO_MISS;
	if (!actor->aliases_done && actor->me->aliases.n > 0)
		return aero_next(actor, AERO_STEP_ALIASES);
	return claim_or_renew(actor);
}

int aero_step_ALIASES(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_store_aliases_take(
		actor->store, &actor->me->aliases, actor->me->instance_id, err);

	if (rc != AERO_OK)
		return rc;
	actor->aliases_done = true;
	return claim_or_renew(actor);
}

int aero_step_R2_RENEW(struct aero_actor *actor, struct aero_err *err)
{
	struct aero_slot_match match = {
		.hostname = actor->slot.hostname,
		.occupant = {actor->me->instance_id},
		.match_reg = true,
		.reg = actor->slot.reg,
	};
	struct aero_slot_change change = {
		.who = actor->me,
		.reg = aero_tenure(actor),
		.renew = true,
		.service_type = my_type(actor),
	};
	int rc;

	if (AERO_MUTANT(RENEW_KEEPS_REG) && actor->slot.reg != 0)
		change.reg = actor->slot.reg;
	rc = aero_store_slot_update(actor->store, &match, &change, err);

	if (rc == AERO_MISS || rc == AERO_DUP_INSTANCE)
		return aero_lost(actor, AERO_STEP_R1B);
	return rc == AERO_OK ? acknowledged(actor) : rc;
}

/* N: a document without a hostname, left by the original half-way through a swap. Nobody
 * sees it, but it would keep us from any other slot. */
int aero_step_N_BLANK(struct aero_actor *actor, struct aero_err *err)
{
	struct aero_slot_match match = {
		.hostname = "",
		.occupant = {actor->me->instance_id},
		.match_reg = true,
		.reg = actor->slot.reg,
	};
	struct aero_slot_change change = {.blank = true};
	int rc = aero_store_slot_update(actor->store, &match, &change, err);

	/* An earlier try of ours may have landed late, or its owner renamed it. */
	if (rc == AERO_MISS)
		return aero_lost(actor, AERO_STEP_R1B);
	return rc == AERO_OK ? aero_next(actor, AERO_STEP_R1B) : rc;
}

int aero_step_R3(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_read_master(actor, err);

	if (rc == AERO_MISS)
		return aero_next(actor, AERO_STEP_R3_INSERT);
	if (rc == AERO_OK)
		rc = aero_check_service(actor, err);
	if (rc != AERO_OK)
		return rc;
	return aero_next(
		actor, aero_slot_blank(&actor->slot) ? AERO_STEP_R3_OPEN : AERO_STEP_R4);
}

int aero_step_R3_INSERT(struct aero_actor *actor, struct aero_err *err)
{
	return aero_insert_master(actor, AERO_STEP_R1B, err);
}

int aero_step_R4(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_claim_gap(actor, actor->me, my_type(actor), err);

	if (rc == AERO_MISS)
		return aero_next(actor, AERO_STEP_R5_FIND);
	if (rc == AERO_DUP_INSTANCE)
		return aero_lost(actor, AERO_STEP_R1B);
	return rc == AERO_OK ? acknowledged(actor) : rc;
}

/* R5 for me, and for the old master while an op is helped (S3). Back at R4 we are no
 * worse off than one who was slow there: what came up meanwhile makes the claim fail. */
static enum aero_step after_append(struct aero_actor *actor)
{
	if (!actor->op.open)
		return AERO_STEP_R4;
	actor->ahead = 0; /* one old master is no crowd */
	return AERO_STEP_S3;
}

/* Alone: one. Whoever is here again has lost to others, who need slots as well. */
static uint8_t how_many(const struct aero_actor *actor)
{
	if (actor->ahead == 0)
		return 1;
	return actor->ahead > actor->ahead_max / 4 ? actor->ahead_max
						   : (uint8_t)(4 * actor->ahead);
}

int aero_step_R5_FIND(struct aero_actor *actor, struct aero_err *err)
{
	struct aero_slots slots = {0};
	int rc = aero_store_slots(actor->store, actor->service, &slots, err);

	if (rc == AERO_OK)
		actor->ahead = how_many(actor);
	if (rc == AERO_OK && aero_pick_gap(&slots, actor->service, NULL) != NULL)
		rc = aero_lost(actor, after_append(actor));
	else if (rc == AERO_OK && !aero_pick_append(&slots, actor->service,
					  actor->masterful || actor->op.open,
					  actor->appended, &actor->hole))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	else if (rc == AERO_OK)
		rc = aero_next(actor, AERO_STEP_R5_INSERT);
	aero_slots_clear(&slots);
	return rc;
}

int aero_step_R5_INSERT(struct aero_actor *actor, struct aero_err *err)
{
	int rc = aero_insert_blanks(actor, actor->appended, actor->ahead, err);

	/* Mostly another newcomer's append: in a crowd nobody looks at once. */
	if (rc == AERO_DUP_HOSTNAME && !actor->op.open && actor->ahead < actor->ahead_max)
		return aero_lost(actor, AERO_STEP_R4);
	if (rc == AERO_DUP_HOSTNAME)
		return aero_next(actor, AERO_STEP_R5_OWNER);
	return rc == AERO_OK ? aero_next(actor, after_append(actor)) : rc;
}

/* A static entry of another service, or of none, would be met for ever. */
int aero_step_R5_OWNER(struct aero_actor *actor, struct aero_err *err)
{
	int rc;

	aero_slot_clear(&actor->slot);
	rc = aero_store_by_hostname(actor->store, actor->appended, &actor->slot, err);
	if (rc == AERO_OK && *actor->slot.service == '\0')
		rc = aero_err_set(err, AERO_REFUSED,
			"the name %.64s that service %.64s needs belongs to a document "
			"without a service: give it one",
			actor->appended, actor->service);
	if (rc == AERO_OK)
		rc = aero_check_service(actor, err);
	if (rc == AERO_OK || rc == AERO_MISS)
		rc = aero_lost(actor, after_append(actor));
	return rc;
}
