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

static const struct aero_info_from from = {"--service", "--type", "--alias"};

static void flags_give_the_same(void **state)
{
	struct aero_list aliases = {0};
	struct aero_info info = {0};
	struct aero_err err = {""};

	(void)state;
	assert_true(aero_list_add(&aliases, "SQL"));
	assert_int_equal(AERO_OK,
		aero_info_words("Db", "masterful", &aliases, &from, &info, &err));
	assert_string_equal("db", info.service);
	assert_true(info.masterful);
	assert_string_equal("sql", info.aliases.v[0]);
	aero_info_clear(&info);
	assert_int_equal(
		AERO_OK, aero_info_words("web", "", &aliases, &from, &info, &err));
	assert_false(info.masterful);
	assert_string_equal("", info.warning);
	aero_info_clear(&info);
	assert_int_equal(
		AERO_CONFIG, aero_info_words("a_b", "", &aliases, &from, &info, &err));
	assert_non_null(strstr(err.msg, "--service: "));
	assert_true(aero_list_add(&aliases, "a_b"));
	assert_int_equal(
		AERO_CONFIG, aero_info_words("web", "", &aliases, &from, &info, &err));
	assert_non_null(strstr(err.msg, "--alias: "));
	aero_list_clear(&aliases);
}

static void texts_give_the_same(void **state)
{
	static const struct {
		const char *service, *type, *aliases;
		const char *joined; /* NULL: refused */
		const char *words;  /* part of the error or warning */
	} rows[] = {
		{"web", "", "", "web iterative", ""},
		{" DB\n", "\tmasterful ", "", "db masterful", ""},
		{"db", "masterful", "sql, Data.base,,  x\n,sql",
			"db masterful sql "
			"data.base x",
			""},
		{"web", "front", "", "web iterative", "--type: service type 'front'"},
		{"web", "masterful x", "", "web iterative",
			"--type: service type 'masterful x'"},
		{"", "", "", NULL, "--service: service '': no service is named"},
		{" \n", "", "", NULL, "no service is named"},
		{"web db", "", "", NULL, "--service: service 'web db': character"},
		{"w\xc3\xa4", "", "", NULL, "character"},
		{"web-slave", "", "", NULL, "ends in -slave"},
		{"web", "", "ok,-bad", NULL, "--alias: alias '-bad': label"},
		{"web", "", "1234", NULL, "reads as an address"},
		{"web", "", "localhost", NULL, "reserved"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_info info = {0};
		struct aero_err err = {""};
		char joined[128];
		int rc = aero_info_texts(rows[i].service, rows[i].type, rows[i].aliases,
			&from, &info, &err);
		size_t len;

		print_message("row %zu %s\n", i, err.msg);
		if (rows[i].joined == NULL) {
			assert_int_equal(AERO_CONFIG, rc);
			assert_non_null(strstr(err.msg, rows[i].words));
			assert_null(info.service);
			continue;
		}
		assert_int_equal(AERO_OK, rc);
		len = (size_t)snprintf(joined, sizeof(joined), "%s %s", info.service,
			aero_info_type(&info));
		for (size_t j = 0; j < info.aliases.n; j++)
			len += (size_t)snprintf(joined + len, sizeof(joined) - len, " %s",
				info.aliases.v[j]);
		assert_string_equal(rows[i].joined, joined);
		assert_non_null(strstr(info.warning, rows[i].words));
		assert_int_equal(*rows[i].words == '\0', *info.warning == '\0');
		aero_info_clear(&info);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_line_gives_service_type_and_aliases),
		cmocka_unit_test(errors_name_file_and_line),
		cmocka_unit_test(flags_give_the_same),
		cmocka_unit_test(texts_give_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
