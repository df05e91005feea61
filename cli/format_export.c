/* SPDX-License-Identifier: MIT */
/* For other programs: Prometheus (file_sd), Ansible (INI inventory), ssh_config. Hosts
 * and addresses are valid ones, so only services need escaping. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli/format.h"
#include "cli/json.h"
#include "lib/names.h"

/* ---- prometheus-sd ---- */

/* One group per host. The target is the address, without a port, which relabelling adds;
 * `instance` is the name, so that a series goes on when the address changes. */
static bool append_target(
	bson_t *doc, const struct aero_cli_host *host, const char *service)
{
	const char *address = host->addresses.v[0];
	bool v6 = strchr(address, ':') != NULL;
	char target[64];
	bson_t array, labels;
	bool ok;

	(void)snprintf(target, sizeof(target), v6 ? "[%s]" : "%s", address);
	ok = BSON_APPEND_ARRAY_BEGIN(doc, "targets", &array) &&
	     BSON_APPEND_UTF8(&array, "0", target) &&
	     bson_append_array_end(doc, &array) &&
	     BSON_APPEND_DOCUMENT_BEGIN(doc, "labels", &labels) &&
	     BSON_APPEND_UTF8(&labels, "instance", host->name);
	if (*service != '\0')
		ok = ok && BSON_APPEND_UTF8(&labels, "service", service);
	if (*host->type != '\0')
		ok = ok && BSON_APPEND_UTF8(&labels, "service_type", host->type);
	if (*host->instance_id != '\0')
		ok = ok && BSON_APPEND_UTF8(&labels, "instance_id", host->instance_id);
	return ok && bson_append_document_end(doc, &labels);
}

static const char *service_of(
	const struct aero_cli_listing *listing, const struct aero_cli_host *host)
{
	return *host->service != '\0' ? host->service : listing->group;
}

int aero_cli_print_prometheus(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err)
{
	size_t n = listing->hosts->n;
	int rc = AERO_OK;

	(void)fputc('[', out);
	for (size_t i = 0; rc == AERO_OK && i < n; i++) {
		const struct aero_cli_host *host = &listing->hosts->v[i];
		bson_t doc = BSON_INITIALIZER;

		(void)fputs(i == 0 ? "\n" : ",\n", out);
		rc = append_target(&doc, host, service_of(listing, host))
			     ? aero_cli_print_json(out, &doc, err)
			     : aero_err_set(err, AERO_NOMEM, "list: out of memory");
		bson_destroy(&doc);
	}
	(void)fputs(n == 0 ? "]\n" : "\n]\n", out);
	return rc;
}

/* ---- ansible ---- */

/* A host with the group that it stands in; '' = none. */
struct member {
	const char *group;
	const struct aero_cli_host *host;
};

/* Ungrouped hosts come first; within a group the order of the list stays. */
static int by_group(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (strcmp(x->group, y->group) != 0)
		return aero_natural_cmp(x->group, y->group);
	return (x->host > y->host) - (x->host < y->host);
}

/* Ansible's group names are letters, digits and underscores, no digit first. */
static void print_group(FILE *out, const char *group)
{
	(void)fputc('[', out);
	if (*group >= '0' && *group <= '9')
		(void)fputc('_', out);
	for (; *group != '\0'; group++) {
		bool plain = (*group >= '0' && *group <= '9') ||
			     (*group >= 'a' && *group <= 'z') ||
			     (*group >= 'A' && *group <= 'Z');

		(void)fputc(plain ? *group : '_', out);
	}
	(void)fputs("]\n", out);
}

int aero_cli_print_ansible(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err)
{
	size_t n = listing->hosts->n;
	struct member *members = calloc(n + 1, sizeof(*members));

	if (members == NULL)
		return aero_err_set(err, AERO_NOMEM, "list: out of memory");
	for (size_t i = 0; i < n; i++) {
		members[i].host = &listing->hosts->v[i];
		members[i].group = service_of(listing, members[i].host);
	}
	if (n > 1)
		qsort(members, n, sizeof(*members), by_group);
	for (size_t i = 0; i < n; i++) {
		const char *group = members[i].group;
		bool first = i == 0 || strcmp(group, members[i - 1].group) != 0;

		if (first && i > 0)
			(void)fputc('\n', out);
		if (first && *group != '\0')
			print_group(out, group);
		(void)fprintf(out, "%s ansible_host=%s\n", members[i].host->name,
			members[i].host->addresses.v[0]);
	}
	free(members);
	return AERO_OK;
}

/* ---- ssh ---- */

int aero_cli_print_ssh(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err)
{
	(void)err;
	for (size_t i = 0; i < listing->hosts->n; i++) {
		const struct aero_cli_host *host = &listing->hosts->v[i];

		(void)fprintf(out, "%sHost %s", i == 0 ? "" : "\n", host->name);
		for (size_t j = 0; j < host->aliases.n; j++)
			(void)fprintf(out, " %s", host->aliases.v[j]);
		(void)fprintf(out, "\n\tHostName %s\n", host->addresses.v[0]);
	}
	return AERO_OK;
}
