/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <bson/bson.h>
#include <string.h>

#include "cli/status.h"
#include "tests/support.h"

#define NOW ((int64_t)1700000000000) /* ms */

static struct aero_refusal refused[] = {
	{(char[]){"a b\n"}, (char[]){"character that is no letter"}, (char[]){"\x1b"}}};
static struct aero_refusal odd[] = {
	{(char[]){"web-7"}, (char[]){"reg is no number"}, (char[]){"5f00"}}};
static struct aero_shadow shadowed[] = {{(char[]){"web-0"}, 12}};

static const struct aero_cli_known full = {
	.mirror = true,
	.meta = {.generation = 42,
		.source_time = (uint64_t)(1700000000 - 7200) << 32,
		.published = (uint64_t)(1700000000 - 180) * 1000000000,
		.names = 10,
		.aliases = 4,
		.addresses = 11},
	.written = true,
	.status = {.mode = (char[]){"stream"},
		.server = (char[]){"mongodb://h"},
		.error = (char[]){"no \"primary\""},
		.hostname = (char[]){"web-3"},
		.heartbeat_error = (char[]){""},
		.heartbeat = NOW - 12000,
		.last_contact = NOW - 5000,
		.n_refused = 3,
		.n_odd = 1,
		.n_cut = 2,
		.shrink_held_since = NOW - 90000,
		.n_shadowed = 20,
		.refused = {refused, 1},
		.odd = {odd, 1},
		.shadowed = shadowed,
		.n_shadowed_listed = 1},
	.identity = {.service = (char[]){"web"},
		.type = (char[]){"iterative"},
		.service_from = (char[]){"tag aerostat-service"}},
	.daemon = 77,
};

static char *printed(const struct aero_cli_known *known, bool json)
{
	struct aero_err err;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	if (json)
		assert_int_equal(
			aero_cli_print_status_json(out, known, NOW, &err), AERO_OK);
	else
		aero_cli_print_status(out, known, NOW);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void a_person_reads_what_is_known_and_why(void **state)
{
	char *text = printed(&full, false);

	(void)state;
	assert_string_equal(text,
		"mirror    10 names, 4 aliases, 11 addresses; generation 42, published 3 "
		"min ago\n"
		"data      last changed 2 h ago\n"
		"daemon    runs, pid 77\n"
		"service   \"web\", \"iterative\", from \"tag aerostat-service\"\n"
		"node      \"web-3\"\n"
		"store     \"mongodb://h\", mode \"stream\", last contact 5 s ago\n"
		"error     \"no \\\"primary\\\"\"\n"
		"heartbeat 12 s ago\n"
		"held      since 90 s ago: most names would go (shrink guard); if that "
		"is "
		"right: aerostat --update --accept-shrink\n"
		"refused   3\n"
		"          \"a b\\n\": \"character that is no letter\" (_id "
		"\"\\x1b\")\n"
		"          and 2 more\n"
		"odd       1, of which a field was ignored\n"
		"          \"web-7\": \"reg is no number\" (_id \"5f00\")\n"
		"cut       2 aliases or addresses over the limits\n"
		"shadowed  20, by other lines of /etc/hosts\n"
		"          \"web-0\": line 12\n"
		"          and 19 more\n");
	free(text);
}

static void a_heartbeat_that_is_not_taken_says_why(void **state)
{
	struct aero_cli_known known = full;
	char *text;

	(void)state;
	known.status.heartbeat_error = (char[]){"no right"};
	text = printed(&known, false);
	assert_non_null(strstr(text, "\nheartbeat 12 s ago, now not: \"no right\"\n"));
	free(text);
	known.status.heartbeat = 0;
	text = printed(&known, false);
	assert_non_null(strstr(text, "\nheartbeat never taken: \"no right\"\n"));
	free(text);
	known.status.heartbeat_error = (char[]){""};
	text = printed(&known, false);
	assert_null(strstr(text, "\nheartbeat"));
	free(text);
}

static void json_has_it_all(void **state)
{
	static const struct {
		const char *path;
		int64_t value;
	} numbers[] = {{"generation", 42}, {"names", 10}, {"aliases", 4},
		{"addresses", 11}, {"age", 5}, {"daemon_pid", 77}, {"n_refused", 3},
		{"heartbeat", NOW - 12000}, {"shadowed.0.line", 12},
		{"source_time", (int64_t)(1700000000 - 7200) << 32}};
	char *text = printed(&full, true);
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)text, -1, &error);
	bson_iter_t iter, at;

	(void)state;
	assert_non_null(doc);
	for (size_t i = 0; i < AERO_COUNT(numbers); i++) {
		assert_true(bson_iter_init(&iter, doc) &&
			    bson_iter_find_descendant(&iter, numbers[i].path, &at));
		assert_int_equal(bson_iter_as_int64(&at), numbers[i].value);
	}
	assert_true(bson_iter_init(&iter, doc) &&
		    bson_iter_find_descendant(&iter, "refused.0.name", &at));
	assert_string_equal(bson_iter_utf8(&at, NULL), "a b\n");
	assert_true(bson_iter_init_find(&iter, doc, "service_from"));
	assert_string_equal(bson_iter_utf8(&iter, NULL), "tag aerostat-service");
	bson_destroy(doc);
	free(text);
}

static void the_age_is_that_of_the_last_contact(void **state)
{
	struct aero_cli_known known = full;

	(void)state;
	assert_int_equal(aero_cli_known_age(&known, NOW), 5);
	known.written = false;
	assert_int_equal(aero_cli_known_age(&known, NOW), 180);
	known.mirror = false;
	assert_int_equal(aero_cli_known_age(&known, NOW), -1);
	/* A clock that was set back makes nothing younger than now. */
	known.mirror = true;
	assert_int_equal(aero_cli_known_age(&known, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_person_reads_what_is_known_and_why),
		cmocka_unit_test(a_heartbeat_that_is_not_taken_says_why),
		cmocka_unit_test(json_has_it_all),
		cmocka_unit_test(the_age_is_that_of_the_last_contact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
