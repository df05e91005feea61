/* SPDX-License-Identifier: MIT */
/* aerostat history: what happened to a name, or to an instance. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/history.h"
#include "cli/json.h"
#include "lib/log.h"
#include "server/history.h"

const char *aero_cli_time(int64_t ms, char buf[static 32])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
		strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		buf[0] = '\0';
	return buf;
}

static void event_clear(struct aero_cli_event *event)
{
	free(event->hostname);
	free(event->event);
	free(event->instance_id);
	free(event->why);
	free(event->by);
}

void aero_cli_events_clear(struct aero_cli_events *events)
{
	for (size_t i = 0; i < events->n; i++)
		event_clear(&events->v[i]);
	free(events->v);
	*events = (struct aero_cli_events){0};
}

/* ---- reading ---- */

struct reading {
	const char *name;
	struct aero_cli_events *events;
};

static char *text_of(const bson_t *doc, const char *key)
{
	bson_iter_t it;

	return strdup(bson_iter_init_find(&it, doc, key) && BSON_ITER_HOLDS_UTF8(&it)
			      ? bson_iter_utf8(&it, NULL)
			      : "");
}

static int64_t number_of(const bson_t *doc, const char *key)
{
	int64_t number = 0;
	bson_iter_t it;

	if (bson_iter_init_find(&it, doc, key))
		(void)aero_number_of_bson(&it, &number);
	return number;
}

static int take(const bson_t *doc, void *arg, struct aero_err *err)
{
	struct reading *reading = arg;
	struct aero_cli_events *events = reading->events;
	struct aero_cli_event event = {
		.at = number_of(doc, "at"),
		.hostname = text_of(doc, "hostname"),
		.event = text_of(doc, "event"),
		.instance_id = text_of(doc, "instance_id"),
		.why = text_of(doc, "why"),
		.by = text_of(doc, "by"),
		.epoch = number_of(doc, "epoch"),
	};
	struct aero_cli_event *v = events->v;
	int rc = AERO_OK;

	if (event.hostname == NULL || event.event == NULL || event.instance_id == NULL ||
		event.why == NULL || event.by == NULL)
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK && (strcmp(event.hostname, reading->name) == 0 ||
				     strcmp(event.instance_id, reading->name) == 0)) {
		v = realloc(v, (events->n + 1) * sizeof(*v));
		if (v == NULL) {
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
		} else {
			events->v = v;
			v[events->n++] = event;
			event = (struct aero_cli_event){0}; /* now owned by events */
		}
	}
	event_clear(&event);
	return rc;
}

int aero_cli_events_read(struct aero_store *store, const char *name,
	struct aero_cli_events *ret, struct aero_err *err)
{
	struct reading reading = {name, ret};

	return aero_store_walk(store, AERO_TABLE_HISTORY, take, &reading, err);
}

/* ---- showing ---- */

static size_t first_of(const struct aero_cli_events *events, size_t last)
{
	return last > 0 && events->n > last ? events->n - last : 0;
}

void aero_cli_events_print(
	FILE *out, const struct aero_cli_events *events, size_t last, const char *indent)
{
	char when[32], name[300], id[300], why[300];

	for (size_t i = first_of(events, last); i < events->n; i++) {
		const struct aero_cli_event *e = &events->v[i];
		const char *words = aero_history_words(e->event);

		(void)fprintf(out, "%s%s %s %s %s", indent, aero_cli_time(e->at, when),
			aero_show(e->hostname, name, sizeof(name)),
			aero_show(e->instance_id, id, sizeof(id)),
			words != NULL ? words : "(an event of a later version)");
		if (e->epoch != 0)
			(void)fprintf(out, ", epoch %lld", (long long)e->epoch);
		if (*e->why != '\0')
			(void)fprintf(out, ": %s", aero_show(e->why, why, sizeof(why)));
		(void)fputc('\n', out);
	}
}

bool aero_cli_events_append(
	bson_t *doc, const char *key, const struct aero_cli_events *events, size_t last)
{
	bson_t array, sub;
	char index[16];
	const char *at;
	bool ok = BSON_APPEND_ARRAY_BEGIN(doc, key, &array);
	uint32_t n = 0;

	for (size_t i = first_of(events, last); ok && i < events->n; i++) {
		const struct aero_cli_event *e = &events->v[i];

		(void)bson_uint32_to_string(n++, &at, index, sizeof(index));
		ok = BSON_APPEND_DOCUMENT_BEGIN(&array, at, &sub) &&
		     BSON_APPEND_INT64(&sub, "at", e->at) &&
		     BSON_APPEND_UTF8(&sub, "hostname", e->hostname) &&
		     BSON_APPEND_UTF8(&sub, "event", e->event) &&
		     BSON_APPEND_UTF8(&sub, "instance_id", e->instance_id) &&
		     BSON_APPEND_UTF8(&sub, "why", e->why) &&
		     BSON_APPEND_UTF8(&sub, "by", e->by) &&
		     (e->epoch == 0 || BSON_APPEND_INT64(&sub, "epoch", e->epoch)) &&
		     bson_append_document_end(&array, &sub);
	}
	return ok && bson_append_array_end(doc, &array);
}

int aero_cli_history(const struct aero_cli *cli, struct aero_err *err)
{
	struct aero_cli_events events = {0};
	struct aero_store *store = NULL;
	bson_t doc = BSON_INITIALIZER;
	char shown[300];
	int rc = aero_store_open_conf(cli->conf, "history", true, &store, err);

	if (rc == AERO_OK)
		rc = aero_cli_events_read(store, cli->words[0], &events, err);
	if (rc == AERO_OK && cli->conf->json) {
		if (!BSON_APPEND_UTF8(&doc, "name", cli->words[0]) ||
			!aero_cli_events_append(&doc, "events", &events, 0))
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
		else
			rc = aero_cli_print_json_line(cli->out, &doc, err);
	} else if (rc == AERO_OK) {
		aero_cli_events_print(cli->out, &events, 0, "");
	}
	if (rc == AERO_OK && events.n == 0)
		rc = aero_err_set(err, AERO_MISS,
			"nothing is known of %s; aerostatd writes the history",
			aero_quote(cli->words[0], shown, sizeof(shown)));
	bson_destroy(&doc);
	aero_cli_events_clear(&events);
	aero_store_close(store);
	return rc;
}
