/* SPDX-License-Identifier: MIT */
/* For people and scripts: table, json, hosts. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli/format.h"
#include "cli/json.h"

static const struct aero_cli_format formats[] = {
	{"table", aero_cli_print_table, false},
	{"json", aero_cli_print_array, false},
	{"hosts", aero_cli_print_hosts, true},
	{"prometheus-sd", aero_cli_print_prometheus, true},
	{"ansible", aero_cli_print_ansible, true},
	{"ssh", aero_cli_print_ssh, true},
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

int aero_cli_format_find(
	const char *name, const struct aero_cli_format **ret, struct aero_err *err)
{
	const char *names[N_FORMATS], *near;

	for (size_t i = 0; i < N_FORMATS; i++) {
		names[i] = formats[i].name;
		if (strcmp(*name == '\0' ? "table" : name, formats[i].name) == 0) {
			*ret = &formats[i];
			return AERO_OK;
		}
	}
	near = aero_nearest(name, names, N_FORMATS);
	return aero_err_set(err, AERO_USAGE,
		"--format is one of table, json, hosts, prometheus-sd, ansible, "
		"ssh%s%s%s",
		near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
		near == NULL ? "" : "'?");
}

/* ---- table ---- */

enum column {
	NAME,
	SERVICE,
	TYPE,
	INSTANCE,
	ADDRESS,
	ALIASES,
	N_COLUMNS,
};

static const struct {
	const char *title;
	bool of_store; /* the mirror does not know it */
	size_t max;    /* what is longer cannot be right, and would push away the rest */
} columns[N_COLUMNS] = {
	[NAME] = {"NAME", false, 253},
	[SERVICE] = {"SERVICE", true, 64},
	[TYPE] = {"TYPE", true, 64},
	[INSTANCE] = {"INSTANCE", true, 64},
	[ADDRESS] = {"ADDRESS", false, 800},
	[ALIASES] = {"ALIASES", false, 1600},
};

/* The strings with commas between; malloc'd. */
static char *join(const struct aero_list *list)
{
	size_t size = 1;
	char *text, *at;

	for (size_t i = 0; i < list->n; i++)
		size += strlen(list->v[i]) + 1;
	text = at = malloc(size);
	for (size_t i = 0; text != NULL && i < list->n; i++) {
		size_t len = strlen(list->v[i]);

		if (i > 0)
			*at++ = ',';
		memcpy(at, list->v[i], len);
		at += len;
	}
	if (text != NULL)
		*at = '\0';
	return text;
}

/* The text of a cell; malloc'd. Old data may hold anything: blanks would shift columns,
 * control characters drive the terminal. */
static char *cell(const struct aero_cli_host *host, enum column column)
{
	const char *const plain[N_COLUMNS] = {
		[NAME] = host->name,
		[SERVICE] = host->service,
		[TYPE] = host->type,
		[INSTANCE] = host->gap ? "(gap)" : host->instance_id,
	};
	const struct aero_list *lists[N_COLUMNS] = {
		[ADDRESS] = &host->addresses,
		[ALIASES] = &host->aliases,
	};
	char *text = lists[column] != NULL ? join(lists[column]) : strdup(plain[column]);

	if (text != NULL && *text == '\0') {
		free(text);
		text = strdup("-");
	}
	for (char *p = text; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			*p = '?';
	if (text != NULL && strlen(text) > columns[column].max)
		memcpy(text + columns[column].max - 3, "...", 4);
	return text;
}

static void print_cells(FILE *out, const struct aero_cli_hosts *hosts,
	char *const cells[static N_COLUMNS], const size_t width[static N_COLUMNS])
{
	for (size_t c = 0; c < N_COLUMNS; c++) {
		if (columns[c].of_store && !hosts->from_store)
			continue;
		/* No blanks at the end of a line. */
		if (c == N_COLUMNS - 1)
			(void)fprintf(out, "%s\n", cells[c]);
		else
			(void)fprintf(out, "%-*s  ", (int)width[c], cells[c]);
	}
}

int aero_cli_print_table(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err)
{
	const struct aero_cli_hosts *hosts = listing->hosts;
	size_t width[N_COLUMNS] = {0}, n = (hosts->n + 1) * N_COLUMNS;
	char **cells = calloc(n, sizeof(*cells));
	bool ok = cells != NULL;

	for (size_t i = 0; ok && i < n; i++) {
		size_t c = i % N_COLUMNS, row = i / N_COLUMNS;

		cells[i] = row == 0 ? strdup(columns[c].title)
				    : cell(&hosts->v[row - 1], (enum column)c);
		ok = cells[i] != NULL;
		if (ok && strlen(cells[i]) > width[c])
			width[c] = strlen(cells[i]);
	}
	for (size_t i = 0; ok && i < n; i += N_COLUMNS)
		print_cells(out, hosts, cells + i, width);
	for (size_t i = 0; cells != NULL && i < n; i++)
		free(cells[i]);
	free(cells);
	return ok ? AERO_OK : aero_err_set(err, AERO_NOMEM, "list: out of memory");
}

/* ---- json ---- */

static bool append_host(bson_t *doc, const struct aero_cli_host *host, bool from_store)
{
	bool ok = BSON_APPEND_UTF8(doc, "name", host->name);

	if (from_store)
		ok = ok && BSON_APPEND_UTF8(doc, "service", host->service) &&
		     BSON_APPEND_UTF8(doc, "type", host->type) &&
		     BSON_APPEND_UTF8(doc, "instance_id", host->instance_id) &&
		     BSON_APPEND_BOOL(doc, "gap", host->gap);
	aero_list_to_bson(&host->addresses, doc, "addresses");
	aero_list_to_bson(&host->aliases, doc, "aliases");
	return ok;
}

int aero_cli_print_array(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err)
{
	const struct aero_cli_hosts *hosts = listing->hosts;
	int rc = AERO_OK;

	(void)fputc('[', out);
	for (size_t i = 0; rc == AERO_OK && i < hosts->n; i++) {
		bson_t doc = BSON_INITIALIZER;

		(void)fputs(i == 0 ? "\n" : ",\n", out);
		rc = append_host(&doc, &hosts->v[i], hosts->from_store)
			     ? aero_cli_print_json(out, &doc, err)
			     : aero_err_set(err, AERO_NOMEM, "list: out of memory");
		bson_destroy(&doc);
	}
	(void)fputs(hosts->n == 0 ? "]\n" : "\n]\n", out);
	return rc;
}

/* ---- hosts ---- */

int aero_cli_print_hosts(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err)
{
	(void)err;
	for (size_t i = 0; i < listing->hosts->n; i++) {
		const struct aero_cli_host *host = &listing->hosts->v[i];

		for (size_t j = 0; j < host->addresses.n; j++) {
			(void)fprintf(out, "%s %s", host->addresses.v[j], host->name);
			for (size_t k = 0; k < host->aliases.n; k++)
				(void)fprintf(out, " %s", host->aliases.v[k]);
			(void)fputc('\n', out);
		}
	}
	return AERO_OK;
}
