/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "lib/resolve.h"
#include "tests/support.h"

/* The addresses of a name, as a program sees them: "a b". */
static const char *ask(const char *name, int family)
{
	static char text[512];
	const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *answer = NULL;
	char one[INET6_ADDRSTRLEN];
	size_t len = 0;

	text[0] = '\0';
	if (getaddrinfo(name, "27017", &hints, &answer) != 0)
		return "none";
	for (const struct addrinfo *a = answer; a != NULL; a = a->ai_next) {
		char port[8];

		assert_int_equal(
			getnameinfo(a->ai_addr, a->ai_addrlen, one, sizeof(one), port,
				sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV),
			0);
		assert_string_equal(port, "27017");
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "%s%s", len == 0 ? "" : " ", one);
	}
	freeaddrinfo(answer);
	return text;
}

static bson_t *hosts(const char *json)
{
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)json, -1, &error);

	assert_non_null(doc);
	return doc;
}

static void pinned_names_have_the_addresses_of_memory(void **state)
{
	bson_t *doc = hosts("{\"db.invalid\": [\"127.0.0.9\", \"127.0.0.8\", \"::1\", "
			    "\"127.0.0.9\", 7, \"noise\"], \"odd.invalid\": 3, "
			    "\"bad.invalid\": [\"noise\"]}");

	(void)state;
	assert_string_equal(ask("db.invalid", AF_INET), "none");
	aero_resolve_pin(doc);
	bson_destroy(doc); /* it keeps its own */
	assert_string_equal(ask("db.invalid", AF_INET), "127.0.0.9 127.0.0.8");
	assert_string_equal(ask("DB.invalid", AF_INET6), "::1");
	assert_string_equal(ask("db.invalid", AF_UNSPEC), "127.0.0.9 127.0.0.8 ::1");
	/* what is no address falls back to what the system says */
	assert_string_equal(ask("odd.invalid", AF_INET), "none");
	assert_string_equal(ask("bad.invalid", AF_INET), "none");
	assert_string_equal(ask("127.0.0.1", AF_INET), "127.0.0.1");
	aero_resolve_pin(NULL);
	assert_string_equal(ask("db.invalid", AF_INET), "none");
}

static void what_the_system_says_is_noted(void **state)
{
	bson_t found = BSON_INITIALIZER, *pin = hosts("{\"localhost\": [\"127.0.0.9\"]}");
	bson_iter_t it, each;

	(void)state;
	assert_false(aero_resolve_noted("localhost", "x", &found));
	assert_string_equal(ask("localhost", AF_INET), "127.0.0.1");
	/* an address is no name, and a pinned name's answer is not the system's */
	assert_string_equal(ask("127.0.0.7", AF_INET), "127.0.0.7");
	aero_resolve_pin(pin);
	assert_string_equal(ask("localhost", AF_INET), "127.0.0.9");
	aero_resolve_pin(NULL);
	assert_false(aero_resolve_noted("127.0.0.7", "x", &found));
	assert_true(aero_resolve_noted("LOCALHOST", "x", &found));
	assert_true(bson_iter_init_find(&it, &found, "x"));
	assert_true(bson_iter_recurse(&it, &each) && bson_iter_next(&each));
	assert_string_equal(bson_iter_utf8(&each, NULL), "127.0.0.1");
	assert_false(bson_iter_next(&each));
	bson_destroy(&found);
	bson_destroy(pin);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(pinned_names_have_the_addresses_of_memory),
	cmocka_unit_test(what_the_system_says_is_noted),
};

int main(void)
{
	return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
