/* SPDX-License-Identifier: MIT */
/* A growing list of strings. Start with {0}; the list owns its strings. */
#ifndef AERO_LIB_LIST_H
#define AERO_LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct aero_list {
	char **v;
	size_t n;
};

/* Append a copy. False when out of memory; the list is then as before. */
bool aero_list_add(struct aero_list *list, const char *text);
/* The same for the first len bytes of text. */
bool aero_list_addn(struct aero_list *list, const char *text, size_t len);
/* Deep copy into *ret, which must be empty. */
bool aero_list_copy(const struct aero_list *list, struct aero_list *ret);
/* Put a NULL behind the strings, which does not count: v is then fit for exec. */
bool aero_list_end(struct aero_list *list);
bool aero_list_has(const struct aero_list *list, const char *text);
void aero_list_clear(struct aero_list *list);

#endif
