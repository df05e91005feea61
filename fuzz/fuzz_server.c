/* SPDX-License-Identifier: MIT */
/* The `server` option: no text does harm, and a password between `:` and `@` is never in
 * what may be shown. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/server.h"

#define SECRET "s3cr3tW0rd"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text)
{
	struct aero_server server = {0};
	struct aero_err err = {{0}};

	if (aero_server_parse(text, 27017, &server, &err) == AERO_OK) {
		if (server.uri == NULL || server.name == NULL)
			abort();
		if (server.kind == AERO_SERVER_MONGO &&
			strstr(server.name, SECRET) != NULL)
			abort();
	}
	if (strstr(err.msg, SECRET) != NULL)
		abort();
	aero_server_clear(&server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "mongodb://user:" SECRET "@";
	char *text = malloc(sizeof(head) + size);

	/* The fuzzer learns the word: in the place of a host it is no secret. */
	if (text == NULL || memmem(data, size, SECRET, strlen(SECRET)) != NULL)
		goto out;
	memcpy(text, data, size);
	text[size] = '\0';
	check(text);
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + sizeof(head) - 1, data, size);
	text[sizeof(head) - 1 + size] = '\0';
	check(text);
out:
	free(text);
	return 0;
}
