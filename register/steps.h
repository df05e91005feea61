/* SPDX-License-Identifier: MIT */
/* What the step functions share; for register/ alone. A step returns AERO_OK and names
 * the next, or a code; actor.c turns any failure into a restart. */
#ifndef AERO_REGISTER_STEPS_H
#define AERO_REGISTER_STEPS_H

#include "register/actor.h"

typedef int aero_step_fn(struct aero_actor *actor, struct aero_err *err);

#define AERO_X(step, words) aero_step_fn aero_step_##step;
AERO_STEP_MAP(AERO_X)
#undef AERO_X

/* Name the next step; for `return`. lost: after another actor was quicker. */
int aero_next(struct aero_actor *actor, enum aero_step step);
int aero_lost(struct aero_actor *actor, enum aero_step step);

/* A new tenure number: never 0, never negative. */
int64_t aero_tenure(struct aero_actor *actor);

/* Read into actor->slot, actor->op, actor->node. A read that finds nothing is AERO_MISS
 * and leaves an empty slot. */
int aero_read_held(
	struct aero_actor *actor, const char *instance_id, struct aero_err *err);
int aero_read_master(struct aero_actor *actor, struct aero_err *err);
int aero_read_control(struct aero_actor *actor, struct aero_err *err);

/* Insert n blank slots of the service, from this name upwards (n > 1: a numbered one).
 * AERO_DUP_HOSTNAME: one is there; those before it were inserted. */
int aero_insert_blanks(
	struct aero_actor *actor, const char *first, size_t n, struct aero_err *err);
/* The same for the master slot, which is there afterwards; then next. */
int aero_insert_master(
	struct aero_actor *actor, enum aero_step next, struct aero_err *err);

/* AERO_REFUSED if a slot's hostname, '' apart, is no name for a machine. */
int aero_check_name(const char *name, struct aero_err *err);
/* AERO_REFUSED if the slot that was read belongs to another service. */
int aero_check_service(struct aero_actor *actor, struct aero_err *err);

/* Claim a gap, never the master slot, for who; into actor->slot. */
int aero_claim_gap(struct aero_actor *actor, const struct aero_occupant *who,
	const char *service_type, struct aero_err *err);

/* Begin to help the open op that actor->op holds. */
int aero_help(struct aero_actor *actor);

/* It is me. */
bool aero_is_me(const struct aero_actor *actor, const char *instance_id);

#endif
