/* SPDX-License-Identifier: MIT */
/* What an identity_command prints: accepted is whole, refused leaves nothing and says
 * why. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/identity_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_identity_said said = {0};
	struct aero_err err = {{0}};

	if (aero_identity_command_parse((const char *)data, size, &said, &err) ==
		AERO_OK) {
		if (*said.instance_id == '\0' || (*said.ip == '\0' && *said.ip6 == '\0'))
			abort();
	} else if (said.instance_id != NULL || said.ip != NULL || said.ip6 != NULL ||
		   err.msg[0] == '\0') {
		abort();
	}
	aero_identity_said_clear(&said);
	return 0;
}
