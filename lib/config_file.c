/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config_file.h"
#include "lib/log.h"

#define OWNER_MAX 32

static int bad(struct aero_err *err, const char *what, const char *value, const char *why)
{
	char shown[160];

	return aero_err_set(err, AERO_BAD, "%s %s %s", what,
		aero_quote(value, shown, sizeof(shown)), why);
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* A part of a path that names something in its folder. */
static bool is_part(const char *text, size_t len)
{
	return len > 0 && len <= NAME_MAX && memchr(text, '/', len) == NULL &&
	       !(len == 1 && text[0] == '.') &&
	       !(len == 2 && text[0] == '.' && text[1] == '.');
}

static bool is_path(const char *path)
{
	size_t len;

	if (*path != '/' || strlen(path) >= PATH_MAX)
		return false;
	for (const char *at = path; *at == '/'; at += len) {
		at++;
		len = strcspn(at, "/");
		if (!is_part(at, len))
			return false;
	}
	return true;
}

static bool is_owner(const char *text)
{
	return *text != '\0' && strlen(text) <= OWNER_MAX && strchr(text, ':') == NULL;
}

int aero_config_check(const struct aero_config *config, struct aero_err *err)
{
	const char *const texts[] = {
		config->name, config->path, config->owner, config->group};
	char mode[16];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (has_control(texts[i]))
			return bad(err, "text", texts[i], "has a control character");
	if (!is_part(config->name, strlen(config->name)))
		return bad(err, "name", config->name, "is no file name");
	if (!is_path(config->path))
		return bad(err, "path", config->path,
			"is not absolute, or has '.', '..' or an empty part");
	if (!is_owner(config->owner))
		return bad(err, "owner", config->owner, "is no user name");
	if (!is_owner(config->group))
		return bad(err, "group", config->group, "is no group name");
	(void)snprintf(mode, sizeof(mode), "0%o", (unsigned)config->mode);
	if (config->mode > 0777)
		return bad(err, "mode", mode,
			"has more than rwx bits (in YAML, quote it: mode: '0644')");
	if ((config->mode & 0002) != 0)
		return bad(err, "mode", mode, "lets everybody write");
	if (config->len > AERO_CONFIG_MAX)
		return aero_err_set(err, AERO_BAD,
			"%zu bytes are more than a document takes (%u)", config->len,
			AERO_CONFIG_MAX);
	return AERO_OK;
}

bool aero_config_mode(const char *text, mode_t *ret)
{
	size_t len = strspn(text, "01234567");

	if (len == 0 || len > 5 || text[len] != '\0')
		return false;
	*ret = (mode_t)strtoul(text, NULL, 8);
	return true;
}

/* ---- documents ---- */

static int text_of(const bson_t *doc, const char *key, const char *missing, char **ret,
	struct aero_err *err)
{
	const char *text = missing;
	uint32_t len = 0;
	bson_iter_t it;

	if (bson_iter_init_find(&it, doc, key) && !BSON_ITER_HOLDS_NULL(&it)) {
		if (!BSON_ITER_HOLDS_UTF8(&it))
			return aero_err_set(err, AERO_BAD, "%s is no string", key);
		text = bson_iter_utf8(&it, &len);
		if (strlen(text) != len)
			return aero_err_set(err, AERO_BAD, "%s holds a NUL byte", key);
	}
	if (text == NULL)
		return aero_err_set(err, AERO_BAD, "it has no %s", key);
	*ret = strdup(text);
	return *ret != NULL ? AERO_OK : aero_err_set(err, AERO_NOMEM, "out of memory");
}

static int contents_of(
	const bson_t *doc, struct aero_config *config, struct aero_err *err)
{
	const uint8_t *data = NULL;
	bson_subtype_t subtype;
	uint32_t len = 0;
	bson_iter_t it;

	if (!bson_iter_init_find(&it, doc, "contents"))
		return aero_err_set(err, AERO_BAD, "it has no contents");
	if (BSON_ITER_HOLDS_UTF8(&it))
		data = (const uint8_t *)bson_iter_utf8(&it, &len);
	else if (BSON_ITER_HOLDS_BINARY(&it))
		bson_iter_binary(&it, &subtype, &len, &data);
	else
		return aero_err_set(
			err, AERO_BAD, "contents are neither text nor binary");
	config->contents = malloc((size_t)len + 1);
	if (config->contents == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	if (len > 0)
		memcpy(config->contents, data, len);
	config->contents[len] = '\0';
	config->len = len;
	return AERO_OK;
}

/* Text in octal, or the number itself: YAML reads 0644 as one. */
static int mode_of(const bson_t *doc, mode_t *ret, struct aero_err *err)
{
	bson_iter_t it;
	int64_t number;

	*ret = 0644;
	if (!bson_iter_init_find(&it, doc, "mode") || BSON_ITER_HOLDS_NULL(&it))
		return AERO_OK;
	if (BSON_ITER_HOLDS_UTF8(&it)) {
		const char *text = bson_iter_utf8(&it, NULL);

		return aero_config_mode(text, ret)
			       ? AERO_OK
			       : bad(err, "mode", text, "is not octal");
	}
	if (!BSON_ITER_HOLDS_INT32(&it) && !BSON_ITER_HOLDS_INT64(&it))
		return aero_err_set(err, AERO_BAD, "mode is no string");
	number = bson_iter_as_int64(&it);
	if (number < 0 || number > 07777)
		return aero_err_set(err, AERO_BAD, "mode is out of range");
	*ret = (mode_t)number;
	return AERO_OK;
}

/* Those of an array that are text; anything that is not empty makes a template. */
static bool keywords_of(const bson_t *doc, struct aero_config *config)
{
	bson_iter_t it, in;
	uint32_t len = 0;
	const uint8_t *data;

	if (!bson_iter_init_find(&it, doc, "keywords"))
		return true;
	if (BSON_ITER_HOLDS_ARRAY(&it))
		bson_iter_array(&it, &len, &data);
	else if (BSON_ITER_HOLDS_DOCUMENT(&it))
		bson_iter_document(&it, &len, &data);
	config->is_template = len > 5; /* an empty one has five bytes */
	if (!BSON_ITER_HOLDS_ARRAY(&it) || !bson_iter_recurse(&it, &in))
		return true;
	while (bson_iter_next(&in))
		if (BSON_ITER_HOLDS_UTF8(&in) &&
			!aero_list_add(&config->keywords, bson_iter_utf8(&in, NULL)))
			return false;
	return true;
}

int aero_config_of_bson(const bson_t *doc, struct aero_config *ret, struct aero_err *err)
{
	struct aero_config config = {0};
	char by_name[NAME_MAX + 8] = "";
	int rc = text_of(doc, "name", NULL, &config.name, err);

	if (rc == AERO_OK)
		(void)snprintf(by_name, sizeof(by_name), "/etc/%s", config.name);
	if (rc == AERO_OK)
		rc = text_of(doc, "path", by_name, &config.path, err);
	if (rc == AERO_OK)
		rc = text_of(doc, "owner", "root", &config.owner, err);
	if (rc == AERO_OK)
		rc = text_of(doc, "group", "root", &config.group, err);
	if (rc == AERO_OK)
		rc = mode_of(doc, &config.mode, err);
	if (rc == AERO_OK)
		rc = contents_of(doc, &config, err);
	if (rc == AERO_OK && !keywords_of(doc, &config))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK)
		rc = aero_config_check(&config, err);
	if (rc != AERO_OK && rc != AERO_NOMEM && config.name != NULL) {
		char shown[120];

		rc = aero_err_prefix(
			err, rc, "%s", aero_quote(config.name, shown, sizeof(shown)));
	}
	if (rc == AERO_OK)
		*ret = config;
	else
		aero_config_clear(&config);
	return rc;
}

void aero_config_to_bson(const struct aero_config *config, bson_t *ret)
{
	char mode[8], key[24];
	bson_t list;

	(void)snprintf(mode, sizeof(mode), "%04o", (unsigned)config->mode & 0777);
	BSON_APPEND_UTF8(ret, "name", config->name);
	BSON_APPEND_UTF8(ret, "path", config->path);
	BSON_APPEND_UTF8(ret, "owner", config->owner);
	BSON_APPEND_UTF8(ret, "group", config->group);
	BSON_APPEND_UTF8(ret, "mode", mode);
	/* Text wherever it is text: the original reads nothing else. */
	if (bson_utf8_validate(config->contents, config->len, true))
		bson_append_utf8(ret, "contents", -1, config->contents, (int)config->len);
	else
		BSON_APPEND_BINARY(ret, "contents", BSON_SUBTYPE_BINARY,
			(const uint8_t *)config->contents, (uint32_t)config->len);
	if (config->keywords.n == 0)
		return;
	BSON_APPEND_ARRAY_BEGIN(ret, "keywords", &list);
	for (size_t i = 0; i < config->keywords.n; i++) {
		(void)snprintf(key, sizeof(key), "%zu", i);
		BSON_APPEND_UTF8(&list, key, config->keywords.v[i]);
	}
	bson_append_array_end(ret, &list);
}

bool aero_config_equal(const struct aero_config *a, const struct aero_config *b)
{
	bool equal = strcmp(a->name, b->name) == 0 && strcmp(a->path, b->path) == 0 &&
		     strcmp(a->owner, b->owner) == 0 && strcmp(a->group, b->group) == 0 &&
		     a->mode == b->mode && a->len == b->len &&
		     memcmp(a->contents, b->contents, a->len) == 0 &&
		     a->is_template == b->is_template && a->keywords.n == b->keywords.n;

	for (size_t i = 0; equal && i < a->keywords.n; i++)
		equal = strcmp(a->keywords.v[i], b->keywords.v[i]) == 0;
	return equal;
}

void aero_config_clear(struct aero_config *config)
{
	free(config->name);
	free(config->path);
	free(config->owner);
	free(config->group);
	free(config->contents);
	aero_list_clear(&config->keywords);
	*config = (struct aero_config){0};
}
