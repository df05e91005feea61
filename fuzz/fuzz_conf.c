/* SPDX-License-Identifier: MIT */
/* The text of /etc/aerostat.conf. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_conf conf = {0};
	struct aero_err err = {{0}};

	/* Rows that nothing has set are NULL, but for the root, which the parser reads.
	 */
	conf.root = strdup("/");
	conf.from = calloc(aero_n_options, sizeof(*conf.from));
	if (conf.root != NULL && conf.from != NULL) {
		int rc = aero_conf_yaml(&conf, "f", (const char *)data, size, &err);

		/* An error has words, and they are a string. */
		if (rc != AERO_OK &&
			(err.msg[0] == '\0' || strlen(err.msg) >= sizeof(err)))
			abort();
	}
	aero_conf_clear(&conf);
	return 0;
}
