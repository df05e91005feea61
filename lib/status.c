/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/json.h"
#include "lib/status_bson.h"

#define STATUS_FILE "/var/lib/aerostat/status.json"
#define STATUS_MAX (1024 * 1024)

#define AT(member) offsetof(struct aero_status, member)

enum unit {
	COUNT,
	MILLISECONDS,
	MICROSECONDS,
	NANOSECONDS,
	TIMESTAMP, /* BSON: seconds << 32 | increment */
};

/* The numbers: their key in status.json is the member's name; metric NULL = not shown. */
static const struct number {
	const char *key;
	size_t offset;
	enum unit unit;
	const char *metric, *type, *help;
} numbers[] = {
#define ROW(key, unit, metric, type, help) \
	{ \
#key, AT(key), unit, metric, type, help \
	}
	ROW(pid, COUNT, NULL, NULL, NULL),
	ROW(started, MILLISECONDS, "start_time_seconds", "gauge",
		"When the sync daemon started."),
	ROW(updated, MILLISECONDS, "status_timestamp_seconds", "gauge",
		"When these numbers were written."),
	ROW(last_contact, MILLISECONDS, "last_contact_timestamp_seconds", "gauge",
		"When the naming store last answered; 0 = never."),
	ROW(sync_count, COUNT, "syncs_total", "counter",
		"Full synchronisations finished."),
	ROW(sync_started, MILLISECONDS, "sync_timestamp_seconds", "gauge",
		"When the last of them began."),
	ROW(generation, COUNT, "generation", "gauge", "Generation of the mirror."),
	ROW(hosts_generation, COUNT, "hosts_generation", "gauge",
		"Generation that /etc/hosts was written from."),
	ROW(source_time, TIMESTAMP, "source_timestamp_seconds", "gauge",
		"Time of the published data, by the clock of the naming store."),
	ROW(published, NANOSECONDS, "published_timestamp_seconds", "gauge",
		"When the mirror was last published."),
	ROW(documents, COUNT, "documents", "gauge", "Documents of the collection."),
	ROW(names, COUNT, "names", "gauge", "Host names published."),
	ROW(aliases, COUNT, "aliases", "gauge", "Aliases published."),
	ROW(addresses, COUNT, "addresses", "gauge", "Addresses published."),
	ROW(gaps, COUNT, "gaps", "gauge", "Slots without an address."),
	ROW(n_refused, COUNT, "refused", "gauge", "Names and addresses refused."),
	ROW(n_odd, COUNT, "odd", "gauge", "Documents of which a field was ignored."),
	ROW(n_shadowed, COUNT, "shadowed", "gauge",
		"Names that other lines of /etc/hosts define."),
	ROW(n_cut, COUNT, "cut", "gauge", "Aliases and addresses over a limit."),
	ROW(reconnects, COUNT, "reconnects_total", "counter",
		"Times the naming store was connected to again."),
	ROW(publishes, COUNT, "publishes_total", "counter", "Generations published."),
	ROW(repairs, COUNT, "repairs_total", "counter",
		"Times that a damaged mirror was published again."),
	ROW(publish_us, MICROSECONDS, "publish_duration_seconds", "gauge",
		"Duration of the last publish."),
	ROW(propagation_us, MICROSECONDS, "propagation_seconds", "gauge",
		"From the last change's commit to its publish."),
	ROW(shrink_held_since, MILLISECONDS, "shrink_held_timestamp_seconds", "gauge",
		"Since when the shrink guard holds a result; 0 = it holds none."),
	ROW(heartbeat, MILLISECONDS, "heartbeat_timestamp_seconds", "gauge",
		"When the naming store last took a heartbeat; 0 = none was sent."),
#undef ROW
};

static const struct {
	const char *key;
	size_t offset;
} strings[] = {
	{"mode", AT(mode)},
	{"server", AT(server)},
	{"error", AT(error)},
	{"hostname", AT(hostname)},
	{"heartbeat_error", AT(heartbeat_error)},
};

#define N_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))
#define N_STRINGS (sizeof(strings) / sizeof(strings[0]))

static int64_t number_of(const struct aero_status *status, const struct number *row)
{
	const void *at = (const char *)status + row->offset;

	return *(const int64_t *)at;
}

static const char *string_of(const struct aero_status *status, size_t i)
{
	const void *at = (const char *)status + strings[i].offset;
	const char *text = *(char *const *)at;

	return text == NULL ? "" : text;
}

/* JSON holds UTF-8 only, and the words may quote what a stranger wrote. */
bool aero_status_text(bson_t *doc, const char *key, const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);
	char *copy;
	bool ok;

	if (len == 0 || bson_utf8_validate(text, len, false))
		return bson_append_utf8(doc, key, -1, len == 0 ? "" : text, (int)len);
	copy = strdup(text);
	if (copy == NULL)
		return false;
	for (char *p = copy; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	ok = bson_append_utf8(doc, key, -1, copy, (int)len);
	free(copy);
	return ok;
}

static bool append_refusals(
	bson_t *doc, const char *list, const struct aero_refusals *refusals)
{
	bson_t array, item;
	char buf[16];
	const char *key;
	bool ok = bson_append_array_begin(doc, list, -1, &array);

	for (size_t i = 0; ok && i < refusals->n; i++) {
		(void)bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
		ok = bson_append_document_begin(&array, key, -1, &item) &&
		     aero_status_text(&item, "name", refusals->v[i].name) &&
		     aero_status_text(&item, "why", refusals->v[i].why) &&
		     aero_status_text(&item, "_id", refusals->v[i].id) &&
		     bson_append_document_end(&array, &item);
	}
	return ok && bson_append_array_end(doc, &array);
}

static bool append_lists(bson_t *doc, const struct aero_status *status)
{
	bson_t array, item;
	char buf[16];
	const char *key;
	bool ok = append_refusals(doc, "refused", &status->refused) &&
		  append_refusals(doc, "odd", &status->odd) &&
		  bson_append_array_begin(doc, "shadowed", -1, &array);

	for (size_t i = 0; ok && i < status->n_shadowed_listed; i++) {
		(void)bson_uint32_to_string((uint32_t)i, &key, buf, sizeof(buf));
		ok = bson_append_document_begin(&array, key, -1, &item) &&
		     aero_status_text(&item, "name", status->shadowed[i].name) &&
		     bson_append_int64(&item, "line", -1, status->shadowed[i].line) &&
		     bson_append_document_end(&array, &item);
	}
	return ok && bson_append_array_end(doc, &array) &&
	       aero_masters_to_bson(&status->masters, doc);
}

bool aero_status_to_bson(const struct aero_status *status, bson_t *doc)
{
	bool ok = true;

	for (size_t i = 0; ok && i < N_STRINGS; i++)
		ok = aero_status_text(doc, strings[i].key, string_of(status, i));
	for (size_t i = 0; ok && i < N_NUMBERS; i++)
		ok = bson_append_int64(
			doc, numbers[i].key, -1, number_of(status, &numbers[i]));
	return ok && append_lists(doc, status);
}

int aero_status_write(const struct aero_conf *conf, const struct aero_status *status,
	struct aero_err *err)
{
	char *path = aero_conf_path(conf, STATUS_FILE), *json = NULL;
	bson_t doc = BSON_INITIALIZER;
	size_t len = 0;
	int rc;

	if (path != NULL && aero_status_to_bson(status, &doc))
		json = aero_json_of_bson(&doc, &len);
	if (json == NULL) {
		rc = aero_err_set(err, AERO_NOMEM, "status: out of memory");
		goto out;
	}
	json[len] = '\n'; /* in the place of its NUL */
	rc = aero_file_replace(path, json, len + 1, 0644, err);
out:
	free(json);
	bson_destroy(&doc);
	free(path);
	return rc;
}

static void print_number(FILE *out, const struct number *row, int64_t value)
{
	static const int64_t parts[] = {
		[MILLISECONDS] = 1000,
		[MICROSECONDS] = 1000000,
		[NANOSECONDS] = 1000000000,
	};
	static const int digits[] = {
		[MILLISECONDS] = 3,
		[MICROSECONDS] = 6,
		[NANOSECONDS] = 9,
	};

	(void)fprintf(out, "# HELP aerostat_%s %s\n# TYPE aerostat_%s %s\naerostat_%s ",
		row->metric, row->help, row->metric, row->type, row->metric);
	if (row->unit == TIMESTAMP)
		value = (int64_t)((uint64_t)value >> 32);
	if (row->unit == TIMESTAMP || row->unit == COUNT)
		(void)fprintf(out, "%lld\n", (long long)value);
	else
		(void)fprintf(out, "%s%lld.%0*lld\n", value < 0 ? "-" : "",
			llabs(value / parts[row->unit]), digits[row->unit],
			llabs(value % parts[row->unit]));
}

/* A label's value: only backslash, quote and line break need care. */
static void print_label(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\' || *text == '"')
			(void)fputc('\\', out);
		if (*text == '\n')
			(void)fputs("\\n", out);
		else
			(void)fputc(*text, out);
	}
}

int aero_status_write_prometheus(const struct aero_conf *conf,
	const struct aero_status *status, struct aero_err *err)
{
	static const struct number connected = {.metric = "connected",
		.type = "gauge",
		.help = "1 while the naming store answers, 0 in back-off."};
	char *text = NULL;
	size_t len = 0;
	FILE *out;
	int rc;

	if (*conf->prometheus_file == '\0')
		return AERO_OK;
	out = open_memstream(&text, &len);
	if (out == NULL)
		return aero_err_set(err, AERO_NOMEM, "status: out of memory");
	(void)fputs("# HELP aerostat_mode How the sync daemon follows the naming store.\n"
		    "# TYPE aerostat_mode gauge\naerostat_mode{mode=\"",
		out);
	print_label(out, string_of(status, 0));
	(void)fputs("\"} 1\n", out);
	print_number(out, &connected, *string_of(status, 2) == '\0');
	for (size_t i = 0; i < N_NUMBERS; i++)
		if (numbers[i].metric != NULL)
			print_number(out, &numbers[i], number_of(status, &numbers[i]));
	if (fclose(out) != 0)
		rc = aero_err_set(err, AERO_NOMEM, "status: out of memory");
	else
		rc = aero_file_replace(conf->prometheus_file, text, len, 0644, err);
	free(text);
	return rc;
}

/* The member `key` of a document that iter stands on, as text; malloc'd, '' if none. */
static char *text_in(const bson_iter_t *iter, const char *key)
{
	bson_iter_t in;

	if (bson_iter_recurse(iter, &in) && bson_iter_find(&in, key) &&
		BSON_ITER_HOLDS_UTF8(&in))
		return strdup(bson_iter_utf8(&in, NULL));
	return strdup("");
}

static bool read_refusal(void *list, const bson_iter_t *iter)
{
	struct aero_refusals *refusals = list;
	struct aero_refusal *grown =
		realloc(refusals->v, (refusals->n + 1) * sizeof(*grown));
	struct aero_refusal *last;

	if (grown == NULL)
		return false;
	refusals->v = grown;
	last = &grown[refusals->n++];
	last->name = text_in(iter, "name");
	last->why = text_in(iter, "why");
	last->id = text_in(iter, "_id");
	return last->name != NULL && last->why != NULL && last->id != NULL;
}

static bool read_shadowed(void *arg, const bson_iter_t *iter)
{
	struct aero_status *status = arg;
	struct aero_shadow *grown = realloc(
		status->shadowed, (status->n_shadowed_listed + 1) * sizeof(*grown));
	struct aero_shadow *last;
	bson_iter_t in;

	if (grown == NULL)
		return false;
	status->shadowed = grown;
	last = &grown[status->n_shadowed_listed++];
	last->name = text_in(iter, "name");
	last->line = 0;
	if (bson_iter_recurse(iter, &in) && bson_iter_find(&in, "line") &&
		BSON_ITER_HOLDS_NUMBER(&in))
		last->line = (int)bson_iter_as_int64(&in);
	return last->name != NULL;
}

static bool read_list(const bson_t *doc, const char *key,
	bool (*read_one)(void *, const bson_iter_t *), void *arg)
{
	bson_iter_t iter, item;

	if (!bson_iter_init_find(&iter, doc, key) || !BSON_ITER_HOLDS_ARRAY(&iter) ||
		!bson_iter_recurse(&iter, &item))
		return true;
	while (bson_iter_next(&item))
		if (BSON_ITER_HOLDS_DOCUMENT(&item) && !read_one(arg, &item))
			return false;
	return true;
}

static bool read_document(struct aero_status *status, const bson_t *doc)
{
	bson_iter_t iter;

	for (size_t i = 0; i < N_STRINGS; i++) {
		void *at = (char *)status + strings[i].offset;
		bool here = bson_iter_init_find(&iter, doc, strings[i].key) &&
			    BSON_ITER_HOLDS_UTF8(&iter);
		char *text = strdup(here ? bson_iter_utf8(&iter, NULL) : "");

		if (text == NULL)
			return false;
		*(char **)at = text;
	}
	for (size_t i = 0; i < N_NUMBERS; i++) {
		void *at = (char *)status + numbers[i].offset;

		if (bson_iter_init_find(&iter, doc, numbers[i].key) &&
			BSON_ITER_HOLDS_NUMBER(&iter))
			*(int64_t *)at = bson_iter_as_int64(&iter);
	}
	return read_list(doc, "refused", read_refusal, &status->refused) &&
	       read_list(doc, "odd", read_refusal, &status->odd) &&
	       read_list(doc, "shadowed", read_shadowed, status) &&
	       aero_masters_of_bson(doc, &status->masters);
}

int aero_status_read(
	const struct aero_conf *conf, struct aero_status *ret, struct aero_err *err)
{
	char *path = aero_conf_path(conf, STATUS_FILE), *text = NULL;
	struct aero_status status = {0};
	bson_t *doc = NULL;
	bson_error_t error;
	size_t len = 0;
	int rc;

	if (path == NULL)
		return aero_err_set(err, AERO_NOMEM, "status: out of memory");
	rc = aero_file_read(path, STATUS_MAX, &text, &len, err);
	if (rc != AERO_OK)
		goto out;
	doc = bson_new_from_json((const uint8_t *)text, (ssize_t)len, &error);
	if (doc == NULL) {
		rc = aero_err_set(
			err, AERO_BAD, "'%s' is damaged: %s", path, error.message);
		goto out;
	}
	if (!read_document(&status, doc)) {
		rc = aero_err_set(err, AERO_NOMEM, "status: out of memory");
		goto out;
	}
	*ret = status;
	status = (struct aero_status){0}; /* now owned by ret */
out:
	aero_status_clear(&status);
	bson_destroy(doc);
	free(text);
	free(path);
	return rc;
}

void aero_refusals_clear(struct aero_refusals *refusals)
{
	for (size_t i = 0; i < refusals->n; i++) {
		free(refusals->v[i].name);
		free(refusals->v[i].why);
		free(refusals->v[i].id);
	}
	free(refusals->v);
	*refusals = (struct aero_refusals){0};
}

void aero_status_clear(struct aero_status *status)
{
	for (size_t i = 0; i < N_STRINGS; i++) {
		void *at = (char *)status + strings[i].offset;

		free(*(char **)at);
	}
	aero_refusals_clear(&status->refused);
	aero_refusals_clear(&status->odd);
	for (size_t i = 0; i < status->n_shadowed_listed; i++)
		free(status->shadowed[i].name);
	free(status->shadowed);
	aero_masters_clear(&status->masters);
	*status = (struct aero_status){0};
}
