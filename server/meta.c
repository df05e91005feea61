/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "server/meta.h"

struct input {
	yaml_parser_t parser;
	struct aero_config *config;
	struct aero_err *err;
	unsigned seen; /* a bit per key */
};

static const char *const keys[] = {"name", "path", "owner", "group", "mode", "keywords"};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))
#define MODE 4
#define KEYWORDS 5

static int bad_at(
	struct input *in, const yaml_mark_t *mark, const char *what, const char *word)
{
	char shown[80];

	return aero_err_set(in->err, AERO_BAD, "line %zu: %s%s%s", mark->line + 1, what,
		word != NULL ? " " : "",
		word != NULL ? aero_quote(word, shown, sizeof(shown)) : "");
}

static int no_memory(struct input *in)
{
	return aero_err_set(in->err, AERO_NOMEM, "out of memory");
}

static int next(struct input *in, yaml_event_t *event)
{
	const yaml_parser_t *p = &in->parser;

	if (yaml_parser_parse(&in->parser, event))
		return AERO_OK;
	memset(event, 0, sizeof(*event));
	if (p->error == YAML_MEMORY_ERROR)
		return no_memory(in);
	return bad_at(
		in, &p->problem_mark, p->problem != NULL ? p->problem : "no YAML", NULL);
}

static const char *text_of(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	return strlen(text) == event->data.scalar.length ? text : NULL;
}

static int set(struct input *in, size_t key, const yaml_event_t *value)
{
	struct aero_config *c = in->config;
	char **const to[] = {&c->name, &c->path, &c->owner, &c->group};
	const char *text;
	char *copy;

	if (value->type != YAML_SCALAR_EVENT)
		return bad_at(in, &value->start_mark, "no single value for", keys[key]);
	text = text_of(value);
	if (text == NULL)
		return bad_at(in, &value->start_mark, "a NUL byte", NULL);
	if (key == MODE)
		return aero_config_mode(text, &c->mode)
			       ? AERO_OK
			       : bad_at(in, &value->start_mark,
					 "a mode that is not octal:", text);
	copy = strdup(text);
	if (copy == NULL)
		return no_memory(in);
	free(*to[key]);
	*to[key] = copy;
	return AERO_OK;
}

/* A list of words; its first event is read. */
static int read_keywords(struct input *in, const yaml_event_t *first)
{
	yaml_event_t event;
	int rc = AERO_OK;
	bool more = true;

	if (first->type != YAML_SEQUENCE_START_EVENT)
		return bad_at(in, &first->start_mark, "keywords are a list", NULL);
	while (rc == AERO_OK && more) {
		rc = next(in, &event);
		if (rc != AERO_OK)
			return rc;
		more = event.type != YAML_SEQUENCE_END_EVENT;
		if (more && (event.type != YAML_SCALAR_EVENT || text_of(&event) == NULL))
			rc = bad_at(in, &event.start_mark, "keywords are words", NULL);
		else if (more && !aero_list_add(&in->config->keywords, text_of(&event)))
			rc = no_memory(in);
		yaml_event_delete(&event);
	}
	in->config->is_template = in->config->keywords.n > 0;
	return rc;
}

static int read_pair(struct input *in, const yaml_event_t *name)
{
	const char *text = name->type == YAML_SCALAR_EVENT ? text_of(name) : NULL;
	yaml_event_t value;
	size_t key = 0;
	int rc;

	while (key < N_KEYS && (text == NULL || strcmp(keys[key], text) != 0))
		key++;
	if (key == N_KEYS)
		return bad_at(in, &name->start_mark,
			"a key that is none of name, path, owner, group, mode, keywords:",
			text != NULL ? text : "?");
	if ((in->seen & 1u << key) != 0)
		return bad_at(in, &name->start_mark, "twice:", text);
	in->seen |= 1u << key;
	rc = next(in, &value);
	if (rc != AERO_OK)
		return rc;
	rc = key == KEYWORDS ? read_keywords(in, &value) : set(in, key, &value);
	yaml_event_delete(&value);
	return rc;
}

/* An empty document is one without keys. */
static int read_all(struct input *in)
{
	bool inside = false, over = false;
	yaml_event_t event;
	int rc = AERO_OK;

	while (rc == AERO_OK && !over) {
		rc = next(in, &event);
		if (rc != AERO_OK)
			return rc;
		over = event.type == YAML_STREAM_END_EVENT;
		if (inside && event.type == YAML_MAPPING_END_EVENT)
			inside = false;
		else if (inside)
			rc = read_pair(in, &event);
		else if (event.type == YAML_MAPPING_START_EVENT)
			inside = true;
		else if (event.type == YAML_SCALAR_EVENT ||
			 event.type == YAML_SEQUENCE_START_EVENT ||
			 event.type == YAML_ALIAS_EVENT)
			rc = bad_at(in, &event.start_mark, "no `key: value`", NULL);
		yaml_event_delete(&event);
	}
	return rc;
}

int aero_meta_parse(
	const char *text, size_t len, struct aero_config *config, struct aero_err *err)
{
	struct input in = {.config = config, .err = err};
	int rc;

	if (!yaml_parser_initialize(&in.parser))
		return no_memory(&in);
	yaml_parser_set_input_string(&in.parser, (const unsigned char *)text, len);
	rc = read_all(&in);
	yaml_parser_delete(&in.parser);
	return rc;
}
