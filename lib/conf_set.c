/* SPDX-License-Identifier: MIT */
/* One option: its row, and a text as its value. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/conf_parse.h"

int aero_opt_bad(
	struct aero_err *err, const struct aero_opt_source *source, const char *fmt, ...)
{
	int rc = source->from == AERO_FROM_FLAG ? AERO_USAGE : AERO_CONFIG;
	char words[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	return aero_err_set(err, rc, "%s: %s", source->where, words);
}

const char *aero_conf_shown(const char *text, char buf[static 80])
{
	if (strstr(text, "://") != NULL || strchr(text, '@') != NULL)
		return "that";
	return aero_quote(text, buf, 80);
}

int aero_opt_find(const char *key, size_t len, bool hyphens)
{
	for (size_t i = 0; i < aero_n_options; i++) {
		const char *at = aero_options[i].key;
		size_t n = 0;

		while (n < len && at[n] != '\0' &&
			key[n] == (hyphens && at[n] == '_' ? '-' : at[n]))
			n++;
		if (n == len && at[n] == '\0')
			return (int)i;
	}
	return -1;
}

bool aero_opt_bool(const char *text, bool *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"true", true}, {"false", false}, {"yes", true}, {"no", false},
		{"on", true}, {"off", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i].word) == 0) {
			*ret = words[i].value;
			return true;
		}
	}
	return false;
}

/* The index of text among "a|b|c", in any case; -1 if it is none. */
static int enum_index(const char *values, const char *text)
{
	size_t want = strlen(text);
	int index = 0;

	for (const char *at = values;; index++) {
		size_t len = strcspn(at, "|");

		if (len == want && strncasecmp(at, text, len) == 0)
			return index;
		if (at[len] == '\0')
			return -1;
		at += len + 1;
	}
}

static int parse_int(const struct aero_option *opt, const struct aero_opt_source *source,
	const char *text, int *ret, struct aero_err *err)
{
	char *end, shown[80];
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || isspace((unsigned char)text[0]))
		return aero_opt_bad(err, source, "%s is not a whole number (%d to %d)",
			aero_conf_shown(text, shown), opt->min, opt->max);
	if (errno == ERANGE || value < opt->min || value > opt->max)
		return aero_opt_bad(err, source, "%s is out of range (%d to %d)",
			aero_conf_shown(text, shown), opt->min, opt->max);
	*ret = (int)value;
	return AERO_OK;
}

/* Whether the source may write the row; if so, the row is its from now on. *ret_again:
 * it has written it before. */
static bool may_write(
	struct aero_conf *conf, size_t row, enum aero_opt_from from, bool *ret_again)
{
	*ret_again = conf->from[row] == from;
	if (from < conf->from[row])
		return false;
	conf->from[row] = from;
	return true;
}

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "options: out of memory");
}

static int set_list(struct aero_conf *conf, size_t row,
	const struct aero_opt_source *source, const char *text, bool split,
	struct aero_err *err)
{
	void *at = (char *)conf + aero_options[row].offset;
	struct aero_list *list = at;
	const char *cut = split ? ", \t\n" : "";
	bool again;

	if (!may_write(conf, row, source->from, &again))
		return AERO_OK;
	/* `--alias=` takes back what was said before it. */
	if (!again || text == NULL || *text == '\0')
		aero_list_clear(list);
	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, cut);

		if (len > 0 && !aero_list_addn(list, text, len))
			return no_memory(err);
		text += len;
		text += strspn(text, cut);
	}
	return AERO_OK;
}

int aero_opt_set_item(struct aero_conf *conf, size_t row,
	const struct aero_opt_source *source, const char *item, struct aero_err *err)
{
	if (item != NULL && *item == '\0')
		return AERO_OK;
	return set_list(conf, row, source, item, false, err);
}

static int set_string(struct aero_conf *conf, size_t row,
	const struct aero_opt_source *source, const char *text, struct aero_err *err)
{
	void *at = (char *)conf + aero_options[row].offset;
	char **value = at, *copy;
	bool again;

	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return aero_opt_bad(
				err, source, "line breaks and control characters");
	if (!may_write(conf, row, source->from, &again))
		return AERO_OK;
	copy = strdup(text);
	if (copy == NULL)
		return no_memory(err);
	free(*value);
	*value = copy;
	return AERO_OK;
}

static int set_number(struct aero_conf *conf, size_t row,
	const struct aero_opt_source *source, const char *text, struct aero_err *err)
{
	const struct aero_option *opt = &aero_options[row];
	void *at = (char *)conf + opt->offset;
	char shown[80];
	bool truth = false, again;
	int value = 0;

	if (opt->type == AERO_OPT_INT) {
		int rc = parse_int(opt, source, text, &value, err);

		if (rc != AERO_OK)
			return rc;
	} else if (opt->type == AERO_OPT_ENUM) {
		value = enum_index(opt->values, text);
		if (value < 0)
			return aero_opt_bad(err, source, "%s is none of %s",
				aero_conf_shown(text, shown), opt->values);
	} else if (!aero_opt_bool(text, &truth)) {
		return aero_opt_bad(err, source,
			"%s is none of true, false, yes, no, on, off",
			aero_conf_shown(text, shown));
	}
	if (!may_write(conf, row, source->from, &again))
		return AERO_OK;
	if (opt->type == AERO_OPT_BOOL)
		*(bool *)at = truth;
	else
		*(int *)at = value;
	return AERO_OK;
}

int aero_opt_set(struct aero_conf *conf, size_t row, const struct aero_opt_source *source,
	const char *text, struct aero_err *err)
{
	const struct aero_option *opt = &aero_options[row];

	if (*text == '\0')
		text = opt->def;
	if (opt->type == AERO_OPT_LIST)
		return set_list(conf, row, source, text, true, err);
	if (opt->type == AERO_OPT_STR)
		return set_string(conf, row, source, text, err);
	return set_number(conf, row, source, text, err);
}
