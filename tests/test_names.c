/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "tests/support.h"
#include "lib/names.h"

#define L63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"

static struct aero_list zones_of(const char *zone)
{
	struct aero_list zones = {0};

	if (zone != NULL)
		assert_true(aero_list_add(&zones, zone));
	return zones;
}

static void names_that_may_answer(void **state)
{
	static const struct {
		const char *name;
		bool underscore;
		const char *domain, *zone;
		bool ok;
	} rows[] = {
		{"web-0", false, NULL, NULL, true}, {"WEB-0", false, NULL, NULL, true},
		{"a", false, NULL, NULL, true}, {"1a", false, NULL, NULL, true},
		{"0xg", false, NULL, NULL, true}, {L63, false, NULL, NULL, true},
		{L63 "x", false, NULL, NULL, false}, {"a--b", false, NULL, NULL, true},
		{"my_app", true, NULL, NULL, true}, {"my_app", false, NULL, NULL, false},
		{"_x", true, NULL, NULL, true}, {"", false, NULL, NULL, false},
		{"-a", false, NULL, NULL, false}, {"a-", false, NULL, NULL, false},
		{"a b", false, NULL, NULL, false}, {"a\nb", true, NULL, NULL, false},
		{"a#b", true, NULL, NULL, false}, {"a\tb", true, NULL, NULL, false},
		{"a/b", true, NULL, NULL, false}, {"\303\244", true, NULL, NULL, false},
		{"a\177", true, NULL, NULL, false},
		/* what inet_aton reads */
		{"1234", false, NULL, NULL, false}, {"0x7f", false, NULL, NULL, false},
		{"0", false, NULL, NULL, false}, {"1.2", false, NULL, ".", false},
		{"10.0.0.1", false, NULL, ".", false},
		{"10.0.0.0x1", false, NULL, ".", false},
		{"99999999999", false, NULL, NULL, true},
		/* reserved */
		{"localhost", false, NULL, NULL, false},
		{"LocalHost4", false, NULL, NULL, false},
		{"localhost.cluster", false, "cluster", NULL, false},
		{"ip6-loopback", false, NULL, NULL, false},
		{"IP6-x", false, NULL, NULL, false}, {"ip6", false, NULL, NULL, true},
		{"_gateway", true, NULL, NULL, false},
		{"_Gateway", true, NULL, NULL, false},
		{"_gateway2", true, NULL, NULL, true},
		/* dotted */
		{"a.b", false, NULL, NULL, false}, {"a.b", false, "", NULL, false},
		{"a.b", false, "b", NULL, true}, {"a.B", false, "b", NULL, true},
		{"a.b", false, ".b", NULL, true}, {"b", false, "b", NULL, true},
		{"a.cb", false, "b", NULL, false}, {"a.b.c", false, "c", NULL, true},
		{"a.b.c", false, "b.c", NULL, true}, {"a.b.c", false, "b", NULL, false},
		{"b.c", false, "b.c", NULL, false}, /* the domain itself */
		{"a.b", false, "c", "b", true}, {"a.b", false, NULL, ".", true},
		{"a.b", false, NULL, "..", false}, {"a.b", false, NULL, "", false},
		{"a..b", false, NULL, ".", false}, {".a", false, NULL, ".", false},
		{"a.", false, NULL, ".", false}, {".", false, NULL, ".", false},
		{"a.-b", false, NULL, ".", false},
		{L63 "." L63 "." L63 "." L63, false, NULL, ".", false}, /* 255 */
		{L63 "." L63 "." L63 ".abcdefghijklmnopqrstuvwxyz01234567890abcdefghijk"
		     "lmnopqrstuvwx",
			false, NULL, ".", true}, /* 253 */
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_list zones = zones_of(rows[i].zone);
		const char *why = aero_name_refuse(rows[i].name, rows[i].underscore,
			rows[i].domain, rows[i].zone == NULL ? NULL : &zones);

		if ((why == NULL) != rows[i].ok)
			fail_msg("row %zu '%s': %s", i, rows[i].name,
				why == NULL ? "may answer" : why);
		aero_list_clear(&zones);
	}
}

static void names_order_with_numbers_as_numbers(void **state)
{
	/* Ascending; every pair is compared both ways. */
	static const char *const order[] = {"", "-", "0", "00", "01", "1", "1a", "2",
		"10", "99999999999999999999", "100000000000000000000", "DB", "Db", "db",
		"db-0", "db-00", "db-01", "db-1", "db-2", "db-2-1", "db-2-10", "db-10",
		"db-10a", "db-master", "db-slave-1", "db-slave-2", "db-slave-10", "db1",
		"db1-1", "db01-2", "dbx", "dc", "WEB-2", "web-3", "WEB-10", "web-11"};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(order); i++)
		for (size_t j = 0; j < AERO_COUNT(order); j++) {
			int want = (i > j) - (i < j);
			int got = aero_natural_cmp(order[i], order[j]);

			if ((got > 0) - (got < 0) != want)
				fail_msg("'%s' '%s': %d", order[i], order[j], got);
		}
}

static void order_is_transitive_and_total(void **state)
{
	/* All texts of up to 3 of these characters. */
	static const char alphabet[] = "01aA-";
	char texts[156][4];
	size_t n = 0;

	(void)state;
	for (size_t len = 0; len <= 3; len++)
		for (size_t k = 0, all = len == 0   ? 1
					 : len == 1 ? 5
					 : len == 2 ? 25
						    : 125;
			k < all; k++, n++)
			for (size_t i = 0, rest = k; i <= len; i++, rest /= 5)
				texts[n][i] = (char)(i < len ? alphabet[rest % 5] : 0);
	assert_int_equal(n, AERO_COUNT(texts));
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			int ij = aero_natural_cmp(texts[i], texts[j]);

			assert_int_equal(ij == 0, i == j);
			assert_int_equal(
				ij > 0, aero_natural_cmp(texts[j], texts[i]) < 0);
			for (size_t k = 0; ij < 0 && k < n; k++)
				if (aero_natural_cmp(texts[j], texts[k]) < 0 &&
					aero_natural_cmp(texts[i], texts[k]) >= 0)
					fail_msg("'%s' < '%s' < '%s'", texts[i], texts[j],
						texts[k]);
		}
}

static void addresses_that_may_answer(void **state)
{
	static const struct {
		const char *text;
		bool loopback;
		int family; /* 0: refused */
	} rows[] = {
		{"10.0.0.1", false, AF_INET},
		{"1.2.3.4", false, AF_INET},
		{"223.255.255.255", false, AF_INET},
		{"126.1.1.1", false, AF_INET},
		{"169.253.1.1", false, AF_INET},
		{"0.0.0.0", false, 0},
		{"0.1.2.3", false, AF_INET},
		{"127.0.0.1", false, 0},
		{"127.255.0.1", false, 0},
		{"127.0.0.1", true, AF_INET},
		{"169.254.169.254", false, 0},
		{"224.0.0.1", false, 0},
		{"239.1.1.1", true, 0},
		{"240.0.0.1", false, AF_INET},
		{"255.255.255.255", false, 0},
		{"255.255.255.255", true, 0},
		{"255.255.255.254", false, AF_INET},
		{"::ffff:255.255.255.255", false, 0},
		{"2001:db8::1", false, AF_INET6},
		{"FD00::1", false, AF_INET6},
		{"::", false, 0},
		{"::1", false, 0},
		{"::1", true, AF_INET6},
		{"fe80::1", false, 0},
		{"febf::1", false, 0},
		{"ff02::1", false, 0},
		{"::ffff:10.0.0.1", false, AF_INET},
		{"::ffff:127.0.0.1", false, 0},
		{"::ffff:127.0.0.1", true, AF_INET},
		{"fe80::1%eth0", false, 0},
		{"", false, 0},
		{"test_local_ip", false, 0},
		{"10.0.0", false, 0},
		{"10.0.0.256", false, 0},
		{"10.0.0.01", false, 0},
		{"0x0a.0.0.1", false, 0},
		{"10.0.0.1 ", false, 0},
		{" 10.0.0.1", false, 0},
		{"10.0.0.1\n", false, 0},
		{"10.0.0.1 evil", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_addr addr = {.family = -1};
		const char *why = aero_addr_refuse(rows[i].text, rows[i].loopback, &addr);
		unsigned char bytes[16] = {0};
		const char *text;

		if ((why == NULL) != (rows[i].family != 0))
			fail_msg("'%s': %s", rows[i].text, why == NULL ? "taken" : why);
		assert_int_equal(addr.family, why == NULL ? rows[i].family : -1);
		if (why != NULL)
			continue;
		assert_int_equal(
			aero_addr_len(&addr), rows[i].family == AF_INET ? 4 : 16);
		text = strrchr(rows[i].text, ':'); /* behind it: v4-mapped */
		if (text == NULL || addr.family == AF_INET6)
			text = rows[i].text;
		else
			text++;
		assert_int_equal(inet_pton(addr.family, text, bytes), 1);
		assert_memory_equal(addr.bytes, bytes, aero_addr_len(&addr));
	}
	assert_int_equal(aero_addr_len(&(struct aero_addr){0}), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_may_answer),
		cmocka_unit_test(names_order_with_numbers_as_numbers),
		cmocka_unit_test(order_is_transitive_and_total),
		cmocka_unit_test(addresses_that_may_answer),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
