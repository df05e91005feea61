/* SPDX-License-Identifier: MIT */
/* What a dry run says: the same decisions as the steps', from reads alone. */
#ifndef AERO_REGISTER_PLAN_H
#define AERO_REGISTER_PLAN_H

#include "register/actor.h"

struct aero_plan {
	char hostname[AERO_HOSTNAME_SIZE]; /* '' = none */
	enum aero_how how;
	char *master; /* change-over: who is master now, '' = nobody */
	char moves_to[AERO_HOSTNAME_SIZE]; /* and the name that it would get */
};

int aero_plan_register(struct aero_store *store, const char *service, bool masterful,
	const char *instance_id, struct aero_plan *ret, struct aero_err *err);
/* how is HELD when the node is the master. */
int aero_plan_master(struct aero_store *store, const char *service,
	const char *instance_id, struct aero_plan *ret, struct aero_err *err);
void aero_plan_clear(struct aero_plan *plan);

#endif
