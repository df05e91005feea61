/* SPDX-License-Identifier: MIT */
/*
 * A change-over, within a transaction of the store. Each document that decides it is
 * written, not only read: under snapshot isolation two transactions that read what the
 * other writes could both commit. So control makes change-overs one after the other, and
 * p's node is written too, since a certificate or a release of p writes nothing else of
 * what is written here. m's node is only read: a certificate may come a moment later
 * anyway, and finds m in its new slot.
 */
#include "config.h"

#include "lib/store_ops.h"

/* First: change-overs meet here, before they have written anything else. */
static int raise_epoch(struct aero_store *store, const struct aero_change_over *change,
	struct aero_err *err)
{
	int rc = aero_store_control_open(store, change->service, change->epoch,
		change->promote, change->master, err);

	return rc == AERO_OK ? aero_store_control_close(
				       store, change->service, change->epoch, err)
			     : rc;
}

static int raise_gen(
	struct aero_store *store, const char *instance_id, struct aero_err *err)
{
	struct aero_node node;
	int rc = aero_store_node(store, instance_id, &node, err);

	if (rc == AERO_OK && (node.dead || node.left))
		rc = aero_err_set(
			err, AERO_REFUSED, "'%.64s' is dead or released", instance_id);
	return rc == AERO_OK ? aero_store_node_update(
				       store, instance_id, &node, false, false, "", err)
			     : rc;
}

static int promote(struct aero_store *store, const struct aero_change_over *change,
	struct aero_err *err)
{
	struct aero_slot_match own = {
		.hostname = change->hostname,
		.occupant = {change->promote->instance_id},
		.match_reg = true,
		.reg = change->reg,
	};
	struct aero_slot_match master = {
		.hostname = change->master_hostname,
		.occupant = {change->master->instance_id},
		.match_reg = true,
		.reg = change->master_reg,
		.epoch_below = change->epoch,
	};
	struct aero_slot_change blank = {.blank = true};
	struct aero_slot_change put = {
		.who = change->promote,
		.reg = change->new_reg,
		.epoch = change->epoch,
		.service_type = "masterful",
	};
	int rc = aero_store_slot_update(store, &own, &blank, err);

	return rc == AERO_OK ? aero_store_slot_update(store, &master, &put, err) : rc;
}

static int place(struct aero_store *store, const struct aero_change_over *change,
	struct aero_err *err)
{
	struct aero_slot_change put = {
		.who = change->master,
		.reg = change->new_reg,
		.service_type = "masterful",
	};
	struct aero_slot slot = {0};
	struct aero_node node;
	int rc;

	if (*change->master->instance_id == '\0')
		return AERO_OK;
	rc = aero_store_node(store, change->master->instance_id, &node, err);
	if (rc != AERO_OK || node.dead || node.left)
		return rc;
	rc = aero_store_slot_claim(
		store, change->service, change->master_hostname, &put, &slot, err);
	aero_slot_clear(&slot);
	return rc == AERO_MISS
		       ? aero_err_set(err, AERO_REFUSED, "no gap for the old master")
		       : rc;
}

int aero_change_over_run(struct aero_store *store, const struct aero_change_over *change,
	struct aero_err *err)
{
	int rc = raise_epoch(store, change, err);

	if (rc == AERO_OK)
		rc = raise_gen(store, change->promote->instance_id, err);
	if (rc == AERO_OK)
		rc = promote(store, change, err);
	if (rc == AERO_OK)
		rc = place(store, change, err);
	/* Somebody else was quicker with a document of the same key. */
	if (rc == AERO_DUP_HOSTNAME || rc == AERO_DUP_INSTANCE)
		rc = AERO_MISS;
	return rc;
}
