/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "cli/import.h"
#include "tests/support.h"

static struct aero_conf conf;
static struct aero_err err;

static int line(const char *text, struct aero_slot *ret)
{
	return aero_cli_import_line(&conf, text, strlen(text), ret, &err);
}

static void both_forms_of_extended_json_are_read(void **state)
{
	static const char *const rows[] = {
		"{\"_id\":{\"$oid\":\"507f1f77bcf86cd799439011\"},\"hostname\":\"db-"
		"master\","
		"\"service\":\"db\",\"service_type\":\"masterful\",\"instance_id\":\"i-"
		"1\","
		"\"ip\":\"10.0.0.1\",\"aliases\":[\"a\"],\"epoch\":{\"$numberLong\":"
		"\"4\"},"
		"\"registered_at\":{\"$date\":{\"$numberLong\":\"1700000000000\"}}}",
		"  {\"hostname\":\"db-master\",\"service\":\"db\",\"service_type\":"
		"\"masterful\",\"instance_id\":\"i-1\",\"ip\":\"10.0.0.1\",\"aliases\":["
		"\"a\"],"
		"\"epoch\":4,\"registered_at\":{\"$date\":\"2023-11-14T22:13:20Z\"},"
		"\"new\":{\"x\":1}}",
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_slot slot;

		assert_int_equal(line(rows[i], &slot), AERO_OK);
		assert_string_equal(slot.hostname, "db-master");
		assert_string_equal(slot.service_type, "masterful");
		assert_string_equal(slot.who.ip, "10.0.0.1");
		assert_int_equal(slot.who.aliases.n, 1);
		assert_int_equal(slot.epoch, 4);
		assert_int_equal(slot.registered_at, 1700000000000);
		aero_slot_clear(&slot);
	}
}

static void old_records_load_as_they_are(void **state)
{
	static const char *const rows[] = {
		"{\"hostname\":\"web-0\",\"service\":\"web\",\"service_type\":\"\","
		"\"instance_id\":"
		"\"\",\"ip\":\"\",\"aliases\":null}",
		"{\"hostname\":\"web_0\"}",
		"{\"hostname\":\"printer\",\"ip\":\"fd00::1\"}",
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_slot slot;

		assert_int_equal(line(rows[i], &slot), AERO_OK);
		aero_slot_clear(&slot);
	}
}

static void a_bad_record_says_why(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "no JSON object"},
		{"[]", "no JSON object"},
		{"\"x\"", "no JSON object"},
		{"{", "no JSON: "},
		{"{\"hostname\":\"a\"} x", "no JSON: "},
		{"{}", "no hostname"},
		{"{\"hostname\":\"\"}", "no hostname"},
		{"{\"hostname\":7}", ""},
		{"{\"hostname\":\"a b\"}", "hostname \"a b\": "},
		{"{\"hostname\":\"localhost\"}", "hostname \"localhost\": "},
		{"{\"hostname\":\"a.b\"}", "hostname \"a.b\": "},
		{"{\"hostname\":\"a\",\"ip\":\"1.2.3\"}", "ip \"1.2.3\": "},
		{"{\"hostname\":\"a\",\"ip\":\"127.0.0.1\"}", "ip \"127.0.0.1\": "},
		{"{\"hostname\":\"a\",\"ip6\":\"fe80::1\"}", "ip6 \"fe80::1\": "},
		{"{\"hostname\":\"a\",\"aliases\":[\"b\",\"c\\nd\"]}",
			"alias \"c\\nd\": "},
		{"{\"hostname\":\"a\",\"aliases\":\"b\"}", ""},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_slot slot = {0};

		err.msg[0] = '\0';
		assert_int_equal(line(rows[i].text, &slot), AERO_BAD);
		assert_string_not_equal(err.msg, "");
		assert_null(slot.hostname);
		if (strstr(err.msg, rows[i].why) != err.msg)
			fail_msg("'%s' for %s", err.msg, rows[i].text);
	}
}

/* Read a whole text; *ret is to be cleared. */
static int read_text(const char *text, size_t len, struct aero_cli_import *ret)
{
	char *copy = malloc(len + 1);
	FILE *in;
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, len);
	in = fmemopen(copy, len, "r");
	assert_non_null(in);
	rc = aero_cli_import_read(&conf, in, ret, &err);
	(void)fclose(in);
	free(copy);
	return rc;
}

#define READ(text, ret) read_text(text, sizeof(text) - 1, ret)

static void a_file_is_read_with_its_line_numbers(void **state)
{
	struct aero_cli_import import = {0};

	(void)state;
	assert_int_equal(
		READ("\n{\"hostname\":\"a\"}\r\n  \n{\"hostname\":\"b\"}", &import),
		AERO_OK);
	assert_int_equal(import.n_bad, 0);
	assert_int_equal(import.n_records, 2);
	assert_int_equal(import.slots.n, 2);
	assert_int_equal(import.lines[0], 2);
	assert_int_equal(import.lines[1], 4);
	aero_cli_import_clear(&import);
}

static void the_first_bad_line_is_told(void **state)
{
	struct aero_cli_import import = {0};

	(void)state;
	assert_int_equal(
		READ("{\"hostname\":\"a\"}\nx\ny\0\n{\"hostname\":\"a\"}\n", &import),
		AERO_OK);
	assert_int_equal(import.n_records, 4);
	assert_int_equal(import.n_bad, 3);
	assert_int_equal(import.bad_line, 2);
	assert_string_equal(import.bad.msg, "no JSON object");
	aero_cli_import_clear(&import);
}

static void hostnames_and_occupants_stand_once(void **state)
{
	struct aero_cli_import import = {0};

	(void)state;
	assert_int_equal(READ("{\"hostname\":\"b\",\"instance_id\":\"i-1\"}\n"
			      "{\"hostname\":\"a\",\"instance_id\":\"\"}\n"
			      "{\"hostname\":\"c\",\"instance_id\":\"\"}\n"
			      "{\"hostname\":\"d\",\"instance_id\":\"i-1\"}\n"
			      "{\"hostname\":\"b\"}\n",
				 &import),
		AERO_OK);
	assert_int_equal(import.n_bad, 2);
	assert_int_equal(import.bad_line, 4);
	assert_string_equal(
		import.bad.msg, "instance_id \"i-1\" stands on line 1 already");
	aero_cli_import_clear(&import);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_of_extended_json_are_read),
		cmocka_unit_test(old_records_load_as_they_are),
		cmocka_unit_test(a_bad_record_says_why),
		cmocka_unit_test(a_file_is_read_with_its_line_numbers),
		cmocka_unit_test(the_first_bad_line_is_told),
		cmocka_unit_test(hostnames_and_occupants_stand_once),
	};
	int failed;

	conf.domain = strdup("");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(conf.domain);
	return failed;
}
