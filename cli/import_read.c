/* SPDX-License-Identifier: MIT */
/* Records of an import: one line to one slot, and a whole file with its faults. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import.h"
#include "lib/log.h"
#include "lib/names.h"

static int check_name(const struct aero_conf *conf, const char *what, const char *name,
	struct aero_err *err)
{
	const char *why = aero_name_refuse(name, true, conf->domain, &conf->zones);
	char shown[300];

	if (why == NULL)
		return AERO_OK;
	return aero_err_set(err, AERO_BAD, "%s %s: %s", what,
		aero_quote(name, shown, sizeof(shown)), why);
}

static int check_address(const struct aero_conf *conf, const char *what, const char *text,
	struct aero_err *err)
{
	struct aero_addr addr;
	const char *why =
		*text == '\0' ? NULL : aero_addr_refuse(text, conf->offline, &addr);
	char shown[80];

	if (why == NULL)
		return AERO_OK;
	return aero_err_set(err, AERO_BAD, "%s %s: %s", what,
		aero_quote(text, shown, sizeof(shown)), why);
}

static int check_slot(
	const struct aero_conf *conf, const struct aero_slot *slot, struct aero_err *err)
{
	int rc;

	if (*slot->hostname == '\0')
		return aero_err_set(err, AERO_BAD, "no hostname");
	rc = check_name(conf, "hostname", slot->hostname, err);
	if (rc == AERO_OK)
		rc = check_address(conf, "ip", slot->who.ip, err);
	if (rc == AERO_OK)
		rc = check_address(conf, "ip6", slot->who.ip6, err);
	for (size_t i = 0; rc == AERO_OK && i < slot->who.aliases.n; i++)
		rc = check_name(conf, "alias", slot->who.aliases.v[i], err);
	return rc;
}

int aero_cli_import_line(const struct aero_conf *conf, const char *line, size_t len,
	struct aero_slot *ret, struct aero_err *err)
{
	struct aero_slot slot = {0};
	const char *odd = NULL;
	bson_error_t error;
	bson_t *doc = NULL;
	int rc;

	/* libbson would take an array for a document with the keys 0, 1, ... */
	if (line[strspn(line, " \t")] != '{')
		return aero_err_set(err, AERO_BAD, "no JSON object");
	doc = bson_new_from_json((const uint8_t *)line, (ssize_t)len, &error);
	if (doc == NULL)
		return aero_err_set(err, AERO_BAD, "no JSON: %s", error.message);
	if (!aero_slot_of_bson(doc, &slot, &odd))
		rc = aero_err_set(err, AERO_BAD, "%s", odd != NULL ? odd : "damaged");
	else if (odd != NULL)
		rc = aero_err_set(err, AERO_BAD, "%s", odd);
	else
		rc = check_slot(conf, &slot, err);
	if (rc == AERO_OK) {
		*ret = slot;
		slot = (struct aero_slot){0}; /* now owned by ret */
	}
	aero_slot_clear(&slot);
	bson_destroy(doc);
	return rc;
}

void aero_cli_import_clear(struct aero_cli_import *import)
{
	aero_slots_clear(&import->slots);
	free(import->lines);
	*import = (struct aero_cli_import){0};
}

static void note_bad(struct aero_cli_import *import, size_t line, const char *why)
{
	import->n_bad++;
	if (import->bad_line != 0 && import->bad_line < line)
		return;
	import->bad_line = line;
	(void)aero_err_set(&import->bad, AERO_BAD, "%s", why);
}

/* Take *slot as the one of this line; it is then empty. */
static int take(struct aero_cli_import *import, size_t line, struct aero_slot *slot,
	struct aero_err *err)
{
	size_t n = import->slots.n;
	size_t *grown = realloc(import->lines, (n + 1) * sizeof(*grown));

	if (grown == NULL)
		return aero_err_set(err, AERO_NOMEM, "import: out of memory");
	import->lines = grown;
	import->lines[n] = line;
	if (!aero_slots_add(&import->slots, slot))
		return aero_err_set(err, AERO_NOMEM, "import: out of memory");
	return AERO_OK;
}

/* A text that may stand once, with its line. */
struct once {
	const char *text;
	size_t line;
};

static int by_text(const void *a, const void *b)
{
	const struct once *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void note_twice(
	struct aero_cli_import *import, const char *what, struct once *all, size_t n)
{
	char shown[300], why[400];

	if (n > 1)
		qsort(all, n, sizeof(*all), by_text);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(all[i].text, all[i - 1].text) != 0)
			continue;
		(void)snprintf(why, sizeof(why), "%s %s stands on line %zu already", what,
			aero_quote(all[i].text, shown, sizeof(shown)), all[i - 1].line);
		note_bad(import, all[i].line, why);
	}
}

static int check_twice(struct aero_cli_import *import, struct aero_err *err)
{
	struct once *all = calloc(import->slots.n + 1, sizeof(*all));
	size_t n = 0;

	if (all == NULL)
		return aero_err_set(err, AERO_NOMEM, "import: out of memory");
	for (size_t i = 0; i < import->slots.n; i++)
		all[i] = (struct once){import->slots.v[i].hostname, import->lines[i]};
	note_twice(import, "hostname", all, import->slots.n);
	for (size_t i = 0; i < import->slots.n; i++)
		if (!aero_slot_blank(&import->slots.v[i]))
			all[n++] = (struct once){
				import->slots.v[i].who.instance_id, import->lines[i]};
	note_twice(import, "instance_id", all, n);
	free(all);
	return AERO_OK;
}

#define LINE_MAX_BYTES (1024 * 1024)
#define BAD_MAX 1000 /* lines, after which it is clear that the rest is noise too */

/* The next line, without an end to it like getline but not without an end: /dev/zero is a
 * file too. False: none, or (AERO_BAD in *ret_rc) none that could be a record. */
static bool next_line(FILE *in, char **line, size_t *size, size_t *ret_len, size_t number,
	int *ret_rc, struct aero_err *err)
{
	size_t len = 0;
	int c = 0;

	while (c != '\n' && (c = getc_unlocked(in)) != EOF) {
		if (len + 1 >= *size) {
			char *grown = realloc(*line, *size * 2 + 256);

			if (grown == NULL) {
				*ret_rc = aero_err_set(
					err, AERO_NOMEM, "import: out of memory");
				return false;
			}
			*line = grown;
			*size = *size * 2 + 256;
		}
		if (len == LINE_MAX_BYTES) {
			*ret_rc = aero_err_set(err, AERO_BAD,
				"line %zu is longer than %d bytes: no record", number,
				LINE_MAX_BYTES);
			return false;
		}
		(*line)[len++] = (char)c;
	}
	if (len > 0)
		(*line)[len] = '\0';
	*ret_len = len;
	return len > 0;
}

int aero_cli_import_read(const struct aero_conf *conf, FILE *in,
	struct aero_cli_import *ret, struct aero_err *err)
{
	char *line = NULL;
	size_t size = 0, number = 0, len;
	int rc = AERO_OK;

	while (rc == AERO_OK && ret->n_bad < BAD_MAX &&
		next_line(in, &line, &size, &len, number + 1, &rc, err)) {
		struct aero_slot slot = {0};
		struct aero_err why = {{0}};

		number++;
		while (len > 0 && strchr("\r\n \t", line[len - 1]) != NULL &&
			line[len - 1] != '\0')
			line[--len] = '\0';
		if (len == 0)
			continue;
		ret->n_records++;
		if (aero_cli_import_line(conf, line, len, &slot, &why) != AERO_OK)
			note_bad(ret, number, why.msg);
		else
			rc = take(ret, number, &slot, err);
		aero_slot_clear(&slot);
	}
	if (rc == AERO_OK && ferror(in))
		rc = aero_err_set(err,
			errno == EISDIR ? AERO_BAD : aero_rc_of_errno(errno), "%s",
			strerror(errno));
	if (rc == AERO_OK)
		rc = check_twice(ret, err);
	free(line);
	return rc;
}
