/* SPDX-License-Identifier: MIT */
/* Metadata of a configuration file: what is accepted and passes the rules becomes a
 * document that reads back as the same. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_config config = {.name = strdup("n"),
		.path = strdup("/etc/n"),
		.owner = strdup("root"),
		.group = strdup("root"),
		.contents = strdup("c"),
		.len = 1,
		.mode = 0644};
	struct aero_config back = {0};
	struct aero_err err = {""};
	bson_t doc = BSON_INITIALIZER;
	int rc = aero_meta_parse((const char *)data, size, &config, &err);

	if (rc != AERO_OK && err.msg[0] == '\0')
		abort();
	if (rc == AERO_OK && aero_config_check(&config, NULL) == AERO_OK) {
		aero_config_to_bson(&config, &doc);
		if (aero_config_of_bson(&doc, &back, NULL) != AERO_OK ||
			!aero_config_equal(&config, &back))
			abort();
	}
	bson_destroy(&doc);
	aero_config_clear(&config);
	aero_config_clear(&back);
	return 0;
}
