/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "nss/answer.h"
#include "tests/support.h"

static const unsigned char four[8 * 4] = {10, 0, 0, 1, 10, 0, 0, 2};
static const unsigned char six[8 * 16] = {0xfd, [15] = 1, [16] = 0xfd, [31] = 2};
static const struct aero_rec web = {.n4 = 2,
	.n6 = 1,
	.n_alias = 2,
	.addr4 = four,
	.addr6 = six,
	.canon = "web-0",
	.aliases = "www\0api"};

static void a_host_has_its_family_and_all_names(void **state)
{
	_Alignas(8) char buf[256];
	struct hostent h;

	(void)state;
	assert_true(aero_answer_host(&web, AF_INET, NULL, &h, buf, sizeof(buf)));
	assert_string_equal(h.h_name, "web-0");
	assert_string_equal(h.h_aliases[0], "www");
	assert_string_equal(h.h_aliases[1], "api");
	assert_null(h.h_aliases[2]);
	assert_int_equal(h.h_addrtype, AF_INET);
	assert_int_equal(h.h_length, 4);
	assert_memory_equal(h.h_addr_list[0], four, 4);
	assert_memory_equal(h.h_addr_list[1], four + 4, 4);
	assert_null(h.h_addr_list[2]);
	assert_true(aero_answer_host(&web, AF_INET6, NULL, &h, buf, sizeof(buf)));
	assert_int_equal(h.h_addrtype, AF_INET6);
	assert_int_equal(h.h_length, 16);
	assert_memory_equal(h.h_addr_list[0], six, 16);
	assert_null(h.h_addr_list[1]);
	assert_true(aero_answer_host(&web, AF_INET, four + 4, &h, buf, sizeof(buf)));
	assert_memory_equal(h.h_addr_list[0], four + 4, 4);
	assert_null(h.h_addr_list[1]);
}

static void a_list_has_both_families_and_a_name_everywhere(void **state)
{
	struct gaih_addrtuple mine, *pat = &mine, *t;
	_Alignas(8) char buf[256];
	int preset;

	(void)state;
	for (preset = 0; preset < 2; preset++) {
		memset(&mine, 0xee, sizeof(mine));
		pat = preset ? &mine : NULL;
		assert_true(aero_answer_tuples(&web, &pat, buf, sizeof(buf)));
		assert_true((pat == &mine) == preset);
		t = pat;
		assert_int_equal(t->family, AF_INET);
		assert_memory_equal(t->addr, four, 4);
		assert_string_equal(t->name, "web-0");
		t = t->next;
		assert_memory_equal(t->addr, four + 4, 4);
		assert_string_equal(t->name, "web-0");
		t = t->next;
		assert_int_equal(t->family, AF_INET6);
		assert_memory_equal(t->addr, six, 16);
		assert_int_equal(t->scopeid, 0);
		assert_string_equal(t->name, "web-0");
		assert_null(t->next);
	}
}

/* Length and start decide together; one byte less than the least is refused, and nothing
 * is written then. */
static void the_least_buffer_is_what_the_parts_need(void **state)
{
	static const struct {
		uint8_t n4, n6, n_alias;
		size_t host, tuples; /* bytes at an aligned start */
	} rows[] = {
		/* pointers 8 each, addresses, "web-0\0", "www\0api\0"; tuples of 40 */
		{1, 0, 0, 8 * 3 + 4 + 6, 40 + 6},
		{2, 0, 2, 8 * 6 + 8 + 6 + 8, 80 + 6},
		{8, 8, 1, 8 * 11 + 32 + 6 + 4, 16 * 40 + 6},
	};
	_Alignas(8) char buf[1024], was[1024];
	struct gaih_addrtuple *pat;
	struct aero_rec rec = web;
	struct hostent h, h_was;
	size_t i, at, pad;

	(void)state;
	if (sizeof(void *) != 8)
		skip();
	memset(buf, 0x5a, sizeof(buf));
	memset(was, 0x5a, sizeof(was));
	memset(&h, 0x5a, sizeof(h));
	h_was = h;
	for (i = 0; i < AERO_COUNT(rows); i++) {
		rec.n4 = rows[i].n4;
		rec.n6 = rows[i].n6;
		rec.n_alias = rows[i].n_alias;
		for (at = 0; at < 8; at++) {
			pad = at == 0 ? 0 : 8 - at;
			assert_false(aero_answer_host(&rec, AF_INET, NULL, &h, buf + at,
				pad + rows[i].host - 1));
			assert_memory_equal(buf, was, sizeof(buf));
			assert_memory_equal(&h, &h_was, sizeof(h));
			pat = NULL;
			assert_false(aero_answer_tuples(
				&rec, &pat, buf + at, pad + rows[i].tuples - 1));
			assert_null(pat);
			assert_memory_equal(buf, was, sizeof(buf));
			assert_true(aero_answer_host(
				&rec, AF_INET, NULL, &h, buf + at, pad + rows[i].host));
			assert_true(aero_answer_tuples(
				&rec, &pat, buf + at, pad + rows[i].tuples));
			memset(buf, 0x5a, sizeof(buf));
			h = h_was;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_has_its_family_and_all_names),
		cmocka_unit_test(a_list_has_both_families_and_a_name_everywhere),
		cmocka_unit_test(the_least_buffer_is_what_the_parts_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
