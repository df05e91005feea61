/* SPDX-License-Identifier: MIT */
/*
 * The rules for names and addresses (lib/names). What passes must keep what others rely
 * on: no byte that could end a line or a field of /etc/hosts, and an order that is one.
 */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
	if (!held)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct aero_addr addr = {0};
	const char *second;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (aero_name_refuse(text, true, "cluster.internal", NULL) == NULL)
		must(text[0] != '\0' && strlen(text) <= 253 &&
			strcspn(text, " \t\r\n#") == strlen(text));
	if (aero_addr_refuse(text, false, &addr) == NULL)
		must(addr.family == AF_INET || addr.family == AF_INET6);
	/* Two names in one input, split at the first NUL. */
	second = strlen(text) < size ? text + strlen(text) + 1 : "web-2";
	must((aero_natural_cmp(text, second) < 0) ==
		(aero_natural_cmp(second, text) > 0));
	must((aero_natural_cmp(text, second) == 0) == (strcmp(text, second) == 0));
	free(text);
	return 0;
}
