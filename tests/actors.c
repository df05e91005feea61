/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/actors.h"
#include "tests/support.h"

static uint64_t next_random(void *arg)
{
	uint64_t *seed = arg;

	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed;
}

void actors_put(struct fake_store *fake, const char *service, bool masterful,
	const char *const *names)
{
	for (; *names != NULL; names++) {
		size_t len = strlen(*names);
		bool blank = (*names)[len - 1] == '!';
		char name[64], id[80];

		(void)snprintf(
			name, sizeof(name), "%.*s", (int)(blank ? len - 1 : len), *names);
		(void)snprintf(
			id, sizeof(id), "%s%s", blank ? "" : "i-", blank ? "" : name);
		fake_put(fake, name, service, masterful ? "masterful" : "", id);
	}
}

void actor_init(struct test_actor *me, struct fake_store *fake, enum aero_act act,
	const char *service, bool masterful, const char *instance_id)
{
	static uint64_t seed = 1;

	*me = (struct test_actor){.seed = seed};
	seed++;
	me->who.instance_id = strdup(instance_id);
	me->who.ip = strdup("10.0.0.1");
	me->who.ip6 = strdup("");
	aero_actor_begin(&me->actor, act, &fake->base, service, masterful, &me->who,
		next_random, &me->seed);
}

int actor_run(struct test_actor *me)
{
	struct fake_store *fake = (struct fake_store *)(void *)me->actor.store;
	unsigned end = fake->ops + 500;
	int rc = AERO_OK;

	while (me->actor.step != AERO_STEP_DONE) {
		assert_true(fake->ops < end);
		rc = aero_actor_step(&me->actor, &me->err);
		if (rc != AERO_OK && !aero_actor_retry(rc))
			break;
		me->troubles += rc != AERO_OK;
	}
	return rc;
}

void actor_end(struct test_actor *me)
{
	aero_actor_clear(&me->actor);
	aero_occupant_clear(&me->who);
}

void actors_check(struct fake_store *fake, const char *service)
{
	assert_false(fake_control(fake, service)->open);
	for (size_t i = 0; i < fake->slots.n; i++) {
		const struct aero_slot *slot = &fake->slots.v[i];

		if (!aero_slot_blank(slot))
			assert_int_equal(1, fake_held(fake, slot->who.instance_id));
		for (size_t j = 0; j < i; j++)
			if (*slot->hostname != '\0')
				assert_string_not_equal(
					slot->hostname, fake->slots.v[j].hostname);
	}
}

void actors_dense(struct fake_store *fake, const char *service, bool masterful)
{
	char name[AERO_HOSTNAME_SIZE];
	bool hole;

	assert_true(aero_pick_append(&fake->slots, service, masterful, name, &hole));
	assert_false(hole);
}
