/* SPDX-License-Identifier: MIT */
/* The writing half of record.h; it is not part of the module. */
#include "config.h"

#include <string.h>

#include "mirror/encode.h"

#ifdef __x86_64__

/* The processor's own CRC-32C, in the place of record.c's wherever a mirror is written or
 * walked whole: a sixth of a publish. The module keeps the portable one. */
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(
	uint32_t crc, const unsigned char *p, size_t len)
{
	uint64_t v = ~crc;

	for (; len >= 8; len -= 8, p += 8)
		v = __builtin_ia32_crc32di(v, aero_le(p, 8));
	for (; len > 0; len--, p++)
		v = __builtin_ia32_crc32qi((uint32_t)v, *p);
	return ~(uint32_t)v;
}

uint32_t aero_crc32c(uint32_t crc, const void *data, size_t len)
{
	return __builtin_cpu_supports("sse4.2") ? crc32c_sse42(crc, data, len)
						: aero_crc32c_plain(crc, data, len);
}

#endif

static void put(unsigned char *p, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0) {
		*p++ = (unsigned char)v;
		v >>= 8;
	}
}

static void seal(const unsigned char *key, size_t keylen, unsigned char *val, size_t len)
{
	put(val, aero_crc32c(aero_crc32c(0, key, keylen), val + 4, len - 4), 4);
}

/* The length of n strings back to back; SIZE_MAX if one is empty or too long. */
static size_t strings(const char *p, unsigned n)
{
	size_t len = 0, one;

	for (; n > 0; n--, len += one + 1) {
		one = strlen(p + len);
		if (one == 0 || one > AERO_NAME_MAX)
			return SIZE_MAX;
	}
	return len;
}

size_t aero_rec_encode(const unsigned char *key, size_t keylen,
	const struct aero_rec *rec, unsigned char out[static AERO_REC_MAX])
{
	size_t canon = strings(rec->canon, 1), aliases, len;
	size_t addr4 = (size_t)4 * rec->n4, addr6 = (size_t)16 * rec->n6;
	size_t at = AERO_REC_HEADER;

	if (rec->n4 > AERO_ADDR_MAX || rec->n6 > AERO_ADDR_MAX ||
		rec->n_alias > AERO_ALIAS_MAX || canon == SIZE_MAX)
		return 0;
	aliases = strings(rec->aliases, rec->n_alias);
	if (aliases == SIZE_MAX)
		return 0;
	len = at + addr4 + addr6 + canon + aliases;
	if (len > AERO_REC_MAX)
		return 0;
	out[4] = AERO_FORMAT_VERSION;
	out[5] = rec->is_alias ? AERO_REC_ALIAS : 0;
	out[6] = rec->n4;
	out[7] = rec->n6;
	out[8] = rec->n_alias;
	out[9] = (unsigned char)(canon - 1);
	put(out + 10, len, 2);
	if (addr4 > 0)
		memcpy(out + at, rec->addr4, addr4);
	if (addr6 > 0)
		memcpy(out + at + addr4, rec->addr6, addr6);
	at += addr4 + addr6;
	memcpy(out + at, rec->canon, canon);
	if (aliases > 0)
		memcpy(out + at + canon, rec->aliases, aliases);
	seal(key, keylen, out, len);
	return len;
}

unsigned aero_rec_fitting(const struct aero_rec *rec, size_t *ret_len)
{
	size_t len = AERO_REC_HEADER + (size_t)4 * rec->n4 + (size_t)16 * rec->n6 +
		     strlen(rec->canon) + 1,
	       one;
	const char *p = rec->aliases;
	unsigned n;

	for (n = 0; n < rec->n_alias && n < AERO_ALIAS_MAX; n++) {
		one = strlen(p) + 1;
		if (len + one > AERO_REC_MAX)
			break;
		len += one;
		p += one;
	}
	*ret_len = len;
	return n;
}

size_t aero_meta_encode(
	const struct aero_meta *meta, unsigned char out[static AERO_REC_MAX])
{
	static const unsigned char key[1] = {AERO_KEY_META};
	size_t at = AERO_META_HEADER, len;
	size_t zones = strings(meta->zones, meta->n_zones);

	if (zones == SIZE_MAX || zones > AERO_REC_MAX - at - AERO_DIGEST_SIZE)
		return 0;
	len = at + zones + AERO_DIGEST_SIZE;
	put(out + 4, AERO_FORMAT_VERSION, 2); /* flags 0 */
	put(out + 6, len, 2);
	put(out + 8, meta->generation, 8);
	put(out + 16, meta->source_time, 8);
	put(out + 24, meta->published, 8);
	put(out + 32, meta->names, 4);
	put(out + 36, meta->aliases, 4);
	put(out + 40, meta->addresses, 4);
	put(out + 44, meta->n_zones, 2);
	if (zones > 0)
		memcpy(out + at, meta->zones, zones);
	memcpy(out + at + zones, meta->digest, AERO_DIGEST_SIZE);
	seal(key, sizeof(key), out, len);
	return len;
}
