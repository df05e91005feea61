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
