/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/search_store.h"
#include "tests/support.h"

static struct search_store *store_of(struct aero_store *store)
{
	return (struct search_store *)(void *)store;
}

static struct world *world_of(struct aero_store *store)
{
	return store_of(store)->world;
}

static char *text(enum w_kind kind, uint8_t number)
{
	char *ret = strdup(w_text(kind, number));

	assert_non_null(ret);
	return ret;
}

static struct w_who who_of(const struct aero_occupant *who)
{
	if (who == NULL)
		return (struct w_who){0};
	return (struct w_who){
		.id = w_number(W_ID, who->instance_id),
		.ip = w_number(W_IP, who->ip),
		.ip6 = w_number(W_IP, who->ip6),
		.aliases = w_aliases(&who->aliases),
	};
}

static void who_to(struct w_who who, struct aero_occupant *ret)
{
	*ret = (struct aero_occupant){
		.instance_id = text(W_ID, who.id),
		.ip = text(W_IP, who.ip),
		.ip6 = text(W_IP, who.ip6),
	};
	w_aliases_to(who.aliases, &ret->aliases);
}

static void slot_to(const struct w_slot *slot, struct aero_slot *ret)
{
	*ret = (struct aero_slot){
		.hostname = text(W_NAME, slot->name),
		.service = text(W_SERVICE, slot->service),
		.service_type = text(W_TYPE, slot->type),
		.reg = slot->reg,
		.epoch = slot->epoch,
	};
	who_to(slot->who, &ret->who);
}

static int small(int64_t number)
{
	assert_true(number >= 0 && number < 256);
	return (int)number;
}

static int never(struct aero_err *err)
{
	return aero_err_set(err, AERO_CONFIG, "search: not in this store");
}

static void op_close(struct aero_store *store)
{
	(void)store;
}

static int op_ping(struct aero_store *store, struct aero_err *err)
{
	(void)store;
	return never(err);
}

static int op_slots(struct aero_store *store, const char *service, struct aero_slots *ret,
	struct aero_err *err)
{
	struct world *world = world_of(store);
	struct aero_slot slot;

	(void)err;
	store_of(store)->read_all = true;
	for (int i = 0; i < world->n_slots; i++) {
		if (i == store_of(store)->missed)
			continue;
		if (service != NULL &&
			strcmp(w_text(W_SERVICE, world->slots[i].service), service) != 0)
			continue;
		slot_to(&world->slots[i], &slot);
		assert_true(aero_slots_add(ret, &slot));
	}
	return AERO_OK;
}

static int found(const struct world *world, int i, struct aero_slot *ret)
{
	if (i < 0)
		return AERO_MISS;
	slot_to(&world->slots[i], ret);
	return AERO_OK;
}

static int op_by_instance(struct aero_store *store, const char *instance_id,
	struct aero_slot *ret, struct aero_err *err)
{
	struct world *world = world_of(store);

	(void)err;
	return found(world, w_by_id(world, w_number(W_ID, instance_id)), ret);
}

static int op_by_hostname(struct aero_store *store, const char *hostname,
	struct aero_slot *ret, struct aero_err *err)
{
	struct world *world = world_of(store);

	(void)err;
	return found(world, w_by_name(world, w_number(W_NAME, hostname)), ret);
}

static int op_node(struct aero_store *store, const char *instance_id,
	struct aero_node *ret, struct aero_err *err)
{
	struct world *world = world_of(store);
	struct w_node node = world->nodes[w_number(W_ID, instance_id)];

	(void)err;
	*ret = (struct aero_node){.exists = node.exists,
		.gen = node.gen,
		.left = node.left,
		.dead = node.dead};
	if (node.dead)
		(void)snprintf(ret->why, sizeof(ret->why), "stopped");
	return AERO_OK;
}

static int op_control(struct aero_store *store, const char *service,
	struct aero_control *ret, struct aero_err *err)
{
	struct world *world = world_of(store);
	struct w_control *control = &world->controls[w_number(W_SERVICE, service)];

	(void)err;
	*ret = (struct aero_control){.epoch = control->epoch, .open = control->open};
	if (control->open) {
		who_to(control->promote, &ret->promote);
		who_to(control->master, &ret->master);
	}
	return AERO_OK;
}

/* One write, which does what the next fault says. */
static int do_write(
	struct search_store *store, const struct w_write *write, struct aero_err *err)
{
	store->last = *write;
	store->slot = -1;
	store->answer = AERO_MISS;
	if (store->fault == W_CLEAR || store->fault == W_LOST_AFTER)
		store->answer = w_apply(store->world, write, &store->slot);
	if (store->fault == W_CLEAR)
		return store->answer;
	return aero_err_set(err, AERO_AMBIGUOUS, "search: no answer");
}

static void change_of(const struct aero_slot_change *change, struct w_write *write)
{
	write->put = change->who != NULL;
	write->who = who_of(change->who);
	assert_true(!write->put || (write->who.id != 0 && change->reg != 0));
	write->new_reg = (uint8_t)small(change->reg);
	write->blank = change->blank;
	write->renew = change->renew;
	write->epoch = (uint8_t)small(change->epoch);
	write->set_type = change->service_type != NULL;
	write->type = w_number(W_TYPE, change->service_type);
}

static int op_slot_update(struct aero_store *store, const struct aero_slot_match *match,
	const struct aero_slot_change *change, struct aero_err *err)
{
	struct w_write write = {
		.op = W_UPDATE,
		.name = w_number(W_NAME, match->hostname),
		.match_reg = match->match_reg,
		.reg = (uint8_t)small(match->match_reg ? match->reg : 0),
		.epoch_below = (uint8_t)small(match->epoch_below),
	};

	for (int i = 0; i < 2; i++)
		if (match->occupant[i] != NULL)
			write.occupant[i] =
				(uint8_t)(w_number(W_ID, match->occupant[i]) + 1);
	change_of(change, &write);
	return do_write(store_of(store), &write, err);
}

static int op_slot_claim(struct aero_store *store, const char *service,
	const char *except_hostname, const struct aero_slot_change *change,
	struct aero_slot *ret, struct aero_err *err)
{
	struct w_write write = {
		.op = W_CLAIM,
		.service = w_number(W_SERVICE, service),
		.name = w_number(W_NAME, except_hostname),
	};
	int rc;

	change_of(change, &write);
	rc = do_write(store_of(store), &write, err);
	if (rc == AERO_OK)
		slot_to(&store_of(store)->world->slots[store_of(store)->slot], ret);
	return rc;
}

static int op_slots_insert(struct aero_store *store, const struct aero_slot *slots,
	size_t n, struct aero_err *err)
{
	struct w_write write = {.op = W_INSERT};
	int rc = AERO_OK;

	assert_in_range(n, 1, W_AHEAD);
	for (size_t i = 1; i < n; i++)
		write.more[i - 1] = w_number(W_NAME, slots[i].hostname);
	write.name = w_number(W_NAME, slots->hostname);
	write.service = w_number(W_SERVICE, slots->service);
	write.type = w_number(W_TYPE, slots->service_type);
	write.who = who_of(&slots->who);
	rc = do_write(store_of(store), &write, err);
	return rc;
}

static int op_slot_import(
	struct aero_store *store, const struct aero_slot *slot, struct aero_err *err)
{
	(void)store;
	(void)slot;
	return never(err);
}

static int op_aliases_take(struct aero_store *store, const struct aero_list *aliases,
	const char *instance_id, struct aero_err *err)
{
	struct w_write write = {.op = W_ALIASES};

	write.who.id = w_number(W_ID, instance_id);
	write.who.aliases = w_aliases(aliases);
	return do_write(store_of(store), &write, err);
}

static int op_node_update(struct aero_store *store, const char *instance_id,
	const struct aero_node *was, bool left, bool dead, const char *why,
	struct aero_err *err)
{
	struct w_write write = {
		.op = W_NODE_UPDATE,
		.who = {.id = w_number(W_ID, instance_id)},
		.was = {.exists = was->exists, .gen = (uint8_t)small(was->gen)},
		.node = {.left = left, .dead = dead},
	};

	(void)why;
	return do_write(store_of(store), &write, err);
}

static int op_control_open(struct aero_store *store, const char *service, int64_t epoch,
	const struct aero_occupant *promote, const struct aero_occupant *master,
	struct aero_err *err)
{
	struct w_write write = {
		.op = W_OPEN,
		.service = w_number(W_SERVICE, service),
		.epoch = (uint8_t)small(epoch),
		.who = who_of(promote),
		.master = who_of(master),
	};

	return do_write(store_of(store), &write, err);
}

static int op_control_close(struct aero_store *store, const char *service, int64_t epoch,
	struct aero_err *err)
{
	struct w_write write = {
		.op = W_CLOSE,
		.service = w_number(W_SERVICE, service),
		.epoch = (uint8_t)small(epoch),
	};

	return do_write(store_of(store), &write, err);
}

static int op_slot_mend(struct aero_store *store, const bson_t *was, const bson_t *set,
	struct aero_err *err)
{
	(void)store;
	(void)was;
	(void)set;
	return never(err);
}

static int op_walk(struct aero_store *store, enum aero_table table, aero_table_take *take,
	void *arg, struct aero_err *err)
{
	(void)store;
	(void)table;
	(void)take;
	(void)arg;
	return never(err);
}

static int op_node_seen(
	struct aero_store *store, const char *instance_id, struct aero_err *err)
{
	(void)store;
	(void)instance_id;
	return never(err);
}

static int op_clock(struct aero_store *store, int64_t *ret, struct aero_err *err)
{
	(void)store;
	(void)ret;
	return never(err);
}

static int op_history_add(
	struct aero_store *store, const bson_t *event, struct aero_err *err)
{
	(void)store;
	(void)event;
	return never(err);
}

static int op_change_over(struct aero_store *store, const struct aero_change_over *change,
	struct aero_err *err)
{
	struct w_write write = {
		.op = W_OVER,
		.service = w_number(W_SERVICE, change->service),
		.epoch = (uint8_t)small(change->epoch),
		.name = w_number(W_NAME, change->hostname),
		.reg = (uint8_t)small(change->reg),
		.to = w_number(W_NAME, change->master_hostname),
		.to_reg = (uint8_t)small(change->master_reg),
		.who = who_of(change->promote),
		.master = who_of(change->master),
		.new_reg = (uint8_t)small(change->new_reg),
		.type = w_number(W_TYPE, "masterful"),
	};

	if (!store_of(store)->transactions)
		return aero_err_set(err, AERO_REFUSED, "search: no transactions");
	return do_write(store_of(store), &write, err);
}

static int op_watch_open(struct aero_store *store, const struct aero_watch_opts *opts,
	struct aero_watch **ret, struct aero_err *err)
{
	(void)store;
	(void)opts;
	(void)ret;
	return never(err);
}

void search_store_init(struct search_store *store, struct world *world)
{
	static const struct aero_store_ops ops = {
		.close = op_close,
		.ping = op_ping,
		.indexes_check = op_ping,
		.indexes_create = op_ping,
		.slots = op_slots,
		.by_instance = op_by_instance,
		.by_hostname = op_by_hostname,
		.slot_update = op_slot_update,
		.slot_claim = op_slot_claim,
		.slots_insert = op_slots_insert,
		.slot_import = op_slot_import,
		.aliases_take = op_aliases_take,
		.slot_mend = op_slot_mend,
		.node = op_node,
		.node_update = op_node_update,
		.node_seen = op_node_seen,
		.clock = op_clock,
		.control = op_control,
		.control_open = op_control_open,
		.control_close = op_control_close,
		.walk = op_walk,
		.history_add = op_history_add,
		.change_over = op_change_over,
		.watch_open = op_watch_open,
	};

	*store = (struct search_store){
		.base.ops = &ops, .world = world, .slot = -1, .missed = -1};
}
