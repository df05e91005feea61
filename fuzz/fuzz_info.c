/* SPDX-License-Identifier: MIT */
/* aerostat_info: whatever is accepted gives names that may be registered. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/names.h"
#include "register/info.h"
#include "register/pick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dot[] = ".";
	static char *all[] = {dot};
	static const struct aero_list zones = {all, 1};
	struct aero_info info = {0};
	struct aero_err err;

	if (aero_info_parse((const char *)data, size, "fuzz", &info, &err) != AERO_OK)
		return 0;
	if (aero_pick_service_refuse(info.service) != NULL)
		abort();
	for (size_t i = 0; i < info.aliases.n; i++)
		if (aero_name_refuse(info.aliases.v[i], false, NULL, &zones) != NULL)
			abort();
	aero_info_clear(&info);
	return 0;
}
