/* SPDX-License-Identifier: MIT */
/* What may happen next, and what becomes of it. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/search_model.h"
#include "tests/support.h"

/* ---- what may happen ---- */

static bool runs(const struct s_state *state, int i)
{
	return (state->actors[i].flags & S_RUNS) != 0;
}

/* The node has no session under way (there is a lock) and is up. */
static bool may_begin(const struct s_state *state, int i)
{
	if (runs(state, i) || !state->hosts[s_run.node[i]].running)
		return false;
	for (int j = 0; j < s_run.n_roles && !s_run.setup->no_lock; j++)
		if (s_run.node[j] == s_run.node[i] && runs(state, j))
			return false;
	return true;
}

static size_t server_moves(const struct s_state *state, uint8_t i, s_move *ret)
{
	const struct world *world = &state->world;
	size_t n = 0;

	for (uint8_t k = 0; k < world->n_slots && !s_run.setup->roles[i].only_helps; k++)
		if (world->slots[k].who.id != 0 && world->slots[k].name != 0)
			ret[n++] = S_MOVE(S_M_PICK_SLOT, i, k);
	for (uint8_t id = 1; id <= W_NODES; id++) {
		bool named = world->nodes[id].dead != 0;

		for (int s = 1; s <= W_SERVICES; s++)
			named = named || (world->controls[s].open &&
						 world->controls[s].promote.id == id);
		if (named && !s_run.setup->roles[i].only_helps)
			ret[n++] = S_MOVE(S_M_PICK_NODE, i, id);
	}
	for (uint8_t s = 1; s <= W_SERVICES; s++)
		if (world->controls[s].open)
			ret[n++] = S_MOVE(S_M_PICK_HELP, i, s);
	return n;
}

bool s_well(const struct s_state *state, uint8_t id)
{
	const struct s_host *host = &state->hosts[id];
	uint8_t ip = w_number(W_IP, s_run.ips[id][host->ip]);

	for (int i = 0; i < state->world.n_slots; i++) {
		const struct w_slot *slot = &state->world.slots[i];

		if (slot->who.id == id && slot->name != 0 && slot->who.ip == ip)
			return true;
	}
	return false;
}

static size_t actor_moves(const struct s_state *state, uint8_t i, s_move *ret)
{
	const struct s_role *role = &s_run.setup->roles[i];
	const struct s_host *host = &state->hosts[s_run.node[i]];
	uint8_t faults = 1;
	size_t n = 0;

	if (runs(state, i)) {
		if (state->ambiguous > 0)
			faults = state->lates > 0 ? W_N_FAULTS : W_LATER;
		for (uint8_t fault = 0; fault < faults; fault++)
			ret[n++] = S_MOVE(S_M_STEP, i, fault);
		if (state->crashes > 0)
			ret[n++] = S_MOVE(S_M_CRASH, i, 0);
		if (state->lies > 0 && state->actors[i].act == S_REAP &&
			state->actors[i].step == AERO_REAP_B2)
			ret[n++] = S_MOVE(S_M_LIE, i, 0);
		for (uint8_t k = 0; state->torn > 0 && k < state->world.n_slots; k++)
			ret[n++] = S_MOVE(S_M_TORN, i, k);
		return n;
	}
	if (s_run.node[i] == 0)
		return server_moves(state, i, ret);
	if (!may_begin(state, i))
		return 0;
	if (role->heals && host->identity &&
		(!s_well(state, s_run.node[i]) || s_named(&state->world, s_run.node[i])))
		ret[n++] = S_MOVE(S_M_HEAL, i, 0);
	if (state->actors[i].turn < role->n_acts)
		ret[n++] = S_MOVE(S_M_BEGIN, i, 0);
	return n;
}

size_t s_moves(const struct s_state *state, s_move ret[static S_MOVES_MAX])
{
	size_t n = 0;

	for (uint8_t i = 0; i < s_run.n_roles; i++)
		n += actor_moves(state, i, ret + n);
	for (uint8_t id = 1; id <= W_NODES; id++) {
		if (state->hosts[id].running && state->deaths > 0)
			ret[n++] = S_MOVE(S_M_DIE, id, 0);
		for (uint8_t i = 0; i < s_run.n_roles; i++)
			if (s_run.node[i] == id && !state->hosts[id].running &&
				state->boots > 0) {
				ret[n++] = S_MOVE(S_M_BOOT, i, 0);
				break;
			}
	}
	for (uint8_t k = 0; k < S_LATE; k++)
		if (state->late[k].op != W_NONE)
			ret[n++] = S_MOVE(S_M_LAND, k, 0);
	assert_true(n <= S_MOVES_MAX);
	return n;
}

bool s_fair(s_move move)
{
	return move >> 8 <= S_M_HEAL && (move >> 8 != S_M_STEP || (move & 15) == W_CLEAR);
}

bool s_at_rest(const struct s_state *state)
{
	const struct world *world = &state->world;

	for (int i = 0; i < s_run.n_roles; i++)
		if (runs(state, i))
			return false;
	for (int s = 1; s <= W_SERVICES; s++)
		if (world->controls[s].open)
			return false;
	for (uint8_t id = 1; id <= W_NODES; id++) {
		const struct s_host *host = &state->hosts[id];
		struct w_node node = world->nodes[id];
		int held = w_held(world, id);

		if (host->running && host->identity && !node.left) {
			if ((held != 1 && !s_run.setup->twice) || !s_well(state, id) ||
				(node.dead && s_run.server))
				return false;
		} else if (held != 0 && (s_run.server || s_run.setup->replica_set) &&
			   (!host->running || node.left || host->released)) {
			return false;
		}
	}
	return true;
}

/* ---- making a move ---- */

static uint64_t give(void *arg)
{
	return (uint64_t) * (uint8_t *)arg << 2;
}

/* The session's late writes cannot land any more (W2). */
static void fence(struct s_state *state, int i)
{
	for (int k = 0; k < S_LATE; k++)
		if (state->late[k].op != W_NONE && state->late[k].owner == i)
			memset(&state->late[k], 0, sizeof(state->late[k]));
}

static int step_reap(struct s_state *state, int i, struct search_store *store)
{
	struct s_actor *actor = &state->actors[i];
	char id[64], name[64];
	struct aero_slot slot = {.hostname = name, .reg = actor->slot.reg};
	struct aero_reap reap;
	struct aero_err err;
	int rc = AERO_OK;

	(void)snprintf(id, sizeof(id), "%s", w_text(W_ID, actor->candidate));
	(void)snprintf(name, sizeof(name), "%s", w_text(W_NAME, actor->slot.name));
	aero_reap_begin(
		&reap, &store->base, id, actor->flags & S_SLOT_READ ? &slot : NULL);
	reap.step = actor->step;
	reap.node = (struct aero_node){.exists = actor->node.exists,
		.gen = actor->node.gen,
		.left = actor->node.left,
		.dead = actor->node.dead};
	if (reap.step == AERO_REAP_B2)
		aero_reap_judge(&reap,
			state->hosts[actor->candidate].running && !s_run.lie
				? AERO_EVIDENCE_RUNS
				: AERO_EVIDENCE_DEAD,
			"stopped");
	else
		rc = aero_reap_step(&reap, &err);
	actor->step = (uint8_t)reap.step;
	actor->node = (struct w_node){
		reap.node.exists, (uint8_t)reap.node.gen, reap.node.left, reap.node.dead};
	if (reap.step == AERO_REAP_B3_BLANK) /* it reads no more of it */
		actor->node = (struct w_node){0};
	return rc;
}

static int step_shipped(struct s_state *state, int i, struct search_store *store)
{
	uint8_t reg = s_fresh_reg(state);
	struct aero_actor actor;
	struct aero_err err;
	int rc;

	s_actor_load(state, i, &store->base, give, &reg, &actor);
	rc = aero_actor_step(&actor, &err);
	s_actor_save(&actor, &state->actors[i]);
	aero_actor_clear(&actor);
	if (s_run.say && rc != AERO_OK)
		(void)snprintf(s_run.note, sizeof(s_run.note), " (%.120s)", err.msg);
	return rc;
}

_Static_assert(AERO_STEP_DONE == 0 && AERO_REAP_DONE == 0, "0 is the end of all");

/* What was promised by the end of a session, if this was it. */
static void step_end(struct s_state *state, const struct s_state *before, int i, int rc)
{
	struct s_actor *actor = &state->actors[i];
	struct s_host *host = &state->hosts[s_run.node[i]];
	bool registers = actor->act == S_REGISTER || actor->act == S_HEAL;

	if (rc == AERO_OK ? actor->step != 0
			  : actor->act != S_REAP && aero_actor_retry(rc))
		return;
	s_check_end(before, i, rc);
	if (rc == AERO_OK && registers) {
		host->identity = 1;
		host->promised = !host->doubted;
	} else if (rc == AERO_OK && actor->act == S_RELEASE) {
		host->identity = 0;
		host->released = 1; /* and was told so */
	}
	if (s_run.node[i] != 0 && !(actor->flags & S_FRESH))
		actor->turn++;
	s_actor_end(state, i);
}

/* One step of whatever runs there. */
static bool step(struct s_state *state, int i, enum w_fault fault, int missed)
{
	const struct s_state before = *state;
	const struct s_actor *was = &before.actors[i];
	struct search_store store;
	int rc;

	search_store_init(&store, &state->world);
	store.fault = fault;
	store.missed = missed;
	store.transactions = was->act == S_TXN;
	if (was->act == S_REAP)
		rc = step_reap(state, i, &store);
	else if (was->act < S_REAP)
		rc = step_shipped(state, i, &store);
	else
		rc = s_other_step(state, i, &store);
	if (fault != W_CLEAR && store.last.op == W_NONE)
		return false;
	if (missed >= 0 && !store.read_all)
		return false;
	store.last.owner = (uint8_t)i;
	store.last.step = (uint8_t)(was->step + (was->act == S_REAP ? AERO_N_STEPS : 0));
	if (store.last.step == AERO_STEP_S2 || store.last.step == AERO_STEP_V)
		store.last.op_epoch = was->epoch;
	if (fault == W_LATER) {
		state->late[state->late[0].op != W_NONE] = store.last;
		state->lates--;
	}
	if (fault != W_CLEAR)
		state->ambiguous--;
	for (int id = 1; id <= W_NODES; id++) /* B5 */
		if (before.world.nodes[id].dead && !state->world.nodes[id].dead)
			state->hosts[id].doubted = 0;
	if (store.last.op != W_NONE && (fault == W_CLEAR || fault == W_LOST_AFTER))
		s_check_write(&before, state, &store.last, store.answer, store.slot);
	if (store.last.op != W_NONE && fault == W_CLEAR && s_run.setup->replica_set &&
		!w_rules.no_w2)
		fence(state, i);
	step_end(state, &before, i, rc);
	return true;
}

static void pick(struct s_state *state, uint8_t i, enum s_kind kind, uint8_t arg)
{
	struct s_actor *actor = &state->actors[i];

	s_actor_begin(state, i, kind == S_M_PICK_HELP ? S_HELP : S_REAP, true);
	actor->candidate = arg;
	if (kind == S_M_PICK_HELP)
		return;
	actor->step = AERO_REAP_B1;
	if (kind == S_M_PICK_SLOT) {
		actor->candidate = state->world.slots[arg].who.id;
		actor->flags |= S_SLOT_READ;
		actor->slot.name = state->world.slots[arg].name;
		actor->slot.reg = state->world.slots[arg].reg;
	}
}

static void begin(struct s_state *state, uint8_t i, enum s_kind kind)
{
	uint8_t turn = state->actors[i].turn;
	enum s_act act = kind == S_M_BEGIN  ? s_run.setup->roles[i].acts[turn]
			 : kind == S_M_HEAL ? S_HEAL
					    : S_REGISTER;

	if (act == S_RELEASE)
		state->hosts[s_run.node[i]].promised = 0;
	else if (act == S_REGISTER)
		state->hosts[s_run.node[i]].released = 0;
	s_actor_begin(state, i, act, kind != S_M_BEGIN);
}

static void die(struct s_state *state, uint8_t id)
{
	state->deaths--;
	state->hosts[id].running = 0;
	state->hosts[id].promised = 0;
	for (int i = 0; i < s_run.n_roles; i++)
		if (s_run.node[i] == id)
			s_actor_end(state, i);
}

static void land(struct s_state *state, uint8_t k)
{
	struct w_write write = state->late[k], rest = write;
	struct s_state before = *state;
	int slot = -1, rc;

	/* Of several slots one lands, and the rest is late still, or never comes. */
	memset(&state->late[k], 0, sizeof(state->late[k]));
	memset(write.more, 0, sizeof(write.more));
	rc = w_apply(&state->world, &write, &slot);
	if (rc == AERO_OK && w_rest(&rest))
		state->late[k] = rest;
	s_check_write(&before, state, &write, rc, slot);
}

bool s_move_make(struct s_state *state, s_move move)
{
	uint8_t who = move >> 4 & 15, arg = move & 15;
	enum s_kind kind = move >> 8;

	s_run.note[0] = '\0';
	switch (kind) {
	case S_M_STEP:
		if (!step(state, who, arg, -1))
			return false;
		break;
	case S_M_LIE:
		state->lies--;
		state->hosts[state->actors[who].candidate].doubted = 1;
		state->hosts[state->actors[who].candidate].promised = 0;
		s_run.lie = true;
		(void)step(state, who, W_CLEAR, -1);
		s_run.lie = false;
		break;
	case S_M_TORN:
		state->torn--;
		if (!step(state, who, W_CLEAR, arg))
			return false;
		break;
	case S_M_PICK_SLOT:
	case S_M_PICK_NODE:
	case S_M_PICK_HELP:
		pick(state, who, kind, arg);
		break;
	case S_M_BOOT:
		state->boots--;
		state->hosts[s_run.node[who]].running = 1;
		state->hosts[s_run.node[who]].ip = 1;
		begin(state, who, kind);
		break;
	case S_M_HEAL:
	case S_M_BEGIN:
		begin(state, who, kind);
		break;
	case S_M_CRASH:
		state->crashes--;
		s_actor_end(state, who);
		break;
	case S_M_DIE:
		die(state, who);
		break;
	case S_M_LAND:
		land(state, who);
		break;
	}
	s_canonical(state);
	s_check_state(state);
	return true;
}
