/* SPDX-License-Identifier: MIT */
/* The forms of credentials (the first byte says which): what is accepted fits a header,
 * and a refusal of a file does not quote (of an answer it names the Code). */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *word)
{
	if (word == NULL)
		abort();
	for (; *word != '\0'; word++)
		if (*word <= ' ' || *word > '~')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_credentials c = {0};
	struct aero_err err = {{0}};
	const char *text = (const char *)data + 1;
	int rc;

	if (size-- < 1)
		return 0;
	if (data[0] == 'f')
		rc = aero_credentials_of_file(text, size, &c, &err);
	else if (data[0] == 'p')
		rc = aero_credentials_of_profile(text, size, "default", &c, &err);
	else
		rc = aero_credentials_of_json(text, size, &c, &err);
	if (rc == AERO_OK) {
		check(c.key_id);
		check(c.secret);
		check(c.token);
		if (*c.key_id == '\0' || *c.secret == '\0' || c.expires_ms < 0)
			abort();
	} else if (c.key_id != NULL || c.secret != NULL || c.token != NULL ||
		   err.msg[0] == '\0' ||
		   ((data[0] == 'f' || data[0] == 'p') &&
			   strstr(err.msg, "SECRET") != NULL)) {
		abort();
	}
	aero_credentials_clear(&c);
	return 0;
}
