/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "lib/names.h"
#include "lib/store_doc.h"
#include "lib/store_lmdb.h"

struct write_arg {
	const struct aero_slot_match *match; /* update */
	const char *service, *except;        /* claim */
	const struct aero_slot_change *change;
	char *best; /* claim: hostname of the lowest blank slot so far */
	struct aero_lmdb_doc doc;
};

/* Apply arg->change to the slot of a hostname; match NULL = any. */
static int write_slot(struct aero_lmdb_txn *txn, struct write_arg *arg,
	const struct aero_slot_match *match, const char *hostname, struct aero_err *err)
{
	bson_t set = BSON_INITIALIZER;
	struct aero_slot slot = {0};
	int64_t now = aero_unix_ms();
	bool clock;
	int rc;

	aero_lmdb_doc_clear(&arg->doc);
	rc = aero_lmdb_slot_get(txn, AERO_LMDB_HOSTNAMES, hostname, &arg->doc, err);
	if (rc == MDB_NOTFOUND)
		rc = aero_err_set(err, AERO_MISS, "no slot '%.200s'", hostname);
	if (rc == 0)
		rc = aero_lmdb_slot_of(arg->doc.doc, &slot, err);
	if (rc == 0 && match != NULL && !aero_slot_matches(&slot, match))
		rc = aero_err_set(err, AERO_MISS, "'%.200s' is not as it was", hostname);
	aero_doc_slot_change(arg->change, &set, &clock);
	if (clock)
		BSON_APPEND_DATE_TIME(&set, "registered_at", now);
	if (rc == 0)
		rc = aero_lmdb_slot_set(txn, &arg->doc, &set, now, err);
	aero_slot_clear(&slot);
	bson_destroy(&set);
	return rc;
}

static int update_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct write_arg *arg = varg;

	return write_slot(txn, arg, arg->match, arg->match->hostname, err);
}

int aero_lmdb_slot_update(struct aero_store *base, const struct aero_slot_match *match,
	const struct aero_slot_change *change, struct aero_err *err)
{
	struct write_arg arg = {.match = match, .change = change};
	int rc = aero_lmdb_write(base, update_step, &arg, err);

	aero_lmdb_doc_clear(&arg.doc);
	return rc;
}

static int claim_each(MDB_val id, const bson_t *doc, void *varg, struct aero_err *err)
{
	struct write_arg *arg = varg;
	struct aero_slot slot = {0};
	int rc = aero_lmdb_slot_of(doc, &slot, err);

	(void)id;
	if (rc == AERO_OK && aero_slot_blank(&slot) &&
		aero_slot_name_fits(slot.hostname, arg->service) &&
		strcmp(slot.service, arg->service) == 0 &&
		(arg->except == NULL || strcmp(slot.hostname, arg->except) != 0) &&
		(arg->best == NULL || aero_natural_cmp(slot.hostname, arg->best) < 0)) {
		free(arg->best);
		arg->best = slot.hostname;
		slot.hostname = NULL; /* now owned by arg */
	}
	aero_slot_clear(&slot);
	return rc;
}

static int claim_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct write_arg *arg = varg;
	int rc;

	free(arg->best);
	arg->best = NULL;
	rc = aero_lmdb_slots_walk(txn, claim_each, arg, err);
	if (rc == 0 && arg->best == NULL)
		rc = aero_err_set(
			err, AERO_MISS, "no blank slot of '%.200s'", arg->service);
	return rc == 0 ? write_slot(txn, arg, NULL, arg->best, err) : rc;
}

int aero_lmdb_slot_claim(struct aero_store *base, const char *service,
	const char *except_hostname, const struct aero_slot_change *change,
	struct aero_slot *ret, struct aero_err *err)
{
	struct write_arg arg = {
		.service = service, .except = except_hostname, .change = change};
	int rc = aero_lmdb_write(base, claim_step, &arg, err);

	if (rc == AERO_OK)
		rc = aero_lmdb_slot_of(arg.doc.doc, ret, err);
	aero_lmdb_doc_clear(&arg.doc);
	free(arg.best);
	return rc;
}

struct insert_arg {
	const struct aero_slot *slots;
	size_t n;
	int refused; /* the first refusal; what came before it stays */
};

static int insert_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct insert_arg *arg = varg;
	struct aero_lmdb_doc doc = {0};
	int rc = 0;

	arg->refused = 0;
	for (size_t i = 0; rc == 0 && arg->refused == 0 && i < arg->n; i++) {
		bson_t set = BSON_INITIALIZER;

		aero_slot_to_bson(&arg->slots[i], &set);
		rc = aero_lmdb_slot_set(txn, &doc, &set, aero_unix_ms(), err);
		aero_lmdb_doc_clear(&doc);
		bson_destroy(&set);
		if (rc == AERO_DUP_HOSTNAME || rc == AERO_DUP_INSTANCE) {
			arg->refused = rc;
			rc = 0;
		}
	}
	return rc;
}

int aero_lmdb_slots_insert(struct aero_store *base, const struct aero_slot *slots,
	size_t n, struct aero_err *err)
{
	struct insert_arg arg = {.slots = slots, .n = n};
	int rc = aero_lmdb_write(base, insert_step, &arg, err);

	return rc == AERO_OK ? arg.refused : rc;
}

static int import_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	const struct aero_slot *slot = varg;
	struct aero_lmdb_doc doc = {0};
	bson_t set = BSON_INITIALIZER;
	int64_t now = aero_unix_ms();
	bool clock;
	int rc = aero_lmdb_slot_get(txn, AERO_LMDB_HOSTNAMES, slot->hostname, &doc, err);

	aero_doc_slot_import(slot, &set, &clock);
	if (clock)
		BSON_APPEND_DATE_TIME(&set, "registered_at", now);
	if (rc == 0 || rc == MDB_NOTFOUND)
		rc = aero_lmdb_slot_set(txn, &doc, &set, now, err);
	aero_lmdb_doc_clear(&doc);
	bson_destroy(&set);
	return rc;
}

int aero_lmdb_slot_import(
	struct aero_store *base, const struct aero_slot *slot, struct aero_err *err)
{
	struct aero_slot lent = *slot; /* the step's argument is not const */

	return aero_lmdb_write(base, import_step, &lent, err);
}

struct take_arg {
	const struct aero_list *aliases;
	const char *instance_id;
	struct aero_lmdb_doc *v; /* slots that hold one; written after the walk */
	size_t n;
};

static void take_clear(struct take_arg *arg)
{
	for (size_t i = 0; i < arg->n; i++)
		aero_lmdb_doc_clear(&arg->v[i]);
	free(arg->v);
	arg->v = NULL;
	arg->n = 0;
}

static bool has_any(const struct aero_list *list, const struct aero_list *of)
{
	for (size_t i = 0; i < list->n; i++)
		if (aero_list_has(of, list->v[i]))
			return true;
	return false;
}

static int take_each(MDB_val id, const bson_t *doc, void *varg, struct aero_err *err)
{
	struct take_arg *arg = varg;
	struct aero_lmdb_doc *grown;
	struct aero_slot slot = {0};
	int rc = aero_lmdb_slot_of(doc, &slot, err);

	if (rc == AERO_OK && strcmp(slot.who.instance_id, arg->instance_id) != 0 &&
		has_any(&slot.who.aliases, arg->aliases)) {
		grown = reallocarray(arg->v, arg->n + 1, sizeof(*grown));
		if (grown == NULL) {
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
		} else {
			arg->v = grown;
			grown += arg->n++;
			memcpy(grown->id, id.mv_data, id.mv_size);
			grown->id_len = id.mv_size;
			grown->doc = bson_copy(doc);
		}
	}
	aero_slot_clear(&slot);
	return rc;
}

static int take_from(struct aero_lmdb_txn *txn, const struct take_arg *arg,
	struct aero_lmdb_doc *doc, struct aero_err *err)
{
	struct aero_slot slot = {0};
	struct aero_list left = {0};
	bson_t set = BSON_INITIALIZER;
	int rc = aero_lmdb_slot_of(doc->doc, &slot, err);

	for (size_t i = 0; rc == AERO_OK && i < slot.who.aliases.n; i++)
		if (!aero_list_has(arg->aliases, slot.who.aliases.v[i]) &&
			!aero_list_add(&left, slot.who.aliases.v[i]))
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	aero_list_to_bson(&left, &set, "aliases");
	if (rc == AERO_OK)
		rc = aero_lmdb_slot_set(txn, doc, &set, aero_unix_ms(), err);
	aero_list_clear(&left);
	aero_slot_clear(&slot);
	bson_destroy(&set);
	return rc;
}

static int take_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	struct take_arg *arg = varg;
	int rc;

	take_clear(arg);
	rc = aero_lmdb_slots_walk(txn, take_each, arg, err);
	for (size_t i = 0; rc == 0 && i < arg->n; i++)
		rc = take_from(txn, arg, &arg->v[i], err);
	return rc;
}

int aero_lmdb_aliases_take(struct aero_store *base, const struct aero_list *aliases,
	const char *instance_id, struct aero_err *err)
{
	struct take_arg arg = {.aliases = aliases, .instance_id = instance_id};
	int rc = aero_lmdb_write(base, take_step, &arg, err);

	take_clear(&arg);
	return rc;
}

struct mend_arg {
	const bson_t *was, *set;
};

static int mend_step(struct aero_lmdb_txn *txn, void *varg, struct aero_err *err)
{
	const struct mend_arg *arg = varg;
	struct aero_lmdb_doc doc = {0};
	bson_iter_t it;
	bson_oid_t oid;
	MDB_val id = {sizeof(oid.bytes), oid.bytes};
	int rc = MDB_NOTFOUND;

	/* the keys of all that this store ever made */
	if (bson_iter_init_find(&it, arg->was, "_id") && BSON_ITER_HOLDS_OID(&it)) {
		bson_oid_copy(bson_iter_oid(&it), &oid);
		rc = aero_lmdb_doc_get(txn, AERO_LMDB_SLOTS, id, &doc, err);
	}
	if (rc == MDB_NOTFOUND || (rc == 0 && !bson_equal(doc.doc, arg->was)))
		rc = aero_err_set(err, AERO_MISS, "the document is not as it was");
	if (rc == 0 && arg->set != NULL)
		rc = aero_lmdb_slot_set(txn, &doc, arg->set, aero_unix_ms(), err);
	else if (rc == 0)
		rc = aero_lmdb_slot_delete(txn, &doc, aero_unix_ms());
	aero_lmdb_doc_clear(&doc);
	return rc;
}

int aero_lmdb_slot_mend(struct aero_store *base, const bson_t *was, const bson_t *set,
	struct aero_err *err)
{
	struct mend_arg arg = {was, set};

	return aero_lmdb_write(base, mend_step, &arg, err);
}
