/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/names.h"
#include "lib/store_doc.h"
#include "tests/fake_store.h"
#include "tests/support.h"

static struct fake_store *fake_of(struct aero_store *store)
{
	return (struct fake_store *)(void *)store;
}

/* Begin an operation: what its fault is. */
static enum fake_fault begin(struct fake_store *fake, const char *name)
{
	if (fake->in_txn)
		return FAKE_NONE;
	fake->last = name;
	fake->ops++;
	return fake->ops == fake->fault_at ? fake->fault : FAKE_NONE;
}

static int read_fault(struct aero_store *store, const char *name, struct aero_err *err)
{
	if (begin(fake_of(store), name) == FAKE_NONE)
		return AERO_OK;
	return aero_err_set(err, AERO_NET, "fake: %s has no answer", name);
}

bool fake_write_fault(
	struct aero_store *store, const char *name, int *ret_rc, struct aero_err *err)
{
	enum fake_fault fault = begin(fake_of(store), name);

	*ret_rc = AERO_OK;
	if (fault == FAKE_NET)
		*ret_rc = AERO_NET;
	else if (fault != FAKE_NONE)
		*ret_rc = AERO_AMBIGUOUS;
	if (fault != FAKE_NONE)
		aero_err_set(err, *ret_rc, "fake: %s lost its answer", name);
	return fault == FAKE_NONE || fault == FAKE_LOST_AFTER;
}

/* What a write answers that ended with rc, when its answer may be lost. */
static int answer(int lost, int rc)
{
	return lost != AERO_OK ? lost : rc;
}

static void set(char **text, const char *to)
{
	free(*text);
	*text = strdup(to == NULL ? "" : to);
	assert_non_null(*text);
}

static bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void op_close(struct aero_store *store)
{
	struct fake_store *fake = fake_of(store);

	aero_slots_clear(&fake->slots);
	for (size_t i = 0; i < fake->n_controls; i++)
		aero_control_clear(&fake->controls[i].control);
	for (size_t i = 0; i < fake->n_history; i++)
		bson_destroy(fake->history[i]);
	free(fake);
}

static int op_ping(struct aero_store *store, struct aero_err *err)
{
	return read_fault(store, "ping", err);
}

static int op_indexes_check(struct aero_store *store, struct aero_err *err)
{
	int rc = read_fault(store, "indexes_check", err);

	return rc == AERO_OK ? fake_of(store)->check_rc : rc;
}

static int op_indexes_create(struct aero_store *store, struct aero_err *err)
{
	int rc = read_fault(store, "indexes_create", err);

	return rc == AERO_OK ? fake_of(store)->create_rc : rc;
}

static int op_slots(struct aero_store *store, const char *service, struct aero_slots *ret,
	struct aero_err *err)
{
	struct fake_store *fake = fake_of(store);
	struct aero_slot copy;
	int rc = read_fault(store, "slots", err);

	for (size_t i = 0; rc == AERO_OK && i < fake->slots.n; i++) {
		if (service != NULL && !same(fake->slots.v[i].service, service))
			continue;
		assert_true(aero_slot_copy(&fake->slots.v[i], &copy));
		assert_true(aero_slots_add(ret, &copy));
	}
	return rc;
}

static int op_by_instance(struct aero_store *store, const char *instance_id,
	struct aero_slot *ret, struct aero_err *err)
{
	struct fake_store *fake = fake_of(store);
	int rc = read_fault(store, "by_instance", err);

	for (size_t i = 0; rc == AERO_OK && i < fake->slots.n; i++)
		if (same(fake->slots.v[i].who.instance_id, instance_id)) {
			assert_true(aero_slot_copy(&fake->slots.v[i], ret));
			return AERO_OK;
		}
	return rc == AERO_OK ? AERO_MISS : rc;
}

static int op_by_hostname(struct aero_store *store, const char *hostname,
	struct aero_slot *ret, struct aero_err *err)
{
	struct aero_slot *slot = fake_slot(fake_of(store), hostname);
	int rc = read_fault(store, "by_hostname", err);

	if (rc != AERO_OK)
		return rc;
	if (slot == NULL)
		return AERO_MISS;
	assert_true(aero_slot_copy(slot, ret));
	return AERO_OK;
}

/* Apply; a unique index may refuse. */
static int change_slot(struct fake_store *fake, struct aero_slot *slot,
	const struct aero_slot_change *change)
{
	if (change->who != NULL) {
		for (size_t i = 0; i < fake->slots.n; i++)
			if (&fake->slots.v[i] != slot &&
				same(fake->slots.v[i].who.instance_id,
					change->who->instance_id))
				return AERO_DUP_INSTANCE;
		assert_true(*change->who->instance_id != '\0');
		assert_true(change->reg != 0);
		aero_occupant_clear(&slot->who);
		assert_true(aero_occupant_copy(change->who, &slot->who));
		slot->reg = change->reg;
		slot->registered_at = ++fake->clock;
	}
	if (change->blank) {
		set(&slot->who.instance_id, "");
		set(&slot->who.ip, "");
		set(&slot->who.ip6, "");
	}
	if (change->epoch != 0)
		slot->epoch = change->epoch;
	if (change->service_type != NULL)
		set(&slot->service_type, change->service_type);
	return AERO_OK;
}

static int op_slot_update(struct aero_store *store, const struct aero_slot_match *match,
	const struct aero_slot_change *change, struct aero_err *err)
{
	struct fake_store *fake = fake_of(store);
	int lost;

	if (!fake_write_fault(store, "slot_update", &lost, err))
		return lost;
	for (size_t i = 0; i < fake->slots.n; i++)
		if (aero_slot_matches(&fake->slots.v[i], match))
			return answer(lost, change_slot(fake, &fake->slots.v[i], change));
	return answer(lost, AERO_MISS);
}

static int op_slot_claim(struct aero_store *store, const char *service,
	const char *except_hostname, const struct aero_slot_change *change,
	struct aero_slot *ret, struct aero_err *err)
{
	struct fake_store *fake = fake_of(store);
	struct aero_slot *slot, *best = NULL;
	int lost, rc;

	if (!fake_write_fault(store, "slot_claim", &lost, err))
		return lost;
	for (size_t i = 0; i < fake->slots.n; i++) {
		slot = &fake->slots.v[i];
		if (!same(slot->service, service) || !aero_slot_blank(slot) ||
			!aero_slot_name_fits(slot->hostname, service) ||
			(except_hostname != NULL &&
				same(slot->hostname, except_hostname)))
			continue;
		if (best == NULL || aero_natural_cmp(slot->hostname, best->hostname) < 0)
			best = slot;
	}
	rc = best == NULL ? AERO_MISS : change_slot(fake, best, change);
	if (rc == AERO_OK && lost == AERO_OK)
		assert_true(aero_slot_copy(best, ret));
	return answer(lost, rc);
}

static int op_slots_insert(struct aero_store *store, const struct aero_slot *slots,
	size_t n, struct aero_err *err)
{
	struct fake_store *fake = fake_of(store);
	struct aero_slot copy;
	int lost;

	if (!fake_write_fault(store, "slots_insert", &lost, err))
		return lost;
	for (size_t i = 0; i < n; i++) {
		if (fake_slot(fake, slots[i].hostname) != NULL)
			return answer(lost, AERO_DUP_HOSTNAME);
		assert_true(aero_slot_copy(&slots[i], &copy));
		assert_true(aero_slots_add(&fake->slots, &copy));
	}
	return lost;
}

static int op_slot_import(
	struct aero_store *store, const struct aero_slot *slot, struct aero_err *err)
{
	(void)store;
	(void)slot;
	return aero_err_set(err, AERO_CONFIG, "fake: no import");
}

static int op_aliases_take(struct aero_store *store, const struct aero_list *aliases,
	const char *instance_id, struct aero_err *err)
{
	struct fake_store *fake = fake_of(store);
	struct aero_list *list, kept;
	int lost;

	if (!fake_write_fault(store, "aliases_take", &lost, err))
		return lost;
	for (size_t i = 0; i < fake->slots.n; i++) {
		if (same(fake->slots.v[i].who.instance_id, instance_id))
			continue;
		list = &fake->slots.v[i].who.aliases;
		kept = (struct aero_list){0};
		for (size_t j = 0; j < list->n; j++)
			if (!aero_list_has(aliases, list->v[j]))
				assert_true(aero_list_add(&kept, list->v[j]));
		aero_list_clear(list);
		*list = kept;
	}
	return lost;
}

/* The i-th document of a table, to be destroyed; NULL behind the last. */
static bson_t *document(struct fake_store *fake, enum aero_table table, size_t i)
{
	bson_t *doc = bson_new();

	if (table == AERO_TABLE_SLOTS && i < fake->slots.n) {
		aero_slot_to_bson(&fake->slots.v[i], doc);
	} else if (table == AERO_TABLE_NODES && i < fake->n_nodes) {
		const struct aero_node *node = &fake->nodes[i].node;

		BSON_APPEND_UTF8(doc, "_id", fake->nodes[i].id);
		aero_doc_node_set(node->gen, node->left, node->dead, node->why, 1, doc);
		if (node->seen_at != 0)
			BSON_APPEND_DATE_TIME(doc, "seen_at", node->seen_at);
	} else if (table == AERO_TABLE_CONTROL && i < fake->n_controls) {
		const struct aero_control *c = &fake->controls[i].control;

		BSON_APPEND_UTF8(doc, "_id", fake->controls[i].service);
		if (c->open)
			aero_doc_control_open(c->epoch, &c->promote, &c->master, 1, doc);
		else
			aero_doc_control_close(doc);
	} else if (table == AERO_TABLE_HISTORY && i < fake->n_history) {
		bson_concat(doc, fake->history[i]);
	} else {
		bson_destroy(doc);
		doc = NULL;
	}
	return doc;
}

/* The documents have no _id here: the first that is equal is meant. */
static int op_slot_mend(struct aero_store *store, const bson_t *was, const bson_t *set,
	struct aero_err *err)
{
	struct fake_store *fake = fake_of(store);
	struct aero_change change = {.set = bson_copy(set == NULL ? was : set)};
	bson_t *doc, *mended;
	bool gone, found = false;
	int lost;

	if (!fake_write_fault(store, "slot_mend", &lost, err)) {
		bson_destroy(change.set);
		return lost;
	}
	for (size_t i = 0; !found && i < fake->slots.n; i++) {
		struct aero_slot *slot = &fake->slots.v[i];

		doc = document(fake, AERO_TABLE_SLOTS, i);
		found = bson_equal(doc, was);
		if (found && set != NULL) {
			mended = aero_change_apply(doc, &change, &gone);
			assert_non_null(mended);
			aero_slot_clear(slot);
			assert_true(aero_slot_of_bson(mended, slot, NULL));
			bson_destroy(mended);
		} else if (found) {
			aero_slot_clear(slot);
			fake->slots.n--;
			memmove(slot, slot + 1, (fake->slots.n - i) * sizeof(*slot));
		}
		bson_destroy(doc);
	}
	bson_destroy(change.set);
	return answer(lost, found ? AERO_OK : AERO_MISS);
}

static int op_node(struct aero_store *store, const char *instance_id,
	struct aero_node *ret, struct aero_err *err)
{
	struct fake_store *fake = fake_of(store);
	int rc = read_fault(store, "node", err);

	if (rc != AERO_OK)
		return rc;
	*ret = (struct aero_node){0};
	for (size_t i = 0; i < fake->n_nodes; i++)
		if (same(fake->nodes[i].id, instance_id))
			*ret = fake->nodes[i].node;
	return AERO_OK;
}

static int op_node_update(struct aero_store *store, const char *instance_id,
	const struct aero_node *was, bool left, bool dead, const char *why,
	struct aero_err *err)
{
	struct aero_node *node;
	int lost;

	if (!fake_write_fault(store, "node_update", &lost, err))
		return lost;
	node = fake_node(fake_of(store), instance_id);
	if (node->exists != was->exists || node->gen != was->gen)
		return answer(lost, AERO_MISS);
	*node = (struct aero_node){.exists = true,
		.gen = was->gen + 1,
		.left = left,
		.dead = dead,
		.seen_at = node->seen_at};
	if (dead)
		(void)snprintf(node->why, sizeof(node->why), "%s", why);
	return lost;
}

static int op_node_seen(
	struct aero_store *store, const char *instance_id, struct aero_err *err)
{
	struct fake_store *fake = fake_of(store);
	int lost;

	if (!fake_write_fault(store, "node_seen", &lost, err))
		return lost;
	for (size_t i = 0; i < fake->n_nodes; i++)
		if (same(fake->nodes[i].id, instance_id) && fake->nodes[i].node.exists) {
			fake->nodes[i].node.seen_at = fake->clock;
			return lost;
		}
	return answer(lost, AERO_MISS);
}

static int op_clock(struct aero_store *store, int64_t *ret, struct aero_err *err)
{
	int rc = read_fault(store, "clock", err);

	if (rc == AERO_OK)
		*ret = fake_of(store)->clock;
	return rc;
}

static int op_control(struct aero_store *store, const char *service,
	struct aero_control *ret, struct aero_err *err)
{
	struct aero_control *control;
	int rc = read_fault(store, "control", err);

	if (rc != AERO_OK)
		return rc;
	control = fake_control(fake_of(store), service);
	*ret = (struct aero_control){.epoch = control->epoch, .open = control->open};
	if (control->open) {
		assert_true(aero_occupant_copy(&control->promote, &ret->promote));
		assert_true(aero_occupant_copy(&control->master, &ret->master));
	}
	return AERO_OK;
}

static int op_control_open(struct aero_store *store, const char *service, int64_t epoch,
	const struct aero_occupant *promote, const struct aero_occupant *master,
	struct aero_err *err)
{
	struct aero_control *control;
	int lost;

	if (!fake_write_fault(store, "control_open", &lost, err))
		return lost;
	control = fake_control(fake_of(store), service);
	if (control->open || control->epoch != epoch - 1)
		return answer(lost, AERO_MISS);
	control->open = true;
	control->epoch = epoch;
	assert_true(aero_occupant_copy(promote, &control->promote));
	assert_true(aero_occupant_copy(master, &control->master));
	return lost;
}

static int op_control_close(struct aero_store *store, const char *service, int64_t epoch,
	struct aero_err *err)
{
	struct aero_control *control;
	int lost;

	if (!fake_write_fault(store, "control_close", &lost, err))
		return lost;
	control = fake_control(fake_of(store), service);
	if (!control->open || control->epoch != epoch)
		return answer(lost, AERO_MISS);
	aero_control_clear(control);
	control->epoch = epoch;
	return lost;
}

static int op_walk(struct aero_store *store, enum aero_table table, aero_table_take *take,
	void *arg, struct aero_err *err)
{
	int rc = read_fault(store, "walk", err);
	bson_t *doc;

	for (size_t i = 0; rc == AERO_OK; i++) {
		doc = document(fake_of(store), table, i);
		if (doc == NULL)
			break;
		rc = take(doc, arg, err);
		bson_destroy(doc);
	}
	return rc;
}

static int op_history_add(
	struct aero_store *store, const bson_t *event, struct aero_err *err)
{
	struct fake_store *fake = fake_of(store);
	bson_iter_t a, b;
	int lost;

	if (!fake_write_fault(store, "history_add", &lost, err))
		return lost;
	for (size_t i = 0; i < fake->n_history; i++)
		if (bson_iter_init_find(&a, fake->history[i], "_id") &&
			bson_iter_init_find(&b, event, "_id") &&
			same(bson_iter_utf8(&a, NULL), bson_iter_utf8(&b, NULL)))
			return lost;
	assert_true(fake->n_history < AERO_COUNT(fake->history));
	fake->history[fake->n_history++] = bson_copy(event);
	return lost;
}

static int op_watch_open(struct aero_store *store, const struct aero_watch_opts *opts,
	struct aero_watch **ret, struct aero_err *err)
{
	(void)store;
	(void)opts;
	(void)ret;
	return aero_err_set(err, AERO_CONFIG, "fake: no watch");
}

struct fake_store *fake_store_new(void)
{
	static const struct aero_store_ops ops = {
		.close = op_close,
		.ping = op_ping,
		.indexes_check = op_indexes_check,
		.indexes_create = op_indexes_create,
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
		.change_over = fake_change_over,
		.watch_open = op_watch_open,
	};
	struct fake_store *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	fake->base.ops = &ops;
	return fake;
}

void fake_put(struct fake_store *fake, const char *hostname, const char *service,
	const char *type, const char *instance_id)
{
	struct aero_slot slot = {0};

	set(&slot.hostname, hostname);
	set(&slot.service, service);
	set(&slot.service_type, type);
	set(&slot.who.instance_id, instance_id);
	set(&slot.who.ip, *instance_id == '\0' ? "" : "10.9.9.9");
	set(&slot.who.ip6, "");
	assert_true(aero_slots_add(&fake->slots, &slot));
}

struct aero_slot *fake_slot(struct fake_store *fake, const char *hostname)
{
	for (size_t i = 0; i < fake->slots.n; i++)
		if (same(fake->slots.v[i].hostname, hostname))
			return &fake->slots.v[i];
	return NULL;
}

struct aero_node *fake_node(struct fake_store *fake, const char *instance_id)
{
	struct fake_node *node;

	for (size_t i = 0; i < fake->n_nodes; i++)
		if (same(fake->nodes[i].id, instance_id))
			return &fake->nodes[i].node;
	assert_true(fake->n_nodes < AERO_COUNT(fake->nodes));
	node = &fake->nodes[fake->n_nodes++];
	(void)snprintf(node->id, sizeof(node->id), "%s", instance_id);
	return &node->node;
}

struct aero_control *fake_control(struct fake_store *fake, const char *service)
{
	struct fake_control *control;

	for (size_t i = 0; i < fake->n_controls; i++)
		if (same(fake->controls[i].service, service))
			return &fake->controls[i].control;
	assert_true(fake->n_controls < AERO_COUNT(fake->controls));
	control = &fake->controls[fake->n_controls++];
	(void)snprintf(control->service, sizeof(control->service), "%s", service);
	return &control->control;
}

size_t fake_held(const struct fake_store *fake, const char *instance_id)
{
	size_t n = 0;

	for (size_t i = 0; i < fake->slots.n; i++)
		n += same(fake->slots.v[i].who.instance_id, instance_id);
	return n;
}
