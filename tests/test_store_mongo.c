/* SPDX-License-Identifier: MIT */
/* The MongoDB store: the suite of all stores on a standalone and on a set, and what only
 * a server can do to a write. tests/e2e/store_mongo.sh starts the servers and says where
 * they are: AEROSTAT_TEST_ALONE, AEROSTAT_TEST_SET. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/support.h"
#include "tests/mongo_env.h"
#include "tests/store_suite.h"

static struct aero_store *open_store(bool read_only)
{
	struct aero_store_opts opts = {.server = mongo_uri,
		.database = mongo_database,
		.role = "test",
		.read_only = read_only};
	struct aero_store *store = NULL;

	return aero_store_open(&opts, &store, NULL) == AERO_OK ? store : NULL;
}

static void load(bson_t *const docs[], size_t n)
{
	mongoc_collection_t *c = mongo_servers(mongo_admin);
	bson_error_t error = {0};

	(void)mongoc_collection_drop(c, NULL);
	for (size_t i = 0; i < n; i++)
		if (!mongoc_collection_insert_one(c, docs[i], NULL, NULL, &error))
			print_error("load: %s\n", error.message);
	mongoc_collection_destroy(c);
}

/* ---- filters and queries ---- */

static void claim(const char *service, const char *id, int rc, const char *hostname)
{
	struct aero_slot *who = suite_slot("", "", id, "10.0.0.9", NULL), slot = {0};
	struct aero_slot_change put = {.who = &who->who, .reg = 3};

	SUITE_RC(aero_store_slot_claim(suite_store, service, NULL, &put, &slot, err), rc);
	if (rc == AERO_OK)
		assert_string_equal(slot.hostname, hostname);
	aero_slot_clear(&slot);
}

static void a_claim_keeps_to_its_service(void **state)
{
	(void)state;
	/* The collation that counts takes web1 and web01 for equal. */
	suite_insert(suite_store, suite_slot("web01-0", "web01", "", "", NULL));
	suite_insert(suite_store, suite_slot("web.1-0", "web.1", "", "", NULL));
	suite_insert(suite_store, suite_slot("web+1-0", "web+1", "", "", NULL));
	claim("web1", "i-1", AERO_MISS, NULL);
	suite_insert(suite_store, suite_slot("web1-0", "web1", "", "", NULL));
	claim("web1", "i-1", AERO_OK, "web1-0");
	claim("web.1", "i-2", AERO_OK, "web.1-0");
	claim("web+1", "i-3", AERO_OK, "web+1-0");
	claim("web01", "i-4", AERO_OK, "web01-0");
}

static void a_claim_looks_at_its_own_gaps_alone(void **state)
{
	bson_t reply;
	bson_iter_t it, at;
	char *json;

	(void)state;
	suite_insert_blank(suite_store, "web", 50);
	suite_insert_blank(suite_store, "mail", 50);
	mongo_run(mongo_database,
		"{\"explain\": {\"findAndModify\": \"servers\", \"query\": {\"service\": "
		"{\"$eq\": \"web\", \"$regex\": \"^web$\", \"$options\": \"s\"}, "
		"\"instance_id\": \"\", \"hostname\": {\"$gt\": \"\", \"$ne\": "
		"\"web-0\"}}, "
		"\"sort\": {\"hostname\": 1}, \"update\": {\"$set\": {\"ip\": \"\"}}, "
		"\"collation\": {\"locale\": \"en\", \"numericOrdering\": true}}, "
		"\"verbosity\": \"executionStats\"}",
		&reply);
	json = bson_as_relaxed_extended_json(&reply, NULL);
	assert_true(
		bson_iter_init(&it, &reply) &&
		bson_iter_find_descendant(&it, "executionStats.totalDocsExamined", &at));
	if (strstr(json, "aero_gap") == NULL || bson_iter_as_int64(&at) > 2)
		fail_msg("%s", json);
	bson_free(json);
	bson_destroy(&reply);
}

static void an_old_reg_of_any_kind_counts_as_none(void **state)
{
	static const char *const regs[] = {"null", "\"x\"", "0", "{}"};
	struct aero_slot_match match = {.hostname = "old-0", .match_reg = true};
	struct aero_slot_change blank = {.blank = true};
	char json[512];

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(regs); i++) {
		mongo_reset();
		(void)snprintf(json, sizeof(json),
			"{\"insert\": \"servers\", \"documents\": [{\"hostname\": "
			"\"old-0\", "
			"\"instance_id\": \"i-0\", \"reg\": %s}]}",
			regs[i]);
		mongo_run(mongo_database, json, NULL);
		SUITE_RC(aero_store_slot_update(suite_store, &match, &blank, err),
			AERO_OK);
	}
}

static void an_alias_that_is_no_array_stops_nobody(void **state)
{
	struct aero_list mine = {0};

	(void)state;
	mongo_run(mongo_database,
		"{\"insert\": \"servers\", \"documents\": [{\"hostname\": \"a\", "
		"\"aliases\": "
		"\"x\"}, {\"hostname\": \"b\", \"aliases\": null}, {\"hostname\": "
		"\"c\"}, "
		"{\"hostname\": \"d\", \"aliases\": [\"x\", 5, null, \"y\"]}]}",
		NULL);
	assert_true(aero_list_add(&mine, "x"));
	SUITE_RC(aero_store_aliases_take(suite_store, &mine, "i-4", err), AERO_OK);
	assert_non_null(strstr(mongo_show("d"), "[ 5, null, \"y\" ]"));
	assert_non_null(strstr(mongo_show("a"), "\"aliases\" : \"x\""));
	aero_list_clear(&mine);
}

static void indexes_that_are_others_are_named(void **state)
{
	struct aero_err err = {{0}};

	(void)state;
	mongo_run(mongo_database, "{\"drop\": \"servers\"}", NULL);
	assert_int_equal(aero_store_indexes_check(suite_store, &err), AERO_MISS);
	assert_non_null(strstr(err.msg, "aero_hostname, aero_instance, aero_gap"));
	mongo_run(mongo_database,
		"{\"createIndexes\": \"servers\", \"indexes\": [{\"key\": {\"hostname\": "
		"1}, "
		"\"name\": \"aero_hostname\"}]}",
		NULL);
	assert_int_equal(aero_store_indexes_check(suite_store, &err), AERO_MISS);
	assert_int_equal(aero_store_indexes_create(suite_store, &err), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "drop it"));
	mongo_run(mongo_database, "{\"drop\": \"servers\"}", NULL);
}

/* ---- writes that go wrong ---- */

static void fail_point(const char *name, const char *mode, const char *data)
{
	char json[512];

	(void)snprintf(json, sizeof(json),
		"{\"configureFailPoint\": \"%s\", \"mode\": %s, \"data\": %s}", name,
		mode, data);
	mongo_run("admin", json, NULL);
}

static int put(struct aero_store *store, const char *ip, struct aero_err *err)
{
	struct aero_slot *who = suite_slot("", "", "i-0", ip, NULL);
	struct aero_slot_match match = {.hostname = "web-0"};
	struct aero_slot_change change = {.who = &who->who, .reg = 1};

	return aero_store_slot_update(store, &match, &change, err);
}

static bool has_ip(const char *ip)
{
	return strstr(mongo_show("web-0"), ip) != NULL;
}

static void what_a_failed_write_answers(void **state)
{
#define DATA(more) \
	"{\"failCommands\": [\"update\"], \"appName\": \"aerostat-test\", " more "}"
	static const struct {
		const char *times, *data;
		int rc;
		bool applied;
	} rows[] = {
		{"1", DATA("\"closeConnection\": true"), AERO_OK, true},
		{"2", DATA("\"closeConnection\": true"), AERO_AMBIGUOUS, false},
		{"1", DATA("\"errorCode\": 262"), AERO_OK, true}, /* tried again */
		{"1", DATA("\"errorCode\": 50"), AERO_AMBIGUOUS, false},
		{"1", DATA("\"writeConcernError\": {\"code\": 64, \"errmsg\": \"late\"}"),
			AERO_AMBIGUOUS, true},
		{"1", DATA("\"errorCode\": 13"), AERO_PERM, false},
		{"1", DATA("\"errorCode\": 121"), AERO_DB, false},
	};
	char mode[32], ip[32];
	struct aero_err words = {{0}};

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		(void)snprintf(mode, sizeof(mode), "{\"times\": %s}", rows[i].times);
		(void)snprintf(ip, sizeof(ip), "10.0.1.%zu", i + 1);
		fail_point("failCommand", mode, rows[i].data);
		SUITE_RC(put(suite_store, ip, err), rows[i].rc);
		fail_point("failCommand", "\"off\"", "{}");
		if (has_ip(ip) != rows[i].applied)
			fail_msg("row %zu: %s", i, mongo_show("web-0"));
		if (rows[i].rc == AERO_OK)
			continue;
		/* The next one is an ordinary one again. */
		if (put(suite_store, "10.0.0.1", &words) != AERO_OK)
			fail_msg("after row %zu: %s", i, words.msg);
	}
}

static void an_unreachable_server_was_sent_nothing(void **state)
{
	struct aero_store_opts opts = {
		.server = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200"};
	struct aero_node none = {0};
	struct aero_store *store = NULL;

	(void)state;
	SUITE_RC(aero_store_open(&opts, &store, err), AERO_OK);
	SUITE_RC(aero_store_ping(store, err), AERO_NET);
	SUITE_RC(aero_store_node_update(store, "i", &none, false, false, NULL, err),
		AERO_NET);
	aero_store_close(store);
}

/* Both tries of a write are held back on the server until our socket gave up, and would
 * land when nobody waits for them. A later write of the same store keeps them out. */
static void a_late_write_is_fenced_by_the_next(void **state)
{
	struct aero_store *store = mongo_open("socketTimeoutMS=500");
	struct aero_node none = {0};
	struct timespec wait = {2, 500 * 1000 * 1000};

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	SUITE_RC(put(store, "10.0.0.1", err), AERO_OK);
	for (int fence = 0; fence < 2; fence++) {
		fail_point("failCommand", "{\"times\": 2}",
			"{\"failCommands\": [\"update\"], \"appName\": "
			"\"aerostat-test\", "
			"\"blockConnection\": true, \"blockTimeMS\": 2000}");
		SUITE_RC(
			put(store, fence ? "10.0.0.3" : "10.0.0.2", err), AERO_AMBIGUOUS);
		if (fence)
			SUITE_RC(aero_store_node_update(
					 store, "i-0", &none, false, false, NULL, err),
				AERO_OK);
		(void)nanosleep(&wait, NULL);
		fail_point("failCommand", "\"off\"", "{}");
		if (!has_ip("10.0.0.2")) /* the second never; the first landed late */
			fail_msg("fence %d: %s", fence, mongo_show("web-0"));
	}
	aero_store_close(store);
}

/* ---- the transaction ---- */

static int change_over(struct aero_err *err)
{
	struct aero_slot *p = suite_slot("", "", "p", "10.0.0.2", NULL);
	struct aero_slot *m = suite_slot("", "", "m", "10.0.0.1", NULL);
	struct aero_change_over change = {.service = "db",
		.epoch = 1,
		.hostname = "db-slave-1",
		.promote = &p->who,
		.master_hostname = "db-master",
		.master = &m->who,
		.new_reg = 7};

	return aero_store_change_over(suite_store, &change, err);
}

static bool is_master(const char *id)
{
	return strstr(mongo_show("db-master"), id) != NULL;
}

static void what_a_failed_transaction_answers(void **state)
{
#define FAIL(commands, more) \
	"{\"failCommands\": [" commands "], \"appName\": \"aerostat-test\", " more "}"
#define TRANSIENT "\"errorLabels\": [\"TransientTransactionError\"]"
	static const struct {
		const char *mode, *data;
		int rc;
		bool applied;
	} rows[] = {
		/* Another one writes the same documents; the connection goes. */
		{"{\"times\": 3}",
			FAIL("\"findAndModify\"", "\"errorCode\": 112, " TRANSIENT),
			AERO_OK, true},
		{"{\"times\": 1}", FAIL("\"update\"", "\"closeConnection\": true"),
			AERO_OK, true},
		{"{\"times\": 1}", FAIL("\"find\"", "\"closeConnection\": true"), AERO_OK,
			true},
		/* The commit: once, for long, and given up by the server. */
		{"{\"times\": 1}",
			FAIL("\"commitTransaction\"", "\"closeConnection\": true"),
			AERO_OK, true},
		{"{\"times\": 3}", FAIL("\"commitTransaction\"", "\"errorCode\": 50"),
			AERO_OK, true},
		{"{\"times\": 1}",
			FAIL("\"commitTransaction\"",
				"\"writeConcernError\": {\"code\": 64, \"errmsg\": "
				"\"late\"}"),
			AERO_OK, true},
		{"{\"times\": 1}",
			FAIL("\"commitTransaction\"", "\"errorCode\": 251, " TRANSIENT),
			AERO_OK, true},
		{"\"alwaysOn\"",
			FAIL("\"commitTransaction\"", "\"closeConnection\": true"),
			AERO_AMBIGUOUS, false},
		{"\"alwaysOn\"",
			FAIL("\"findAndModify\"", "\"errorCode\": 112, " TRANSIENT),
			AERO_NET, false},
		/* Refusals. */
		{"{\"times\": 1}", FAIL("\"update\"", "\"errorCode\": 13"), AERO_PERM,
			false},
		{"{\"times\": 1}", FAIL("\"update\"", "\"errorCode\": 263"), AERO_REFUSED,
			false},
	};
	struct aero_node node;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		mongo_reset();
		suite_insert(suite_store,
			suite_slot("db-master", "db", "m", "10.0.0.1", NULL));
		suite_insert(suite_store,
			suite_slot("db-slave-1", "db", "p", "10.0.0.2", NULL));
		fail_point("failCommand", rows[i].mode, rows[i].data);
		suite_err.msg[0] = '\0';
		if (change_over(&suite_err) != rows[i].rc)
			fail_msg("row %zu: %s", i, suite_err.msg);
		fail_point("failCommand", "\"off\"", "{}");
		/* The next write of the store settles it, however the answer was. */
		SUITE_RC(aero_store_node(suite_store, "x", &node, err), AERO_OK);
		SUITE_RC(aero_store_node_update(
				 suite_store, "x", &node, false, false, NULL, err),
			AERO_OK);
		if (is_master("\"p\"") != rows[i].applied)
			fail_msg("row %zu: %s", i, mongo_show("db-master"));
		if (rows[i].applied)
			continue;
		/* Nothing holds it up, or the documents. */
		SUITE_RC(change_over(err), AERO_OK);
		assert_true(is_master("\"p\""));
	}
}

static void words_show_no_password(void **state)
{
	static const char *const servers[] = {
		"mongodb://user:s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=100",
		"mongodb://user:s3cret@x@127.0.0.1:1/?serverSelectionTimeoutMS=100",
		"mongodb://user:1/s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=100",
		"mongodb://user:s3cret%@127.0.0.1:1/",
		"mongodb://user:s3cret@127.0.0.1:1/?w=0",
		"mongodb://user:s3cret@127.0.0.1:1/?readPreference=s3cret",
		"mongodb://user:s3cret@127.0.0.1:99999/",
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(servers); i++) {
		struct aero_store_opts opts = {.server = servers[i]};
		struct aero_store *store = NULL;
		struct aero_err err = {{0}};
		int rc = aero_store_open(&opts, &store, &err);

		if (rc == AERO_OK) {
			assert_int_equal(aero_store_ping(store, &err), AERO_NET);
			assert_null(strstr(aero_store_name(store), "s3cret"));
		} else {
			assert_int_equal(rc, AERO_CONFIG);
		}
		assert_true(*err.msg != '\0');
		if (strstr(err.msg, "s3cret") != NULL)
			fail_msg("row %zu: %s", i, err.msg);
		aero_store_close(store);
	}
}

/* One member named by its port leads to the set and its primary, whichever it is. */
static void one_member_leads_to_the_set(void **state)
{
	const char *at = strstr(mongo_uri, "://") + 3;
	size_t found = 0;

	(void)state;
	while (*at != '\0' && *at != '/') {
		char host[64];
		size_t len = strcspn(at, ",/");
		struct aero_store_opts opts = {
			.server = host, .port = 1, .database = mongo_database};
		struct aero_store *store = NULL;
		struct aero_node node = {0};

		(void)snprintf(host, sizeof(host), "%.*s", (int)len, at);
		at += len + (at[len] == ',');
		SUITE_RC(aero_store_open(&opts, &store, err), AERO_OK);
		SUITE_RC(aero_store_node(store, "seed", &node, err), AERO_OK);
		SUITE_RC(aero_store_node_update(
				 store, "seed", &node, false, false, NULL, err),
			AERO_OK);
		aero_store_close(store);
		found++;
	}
	assert_int_equal(found, 3);
}

static const struct CMUnitTest mongo_tests[] = {
	SUITE_TEST(a_claim_keeps_to_its_service),
	SUITE_TEST(a_claim_looks_at_its_own_gaps_alone),
	SUITE_TEST(an_old_reg_of_any_kind_counts_as_none),
	SUITE_TEST(an_alias_that_is_no_array_stops_nobody),
	SUITE_TEST(indexes_that_are_others_are_named),
	SUITE_TEST(what_a_failed_write_answers),
	SUITE_TEST(an_unreachable_server_was_sent_nothing),
	SUITE_TEST(a_late_write_is_fenced_by_the_next),
	SUITE_TEST(what_a_failed_transaction_answers),
	SUITE_TEST(words_show_no_password),
	SUITE_TEST(one_member_leads_to_the_set),
};

static int run(const char *name, const char *variable, bool set)
{
	struct store_suite_env env = {.name = name,
		.reset = mongo_reset,
		.open = open_store,
		.load = load,
		.no_transactions = !set};
	int failed = 0;

	mongo_begin(variable);
	suite_env = &env;
	if (set)
		failed = cmocka_run_group_tests_name(
			"MongoDB only", mongo_tests, NULL, NULL);
	if (getenv("MONGO_ONLY") == NULL)
		failed += store_suite_run(&env);
	mongo_end();
	return failed;
}

int main(void)
{
	int failed = getenv("MONGO_ONLY") == NULL
			     ? run("standalone", "AEROSTAT_TEST_ALONE", false)
			     : 0;

	return failed + run("set", "AEROSTAT_TEST_SET", true);
}
