/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "tests/support.h"
#include "lib/server.h"

static void servers_are_read_as_documented(void **state)
{
	static const struct {
		const char *server, *uri, *name;
		enum aero_server_kind kind;
	} rows[] = {
		{"admin-master", "mongodb://admin-master:27017/?directConnection=false",
			"mongodb://admin-master:27017", AERO_SERVER_MONGO},
		{"localhost:99", "mongodb://localhost:99/?directConnection=false",
			"mongodb://localhost:99", AERO_SERVER_MONGO},
		{"10.0.0.1:65535", "mongodb://10.0.0.1:65535/?directConnection=false",
			"mongodb://10.0.0.1:65535", AERO_SERVER_MONGO},
		{"[2001:db8::1]", "mongodb://[2001:db8::1]:27017/?directConnection=false",
			"mongodb://[2001:db8::1]:27017", AERO_SERVER_MONGO},
		{"[::1]:5", "mongodb://[::1]:5/?directConnection=false",
			"mongodb://[::1]:5", AERO_SERVER_MONGO},
		{"::1", "mongodb://[::1]:27017/?directConnection=false",
			"mongodb://[::1]:27017", AERO_SERVER_MONGO},
		{"my_db.example.com",
			"mongodb://my_db.example.com:27017/"
			"?directConnection=false",
			"mongodb://my_db.example.com:27017", AERO_SERVER_MONGO},
		{"mongodb://a,b:1/db?replicaSet=r", "mongodb://a,b:1/db?replicaSet=r",
			"mongodb://a,b:1/db", AERO_SERVER_MONGO},
		{"mongodb+srv://c.example.com", "mongodb+srv://c.example.com",
			"mongodb+srv://c.example.com", AERO_SERVER_MONGO},
		{"lmdb:/var/lib/x.mdb", "/var/lib/x.mdb", "lmdb:/var/lib/x.mdb",
			AERO_SERVER_LMDB},
		{"lmdb:a@b:c", "a@b:c", "lmdb:a@b:c", AERO_SERVER_LMDB},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_server server = {0};
		struct aero_err err = {{0}};

		assert_int_equal(
			aero_server_parse(rows[i].server, 27017, &server, &err), AERO_OK);
		assert_string_equal(server.uri, rows[i].uri);
		assert_string_equal(server.name, rows[i].name);
		assert_int_equal(server.kind, rows[i].kind);
		aero_server_clear(&server);
	}
}

static void other_servers_are_refused_with_the_forms(void **state)
{
	static const char *const rows[] = {"", ":27017", "host:", "host:0", "host:65536",
		"host:x", "host:1x", "host:+1", "host: 1", "a b", "a/b", "a,b",
		"host:1:2", "[::1", "[::1]x", "[::1]:", "[nonsense]", "[]", "::1]",
		"http://x", "lmdb:", "mongodb://", "mongodb+srv://", "host\n",
		"fe80::1%eth0"};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_server server = {0};
		struct aero_err err = {{0}};

		if (aero_server_parse(rows[i], 27017, &server, &err) != AERO_CONFIG)
			fail_msg("'%s' was taken", rows[i]);
		assert_null(server.uri);
		assert_null(server.name);
		assert_int_equal(strncmp(err.msg, "server '", 8), 0);
	}
}

static void no_password_is_ever_shown(void **state)
{
	static const struct {
		const char *server, *name; /* NULL: refused */
	} rows[] = {
		{"mongodb://user:SECRET@h1:1,h2/db", "mongodb://h1:1,h2/db"},
		{"mongodb+srv://user:SECRET@c.example.com/?tls=true",
			"mongodb+srv://c.example.com/"},
		{"mongodb://u:SE%40CRET@h", "mongodb://h"},
		{"mongodb://u:x@SECRET@h/", "mongodb://h/"},
		/* Not escaped as it has to be: the driver refuses these; we show none. */
		{"mongodb://u:a/SECRET@h/", "mongodb://(hidden)"},
		{"mongodb://u:a?SECRET@h/", "mongodb://(hidden)"},
		{"mongodb://u:a@b/SECRET@h/", "mongodb://(hidden)"},
		{"mongodb://u:a#SECRET@h/", "mongodb://(hidden)"},
		{"mongodb://h/?tlsCertificateKeyFilePassword=SECRET", "mongodb://h/"},
		{"mongodb://h?authMechanismProperties=AWS_SESSION_TOKEN:SECRET",
			"mongodb://h"},
		{"mongodb://h/?a=SECRET@b", "mongodb://(hidden)"},
		{"user:SECRET@host", NULL},
		{"http://user:SECRET@host", NULL},
		{"mongodb//user:SECRET@host", NULL},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_server server = {0};
		struct aero_err err = {{0}};
		int rc = aero_server_parse(rows[i].server, 27017, &server, &err);

		assert_int_equal(rc, rows[i].name == NULL ? AERO_CONFIG : AERO_OK);
		assert_null(strstr(err.msg, "SECRET"));
		if (rows[i].name != NULL)
			assert_string_equal(server.name, rows[i].name);
		aero_server_clear(&server);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_read_as_documented),
		cmocka_unit_test(other_servers_are_refused_with_the_forms),
		cmocka_unit_test(no_password_is_ever_shown),
	};

	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
