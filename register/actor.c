/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "register/mutant.h"
#include "register/steps.h"

static const struct {
	aero_step_fn *run;
	const char *words;
} steps[] = {
#define AERO_X(step, words) {aero_step_##step, words},
	AERO_STEP_MAP(AERO_X)
#undef AERO_X
};

/* Where an actor begins, where it goes after an ambiguous answer (its first write there
 * is the fence of W2), and where it goes after helping. */
static const struct {
	enum aero_step first, restart, back;
} acts[] = {
	[AERO_ACT_REGISTER] = {AERO_STEP_R0, AERO_STEP_R0, AERO_STEP_R1B},
	[AERO_ACT_CHANGE_MASTER] = {AERO_STEP_C0, AERO_STEP_C_FENCE_FIND, AERO_STEP_C0},
	[AERO_ACT_RELEASE] = {AERO_STEP_L1_FIND, AERO_STEP_L1_FIND, AERO_STEP_L2},
	[AERO_ACT_HELP] = {AERO_STEP_S0, AERO_STEP_S0, AERO_STEP_S0},
};

void aero_actor_begin(struct aero_actor *actor, enum aero_act act,
	struct aero_store *store, const char *service, bool masterful,
	const struct aero_occupant *me, uint64_t (*random)(void *arg), void *random_arg)
{
	*actor = (struct aero_actor){
		.store = store,
		.service = service,
		.masterful = masterful,
		.asked = true,
		.me = me,
		.random = random,
		.random_arg = random_arg,
		.ahead_max = AERO_AHEAD,
		.first = acts[act].first,
		.restart = acts[act].restart,
		.back = acts[act].back,
		.step = acts[act].first,
	};
}

bool aero_actor_retry(int rc)
{
	return rc == AERO_NET || rc == AERO_DB || rc == AERO_AMBIGUOUS ||
	       rc == AERO_NOMEM || rc == AERO_IO;
}

int aero_actor_step(struct aero_actor *actor, struct aero_err *err)
{
	int rc;

	actor->pause = false;
	rc = steps[actor->step].run(actor, err);
	if (aero_actor_retry(rc))
		actor->step = actor->restart;
	return rc;
}

const char *aero_step_words(enum aero_step step)
{
	return steps[step].words;
}

void aero_actor_clear(struct aero_actor *actor)
{
	aero_slot_clear(&actor->slot);
	aero_control_clear(&actor->op);
	*actor = (struct aero_actor){0};
}

int aero_step_DONE(struct aero_actor *actor, struct aero_err *err)
{
	(void)actor;
	(void)err;
	return AERO_OK;
}

int aero_next(struct aero_actor *actor, enum aero_step step)
{
	actor->step = step;
	return AERO_OK;
}

int aero_lost(struct aero_actor *actor, enum aero_step step)
{
	actor->pause = true;
	return aero_next(actor, step);
}

int64_t aero_tenure(struct aero_actor *actor)
{
	int64_t reg = (int64_t)(actor->random(actor->random_arg) >> 2);

	return reg == 0 ? 1 : reg;
}

int aero_read_held(
	struct aero_actor *actor, const char *instance_id, struct aero_err *err)
{
	aero_slot_clear(&actor->slot);
	return aero_store_by_instance(actor->store, instance_id, &actor->slot, err);
}

int aero_read_master(struct aero_actor *actor, struct aero_err *err)
{
	char master[AERO_HOSTNAME_SIZE];

	aero_pick_master(actor->service, master);
	aero_slot_clear(&actor->slot);
	return aero_store_by_hostname(actor->store, master, &actor->slot, err);
}

int aero_read_control(struct aero_actor *actor, struct aero_err *err)
{
	struct aero_control control = {0};
	int rc = aero_store_control(actor->store, actor->service, &control, err);

	actor->ahead = 0; /* all begins anew */
	if (rc != AERO_OK)
		return rc;
	if (control.open && (control.promote.instance_id == NULL ||
				    *control.promote.instance_id == '\0' ||
				    control.master.instance_id == NULL)) {
		aero_control_clear(&control);
		return aero_err_set(err, AERO_CONFIG,
			"the open change-over of service %s names no instance: its "
			"control document is damaged",
			actor->service);
	}
	aero_control_clear(&actor->op);
	actor->op = control;
	return AERO_OK;
}

/* Upwards, so that a part of them is dense too. */
static void lay_out(const struct aero_actor *actor, const char *first, size_t n,
	bool masterful, char names[][AERO_HOSTNAME_SIZE])
{
	int64_t number = aero_pick_number(first, actor->service, masterful);

	(void)snprintf(names[0], AERO_HOSTNAME_SIZE, "%s", first);
	for (size_t i = 0; i < n && n > 1; i++)
		(void)snprintf(names[AERO_MUTANT(LAID_DOWNWARDS) ? n - 1 - i : i],
			AERO_HOSTNAME_SIZE, "%s%s-%" PRId64, actor->service,
			masterful ? "-slave" : "", number + (int64_t)i);
}

int aero_insert_blanks(
	struct aero_actor *actor, const char *first, size_t n, struct aero_err *err)
{
	/* Lent strings: they are only read. Ops exist for masterful services alone. */
	bool masterful = actor->masterful || actor->op.open;
	char(*names)[AERO_HOSTNAME_SIZE] = calloc(n, sizeof(*names));
	char service[AERO_HOSTNAME_SIZE], type[16], none[1] = "";
	struct aero_slot *slots = calloc(n, sizeof(*slots));
	int rc;

	if (names == NULL || slots == NULL) {
		free(names);
		free(slots);
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	}
	(void)snprintf(service, sizeof(service), "%s", actor->service);
	(void)snprintf(type, sizeof(type), "%s", masterful ? "masterful" : "iterative");
	lay_out(actor, first, n, masterful, names);
	for (size_t i = 0; i < n; i++)
		slots[i] = (struct aero_slot){
			.hostname = names[i],
			.service = service,
			.service_type = type,
			.who = {.instance_id = none, .ip = none, .ip6 = none},
		};
	rc = aero_store_slots_insert(actor->store, slots, n, err);
	free(names);
	free(slots);
	return rc;
}

int aero_insert_master(
	struct aero_actor *actor, enum aero_step next, struct aero_err *err)
{
	char master[AERO_HOSTNAME_SIZE];
	int rc;

	aero_pick_master(actor->service, master);
	(void)snprintf(actor->appended, sizeof(actor->appended), "%s", master);
	rc = aero_insert_blanks(actor, master, 1, err);
	if (rc == AERO_DUP_HOSTNAME)
		return aero_lost(actor, next);
	return rc == AERO_OK ? aero_next(actor, next) : rc;
}

int aero_check_service(struct aero_actor *actor, struct aero_err *err)
{
	const struct aero_slot *slot = &actor->slot;

	if (*slot->service == '\0' || strcmp(slot->service, actor->service) == 0)
		return AERO_OK;
	return aero_err_set(err, AERO_REFUSED,
		"the name %.64s that service %.64s needs belongs to service %.64s",
		slot->hostname, actor->service, slot->service);
}

int aero_claim_gap(struct aero_actor *actor, const struct aero_occupant *who,
	const char *service_type, struct aero_err *err)
{
	struct aero_slot_change change = {
		.who = who,
		.reg = aero_tenure(actor),
		.service_type = service_type,
	};
	char master[AERO_HOSTNAME_SIZE];

	aero_pick_master(actor->service, master);
	aero_slot_clear(&actor->slot);
	return aero_store_slot_claim(
		actor->store, actor->service, master, &change, &actor->slot, err);
}

bool aero_is_me(const struct aero_actor *actor, const char *instance_id)
{
	return instance_id != NULL && strcmp(instance_id, actor->me->instance_id) == 0;
}
