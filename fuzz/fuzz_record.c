/* SPDX-License-Identifier: MIT */
/* u8 keylen, key, value: as they are, and with the checksum made right. What decodes must
 * encode to the same bytes. The rest of the input is a name, too. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "mirror/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(
	const unsigned char *key, size_t keylen, const unsigned char *val, size_t len)
{
	unsigned char out[AERO_REC_MAX];
	struct aero_meta meta;
	struct aero_rec rec;

	if (aero_rec_decode(key, keylen, val, len, &rec) &&
		(aero_rec_encode(key, keylen, &rec, out) != len ||
			memcmp(out, val, len) != 0))
		abort();
	if (aero_meta_decode(val, len, &meta) &&
		(aero_meta_encode(&meta, out) != len || memcmp(out, val, len) != 0))
		abort();
}

static void seal(const unsigned char *key, size_t keylen, unsigned char *val, size_t len)
{
	uint32_t crc = aero_crc32c(aero_crc32c(0, key, keylen), val + 4, len - 4);
	unsigned i;

	for (i = 0; i < 4; i++)
		val[i] = (unsigned char)(crc >> 8 * i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char meta_key[1] = {AERO_KEY_META};
	unsigned char key[AERO_KEY_MAX], *val;
	size_t keylen, len;
	char *name;

	if (size < 1)
		return 0;
	keylen = data[0] % AERO_KEY_MAX;
	if (keylen > size - 1)
		keylen = size - 1;
	memcpy(key, data + 1, keylen);
	len = size - 1 - keylen;
	val = malloc(len + 1); /* exact: a byte too far is seen */
	if (val == NULL)
		return 0;
	memcpy(val, data + 1 + keylen, len);
	again(key, keylen, val, len);
	if (len >= 4) {
		seal(key, keylen, val, len);
		again(key, keylen, val, len);
		seal(meta_key, 1, val, len);
		again(key, keylen, val, len);
	}
	free(val);
	name = malloc(size);
	if (name != NULL) {
		memcpy(name, data + 1, size - 1);
		name[size - 1] = '\0';
		keylen = aero_name_key(name, key);
		if (keylen == 1 || keylen > AERO_KEY_MAX)
			abort();
		free(name);
	}
	return 0;
}
