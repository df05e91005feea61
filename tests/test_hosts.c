/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "legacy/hosts.h"
#include "tests/support.h"

#define B "# AEROSTAT\n"
#define E "# /AEROSTAT\n"
#define LO "127.0.0.1 localhost\n"
#define LO6 "::1 localhost ip6-localhost\n"

static const char *const web_aliases[] = {"www", "front"};
static const struct aero_hosts_row one[] = {
	{.host = "web-0", .addrs = {"10.0.0.1"}, .n_addrs = 1},
};
static const struct aero_hosts_row rich[] = {
	{.host = "db-master",
		.fqdn = "db-master.cluster.internal",
		.addrs = {"10.0.0.9", "2001:db8::9"},
		.n_addrs = 2},
	{.host = "web-0",
		.fqdn = "web-0.cluster.internal",
		.aliases = web_aliases,
		.n_aliases = 2,
		.addrs = {"10.0.0.1", "10.0.0.2", "2001:db8::1"},
		.n_addrs = 3},
	{.host = "web-2"},
};

static int merge(const char *old, const char *legacy, const struct aero_hosts_row *rows,
	size_t n, bool repair, struct aero_hosts_out *ret, struct aero_err *err)
{
	const struct aero_hosts_in in = {
		.old = old,
		.old_len = strlen(old),
		.legacy = legacy,
		.legacy_len = legacy != NULL ? strlen(legacy) : 0,
		.rows = rows,
		.n_rows = n,
		.repair = repair,
	};

	return aero_hosts_merge(&in, ret, err);
}

/* One row of a table: old (and legacy) with `web-0` at 10.0.0.1 gives now; a second merge
 * of that changes nothing. shadows: "name:line name:line". */
struct row {
	const char *old, *now, *shadows, *legacy;
	bool repair;
};

static void check_shadows(const struct aero_shadows *shadows, const char *expected)
{
	char text[512] = "";

	for (size_t i = 0; i < shadows->n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"%s%s:%d", i > 0 ? " " : "", shadows->v[i].name,
			shadows->v[i].line);
	assert_string_equal(text, expected != NULL ? expected : "");
}

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct aero_hosts_out out = {0}, again = {0};
		struct aero_err err = {""};

		if (merge(rows[i].old, rows[i].legacy, one, 1, rows[i].repair, &out,
			    &err) != AERO_OK)
			fail_msg("row %zu: %s", i, err.msg);
		assert_string_equal(out.text, rows[i].now);
		assert_int_equal(out.len, strlen(rows[i].now));
		check_shadows(&out.shadows, rows[i].shadows);
		assert_int_equal(
			merge(out.text, rows[i].legacy, one, 1, false, &again, &err),
			AERO_OK);
		assert_string_equal(again.text, out.text);
		check_shadows(&again.shadows, rows[i].shadows);
		aero_hosts_out_clear(&out);
		aero_hosts_out_clear(&again);
	}
}

#define BLOCK B LO LO6 "10.0.0.1 web-0\n" E

static void user_lines_stay_and_the_block_has_its_place(void **state)
{
	static const struct row rows[] = {
		{"", BLOCK, NULL, NULL, false},
		{"\n", "\n" BLOCK, NULL, NULL, false},
		{"10.1.1.1 a", "10.1.1.1 a\n" BLOCK, NULL, NULL, false},
		{"10.1.1.1\ta  b # c\r\n\n\n", "10.1.1.1\ta  b # c\r\n\n\n" BLOCK, NULL,
			NULL, false},
		/* in the middle it stays in the middle; the last LF is the user's matter
		 */
		{"#a\n" B "stale\n" E "#b", "#a\n" BLOCK "#b", NULL, NULL, false},
		{B E, BLOCK, NULL, NULL, false},
		{B "x\n# /AEROSTAT", BLOCK, NULL, NULL, false},
		/* blanks behind a marker */
		{"# AEROSTAT \t\r\nx\n# /AEROSTAT  \n#y\n", BLOCK "#y\n", NULL, NULL,
			false},
		/* several blocks: the first */
		{"#a\n" B "1\n" E "#b\n" B "2\n" E "#c\n" B E, "#a\n" BLOCK "#b\n#c\n",
			NULL, NULL, false},
		/* what only looks like a marker is the user's */
		{" # AEROSTAT\n#AEROSTAT\n# AEROSTATS\n# aerostat\n# AEROSTAT x\n",
			" # AEROSTAT\n#AEROSTAT\n# AEROSTATS\n# aerostat\n# AEROSTAT "
			"x\n" BLOCK,
			NULL, NULL, false},
		/* an end without a begin too */
		{"# /AEROSTAT\n#a\n", "# /AEROSTAT\n#a\n" BLOCK, NULL, NULL, false},
		{B E E, BLOCK E, NULL, NULL, false},
	};

	(void)state;
	check(rows, AERO_COUNT(rows));
}

static void localhost_is_added_per_family_where_it_is_missing(void **state)
{
	static const struct row rows[] = {
		{"127.0.0.1 localhost\n", LO B LO6 "10.0.0.1 web-0\n" E, NULL, NULL,
			false},
		{"::1 localhost\n", "::1 localhost\n" B LO "10.0.0.1 web-0\n" E, NULL,
			NULL, false},
		{"127.0.0.1 LOCALHOST\n::1 x localhost\n",
			"127.0.0.1 LOCALHOST\n::1 x localhost\n" B "10.0.0.1 web-0\n" E,
			NULL, NULL, false},
		{"::1 ip6-localhost\n",
			"::1 ip6-localhost\n" B LO "::1 localhost\n10.0.0.1 web-0\n" E,
			NULL, NULL, false},
		{"::1 localhost\n127.0.0.1 localhost\n",
			"::1 localhost\n127.0.0.1 localhost\n" B "10.0.0.1 web-0\n" E,
			NULL, NULL, false},
		/* behind the block, or in another family, or no line at all */
		{B E "127.0.0.1 localhost\n", B LO6 "10.0.0.1 web-0\n" E LO, NULL, NULL,
			false},
		{"#127.0.0.1 localhost\n127.0.0.1 # localhost\n127.1 localhost\n",
			"#127.0.0.1 localhost\n127.0.0.1 # localhost\n127.1 "
			"localhost\n" BLOCK,
			NULL, NULL, false},
	};

	(void)state;
	check(rows, AERO_COUNT(rows));
}

#define NONE B LO LO6 E

static void a_name_defined_outside_is_left_out_and_listed(void **state)
{
	static const struct row rows[] = {
		{"#\n192.0.2.1 web-0\n", "#\n192.0.2.1 web-0\n" NONE, "web-0:2", NULL,
			false},
		{"192.0.2.1 x WEB-0 # y\n", "192.0.2.1 x WEB-0 # y\n" NONE, "web-0:1",
			NULL, false},
		{" \t192.0.2.1\tWeb-0", " \t192.0.2.1\tWeb-0\n" NONE, "web-0:1", NULL,
			false},
		/* another family counts too: `multi on` would mix both */
		{"fe80::1%eth0 web-0\n", "fe80::1%eth0 web-0\n" NONE, "web-0:1", NULL,
			false},
		/* the first of several lines, whatever their order of names */
		{"1.1.1.1 b\n1.1.1.1 web-0\n1.1.1.1 a web-0\n",
			"1.1.1.1 b\n1.1.1.1 web-0\n1.1.1.1 a web-0\n" NONE, "web-0:2",
			NULL, false},
		/* behind the block: the line number is that of the file as it becomes */
		{"#\n" B "x\ny\nz\nz\nz\nz\n" E "#\n1.1.1.1 web-0\n",
			"#\n" NONE "#\n1.1.1.1 web-0\n", "web-0:7", NULL, false},
		/* these define nothing */
		{"# 1.1.1.1 web-0\n1.1.1.1 # web-0\nweb-0 1.1.1.1\n1.1.1.1 web-00 "
		 "xweb-0\n",
			"# 1.1.1.1 web-0\n1.1.1.1 # web-0\nweb-0 1.1.1.1\n1.1.1.1 web-00 "
			"xweb-0\n" BLOCK,
			NULL, NULL, false},
		{"bogus web-0\n1.1.1.1.1 web-0\n", "bogus web-0\n1.1.1.1.1 web-0\n" BLOCK,
			NULL, NULL, false},
		/* nor does a line of the old block */
		{B "1.1.1.1 web-0\n" E, BLOCK, NULL, NULL, false},
	};

	(void)state;
	check(rows, AERO_COUNT(rows));
}

static void legacy_text_stands_first_and_wins(void **state)
{
	static const struct row rows[] = {
		{"10.1.1.1 user\n", "10.9.9.9 old\n" BLOCK, NULL, "10.9.9.9 old\n",
			false},
		{"10.1.1.1 user\n", "10.9.9.9 old\n" BLOCK, NULL, "10.9.9.9 old", false},
		{"10.1.1.1 user\n", BLOCK, NULL, "", false},
		{"x\n", "10.9.9.9 web-0\n" NONE, "web-0:1", "10.9.9.9 web-0\n", false},
		/* an updater that copied our block; its end is not looked for */
		{BLOCK, "#l\n" BLOCK, NULL, "#l\n" B "10.9.9.9 web-0\n", false},
		{BLOCK, "#l\n" BLOCK, NULL, "#l\n# AEROSTAT  \n10.9.9.9 web-0\n" E "#m\n",
			false},
		{BLOCK, "#l # AEROSTAT\n" BLOCK, NULL, "#l # AEROSTAT\n", false},
		/* what is wrong with the old file is no matter: it goes */
		{B "no end\n", "#l\n" BLOCK, NULL, "#l\n", false},
	};

	(void)state;
	check(rows, AERO_COUNT(rows));
}

static void a_begin_without_an_end_is_refused_naming_its_line(void **state)
{
	static const struct {
		const char *old, *line;
	} rows[] = {
		{B, "line 1:"},
		{"#a\n# AEROSTAT", "line 2:"},
		{"#a\n" B "1.1.1.1 user\n", "line 2:"},
		{"#a\n" B E "#b\n" B "1.1.1.1 user\n", "line 5:"},
		{"#a\n" B "1.1.1.1 user\n" B E, "line 2:"},
		{B "x\n# /AEROSTAT x\n", "line 1:"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_hosts_out out = {0};
		struct aero_err err = {""};

		assert_int_equal(
			merge(rows[i].old, NULL, one, 1, false, &out, &err), AERO_CONFIG);
		if (strstr(err.msg, rows[i].line) == NULL)
			fail_msg("'%s' does not name %s", err.msg, rows[i].line);
		assert_non_null(strstr(err.msg, "--repair-hosts"));
		assert_null(out.text);
	}
}

static void repair_ends_the_block_at_the_end_of_the_file(void **state)
{
	static const struct row rows[] = {
		{"#a\n" B "1.1.1.1 web-0\nx", "#a\n" BLOCK, NULL, NULL, true},
		{B "x\n" B "y\n" E "#z\n", BLOCK "#z\n", NULL, NULL, true},
		{"#a\n" B E "#b\n" B "c\n", "#a\n" BLOCK "#b\n", NULL, NULL, true},
		{"#a\n" B "x\n" E "#b\n", "#a\n" BLOCK "#b\n", NULL, NULL, true},
	};

	(void)state;
	check(rows, AERO_COUNT(rows));
}

static void each_address_has_a_line_with_domain_and_aliases(void **state)
{
	struct aero_hosts_out out = {0};

	(void)state;
	assert_int_equal(merge("", NULL, rich, 3, false, &out, NULL), AERO_OK);
	assert_string_equal(out.text,
		B LO LO6 "10.0.0.9 db-master.cluster.internal db-master\n"
			 "2001:db8::9 db-master.cluster.internal db-master\n"
			 "10.0.0.1 web-0.cluster.internal web-0 www front\n"
			 "10.0.0.2 web-0.cluster.internal web-0 www front\n"
			 "2001:db8::1 web-0.cluster.internal web-0 www front\n" E);
	aero_hosts_out_clear(&out);
}

static void each_name_of_a_host_is_left_out_by_itself(void **state)
{
	static const struct {
		const char *old, *shadows, *names;
	} rows[] = {
		{"1.1.1.1 WWW\n", "www:1", " web-0.cluster.internal web-0 front\n"},
		{"1.1.1.1 web-0\n", "web-0:1", " web-0.cluster.internal www front\n"},
		{"1.1.1.1 front www\n2.2.2.2 web-0\n", "web-0:2 www:1 front:1",
			" web-0.cluster.internal\n"},
		{"1.1.1.1 front web-0.cluster.internal\n2.2.2.2 web-0\n#\n3.3.3.3 www\n",
			"web-0.cluster.internal:1 web-0:2 www:4 front:1", NULL},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_hosts_out out = {0};
		const char *line, *block;

		assert_int_equal(merge(rows[i].old, NULL, rich + 1, 1, false, &out, NULL),
			AERO_OK);
		check_shadows(&out.shadows, rows[i].shadows);
		block = strstr(out.text, B);
		assert_non_null(block);
		line = strstr(block, "10.0.0.2");
		if (rows[i].names == NULL)
			assert_null(line);
		else
			assert_memory_equal(
				line + 8, rows[i].names, strlen(rows[i].names));
		aero_hosts_out_clear(&out);
	}
}

static void rows_that_could_inject_a_line_are_refused(void **state)
{
	static const char *const bad_alias[] = {"ok", "a\n6.6.6.6 example.com"};
	static const struct aero_hosts_row rows[] = {
		{.host = "a b", .addrs = {"10.0.0.1"}, .n_addrs = 1},
		{.host = "", .addrs = {"10.0.0.1"}, .n_addrs = 1},
		{.host = "a#", .addrs = {"10.0.0.1"}, .n_addrs = 1},
		{.host = "localhost", .addrs = {"10.0.0.1"}, .n_addrs = 1},
		{.host = "a", .fqdn = "a.\n", .addrs = {"10.0.0.1"}, .n_addrs = 1},
		{.host = "a",
			.aliases = bad_alias,
			.n_aliases = 2,
			.addrs = {"10.0.0.1"},
			.n_addrs = 1},
		{.host = "a", .addrs = {"10.0.0.1\n1.1.1.1 b"}, .n_addrs = 1},
		{.host = "a", .addrs = {"0.0.0.0"}, .n_addrs = 1},
		{.host = "a", .addrs = {"fe80::1"}, .n_addrs = 1},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_hosts_out out = {0};
		struct aero_err err;

		assert_int_equal(
			merge("", NULL, &rows[i], 1, false, &out, &err), AERO_BAD);
		assert_null(out.text);
	}
}

static void bytes_that_are_no_text_stay(void **state)
{
	static const char old[] = "\xff\xfe\0 web-0\n1.1.1.1 a\0 web-0\n\n\r\n\x1b[2J";
	const struct aero_hosts_in in = {
		.old = old, .old_len = sizeof(old) - 1, .rows = one, .n_rows = 1};
	struct aero_hosts_out out = {0};

	(void)state;
	assert_int_equal(aero_hosts_merge(&in, &out, NULL), AERO_OK);
	assert_memory_equal(out.text, old, sizeof(old) - 1);
	assert_string_equal(out.text + sizeof(old) - 1, "\n" BLOCK);
	assert_int_equal(out.shadows.n, 0);
	aero_hosts_out_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_lines_stay_and_the_block_has_its_place),
		cmocka_unit_test(localhost_is_added_per_family_where_it_is_missing),
		cmocka_unit_test(a_name_defined_outside_is_left_out_and_listed),
		cmocka_unit_test(legacy_text_stands_first_and_wins),
		cmocka_unit_test(a_begin_without_an_end_is_refused_naming_its_line),
		cmocka_unit_test(repair_ends_the_block_at_the_end_of_the_file),
		cmocka_unit_test(each_address_has_a_line_with_domain_and_aliases),
		cmocka_unit_test(each_name_of_a_host_is_left_out_by_itself),
		cmocka_unit_test(rows_that_could_inject_a_line_are_refused),
		cmocka_unit_test(bytes_that_are_no_text_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
