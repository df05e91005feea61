/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "mirror/record.h"

/*
 * CRC-32C, eight bytes a step: row k maps a nibble to its remainder after k more zero
 * nibbles. Remainders add up by xor, so four constants make a row of sixteen.
 */
#define PAIR(r, d) (r), (r) ^ (d)
#define FOUR(r, c, d) PAIR(r, d), PAIR((r) ^ (c), d)
#define ROW(a, b, c, d)                                                                  \
	{                                                                                \
		FOUR(0U, c, d), FOUR(b, c, d), FOUR(a, c, d), FOUR((a) ^ (b), c, d)      \
	}
static const uint32_t crc_rows[16][16] = {
	ROW(0x82f63b78, 0x417b1dbc, 0x20bd8ede, 0x105ec76f),
	ROW(0x8ad958cf, 0xc79a971f, 0xe13b70f7, 0xf26b8303),
	ROW(0xfbc3faf9, 0xff17c604, 0x7f8be302, 0x3fc5f181),
	ROW(0x9d14c3b8, 0x4e8a61dc, 0x274530ee, 0x13a29877),
	ROW(0x8b277743, 0xc76580d9, 0xe144fb14, 0x70a27d8a),
	ROW(0x38513ec5, 0x9edea41a, 0x4f6f520d, 0xa541927e),
	ROW(0x52a0c93f, 0xaba65fe7, 0xd725148b, 0xe964b13d),
	ROW(0xf64463e6, 0x7b2231f3, 0xbf672381, 0xdd45aab8),
	ROW(0x6ea2d55c, 0x37516aae, 0x1ba8b557, 0x8f2261d3),
	ROW(0xc5670b91, 0xe045beb0, 0x7022df58, 0x38116fac),
	ROW(0x1c08b7d6, 0x0e045beb, 0x85f4168d, 0xc00c303e),
	ROW(0x6006181f, 0xb2f53777, 0xdb8ca0c3, 0xef306b19),
	ROW(0xf56e0ef4, 0x7ab7077a, 0x3d5b83bd, 0x9c5bfaa6),
	ROW(0x4e2dfd53, 0xa5e0c5d1, 0xd0065990, 0x68032cc8),
	ROW(0x34019664, 0x1a00cb32, 0x0d006599, 0x847609b4),
	ROW(0x423b04da, 0x211d826d, 0x9278fa4e, 0x493c7d27),
};

static void put(unsigned char *p, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0) {
		*p++ = (unsigned char)v;
		v >>= 8;
	}
}

uint32_t aero_crc32c(uint32_t crc, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t v;
	unsigned i;

	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		v = aero_le(p, 8) ^ crc;
		for (i = 16, crc = 0; i-- > 0; v >>= 4)
			crc ^= crc_rows[i][v & 15];
	}
	for (; len > 0; len--, p++) {
		v = crc ^ *p;
		crc = crc >> 8 ^ crc_rows[1][v & 15] ^ crc_rows[0][v >> 4 & 15];
	}
	return ~crc;
}

static uint32_t checksum(
	const unsigned char *key, size_t keylen, const unsigned char *val, size_t len)
{
	return aero_crc32c(aero_crc32c(0, key, keylen), val + 4, len - 4);
}

/* The length of n strings at p, each 1..AERO_NAME_MAX bytes and a NUL, within left bytes;
 * SIZE_MAX if they are not. */
static size_t strings(const unsigned char *p, size_t left, unsigned n)
{
	const unsigned char *from = p, *end;

	for (; n > 0; n--) {
		end = memchr(
			p, '\0', left < AERO_NAME_MAX + 1 ? left : AERO_NAME_MAX + 1);
		if (end == NULL || end == p)
			return SIZE_MAX;
		left -= (size_t)(end + 1 - p);
		p = end + 1;
	}
	return (size_t)(p - from);
}

/* The same of strings that we are to write. */
static size_t strings_to_write(const char *p, unsigned n)
{
	size_t len = 0, one;

	for (; n > 0; n--, len += one + 1) {
		one = strlen(p + len);
		if (one == 0 || one > AERO_NAME_MAX)
			return SIZE_MAX;
	}
	return len;
}

bool aero_rec_decode(const unsigned char *key, size_t keylen, const unsigned char *val,
	size_t len, struct aero_rec *ret)
{
	struct aero_rec rec;
	size_t at, canon_len;

	if (len < AERO_REC_HEADER || len > AERO_REC_MAX ||
		(uint16_t)aero_le(val + 10, 2) != len || val[4] != AERO_FORMAT_VERSION ||
		(val[5] & ~AERO_REC_ALIAS) != 0 || val[6] > AERO_ADDR_MAX ||
		val[7] > AERO_ADDR_MAX || val[8] > AERO_ALIAS_MAX ||
		(uint32_t)aero_le(val, 4) != checksum(key, keylen, val, len))
		return false;
	rec.is_alias = (val[5] & AERO_REC_ALIAS) != 0;
	rec.n4 = val[6];
	rec.n6 = val[7];
	rec.n_alias = val[8];
	canon_len = val[9];
	rec.addr4 = val + AERO_REC_HEADER;
	rec.addr6 = rec.addr4 + (size_t)4 * rec.n4;
	at = AERO_REC_HEADER + (size_t)4 * rec.n4 + (size_t)16 * rec.n6;
	if (at > len || strings(val + at, len - at, 1) != canon_len + 1)
		return false;
	rec.canon = (const char *)val + at;
	at += canon_len + 1;
	if (strings(val + at, len - at, rec.n_alias) != len - at)
		return false;
	rec.aliases = (const char *)val + at;
	*ret = rec;
	return true;
}

size_t aero_rec_encode(const unsigned char *key, size_t keylen,
	const struct aero_rec *rec, unsigned char out[static AERO_REC_MAX])
{
	size_t canon = strings_to_write(rec->canon, 1), aliases, len;
	size_t addr4 = (size_t)4 * rec->n4, addr6 = (size_t)16 * rec->n6;
	size_t at = AERO_REC_HEADER;

	if (rec->n4 > AERO_ADDR_MAX || rec->n6 > AERO_ADDR_MAX ||
		rec->n_alias > AERO_ALIAS_MAX || canon == SIZE_MAX)
		return 0;
	aliases = strings_to_write(rec->aliases, rec->n_alias);
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
	put(out, checksum(key, keylen, out, len), 4);
	return len;
}

static const unsigned char meta_key[1] = {AERO_KEY_META};

bool aero_meta_decode(const unsigned char *val, size_t len, struct aero_meta *ret)
{
	size_t at = AERO_META_HEADER, zones;

	if (len < at + AERO_DIGEST_SIZE || len > AERO_REC_MAX ||
		(uint16_t)aero_le(val + 6, 2) != len || val[4] != AERO_FORMAT_VERSION ||
		val[5] != 0 ||
		(uint32_t)aero_le(val, 4) != checksum(meta_key, 1, val, len))
		return false;
	zones = strings(
		val + at, len - at - AERO_DIGEST_SIZE, (uint16_t)aero_le(val + 44, 2));
	if (zones != len - at - AERO_DIGEST_SIZE)
		return false;
	*ret = (struct aero_meta){.generation = aero_le(val + 8, 8),
		.source_time = aero_le(val + 16, 8),
		.published = aero_le(val + 24, 8),
		.names = (uint32_t)aero_le(val + 32, 4),
		.aliases = (uint32_t)aero_le(val + 36, 4),
		.addresses = (uint32_t)aero_le(val + 40, 4),
		.n_zones = (uint16_t)aero_le(val + 44, 2),
		.zones = (const char *)val + at,
		.digest = val + at + zones};
	return true;
}

size_t aero_meta_encode(
	const struct aero_meta *meta, unsigned char out[static AERO_REC_MAX])
{
	size_t at = AERO_META_HEADER, len;
	size_t zones = strings_to_write(meta->zones, meta->n_zones);

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
	put(out, checksum(meta_key, 1, out, len), 4);
	return len;
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
		key[1 + len] =
			(unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
	return len == 0 ? 0 : 1 + len;
}
