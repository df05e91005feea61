/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "mirror/encode.h"
#include "tests/support.h"

static const unsigned char four[] = {10, 0, 0, 1, 10, 0, 0, 2};
static const unsigned char six[16] = {0xfd, [15] = 1};
static const unsigned char key[] = {'n', 'w', 'w', 'w'};
static const struct aero_rec www = {.is_alias = true,
	.n4 = 2,
	.n6 = 1,
	.n_alias = 2,
	.addr4 = four,
	.addr6 = six,
	.canon = "web-0",
	.aliases = "www\0api"};

static void put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

static void seal(unsigned char *val, size_t len)
{
	put32(val, aero_crc32c(aero_crc32c(0, key, sizeof(key)), val + 4, len - 4));
}

/* RFC 3720 B.4 and the usual check value. */
static void crc32c_gives_the_published_values(void **state)
{
	unsigned char buf[32];
	int i;

	(void)state;
	assert_int_equal(aero_crc32c(0, "123456789", 9), 0xe3069283);
	memset(buf, 0, 32);
	assert_int_equal(aero_crc32c(0, buf, 32), 0x8a9136aa);
	memset(buf, 0xff, 32);
	assert_int_equal(aero_crc32c(0, buf, 32), 0x62a8ab43);
	for (i = 0; i < 32; i++)
		buf[i] = (unsigned char)i;
	assert_int_equal(aero_crc32c(0, buf, 32), 0x46dd794e);
	for (i = 0; i < 32; i++)
		buf[i] = (unsigned char)(31 - i);
	assert_int_equal(aero_crc32c(0, buf, 32), 0x113fdb5c);
}

/* Against the definition, bit by bit, at every length, start and split: the programs' and
 * the module's. */
static void crc32c_is_right_for_every_length_and_split(void **state)
{
	uint32_t (*const ways[])(uint32_t, const void *, size_t) = {
		aero_crc32c, aero_crc32c_plain};
	unsigned char buf[80];
	uint32_t want;
	size_t at, len, cut, i;
	int bit;

	(void)state;
	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (unsigned char)(i * 167 + 13);
	for (at = 0; at < 8; at++) {
		for (len = 0; len <= 40; len++) {
			want = 0xffffffff;
			for (i = 0; i < len; i++)
				for (want ^= buf[at + i], bit = 0; bit < 8; bit++)
					want = want >> 1 ^ (want & 1 ? 0x82f63b78 : 0);
			want = ~want;
			for (cut = 0; cut <= len; cut++)
				for (i = 0; i < AERO_COUNT(ways); i++)
					assert_int_equal(
						ways[i](ways[i](0, buf + at, cut),
							buf + at + cut, len - cut),
						want);
		}
	}
}

static void a_record_survives_the_way_there_and_back(void **state)
{
	unsigned char out[AERO_REC_MAX];
	struct aero_rec rec;
	size_t len = aero_rec_encode(key, sizeof(key), &www, out);

	(void)state;
	assert_int_equal(len, AERO_REC_HEADER + 8 + 16 + 6 + 8);
	assert_true(aero_rec_decode(key, sizeof(key), out, len, &rec));
	assert_true(rec.is_alias);
	assert_int_equal(rec.n4, 2);
	assert_int_equal(rec.n6, 1);
	assert_int_equal(rec.n_alias, 2);
	assert_memory_equal(rec.addr4, four, 8);
	assert_memory_equal(rec.addr6, six, 16);
	assert_string_equal(rec.canon, "web-0");
	assert_memory_equal(rec.aliases, "www\0api", 8);
	/* The bytes are what layout.h says. */
	assert_memory_equal(out + 4, "\1\1\2\1\2\5\62\0\12\0\0\1\12\0\0\2\375", 17);
}

static void every_changed_byte_and_every_other_length_is_refused(void **state)
{
	unsigned char out[AERO_REC_MAX + 1] = {0}, other[sizeof(key)];
	struct aero_rec rec;
	size_t len = aero_rec_encode(key, sizeof(key), &www, out), i;
	unsigned bit;

	(void)state;
	for (i = 0; i < len; i++) {
		for (bit = 0; bit < 8; bit++) {
			out[i] ^= (unsigned char)(1U << bit);
			assert_false(aero_rec_decode(key, sizeof(key), out, len, &rec));
			out[i] ^= (unsigned char)(1U << bit);
		}
		assert_false(aero_rec_decode(key, sizeof(key), out, i, &rec));
	}
	assert_false(aero_rec_decode(key, sizeof(key), out, len + 1, &rec));
	memcpy(other, key, sizeof(key));
	other[3] = 'x'; /* another key's record */
	assert_false(aero_rec_decode(other, sizeof(key), out, len, &rec));
	assert_false(aero_rec_decode(key, sizeof(key) - 1, out, len, &rec));
}

/* With a right checksum: what a bug of a writer, or an attacker, could publish. */
static void a_sealed_record_that_breaks_the_layout_is_refused(void **state)
{
	static const struct {
		size_t at;
		unsigned char value;
		const char *why;
	} rows[] = {
		{4, 2, "version"},
		{4, 0, "version"},
		{5, 2, "unknown flag"},
		{6, 3, "more IPv4 than there is room"},
		{6, 1, "fewer IPv4"},
		{6, 9, "over the limit"},
		{7, 9, "over the limit"},
		{7, 0, "fewer IPv6"},
		{8, 1, "fewer aliases: bytes are left over"},
		{8, 3, "more aliases"},
		{8, 33, "over the limit"},
		{9, 4, "canon_len"},
		{9, 0, "canon_len"},
		{10, 49, "total"},
		{11, 1, "total"},
		{36, '\0', "empty canonical name"},
		{42, '\0', "empty alias"},
		{45, 'x', "two aliases in one"},
		{49, 'x', "last NUL missing"},
	};
	unsigned char out[AERO_REC_MAX];
	struct aero_rec rec;
	size_t len = aero_rec_encode(key, sizeof(key), &www, out), i;
	unsigned char was;

	(void)state;
	for (i = 0; i < AERO_COUNT(rows); i++) {
		was = out[rows[i].at];
		out[rows[i].at] = rows[i].value;
		seal(out, len);
		if (aero_rec_decode(key, sizeof(key), out, len, &rec))
			fail_msg("accepted: %s", rows[i].why);
		out[rows[i].at] = was;
	}
	seal(out, len);
	assert_true(aero_rec_decode(key, sizeof(key), out, len, &rec));
	/* canon_len inside the name, and its rest as one alias more. */
	out[8] = 3;
	out[9] = 2;
	seal(out, len);
	assert_false(aero_rec_decode(key, sizeof(key), out, len, &rec));
}

static void what_does_not_fit_is_not_encoded(void **state)
{
	unsigned char out[AERO_REC_MAX], addr[16 * 9] = {0};
	char longest[AERO_NAME_MAX + 2], aliases[2048];
	struct aero_rec rec = {
		.canon = "c", .aliases = aliases, .addr4 = addr, .addr6 = addr};
	size_t len = 0, i;

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[AERO_NAME_MAX + 1] = '\0';
	rec.n4 = AERO_ADDR_MAX + 1;
	assert_int_equal(aero_rec_encode(key, sizeof(key), &rec, out), 0);
	rec.n4 = AERO_ADDR_MAX;
	rec.n6 = AERO_ADDR_MAX + 1;
	assert_int_equal(aero_rec_encode(key, sizeof(key), &rec, out), 0);
	rec.n6 = AERO_ADDR_MAX;
	assert_int_not_equal(aero_rec_encode(key, sizeof(key), &rec, out), 0);
	rec.canon = longest;
	assert_int_equal(aero_rec_encode(key, sizeof(key), &rec, out), 0);
	rec.canon = longest + 1;
	assert_int_not_equal(aero_rec_encode(key, sizeof(key), &rec, out), 0);
	rec.canon = "";
	assert_int_equal(aero_rec_encode(key, sizeof(key), &rec, out), 0);
	/* 12 + 160 + 2 + n * 62 bytes: 21 aliases fit, and 62 more bytes do not; then one
	 * of just the right length, and one byte more. */
	rec.canon = "c";
	for (i = 0; i < AERO_ALIAS_MAX; i++) {
		memset(aliases + len, 'b', 61);
		aliases[len + 61] = '\0';
		len += 62;
	}
	rec.n_alias = 22;
	len = 12 + 160 + 2 + 22 * 62;
	assert_int_equal(aero_rec_encode(key, sizeof(key), &rec, out), 0);
	aliases[22 * 62 - 1 - (len - AERO_REC_MAX)] = '\0';
	assert_int_equal(aero_rec_encode(key, sizeof(key), &rec, out), AERO_REC_MAX);
	rec.n_alias = 33;
	assert_int_equal(aero_rec_encode(key, sizeof(key), &rec, out), 0);
}

static void meta_survives_and_its_damage_is_refused(void **state)
{
	static const unsigned char digest[AERO_DIGEST_SIZE] = {1, [31] = 2};
	struct aero_meta meta = {.generation = 0x0102030405060708,
				 .source_time = 7,
				 .published = 1U << 31,
				 .names = 3,
				 .aliases = 2,
				 .addresses = 1,
				 .n_zones = 2,
				 .zones = "cluster.internal\0.",
				 .digest = digest},
			 back;
	unsigned char out[AERO_REC_MAX];
	size_t len = aero_meta_encode(&meta, out), i;

	(void)state;
	assert_int_equal(len, AERO_META_HEADER + 19 + AERO_DIGEST_SIZE);
	assert_true(aero_meta_decode(out, len, &back));
	assert_true(back.generation == meta.generation && back.source_time == 7);
	assert_int_equal(back.published, 1U << 31);
	assert_int_equal(back.names, 3);
	assert_int_equal(back.aliases, 2);
	assert_int_equal(back.addresses, 1);
	assert_int_equal(back.n_zones, 2);
	assert_memory_equal(back.zones, meta.zones, 19);
	assert_memory_equal(back.digest, digest, AERO_DIGEST_SIZE);
	for (i = 0; i < len; i++) {
		out[i] ^= 0x10;
		assert_false(aero_meta_decode(out, len, &back));
		out[i] ^= 0x10;
		assert_false(aero_meta_decode(out, i, &back));
	}
	meta.zones = "x\0";
	assert_int_equal(aero_meta_encode(&meta, out), 0); /* an empty zone */
}

static void names_become_keys(void **state)
{
	static const char l63[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const struct {
		const char *name, *want; /* NULL: refused */
	} rows[] = {
		{"web-0", "nweb-0"},
		{"WEB-0", "nweb-0"},
		{"web-0.", "nweb-0"},
		{"a.b.C.", "na.b.c"},
		{"x_y", "nx_y"},
		{"\xc3\x84@[`{", "n\xc3\x84@[`{"},
		{"", NULL},
		{".", NULL},
		{"..", NULL},
		{"web-0..", NULL},
		{".web-0", NULL},
		{"a..b", NULL},
	};
	unsigned char out[AERO_KEY_MAX];
	char name[300];
	size_t i, len;

	(void)state;
	for (i = 0; i < AERO_COUNT(rows); i++) {
		len = aero_name_key(rows[i].name, out);
		assert_int_equal(len, rows[i].want == NULL ? 0 : strlen(rows[i].want));
		if (len > 0)
			assert_memory_equal(out, rows[i].want, len);
	}
	assert_int_equal(aero_name_key(l63, out), 64);
	(void)snprintf(name, sizeof(name), "%sa", l63);
	assert_int_equal(aero_name_key(name, out), 0);
	/* 253 bytes pass, with and without the dot; 254 do not. */
	(void)snprintf(name, sizeof(name), "%s.%s.%s.%s", l63, l63, l63, l63 + 2);
	assert_int_equal(strlen(name), 253);
	assert_int_equal(aero_name_key(name, out), 254);
	(void)snprintf(name, sizeof(name), "%s.%s.%s.%s.", l63, l63, l63, l63 + 2);
	assert_int_equal(aero_name_key(name, out), 254);
	(void)snprintf(name, sizeof(name), "%s.%s.%s.%s", l63, l63, l63, l63 + 1);
	assert_int_equal(aero_name_key(name, out), 0);
	(void)snprintf(name, sizeof(name), "%s.%s.%s.%s.a", l63, l63, l63, l63 + 2);
	assert_int_equal(aero_name_key(name, out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_gives_the_published_values),
		cmocka_unit_test(crc32c_is_right_for_every_length_and_split),
		cmocka_unit_test(a_record_survives_the_way_there_and_back),
		cmocka_unit_test(every_changed_byte_and_every_other_length_is_refused),
		cmocka_unit_test(a_sealed_record_that_breaks_the_layout_is_refused),
		cmocka_unit_test(what_does_not_fit_is_not_encoded),
		cmocka_unit_test(meta_survives_and_its_damage_is_refused),
		cmocka_unit_test(names_become_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
