/* SPDX-License-Identifier: MIT */
/* Actors over the scripted store, for the tests of the naming steps. */
#ifndef AERO_TESTS_ACTORS_H
#define AERO_TESTS_ACTORS_H

#include "register/actor.h"
#include "tests/fake_store.h"

struct test_actor {
	struct aero_actor actor;
	struct aero_occupant who; /* 10.0.0.1 unless the test changes it */
	struct aero_err err;
	unsigned troubles; /* retries that actor_run made */
	uint64_t seed;
};

/* Fill the store: `name` is held by i-NAME, `name!` is blank; ends with NULL. */
void actors_put(struct fake_store *fake, const char *service, bool masterful,
	const char *const *names);

void actor_init(struct test_actor *me, struct fake_store *fake, enum aero_act act,
	const char *service, bool masterful, const char *instance_id);
/* To the end, trying again after trouble; a run of over 500 operations fails the test. */
int actor_run(struct test_actor *me);
void actor_end(struct test_actor *me);

/* At rest: no op open, no hostname and no instance twice. */
void actors_check(struct fake_store *fake, const char *service);
/* And the numbers are dense from the first. */
void actors_dense(struct fake_store *fake, const char *service, bool masterful);

#endif
