/* SPDX-License-Identifier: MIT */
/* aerostat status: what this node knows, how old it is, and why something is missing. */
#include "config.h"

#include <stdlib.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/mirror.h"
#include "cli/status.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/slot.h"
#include "lib/status_bson.h"

#define SYNCD_LOCK "/run/aerostat/syncd.lock"

static int read_meta(const struct aero_conf *conf, struct aero_cli_known *ret)
{
	struct aero_reader reader;
	enum aero_read result;
	int rc = aero_cli_mirror_open(conf, &reader, &ret->why_not);

	if (rc != AERO_OK)
		return rc;
	result = aero_reader_meta(&reader, &ret->meta);
	if (result != AERO_READ_OK)
		rc = aero_cli_mirror_fail(conf, result, reader.err, &ret->why_not);
	else if (!aero_cli_strings(ret->meta.zones, ret->meta.n_zones, &ret->zones))
		rc = aero_err_set(&ret->why_not, AERO_NOMEM, "status: out of memory");
	ret->meta.zones = NULL; /* they pointed into the reader */
	ret->meta.digest = NULL;
	ret->mirror = rc == AERO_OK;
	aero_reader_close(&reader);
	return rc;
}

/* What this node was registered as. */
static void read_identity(const struct aero_conf *conf, struct aero_cli_known *ret)
{
	bool foreign = false;

	if (aero_identity_load(conf, &ret->identity, &foreign, NULL) == AERO_OK &&
		foreign)
		aero_identity_clear(&ret->identity);
}

int aero_cli_known_read(const struct aero_conf *conf, struct aero_cli_known *ret)
{
	char *lock = aero_conf_path(conf, SYNCD_LOCK);
	int rc;

	*ret = (struct aero_cli_known){0};
	ret->written = aero_status_read(conf, &ret->status, NULL) == AERO_OK;
	read_identity(conf, ret);
	rc = read_meta(conf, ret);
	if (lock != NULL)
		ret->daemon = aero_lock_holder(lock);
	free(lock);
	return rc;
}

void aero_cli_known_clear(struct aero_cli_known *known)
{
	aero_list_clear(&known->zones);
	aero_status_clear(&known->status);
	aero_identity_clear(&known->identity);
}

int64_t aero_cli_known_age(const struct aero_cli_known *known, int64_t now_ms)
{
	int64_t at = 0;

	if (known->mirror)
		at = (int64_t)(known->meta.published / 1000000);
	if (known->written && known->status.last_contact > at)
		at = known->status.last_contact;
	return at == 0 ? -1 : at > now_ms ? 0 : (now_ms - at) / 1000;
}

/* 90 -> "90 s", 7200 -> "2 h": two units are never needed to judge an age. */
static const char *ago(int64_t seconds, char buf[static 32])
{
	static const struct {
		int64_t from, unit;
		const char *name;
	} units[] = {{2 * 86400, 86400, "days"}, {2 * 3600, 3600, "h"}, {120, 60, "min"},
		{0, 1, "s"}};
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (seconds < units[i].from)
		i++;
	(void)snprintf(buf, 32, "%lld %s ago", (long long)(seconds / units[i].unit),
		units[i].name);
	return buf;
}

static void print_more(FILE *out, int64_t all, size_t listed)
{
	if (all > (int64_t)listed)
		(void)fprintf(out, "          and %lld more\n",
			(long long)(all - (int64_t)listed));
}

static void print_refusals(FILE *out, const struct aero_refusals *refusals, int64_t all)
{
	char name[300], why[300], id[300];

	for (size_t i = 0; i < refusals->n; i++)
		(void)fprintf(out, "          %s: %s (_id %s)\n",
			aero_quote(refusals->v[i].name, name, sizeof(name)),
			aero_quote(refusals->v[i].why, why, sizeof(why)),
			aero_quote(refusals->v[i].id, id, sizeof(id)));
	print_more(out, all, refusals->n);
}

static void print_lists(FILE *out, const struct aero_status *status)
{
	char name[300];

	if (status->n_refused > 0)
		(void)fprintf(out, "refused   %lld\n", (long long)status->n_refused);
	print_refusals(out, &status->refused, status->n_refused);
	if (status->n_odd > 0)
		(void)fprintf(out, "odd       %lld, of which a field was ignored\n",
			(long long)status->n_odd);
	print_refusals(out, &status->odd, status->n_odd);
	if (status->n_cut > 0)
		(void)fprintf(out,
			"cut       %lld aliases or addresses over the limits\n",
			(long long)status->n_cut);
	if (status->n_shadowed > 0)
		(void)fprintf(out, "shadowed  %lld, by other lines of /etc/hosts\n",
			(long long)status->n_shadowed);
	for (size_t i = 0; i < status->n_shadowed_listed; i++)
		(void)fprintf(out, "          %s: line %d\n",
			aero_quote(status->shadowed[i].name, name, sizeof(name)),
			status->shadowed[i].line);
	print_more(out, status->n_shadowed, status->n_shadowed_listed);
}

static void print_heartbeat(FILE *out, const struct aero_status *status, int64_t now_ms)
{
	bool failed = *status->heartbeat_error != '\0', ever = status->heartbeat != 0;
	char text[600], when[32];

	if (!ever && !failed)
		return;
	(void)fprintf(out, "heartbeat %s%s%s\n",
		ever ? ago((now_ms - status->heartbeat) / 1000, when) : "never taken",
		!failed ? ""
		: ever  ? ", now not: "
			: ": ",
		failed ? aero_quote(status->heartbeat_error, text, sizeof(text)) : "");
}

static void print_written(FILE *out, const struct aero_status *status, int64_t now_ms)
{
	char text[600], when[32];

	if (*status->hostname != '\0')
		(void)fprintf(out, "node      %s\n",
			aero_quote(status->hostname, text, sizeof(text)));
	(void)fprintf(out, "store     %s, mode ",
		aero_quote(status->server, text, sizeof(text)));
	(void)fprintf(out, "%s, last contact %s\n",
		aero_quote(status->mode, text, sizeof(text)),
		status->last_contact == 0
			? "never"
			: ago((now_ms - status->last_contact) / 1000, when));
	if (*status->error != '\0')
		(void)fprintf(out, "error     %s\n",
			aero_quote(status->error, text, sizeof(text)));
	print_heartbeat(out, status, now_ms);
	if (status->shrink_held_since != 0)
		(void)fprintf(out,
			"held      since %s: most names would go (shrink guard); if that "
			"is right: aerostat --update --accept-shrink\n",
			ago((now_ms - status->shrink_held_since) / 1000, when));
	print_lists(out, status);
}

static void print_service(FILE *out, const struct aero_identity *identity)
{
	char text[600];

	(void)fprintf(
		out, "service   %s", aero_quote(identity->service, text, sizeof(text)));
	(void)fprintf(out, ", %s", aero_quote(identity->type, text, sizeof(text)));
	if (*identity->service_from != '\0')
		(void)fprintf(out, ", from %s",
			aero_quote(identity->service_from, text, sizeof(text)));
	(void)fputc('\n', out);
}

void aero_cli_print_status(FILE *out, const struct aero_cli_known *known, int64_t now_ms)
{
	const struct aero_meta *meta = &known->meta;
	char when[32];

	if (known->mirror)
		(void)fprintf(out,
			"mirror    %u names, %u aliases, %u addresses; generation %llu, "
			"published %s\n",
			meta->names, meta->aliases, meta->addresses,
			(unsigned long long)meta->generation,
			ago(now_ms / 1000 - (int64_t)(meta->published / 1000000000),
				when));
	else
		(void)fprintf(out, "mirror    none\n");
	if (known->mirror && meta->source_time >> 32 != 0)
		(void)fprintf(out, "data      last changed %s\n",
			ago(now_ms / 1000 - (int64_t)(meta->source_time >> 32), when));
	if (known->daemon > 0)
		(void)fprintf(out, "daemon    runs, pid %ld\n", (long)known->daemon);
	else
		(void)fprintf(out, "daemon    does not run%s\n",
			known->mirror ? ": names still resolve, but do not change" : "");
	if (known->identity.service != NULL)
		print_service(out, &known->identity);
	if (known->written)
		print_written(out, &known->status, now_ms);
}

/* What status.json says, with the mirror's own numbers, which are what answers. */
static bool append_known(bson_t *doc, const struct aero_cli_known *known)
{
	const struct aero_meta *meta = &known->meta;
	struct aero_status status = known->status; /* shares its strings and lists */

	if (known->mirror) {
		status.generation = (int64_t)meta->generation;
		status.source_time = (int64_t)meta->source_time;
		status.published = (int64_t)meta->published;
		status.names = meta->names;
		status.aliases = meta->aliases;
		status.addresses = meta->addresses;
	}
	aero_list_to_bson(&known->zones, doc, "zones");
	return aero_status_to_bson(&status, doc);
}

int aero_cli_print_status_json(FILE *out, const struct aero_cli_known *known,
	int64_t now_ms, struct aero_err *err)
{
	int64_t age = aero_cli_known_age(known, now_ms);
	bson_t doc = BSON_INITIALIZER;
	bool ok =
		BSON_APPEND_BOOL(&doc, "mirror", known->mirror) &&
		aero_status_text(&doc, "why", known->mirror ? "" : known->why_not.msg) &&
		BSON_APPEND_BOOL(&doc, "daemon", known->daemon > 0) &&
		BSON_APPEND_INT64(&doc, "daemon_pid", known->daemon);
	int rc;

	if (age >= 0)
		ok = ok && BSON_APPEND_INT64(&doc, "age", age);
	if (known->identity.service != NULL)
		ok = ok && aero_status_text(&doc, "service", known->identity.service) &&
		     aero_status_text(&doc, "service_type", known->identity.type) &&
		     aero_status_text(&doc, "service_from", known->identity.service_from);
	ok = ok && append_known(&doc, known);
	rc = ok ? aero_cli_print_json(out, &doc, err)
		: aero_err_set(err, AERO_NOMEM, "status: out of memory");
	if (rc == AERO_OK)
		(void)fputc('\n', out);
	bson_destroy(&doc);
	return rc;
}

int aero_cli_status(const struct aero_cli *cli, struct aero_err *err)
{
	struct aero_cli_known known;
	int rc = aero_cli_known_read(cli->conf, &known), printed = AERO_OK;

	if (rc != AERO_OK && err != NULL)
		*err = known.why_not;
	if (cli->conf->json)
		printed =
			aero_cli_print_status_json(cli->out, &known, aero_unix_ms(), err);
	else
		aero_cli_print_status(cli->out, &known, aero_unix_ms());
	aero_cli_known_clear(&known);
	return printed != AERO_OK ? printed : rc;
}
