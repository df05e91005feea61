/* SPDX-License-Identifier: MIT */
/* What an identity_command prints: accepted is whole, refused leaves nothing and says
 * why. What it says that the node runs is checked as aerostat_info is. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/identity_command.h"
#include "register/info.h"
#include "register/pick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_info(const struct aero_identity_said *said)
{
	static const struct aero_info_from from = {"a", "b", "c"};
	struct aero_info info = {0};
	struct aero_err err = {{0}};

	if (aero_info_words(said->service, said->type, &said->aliases, &from, &info,
		    &err) == AERO_OK) {
		if (aero_pick_service_refuse(info.service) != NULL ||
			info.aliases.n > said->aliases.n)
			abort();
	} else if (info.service != NULL ||
		   (strncmp(err.msg, "a: ", 3) != 0 && strncmp(err.msg, "c: ", 3) != 0)) {
		abort(); /* which word was refused is said */
	}
	aero_info_clear(&info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_identity_said said = {0};
	struct aero_err err = {{0}};

	if (aero_identity_command_parse((const char *)data, size, &said, &err) ==
		AERO_OK) {
		if (*said.instance_id == '\0' ||
			(*said.ip == '\0' && *said.ip6 == '\0') ||
			(*said.service == '\0' &&
				(*said.type != '\0' || said.aliases.n > 0)))
			abort();
		check_info(&said);
	} else if (said.instance_id != NULL || said.ip != NULL || said.ip6 != NULL ||
		   said.service != NULL || said.type != NULL || said.aliases.n > 0 ||
		   err.msg[0] == '\0') {
		abort();
	}
	aero_identity_said_clear(&said);
	return 0;
}
