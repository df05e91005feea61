/* SPDX-License-Identifier: MIT */
/*
 * The search's store: all that a naming store holds, in a few hundred flat bytes without
 * pointers, so that a state is copied, compared and hashed as it lies. Texts are small
 * numbers. It acts as lib/store.h says; tests/test_search_store.c holds it against the
 * scripted store and the LMDB store, answer by answer.
 */
#ifndef AERO_TESTS_SEARCH_WORLD_H
#define AERO_TESTS_SEARCH_WORLD_H

#include "lib/store_ops.h"

enum {
	W_SLOTS = 9,
	W_NODES = 5,    /* instances 1..W_NODES; 0 is '' */
	W_SERVICES = 2, /* services 1..W_SERVICES; 0 is '' */
	W_TEXTS = 40,
	W_AHEAD = 4, /* slots that one write inserts */
};

/* ---- texts ---- */

enum w_kind { W_NAME, W_ID, W_SERVICE, W_TYPE, W_IP, W_ALIAS, W_N_KINDS };

/* The number of a text, given out at first sight; '' and NULL are 0. Fails the test when
 * there are too many. */
uint8_t w_number(enum w_kind kind, const char *text);
const char *w_text(enum w_kind kind, uint8_t number);
/* Lists of aliases as a set of bits, bit number-1. */
uint8_t w_aliases(const struct aero_list *list);
void w_aliases_to(uint8_t aliases, struct aero_list *ret);

/* ---- documents ---- */

struct w_who {
	uint8_t id, ip, ip6, aliases;
};

struct w_slot {
	uint8_t name, service, type, reg, epoch;
	struct w_who who;
};

struct w_node {
	uint8_t exists, gen, left, dead;
};

struct w_control {
	uint8_t epoch, open;
	struct w_who promote, master;
};

struct world {
	uint8_t n_slots;
	struct w_slot slots[W_SLOTS];
	struct w_node nodes[W_NODES + 1];
	struct w_control controls[W_SERVICES + 1];
};

/* ---- writes, as values: they may land later ---- */

enum w_op {
	W_NONE,
	W_UPDATE,
	W_CLAIM,
	W_INSERT,
	W_ALIASES,
	W_NODE_UPDATE,
	W_OPEN,
	W_CLOSE,
	W_OVER, /* the change-over in one piece */
	/* of the original */
	W_SET,    /* {hostname: name} -> $set the occupant */
	W_RENAME, /* {instance_id: who.id} -> $set hostname: name */
};

struct w_write {
	uint8_t op;
	uint8_t owner, step, op_epoch; /* who wrote it: for the checks and the trace */
	uint8_t name, service,
		type;        /* also what is inserted; name is except of a claim */
	uint8_t occupant[2]; /* id + 1; 0 = unused */
	uint8_t match_reg, reg, epoch_below;
	uint8_t put, blank, renew, set_type, new_reg, epoch;
	struct w_who who;
	struct w_node was, node;   /* who.id's */
	struct w_who master;       /* of an op; who is p */
	uint8_t more[W_AHEAD - 1]; /* names, after name, of W_INSERT; 0 = no more */
	uint8_t to, to_reg; /* of W_OVER: the master's slot; name and reg are p's */
};

/* Rules left out of the store (register/mutant.h). */
struct w_rules {
	bool no_instance_index, string_order;
	bool mutant_index; /* no_instance_index in every set-up */
	bool no_w2;
	bool over_any_node, over_any_master, over_any_control;
};
extern struct w_rules w_rules;

/* What is left of an insert of several once the first is in: they come one by one. False:
 * nothing is. */
bool w_rest(struct w_write *write);

/* Apply it. *ret_slot (may be NULL) is the slot that was changed. */
int w_apply(struct world *world, const struct w_write *write, int *ret_slot);

/* The slot of that name or instance; -1. */
int w_by_name(const struct world *world, uint8_t name);
int w_by_id(const struct world *world, uint8_t id);
/* How many slots it is in. */
int w_held(const struct world *world, uint8_t id);

/* Put a slot in; order the slots by name, as they are kept. */
void w_add(struct world *world, const struct w_slot *slot);
void w_sort(struct world *world);

#endif
