/* SPDX-License-Identifier: MIT */
/* The text of /etc/aerostat.conf, and of the laxer /etc/aerostatd.conf. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(const uint8_t *data, size_t size, bool lax)
{
	const struct aero_conf_file file = {AERO_FROM_FILE, "f", lax};
	struct aero_conf conf = {0};
	struct aero_err err = {{0}};

	/* Rows that nothing has set are NULL, but for the root, which the parser reads.
	 */
	conf.root = strdup("/");
	conf.from = calloc(aero_n_options, sizeof(*conf.from));
	if (conf.root != NULL && conf.from != NULL) {
		int rc = aero_conf_yaml(&conf, &file, (const char *)data, size, &err);

		/* An error has words, and they are a string. */
		if (rc != AERO_OK &&
			(err.msg[0] == '\0' || strlen(err.msg) >= sizeof(err)))
			abort();
	}
	aero_conf_clear(&conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_file(data, size, false);
	read_file(data, size, true);
	return 0;
}
