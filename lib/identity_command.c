/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <bson/bson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/child.h"
#include "lib/identity_command.h"
#include "lib/loop.h"

#define OUTPUT_MAX 16384

#define N_TEXTS 5

static int take_text(
	const bson_iter_t *it, const char *what, char **to, struct aero_err *err)
{
	const char *text;
	uint32_t len;

	if (!BSON_ITER_HOLDS_UTF8(it))
		return aero_err_set(err, AERO_CONFIG, "%s is not a text", what);
	text = bson_iter_utf8(it, &len);
	if (len != strlen(text))
		return aero_err_set(err, AERO_CONFIG, "%s has a NUL in it", what);
	*to = strdup(text);
	return *to != NULL ? AERO_OK : aero_err_set(err, AERO_NOMEM, "out of memory");
}

static int take_aliases(const bson_iter_t *it, struct aero_list *to, struct aero_err *err)
{
	bson_iter_t item;
	char *text = NULL;
	int rc = AERO_OK;

	if (!BSON_ITER_HOLDS_ARRAY(it) || !bson_iter_recurse(it, &item))
		return aero_err_set(err, AERO_CONFIG, "aliases is not a list");
	while (rc == AERO_OK && bson_iter_next(&item)) {
		rc = take_text(&item, "one of aliases", &text, err);
		if (rc == AERO_OK && !aero_list_add(to, text))
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
		free(text);
		text = NULL;
	}
	return rc;
}

/* What is there, and what has to be. */
static int check(const struct aero_identity_said *said, struct aero_err *err)
{
	const char *why = NULL;

	if (*said->instance_id == '\0')
		why = "it has no instance_id";
	else if (*said->ip == '\0' && *said->ip6 == '\0')
		why = "it has neither ip nor ip6";
	else if (*said->service == '\0' && (*said->type != '\0' || said->aliases.n > 0))
		why = "it has a type or aliases, but no service";
	return why == NULL ? AERO_OK : aero_err_set(err, AERO_CONFIG, "%s", why);
}

static int take_all(
	const bson_t *doc, struct aero_identity_said *said, struct aero_err *err)
{
	const struct {
		const char *key;
		char **to;
	} texts[N_TEXTS] = {{"instance_id", &said->instance_id}, {"ip", &said->ip},
		{"ip6", &said->ip6}, {"service", &said->service}, {"type", &said->type}};
	bool aliases = false;
	bson_iter_t it;
	int rc = bson_iter_init(&it, doc)
			 ? AERO_OK
			 : aero_err_set(err, AERO_CONFIG, "not a JSON object");

	while (rc == AERO_OK && bson_iter_next(&it)) {
		const char *key = bson_iter_key(&it);
		bool is_aliases = strcmp(key, "aliases") == 0;
		size_t i = 0;

		while (i < N_TEXTS && strcmp(texts[i].key, key) != 0)
			i++;
		if (is_aliases ? aliases : i < N_TEXTS && *texts[i].to != NULL)
			rc = aero_err_set(err, AERO_CONFIG, "%s is there twice", key);
		else if (is_aliases)
			rc = take_aliases(&it, &said->aliases, err);
		else if (i < N_TEXTS)
			rc = take_text(&it, key, texts[i].to, err);
		else if (*said->unknown == '\0')
			(void)snprintf(
				said->unknown, sizeof(said->unknown), "%.63s", key);
		aliases = aliases || is_aliases;
	}
	for (size_t i = 0; rc == AERO_OK && i < N_TEXTS; i++)
		if (*texts[i].to == NULL && (*texts[i].to = strdup("")) == NULL)
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	return rc == AERO_OK ? check(said, err) : rc;
}

int aero_identity_command_parse(const char *text, size_t len,
	struct aero_identity_said *ret, struct aero_err *err)
{
	struct aero_identity_said said = {0};
	bson_json_reader_t *reader = NULL;
	bson_t doc = BSON_INITIALIZER, more = BSON_INITIALIZER;
	bson_error_t error = {0};
	size_t at = 0;
	int rc;

	while (at < len && strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0')
		at++;
	/* libbson reads an array as an object, too. */
	if (at == len || text[at] != '{') {
		rc = aero_err_set(err, AERO_CONFIG, "not a JSON object");
		goto out;
	}
	reader = bson_json_data_reader_new(true, OUTPUT_MAX);
	bson_json_data_reader_ingest(reader, (const uint8_t *)text, len);
	if (bson_json_reader_read(reader, &doc, &error) != 1)
		rc = aero_err_set(
			err, AERO_CONFIG, "not a JSON object: %.200s", error.message);
	else if (bson_json_reader_read(reader, &more, &error) != 0)
		rc = aero_err_set(err, AERO_CONFIG, "more than one JSON object");
	else
		rc = take_all(&doc, &said, err);
	bson_json_reader_destroy(reader);
out:
	bson_destroy(&doc);
	bson_destroy(&more);
	if (rc == AERO_OK)
		*ret = said;
	else
		aero_identity_said_clear(&said);
	return rc;
}

int aero_identity_command_check(const char *path, struct aero_err *err)
{
	return *path == '/'
		       ? AERO_OK
		       : aero_err_set(err, AERO_CONFIG,
				 "identity_command '%.128s': not an absolute path", path);
}

int aero_identity_command_run(const char *path, int64_t timeout_ms,
	struct aero_identity_said *ret, struct aero_err *err)
{
	char *program = strdup(path);
	char *argv[] = {program, NULL};
	struct aero_list env = {0};
	struct aero_child_opts opts = {.what = "identity_command",
		.argv = argv,
		.env = &env,
		.timeout_ms = timeout_ms,
		.output_max = OUTPUT_MAX};
	struct aero_child_output output;
	struct aero_child *child = NULL;
	int rc;

	if (program == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	rc = aero_identity_command_check(path, err);
	if (rc != AERO_OK)
		goto out;
	rc = aero_child_start(&opts, aero_clock_ms(), &child, err);
	if (rc != AERO_OK) {
		rc = rc == AERO_REFUSED ? AERO_CONFIG : rc;
		goto out;
	}
	aero_child_wait(child);
	aero_child_output(child, &output);
	if (aero_child_check(child, err) != AERO_OK) {
		rc = AERO_NET;
		goto out;
	}
	if (output.cut)
		rc = aero_err_set(
			err, AERO_CONFIG, "more than %d bytes of output", OUTPUT_MAX);
	else
		rc = aero_identity_command_parse(output.text, output.len, ret, err);
	if (rc != AERO_OK)
		rc = aero_err_prefix(err, rc, "identity_command '%.128s'", path);
out:
	aero_child_free(child);
	free(program);
	return rc;
}

void aero_identity_said_clear(struct aero_identity_said *said)
{
	free(said->instance_id);
	free(said->ip);
	free(said->ip6);
	free(said->service);
	free(said->type);
	aero_list_clear(&said->aliases);
	*said = (struct aero_identity_said){0};
}
