/* SPDX-License-Identifier: MIT */
/* The invariants of DESIGN 3, as the search looks at them: in every state, at every
 * write, and at the end of every session. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/search_model.h"
#include "tests/support.h"

void s_broken(const char *fmt, ...)
{
	va_list args;

	if (s_run.broken[0] != '\0')
		return;
	va_start(args, fmt);
	(void)vsnprintf(s_run.broken, sizeof(s_run.broken), fmt, args);
	va_end(args);
}

static const char *node_name(uint8_t id)
{
	return w_text(W_ID, id);
}

static uint8_t master_name(uint8_t service)
{
	char name[AERO_HOSTNAME_SIZE];

	aero_pick_master(w_text(W_SERVICE, service), name);
	return w_number(W_NAME, name);
}

/* ---- in every state ---- */

static void check_unique(const struct world *world)
{
	for (int i = 0; i < world->n_slots; i++)
		for (int j = 0; j < i; j++) {
			const struct w_slot *a = &world->slots[i], *b = &world->slots[j];

			if (a->name != 0 && a->name == b->name)
				s_broken("I1: two slots are named %s",
					w_text(W_NAME, a->name));
			if (a->who.id != 0 && a->who.id == b->who.id &&
				!s_run.setup->twice)
				s_broken("I2: node %s is in two slots",
					node_name(a->who.id));
		}
}

/* I4: numbers without a hole. */
static void check_dense(const struct world *world)
{
	for (uint8_t s = 1; s <= W_SERVICES; s++) {
		int64_t max = -1, n = 0, first = 0;

		for (int i = 0; i < world->n_slots; i++) {
			const struct w_slot *slot = &world->slots[i];
			bool masterful =
				strcmp(w_text(W_TYPE, slot->type), "masterful") == 0;
			int64_t number = aero_pick_number(w_text(W_NAME, slot->name),
				w_text(W_SERVICE, s), masterful);

			if (slot->service != s || number < 0)
				continue;
			first = masterful ? 1 : 0;
			n++;
			max = number > max ? number : max;
		}
		if (n > 0 && max != first + n - 1)
			s_broken("I4: the numbers of service %s have a hole",
				w_text(W_SERVICE, s));
	}
}

bool s_named(const struct world *world, uint8_t id)
{
	for (int s = 1; s <= W_SERVICES; s++)
		if (world->controls[s].open &&
			(world->controls[s].promote.id == id ||
				world->controls[s].master.id == id))
			return true;
	return false;
}

/* I7: who was told its name has one, or an open op is about to give it one. */
static void check_promises(const struct s_state *state)
{
	const struct world *world = &state->world;

	for (uint8_t id = 1; id <= W_NODES; id++) {
		const struct s_host *host = &state->hosts[id];
		int i = w_by_id(world, id);

		if (!host->promised || !host->running)
			continue;
		if (i < 0 && !s_named(world, id))
			s_broken("I7: the acknowledged name of node %s is lost",
				node_name(id));
	}
}

/* Whoever wants it too has a session under way: taken by A, not claimed yet. */
static bool being_moved(const struct s_state *state, uint8_t aliases)
{
	for (int i = 0; i < s_run.n_roles; i++)
		if (state->actors[i].flags & S_RUNS &&
			w_aliases(&s_run.me[i].aliases) & aliases)
			return true;
	return false;
}

/* An alias of a promised node is somebody's. (A crash between A and the claim, or an A
 * that lands late, may leave it nobody's until its next registration: doc/naming.md 5.)
 */
static void check_aliases(const struct s_state *state)
{
	const struct world *world = &state->world;
	uint8_t there = 0, wanted;

	for (int i = 0; i < world->n_slots; i++)
		if (world->slots[i].who.id != 0)
			there |= world->slots[i].who.aliases;
	for (int s = 1; s <= W_SERVICES; s++)
		there |= world->controls[s].promote.aliases |
			 world->controls[s].master.aliases;
	for (int i = 0;
		i < s_run.n_roles && s_run.setup->crashes == 0 && s_run.setup->late == 0;
		i++) {
		const struct s_host *host = &state->hosts[s_run.node[i]];

		wanted = w_aliases(&s_run.me[i].aliases);
		if (host->promised && host->running && (wanted & ~there) != 0 &&
			state->actors[i].turn > 0 && !being_moved(state, wanted))
			s_broken("A: the alias %s of node %s is nobody's",
				s_run.setup->roles[i].alias, node_name(s_run.node[i]));
	}
}

void s_check_state(const struct s_state *state)
{
	check_unique(&state->world);
	if (!s_run.setup->holes && !s_run.setup->originals)
		check_dense(&state->world);
	if (s_run.setup->originals)
		return;
	check_promises(state);
	check_aliases(state);
}

/* ---- at every write ---- */

static bool gone(const struct s_state *state, uint8_t id)
{
	const struct w_node *node = &state->world.nodes[id];

	return node->dead || node->left || !state->hosts[id].running;
}

/* The op of this write is the one that is open. */
static bool current(const struct s_state *before, const struct w_write *write,
	uint8_t service, uint8_t promoted)
{
	const struct w_control *control = &before->world.controls[service];

	return control->open && control->epoch == write->op_epoch &&
	       (promoted == 0 || control->promote.id == promoted);
}

static void check_occupant(const struct s_state *before, const struct w_slot *was,
	const struct w_slot *is, const struct w_write *write)
{
	const char *name = w_text(W_NAME, is->name);
	bool master = is->name == master_name(is->service);

	/* A name goes over from node to node by a change-over alone: I3, I5. */
	if (was->who.id != 0 && is->who.id != 0 && was->who.id != is->who.id &&
		!(master && current(before, write, is->service, is->who.id) &&
			before->world.controls[is->service].master.id == was->who.id))
		s_broken("I5: %s went from %s to %s, and no open op says so", name,
			node_name(was->who.id), node_name(is->who.id));
	/* A stale op puts nobody into the master slot. */
	if (master && was->who.id == 0 && is->who.id != 0 &&
		!current(before, write, is->service, is->who.id))
		s_broken("I5: %s was given to %s, and no open op says so", name,
			node_name(is->who.id));
	/* And takes nobody's slot away. (Who died holds it for nothing until it registers
	 * again, which renews reg: doc/naming.md.) */
	if (write->step == AERO_STEP_V && was->who.id != 0 && is->who.id == 0 &&
		!gone(before, was->who.id) && before->hosts[was->who.id].promised &&
		!current(before, write, is->service, was->who.id))
		s_broken("I5: a stale op took %s away from %s", name,
			node_name(was->who.id));
	/* I3: no change-over blanks the master. */
	if (master && was->who.id != 0 && is->who.id == 0 && write->step == AERO_STEP_V)
		s_broken("I3: a change-over blanked %s", name);
}

/* I4: a claim takes the lowest blank number. */
static void check_lowest(const struct s_state *before, const struct w_write *write,
	const struct w_slot *is)
{
	const char *service = w_text(W_SERVICE, write->service);
	bool masterful = !s_run.setup->roles[0].iterative;
	int64_t taken = aero_pick_number(w_text(W_NAME, is->name), service, masterful),
		number;

	for (int i = 0; i < before->world.n_slots; i++) {
		const struct w_slot *slot = &before->world.slots[i];

		number = aero_pick_number(w_text(W_NAME, slot->name), service, masterful);
		if (slot->service == write->service && slot->who.id == 0 && number >= 0 &&
			number < taken)
			s_broken("I4: %s was claimed, and %s was blank",
				w_text(W_NAME, is->name), w_text(W_NAME, slot->name));
	}
}

/* A change-over in one piece: alone, for a node that is neither dead nor left, and from
 * whom it says; nobody else's slot is touched. */
static void check_over(const struct s_state *before, const struct s_state *after,
	const struct w_write *write)
{
	const struct w_control *control = &before->world.controls[write->service];
	struct w_node node = before->world.nodes[write->who.id];

	if (control->open || control->epoch + 1 != write->epoch)
		s_broken("I5: %s was made master beside another change-over",
			node_name(write->who.id));
	if (node.dead || node.left)
		s_broken("I6: %s, dead or released, was made master",
			node_name(write->who.id));
	for (int i = 0; i < before->world.n_slots; i++) {
		const struct w_slot *was = &before->world.slots[i];
		const struct w_slot *is = &after->world.slots[i];
		bool to = was->name == write->to, own = was->name == write->name;
		uint8_t from = to ? write->master.id : own ? write->who.id : 0;

		if (is->epoch < was->epoch)
			s_broken("I5: the epoch of %s went down",
				w_text(W_NAME, is->name));
		if (!to && was->who.id == is->who.id)
			continue;
		if (was->who.id != from ||
			(to ? is->who.id != write->who.id
			    : is->who.id != 0 && is->who.id != write->master.id))
			s_broken("I5: %s went from %s to %s by a change-over from %s to "
				 "%s",
				w_text(W_NAME, is->name), node_name(was->who.id),
				node_name(is->who.id), node_name(write->master.id),
				node_name(write->who.id));
		if (!to && is->who.id != 0)
			check_lowest(after, write, is);
	}
}

void s_check_write(const struct s_state *before, const struct s_state *after,
	const struct w_write *write, int answer, int slot)
{
	const struct w_slot *was, *is;
	struct w_slot none = {0};

	if (answer == AERO_OK && write->op == W_OVER && !s_run.setup->originals)
		check_over(before, after, write);
	if (answer != AERO_OK || slot < 0 || s_run.setup->originals)
		return;
	is = &after->world.slots[slot];
	was = slot < before->world.n_slots ? &before->world.slots[slot] : &none;
	if (is->epoch < was->epoch)
		s_broken("I5: the epoch of %s went down", w_text(W_NAME, is->name));
	if (is->epoch > after->world.controls[is->service].epoch)
		s_broken("I5: the epoch of %s is above control's",
			w_text(W_NAME, is->name));
	check_occupant(before, was, is, write);
	if (write->op == W_CLAIM)
		check_lowest(before, write, is);
}

/* ---- at the end of a session ---- */

void s_check_end(const struct s_state *before, int i, int rc)
{
	const struct s_actor *actor = &before->actors[i];
	const struct world *world = &before->world;
	bool changes = actor->act == S_CHANGE || actor->act == S_TXN;
	uint8_t id = s_run.node[i], service = s_run.service[i];
	struct w_node node = world->nodes[id];
	int master = w_by_name(world, master_name(service));

	if (s_run.setup->originals)
		return;
	if (changes && rc == AERO_OK && (master < 0 || world->slots[master].who.id != id))
		s_broken("I5: a change-over was reported done, and %s is not the master",
			node_name(id));
	if (changes && rc == AERO_AGAIN && s_run.setup->deaths + s_run.setup->lies == 0 &&
		world->controls[service].epoch <= actor->epoch && !node.dead &&
		!node.left && w_by_id(world, id) >= 0 &&
		world->slots[w_by_id(world, id)].service == service)
		s_broken("C: %s was told that it was not made the master, and nothing "
			 "was in the way",
			node_name(id));
	if (changes && rc == AERO_REFUSED && before->hosts[id].promised &&
		(w_by_id(world, id) < 0 ||
			world->slots[w_by_id(world, id)].service == service))
		s_broken("C: %s was told that it has no name", node_name(id));
	if ((actor->act == S_REGISTER || actor->act == S_HEAL) && rc != AERO_OK &&
		!node.dead && !(node.left && actor->act == S_HEAL) &&
		!s_run.setup->refusals)
		s_broken("R: the registration of %s was refused (%s)", node_name(id),
			aero_rc_words(rc));
	if (rc == AERO_CONFIG || rc == AERO_PERM)
		s_broken("%s: %s", node_name(id), aero_rc_words(rc));
}
