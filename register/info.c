/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/names.h"
#include "register/info.h"
#include "register/pick.h"

#define BLANKS " \t\r"
#define TAG_BLANKS " \t\r\n"

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* where is "FILE:LINE: " or ''; a user's word is shown cut, so that the rest fits. */
static int take_service(
	const char *word, const char *where, struct aero_info *info, struct aero_err *err)
{
	const char *why;

	info->service = strdup(word);
	if (info->service == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	lower(info->service);
	why = aero_pick_service_refuse(info->service);
	if (why != NULL)
		return aero_err_set(
			err, AERO_CONFIG, "%sservice '%.64s': %s", where, word, why);
	return AERO_OK;
}

static void take_type(const char *word, const char *where, struct aero_info *info)
{
	info->masterful = strcmp(word, "masterful") == 0;
	if (info->masterful || *word == '\0' || strcmp(word, "iterative") == 0)
		return;
	(void)snprintf(info->warning, sizeof(info->warning),
		"%.64sservice type '%.32s' is not masterful, so it counts as iterative",
		where, word);
}

static int take_alias(
	const char *word, const char *where, struct aero_info *info, struct aero_err *err)
{
	static char dot[] = ".";
	static char *all[] = {dot};
	static const struct aero_list zones = {all, 1};
	const char *why = aero_name_refuse(word, false, NULL, &zones);
	bool kept = true;
	char *alias;

	if (why != NULL)
		return aero_err_set(
			err, AERO_CONFIG, "%salias '%.64s': %s", where, word, why);
	alias = strdup(word);
	if (alias != NULL)
		lower(alias);
	if (alias != NULL && !aero_list_has(&info->aliases, alias))
		kept = aero_list_add(&info->aliases, alias);
	kept = kept && alias != NULL;
	free(alias);
	return kept ? AERO_OK : aero_err_set(err, AERO_NOMEM, "out of memory");
}

static int take_words(const struct aero_list *words, const char *where,
	struct aero_info *info, struct aero_err *err)
{
	int rc = take_service(words->v[0], where, info, err);

	if (words->n > 1)
		take_type(words->v[1], where, info);
	for (size_t i = 2; rc == AERO_OK && i < words->n; i++)
		rc = take_alias(words->v[i], where, info, err);
	return rc;
}

static bool split(
	const char *text, size_t len, const char *separators, struct aero_list *words)
{
	size_t at = 0, n;

	while (at < len) {
		for (n = 0; at + n < len && strchr(separators, text[at + n]) == NULL; n++)
			;
		if (n > 0 && !aero_list_addn(words, text + at, n))
			return false;
		at += n + 1;
	}
	return true;
}

int aero_info_parse(const char *text, size_t len, const char *file, struct aero_info *ret,
	struct aero_err *err)
{
	struct aero_info info = {0};
	struct aero_list words = {0};
	const char *at = text, *end = text + len, *eol;
	char where[128];
	int line = 0, rc = AERO_OK;

	/* strchr(BLANKS, '\0') is true: a NUL would pass for a blank. */
	if (memchr(text, '\0', len) != NULL) {
		rc = aero_err_set(
			err, AERO_CONFIG, "%s:1: a NUL byte: no text file", file);
		goto out;
	}
	for (; rc == AERO_OK && words.n == 0 && at < end; at = eol + 1) {
		line++;
		eol = memchr(at, '\n', (size_t)(end - at));
		if (eol == NULL)
			eol = end;
		if (!split(at, (size_t)(eol - at), BLANKS, &words))
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
		else if (words.n > 0 && words.v[0][0] == '#')
			aero_list_clear(&words);
	}
	(void)snprintf(where, sizeof(where), "%.100s:%d: ", file, line);
	if (rc == AERO_OK && words.n == 0)
		rc = aero_err_set(err, AERO_CONFIG,
			"%s:%d: no service: write `SERVICE [masterful|iterative] "
			"[ALIAS...]`",
			file, line > 0 ? line : 1);
	else if (rc == AERO_OK)
		rc = take_words(&words, where, &info, err);
	(void)snprintf(info.from, sizeof(info.from), "%.100s:%d", file, line);
out:
	aero_list_clear(&words);
	if (rc == AERO_OK)
		*ret = info;
	else
		aero_info_clear(&info);
	return rc;
}

int aero_info_words(const char *service, const char *type,
	const struct aero_list *aliases, const struct aero_info_from *from,
	struct aero_info *ret, struct aero_err *err)
{
	struct aero_info info = {0};
	char where[128];
	int rc;

	(void)snprintf(where, sizeof(where), "%.120s: ", from->service);
	rc = take_service(service, where, &info, err);
	(void)snprintf(where, sizeof(where), "%.120s: ", from->type);
	take_type(type, where, &info);
	(void)snprintf(where, sizeof(where), "%.120s: ", from->alias);
	for (size_t i = 0; rc == AERO_OK && i < aliases->n; i++)
		rc = take_alias(aliases->v[i], where, &info, err);
	(void)snprintf(info.from, sizeof(info.from), "%.120s", from->service);
	if (rc == AERO_OK)
		*ret = info;
	else
		aero_info_clear(&info);
	return rc;
}

int aero_info_texts(const char *service, const char *type, const char *aliases,
	const struct aero_info_from *from, struct aero_info *ret, struct aero_err *err)
{
	struct aero_list words[3] = {{0}};
	const char *const texts[] = {service, type};
	const char *word[2];
	int rc = AERO_OK;

	if (!split(service, strlen(service), TAG_BLANKS, &words[0]) ||
		!split(type, strlen(type), TAG_BLANKS, &words[1]) ||
		!split(aliases, strlen(aliases), TAG_BLANKS ",", &words[2]))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	/* what is more than one word is no word, and refused or warned of as it is */
	for (size_t i = 0; rc == AERO_OK && i < 2; i++)
		word[i] = words[i].n == 1   ? words[i].v[0]
			  : words[i].n == 0 ? ""
					    : texts[i];
	if (rc == AERO_OK)
		rc = aero_info_words(word[0], word[1], &words[2], from, ret, err);
	for (size_t i = 0; i < 3; i++)
		aero_list_clear(&words[i]);
	return rc;
}

const char *aero_info_type(const struct aero_info *info)
{
	return info->masterful ? "masterful" : "iterative";
}

void aero_info_clear(struct aero_info *info)
{
	free(info->service);
	aero_list_clear(&info->aliases);
	*info = (struct aero_info){0};
}
