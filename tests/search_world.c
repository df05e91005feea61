/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/names.h"
#include "tests/search_world.h"
#include "tests/support.h"

struct w_rules w_rules;

static struct {
	char text[W_TEXTS][64];
	uint8_t n;
} texts[W_N_KINDS];

uint8_t w_number(enum w_kind kind, const char *text)
{
	uint8_t i;

	if (text == NULL || *text == '\0')
		return 0;
	for (i = 0; i < texts[kind].n; i++)
		if (strcmp(texts[kind].text[i], text) == 0)
			return (uint8_t)(i + 1);
	assert_true(i < W_TEXTS && strlen(text) < sizeof(texts[kind].text[i]));
	assert_true(kind != W_ALIAS || i < 8);
	assert_true(kind != W_ID || i < W_NODES);
	assert_true(kind != W_SERVICE || i < W_SERVICES);
	(void)snprintf(texts[kind].text[i], sizeof(texts[kind].text[i]), "%s", text);
	texts[kind].n++;
	return (uint8_t)(i + 1);
}

const char *w_text(enum w_kind kind, uint8_t number)
{
	return number == 0 ? "" : texts[kind].text[number - 1];
}

uint8_t w_aliases(const struct aero_list *list)
{
	unsigned bits = 0;

	for (size_t i = 0; i < list->n; i++)
		bits |= 1U << (w_number(W_ALIAS, list->v[i]) - 1);
	return (uint8_t)bits;
}

void w_aliases_to(uint8_t aliases, struct aero_list *ret)
{
	for (uint8_t i = 0; i < 8; i++)
		if (aliases & 1U << i)
			assert_true(aero_list_add(ret, w_text(W_ALIAS, i + 1)));
}

int w_by_name(const struct world *world, uint8_t name)
{
	for (int i = 0; i < world->n_slots; i++)
		if (world->slots[i].name == name)
			return i;
	return -1;
}

int w_by_id(const struct world *world, uint8_t id)
{
	for (int i = 0; i < world->n_slots; i++)
		if (world->slots[i].who.id == id)
			return i;
	return -1;
}

int w_held(const struct world *world, uint8_t id)
{
	int n = 0;

	for (int i = 0; i < world->n_slots; i++)
		n += world->slots[i].who.id == id;
	return n;
}

void w_sort(struct world *world)
{
	struct w_slot slot;
	int j;

	for (int i = 1; i < world->n_slots; i++) {
		slot = world->slots[i];
		for (j = i;
			j > 0 && memcmp(&world->slots[j - 1], &slot, sizeof(slot)) > 0;
			j--)
			world->slots[j] = world->slots[j - 1];
		world->slots[j] = slot;
	}
}

void w_add(struct world *world, const struct w_slot *slot)
{
	assert_true(world->n_slots < W_SLOTS);
	world->slots[world->n_slots++] = *slot;
}

static bool matches(const struct w_slot *slot, const struct w_write *write)
{
	bool held = write->occupant[0] == 0 && write->occupant[1] == 0;

	for (int i = 0; i < 2; i++)
		held = held || (write->occupant[i] != 0 &&
				       write->occupant[i] - 1 == slot->who.id);
	return held && slot->name == write->name &&
	       (!write->match_reg || slot->reg == write->reg) &&
	       (write->epoch_below == 0 || slot->epoch < write->epoch_below);
}

static int change(struct world *world, int i, const struct w_write *write)
{
	struct w_slot *slot = &world->slots[i];

	if (write->put) {
		for (int j = 0; j < world->n_slots; j++)
			if (j != i && world->slots[j].who.id == write->who.id &&
				!w_rules.no_instance_index)
				return AERO_DUP_INSTANCE;
		slot->who = write->who;
		slot->reg = write->new_reg;
	}
	if (write->blank)
		slot->who = (struct w_who){.aliases = slot->who.aliases};
	if (write->epoch != 0)
		slot->epoch = write->epoch;
	if (write->set_type)
		slot->type = write->type;
	return AERO_OK;
}

static int lowest_blank(const struct world *world, const struct w_write *write)
{
	const struct w_slot *slot;
	const char *name, *lowest = NULL;
	int best = -1;

	for (int i = 0; i < world->n_slots; i++) {
		slot = &world->slots[i];
		if (slot->service != write->service || slot->who.id != 0 ||
			slot->name == 0 || slot->name == write->name)
			continue;
		name = w_text(W_NAME, slot->name);
		if (best >= 0 &&
			(w_rules.string_order ? strcmp(name, lowest)
					      : aero_natural_cmp(name, lowest)) > 0)
			continue;
		best = i;
		lowest = name;
	}
	return best;
}

static int update(struct world *world, const struct w_write *write, int *ret_slot)
{
	for (int i = 0; i < world->n_slots; i++)
		if (matches(&world->slots[i], write)) {
			*ret_slot = i;
			return change(world, i, write);
		}
	return AERO_MISS;
}

/* The original's two kinds of writes, which the unique indexes may refuse. */
static int set_or_rename(struct world *world, const struct w_write *write, int *ret_slot)
{
	int i = write->op == W_SET ? w_by_name(world, write->name)
				   : w_by_id(world, write->who.id),
	    other;

	if (i < 0)
		return AERO_MISS;
	*ret_slot = i;
	if (write->op == W_SET) {
		other = w_by_id(world, write->who.id);
		if (other >= 0 && other != i && !w_rules.no_instance_index)
			return AERO_DUP_INSTANCE;
		world->slots[i].who = write->who;
		return AERO_OK;
	}
	other = write->name == 0 ? -1 : w_by_name(world, write->name);
	if (other >= 0 && other != i)
		return AERO_DUP_HOSTNAME;
	world->slots[i].name = write->name;
	return AERO_OK;
}

static int node_update(struct w_node *node, const struct w_write *write)
{
	if (node->exists != write->was.exists || node->gen != write->was.gen)
		return AERO_MISS;
	*node = write->node;
	node->exists = 1;
	node->gen = (uint8_t)(write->was.gen + 1);
	return AERO_OK;
}

/* The change-over in one piece. Whatever it refuses, it refuses before it writes. */
static int change_over(struct world *world, const struct w_write *write)
{
	struct w_control *control = &world->controls[write->service];
	struct w_node *node = &world->nodes[write->who.id];
	const struct w_node *m_node = &world->nodes[write->master.id];
	int own = w_by_name(world, write->name), to = w_by_name(world, write->to), gap;
	struct w_slot *slots = world->slots;
	struct w_write claim = {.op = W_CLAIM,
		.service = write->service,
		.name = write->to,
		.put = 1,
		.who = write->master,
		.new_reg = write->new_reg,
		.set_type = 1,
		.type = write->type};
	struct world after = *world;

	if (!w_rules.over_any_control &&
		(control->open || control->epoch + 1 != write->epoch))
		return AERO_MISS;
	if (!w_rules.over_any_node && (node->dead || node->left))
		return AERO_REFUSED;
	if (own < 0 || slots[own].who.id != write->who.id || slots[own].reg != write->reg)
		return AERO_MISS;
	after.slots[own].who = (struct w_who){.aliases = slots[own].who.aliases};
	if (to < 0 || slots[to].epoch >= write->epoch ||
		(!w_rules.over_any_master &&
			(after.slots[to].who.id != write->master.id ||
				slots[to].reg != write->to_reg)))
		return AERO_MISS;
	after.slots[to].who = write->who;
	after.slots[to].reg = write->new_reg;
	after.slots[to].epoch = write->epoch;
	after.slots[to].type = write->type;
	if (write->master.id != 0 && !m_node->dead && !m_node->left) {
		gap = lowest_blank(&after, &claim);
		if (gap < 0)
			return AERO_REFUSED;
		if (change(&after, gap, &claim) != AERO_OK)
			return AERO_MISS;
	}
	after.controls[write->service] = (struct w_control){.epoch = write->epoch};
	after.nodes[write->who.id] = (struct w_node){.exists = 1, .gen = node->gen};
	after.nodes[write->who.id].gen++;
	*world = after;
	return AERO_OK;
}

bool w_rest(struct w_write *write)
{
	write->name = write->more[0];
	memmove(write->more, write->more + 1, sizeof(write->more) - 1);
	write->more[W_AHEAD - 2] = 0;
	return write->op == W_INSERT && write->name != 0;
}

/* In order, as far as it goes; *ret_slot is the last that went in. */
static int insert(struct world *world, const struct w_write *all, int *ret_slot)
{
	struct w_write write = *all;

	do {
		if (write.name != 0 && w_by_name(world, write.name) >= 0)
			return AERO_DUP_HOSTNAME;
		if (write.who.id != 0 && w_by_id(world, write.who.id) >= 0 &&
			!w_rules.no_instance_index)
			return AERO_DUP_INSTANCE;
		*ret_slot = world->n_slots;
		w_add(world, &(struct w_slot){.name = write.name,
				     .service = write.service,
				     .type = write.type,
				     .who = write.who});
	} while (w_rest(&write));
	return AERO_OK;
}

int w_apply(struct world *world, const struct w_write *write, int *ret_slot)
{
	struct w_control *control = &world->controls[write->service];
	int slot = -1, rc = AERO_OK;

	switch (write->op) {
	case W_UPDATE:
		rc = update(world, write, &slot);
		break;
	case W_CLAIM:
		slot = lowest_blank(world, write);
		rc = slot < 0 ? AERO_MISS : change(world, slot, write);
		break;
	case W_INSERT:
		rc = insert(world, write, &slot);
		break;
	case W_ALIASES:
		for (int i = 0; i < world->n_slots; i++)
			if (world->slots[i].who.id != write->who.id)
				world->slots[i].who.aliases &=
					(uint8_t)~write->who.aliases;
		break;
	case W_NODE_UPDATE:
		rc = node_update(&world->nodes[write->who.id], write);
		break;
	case W_OPEN:
		if (control->open || control->epoch + 1 != write->epoch)
			return AERO_MISS;
		*control = (struct w_control){.epoch = write->epoch,
			.open = 1,
			.promote = write->who,
			.master = write->master};
		break;
	case W_CLOSE:
		if (!control->open || control->epoch != write->epoch)
			return AERO_MISS;
		*control = (struct w_control){.epoch = write->epoch};
		break;
	case W_OVER:
		rc = change_over(world, write);
		break;
	default:
		rc = set_or_rename(world, write, &slot);
	}
	if (ret_slot != NULL)
		*ret_slot = slot;
	return rc;
}
