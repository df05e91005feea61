/* SPDX-License-Identifier: MIT */
/* aerostat master: who is the master of a service, and since which change-over. From the
 * store if --server is given, else as this node's daemon last saw it: no network then. */
#include "config.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/history.h"
#include "cli/json.h"
#include "lib/log.h"
#include "lib/masters.h"
#include "lib/status.h"
#include "lib/store.h"

static int of_store(const struct aero_conf *conf, const char *hostname,
	struct aero_masters *ret, struct aero_err *err)
{
	struct aero_store *store = NULL;
	struct aero_slot slot = {0};
	int rc = aero_store_open_conf(conf, "master", true, &store, err);

	if (rc == AERO_OK)
		rc = aero_store_by_hostname(store, hostname, &slot, err);
	if (rc == AERO_OK && !aero_slot_blank(&slot)) {
		struct aero_master m = {.hostname = slot.hostname,
			.service = slot.service,
			.instance_id = slot.who.instance_id,
			.epoch = slot.epoch};

		if (!aero_masters_add(ret, &m))
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	}
	aero_slot_clear(&slot);
	aero_store_close(store);
	return rc == AERO_MISS ? AERO_OK : rc;
}

static int of_status(
	const struct aero_conf *conf, struct aero_masters *ret, struct aero_err *err)
{
	struct aero_status status = {0};
	int rc = aero_status_read(conf, &status, err);

	if (rc == AERO_OK) {
		*ret = status.masters;
		status.masters = (struct aero_masters){0}; /* now the caller's */
	} else if (rc == AERO_MISS) {
		rc = aero_err_set(err, AERO_DB,
			"this node's daemon has written no status yet: start "
			"aerostat-syncd, or give --server");
	}
	aero_status_clear(&status);
	return rc;
}

static int print(
	const struct aero_cli *cli, const struct aero_master *m, struct aero_err *err)
{
	bson_t doc = BSON_INITIALIZER;
	char name[300], id[300];
	int rc = AERO_OK;

	if (!cli->conf->json) {
		(void)fprintf(cli->out, "%s %s epoch %lld\n",
			aero_show(m->hostname, name, sizeof(name)),
			aero_show(m->instance_id, id, sizeof(id)), (long long)m->epoch);
	} else if (!BSON_APPEND_UTF8(&doc, "service", m->service) ||
		   !BSON_APPEND_UTF8(&doc, "hostname", m->hostname) ||
		   !BSON_APPEND_UTF8(&doc, "instance_id", m->instance_id) ||
		   !BSON_APPEND_INT64(&doc, "epoch", m->epoch)) {
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	} else {
		rc = aero_cli_print_json_line(cli->out, &doc, err);
	}
	bson_destroy(&doc);
	return rc;
}

int aero_cli_master(const struct aero_cli *cli, struct aero_err *err)
{
	const struct aero_conf *conf = cli->conf;
	const struct aero_master *m;
	struct aero_masters masters = {0};
	char hostname[320], shown[300];
	int rc;

	(void)snprintf(hostname, sizeof(hostname), "%.255s-master", cli->words[0]);
	rc = aero_conf_from(conf, "server") == AERO_FROM_FLAG ||
			     aero_conf_from(conf, "server_file") == AERO_FROM_FLAG
		     ? of_store(conf, hostname, &masters, err)
		     : of_status(conf, &masters, err);
	m = aero_masters_find(&masters, hostname);
	if (rc == AERO_OK && m == NULL)
		rc = aero_err_set(err, AERO_MISS, "service %s has no master",
			aero_quote(cli->words[0], shown, sizeof(shown)));
	if (rc == AERO_OK)
		rc = print(cli, m, err);
	aero_masters_clear(&masters);
	return rc;
}
