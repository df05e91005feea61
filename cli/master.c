/* SPDX-License-Identifier: MIT */
/* aerostat master: who is the master of a service, and since which change-over. From the
 * store if --server is given or no daemon ran here, else as this node's daemon last saw
 * it: no network then. */
#include "config.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/mirror.h"
#include "lib/log.h"
#include "lib/masters.h"
#include "lib/status.h"
#include "lib/store.h"

struct answer {
	bool known;                  /* the daemon has written of the masters */
	struct aero_masters masters; /* one */
	struct aero_list addresses;
};

static bool take(struct answer *ret, const struct aero_slot *slot)
{
	const struct aero_master m = {.hostname = slot->hostname,
		.service = slot->service,
		.instance_id = slot->who.instance_id,
		.epoch = slot->epoch};

	return aero_masters_add(&ret->masters, &m) &&
	       (*slot->who.ip == '\0' || aero_list_add(&ret->addresses, slot->who.ip)) &&
	       (*slot->who.ip6 == '\0' || aero_list_add(&ret->addresses, slot->who.ip6));
}

static int of_store(const struct aero_conf *conf, const char *service, struct answer *ret,
	struct aero_err *err)
{
	struct aero_store *store = NULL;
	struct aero_slot slot = {0};
	int rc = aero_store_open_conf(conf, "master", true, &store, err);

	if (rc == AERO_OK)
		rc = aero_store_master(store, service, &slot, err);
	if (rc == AERO_OK && !take(ret, &slot))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	aero_slot_clear(&slot);
	aero_store_close(store);
	return rc;
}

/* A name without an address in the mirror has none to show. */
static void of_mirror(
	const struct aero_conf *conf, const char *hostname, struct aero_list *ret)
{
	unsigned char key[AERO_KEY_MAX];
	char address[INET6_ADDRSTRLEN];
	size_t len = aero_name_key(hostname, key);
	struct aero_reader reader;
	struct aero_rec rec;

	if (aero_cli_mirror_open(conf, &reader, NULL) != AERO_OK)
		return;
	if (len > 0 && aero_reader_get(&reader, key, len, &rec) == AERO_READ_OK)
		for (size_t i = 0; aero_cli_address(&rec, i, address); i++)
			(void)aero_list_add(ret, address);
	aero_reader_close(&reader);
}

static int of_status(const struct aero_conf *conf, const char *service,
	struct answer *ret, struct aero_err *err)
{
	struct aero_status status = {0};
	const struct aero_master *m;
	char hostname[320], shown[300];
	int rc = aero_status_read(conf, &status, err);

	if (rc != AERO_OK)
		return rc;
	(void)snprintf(hostname, sizeof(hostname), "%.255s-master", service);
	m = aero_masters_find(&status.masters, hostname);
	ret->known = true;
	if (m == NULL)
		rc = aero_err_set(err, AERO_MISS, "service %s has no master",
			aero_quote(service, shown, sizeof(shown)));
	else if (!aero_masters_add(&ret->masters, m))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	else
		of_mirror(conf, hostname, &ret->addresses);
	aero_status_clear(&status);
	return rc;
}

/* Was a store named by `least` or by what beats it? */
static bool named_here(const struct aero_conf *conf, enum aero_opt_from least)
{
	return aero_conf_from(conf, "server") >= least ||
	       aero_conf_from(conf, "server_file") >= least;
}

static int find(const struct aero_conf *conf, const char *service, struct answer *ret,
	struct aero_err *err)
{
	int rc;

	if (named_here(conf, AERO_FROM_FLAG))
		return of_store(conf, service, ret, err);
	rc = of_status(conf, service, ret, err);
	if (rc != AERO_MISS || ret->known)
		return rc;
	if (named_here(conf, AERO_FROM_FILE))
		return of_store(conf, service, ret, err);
	return aero_err_set(err, AERO_DB,
		"this node's daemon has written no status yet: start aerostat-syncd, or "
		"give --server");
}

static int print(const struct aero_cli *cli, const struct aero_master *m,
	const struct aero_list *addresses, struct aero_err *err)
{
	bson_t doc = BSON_INITIALIZER;
	char name[300], id[300], address[80];
	int rc = AERO_OK;

	if (!cli->conf->json) {
		(void)fprintf(cli->out, "%s %s epoch %lld",
			aero_show(m->hostname, name, sizeof(name)),
			aero_show(m->instance_id, id, sizeof(id)), (long long)m->epoch);
		for (size_t i = 0; i < addresses->n; i++)
			(void)fprintf(cli->out, " %s",
				aero_show(addresses->v[i], address, sizeof(address)));
		(void)fputc('\n', cli->out);
	} else if (!BSON_APPEND_UTF8(&doc, "service", m->service) ||
		   !BSON_APPEND_UTF8(&doc, "hostname", m->hostname) ||
		   !BSON_APPEND_UTF8(&doc, "instance_id", m->instance_id) ||
		   !BSON_APPEND_INT64(&doc, "epoch", m->epoch)) {
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	} else {
		aero_list_to_bson(addresses, &doc, "addresses");
		rc = aero_cli_print_json_line(cli->out, &doc, err);
	}
	bson_destroy(&doc);
	return rc;
}

int aero_cli_master(const struct aero_cli *cli, struct aero_err *err)
{
	struct answer answer = {0};
	int rc = find(cli->conf, cli->words[0], &answer, err);

	if (rc == AERO_OK)
		rc = print(cli, &answer.masters.v[0], &answer.addresses, err);
	aero_masters_clear(&answer.masters);
	aero_list_clear(&answer.addresses);
	return rc;
}
