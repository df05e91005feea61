/* SPDX-License-Identifier: MIT */
/* Between the conf*.c files: one value, one source after the other. The sources may come
 * in any order: a value never replaces one of a higher source. */
#ifndef AERO_LIB_CONF_PARSE_H
#define AERO_LIB_CONF_PARSE_H

#include "lib/conf.h"

/* Where a value stands, for errors: from decides the code (AERO_USAGE for a flag, else
 * AERO_CONFIG), where is put before the words: "--port", "environment AEROSTAT_PORT",
 * "/etc/aerostat.conf:3:7: port". */
struct aero_opt_source {
	enum aero_opt_from from;
	const char *where;
};

/* `where: words`, with the code of the source. */
int aero_opt_bad(struct aero_err *err, const struct aero_opt_source *source,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The row of a key of len bytes ('-' counts as '_' when hyphens is true); -1 if none. */
int aero_opt_find(const char *key, size_t len, bool hyphens);

/* Check text and store it, unless a higher source has set the row; '' is the default.
 * Lists: text is split at commas and blanks; the same source again appends. */
int aero_opt_set(struct aero_conf *conf, size_t row, const struct aero_opt_source *source,
	const char *text, struct aero_err *err);
/* Append one item of a YAML list as it is; NULL only empties the list. */
int aero_opt_set_item(struct aero_conf *conf, size_t row,
	const struct aero_opt_source *source, const char *item, struct aero_err *err);
bool aero_opt_bool(const char *text, bool *ret);

/* argv, without argv[0]; stops at --help or --version. */
int aero_conf_args(struct aero_conf *conf, enum aero_program program, int argc,
	char *const argv[], struct aero_err *err);
/* All AEROSTAT_<KEY> of the environment that the program takes; others are not looked at.
 */
int aero_conf_env(
	struct aero_conf *conf, enum aero_program program, struct aero_err *err);

/* A file of YAML. */
struct aero_conf_file {
	enum aero_opt_from from; /* AERO_FROM_FILE or _SERVER_FILE */
	const char *name;        /* for errors */
	bool lax;                /* what is no YAML or no key of ours: a warning */
};
int aero_conf_yaml(struct aero_conf *conf, const struct aero_conf_file *file,
	const char *text, size_t len, struct aero_err *err);

/* "; did you mean '--port'?" or '' into buf; prefix ("--") goes before the word. */
const char *aero_nearest_words(
	const char *prefix, const char *nearest, char buf[static 96]);

const char *aero_program_name(enum aero_program program);

/* The text in quotes for an error, or "that" when it may hold a password. */
const char *aero_conf_shown(const char *text, char buf[static 80]);

#endif
