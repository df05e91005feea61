/* SPDX-License-Identifier: MIT */
/*
 * The naming store in one LMDB file (`lmdb:PATH`): the same documents and the same rules
 * as in MongoDB, one transaction per operation, durable when it answers. Reading never
 * makes the file: without one there are no slots. The file is not to be replaced under
 * running programs; stop them, or use `aerostat import`.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "lib/store_doc.h"
#include "lib/store_lmdb.h"

struct aero_store_lmdb *aero_lmdb_store(struct aero_store *base)
{
	return (struct aero_store_lmdb *)(void *)base; /* base is its first member */
}

int aero_lmdb_read(
	struct aero_store *base, aero_lmdb_step *step, void *arg, struct aero_err *err)
{
	struct aero_store_lmdb *s = aero_lmdb_store(base);
	int rc;

	if (s->txn != NULL)
		return step(s->txn, arg, err);
	rc = aero_lmdb_get(s->path, s->read_only, false, &s->db, err);
	if (rc == AERO_OK && s->db == NULL)
		return aero_err_set(err, AERO_MISS, "no store at '%s' yet", s->path);
	return rc == AERO_OK ? aero_lmdb_run(s->db, false, step, arg, err) : rc;
}

int aero_lmdb_write(
	struct aero_store *base, aero_lmdb_step *step, void *arg, struct aero_err *err)
{
	struct aero_store_lmdb *s = aero_lmdb_store(base);
	int rc;

	if (s->txn != NULL)
		return step(s->txn, arg, err);
	if (s->read_only)
		return aero_err_set(
			err, AERO_PERM, "'%s' is open for reading only", s->path);
	rc = aero_lmdb_get(s->path, false, true, &s->db, err);
	return rc == AERO_OK ? aero_lmdb_run(s->db, true, step, arg, err) : rc;
}

static void op_close(struct aero_store *base)
{
	struct aero_store_lmdb *s = aero_lmdb_store(base);

	aero_lmdb_put(s->db);
	free(s->path);
	free(s);
}

static int nothing(struct aero_lmdb_txn *txn, void *arg, struct aero_err *err)
{
	(void)txn;
	(void)arg;
	(void)err;
	return AERO_OK;
}

static int op_ping(struct aero_store *base, struct aero_err *err)
{
	int rc = aero_lmdb_read(base, nothing, NULL, err);

	if (rc == AERO_MISS)
		rc = aero_lmdb_dir_check(aero_lmdb_store(base)->path, err);
	return rc;
}

/* The unique rules are part of every write here. */
static int op_indexes(struct aero_store *base, struct aero_err *err)
{
	(void)base;
	(void)err;
	return AERO_OK;
}

/* ---- reading slots ---- */

int aero_lmdb_slot_of(const bson_t *doc, struct aero_slot *ret, struct aero_err *err)
{
	const char *odd;

	if (aero_slot_of_bson(doc, ret, &odd))
		return AERO_OK;
	return aero_err_set(err, AERO_DB, "a document of the store: %s", odd);
}

struct list_arg {
	const char *service;
	struct aero_slots slots;
};

static int list_each(MDB_val id, const bson_t *doc, void *varg, struct aero_err *err)
{
	struct list_arg *arg = varg;
	struct aero_slot slot = {0};
	int rc = aero_lmdb_slot_of(doc, &slot, err);

	(void)id;
	if (rc == AERO_OK &&
		(arg->service == NULL || strcmp(slot.service, arg->service) == 0) &&
		!aero_slots_add(&arg->slots, &slot))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	aero_slot_clear(&slot);
	return rc;
}

static int list_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct list_arg *arg = varg;

	aero_slots_clear(&arg->slots);
	return aero_lmdb_slots_walk(txn, list_each, arg, err);
}

static int op_slots(struct aero_store *base, const char *service, struct aero_slots *ret,
	struct aero_err *err)
{
	struct list_arg arg = {.service = service};
	int rc = aero_lmdb_read(base, list_step, &arg, err);

	if (rc == AERO_MISS)
		rc = AERO_OK;
	for (size_t i = 0; rc == AERO_OK && i < arg.slots.n; i++)
		if (!aero_slots_add(ret, &arg.slots.v[i]))
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	aero_slots_clear(&arg.slots);
	return rc;
}

struct get_arg {
	enum aero_lmdb_db db;
	const char *key;
	struct aero_lmdb_doc doc;
};

static int get_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct get_arg *arg = varg;
	bool index = arg->db == AERO_LMDB_HOSTNAMES || arg->db == AERO_LMDB_INSTANCES;
	int rc;

	aero_lmdb_doc_clear(&arg->doc);
	rc = index ? aero_lmdb_slot_get(txn, arg->db, arg->key, &arg->doc, err)
		   : aero_lmdb_doc_get(
			     txn, arg->db, aero_lmdb_text(arg->key), &arg->doc, err);
	if (rc == MDB_NOTFOUND || rc == MDB_BAD_VALSIZE)
		rc = aero_err_set(err, AERO_MISS, "nothing found for '%.200s'", arg->key);
	return rc;
}

static int get_slot(struct aero_store *base, enum aero_lmdb_db index, const char *key,
	struct aero_slot *ret, struct aero_err *err)
{
	struct get_arg arg = {.db = index, .key = key};
	int rc = aero_lmdb_read(base, get_step, &arg, err);

	if (rc == AERO_OK)
		rc = aero_lmdb_slot_of(arg.doc.doc, ret, err);
	aero_lmdb_doc_clear(&arg.doc);
	return rc;
}

static int op_by_instance(struct aero_store *base, const char *instance_id,
	struct aero_slot *ret, struct aero_err *err)
{
	return get_slot(base, AERO_LMDB_INSTANCES, instance_id, ret, err);
}

static int op_by_hostname(struct aero_store *base, const char *hostname,
	struct aero_slot *ret, struct aero_err *err)
{
	return get_slot(base, AERO_LMDB_HOSTNAMES, hostname, ret, err);
}

/* ---- nodes ---- */

static int op_node(struct aero_store *base, const char *instance_id,
	struct aero_node *ret, struct aero_err *err)
{
	struct get_arg arg = {.db = AERO_LMDB_NODES, .key = instance_id};
	int rc = aero_lmdb_read(base, get_step, &arg, err);

	if (rc == AERO_OK)
		aero_doc_node_of_bson(arg.doc.doc, ret);
	else if (rc == AERO_MISS)
		*ret = (struct aero_node){0};
	aero_lmdb_doc_clear(&arg.doc);
	return rc == AERO_MISS ? AERO_OK : rc;
}

struct set_arg {
	enum aero_lmdb_db db;
	const char *id;
	const struct aero_node *node; /* nodes: what it was; NULL: it has to be there */
	int64_t epoch;                /* control: what it is */
	bool open;
	const bson_t *set;
};

/* May this document (NULL: none) be changed? */
static int set_allowed(const struct set_arg *arg, const bson_t *doc, struct aero_err *err)
{
	struct aero_node node = {0};
	struct aero_control control = {0};
	bool ok;

	if (arg->db == AERO_LMDB_NODES) {
		if (doc != NULL)
			aero_doc_node_of_bson(doc, &node);
		ok = arg->node == NULL ? node.exists
				       : node.exists == arg->node->exists &&
						 node.gen == arg->node->gen;
	} else {
		if (doc != NULL && !aero_doc_control_of_bson(doc, &control))
			return aero_err_set(err, AERO_NOMEM, "out of memory");
		ok = control.epoch == arg->epoch && control.open == arg->open;
		aero_control_clear(&control);
	}
	return ok ? AERO_OK
		  : aero_err_set(err, AERO_MISS, "'%.200s' is not as it was", arg->id);
}

static int set_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct set_arg *arg = varg;
	struct aero_lmdb_doc doc = {0};
	int rc = aero_lmdb_doc_get(txn, arg->db, aero_lmdb_text(arg->id), &doc, err);

	if (rc == 0 || rc == MDB_NOTFOUND)
		rc = set_allowed(arg, doc.doc, err);
	if (rc == 0)
		rc = aero_lmdb_doc_set(txn, arg->db, arg->id, doc.doc, arg->set);
	aero_lmdb_doc_clear(&doc);
	return rc;
}

static int op_node_update(struct aero_store *base, const char *instance_id,
	const struct aero_node *was, bool left, bool dead, const char *why,
	struct aero_err *err)
{
	bson_t set = BSON_INITIALIZER;
	struct set_arg arg = {
		.db = AERO_LMDB_NODES, .id = instance_id, .node = was, .set = &set};
	int rc;

	aero_doc_node_set(was->gen + 1, left, dead, why, aero_unix_ms(), &set);
	rc = aero_lmdb_write(base, set_step, &arg, err);
	bson_destroy(&set);
	return rc;
}

static int op_node_seen(
	struct aero_store *base, const char *instance_id, struct aero_err *err)
{
	bson_t set = BSON_INITIALIZER;
	struct set_arg arg = {.db = AERO_LMDB_NODES, .id = instance_id, .set = &set};
	int rc;

	BSON_APPEND_DATE_TIME(&set, "seen_at", aero_unix_ms());
	rc = aero_lmdb_write(base, set_step, &arg, err);
	if (rc == AERO_MISS)
		rc = aero_err_set(err, rc, "the store has no node '%.200s'", instance_id);
	bson_destroy(&set);
	return rc;
}

static int op_clock(struct aero_store *base, int64_t *ret, struct aero_err *err)
{
	(void)base;
	(void)err;
	*ret = aero_unix_ms();
	return AERO_OK;
}

/* ---- control ---- */

static int op_control(struct aero_store *base, const char *service,
	struct aero_control *ret, struct aero_err *err)
{
	struct get_arg arg = {.db = AERO_LMDB_CONTROL, .key = service};
	int rc = aero_lmdb_read(base, get_step, &arg, err);

	if (rc == AERO_OK && !aero_doc_control_of_bson(arg.doc.doc, ret))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	else if (rc == AERO_MISS)
		*ret = (struct aero_control){0};
	aero_lmdb_doc_clear(&arg.doc);
	return rc == AERO_MISS ? AERO_OK : rc;
}

static int op_control_open(struct aero_store *base, const char *service, int64_t epoch,
	const struct aero_occupant *promote, const struct aero_occupant *master,
	struct aero_err *err)
{
	bson_t set = BSON_INITIALIZER;
	struct set_arg arg = {
		.db = AERO_LMDB_CONTROL, .id = service, .epoch = epoch - 1, .set = &set};
	int rc;

	aero_doc_control_open(epoch, promote, master, aero_unix_ms(), &set);
	rc = aero_lmdb_write(base, set_step, &arg, err);
	bson_destroy(&set);
	return rc;
}

static int op_control_close(
	struct aero_store *base, const char *service, int64_t epoch, struct aero_err *err)
{
	bson_t set = BSON_INITIALIZER;
	struct set_arg arg = {.db = AERO_LMDB_CONTROL,
		.id = service,
		.epoch = epoch,
		.open = true,
		.set = &set};
	int rc;

	aero_doc_control_close(&set);
	rc = aero_lmdb_write(base, set_step, &arg, err);
	bson_destroy(&set);
	return rc;
}

/* ---- a change-over ---- */

struct over_arg {
	struct aero_store *base;
	const struct aero_change_over *change;
};

/* Codes of LMDB pass through the operations to aero_lmdb_run, which may grow the file. */
static int over_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct over_arg *arg = varg;
	int rc;

	aero_lmdb_store(arg->base)->txn = txn;
	rc = aero_change_over_run(arg->base, arg->change, err);
	aero_lmdb_store(arg->base)->txn = NULL;
	return rc;
}

static int op_change_over(struct aero_store *base, const struct aero_change_over *change,
	struct aero_err *err)
{
	struct over_arg arg = {base, change};

	return aero_lmdb_write(base, over_step, &arg, err);
}

/* ---- opening ---- */

static const struct aero_store_ops ops = {
	.close = op_close,
	.ping = op_ping,
	.indexes_check = op_indexes,
	.indexes_create = op_indexes,
	.slots = op_slots,
	.by_instance = op_by_instance,
	.by_hostname = op_by_hostname,
	.slot_update = aero_lmdb_slot_update,
	.slot_claim = aero_lmdb_slot_claim,
	.slots_insert = aero_lmdb_slots_insert,
	.slot_import = aero_lmdb_slot_import,
	.aliases_take = aero_lmdb_aliases_take,
	.slot_mend = aero_lmdb_slot_mend,
	.node = op_node,
	.node_update = op_node_update,
	.node_seen = op_node_seen,
	.clock = op_clock,
	.control = op_control,
	.control_open = op_control_open,
	.control_close = op_control_close,
	.walk = aero_lmdb_walk,
	.history_add = aero_lmdb_history_add,
	.change_over = op_change_over,
	.watch_open = aero_lmdb_watch_open,
};

int aero_store_lmdb_open(const struct aero_store_opts *opts,
	const struct aero_server *server, struct aero_store **ret, struct aero_err *err)
{
	struct aero_store_lmdb *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->path = strdup(server->uri);
	if (s == NULL || s->path == NULL) {
		free(s);
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	}
	s->base.ops = &ops;
	s->read_only = opts->read_only;
	*ret = &s->base;
	return AERO_OK;
}
