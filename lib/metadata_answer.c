/* SPDX-License-Identifier: MIT */
/* What the metadata service answers, read: nothing of it is trusted. */
#include "config.h"

#include <bson/bson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/metadata.h"

#define WORD_MAX 255

char *aero_metadata_word(const char *text, size_t len)
{
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return NULL;
	return strndup(text, len);
}

/* A member of the document that is a word; NULL if it is absent or none. */
static char *member(const bson_t *doc, const char *key)
{
	bson_iter_t it;
	uint32_t len;
	const char *text;

	if (!bson_iter_init_find(&it, doc, key) || !BSON_ITER_HOLDS_UTF8(&it))
		return NULL;
	text = bson_iter_utf8(&it, &len);
	return aero_metadata_word(text, len);
}

int aero_metadata_document(
	const char *text, size_t len, struct aero_metadata *ret, struct aero_err *err)
{
	struct aero_metadata metadata = {0};
	bson_error_t error = {0};
	bson_t *doc = NULL;
	int rc = AERO_OK;

	/* libbson would take a length of 0 for "up to the NUL". */
	if (len > 0 && len <= AERO_METADATA_MAX)
		doc = bson_new_from_json((const uint8_t *)text, (ssize_t)len, &error);
	if (doc == NULL)
		return aero_err_set(err, AERO_NET, "instance identity document: %.200s",
			error.message);
	metadata.instance_id = member(doc, "instanceId");
	metadata.ip = member(doc, "privateIp");
	if (metadata.ip == NULL)
		metadata.ip = strdup("");
	if (metadata.instance_id == NULL || metadata.ip == NULL)
		rc = aero_err_set(err, AERO_NET,
			"instance identity document: it has no instanceId");
	bson_destroy(doc);
	if (rc == AERO_OK)
		*ret = metadata;
	else
		aero_metadata_clear(&metadata);
	return rc;
}

bool aero_metadata_lines(const char *text, size_t len, struct aero_list *ret)
{
	struct aero_list lines = {0};
	const char *at = text, *end = text + len, *eol;
	bool good = true;
	char *word;

	for (; good && at < end; at = eol + 1) {
		eol = memchr(at, '\n', (size_t)(end - at));
		if (eol == NULL)
			eol = end;
		word = aero_metadata_word(at, (size_t)(eol - at));
		good = word != NULL && aero_list_add(&lines, word);
		free(word);
	}
	if (good)
		*ret = lines;
	else
		aero_list_clear(&lines);
	return good;
}
