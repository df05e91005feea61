/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <bson/bson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "register/report.h"

static const char *const hows[] = {
	[AERO_HOW_HELD] = "held",
	[AERO_HOW_GAP] = "gap",
	[AERO_HOW_NEW] = "new",
};

/* Print doc with --json, else line; the line goes to the log in any case, with where the
 * service came from. (Not before it is done: a failure is one line.) */
static void say(const struct aero_session *session, FILE *out, const char *line,
	const bson_t *doc)
{
	char *json =
		session->conf->json ? bson_as_relaxed_extended_json(doc, NULL) : NULL;

	(void)fprintf(out, "%s\n", json != NULL ? json : line);
	(void)fflush(out);
	bson_free(json);
	aero_log(AERO_INFO, "register: %s", line);
	if (*session->info.from != '\0')
		aero_log(AERO_INFO, "service: %s (%s) from %s", session->info.service,
			aero_info_type(&session->info), session->info.from);
}

static void put_aliases(FILE *to, const struct aero_list *aliases)
{
	for (size_t i = 0; i < aliases->n; i++)
		(void)fprintf(to, "%s%s", i == 0 ? " aliases " : ",", aliases->v[i]);
}

static void doc_aliases(bson_t *doc, const struct aero_list *aliases)
{
	bson_t array;
	char index[16];
	const char *key;

	BSON_APPEND_ARRAY_BEGIN(doc, "aliases", &array);
	for (size_t i = 0; i < aliases->n; i++) {
		bson_uint32_to_string((uint32_t)i, &key, index, sizeof(index));
		BSON_APPEND_UTF8(&array, key, aliases->v[i]);
	}
	bson_append_array_end(doc, &array);
}

static void doc_begin(
	const struct aero_session *session, bson_t *doc, const char *hostname)
{
	bson_init(doc);
	BSON_APPEND_BOOL(doc, "dryrun", session->conf->dryrun);
	BSON_APPEND_UTF8(doc, "hostname", hostname);
	BSON_APPEND_UTF8(doc, "instance_id", session->me.instance_id);
}

void aero_report_register(const struct aero_session *session, FILE *out,
	const char *hostname, enum aero_how how)
{
	const struct aero_occupant *me = &session->me;
	char *line = NULL;
	size_t len;
	FILE *to = open_memstream(&line, &len);
	bson_t doc;

	if (to == NULL)
		return;
	if (session->conf->dryrun)
		(void)fputs("dry run: would register ", to);
	(void)fprintf(to, "%s (%s) %s %s%s%s", hostname, hows[how], me->instance_id,
		me->ip, *me->ip != '\0' && *me->ip6 != '\0' ? " " : "", me->ip6);
	if (session->conf->dryrun)
		put_aliases(to, &me->aliases);
	(void)fclose(to);
	doc_begin(session, &doc, hostname);
	BSON_APPEND_UTF8(&doc, "how", hows[how]);
	BSON_APPEND_UTF8(&doc, "ip", me->ip);
	BSON_APPEND_UTF8(&doc, "ip6", me->ip6);
	doc_aliases(&doc, &me->aliases);
	BSON_APPEND_UTF8(&doc, "service", session->info.service);
	BSON_APPEND_UTF8(&doc, "service_type", aero_info_type(&session->info));
	BSON_APPEND_UTF8(&doc, "service_from", session->info.from);
	say(session, out, line, &doc);
	bson_destroy(&doc);
	free(line);
}

void aero_report_master(const struct aero_session *session, FILE *out,
	const char *hostname, const struct aero_plan *plan)
{
	const char *id = session->me.instance_id;
	char *line = NULL;
	size_t len;
	FILE *to = open_memstream(&line, &len);
	bson_t doc;

	if (to == NULL)
		return;
	doc_begin(session, &doc, hostname);
	if (plan == NULL) {
		(void)fprintf(to, "%s %s", hostname, id);
	} else if (plan->how == AERO_HOW_HELD) {
		(void)fprintf(to, "dry run: %s is %s already", id, hostname);
	} else if (*plan->master == '\0') {
		(void)fprintf(to, "dry run: would make %s %s (now nobody)", id, hostname);
	} else {
		(void)fprintf(to, "dry run: would make %s %s (now %s), %s %s", id,
			hostname, plan->master, plan->master, plan->moves_to);
		BSON_APPEND_UTF8(&doc, "old_master", plan->master);
		BSON_APPEND_UTF8(&doc, "old_master_hostname", plan->moves_to);
	}
	(void)fclose(to);
	say(session, out, line, &doc);
	bson_destroy(&doc);
	free(line);
}

void aero_report_release(
	const struct aero_session *session, FILE *out, const char *hostname)
{
	char line[512];
	bson_t doc;

	(void)snprintf(line, sizeof(line), "%s %s %.255s",
		session->conf->dryrun ? "dry run: would release" : "released",
		*hostname != '\0' ? hostname : "nothing", session->me.instance_id);
	doc_begin(session, &doc, hostname);
	say(session, out, line, &doc);
	bson_destroy(&doc);
}
