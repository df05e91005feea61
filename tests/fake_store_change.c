/* SPDX-License-Identifier: MIT */
/* The scripted store's change-over: all of it, or all as it was. */
#include "config.h"

#include <string.h>

#include "tests/fake_store.h"
#include "tests/support.h"

static void copy(const struct fake_store *from, struct fake_store *ret)
{
	struct aero_slot slot;

	*ret = *from;
	ret->slots = (struct aero_slots){0};
	for (size_t i = 0; i < from->slots.n; i++) {
		assert_true(aero_slot_copy(&from->slots.v[i], &slot));
		assert_true(aero_slots_add(&ret->slots, &slot));
	}
	for (size_t i = 0; i < from->n_controls; i++) {
		const struct aero_control *was = &from->controls[i].control;
		struct aero_control *is = &ret->controls[i].control;

		is->promote = is->master = (struct aero_occupant){0};
		if (!was->open)
			continue;
		assert_true(aero_occupant_copy(&was->promote, &is->promote));
		assert_true(aero_occupant_copy(&was->master, &is->master));
	}
}

static void clear(struct fake_store *fake)
{
	aero_slots_clear(&fake->slots);
	for (size_t i = 0; i < fake->n_controls; i++)
		aero_control_clear(&fake->controls[i].control);
}

int fake_change_over(struct aero_store *store, const struct aero_change_over *change,
	struct aero_err *err)
{
	struct fake_store *fake = (struct fake_store *)(void *)store, *before;
	int lost, rc;

	if (!fake_write_fault(store, "change_over", &lost, err))
		return lost;
	if (!fake->transactions)
		return lost != AERO_OK
			       ? lost
			       : aero_err_set(err, AERO_REFUSED, "fake: no transactions");
	before = malloc(sizeof(*before));
	assert_non_null(before);
	copy(fake, before);
	fake->in_txn = true;
	rc = aero_change_over_run(store, change, err);
	fake->in_txn = false;
	clear(rc == AERO_OK ? before : fake);
	if (rc != AERO_OK)
		*fake = *before;
	free(before);
	return lost != AERO_OK ? lost : rc;
}
