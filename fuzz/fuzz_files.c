/* SPDX-License-Identifier: MIT */
/* Our own files, damaged: u8 which, then the text of status.json or identity.json. What
 * is read can be cleared; an error has words. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/identity.h"
#include "lib/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STATE_DIR "/var/lib/aerostat"

static char root[64];

static void clean(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	if (system(command) != 0)
		abort();
}

static void start(void)
{
	char dir[128];
	const char *const parts[] = {"/var", "/var/lib", STATE_DIR};

	(void)snprintf(root, sizeof(root), "/tmp/aerostat-fuzz-XXXXXX");
	if (mkdtemp(root) == NULL)
		abort();
	(void)atexit(clean);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(dir, sizeof(dir), "%s%s", root, parts[i]);
		if (mkdir(dir, 0755) < 0)
			abort();
	}
}

static void put(const char *name, const uint8_t *data, size_t size)
{
	char path[160];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s" STATE_DIR "/%s", root, name);
	f = fopen(path, "we");
	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct aero_conf conf = {.root = root};
	struct aero_identity identity = {0};
	struct aero_status status = {0};
	struct aero_err err = {{0}};
	bool foreign = false, which;
	int rc;

	if (size < 1)
		return 0;
	if (root[0] == '\0')
		start();
	which = data[0] & 1;
	put(which ? "identity.json" : "status.json", data + 1, size - 1);
	rc = which ? aero_identity_load(&conf, &identity, &foreign, &err)
		   : aero_status_read(&conf, &status, &err);
	if (rc != AERO_OK && err.msg[0] == '\0')
		abort();
	aero_identity_clear(&identity);
	aero_status_clear(&status);
	return 0;
}
