/* SPDX-License-Identifier: MIT */
/* aerostat_info, and tags: whatever is accepted gives names that may be registered. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/names.h"
#include "register/info.h"
#include "register/pick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct aero_info *info)
{
	static char dot[] = ".";
	static char *all[] = {dot};
	static const struct aero_list zones = {all, 1};

	if (aero_pick_service_refuse(info->service) != NULL)
		abort();
	for (size_t i = 0; i < info->aliases.n; i++)
		if (aero_name_refuse(info->aliases.v[i], false, NULL, &zones) != NULL)
			abort();
	aero_info_clear(info);
}

/* The input as three tags, a line each but the last, which has the rest. */
static void check_tags(const uint8_t *data, size_t size)
{
	static const struct aero_info_from from = {"a", "b", "c"};
	char *texts = malloc(size + 1), *type, *aliases, none[] = "";
	struct aero_info info = {0};

	if (texts == NULL)
		return;
	memcpy(texts, data, size);
	texts[size] = '\0';
	type = strchr(texts, '\n');
	aliases = type != NULL ? strchr(type + 1, '\n') : NULL;
	if (type != NULL)
		*type++ = '\0';
	if (aliases != NULL)
		*aliases++ = '\0';
	if (aero_info_texts(texts, type != NULL ? type : none,
		    aliases != NULL ? aliases : none, &from, &info, NULL) == AERO_OK)
		check(&info);
	free(texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_info info = {0};
	struct aero_err err;

	if (aero_info_parse((const char *)data, size, "fuzz", &info, &err) == AERO_OK)
		check(&info);
	check_tags(data, size);
	return 0;
}
