/* SPDX-License-Identifier: MIT */
/* Options from the command line and the environment. */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf_parse.h"

static const struct {
	enum aero_program program;
	const char *name;
} programs[] = {
	{AERO_PROG_CLI, "aerostat"},
	{AERO_PROG_SYNCD, "aerostat-syncd"},
	{AERO_PROG_REGISTER, "aerostat-register"},
	{AERO_PROG_SERVER, "aerostatd"},
};

const char *aero_program_name(enum aero_program program)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (programs[i].program == program)
			return programs[i].name;
	return "aerostat";
}

/* No such flag: name the nearest one of this program. */
static int unknown(enum aero_program program, const char *word, struct aero_err *err)
{
	char names[128][40], near[96], shown[80], bare[40];
	const char *list[128];
	size_t n = 0, start = strspn(word, "-"), len = strcspn(word + start, "=");

	for (size_t i = 0; i < aero_n_options && n < 128; i++) {
		if (!(aero_options[i].programs & (unsigned)program))
			continue;
		(void)snprintf(names[n], sizeof(names[n]), "%s", aero_options[i].key);
		for (char *p = names[n]; *p != '\0'; p++)
			if (*p == '_')
				*p = '-';
		list[n] = names[n];
		n++;
	}
	/* Without its value, which may be a secret. */
	(void)snprintf(bare, sizeof(bare), "%.*s",
		(int)(start + len < 39 ? start + len : 39), word);
	return aero_err_set(err, AERO_USAGE, "unknown option %s%s; see %s --help",
		aero_conf_shown(bare, shown),
		aero_nearest_words("--", aero_nearest(bare + start, list, n), near),
		aero_program_name(program));
}

static int not_for_us(
	size_t row, enum aero_program program, const char *flag, struct aero_err *err)
{
	char owners[128] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (aero_options[row].programs & (unsigned)programs[i].program)
			len += (size_t)snprintf(owners + len, sizeof(owners) - len,
				"%s%s", len == 0 ? "" : " and ", programs[i].name);
	return aero_err_set(err, AERO_USAGE, "%s is an option of %s, not of %s", flag,
		owners, aero_program_name(program));
}

/* A password (or a token) in a URI, which any user may read with ps. */
static bool holds_password(const char *uri)
{
	const char *start = strstr(uri, "://");
	const char *at = start == NULL ? NULL : strrchr(start, '@');
	const char *colon = start == NULL ? NULL : strchr(start + 3, ':');

	return (at != NULL && colon != NULL && colon < at) ||
	       strcasestr(uri, "password=") != NULL ||
	       strcasestr(uri, "session_token") != NULL;
}

/* Warned of once, and never with the URI itself. */
static int warn_of_password(struct aero_conf *conf, struct aero_err *err)
{
	static const char words[] =
		"--server holds a password, which every user can read with ps: put the "
		"URI into a file of mode 0600 and name it with --server-file";

	if (aero_list_has(&conf->warnings, words))
		return AERO_OK;
	if (!aero_list_add(&conf->warnings, words))
		return aero_err_set(err, AERO_NOMEM, "options: out of memory");
	return AERO_OK;
}

/* The value of a flag: behind its '=', or the next word where it takes one. */
static int value_of(const struct aero_option *opt, const char *flag, int argc,
	char *const argv[], int *i, const char **ret, struct aero_err *err)
{
	const char *equals = strchr(argv[*i], '='),
		   *next = *i + 1 < argc ? argv[*i + 1] : NULL;
	bool truth;

	if (equals != NULL) {
		*ret = equals + 1;
		return AERO_OK;
	}
	if (opt->type == AERO_OPT_BOOL) {
		*ret = "true";
		/* `--set-hostname off`; but a switch is followed by words of its own. */
		if (opt->metavar != NULL && next != NULL && aero_opt_bool(next, &truth)) {
			*ret = next;
			++*i;
		}
		return AERO_OK;
	}
	if (next == NULL)
		return aero_err_set(
			err, AERO_USAGE, "%s needs a value: %s", flag, opt->metavar);
	if (strncmp(next, "--", 2) == 0)
		return aero_err_set(err, AERO_USAGE,
			"%s needs a value (%s), and an option follows it; "
			"write %s=VALUE for a value that begins with --",
			flag, opt->metavar, flag);
	*ret = next;
	++*i;
	return AERO_OK;
}

static int take_flag(struct aero_conf *conf, enum aero_program program, int argc,
	char *const argv[], int *i, struct aero_err *err)
{
	const char *word = argv[*i], *value = NULL;
	struct aero_opt_source source = {AERO_FROM_FLAG, NULL};
	char flag[48];
	int row, rc;

	if (strcmp(word, "-h") == 0)
		word = "--help";
	row = strncmp(word, "--", 2) == 0
		      ? aero_opt_find(word + 2, strcspn(word + 2, "="), true)
		      : -1;
	if (row < 0)
		return unknown(program, word, err);
	(void)snprintf(flag, sizeof(flag), "%.*s", (int)strcspn(word, "="), word);
	source.where = flag;
	if (!(aero_options[row].programs & (unsigned)program))
		return not_for_us((size_t)row, program, flag, err);
	rc = value_of(&aero_options[row], flag, argc, argv, i, &value, err);
	if (rc == AERO_OK)
		rc = aero_opt_set(conf, (size_t)row, &source, value, err);
	if (rc == AERO_OK && strcmp(aero_options[row].key, "server") == 0 &&
		holds_password(value))
		rc = warn_of_password(conf, err);
	return rc;
}

int aero_conf_args(struct aero_conf *conf, enum aero_program program, int argc,
	char *const argv[], struct aero_err *err)
{
	bool options = true;

	for (int i = 1; i < argc && !conf->help && !conf->version; i++) {
		int rc = AERO_OK;

		if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (options && argv[i][0] == '-' && argv[i][1] != '\0')
			rc = take_flag(conf, program, argc, argv, &i, err);
		else if (!aero_list_add(&conf->words, argv[i]))
			rc = aero_err_set(err, AERO_NOMEM, "options: out of memory");
		if (rc != AERO_OK)
			return rc;
	}
	return AERO_OK;
}

static int env_row(struct aero_conf *conf, enum aero_program program, size_t row,
	struct aero_err *err)
{
	struct aero_opt_source source = {AERO_FROM_ENV, NULL};
	char name[64], where[96];
	const char *value;

	(void)snprintf(name, sizeof(name), "AEROSTAT_%s", aero_options[row].key);
	for (char *p = name; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	value = getenv(name);
	/* A flag beats the environment entirely: not even a bad value matters then. */
	if (value == NULL || aero_options[row].flag_only ||
		!(aero_options[row].programs & (unsigned)program) ||
		conf->from[row] > AERO_FROM_ENV)
		return AERO_OK;
	(void)snprintf(where, sizeof(where), "environment %s", name);
	source.where = where;
	return aero_opt_set(conf, row, &source, value, err);
}

int aero_conf_env(struct aero_conf *conf, enum aero_program program, struct aero_err *err)
{
	for (size_t i = 0; i < aero_n_options; i++) {
		int rc = env_row(conf, program, i, err);

		if (rc != AERO_OK)
			return rc;
	}
	return AERO_OK;
}
