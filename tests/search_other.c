/* SPDX-License-Identifier: MIT */
/* Who takes part without being shipped steps: a client of the original, whose writes are
 * unconditional and not acknowledged. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/search_model.h"
#include "tests/support.h"

/* The original's writes may fail and nobody hears of it. */
static void write_old(struct search_store *store, const struct w_write *write)
{
	store->last = *write;
	store->slot = -1;
	store->answer = AERO_MISS;
	if (store->fault == W_CLEAR || store->fault == W_LOST_AFTER)
		store->answer = w_apply(store->world, write, &store->slot);
}

static void rename_old(struct search_store *store, uint8_t id, uint8_t name)
{
	write_old(store,
		&(struct w_write){.op = W_RENAME, .who = {.id = id}, .name = name});
}

static uint8_t numbered(uint8_t service, bool masterful, int number)
{
	char name[96];

	(void)snprintf(name, sizeof(name), "%s%s-%d", w_text(W_SERVICE, service),
		masterful ? "-slave" : "", number);
	return w_number(W_NAME, name);
}

/* The original's choice: a blank master, else the first gap in string order, which a
 * nameless one is and then counts for none, else the count of the named documents. */
static uint8_t pick_old(const struct world *world, uint8_t service, bool masterful)
{
	char master[AERO_HOSTNAME_SIZE];
	uint8_t gap = 0, name;
	bool any = false;
	int n = 0;

	aero_pick_master(w_text(W_SERVICE, service), master);
	name = w_number(W_NAME, master);
	for (int i = 0; i < world->n_slots; i++) {
		const struct w_slot *slot = &world->slots[i];

		if (slot->service != service)
			continue;
		n += slot->name != 0;
		if (slot->who.id != 0)
			continue;
		if (masterful && slot->name == name)
			return name;
		if (!any || strcmp(w_text(W_NAME, slot->name), w_text(W_NAME, gap)) < 0)
			gap = slot->name;
		any = true;
	}
	if (masterful && n == 0)
		return name;
	return gap != 0 ? gap : numbered(service, masterful, n);
}

static int done(struct s_actor *actor)
{
	actor->step = AERO_STEP_DONE;
	return AERO_OK;
}

enum {
	OLD_READ = 1,
	OLD_LOOK,
	OLD_SET,
	OLD_INSERT,
	OLD_DROP_M,
	OLD_DROP_P,
	OLD_P_MASTER,
	OLD_PICK_M,
	OLD_NAME_M,
};

static int old_register(
	struct s_state *state, int i, uint8_t id, struct search_store *store)
{
	struct s_actor *actor = &state->actors[i];
	bool masterful = !s_run.setup->roles[i].iterative;
	uint8_t service = s_run.service[i];
	int at = w_by_id(&state->world, id);
	struct w_write write = {
		.name = actor->appended,
		.service = service,
		.type = w_number(W_TYPE, masterful ? "masterful" : "iterative"),
		.who = {.id = id, .ip = w_number(W_IP, s_run.ips[id][0])},
	};

	switch (actor->step) {
	case OLD_READ:
		if (at >= 0 && state->world.slots[at].name != 0)
			return done(actor);
		actor->appended = pick_old(&state->world, service, masterful);
		actor->step = OLD_LOOK;
		return AERO_OK;
	case OLD_LOOK:
		actor->step = w_by_name(&state->world, actor->appended) >= 0 ? OLD_SET
									     : OLD_INSERT;
		return AERO_OK;
	default:
		write.op = actor->step == OLD_SET ? W_SET : W_INSERT;
		write_old(store, &write);
		return done(actor);
	}
}

static int old_change(
	struct s_state *state, int i, uint8_t id, struct search_store *store)
{
	struct s_actor *actor = &state->actors[i];
	char master[AERO_HOSTNAME_SIZE];
	uint8_t service = s_run.service[i], name;
	int at;

	aero_pick_master(w_text(W_SERVICE, service), master);
	name = w_number(W_NAME, master);
	switch (actor->step) {
	case OLD_READ:
		at = w_by_name(&state->world, name);
		actor->slot.who.id = at < 0 ? 0 : state->world.slots[at].who.id;
		if (actor->slot.who.id == id)
			return done(actor);
		break;
	case OLD_DROP_M:
		if (actor->slot.who.id != 0)
			rename_old(store, actor->slot.who.id, 0);
		break;
	case OLD_DROP_P:
		rename_old(store, id, 0);
		break;
	case OLD_P_MASTER:
		rename_old(store, id, name);
		if (actor->slot.who.id == 0)
			return done(actor);
		break;
	case OLD_PICK_M:
		/* Whoever has a name by now is given none: null. */
		at = w_by_id(&state->world, actor->slot.who.id);
		actor->appended = at >= 0 && state->world.slots[at].name != 0
					  ? 0
					  : pick_old(&state->world, service, true);
		break;
	default:
		rename_old(store, actor->slot.who.id, actor->appended);
		return done(actor);
	}
	actor->step = actor->step == OLD_READ ? OLD_DROP_M : actor->step + 1;
	return AERO_OK;
}

int s_other_step(struct s_state *state, int i, struct search_store *store)
{
	uint8_t id = s_run.node[i];
	struct s_actor *actor = &state->actors[i];

	if (actor->step == 0)
		actor->step = OLD_READ;
	return actor->act == S_OLD_REGISTER ? old_register(state, i, id, store)
					    : old_change(state, i, id, store);
}

const char *s_other_words(const struct s_actor *actor)
{
	static const char *const words[] = {"the original's read", "the original's read",
		"the original looks for the name", "$set on the hostname", "insert",
		"the old master's hostname := ''", "my hostname := ''",
		"my hostname := the master's", "the original picks a name",
		"the old master's hostname := that"};

	return words[actor->step];
}
