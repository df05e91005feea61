/* SPDX-License-Identifier: MIT */
/* A state in words, for counterexamples. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/search_model.h"
#include "tests/support.h"

static char line[1024];
static size_t len;

static void add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line + len, sizeof(line) - len, fmt, args);
	va_end(args);
	if (n > 0)
		len += (size_t)n;
	if (len >= sizeof(line))
		len = sizeof(line) - 1;
}

const char *s_words(const struct s_state *state)
{
	const struct world *world = &state->world;

	len = 0;
	line[0] = '\0';
	for (int i = 0; i < world->n_slots; i++) {
		const struct w_slot *slot = &world->slots[i];

		add("%s%s=%s", i > 0 ? " " : "",
			slot->name == 0 ? "(nameless)" : w_text(W_NAME, slot->name),
			slot->who.id == 0 ? "-" : w_text(W_ID, slot->who.id));
		if (slot->reg != 0)
			add(" r%d", slot->reg);
		if (slot->epoch != 0)
			add(" e%d", slot->epoch);
		if (slot->who.id != 0 && slot->who.ip != 0 &&
			strcmp(w_text(W_IP, slot->who.ip), s_run.ips[slot->who.id][1]) ==
				0)
			add(" ip'");
		if (slot->who.aliases != 0)
			add(" al%d", slot->who.aliases);
	}
	for (uint8_t s = 1; s <= W_SERVICES; s++)
		if (world->controls[s].epoch != 0) {
			const struct w_control *control = &world->controls[s];

			add(" | %s e%d", w_text(W_SERVICE, s), control->epoch);
			if (control->open)
				add(" op p=%s m=%s", w_text(W_ID, control->promote.id),
					control->master.id == 0
						? "-"
						: w_text(W_ID, control->master.id));
		}
	for (uint8_t id = 1; id <= W_NODES; id++) {
		struct w_node node = world->nodes[id];

		if (node.exists)
			add(" | %s g%d%s%s", w_text(W_ID, id), node.gen,
				node.left ? " left" : "", node.dead ? " dead" : "");
	}
	for (int k = 0; k < S_LATE; k++)
		if (state->late[k].op != W_NONE)
			add(" | a write of %s under way",
				state->late[k].owner < S_ACTORS
					? s_run.setup->roles[state->late[k].owner].node
					: "a session that is over");
	return line;
}

const char *s_step_words(const struct s_actor *actor)
{
	if (actor->act == S_REAP)
		return aero_reap_words(actor->step);
	if (actor->act < S_REAP)
		return aero_step_words(actor->step);
	return s_other_words(actor);
}

void s_move_words(const struct s_state *before, s_move move, char *ret, size_t size)
{
	static const char *const faults[] = {"", " [answer lost, not applied]",
		" [answer lost, applied]", " [answer lost, may land later]"};
	uint8_t who = move >> 4 & 15, arg = move & 15;
	const char *name = s_run.setup->roles[who < S_ACTORS ? who : 0].node;

	if (name == NULL || *name == '\0')
		name = "server";
	switch ((enum s_kind)(move >> 8)) {
	case S_M_STEP:
		(void)snprintf(ret, size, "%s(%d): %s%s", name, who,
			s_step_words(&before->actors[who]), faults[arg]);
		break;
	case S_M_PICK_SLOT:
		(void)snprintf(ret, size, "server(%d): B1 read slot %s", who,
			w_text(W_NAME, before->world.slots[arg].name));
		break;
	case S_M_PICK_NODE:
		(void)snprintf(
			ret, size, "server(%d): take up node %s", who, w_text(W_ID, arg));
		break;
	case S_M_PICK_HELP:
		(void)snprintf(ret, size, "server(%d): take up the open op", who);
		break;
	case S_M_HEAL:
		(void)snprintf(ret, size, "%s(%d): begins to heal itself", name, who);
		break;
	case S_M_BEGIN:
		(void)snprintf(ret, size, "%s(%d): begins turn %d", name, who,
			before->actors[who].turn);
		break;
	case S_M_LIE:
		(void)snprintf(ret, size, "server(%d): B2 is told that %s is dead", who,
			w_text(W_ID, before->actors[who].candidate));
		break;
	case S_M_TORN:
		(void)snprintf(ret, size, "%s(%d): %s, without seeing %s", name, who,
			s_step_words(&before->actors[who]),
			w_text(W_NAME, before->world.slots[arg].name));
		break;
	case S_M_CRASH:
		(void)snprintf(ret, size, "%s(%d): crash", name, who);
		break;
	case S_M_DIE:
		(void)snprintf(ret, size, "%s dies", w_text(W_ID, who));
		break;
	case S_M_BOOT:
		(void)snprintf(ret, size, "%s boots, with another address", name);
		break;
	case S_M_LAND:
		(void)snprintf(ret, size, "the late write of %s lands",
			aero_step_words(before->late[who].step < AERO_N_STEPS
						? before->late[who].step
						: AERO_STEP_DONE));
		break;
	}
}
