/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "mirror/record.h"

/* CRC-32C, eight bytes a step: row k maps a nibble to its remainder after k more zero
 * nibbles. Remainders add up by xor, and a bit's follows from that of the bit above. */
#define STEP(r) ((r) >> 1 ^ ((r)&1 ? 0x82f63b78 : 0))
#define PAIR(r, d) (r), (r) ^ (d)
#define FOUR(r, c) PAIR(r, STEP(c)), PAIR((r) ^ (c), STEP(c))
#define EIGHT(r, b) FOUR(r, STEP(b)), FOUR((r) ^ (b), STEP(b))
#define ROW(a) EIGHT(0U, STEP(a)), EIGHT(a, STEP(a))
static const uint32_t crc_rows[16 * 16] = {ROW(0x82f63b78), ROW(0x8ad958cf),
	ROW(0xfbc3faf9), ROW(0x9d14c3b8), ROW(0x8b277743), ROW(0x38513ec5),
	ROW(0x52a0c93f), ROW(0xf64463e6), ROW(0x6ea2d55c), ROW(0xc5670b91),
	ROW(0x1c08b7d6), ROW(0x6006181f), ROW(0xf56e0ef4), ROW(0x4e2dfd53),
	ROW(0x34019664), ROW(0x423b04da)};

uint32_t aero_crc32c_plain(uint32_t crc, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t v;
	unsigned i;

	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		v = aero_le(p, 8) ^ crc;
#pragma GCC unroll 16
		for (i = 16, crc = 0; i-- > 0; v >>= 4)
			crc ^= crc_rows[16 * i + (v & 15)];
	}
	for (; len > 0; len--, p++) {
		v = crc ^ *p;
		crc = crc >> 8 ^ crc_rows[16 + (v & 15)] ^ crc_rows[v >> 4 & 15];
	}
	return ~crc;
}
__typeof(aero_crc32c_plain) aero_crc32c __attribute__((weak, alias("aero_crc32c_plain")));

/* The length of n strings at p, each 1..AERO_NAME_MAX bytes and a NUL, within left bytes;
 * SIZE_MAX if they are not. */
static size_t strings(const void *text, size_t left, unsigned n)
{
	const unsigned char *p = text, *end;

	for (; n > 0; n--) {
		end = memchr(
			p, '\0', left < AERO_NAME_MAX + 1 ? left : AERO_NAME_MAX + 1);
		if (end == NULL || end == p)
			return SIZE_MAX;
		left -= (size_t)(end + 1 - p);
		p = end + 1;
	}
	return (size_t)(p - (const unsigned char *)text);
}

bool aero_rec_decode(const unsigned char *key, size_t keylen, const unsigned char *val,
	size_t len, struct aero_rec *ret)
{
	struct aero_rec rec;
	size_t at;

	if (len < AERO_REC_HEADER || len > AERO_REC_MAX ||
		(uint16_t)aero_le(val + 10, 2) != len || val[4] != AERO_FORMAT_VERSION ||
		(val[5] & ~AERO_REC_ALIAS) != 0 || val[6] > AERO_ADDR_MAX ||
		val[7] > AERO_ADDR_MAX || val[8] > AERO_ALIAS_MAX ||
		(uint32_t)aero_le(val, 4) !=
			aero_crc32c(aero_crc32c(0, key, keylen), val + 4, len - 4))
		return false;
	rec = (struct aero_rec){.is_alias = val[5] != 0,
		.n4 = val[6],
		.n6 = val[7],
		.n_alias = val[8],
		.addr4 = val + AERO_REC_HEADER};
	rec.addr6 = rec.addr4 + (size_t)4 * rec.n4;
	rec.canon = (const char *)rec.addr6 + (size_t)16 * rec.n6;
	rec.aliases = rec.canon + val[9] + 1;
	at = (size_t)((const unsigned char *)rec.canon - val);
	if (at > len || strings(rec.canon, len - at, 1U + rec.n_alias) != len - at ||
		strlen(rec.canon) != val[9])
		return false;
	*ret = rec;
	return true;
}

bool aero_meta_decode(const unsigned char *val, size_t len, struct aero_meta *ret)
{
	static const unsigned char key[1] = {AERO_KEY_META};
	size_t at = AERO_META_HEADER, end = len - AERO_DIGEST_SIZE;

	if (len < at + AERO_DIGEST_SIZE || len > AERO_REC_MAX ||
		(uint16_t)aero_le(val + 6, 2) != len || val[4] != AERO_FORMAT_VERSION ||
		val[5] != 0 ||
		(uint32_t)aero_le(val, 4) !=
			aero_crc32c(aero_crc32c(0, key, 1), val + 4, len - 4) ||
		strings(val + at, end - at, (uint16_t)aero_le(val + 44, 2)) != end - at)
		return false;
	*ret = (struct aero_meta){.generation = aero_le(val + 8, 8),
		.source_time = aero_le(val + 16, 8),
		.published = aero_le(val + 24, 8),
		.names = (uint32_t)aero_le(val + 32, 4),
		.aliases = (uint32_t)aero_le(val + 36, 4),
		.addresses = (uint32_t)aero_le(val + 40, 4),
		.n_zones = (uint16_t)aero_le(val + 44, 2),
		.zones = (const char *)val + at,
		.digest = val + end};
	return true;
}

size_t aero_name_key(const char *name, unsigned char key[static AERO_KEY_MAX])
{
	size_t len = 0, label = 0;
	unsigned char c;

	key[0] = AERO_KEY_NAME;
	for (; (c = (unsigned char)name[len]) != '\0'; len++) {
		if (c == '.' && label == 0)
			return 0;
		if (c == '.' && name[len + 1] == '\0')
			break;
		label = c == '.' ? 0 : label + 1;
		if (label > AERO_LABEL_MAX || len >= AERO_NAME_MAX)
			return 0;
		key[1 + len] = (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	return len == 0 ? 0 : 1 + len;
}
