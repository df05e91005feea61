/* SPDX-License-Identifier: MIT */
/* The public library: a thin front of the store. It lives in a process of somebody
 * else's: no log, no signal, no symbol but its own (lib/libaerostat.map). */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/aerostat.h"
#include "lib/conf.h"
#include "lib/identity.h"
#include "lib/loop.h"
#include "lib/store.h"
#include "lib/store_mongo.h"

#define METADATA_S 10
#define MASTER "-master"

struct aerostat {
	struct aero_conf conf;
	struct aero_store *store; /* NULL: connecting failed */
	struct aero_err err;
};

static int result(int rc)
{
	return (int)aero_exit_code(rc);
}

/* Options as the programs of this node have them, without a command line. */
static int begin(struct aerostat **ret)
{
	static char name[] = "aerostat";
	static char *const argv[] = {name, NULL};
	struct aerostat *a = calloc(1, sizeof(*a));
	int rc;

	*ret = a;
	if (a == NULL)
		return AERO_NOMEM;
	aero_mongo_guest = true;
	rc = aero_conf_load(AERO_PROG_CLI, 1, argv, &a->conf, &a->err);
	if (rc == AERO_OK && a->conf.register_deadline > METADATA_S)
		a->conf.register_deadline = METADATA_S;
	return rc;
}

int aerostat_connect(const char *server, struct aerostat **ret)
{
	char *configured = NULL;
	int rc = begin(ret);
	struct aerostat *a = *ret;

	if (rc == AERO_OK && server == NULL)
		rc = aero_conf_server(&a->conf, &configured, &a->err);
	if (rc == AERO_OK) {
		const struct aero_store_opts opts = {
			.server = server != NULL ? server : configured,
			.port = a->conf.port,
			.database = a->conf.database,
			.role = "library",
			.read_only = true,
		};

		rc = aero_store_open(&opts, &a->store, &a->err);
	}
	free(configured);
	return result(rc);
}

int aerostat_connect_client(
	void *mongoc_client, const char *database, struct aerostat **ret)
{
	int rc = begin(ret);
	struct aerostat *a = *ret;

	if (rc == AERO_OK && mongoc_client == NULL)
		rc = aero_err_set(&a->err, AERO_USAGE, "no client");
	if (rc == AERO_OK)
		rc = aero_store_mongo_lend(mongoc_client,
			database != NULL ? database : a->conf.database, &a->store,
			&a->err);
	return result(rc);
}

void aerostat_disconnect(struct aerostat *aerostat)
{
	if (aerostat == NULL)
		return;
	aero_store_close(aerostat->store);
	aero_conf_clear(&aerostat->conf);
	free(aerostat);
}

const char *aerostat_error(const struct aerostat *aerostat)
{
	return aerostat == NULL ? "out of memory" : aerostat->err.msg;
}

/* ---- questions ---- */

/* Before each: is there a store, and is the word one? */
static int ready(struct aerostat *a, const char *what, const char *word)
{
	if (a->store == NULL)
		return aero_err_set(&a->err, AERO_USAGE, "not connected");
	if (word == NULL || *word == '\0')
		return aero_err_set(&a->err, AERO_USAGE, "no %s", what);
	return AERO_OK;
}

static void fill(const struct aero_occupant *who, struct aerostat_host *ret)
{
	(void)snprintf(
		ret->instance_id, sizeof(ret->instance_id), "%s", who->instance_id);
	(void)snprintf(ret->ip, sizeof(ret->ip), "%s", who->ip);
	(void)snprintf(ret->ip6, sizeof(ret->ip6), "%s", who->ip6);
}

static void fill_slot(const struct aero_slot *slot, struct aerostat_host *ret)
{
	*ret = (struct aerostat_host){0};
	(void)snprintf(ret->hostname, sizeof(ret->hostname), "%s", slot->hostname);
	(void)snprintf(ret->service, sizeof(ret->service), "%s", slot->service);
	ret->epoch = slot->epoch;
	fill(&slot->who, ret);
}

int aerostat_node(struct aerostat *aerostat, struct aerostat_host *ret)
{
	struct aero_asked asked = {
		.deadline_ms = aero_clock_ms() +
			       (int64_t)aerostat->conf.register_deadline * 1000};
	struct aero_occupant me = {0};
	int rc = aero_identity_find(&aerostat->conf, &asked, &me, &aerostat->err);

	if (rc == AERO_OK) {
		*ret = (struct aerostat_host){0};
		fill(&me, ret);
	}
	aero_asked_clear(&asked);
	aero_occupant_clear(&me);
	return result(rc);
}

int aerostat_hostname_exists(struct aerostat *aerostat, const char *hostname)
{
	struct aero_slot slot = {0};
	int rc = ready(aerostat, "hostname", hostname);

	if (rc == AERO_OK)
		rc = aero_store_by_hostname(
			aerostat->store, hostname, &slot, &aerostat->err);
	aero_slot_clear(&slot);
	return result(rc);
}

int aerostat_get_hostname(
	struct aerostat *aerostat, const char *instance_id, struct aerostat_host *ret)
{
	struct aerostat_host me = {0};
	struct aero_slot slot = {0};
	int rc;

	if (instance_id == NULL) {
		int code = aerostat_node(aerostat, &me);

		if (code != AEROSTAT_OK)
			return code;
		instance_id = me.instance_id;
	}
	rc = ready(aerostat, "instance id", instance_id);
	if (rc == AERO_OK)
		rc = aero_store_by_instance(
			aerostat->store, instance_id, &slot, &aerostat->err);
	if (rc == AERO_OK)
		fill_slot(&slot, ret);
	aero_slot_clear(&slot);
	return result(rc);
}

int aerostat_get_master(
	struct aerostat *aerostat, const char *service, struct aerostat_host *ret)
{
	struct aero_slot slot = {0};
	int rc = ready(aerostat, "service", service);

	if (rc == AERO_OK)
		rc = aero_store_master(aerostat->store, service, &slot, &aerostat->err);
	if (rc == AERO_OK)
		fill_slot(&slot, ret);
	aero_slot_clear(&slot);
	return result(rc);
}

int aerostat_check_master(struct aerostat *aerostat, const char *instance_id)
{
	struct aerostat_host host = {0};
	char name[sizeof(host.service) + sizeof(MASTER)];
	int code = aerostat_get_hostname(aerostat, instance_id, &host);

	if (code != AEROSTAT_OK)
		return code;
	(void)snprintf(name, sizeof(name), "%s" MASTER, host.service);
	if (*host.service != '\0' && strcmp(host.hostname, name) == 0)
		return AEROSTAT_OK;
	return result(aero_err_set(&aerostat->err, AERO_MISS,
		"%s is not the master of %s", host.hostname, host.service));
}
