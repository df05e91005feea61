/* SPDX-License-Identifier: MIT */
/* The three forms of credentials. No text that is read here gets into an error. */
#include "config.h"

#include <bson/bson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "server/credentials.h"

#define PART_MAX 8192
#define BLANKS " \t\r\n"

static char **part(struct aero_credentials *c, int i)
{
	return i == 0 ? &c->key_id : i == 1 ? &c->secret : &c->token;
}

/* Put a copy of len bytes of text into one of the parts. */
static int set_part(struct aero_credentials *c, int which, const char *text, size_t len,
	struct aero_err *err)
{
	static const char *const names[] = {"key id", "secret key", "session token"};
	char **at = part(c, which);

	if (*at != NULL)
		return aero_err_set(
			err, AERO_CONFIG, "the %s stands there twice", names[which]);
	if (len > PART_MAX || (len == 0 && which != 2))
		return aero_err_set(err, AERO_CONFIG, "the %s is %s", names[which],
			len == 0 ? "empty" : "too long");
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return aero_err_set(err, AERO_CONFIG,
				"the %s holds a character that cannot be in it",
				names[which]);
	*at = strndup(text, len);
	return *at == NULL ? aero_err_set(err, AERO_NOMEM, "out of memory") : AERO_OK;
}

/* Both keys, and a token that may be ''. */
static int finish(struct aero_credentials *c, struct aero_err *err)
{
	if (c->key_id == NULL)
		return aero_err_set(err, AERO_CONFIG, "the key id is missing");
	if (c->secret == NULL)
		return aero_err_set(err, AERO_CONFIG, "the secret key is missing");
	if (c->token == NULL)
		return set_part(c, 2, "", 0, err);
	return AERO_OK;
}

static int give(struct aero_credentials *c, int rc, struct aero_credentials *ret,
	struct aero_err *err)
{
	if (rc == AERO_OK)
		rc = finish(c, err);
	if (rc == AERO_OK)
		*ret = *c;
	else
		aero_credentials_clear(c);
	return rc;
}

int aero_credentials_of_file(
	const char *text, size_t len, struct aero_credentials *ret, struct aero_err *err)
{
	struct aero_credentials c = {0};
	size_t at = 0;
	int words = 0, rc = AERO_OK;

	while (rc == AERO_OK) {
		size_t from;

		while (at < len && text[at] != '\0' && strchr(BLANKS, text[at]) != NULL)
			at++;
		if (at == len)
			break;
		from = at;
		while (at < len && (text[at] == '\0' || strchr(BLANKS, text[at]) == NULL))
			at++;
		if (words == 3)
			rc = aero_err_set(err, AERO_CONFIG, "more than three words");
		else if (words < 2)
			rc = set_part(&c, words, text + from, at - from, err);
		words++;
	}
	return give(&c, rc, ret, err);
}

/* The next line of *text, without blanks around it; false at the end. */
static bool next_line(
	const char **text, const char *end, const char **ret, size_t *ret_len)
{
	const char *from = *text, *to;

	if (from == end)
		return false;
	to = memchr(from, '\n', (size_t)(end - from));
	*text = to == NULL ? end : to + 1;
	if (to == NULL)
		to = end;
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
		to--;
	*ret = from;
	*ret_len = (size_t)(to - from);
	return true;
}

/* `[name]` */
static bool is_section(const char *line, size_t len, const char *profile)
{
	size_t want = strlen(profile);

	line++;
	len -= 2;
	return len == want && memcmp(line, profile, want) == 0;
}

static int profile_line(
	struct aero_credentials *c, const char *line, size_t len, struct aero_err *err)
{
	static const char *const keys[] = {
		"aws_access_key_id", "aws_secret_access_key", "aws_session_token"};
	const char *equals = memchr(line, '=', len), *value;
	size_t n;

	if (equals == NULL)
		return AERO_OK;
	n = (size_t)(equals - line);
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	value = equals + 1;
	while (value < line + len && (*value == ' ' || *value == '\t'))
		value++;
	for (int i = 0; i < 3; i++)
		if (n == strlen(keys[i]) && strncasecmp(line, keys[i], n) == 0)
			return set_part(c, i, value, (size_t)(line + len - value), err);
	return AERO_OK;
}

int aero_credentials_of_profile(const char *text, size_t len, const char *profile,
	struct aero_credentials *ret, struct aero_err *err)
{
	struct aero_credentials c = {0};
	const char *end = text + len, *line;
	bool in = false, found = false;
	size_t n;
	int rc = AERO_OK;

	while (rc == AERO_OK && next_line(&text, end, &line, &n)) {
		if (n == 0 || *line == '#' || *line == ';')
			continue;
		if (n >= 2 && *line == '[' && line[n - 1] == ']') {
			in = is_section(line, n, profile);
			found = found || in;
		} else if (in) {
			rc = profile_line(&c, line, n, err);
		}
	}
	if (rc == AERO_OK && !found)
		return aero_err_set(err, AERO_MISS, "no such profile");
	return give(&c, rc, ret, err);
}

/* "2026-11-30T22:49:09Z", with or without a fraction; -1 if it is none. */
static int64_t time_ms(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end != NULL && *end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (end == NULL || strcmp(end, "Z") != 0)
		return -1;
	return (int64_t)timegm(&tm) * 1000;
}

static const char *utf8(const bson_t *doc, const char *key, size_t *ret_len)
{
	bson_iter_t it;
	uint32_t len = 0;
	const char *text = NULL;

	if (bson_iter_init_find(&it, doc, key) && BSON_ITER_HOLDS_UTF8(&it))
		text = bson_iter_utf8(&it, &len);
	*ret_len = len;
	return text;
}

static int read_json(const bson_t *doc, struct aero_credentials *c, struct aero_err *err)
{
	static const char *const keys[] = {"AccessKeyId", "SecretAccessKey", "Token"};
	const char *code, *text;
	size_t len;
	int rc = AERO_OK;

	code = utf8(doc, "Code", &len);
	if (code != NULL && strcmp(code, "Success") != 0)
		return aero_err_set(err, AERO_CONFIG,
			"the service has no keys: Code %.64s",
			len > 0 && strspn(code, "abcdefghijklmnopqrstuvwxyz"
						"ABCDEFGHIJKLMNOPQRSTUVWXYZ-.") == len
				? code
				: "unreadable");
	for (int i = 0; rc == AERO_OK && i < 3; i++) {
		text = utf8(doc, keys[i], &len);
		if (text != NULL)
			rc = set_part(c, i, text, len, err);
	}
	text = utf8(doc, "Expiration", &len);
	if (rc != AERO_OK || text == NULL)
		return rc;
	c->expires_ms = strlen(text) == len ? time_ms(text) : -1;
	if (c->expires_ms <= 0)
		return aero_err_set(err, AERO_CONFIG, "their Expiration is no time");
	return AERO_OK;
}

int aero_credentials_of_json(
	const char *text, size_t len, struct aero_credentials *ret, struct aero_err *err)
{
	struct aero_credentials c = {0};
	bson_t *doc = NULL;
	uint8_t *data;
	uint32_t size = 0;
	int rc;

	/* libbson would take a length of 0 for "up to the NUL"; its own words may quote.
	 */
	if (len > 0 && len <= 4 * PART_MAX)
		doc = bson_new_from_json((const uint8_t *)text, (ssize_t)len, NULL);
	if (doc == NULL)
		return aero_err_set(err, AERO_CONFIG, "the answer is no JSON");
	rc = give(&c, read_json(doc, &c, err), ret, err);
	data = bson_destroy_with_steal(doc, true, &size);
	if (data != NULL)
		explicit_bzero(data, size);
	bson_free(data);
	return rc;
}
