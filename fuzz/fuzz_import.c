/* SPDX-License-Identifier: MIT */
/* One line of aerostat import. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_conf conf = {.domain = strdup("zone")};
	struct aero_slot slot = {0};
	struct aero_err err = {{0}};
	char *line = malloc(size + 1);

	if (line != NULL && conf.domain != NULL) {
		int rc;

		memcpy(line, data, size);
		line[size] = '\0';
		rc = aero_cli_import_line(&conf, line, size, &slot, &err);

		/* Refused: there are words, and nothing is left behind. Taken: a name. */
		if (rc != AERO_OK ? err.msg[0] == '\0' || slot.hostname != NULL
				  : slot.hostname == NULL || *slot.hostname == '\0')
			abort();
	}
	aero_slot_clear(&slot);
	free(line);
	free(conf.domain);
	return 0;
}
