/* SPDX-License-Identifier: MIT */
/* Actors as bytes. What a step does not read any more before it is written anew is left
 * out (`live`), so that states which differ in nothing that matters are one state;
 * test_search.c compares with a search that leaves nothing out. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/search_model.h"
#include "tests/support.h"

/* A field more in one of these, and the search does not see it: look at save and load,
 * and at `live`, before the number is changed. (`odd` and `odd_id` are never set here:
 * the world has no documents that a filter cannot name; nor seen_at: the steps do not
 * read it; ahead_max never changes.) */
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct aero_actor) == 592, "a new field of struct aero_actor");
_Static_assert(sizeof(struct aero_node) == 96, "a new field of struct aero_node");
_Static_assert(sizeof(struct aero_control) == 104, "a new field of struct aero_control");
_Static_assert(sizeof(struct aero_occupant) == 40, "a new field of an occupant");
_Static_assert(sizeof(struct aero_slot) == 96, "a new field of struct aero_slot");
_Static_assert(sizeof(struct aero_reap) == 144, "a new field of struct aero_reap");
#endif

enum {
	L_ALIASES = 1, /* aliases_done */
	L_EPOCH = 2,
	L_APPENDED = 4,
	L_NODE = 8,
	L_OP_EPOCH = 16,
	L_PROMOTE = 32, /* op.promote, though no op is open */
	L_OP = 64,      /* while it is open: all, else nothing of the help */
	L_SLOT = 128,   /* hostname, service and reg */
	L_HOLDER = 256, /* who is in it */
	L_MINE = 512,
	L_OWN = 1024, /* own and own_reg */
	L_AHEAD = 2048,
	/* Helping, and back to R1b. */
	L_HELP = L_OP | L_EPOCH | L_MINE | L_ALIASES,
	L_ALL = 4095,
};

static const uint16_t live[AERO_N_STEPS] = {
	[AERO_STEP_DONE] = 0,
	[AERO_STEP_R0] = 0,
	[AERO_STEP_R1] = L_NODE,
	[AERO_STEP_R1B] = L_ALIASES,
	[AERO_STEP_R2_FIND] = L_ALIASES | L_OP_EPOCH,
	[AERO_STEP_ALIASES] = L_OP_EPOCH | L_SLOT,
	[AERO_STEP_R2_RENEW] = L_ALIASES | L_SLOT,
	[AERO_STEP_N_BLANK] = L_ALIASES | L_SLOT,
	[AERO_STEP_R3] = L_ALIASES | L_OP_EPOCH,
	[AERO_STEP_R3_INSERT] = L_ALIASES,
	[AERO_STEP_R3_OPEN] = L_ALIASES | L_OP_EPOCH,
	[AERO_STEP_R4] = L_ALIASES | L_AHEAD,
	[AERO_STEP_R5_FIND] = L_HELP | L_AHEAD,
	[AERO_STEP_R5_INSERT] = L_HELP | L_APPENDED | L_AHEAD,
	[AERO_STEP_R5_OWNER] = L_HELP | L_APPENDED | L_AHEAD,
	[AERO_STEP_C_FENCE_FIND] = 0,
	[AERO_STEP_C_FENCE] = L_NODE,
	[AERO_STEP_C0] = 0,
	[AERO_STEP_C0_SELF] = L_OP_EPOCH,
	[AERO_STEP_C0_NONE] = L_EPOCH,
	[AERO_STEP_C0_MASTER] = L_OP_EPOCH | L_PROMOTE | L_OWN,
	[AERO_STEP_C0_INSERT] = 0,
	[AERO_STEP_C_TXN] = L_OP_EPOCH | L_PROMOTE | L_HOLDER | L_SLOT | L_OWN,
	[AERO_STEP_C1] = L_OP_EPOCH | L_PROMOTE | L_HOLDER,
	[AERO_STEP_CE] = L_EPOCH,
	[AERO_STEP_CE_CONTROL] = L_EPOCH,
	[AERO_STEP_S0] = 0,
	[AERO_STEP_S1] = L_HELP,
	[AERO_STEP_S2] = L_HELP,
	[AERO_STEP_S2C] = L_HELP,
	[AERO_STEP_S2_INSERT] = L_HELP,
	[AERO_STEP_V0] = L_HELP,
	[AERO_STEP_V0_CONTROL] = L_HELP | L_SLOT,
	[AERO_STEP_V] = L_HELP | L_SLOT,
	[AERO_STEP_F] = L_HELP,
	[AERO_STEP_S3] = L_HELP,
	[AERO_STEP_S3_NODE] = L_HELP,
	[AERO_STEP_S3_CLAIM] = L_HELP,
	[AERO_STEP_S4] = L_EPOCH | L_MINE | L_ALIASES,
	[AERO_STEP_L1_FIND] = 0,
	[AERO_STEP_L1] = L_NODE,
	[AERO_STEP_L2] = 0,
	[AERO_STEP_L3_FIND] = L_EPOCH,
	[AERO_STEP_L3] = L_EPOCH | L_SLOT,
	[AERO_STEP_L4] = L_EPOCH,
};

static char *text(enum w_kind kind, uint8_t number)
{
	char *ret = strdup(w_text(kind, number));

	assert_non_null(ret);
	return ret;
}

static void who_load(struct w_who who, struct aero_occupant *ret)
{
	*ret = (struct aero_occupant){
		text(W_ID, who.id), text(W_IP, who.ip), text(W_IP, who.ip6), {0}};
	w_aliases_to(who.aliases, &ret->aliases);
}

static struct w_who who_save(const struct aero_occupant *who)
{
	return (struct w_who){
		.id = w_number(W_ID, who->instance_id),
		.ip = w_number(W_IP, who->ip),
		.ip6 = w_number(W_IP, who->ip6),
		.aliases = w_aliases(&who->aliases),
	};
}

static enum aero_act shipped_act(enum s_act act)
{
	if (act == S_HEAL)
		return AERO_ACT_REGISTER;
	return act == S_TXN ? AERO_ACT_CHANGE_MASTER : (enum aero_act)act;
}

void s_actor_load(const struct s_state *state, int i, struct aero_store *store,
	uint64_t (*random)(void *), void *arg, struct aero_actor *ret)
{
	const struct s_actor *from = &state->actors[i];
	const struct s_role *role = &s_run.setup->roles[i];
	enum aero_act act = shipped_act((enum s_act)from->act);

	aero_actor_begin(ret, act, store,
		w_text(W_SERVICE,
			*role->node == '\0' ? from->candidate : s_run.service[i]),
		!role->iterative, &s_run.me[i], random, arg);
	s_run.me[i].ip = s_run.ips[s_run.node[i]][state->hosts[s_run.node[i]].ip];
	ret->asked = from->act != S_HEAL;
	ret->step = from->step;
	ret->aliases_done = (from->flags & S_ALIASES_DONE) != 0;
	ret->mine = (from->flags & S_MINE) != 0;
	ret->had_none = (from->flags & S_HAD_NONE) != 0;
	ret->hole = (from->flags & S_HOLE) != 0;
	ret->ahead = from->ahead;
	ret->ahead_max = S_AHEAD;
	ret->epoch = from->epoch;
	(void)snprintf(ret->appended, sizeof(ret->appended), "%s",
		w_text(W_NAME, from->appended));
	(void)snprintf(ret->own, sizeof(ret->own), "%s", w_text(W_NAME, from->own));
	ret->own_reg = from->own_reg;
	ret->node = (struct aero_node){.exists = from->node.exists,
		.gen = from->node.gen,
		.left = from->node.left,
		.dead = from->node.dead};
	ret->op.epoch = from->op.epoch;
	ret->op.open = from->op.open;
	if (from->op.promote.id != 0) {
		who_load(from->op.promote, &ret->op.promote);
		who_load(from->op.master, &ret->op.master);
	}
	if (from->flags & S_SLOT_READ) {
		ret->slot = (struct aero_slot){
			.hostname = text(W_NAME, from->slot.name),
			.service = text(W_SERVICE, from->slot.service),
			.service_type = text(W_TYPE, from->slot.type),
			.reg = from->slot.reg,
			.epoch = from->slot.epoch,
		};
		who_load(from->slot.who, &ret->slot.who);
	}
}

static void save_op(const struct aero_control *op, unsigned mask, struct w_control *ret)
{
	if (mask & (L_OP_EPOCH | L_OP))
		ret->epoch = (uint8_t)op->epoch;
	if (mask & L_OP && op->open) {
		ret->open = 1;
		ret->promote = who_save(&op->promote);
		ret->master = who_save(&op->master);
	} else if (mask & L_PROMOTE && op->promote.instance_id != NULL) {
		ret->promote = who_save(&op->promote);
	}
}

static void save_slot(const struct aero_slot *slot, unsigned mask, struct s_actor *ret)
{
	if (!(mask & (L_SLOT | L_HOLDER)) || slot->hostname == NULL)
		return;
	ret->flags |= S_SLOT_READ;
	if (mask & L_SLOT) {
		ret->slot.name = w_number(W_NAME, slot->hostname);
		ret->slot.service = w_number(W_SERVICE, slot->service);
		ret->slot.reg = (uint8_t)slot->reg;
	}
	if (mask & L_HOLDER)
		ret->slot.who = who_save(&slot->who);
	if (mask == L_ALL) {
		ret->slot.type = w_number(W_TYPE, slot->service_type);
		ret->slot.epoch = (uint8_t)slot->epoch;
	}
}

void s_actor_save(const struct aero_actor *actor, struct s_actor *ret)
{
	unsigned mask = s_run.keep_all ? (unsigned)L_ALL : live[actor->step];

	if (mask & L_OP && mask != L_ALL && !actor->op.open)
		mask &= ~(unsigned)L_HELP | L_ALIASES;
	*ret = (struct s_actor){
		.turn = ret->turn,
		.act = ret->act,
		.flags = ret->flags & (S_RUNS | S_FRESH),
		.candidate = ret->candidate,
		.step = (uint8_t)actor->step,
	};
	if (mask & L_ALIASES && actor->aliases_done)
		ret->flags |= S_ALIASES_DONE;
	if (mask & L_MINE && actor->mine)
		ret->flags |= S_MINE;
	if (mask == L_ALL)
		ret->flags |=
			(uint8_t)(actor->had_none * S_HAD_NONE | actor->hole * S_HOLE);
	if (mask & L_EPOCH)
		ret->epoch = (uint8_t)actor->epoch;
	if (mask & L_APPENDED)
		ret->appended = w_number(W_NAME, actor->appended);
	if (mask & L_AHEAD)
		ret->ahead = actor->ahead;
	if (mask & L_OWN) {
		ret->own = w_number(W_NAME, actor->own);
		ret->own_reg = (uint8_t)actor->own_reg;
	}
	if (mask & L_NODE)
		ret->node = (struct w_node){actor->node.exists, (uint8_t)actor->node.gen,
			actor->node.left, actor->node.dead};
	save_op(&actor->op, mask, &ret->op);
	save_slot(&actor->slot, mask, ret);
}

void s_actor_begin(struct s_state *state, int i, enum s_act act, bool fresh)
{
	struct s_actor *actor = &state->actors[i];
	struct aero_actor begun = {0};

	*actor = (struct s_actor){.turn = actor->turn,
		.act = (uint8_t)act,
		.candidate = actor->candidate,
		.flags = (uint8_t)(S_RUNS | (fresh ? S_FRESH : 0))};
	if (act >= S_REAP)
		return;
	aero_actor_begin(&begun, shipped_act(act), NULL, "", false, NULL, NULL, NULL);
	actor->step = (uint8_t)begun.step;
}

/* Over, one way or another: nothing is left of it but its late writes. */
void s_actor_end(struct s_state *state, int i)
{
	state->actors[i] =
		(struct s_actor){.turn = state->actors[i].turn, .act = S_NOTHING};
	for (int k = 0; k < S_LATE; k++)
		if (state->late[k].op != W_NONE && state->late[k].owner == i)
			state->late[k].owner = S_NOBODY;
}

/* ---- canonical form ---- */

/* Only whether two tenure numbers are equal matters: number them as they come. */
static void canonical_regs(struct s_state *state)
{
	uint8_t to[256] = {0}, next = 1;
	uint8_t *all[W_SLOTS + 2 * S_ACTORS + 3 * S_LATE], n = 0;

	for (int i = 0; i < state->world.n_slots; i++)
		all[n++] = &state->world.slots[i].reg;
	for (int i = 0; i < S_ACTORS; i++) {
		all[n++] = &state->actors[i].slot.reg;
		all[n++] = &state->actors[i].own_reg;
	}
	for (int i = 0; i < S_LATE; i++) {
		all[n++] = &state->late[i].to_reg;
		all[n++] = &state->late[i].reg;
		all[n++] = &state->late[i].new_reg;
	}
	for (int i = 0; i < n; i++) {
		if (*all[i] == 0)
			continue;
		if (to[*all[i]] == 0)
			to[*all[i]] = next++;
		*all[i] = to[*all[i]];
	}
}

/* The same for the gens of one node; their order is kept, as the next is one more. */
static void canonical_gens(struct s_state *state, uint8_t id)
{
	uint8_t *all[1 + S_ACTORS + S_LATE], was[1 + S_ACTORS + S_LATE], n = 0, below;

	all[n++] = &state->world.nodes[id].gen;
	for (int i = 0; i < s_run.n_roles; i++) {
		uint8_t of =
			s_run.node[i] == 0 ? state->actors[i].candidate : s_run.node[i];

		if (of == id)
			all[n++] = &state->actors[i].node.gen;
	}
	for (int i = 0; i < S_LATE; i++)
		if (state->late[i].op == W_NODE_UPDATE && state->late[i].who.id == id)
			all[n++] = &state->late[i].was.gen;
	for (int i = 0; i < n; i++)
		was[i] = *all[i];
	for (int i = 0; i < n; i++) { /* 1 + the number of smaller ones; 0 stays */
		below = was[i] != 0;
		for (int j = 0; j < n; j++) {
			int k = 0;

			while (k < j && was[k] != was[j])
				k++;
			if (k == j && was[j] != 0 && was[j] < was[i])
				below++;
		}
		*all[i] = below;
	}
}

void s_canonical(struct s_state *state)
{
	struct w_write *late = state->late, first;

	w_sort(&state->world);
	if (memcmp(&late[0], &late[1], sizeof(late[0])) < 0) {
		first = late[0];
		late[0] = late[1];
		late[1] = first;
	}
	canonical_regs(state);
	for (uint8_t id = 1; id <= W_NODES; id++)
		canonical_gens(state, id);
}

static uint8_t higher(uint8_t a, uint8_t b)
{
	return a > b ? a : b;
}

uint8_t s_fresh_reg(const struct s_state *state)
{
	uint8_t max = 0;

	for (int i = 0; i < state->world.n_slots; i++)
		max = higher(max, state->world.slots[i].reg);
	for (int i = 0; i < S_ACTORS; i++) {
		max = higher(max, state->actors[i].slot.reg);
		max = higher(max, state->actors[i].own_reg);
	}
	for (int i = 0; i < S_LATE; i++) {
		max = higher(max, state->late[i].reg);
		max = higher(max, state->late[i].new_reg);
		max = higher(max, state->late[i].to_reg);
	}
	return (uint8_t)(max + 1);
}
