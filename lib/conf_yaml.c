/* SPDX-License-Identifier: MIT */
/* Options from YAML text: one flat mapping of keys to values and lists. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/conf_parse.h"

struct input {
	yaml_parser_t parser;
	const struct aero_conf_file *file;
	struct aero_conf *conf;
	struct aero_err *err;
	int *seen;   /* per row: the line where it stands */
	bool broken; /* the error is of the form: no lines of `key: value` from there on
		      */
};

static int bad_at(const struct input *in, const yaml_mark_t *mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int bad_at(const struct input *in, const yaml_mark_t *mark, const char *fmt, ...)
{
	struct aero_opt_source source = {in->file->from, NULL};
	char where[300], words[300];
	va_list ap;

	(void)snprintf(where, sizeof(where), "%s:%zu:%zu", in->file->name, mark->line + 1,
		mark->column + 1);
	source.where = where;
	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	return aero_opt_bad(in->err, &source, "%s", words);
}

static int broken(struct input *in, int rc)
{
	in->broken = rc == AERO_CONFIG;
	return rc;
}

/* What the words in err say is let pass, and said as a warning. */
static int let_pass(struct input *in, const char *what)
{
	char words[sizeof(in->err->msg) + 64];

	(void)snprintf(words, sizeof(words), "%s%s", in->err->msg, what);
	in->err->msg[0] = '\0';
	if (!aero_list_add(&in->conf->warnings, words))
		return aero_err_set(in->err, AERO_NOMEM, "options: out of memory");
	return AERO_OK;
}

/* The next event, to be deleted by the caller; libyaml's own complaints are worded. */
static int next(struct input *in, yaml_event_t *event)
{
	const yaml_parser_t *p = &in->parser;

	if (yaml_parser_parse(&in->parser, event))
		return AERO_OK;
	memset(event, 0, sizeof(*event));
	if (p->error == YAML_MEMORY_ERROR)
		return aero_err_set(in->err, AERO_NOMEM, "options: out of memory");
	if (p->error == YAML_READER_ERROR) {
		yaml_mark_t mark = p->mark;

		return broken(in, bad_at(in, &mark, "no UTF-8 text: %s", p->problem));
	}
	return broken(in, bad_at(in, &p->problem_mark, "%s",
				  p->problem != NULL ? p->problem : "no YAML"));
}

/* The text of a scalar; a plain null is ''. NULL when it holds a NUL byte. */
static const char *scalar(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length)
		return NULL;
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		(strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0))
		return "";
	return text;
}

static int unknown_key(const struct input *in, const yaml_event_t *event, const char *key)
{
	const char *list[128];
	char near[96], shown[80];
	size_t n = 0;

	for (size_t i = 0; i < aero_n_options && n < 128; i++)
		if (!aero_options[i].flag_only)
			list[n++] = aero_options[i].key;
	return bad_at(in, &event->start_mark, "unknown key %s%s",
		aero_conf_shown(key, shown), /* `server:URI` may hold a password */
		aero_nearest_words("", aero_nearest(key, list, n), near));
}

/* The row of the key that event holds; AERO_MISS when its value is to be let pass. */
static int key_row(struct input *in, const yaml_event_t *event, size_t *ret)
{
	const char *key;
	int row, rc;

	if (event->type != YAML_SCALAR_EVENT || (key = scalar(event)) == NULL)
		return broken(
			in, bad_at(in, &event->start_mark, "a key is one plain word"));
	row = aero_opt_find(key, strlen(key), false);
	if (row < 0) {
		rc = unknown_key(in, event, key);
	} else if (aero_options[row].flag_only) {
		rc = bad_at(in, &event->start_mark,
			"'%s' can be said on the command line only", key);
	} else if (in->seen[row] != 0) {
		rc = bad_at(in, &event->start_mark, "'%s' stands in line %d already", key,
			in->seen[row]);
	} else {
		in->seen[row] = (int)event->start_mark.line + 1;
		*ret = (size_t)row;
		return AERO_OK;
	}
	if (in->file->lax) {
		rc = let_pass(in, "; it is not used");
		return rc == AERO_OK ? AERO_MISS : rc;
	}
	return rc;
}

/* One scalar as the value of a row, or as one item of its list. */
static int set_scalar(struct input *in, const yaml_event_t *event, size_t row, bool item)
{
	struct aero_opt_source source = {in->file->from, NULL};
	const char *text = scalar(event), *key = aero_options[row].key;
	char where[360];

	if (text == NULL)
		return bad_at(in, &event->start_mark, "%s: holds a NUL byte", key);
	(void)snprintf(where, sizeof(where), "%s:%zu:%zu: %s", in->file->name,
		event->start_mark.line + 1, event->start_mark.column + 1, key);
	source.where = where;
	/* The file was found below the root: it cannot move it. */
	if (strcmp(key, "root") == 0 && *text != '\0' &&
		strcmp(text, in->conf->root) != 0)
		return aero_opt_bad(in->err, &source,
			"it says where this file is looked for, so it cannot stand in "
			"it; "
			"use --root or AEROSTAT_ROOT");
	if (item)
		return aero_opt_set_item(in->conf, row, &source, text, in->err);
	return aero_opt_set(in->conf, row, &source, text, in->err);
}

static int set_sequence(struct input *in, const yaml_event_t *start, size_t row)
{
	struct aero_opt_source source = {in->file->from, in->file->name};
	const char *key = aero_options[row].key;
	yaml_event_t event = {0};
	bool end = false;
	int rc;

	if (aero_options[row].type != AERO_OPT_LIST)
		return bad_at(in, &start->start_mark, "%s: one value, not a list", key);
	rc = aero_opt_set_item(in->conf, row, &source, NULL, in->err);
	while (rc == AERO_OK && !end) {
		rc = next(in, &event);
		if (rc != AERO_OK)
			break;
		end = event.type == YAML_SEQUENCE_END_EVENT;
		if (event.type == YAML_SCALAR_EVENT)
			rc = set_scalar(in, &event, row, true);
		else if (!end)
			rc = bad_at(
				in, &event.start_mark, "%s: a list of plain values", key);
		yaml_event_delete(&event);
	}
	return rc;
}

static int set_value(struct input *in, size_t row)
{
	yaml_event_t event = {0};
	int rc = next(in, &event);

	if (rc != AERO_OK)
		return rc;
	if (event.type == YAML_SCALAR_EVENT)
		rc = set_scalar(in, &event, row, false);
	else if (event.type == YAML_SEQUENCE_START_EVENT)
		rc = set_sequence(in, &event, row);
	else
		rc = bad_at(in, &event.start_mark, "%s: a plain value%s",
			aero_options[row].key,
			aero_options[row].type == AERO_OPT_LIST ? " or a list" : "");
	yaml_event_delete(&event);
	return rc;
}

/* The value of a key that is let pass, whatever it is. */
static int skip_value(struct input *in)
{
	unsigned depth = 0;
	int rc;

	do {
		yaml_event_t event = {0};

		rc = next(in, &event);
		if (event.type == YAML_MAPPING_START_EVENT ||
			event.type == YAML_SEQUENCE_START_EVENT)
			depth++;
		else if (event.type == YAML_MAPPING_END_EVENT ||
			 event.type == YAML_SEQUENCE_END_EVENT)
			depth--;
		yaml_event_delete(&event);
	} while (rc == AERO_OK && depth > 0);
	return rc;
}

static int set_mapping(struct input *in)
{
	for (;;) {
		yaml_event_t event = {0};
		size_t row = 0;
		bool end;
		int rc = next(in, &event);

		end = event.type == YAML_MAPPING_END_EVENT;
		if (rc == AERO_OK && !end)
			rc = key_row(in, &event, &row);
		yaml_event_delete(&event);
		if (rc == AERO_OK && !end)
			rc = set_value(in, row);
		else if (rc == AERO_MISS)
			rc = skip_value(in);
		if (rc != AERO_OK || end)
			return rc;
	}
}

/* The stream: no document, or one that is empty or a mapping. */
static int set_stream(struct input *in)
{
	yaml_event_type_t type = YAML_NO_EVENT;
	unsigned documents = 0;
	int rc = AERO_OK;

	while (rc == AERO_OK && type != YAML_STREAM_END_EVENT) {
		yaml_event_t event = {0};

		rc = next(in, &event);
		type = event.type;
		if (rc != AERO_OK)
			break;
		if (type == YAML_DOCUMENT_START_EVENT && ++documents > 1)
			rc = broken(
				in, bad_at(in, &event.start_mark, "a second document"));
		else if (type == YAML_MAPPING_START_EVENT)
			rc = set_mapping(in);
		else if (type == YAML_SEQUENCE_START_EVENT || type == YAML_ALIAS_EVENT ||
			 (type == YAML_SCALAR_EVENT && event.data.scalar.length > 0))
			rc = broken(in, bad_at(in, &event.start_mark,
						"lines of `key: value` are wanted"));
		yaml_event_delete(&event);
	}
	return rc;
}

int aero_conf_yaml(struct aero_conf *conf, const struct aero_conf_file *file,
	const char *text, size_t len, struct aero_err *err)
{
	struct input in = {.file = file, .conf = conf, .err = err};
	int rc;

	in.seen = calloc(aero_n_options, sizeof(*in.seen));
	if (in.seen == NULL || !yaml_parser_initialize(&in.parser)) {
		free(in.seen);
		return aero_err_set(err, AERO_NOMEM, "options: out of memory");
	}
	yaml_parser_set_input_string(&in.parser, (const unsigned char *)text, len);
	rc = set_stream(&in);
	if (in.broken && file->lax)
		rc = let_pass(&in, "; what follows there is not used");
	yaml_parser_delete(&in.parser);
	free(in.seen);
	return rc;
}
