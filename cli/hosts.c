/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/hosts.h"
#include "cli/mirror.h"
#include "lib/names.h"
#include "lib/store.h"

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "list: out of memory");
}

static void host_clear(struct aero_cli_host *host)
{
	free(host->name);
	free(host->service);
	free(host->type);
	free(host->instance_id);
	aero_list_clear(&host->addresses);
	aero_list_clear(&host->aliases);
	*host = (struct aero_cli_host){0};
}

void aero_cli_hosts_clear(struct aero_cli_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n; i++)
		host_clear(&hosts->v[i]);
	free(hosts->v);
	*hosts = (struct aero_cli_hosts){0};
}

/* Append; *host is then empty. If there is no memory (host may be half built, as ok
 * says), it is cleared. */
static bool add(struct aero_cli_hosts *hosts, struct aero_cli_host *host, bool ok)
{
	struct aero_cli_host *grown = NULL;

	if (ok && host->name != NULL && host->service != NULL && host->type != NULL &&
		host->instance_id != NULL)
		grown = realloc(hosts->v, (hosts->n + 1) * sizeof(*grown));
	if (grown == NULL) {
		host_clear(host);
		return false;
	}
	grown[hosts->n++] = *host;
	hosts->v = grown;
	*host = (struct aero_cli_host){0};
	return true;
}

bool aero_cli_hosts_add_slot(struct aero_cli_hosts *hosts, const struct aero_slot *slot)
{
	struct aero_cli_host host = {
		.name = strdup(slot->hostname),
		.service = strdup(slot->service),
		.type = strdup(slot->service_type),
		.instance_id = strdup(slot->who.instance_id),
		.gap = aero_slot_blank(slot) && *slot->who.ip == '\0' &&
		       *slot->who.ip6 == '\0',
	};
	bool ok = aero_list_copy(&slot->who.aliases, &host.aliases);

	if (*slot->who.ip != '\0')
		ok = ok && aero_list_add(&host.addresses, slot->who.ip);
	if (*slot->who.ip6 != '\0')
		ok = ok && aero_list_add(&host.addresses, slot->who.ip6);
	return add(hosts, &host, ok);
}

static bool add_record(struct aero_cli_hosts *hosts, const struct aero_rec *rec)
{
	struct aero_cli_host host = {
		.name = strdup(rec->canon),
		.service = strdup(""),
		.type = strdup(""),
		.instance_id = strdup(""),
	};
	char address[INET6_ADDRSTRLEN];
	bool ok = aero_cli_strings(rec->aliases, rec->n_alias, &host.aliases);

	for (size_t i = 0; ok && aero_cli_address(rec, i, address); i++)
		ok = aero_list_add(&host.addresses, address);
	return add(hosts, &host, ok);
}

/* len > 0 bytes, all of them digits. */
static bool is_number(const char *text, size_t len)
{
	return len > 0 && strspn(text, "0123456789") >= len;
}

bool aero_cli_is_slot_of(const char *name, const char *service)
{
	size_t label = strcspn(name, "."), len = strlen(service);

	if (label < len + 2 || strncasecmp(name, service, len) != 0 || name[len] != '-')
		return false;
	name += len + 1;
	label -= len + 1;
	if (label == 6 && strncasecmp(name, "master", 6) == 0)
		return true;
	if (label > 6 && strncasecmp(name, "slave-", 6) == 0)
		return is_number(name + 6, label - 6);
	return is_number(name, label);
}

int aero_cli_hosts_of_mirror(const struct aero_conf *conf, const char *service,
	struct aero_cli_hosts *ret, struct aero_err *err)
{
	unsigned char key[AERO_KEY_MAX];
	size_t keylen = 0;
	struct aero_reader reader;
	struct aero_rec rec;
	enum aero_read result;
	int rc = aero_cli_mirror_open(conf, &reader, err);

	if (rc != AERO_OK)
		return rc;
	while ((result = aero_reader_next(&reader, AERO_KEY_NAME, key, &keylen, &rec)) ==
		AERO_READ_OK) {
		if (rec.is_alias ||
			(service != NULL && !aero_cli_is_slot_of(rec.canon, service)))
			continue;
		if (!add_record(ret, &rec)) {
			rc = no_memory(err);
			break;
		}
	}
	if (rc == AERO_OK && result != AERO_READ_MISS)
		rc = aero_cli_mirror_fail(conf, result, reader.err, err);
	aero_reader_close(&reader);
	return rc;
}

int aero_cli_hosts_of_store(const struct aero_conf *conf, const char *service,
	struct aero_cli_hosts *ret, struct aero_err *err)
{
	struct aero_store *store = NULL;
	struct aero_slots slots = {0};
	int rc = aero_store_open_conf(conf, "list", true, &store, err);

	if (rc == AERO_OK)
		rc = aero_store_ping(store, err);
	if (rc == AERO_OK)
		rc = aero_store_slots(store, service, &slots, err);
	for (size_t i = 0; rc == AERO_OK && i < slots.n; i++)
		if (!aero_cli_hosts_add_slot(ret, &slots.v[i]))
			rc = no_memory(err);
	ret->from_store = true;
	aero_slots_clear(&slots);
	aero_store_close(store);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct aero_cli_host *x = a, *y = b;

	return aero_natural_cmp(x->name, y->name);
}

void aero_cli_hosts_sort(struct aero_cli_hosts *hosts)
{
	if (hosts->n > 1)
		qsort(hosts->v, hosts->n, sizeof(*hosts->v), by_name);
}

/* Drop the strings of a list that keep refuses. */
static void sift(struct aero_list *list, const struct aero_conf *conf,
	bool (*keep)(const struct aero_conf *, const char *))
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (keep(conf, list->v[i]))
			list->v[n++] = list->v[i];
		else
			free(list->v[i]);
	}
	list->n = n;
}

static bool name_answers(const struct aero_conf *conf, const char *name)
{
	return aero_name_refuse(name, true, conf->domain, &conf->zones) == NULL;
}

static bool address_answers(const struct aero_conf *conf, const char *address)
{
	struct aero_addr addr;

	return aero_addr_refuse(address, conf->offline, &addr) == NULL;
}

/* web-0 -> web-0.cluster.internal, with web-0 as the first alias. */
static bool make_full(const struct aero_conf *conf, struct aero_cli_host *host)
{
	struct aero_list aliases = {0};
	char *full = NULL;
	bool ok;

	if (*conf->domain == '\0' || strchr(host->name, '.') != NULL)
		return true;
	ok = asprintf(&full, "%s.%s", host->name,
		     conf->domain + strspn(conf->domain, ".")) >= 0 &&
	     aero_list_add(&aliases, host->name);
	for (size_t i = 0; ok && i < host->aliases.n; i++)
		ok = aero_list_add(&aliases, host->aliases.v[i]);
	if (!ok) {
		aero_list_clear(&aliases);
		free(full);
		return false;
	}
	free(host->name);
	host->name = full;
	aero_list_clear(&host->aliases);
	host->aliases = aliases; /* now owned by host */
	return true;
}

int aero_cli_hosts_answering(
	const struct aero_conf *conf, struct aero_cli_hosts *hosts, struct aero_err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < hosts->n; i++) {
		struct aero_cli_host *host = &hosts->v[i];

		/* The mirror holds but what may answer, by the rules of its own time. */
		if (hosts->from_store) {
			sift(&host->addresses, conf, address_answers);
			sift(&host->aliases, conf, name_answers);
			if (host->addresses.n == 0 || !name_answers(conf, host->name)) {
				host_clear(host);
				continue;
			}
			if (!make_full(conf, host))
				return no_memory(err);
		}
		if (n != i) {
			hosts->v[n] = *host;
			*host = (struct aero_cli_host){0};
		}
		n++;
	}
	hosts->n = n;
	return AERO_OK;
}
