/* SPDX-License-Identifier: MIT */
/* What a node runs: aerostat_info (CONTRACTS 7), and the same from elsewhere. One set of
 * rules for all. Pure. */
#ifndef AERO_REGISTER_INFO_H
#define AERO_REGISTER_INFO_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/list.h"

struct aero_info {
	char *service; /* lower case */
	bool masterful;
	struct aero_list aliases; /* lower case, each once */
	char warning[160];        /* to be logged; '' = none */
	char from[200];           /* where it came from, in words */
};

/* Where words came from: "--service" or "tag aerostat-service". */
struct aero_info_from {
	const char *service, *type, *alias;
};

/* Read the first line of text that is neither blank nor a `#` comment. file is for the
 * words of an error, which name file and line. AERO_CONFIG, AERO_NOMEM. */
int aero_info_parse(const char *text, size_t len, const char *file, struct aero_info *ret,
	struct aero_err *err);

/* The same from words: type may be ''. AERO_CONFIG names where the word came from. */
int aero_info_words(const char *service, const char *type,
	const struct aero_list *aliases, const struct aero_info_from *from,
	struct aero_info *ret, struct aero_err *err);

/* The same from texts, as a tag has: blanks around a word do not count, aliases are
 * separated by blanks or commas. */
int aero_info_texts(const char *service, const char *type, const char *aliases,
	const struct aero_info_from *from, struct aero_info *ret, struct aero_err *err);

/* What is written as service_type. */
const char *aero_info_type(const struct aero_info *info);

void aero_info_clear(struct aero_info *info);

#endif
