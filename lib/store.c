/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/store_ops.h"

/* In the order of enum aero_server_kind. */
static int (*const openers[])(const struct aero_store_opts *, const struct aero_server *,
	struct aero_store **, struct aero_err *) = {
	aero_store_mongo_open,
	aero_store_lmdb_open,
};

int aero_store_open(
	const struct aero_store_opts *opts, struct aero_store **ret, struct aero_err *err)
{
	struct aero_server server = {0};
	struct aero_store *store = NULL;
	int rc = aero_server_parse(opts->server, opts->port, &server, err);

	if (rc == AERO_OK)
		rc = openers[server.kind](opts, &server, &store, err);
	if (rc == AERO_OK) {
		store->name = server.name;
		server.name = NULL; /* now owned by store */
		*ret = store;
	}
	aero_server_clear(&server);
	return rc;
}

int aero_store_open_conf(const struct aero_conf *conf, const char *role, bool read_only,
	struct aero_store **ret, struct aero_err *err)
{
	char *server = NULL;
	int rc = aero_conf_server(conf, &server, err);
	struct aero_store_opts opts = {
		.server = server,
		.port = conf->port,
		.database = conf->database,
		.role = role,
		.read_only = read_only,
	};

	if (rc == AERO_OK)
		rc = aero_store_open(&opts, ret, err);
	free(server);
	return rc;
}

void aero_store_close(struct aero_store *store)
{
	if (store == NULL)
		return;
	free(store->name);
	store->ops->close(store);
}

const char *aero_store_name(const struct aero_store *store)
{
	return store->name != NULL ? store->name : "store";
}

int aero_store_ping(struct aero_store *store, struct aero_err *err)
{
	return store->ops->ping(store, err);
}

int aero_store_indexes_check(struct aero_store *store, struct aero_err *err)
{
	return store->ops->indexes_check(store, err);
}

int aero_store_indexes_create(struct aero_store *store, struct aero_err *err)
{
	return store->ops->indexes_create(store, err);
}

int aero_store_slots(struct aero_store *store, const char *service,
	struct aero_slots *ret, struct aero_err *err)
{
	return store->ops->slots(store, service, ret, err);
}

/* The blank and the nameless are many: no slot is found by ''. */
static int nothing(struct aero_err *err, const char *what)
{
	return aero_err_set(
		err, AERO_MISS, "no slot has an empty %s to be found by", what);
}

/* A slot that no filter of ours would name is refused: it would be read again for ever.
 */
static int clean(int rc, const char *what, const char *value, struct aero_slot *slot,
	struct aero_err *err)
{
	if (rc != AERO_OK || !slot->odd)
		return rc;
	aero_slot_clear(slot);
	return aero_err_set(err, AERO_REFUSED,
		"the document of %s '%.100s' is damaged: hostname and instance_id have "
		"to be strings, reg and epoch whole numbers; mend it",
		what, value);
}

int aero_store_by_instance(struct aero_store *store, const char *instance_id,
	struct aero_slot *ret, struct aero_err *err)
{
	if (*instance_id == '\0')
		return nothing(err, "instance_id");
	return clean(store->ops->by_instance(store, instance_id, ret, err), "instance",
		instance_id, ret, err);
}

int aero_store_by_hostname(struct aero_store *store, const char *hostname,
	struct aero_slot *ret, struct aero_err *err)
{
	if (*hostname == '\0')
		return nothing(err, "hostname");
	return clean(store->ops->by_hostname(store, hostname, ret, err), "hostname",
		hostname, ret, err);
}

int aero_store_master(struct aero_store *store, const char *service,
	struct aero_slot *ret, struct aero_err *err)
{
	struct aero_slot slot = {0};
	char name[300], shown[300];
	int rc;

	(void)snprintf(name, sizeof(name), "%.250s-master", service);
	rc = aero_store_by_hostname(store, name, &slot, err);
	if (rc == AERO_MISS || (rc == AERO_OK && aero_slot_blank(&slot)))
		rc = aero_err_set(err, AERO_MISS, "service %s has no master",
			aero_quote(service, shown, sizeof(shown)));
	if (rc == AERO_OK)
		*ret = slot;
	else
		aero_slot_clear(&slot);
	return rc;
}

int aero_store_slot_update(struct aero_store *store, const struct aero_slot_match *match,
	const struct aero_slot_change *change, struct aero_err *err)
{
	if (*match->hostname == '\0' &&
		(match->occupant[0] == NULL || *match->occupant[0] == '\0'))
		return nothing(err, "hostname");
	return store->ops->slot_update(store, match, change, err);
}

int aero_store_slot_claim(struct aero_store *store, const char *service,
	const char *except_hostname, const struct aero_slot_change *change,
	struct aero_slot *ret, struct aero_err *err)
{
	return store->ops->slot_claim(store, service, except_hostname, change, ret, err);
}

int aero_store_slots_insert(struct aero_store *store, const struct aero_slot *slots,
	size_t n, struct aero_err *err)
{
	return n == 0 ? AERO_OK : store->ops->slots_insert(store, slots, n, err);
}

int aero_store_slot_import(
	struct aero_store *store, const struct aero_slot *slot, struct aero_err *err)
{
	if (slot->hostname == NULL || *slot->hostname == '\0')
		return aero_err_set(
			err, AERO_BAD, "a record without hostname: not imported");
	return store->ops->slot_import(store, slot, err);
}

int aero_store_aliases_take(struct aero_store *store, const struct aero_list *aliases,
	const char *instance_id, struct aero_err *err)
{
	if (aliases->n == 0)
		return AERO_OK;
	return store->ops->aliases_take(store, aliases, instance_id, err);
}

int aero_store_slot_mend(struct aero_store *store, const bson_t *was, const bson_t *set,
	struct aero_err *err)
{
	return store->ops->slot_mend(store, was, set, err);
}

int aero_store_node(struct aero_store *store, const char *instance_id,
	struct aero_node *ret, struct aero_err *err)
{
	int rc = store->ops->node(store, instance_id, ret, err);

	if (rc == AERO_OK && ret->odd)
		rc = aero_err_set(err, AERO_REFUSED,
			"the document of node '%.100s' is damaged: gen has to be a whole "
			"number; mend it",
			instance_id);
	return rc;
}

int aero_store_node_update(struct aero_store *store, const char *instance_id,
	const struct aero_node *was, bool left, bool dead, const char *why,
	struct aero_err *err)
{
	return store->ops->node_update(store, instance_id, was, left, dead, why, err);
}

int aero_store_node_seen(
	struct aero_store *store, const char *instance_id, struct aero_err *err)
{
	return store->ops->node_seen(store, instance_id, err);
}

int aero_store_clock(struct aero_store *store, int64_t *ret, struct aero_err *err)
{
	return store->ops->clock(store, ret, err);
}

int aero_store_control(struct aero_store *store, const char *service,
	struct aero_control *ret, struct aero_err *err)
{
	int rc = store->ops->control(store, service, ret, err);

	if (rc != AERO_OK || !ret->odd)
		return rc;
	aero_control_clear(ret);
	return aero_err_set(err, AERO_REFUSED,
		"the control document of service '%.100s' is damaged: epoch has to be a "
		"whole number and op a document or null; mend it",
		service);
}

void aero_control_clear(struct aero_control *control)
{
	aero_occupant_clear(&control->promote);
	aero_occupant_clear(&control->master);
	*control = (struct aero_control){0};
}

int aero_store_control_open(struct aero_store *store, const char *service, int64_t epoch,
	const struct aero_occupant *promote, const struct aero_occupant *master,
	struct aero_err *err)
{
	return store->ops->control_open(store, service, epoch, promote, master, err);
}

int aero_store_control_close(struct aero_store *store, const char *service, int64_t epoch,
	struct aero_err *err)
{
	return store->ops->control_close(store, service, epoch, err);
}

int aero_store_walk(struct aero_store *store, enum aero_table table,
	aero_table_take *take, void *arg, struct aero_err *err)
{
	return store->ops->walk(store, table, take, arg, err);
}

int aero_store_history_add(
	struct aero_store *store, const bson_t *event, struct aero_err *err)
{
	return store->ops->history_add(store, event, err);
}

int aero_store_change_over(struct aero_store *store,
	const struct aero_change_over *change, struct aero_err *err)
{
	return store->ops->change_over(store, change, err);
}

int aero_watch_open(struct aero_store *store, const struct aero_watch_opts *opts,
	struct aero_watch **ret, struct aero_err *err)
{
	return store->ops->watch_open(store, opts, ret, err);
}
