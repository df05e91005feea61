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

/* A member of the object; what is there already came from a key of the same name. */
static int take(const bson_iter_t *it, char **to, struct aero_err *err)
{
	const char *key = bson_iter_key(it), *text;
	uint32_t len;

	if (*to != NULL)
		return aero_err_set(err, AERO_CONFIG, "%s is there twice", key);
	if (!BSON_ITER_HOLDS_UTF8(it))
		return aero_err_set(err, AERO_CONFIG, "%s is not a text", key);
	text = bson_iter_utf8(it, &len);
	if (len != strlen(text))
		return aero_err_set(err, AERO_CONFIG, "%s has a NUL in it", key);
	*to = strdup(text);
	return *to != NULL ? AERO_OK : aero_err_set(err, AERO_NOMEM, "out of memory");
}

static int take_all(
	const bson_t *doc, struct aero_identity_said *said, struct aero_err *err)
{
	const struct {
		const char *key;
		char **to;
	} keys[AERO_IDENTITY_KEYS] = {{"instance_id", &said->instance_id},
		{"ip", &said->ip}, {"ip6", &said->ip6}};
	bson_iter_t it;
	int rc = bson_iter_init(&it, doc)
			 ? AERO_OK
			 : aero_err_set(err, AERO_CONFIG, "not a JSON object");

	while (rc == AERO_OK && bson_iter_next(&it)) {
		size_t i = 0;

		while (i < AERO_IDENTITY_KEYS &&
			strcmp(keys[i].key, bson_iter_key(&it)) != 0)
			i++;
		if (i < AERO_IDENTITY_KEYS)
			rc = take(&it, keys[i].to, err);
		else if (*said->unknown == '\0')
			(void)snprintf(said->unknown, sizeof(said->unknown), "%.63s",
				bson_iter_key(&it));
	}
	for (size_t i = 0; rc == AERO_OK && i < AERO_IDENTITY_KEYS; i++)
		if (*keys[i].to == NULL && (*keys[i].to = strdup("")) == NULL)
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK && *said->instance_id == '\0')
		rc = aero_err_set(err, AERO_CONFIG, "it has no instance_id");
	else if (rc == AERO_OK && *said->ip == '\0' && *said->ip6 == '\0')
		rc = aero_err_set(err, AERO_CONFIG, "it has neither ip nor ip6");
	return rc;
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
	if (*path != '/') {
		rc = aero_err_set(err, AERO_CONFIG,
			"identity_command '%.128s': not an absolute path", path);
		goto out;
	}
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
	*said = (struct aero_identity_said){0};
}
