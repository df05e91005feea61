/* SPDX-License-Identifier: MIT */
/* What needs no server of the MongoDB store: events, tokens, merging, errors. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/support.h"
#include "lib/watch_mongo.h"

static bson_t *json(const char *text)
{
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)text, -1, &error);

	if (doc == NULL)
		fail_msg("%s: %s", text, error.message);
	return doc;
}

/* doc is this, given as JSON; NULL = there is none. */
static void expect_doc(const bson_t *doc, const char *want)
{
	bson_t *wanted;

	if (want == NULL) {
		assert_null(doc);
		return;
	}
	assert_non_null(doc);
	wanted = json(want);
	if (!bson_equal(doc, wanted)) {
		char *have = bson_as_relaxed_extended_json(doc, NULL);

		fail_msg("%s, not %s", have, want);
	}
	bson_destroy(wanted);
}

/* ---- events ---- */

#define TOKEN "\"_id\": {\"_data\": \"82aa\"}, "
#define KEY "\"documentKey\": {\"shard\": 1, \"_id\": 7}, "
#define TIME "\"clusterTime\": {\"$timestamp\": {\"t\": 5, \"i\": 6}}"
#define UPDATE(description) \
	"{" TOKEN KEY TIME \
	", \"operationType\": \"update\", \"updateDescription\": {" description "}}"

static void events_are_read(void **state)
{
	static const struct {
		const char *event;
		enum aero_mongo_event_kind kind;
		const char *doc, *set, *unset;
	} rows[] = {
		{"{" TOKEN KEY TIME
		 ", \"operationType\": \"insert\", \"fullDocument\": {\"a\": 1}}",
			AERO_MONGO_CHANGE, "{\"a\": 1}", NULL, NULL},
		{"{" TOKEN KEY TIME
		 ", \"operationType\": \"replace\", \"fullDocument\": {}}",
			AERO_MONGO_CHANGE, "{}", NULL, NULL},
		{"{" TOKEN KEY TIME ", \"operationType\": \"delete\"}", AERO_MONGO_CHANGE,
			NULL, NULL, NULL},
		{UPDATE("\"updatedFields\": {\"a\": [1]}, \"removedFields\": [\"b\"]"),
			AERO_MONGO_CHANGE, NULL, "{\"a\": [1]}", "b"},
		{UPDATE("\"updatedFields\": {}, \"removedFields\": [], "
			"\"truncatedArrays\": []"),
			AERO_MONGO_CHANGE, NULL, "{}", NULL},
		{UPDATE("\"removedFields\": [\"b\"]"), AERO_MONGO_CHANGE, NULL, "{}",
			"b"},
		/* Too little to go by. */
		{UPDATE("\"updatedFields\": {\"a.0\": 1}"), AERO_MONGO_REREAD, NULL, NULL,
			NULL},
		{UPDATE("\"updatedFields\": {\"a\": 1}, \"removedFields\": [\"b.c\"]"),
			AERO_MONGO_REREAD, NULL, NULL, NULL},
		{UPDATE("\"removedFields\": [\"b\", 5]"), AERO_MONGO_REREAD, NULL, NULL,
			NULL},
		{UPDATE("\"truncatedArrays\": [{\"field\": \"a\", \"newSize\": 1}]"),
			AERO_MONGO_REREAD, NULL, NULL, NULL},
		{"{" TOKEN KEY TIME ", \"operationType\": \"update\"}", AERO_MONGO_REREAD,
			NULL, NULL, NULL},
		{"{" TOKEN KEY TIME
		 ", \"operationType\": \"insert\", \"fullDocument\": null}",
			AERO_MONGO_REREAD, NULL, NULL, NULL},
		{"{" TOKEN KEY TIME ", \"operationType\": \"replace\", "
		 "\"fullDocument\": {\"_id\": 7.0}}",
			AERO_MONGO_END, NULL, NULL, NULL},
		{"{" TOKEN TIME ", \"operationType\": \"drop\"}", AERO_MONGO_END, NULL,
			NULL, NULL},
		{"{" TOKEN TIME ", \"operationType\": \"rename\"}", AERO_MONGO_END, NULL,
			NULL, NULL},
		{"{" TOKEN TIME ", \"operationType\": \"dropDatabase\"}", AERO_MONGO_END,
			NULL, NULL, NULL},
		{"{" TOKEN TIME ", \"operationType\": \"invalidate\"}", AERO_MONGO_END,
			NULL, NULL, NULL},
		{"{" TOKEN TIME ", \"operationType\": \"createIndexes\"}",
			AERO_MONGO_IGNORED, NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		bson_t *event = json(rows[i].event);
		struct aero_mongo_event e;
		bool change = rows[i].kind == AERO_MONGO_CHANGE ||
			      rows[i].kind == AERO_MONGO_REREAD;

		assert_true(aero_mongo_event_of(event, &e));
		assert_int_equal(e.kind, rows[i].kind);
		assert_true(e.time == ((uint64_t)5 << 32 | 6));
		expect_doc(e.token, "{\"_data\": \"82aa\"}");
		expect_doc(e.change.id, change ? "{\"_id\": 7}" : NULL);
		expect_doc(e.change.doc, rows[i].doc);
		expect_doc(e.change.set, rows[i].set);
		assert_int_equal(e.change.unset.n, rows[i].unset != NULL);
		if (rows[i].unset != NULL)
			assert_string_equal(e.change.unset.v[0], rows[i].unset);
		assert_null(e.txn);
		aero_mongo_event_clear(&e);
		bson_destroy(event);
	}
}

static void what_is_no_event_is_refused(void **state)
{
	static const char *const rows[] = {
		"{}",
		"{" KEY TIME ", \"operationType\": \"delete\"}",
		"{" TOKEN KEY TIME "}",
		"{" TOKEN KEY TIME ", \"operationType\": 5}",
		"{" TOKEN TIME ", \"operationType\": \"delete\"}",
		"{" TOKEN TIME
		", \"documentKey\": {\"x\": 1}, \"operationType\": \"delete\"}",
		"{\"_id\": 5, " KEY TIME ", \"operationType\": \"delete\"}",
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		bson_t *event = json(rows[i]);
		struct aero_mongo_event e = {0};

		assert_false(aero_mongo_event_of(event, &e));
		assert_null(e.token);
		bson_destroy(event);
	}
}

static void a_transaction_has_two_marks(void **state)
{
	static const struct {
		const char *more, *txn;
	} rows[] = {
		{"\"lsid\": {\"id\": 1}, \"txnNumber\": 2",
			"{\"lsid\": {\"id\": 1}, \"txnNumber\": 2}"},
		{"\"lsid\": {\"id\": 1}", NULL},
		{"\"txnNumber\": 2", NULL},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_mongo_event e;
		bson_t *event;

		(void)snprintf(text, sizeof(text),
			"{" TOKEN KEY TIME ", \"operationType\": \"delete\", %s}",
			rows[i].more);
		event = json(text);
		assert_true(aero_mongo_event_of(event, &e));
		expect_doc(e.txn, rows[i].txn);
		aero_mongo_event_clear(&e);
		bson_destroy(event);
	}
}

/* ---- tokens ---- */

static void a_token_tells_its_time(void **state)
{
	static const struct {
		const char *token;
		uint64_t time;
	} rows[] = {
		{"{\"_data\": \"820000000A0000000b2B02\"}", (uint64_t)10 << 32 | 11},
		{"{\"_data\": \"82FFFFFFFFfffffffe\"}", UINT64_MAX - 1},
		{"{\"_data\": \"820000000A0000000\"}", 0},
		{"{\"_data\": \"810000000A0000000b2B02\"}", 0},
		{"{\"_data\": \"820000000A000x000b2B02\"}", 0},
		{"{\"_data\": 5}", 0},
		{"{}", 0},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		bson_t *token = json(rows[i].token);

		assert_true(aero_mongo_token_time(token) == rows[i].time);
		bson_destroy(token);
	}
}

static void a_token_fits_its_origin_alone(void **state)
{
	static const struct {
		const char *server, *database;
	} others[] = {{"mongodb://b", "aerostat"}, {"mongodb://a", "other"},
		{"mongodb://aaero", "stat"}};
	struct aero_mongo_origin here = {"mongodb://a", "aerostat", {{{0}}, 0}}, there;
	struct aero_position position = {0}, cut;
	bson_t *token = json("{\"_data\": \"82aa\"}"), view, with;
	bson_t *hosts = json("{\"hosts\": {\"db\": [\"10.0.0.1\"]}}");
	unsigned char process[AERO_MONGO_PROCESS_LEN] = {0};

	(void)state;
	for (size_t known = 0; known < 3; known++) {
		assert_true(aero_mongo_token_pack(token, NULL, &here, 9, &position));
		assert_true(position.source_time == 9);
		there = (struct aero_mongo_origin){
			here.server, here.database, {{{0}}, 7}};
		assert_true(aero_mongo_token_unpack(&position, &there, &view, NULL));
		assert_true(bson_equal(&view, token));
		assert_memory_equal(&there.known, &here.known, sizeof(here.known));
		for (size_t i = 0; i < AERO_COUNT(others); i++) {
			there.server = others[i].server;
			there.database = others[i].database;
			assert_false(
				aero_mongo_token_unpack(&position, &there, &view, NULL));
		}
		for (cut = position; cut.token_len-- > 0;)
			assert_false(aero_mongo_token_unpack(&cut, &here, &view, NULL));
		/* the servers that last worked go along */
		assert_true(aero_mongo_token_pack(token, hosts, &here, 9, &position));
		assert_true(aero_mongo_token_unpack(&position, &here, &view, &with));
		assert_true(bson_equal(&view, token) && bson_equal(&with, hosts));
		position.token_len--; /* they are not needed */
		assert_true(aero_mongo_token_unpack(&position, &here, &view, &with));
		assert_true(bson_equal(&view, token) && bson_empty(&with));
		process[0]++;
		aero_mongo_known_add(&here.known, process);
	}
	bson_destroy(hosts);
	aero_position_clear(&position);
	bson_destroy(token);
}

static void the_latest_processes_are_known(void **state)
{
	bson_t *old = json("{\"ok\": 1}");
	bson_t *hello = json("{\"topologyVersion\": {\"processId\": "
			     "{\"$oid\": \"0102030405060708090a0b0c\"}}}");
	unsigned char process[AERO_MONGO_PROCESS_LEN] = {0};
	struct aero_mongo_known known = {{{0}}, 0};

	(void)state;
	assert_false(aero_mongo_process_of(old, process));
	assert_true(aero_mongo_process_of(hello, process));
	assert_memory_equal(process, "\1\2\3\4\5\6\7\10\11\12\13\14", 12);
	for (unsigned char i = 0; i < 20; i++) {
		process[0] = i;
		aero_mongo_known_add(&known, process);
		aero_mongo_known_add(&known, process);
	}
	assert_int_equal(known.n, AERO_MONGO_KNOWN_MAX);
	for (unsigned char i = 0; i < 20; i++) {
		process[0] = i;
		assert_true(aero_mongo_known_has(&known, process) ==
			    (i >= 20 - AERO_MONGO_KNOWN_MAX));
	}
	bson_destroy(old);
	bson_destroy(hello);
}

/* ---- merging ---- */

static void add(struct aero_batch *batch, int id, const char *doc, const char *set)
{
	struct aero_change change = {.id = bson_new()};

	BSON_APPEND_INT32(change.id, "_id", id);
	change.doc = doc == NULL ? NULL : json(doc);
	change.set = set == NULL ? NULL : json(set);
	assert_true(aero_batch_add(batch, &change));
}

/* The document of this _id in a snapshot; 0: it must not be there. */
static void expect_one(const struct aero_batch *snapshot, int id, int ip)
{
	struct aero_docs_at at = {0};
	int found = 0, n = 0;
	bson_t doc;

	while (aero_docs_next(&snapshot->docs, &at, &doc)) {
		bson_iter_t it;

		assert_true(bson_iter_init_find(&it, &doc, "_id"));
		if (bson_iter_int32(&it) != id)
			continue;
		n++;
		assert_true(bson_iter_init_find(&it, &doc, "ip"));
		found = bson_iter_int32(&it);
	}
	assert_int_equal(n, ip != 0);
	assert_int_equal(found, ip);
}

static void a_snapshot_takes_the_changes_since(void **state)
{
	struct aero_batch snapshot = {0}, changes = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		bson_t *doc = BCON_NEW("_id", BCON_INT32(i), "ip", BCON_INT32(1));

		assert_true(aero_batch_add_doc(&snapshot, doc));
		bson_destroy(doc);
	}
	add(&changes, 3, NULL, "{\"ip\": 2}");
	add(&changes, 4, NULL, NULL);                          /* goes */
	add(&changes, 200, "{\"_id\": 200, \"ip\": 3}", NULL); /* new */
	add(&changes, 201, NULL, "{\"ip\": 4}");               /* was gone when read */
	add(&changes, 5, NULL, NULL);                          /* goes and comes back */
	add(&changes, 5, "{\"_id\": 5, \"ip\": 5}", NULL);
	add(&changes, 5, NULL, "{\"ip\": 6}");
	assert_int_equal(aero_mongo_merge(&snapshot, &changes, NULL), AERO_OK);
	assert_int_equal(snapshot.n, 100);
	for (int i = 0; i < 100; i++)
		expect_one(&snapshot, i, i == 3 ? 2 : i == 4 ? 0 : i == 5 ? 6 : 1);
	expect_one(&snapshot, 200, 3);
	expect_one(&snapshot, 201, 0);
	aero_batch_clear(&snapshot);
	assert_int_equal(aero_mongo_merge(&snapshot, &changes, NULL), AERO_OK);
	assert_int_equal(snapshot.n, 2);
	aero_batch_clear(&snapshot);
	aero_batch_clear(&changes);
}

/* ---- errors ---- */

static void an_error_is_what_it_was_after_what_was_sent(void **state)
{
	static const struct {
		uint32_t domain, code;
		int read, unsent, sent;
	} rows[] = {
		{MONGOC_ERROR_SERVER_SELECTION, 13053, AERO_NET, AERO_NET,
			AERO_AMBIGUOUS},
		{MONGOC_ERROR_STREAM, 4, AERO_NET, AERO_NET, AERO_AMBIGUOUS},
		{MONGOC_ERROR_WRITE_CONCERN, 64, AERO_NET, AERO_NET, AERO_AMBIGUOUS},
		{MONGOC_ERROR_SERVER, 189, AERO_NET, AERO_NET, AERO_AMBIGUOUS},
		{MONGOC_ERROR_SERVER, 91, AERO_NET, AERO_NET, AERO_AMBIGUOUS},
		{MONGOC_ERROR_SERVER, 13, AERO_PERM, AERO_PERM, AERO_PERM},
		{MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE, AERO_PERM,
			AERO_PERM, AERO_AMBIGUOUS},
		{MONGOC_ERROR_SERVER, 8000, AERO_PERM, AERO_PERM, AERO_AMBIGUOUS},
		{MONGOC_ERROR_SERVER, 121, AERO_DB, AERO_DB, AERO_DB},
		{MONGOC_ERROR_SERVER, 286, AERO_LOST, AERO_LOST, AERO_LOST},
		{MONGOC_ERROR_PROTOCOL, MONGOC_ERROR_PROTOCOL_BAD_WIRE_VERSION,
			AERO_CONFIG, AERO_CONFIG, AERO_CONFIG},
	};
	char name[] = "mongodb://x", database[] = "aerostat";
	struct aero_store_mongo s = {.base.name = name, .database = database};
	struct aero_mongo_place place = {&s, "servers", "'find'"};
	bson_t none = BSON_INITIALIZER;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		bson_error_t error = {rows[i].domain, rows[i].code, "words"};
		struct aero_err err = {{0}};

		assert_int_equal(
			aero_mongo_read_error(&place, NULL, &error, &err), rows[i].read);
		assert_non_null(strstr(err.msg, "mongodb://x"));
		s.sent = 0;
		assert_int_equal(aero_mongo_write_error(&place, &none, &error, &err),
			rows[i].unsent);
		s.sent = 1;
		assert_int_equal(aero_mongo_write_error(&place, &none, &error, &err),
			rows[i].sent);
	}
}

static void a_duplicate_names_its_index(void **state)
{
	static const struct {
		const char *reply, *words;
		int rc;
	} rows[] = {
		{"{\"keyPattern\": {\"hostname\": 1}, \"keyValue\": {\"hostname\": "
		 "\"a\"}}",
			"", AERO_DUP_HOSTNAME},
		{"{\"writeErrors\": [{\"keyPattern\": {\"instance_id\": 1}}]}",
			"index: aero_hostname", AERO_DUP_INSTANCE},
		{"{\"keyPattern\": {\"_id\": 1}}", "index: aero_hostname", AERO_MISS},
		{"{}",
			"E11000 duplicate key collection: a.servers index: aero_hostname "
			"dup key",
			AERO_DUP_HOSTNAME},
		{"{}",
			"E11000 duplicate key collection: a.servers index: aero_instance "
			"dup key",
			AERO_DUP_INSTANCE},
		{"{}", "E11000 duplicate key collection: a.servers index: _id_ dup key",
			AERO_MISS},
	};
	struct aero_store_mongo s = {.sent = 1};
	struct aero_mongo_place place = {&s, "servers", ""};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		bson_error_t error = {MONGOC_ERROR_SERVER, 11000, ""};
		struct aero_err err = {{0}};
		bson_t *reply = json(rows[i].reply);

		(void)snprintf(error.message, sizeof(error.message), "%s", rows[i].words);
		assert_int_equal(
			aero_mongo_write_error(&place, reply, &error, &err), rows[i].rc);
		bson_destroy(reply);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(events_are_read),
	cmocka_unit_test(what_is_no_event_is_refused),
	cmocka_unit_test(a_transaction_has_two_marks),
	cmocka_unit_test(a_token_tells_its_time),
	cmocka_unit_test(a_token_fits_its_origin_alone),
	cmocka_unit_test(the_latest_processes_are_known),
	cmocka_unit_test(a_snapshot_takes_the_changes_since),
	cmocka_unit_test(an_error_is_what_it_was_after_what_was_sent),
	cmocka_unit_test(a_duplicate_names_its_index),
};

int main(void)
{
	return cmocka_run_group_tests_name(
		"MongoDB, without a server", tests, NULL, NULL);
}
