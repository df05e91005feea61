/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/list.h"

bool aero_list_add(struct aero_list *list, const char *text)
{
	return aero_list_addn(list, text, strlen(text));
}

bool aero_list_addn(struct aero_list *list, const char *text, size_t len)
{
	char **grown = aero_array_room(list->v, list->n, sizeof(*grown));

	if (grown == NULL)
		return false;
	list->v = grown;
	grown[list->n] = strndup(text, len);
	if (grown[list->n] == NULL)
		return false;
	list->n++;
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
	char **grown = aero_array_room(list->v, list->n, sizeof(*grown));

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
