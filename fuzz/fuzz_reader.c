/* SPDX-License-Identifier: MIT */
/* The input is a mirror file. Some keys are looked up and the lists are walked: it must
 * end, in order, and what the walk finds by its own key must be the same record. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mirror/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const char *path, unsigned char kind)
{
	unsigned char key[AERO_KEY_MAX], last[AERO_KEY_MAX];
	struct aero_reader r;
	struct aero_rec rec;
	size_t keylen = 0, last_len = 1, n;

	if (aero_reader_open(&r, path) != AERO_READ_OK)
		return;
	last[0] = kind;
	for (n = 0; n < 5000; n++) {
		if (aero_reader_next(&r, kind, key, &keylen, &rec) != AERO_READ_OK)
			break;
		if (keylen > AERO_KEY_MAX || key[0] != kind ||
			memcmp(last, key, last_len < keylen ? last_len : keylen) > 0)
			abort();
		memcpy(last, key, keylen);
		last_len = keylen;
		if (n % 7 == 0)
			(void)aero_reader_get(&r, key, keylen, &rec);
	}
	aero_reader_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"web-0", "www", "a", "zzz", "web-1.x"};
	static int fd = -1;
	static char path[64];
	unsigned char key[AERO_KEY_MAX];
	struct aero_reader r;
	struct aero_meta meta;
	struct aero_rec rec;
	size_t i, len;

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		if (fd < 0 || fchmod(fd, 0644) < 0)
			abort();
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (aero_reader_open(&r, path) != AERO_READ_OK)
		return 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = aero_name_key(names[i], key);
		(void)aero_reader_get(&r, key, len, &rec);
	}
	(void)aero_reader_meta(&r, &meta);
	aero_reader_close(&r);
	walk(path, AERO_KEY_ADDRESS);
	walk(path, AERO_KEY_NAME);
	return 0;
}
