/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/list.h"

bool aero_list_add(struct aero_list *list, const char *text)
{
	return aero_list_addn(list, text, strlen(text));
}

bool aero_list_addn(struct aero_list *list, const char *text, size_t len)
{
	char **grown = list->v, *copy = strndup(text, len);

	if (copy == NULL)
		return false;
	/* Grow by doubling: the length is a power of two whenever the array is full. */
	if ((list->n & (list->n - 1)) == 0)
		grown = reallocarray(
			list->v, list->n == 0 ? 1 : list->n * 2, sizeof(*grown));
	if (grown == NULL) {
		free(copy);
		return false;
	}
	grown[list->n++] = copy;
	list->v = grown;
	return true;
}

bool aero_list_copy(const struct aero_list *list, struct aero_list *ret)
{
	struct aero_list copy = {0};

	for (size_t i = 0; i < list->n; i++) {
		if (!aero_list_add(&copy, list->v[i])) {
			aero_list_clear(&copy);
			return false;
		}
	}
	*ret = copy;
	return true;
}

bool aero_list_end(struct aero_list *list)
{
	char **grown = realloc(list->v, (list->n + 1) * sizeof(*grown));

	if (grown == NULL)
		return false;
	grown[list->n] = NULL;
	list->v = grown;
	return true;
}

bool aero_list_has(const struct aero_list *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], text) == 0)
			return true;
	return false;
}

void aero_list_clear(struct aero_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct aero_list){0};
}
