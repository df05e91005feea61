/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "register/plan.h"
#include "register/steps.h"

static void take(struct aero_plan *plan, const char *hostname, enum aero_how how)
{
	(void)snprintf(plan->hostname, sizeof(plan->hostname), "%s", hostname);
	plan->how = how;
}

/* The lowest blank slot, or the one to append. */
static int next_name(const struct aero_slots *slots, const char *service, bool masterful,
	const char *vacated, struct aero_plan *plan, struct aero_err *err)
{
	const struct aero_slot *gap = aero_pick_gap(slots, service, vacated);
	char name[AERO_HOSTNAME_SIZE];
	bool hole;

	if (gap != NULL) {
		take(plan, gap->hostname, AERO_HOW_GAP);
		return AERO_OK;
	}
	if (!aero_pick_append(slots, service, masterful, name, &hole))
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	take(plan, name, hole ? AERO_HOW_GAP : AERO_HOW_NEW);
	return AERO_OK;
}

/* The name that the service needs next must be nobody else's. */
static int check_free(struct aero_store *store, const char *service, const char *hostname,
	struct aero_err *err)
{
	struct aero_slot slot = {0};
	int rc = aero_store_by_hostname(store, hostname, &slot, err);

	if (rc == AERO_MISS)
		rc = AERO_OK;
	else if (rc == AERO_OK && strcmp(slot.service, service) != 0)
		rc = aero_err_set(err, AERO_REFUSED,
			"the name %.64s that service %.64s needs belongs to service "
			"'%.64s'",
			hostname, service, slot.service);
	aero_slot_clear(&slot);
	return rc;
}

static int newcomer(struct aero_store *store, const char *service, bool masterful,
	struct aero_plan *plan, struct aero_err *err)
{
	struct aero_slots slots = {0};
	char name[AERO_HOSTNAME_SIZE];
	const struct aero_slot *master;
	int rc = aero_store_slots(store, service, &slots, err);

	aero_pick_master(service, name);
	master = aero_pick_named(&slots, name);
	if (rc == AERO_OK && masterful && master == NULL)
		take(plan, name, AERO_HOW_NEW);
	else if (rc == AERO_OK && masterful && aero_slot_blank(master))
		take(plan, name, AERO_HOW_GAP);
	else if (rc == AERO_OK)
		rc = next_name(&slots, service, masterful, NULL, plan, err);
	if (rc == AERO_OK && aero_pick_named(&slots, plan->hostname) == NULL)
		rc = check_free(store, service, plan->hostname, err);
	aero_slots_clear(&slots);
	return rc;
}

int aero_plan_register(struct aero_store *store, const char *service, bool masterful,
	const char *instance_id, struct aero_plan *ret, struct aero_err *err)
{
	struct aero_plan plan = {0};
	struct aero_slot slot = {0};
	struct aero_node node;
	int rc = aero_store_node(store, instance_id, &node, err);

	if (rc == AERO_OK && node.dead)
		rc = aero_err_set(err, AERO_AGAIN,
			"instance %.64s was declared dead (%s)", instance_id, node.why);
	if (rc != AERO_OK)
		return rc;
	rc = aero_store_by_instance(store, instance_id, &slot, err);
	if (rc == AERO_OK && *slot.service != '\0' && strcmp(slot.service, service) != 0)
		rc = aero_err_set(err, AERO_REFUSED,
			"this node is %.64s; release it first (`aerostat release`)",
			slot.hostname);
	else if (rc == AERO_OK && *slot.hostname != '\0') {
		rc = aero_check_name(slot.hostname, err);
		take(&plan, slot.hostname, AERO_HOW_HELD);
	} else if (rc == AERO_OK || rc == AERO_MISS)
		rc = newcomer(store, service, masterful, &plan, err);
	aero_slot_clear(&slot);
	if (rc == AERO_OK)
		*ret = plan;
	return rc;
}

int aero_plan_master(struct aero_store *store, const char *service,
	const char *instance_id, struct aero_plan *ret, struct aero_err *err)
{
	struct aero_plan plan = {0};
	struct aero_slots slots = {0};
	const struct aero_slot *held, *master;
	char name[AERO_HOSTNAME_SIZE];
	int rc = aero_store_slots(store, service, &slots, err);

	if (rc != AERO_OK)
		goto out;
	aero_pick_master(service, name);
	held = aero_pick_held(&slots, instance_id);
	master = aero_pick_named(&slots, name);
	if (held == NULL || *held->hostname == '\0') {
		rc = aero_err_set(err, AERO_REFUSED,
			"instance %.64s has no name in service %s: register it first",
			instance_id, service);
		goto out;
	}
	plan.master = strdup(master != NULL ? master->who.instance_id : "");
	if (plan.master == NULL)
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	else if (held != master && *plan.master != '\0')
		rc = next_name(&slots, service, true, instance_id, &plan, err);
	memcpy(plan.moves_to, plan.hostname, sizeof(plan.moves_to));
	take(&plan, name, held == master ? AERO_HOW_HELD : AERO_HOW_GAP);
out:
	aero_slots_clear(&slots);
	if (rc == AERO_OK)
		*ret = plan;
	else
		aero_plan_clear(&plan);
	return rc;
}

void aero_plan_clear(struct aero_plan *plan)
{
	free(plan->master);
	*plan = (struct aero_plan){0};
}
