/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "register/info.h"
#include "tests/support.h"

static void first_line_gives_service_type_and_aliases(void **state)
{
	static const struct {
		const char *text, *service;
		bool masterful;
		const char *aliases; /* joined by commas */
		const char *warning; /* part of it; '' = none */
	} rows[] = {
		/* The original's own tests. */
		{"mongodb masterful", "mongodb", true, "", ""},
		{"web", "web", false, "", ""},
		{"web iterative web-master web-slave", "web", false,
			"web-master,web-slave", ""},
		{"\n \t\n# what this is\n  # and why\ndb\tmasterful  sql\n", "db", true,
			"sql", ""},
		{"WEB Iterative WWW www\nrest is ignored_!", "web", false, "www",
			"type 'Iterative' is not masterful"},
		{"web frontend", "web", false, "",
			"/etc/info:1: service type 'frontend'"},
		{"web iterative\r\n", "web", false, "", ""},
		{"cache-2 iterative a.b.example", "cache-2", false, "a.b.example", ""},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_info info = {0};
		struct aero_err err = {""};
		char joined[256] = "";
		size_t used = 0;

		print_message("row %zu\n", i);
		assert_int_equal(
			AERO_OK, aero_info_parse(rows[i].text, strlen(rows[i].text),
					 "/etc/info", &info, &err));
		assert_string_equal(rows[i].service, info.service);
		assert_int_equal(rows[i].masterful, info.masterful);
		assert_string_equal(rows[i].masterful ? "masterful" : "iterative",
			aero_info_type(&info));
		for (size_t j = 0; j < info.aliases.n; j++)
			used += (size_t)snprintf(joined + used, sizeof(joined) - used,
				"%s%s", j > 0 ? "," : "", info.aliases.v[j]);
		assert_string_equal(rows[i].aliases, joined);
		assert_non_null(strstr(info.warning, rows[i].warning));
		assert_int_equal(*rows[i].warning == '\0', *info.warning == '\0');
		aero_info_clear(&info);
	}
}

static void errors_name_file_and_line(void **state)
{
	static const struct {
		const char *text;
		size_t len; /* 0: strlen */
		const char *words;
	} rows[] = {
		{"", 0, "/etc/info:1: no service"},
		{"\n# c\n\n", 0, "/etc/info:3: no service"},
		{"\n\nwe_b\n", 0, "/etc/info:3: service 'we_b': character"},
		{"web.x", 0, "/etc/info:1: service 'web.x': character"},
		{"-web", 0, "label begins or ends with a hyphen"},
		{"localhost", 0, "reserved name"},
		{"db-slave masterful", 0, "ends in -slave"},
		{"a1234567890123456789012345678901234567890123456789x", 0, NULL}, /* 51 */
		{"a1234567890123456789012345678901234567890123456789xy", 0,
			"longer than 51"},
		{"web iterative ok -bad", 0, "/etc/info:1: alias '-bad': label"},
		{"web iterative 1234", 0, "alias '1234': name that reads as an address"},
		{"web iterative # remark", 0, "alias '#'"},
		{"web\0x", 5, "/etc/info:1: a NUL byte"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_info info = {0};
		struct aero_err err = {""};
		size_t len = rows[i].len > 0 ? rows[i].len : strlen(rows[i].text);

		print_message("row %zu\n", i);
		if (rows[i].words == NULL) {
			assert_int_equal(AERO_OK, aero_info_parse(rows[i].text, len,
							  "/etc/info", &info, &err));
			aero_info_clear(&info);
			continue;
		}
		assert_int_equal(AERO_CONFIG,
			aero_info_parse(rows[i].text, len, "/etc/info", &info, &err));
		assert_non_null(strstr(err.msg, rows[i].words));
		assert_null(info.service);
	}
}

static void flags_give_the_same(void **state)
{
	struct aero_list aliases = {0};
	struct aero_info info = {0};
	struct aero_err err = {""};

	(void)state;
	assert_true(aero_list_add(&aliases, "SQL"));
	assert_int_equal(
		AERO_OK, aero_info_words("Db", "masterful", &aliases, &info, &err));
	assert_string_equal("db", info.service);
	assert_true(info.masterful);
	assert_string_equal("sql", info.aliases.v[0]);
	aero_info_clear(&info);
	assert_int_equal(AERO_OK, aero_info_words("web", "", &aliases, &info, &err));
	assert_false(info.masterful);
	assert_string_equal("", info.warning);
	aero_info_clear(&info);
	assert_int_equal(AERO_CONFIG, aero_info_words("a_b", "", &aliases, &info, &err));
	assert_non_null(strstr(err.msg, "--service: "));
	assert_true(aero_list_add(&aliases, "a_b"));
	assert_int_equal(AERO_CONFIG, aero_info_words("web", "", &aliases, &info, &err));
	assert_non_null(strstr(err.msg, "--alias: "));
	aero_list_clear(&aliases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_line_gives_service_type_and_aliases),
		cmocka_unit_test(errors_name_file_and_line),
		cmocka_unit_test(flags_give_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
