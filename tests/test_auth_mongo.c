/* SPDX-License-Identifier: MIT */
/* Users with no more rights than they need, on a set with access control
 * (AEROSTAT_TEST_AUTH, as root). */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/support.h"
#include "tests/mongo_env.h"
#include "tests/store_suite.h"

#define ON(collection, actions) \
	"{\"resource\": {\"db\": \"%1$s\", \"collection\": \"" collection "\"}, " \
	"\"actions\": [" actions "]}"

static const struct {
	const char *user, *privileges;
} users[] = {
	{"sync", ON("servers", "\"find\", \"changeStream\"")},
	{"blind", ON("servers", "\"find\"")},
	{"register", ON("servers", "\"find\", \"insert\", \"update\"") ", " ON("control",
			     "\"find\", \"insert\", \"update\"") ", " ON("nodes",
			     "\"find\", \"insert\", \"update\"")},
};

static const char *hosts;

/* Roles and users, in the test's own database. */
static void make_users(void)
{
	char privileges[1024], text[2048];

	for (size_t i = 0; i < AERO_COUNT(users); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(privileges, sizeof(privileges), users[i].privileges,
			mongo_database);
#pragma GCC diagnostic pop
		(void)snprintf(text, sizeof(text),
			"{\"createRole\": \"%s\", \"privileges\": [%s], \"roles\": []}",
			users[i].user, privileges);
		mongo_run(mongo_database, text, NULL);
		(void)snprintf(text, sizeof(text),
			"{\"createUser\": \"%s\", \"pwd\": \"s3cret\", \"roles\": "
			"[\"%s\"]}",
			users[i].user, users[i].user);
		mongo_run(mongo_database, text, NULL);
	}
}

static struct aero_store *open_as(const char *user, const char *password)
{
	char server[512];
	struct aero_store_opts opts = {
		.server = server, .database = mongo_database, .role = "test"};
	struct aero_store *store = NULL;

	(void)snprintf(server, sizeof(server), "mongodb://%s:%s@%s/%s", user, password,
		hosts, mongo_database);
	SUITE_RC(aero_store_open(&opts, &store, err), AERO_OK);
	return store;
}

/* It is refused, and says what is missing. */
#define REFUSED(call, words) \
	do { \
		struct aero_err refusal = {{0}}, *err = &refusal; \
		assert_int_equal((call), AERO_PERM); \
		if (strstr(refusal.msg, words) == NULL) \
			fail_msg("%s", refusal.msg); \
		assert_null(strstr(refusal.msg, "s3cret")); \
	} while (0)

static void a_reader_may_follow_and_no_more(void **state)
{
	struct aero_watch_opts opts = {.poll_interval = 1};
	struct aero_store *store = open_as("sync", "s3cret"), *root = mongo_open(NULL);
	struct aero_watch *watch = NULL;
	struct aero_batch batch = {0};
	struct aero_slots slots = {0};
	struct aero_node node = {0};

	(void)state;
	SUITE_RC(aero_store_ping(store, err), AERO_OK);
	/* There is no collection, and it may not make one. */
	SUITE_RC(aero_watch_open(store, &opts, &watch, err), AERO_OK);
	assert_string_equal(aero_watch_mode(watch), "stream");
	SUITE_RC(aero_watch_next(watch, 2000, &batch, err), AERO_OK);
	assert_int_equal(batch.kind, AERO_BATCH_FULL);
	aero_batch_clear(&batch);
	suite_insert(root, suite_slot("web-0", "web", "", "", NULL));
	SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
	assert_int_equal(batch.n, 1);
	aero_batch_clear(&batch);
	aero_watch_close(watch);
	SUITE_RC(aero_store_slots(store, NULL, &slots, err), AERO_OK);
	assert_int_equal(slots.n, 1);
	REFUSED(aero_store_node(store, "i", &node, err),
		"collection: 'nodes'}, actions: ['find']");
	REFUSED(aero_store_slots_insert(store, slots.v, 1, err), "actions: ['insert']");
	aero_slots_clear(&slots);
	aero_store_close(store);
	aero_store_close(root);
}

static void without_the_stream_s_right_it_says_so(void **state)
{
	struct aero_watch_opts opts = {.poll_interval = 1};
	struct aero_store *store = open_as("blind", "s3cret");
	struct aero_watch *watch = NULL;
	struct aero_batch batch = {0};

	(void)state;
	REFUSED(aero_watch_open(store, &opts, &watch, err), "'changeStream'");
	opts.force_poll = true;
	SUITE_RC(aero_watch_open(store, &opts, &watch, err), AERO_OK);
	SUITE_RC(aero_watch_next(watch, 2000, &batch, err), AERO_OK);
	assert_int_equal(batch.kind, AERO_BATCH_POLL);
	aero_batch_clear(&batch);
	aero_watch_close(watch);
	aero_store_close(store);
}

static void a_registrar_does_all_but_indexes(void **state)
{
	struct aero_store *store = open_as("register", "s3cret");
	struct aero_slot *who = suite_slot("", "", "i-1", "10.0.0.1", "al"), slot = {0};
	struct aero_slot_change put = {.who = &who->who, .reg = 3};
	struct aero_node node = {0};
	struct aero_list aliases = {0};

	(void)state;
	mongo_reset();
	assert_true(aero_list_add(&aliases, "al"));
	suite_insert_blank(store, "web", 2);
	SUITE_RC(aero_store_slot_claim(store, "web", NULL, &put, &slot, err), AERO_OK);
	SUITE_RC(aero_store_aliases_take(store, &aliases, "i-1", err), AERO_OK);
	SUITE_RC(aero_store_slot_import(store, suite_slot("x", "x", "", "", NULL), err),
		AERO_OK);
	SUITE_RC(aero_store_node_update(store, "i-1", &node, false, false, NULL, err),
		AERO_OK);
	SUITE_RC(aero_store_control_open(store, "db", 1, &who->who, NULL, err), AERO_OK);
	SUITE_RC(aero_store_control_close(store, "db", 1, err), AERO_OK);
	REFUSED(aero_store_indexes_create(store, err), "'createIndex'");
	REFUSED(aero_store_indexes_check(store, err), "'listIndexes'");
	aero_list_clear(&aliases);
	aero_slot_clear(&slot);
	aero_store_close(store);
}

static void a_wrong_password_is_no_network_error(void **state)
{
	struct aero_store *store = open_as("sync", "s3cretx");
	struct aero_watch_opts opts = {.poll_interval = 1};
	struct aero_watch *watch = NULL;
	struct aero_slots slots = {0};

	(void)state;
	REFUSED(aero_store_ping(store, err), "authentication failed");
	REFUSED(aero_store_slots(store, NULL, &slots, err), "authentication failed");
	REFUSED(aero_watch_open(store, &opts, &watch, err), "authentication failed");
	aero_store_close(store);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_reader_may_follow_and_no_more),
	cmocka_unit_test(without_the_stream_s_right_it_says_so),
	cmocka_unit_test(a_registrar_does_all_but_indexes),
	cmocka_unit_test(a_wrong_password_is_no_network_error),
};

int main(void)
{
	static char copy[256];
	int failed;

	mongo_begin("AEROSTAT_TEST_AUTH");
	(void)snprintf(copy, sizeof(copy), "%s", strchr(mongo_uri, '@') + 1);
	copy[strcspn(copy, "/")] = '\0';
	hosts = copy;
	make_users();
	failed = cmocka_run_group_tests_name("least privilege", tests, NULL, NULL);
	mongo_end();
	return failed;
}
