/* SPDX-License-Identifier: MIT */
/* Following a real set (AEROSTAT_TEST_SET) under writers and faults: a mirror built from
 * batches is the collection, byte for byte; no transaction is seen half. */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/watch_mongo_event.h"
#include "tests/support.h"
#include "tests/mongo_env.h"
#include "tests/store_suite.h"

#define N_WRITERS 4
#define N_IDS 600

static struct aero_store *store;
static struct suite_mirror mirror; /* grows by batches */
static struct aero_watch *watch;
static pid_t frozen;        /* a member that was stopped */
static void (*check)(void); /* what each state shown must fulfil */
static struct {
	pthread_t thread;
	unsigned seed;
} writers[N_WRITERS];
static atomic_bool stop;
static atomic_int n_writes;

static int setup(void **state)
{
	(void)state;
	mongo_reset();
	store = mongo_open(NULL);
	return store == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	if (frozen > 0)
		(void)kill(frozen, SIGCONT);
	frozen = 0;
	aero_watch_close(watch);
	watch = NULL;
	suite_mirror_clear(&mirror);
	aero_store_close(store);
	check = NULL;
	return 0;
}

/* ---- writers ---- */

static bson_t *json(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static bson_t *json(const char *fmt, ...)
{
	char text[512];
	bson_error_t error;
	bson_t *doc;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	doc = bson_new_from_json((const uint8_t *)text, -1, &error);
	assert_non_null(doc);
	return doc;
}

static bson_t *random_update(unsigned rnd)
{
	/* Fields that the mirror keeps, whatever their type. */
	static const char *const some[] = {
		"ip6", "service", "service_type", "registered_at"};
	int n = (int)(rnd >> 16 & 0xffff);

	switch (rnd % 6) {
	case 0:
		return json("{\"$set\": {\"ip\": \"10.0.%d.%d\"}}", n >> 8, n & 255);
	case 1:
		return json(
			"{\"$set\": {\"ip\": \"10.1.0.1\", \"%s\": %d}}", some[n % 4], n);
	case 2:
		return json("{\"$push\": {\"aliases\": \"a%d\"}}", n % 9);
	case 3:
		return json("{\"$pullAll\": {\"aliases\": [\"a%d\"]}}", n % 9);
	case 4:
		return json("{\"$set\": {\"epoch.x%d\": %d}}", n % 3, n);
	default:
		return json(
			"{\"$inc\": {\"reg\": 1}, \"$unset\": {\"%s\": 1}}", some[n % 4]);
	}
}

static void write_one(mongoc_collection_t *c, unsigned rnd)
{
	int id = (int)((rnd >> 8) % N_IDS);
	bson_t *filter = json("{\"_id\": %d}", id), *doc = NULL;

	switch (rnd % 8) {
	case 0:
	case 1:
		doc = json("{\"_id\": %d, \"ip\": \"10.0.0.1\", \"aliases\": []}", id);
		(void)mongoc_collection_insert_one(c, doc, NULL, NULL, NULL);
		break;
	case 2:
		doc = json("{\"ip\": \"10.2.0.1\", \"aliases\": [\"r\"], "
			   "\"registered_at\": %u}",
			rnd);
		(void)mongoc_collection_replace_one(c, filter, doc, NULL, NULL, NULL);
		break;
	case 3:
		(void)mongoc_collection_delete_one(c, filter, NULL, NULL, NULL);
		break;
	default:
		doc = random_update(rnd * 2654435761U);
		(void)mongoc_collection_update_one(c, filter, doc, NULL, NULL, NULL);
		break;
	}
	bson_destroy(filter);
	bson_destroy(doc);
}

static void *writer(void *arg)
{
	unsigned *seed = arg, rnd = *seed;
	mongoc_client_t *client =
		mongo_client("appName=writer&socketTimeoutMS=5000&connectTimeoutMS=2000");
	mongoc_write_concern_t *w = mongoc_write_concern_new();
	mongoc_collection_t *c;

	/* Not waiting for a majority: as many writes as can be. */
	mongoc_write_concern_set_w(w, 1);
	mongoc_client_set_write_concern(client, w);
	c = mongo_servers(client);
	while (!atomic_load(&stop)) {
		rnd = rnd * 1103515245U + 12345U;
		write_one(c, rnd >> 4);
		(void)atomic_fetch_add(&n_writes, 1);
		(void)usleep(1000);
	}
	mongoc_collection_destroy(c);
	mongoc_write_concern_destroy(w);
	mongoc_client_destroy(client);
	return NULL;
}

static void start_writers(unsigned seed)
{
	atomic_store(&stop, false);
	atomic_store(&n_writes, 0);
	for (unsigned i = 0; i < N_WRITERS; i++) {
		writers[i].seed = seed * 100 + i;
		assert_int_equal(pthread_create(&writers[i].thread, NULL, writer,
					 &writers[i].seed),
			0);
	}
}

static void stop_writers(void)
{
	atomic_store(&stop, true);
	for (size_t i = 0; i < N_WRITERS; i++)
		(void)pthread_join(writers[i].thread, NULL);
}

/* ---- following ---- */

static int open_watch(struct aero_err *err)
{
	struct aero_watch_opts opts = {.from = &mirror.at, .poll_interval = 1};

	return aero_watch_open(store, &opts, &watch, err);
}

static size_t n_events, n_errors;
static int64_t longest_gap, last;

/* Take batches for ms; on an error open again where the mirror stands, as syncd does. */
static void follow(int64_t ms)
{
	int64_t end = aero_clock_ms() + ms, now;
	struct aero_batch batch = {0};
	struct aero_err err = {{0}};
	int rc;

	while (aero_clock_ms() < end) {
		now = aero_clock_ms();
		rc = watch == NULL ? open_watch(&err) : AERO_OK;
		if (aero_clock_ms() - now > 1000)
			print_message(
				"# opened in %ld ms\n", (long)(aero_clock_ms() - now));
		if (rc == AERO_OK)
			rc = aero_watch_next(watch, 200, &batch, &err);
		if (rc != AERO_OK) {
			print_message("# %s: %s after %ld ms\n", aero_rc_words(rc),
				err.msg, (long)(aero_clock_ms() - last));
			if (rc != AERO_NET)
				fail_msg("%s (%s)", err.msg, aero_rc_words(rc));
			n_errors++;
			now = aero_clock_ms();
			aero_watch_close(watch);
			watch = NULL;
			print_message(
				"# closed in %ld ms\n", (long)(aero_clock_ms() - now));
			(void)usleep(100 * 1000);
			continue;
		}
		assert_true(suite_mirror_apply(&mirror, &batch));
		if (check != NULL)
			check();
		n_events += batch.n;
		now = aero_clock_ms();
		if (batch.n > 0) {
			if (last != 0 && now - last > longest_gap)
				longest_gap = now - last;
			last = now;
		}
		aero_batch_clear(&batch);
	}
}

/* Write a last document and follow until it is there. */
static void follow_to_the_end(void)
{
	mongoc_collection_t *c = mongo_servers(mongo_admin);
	static int turn;
	char name[32];
	bson_t *doc;
	bson_error_t error = {0};

	(void)snprintf(name, sizeof(name), "end-%d", turn++);
	doc = json("{\"_id\": \"%s\", \"hostname\": \"%s\"}", name, name);
	for (int i = 0;
		!mongoc_collection_insert_one(c, doc, NULL, NULL, &error) && i < 20; i++)
		(void)usleep(500 * 1000);
	while (watch == NULL)
		follow(100);
	assert_true(suite_mirror_until(&mirror, watch, name));
	bson_destroy(doc);
	mongoc_collection_destroy(c);
}

/* The mirror is the collection, byte for byte. */
static void expect_exact(void)
{
	mongoc_collection_t *c = mongo_servers(mongo_admin);
	bson_t *all = json("{}"),
	       *opts = json("{\"readConcern\": {\"level\": \"majority\"}}");
	mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, all, opts, NULL);
	size_t n = 0, different = 0, missing = 0;
	bson_error_t error;
	const bson_t *doc;

	while (mongoc_cursor_next(cursor, &doc)) {
		bson_t id = BSON_INITIALIZER;
		bson_iter_t it;
		size_t i = 0;

		assert_true(bson_iter_init_find(&it, doc, "_id"));
		(void)bson_append_iter(&id, "_id", -1, &it);
		while (i < mirror.n && !bson_equal(mirror.ids[i], &id))
			i++;
		missing += i == mirror.n;
		different += i < mirror.n && !bson_equal(mirror.docs[i], doc);
		if (i < mirror.n && !bson_equal(mirror.docs[i], doc) && different < 4) {
			char *a = bson_as_relaxed_extended_json(mirror.docs[i], NULL);
			char *b = bson_as_relaxed_extended_json(doc, NULL);

			print_error("have %s\nwant %s\n", a, b);
			bson_free(a);
			bson_free(b);
		}
		bson_destroy(&id);
		n++;
	}
	assert_false(mongoc_cursor_error(cursor, &error));
	if (missing != 0 || different != 0 || n != mirror.n)
		fail_msg("%zu documents: %zu missing, %zu different, %zu too many", n,
			missing, different, mirror.n + missing - n);
	mongoc_cursor_destroy(cursor);
	mongoc_collection_destroy(c);
	bson_destroy(all);
	bson_destroy(opts);
}

static void ten_starts_under_writers_are_exact(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		n_events = 0;
		start_writers(round);
		(void)usleep(300 * 1000);
		follow(500);
		stop_writers();
		follow_to_the_end();
		expect_exact();
		print_message("# %d writes, %zu documents, %zu changes\n",
			atomic_load(&n_writes), mirror.n, n_events);
		aero_watch_close(watch);
		watch = NULL;
		suite_mirror_clear(&mirror);
	}
}

static void a_long_following_is_exact(void **state)
{
	(void)state;
	start_writers(77);
	follow(2000);
	stop_writers();
	follow_to_the_end();
	expect_exact();
}

/* ---- transactions ---- */

static const bson_t *shown(const char *id)
{
	bson_t *want = json("{\"_id\": \"%s\"}", id);
	size_t i = 0;

	while (i < mirror.n && !bson_equal(mirror.ids[i], want))
		i++;
	bson_destroy(want);
	return i < mirror.n ? mirror.docs[i] : NULL;
}

static int32_t number_of(const bson_t *doc, const char *key)
{
	bson_iter_t it;

	return doc != NULL && bson_iter_init_find(&it, doc, key) ? bson_iter_int32(&it)
								 : -1;
}

static size_t n_swaps_seen;

/* A and B hold 1 and 2, in either order; of the big ones all are there or none. */
static void check_whole(void)
{
	int32_t a = number_of(shown("A"), "reg"), b = number_of(shown("B"), "reg");
	static int32_t before;
	size_t big = 0;

	if (a + b != 3)
		fail_msg("half a swap is shown: %d %d", a, b);
	n_swaps_seen += a != before;
	before = a;
	for (size_t i = 0; i < mirror.n; i++)
		big += bson_has_field(mirror.docs[i], "instance_id");
	if (big != 0 && big != 2500)
		fail_msg("%zu of 2500 documents of a transaction are shown", big);
}

static void set_who(mongoc_collection_t *c, const bson_t *opts, const char *id, int who)
{
	bson_t *filter = json("{\"_id\": \"%s\"}", id);
	bson_t *update = json("{\"$set\": {\"reg\": %d}}", who);

	(void)mongoc_collection_update_one(c, filter, update, opts, NULL, NULL);
	bson_destroy(filter);
	bson_destroy(update);
}

static void big_change(mongoc_collection_t *c, const bson_t *opts, bool insert)
{
	static bson_t *docs[2500];
	bson_t *filter = json("{\"instance_id\": \"\"}");

	if (!insert) {
		(void)mongoc_collection_delete_many(c, filter, opts, NULL, NULL);
	} else {
		for (int i = 0; i < 2500; i++)
			docs[i] = json("{\"_id\": \"big-%d\", \"instance_id\": \"\"}", i);
		(void)mongoc_collection_insert_many(
			c, (const bson_t **)(void *)docs, 2500, opts, NULL, NULL);
		for (int i = 0; i < 2500; i++)
			bson_destroy(docs[i]);
	}
	bson_destroy(filter);
}

static void *swapper(void *arg)
{
	mongoc_client_t *client = mongo_client("appName=swapper");
	mongoc_collection_t *c = mongo_servers(client);
	mongoc_client_session_t *cs = mongoc_client_start_session(client, NULL, NULL);
	bson_t opts = BSON_INITIALIZER, reply;
	bson_error_t error;
	int *n = arg;

	(void)mongoc_client_session_append(cs, &opts, NULL);
	for (int turn = 0; !atomic_load(&stop); turn++) {
		(void)mongoc_client_session_start_transaction(cs, NULL, NULL);
		set_who(c, &opts, "A", 0);
		set_who(c, &opts, "B", turn % 2 == 0 ? 1 : 2);
		set_who(c, &opts, "A", turn % 2 == 0 ? 2 : 1);
		if (turn % 50 == 25)
			big_change(c, &opts, turn % 100 == 25);
		if (mongoc_client_session_commit_transaction(cs, &reply, &error))
			++*n;
		else
			(void)mongoc_client_session_abort_transaction(cs, NULL);
		bson_destroy(&reply);
	}
	bson_destroy(&opts);
	mongoc_client_session_destroy(cs);
	mongoc_collection_destroy(c);
	mongoc_client_destroy(client);
	return NULL;
}

static void a_transaction_is_never_shown_half(void **state)
{
	pthread_t thread;
	int swaps = 0;

	(void)state;
	mongo_run(mongo_database,
		"{\"insert\": \"servers\", \"documents\": [{\"_id\": \"A\", \"reg\": 1}, "
		"{\"_id\": \"B\", \"reg\": 2}], \"writeConcern\": {\"w\": \"majority\"}}",
		NULL);
	check = check_whole;
	follow(300);
	start_writers(5);
	assert_int_equal(pthread_create(&thread, NULL, swapper, &swaps), 0);
	follow(5000);
	stop_writers();
	(void)pthread_join(thread, NULL);
	follow_to_the_end();
	expect_exact();
	print_message("# %d transactions, %zu swaps seen\n", swaps, n_swaps_seen);
	assert_true(n_swaps_seen > 20);
}

/* ---- ends ---- */

static int next_error(struct aero_batch *batch)
{
	struct aero_err err = {{0}};
	int rc = AERO_OK;

	for (int i = 0; rc == AERO_OK && i < 20; i++) {
		aero_batch_clear(batch);
		rc = aero_watch_next(watch, 500, batch, &err);
	}
	print_message("# %s\n", err.msg);
	return rc;
}

static void insert_hostname(const char *hostname)
{
	char text[256];

	(void)snprintf(text, sizeof(text),
		"{\"insert\": \"servers\", \"documents\": [{\"hostname\": \"%s\"}], "
		"\"writeConcern\": {\"w\": \"majority\"}}",
		hostname);
	mongo_run(mongo_database, text, NULL);
}

static void what_ends_a_stream_is_lost_and_a_new_one_opens(void **state)
{
	char rename[256];
	const char *const ends[][2] = {
		{mongo_database, "{\"drop\": \"servers\"}"},
		{"admin", rename},
		{mongo_database, "{\"dropDatabase\": 1}"},
	};
	struct aero_batch batch = {0};

	(void)state;
	(void)snprintf(rename, sizeof(rename),
		"{\"renameCollection\": \"%s.servers\", \"to\": \"%s.other\", "
		"\"dropTarget\": true}",
		mongo_database, mongo_database);
	for (size_t i = 0; i < AERO_COUNT(ends); i++) {
		insert_hostname("before");
		SUITE_RC(open_watch(err), AERO_OK);
		SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
		assert_int_equal(batch.n, 1);
		aero_batch_clear(&batch);
		mongo_run(ends[i][0], ends[i][1], NULL);
		assert_int_equal(next_error(&batch), AERO_LOST);
		aero_watch_close(watch);
		watch = NULL;
		/* On a collection, or even a database, that is not there. */
		SUITE_RC(open_watch(err), AERO_OK);
		assert_string_equal(aero_watch_mode(watch), "stream");
		SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
		assert_true(batch.kind == AERO_BATCH_FULL && batch.n == 0);
		aero_batch_clear(&batch);
		insert_hostname("after");
		SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
		assert_true(batch.kind == AERO_BATCH_DELTA && batch.n == 1);
		aero_batch_clear(&batch);
		aero_watch_close(watch);
		watch = NULL;
		mongo_run(mongo_database, "{\"drop\": \"servers\"}", NULL);
	}
}

static void fail_point(const char *mode, const char *command, const char *more)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		"{\"configureFailPoint\": \"failCommand\", \"mode\": %s, \"data\": "
		"{\"failCommands\": [%s], \"appName\": \"aerostat-test\"%s}}",
		mode, command, more);
	mongo_run("admin", text, NULL);
}

static void a_failing_stream_says_why(void **state)
{
	static const struct {
		const char *error;
		int rc;
	} rows[] = {
		{", \"errorCode\": 286, \"errorLabels\": "
		 "[\"NonResumableChangeStreamError\"]",
			AERO_LOST},
		{", \"errorCode\": 286", AERO_LOST},
		{", \"errorCode\": 280", AERO_LOST},
		{", \"errorCode\": 136", AERO_LOST},
		{", \"errorCode\": 43", AERO_NET},
		{", \"closeConnection\": true", AERO_NET},
		{", \"errorCode\": 13", AERO_PERM},
		{", \"errorCode\": 96", AERO_DB},
	};
	struct aero_batch batch = {0};

	(void)state;
	insert_hostname("one");
	follow(100);
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		follow(100);
		fail_point("{\"times\": 1}", "\"getMore\"", rows[i].error);
		assert_int_equal(next_error(&batch), rows[i].rc);
		aero_watch_close(watch);
		watch = NULL;
		fail_point("{\"times\": 1}", "\"aggregate\"", rows[i].error);
		/* What is wrong may be the position. */
		SUITE_RC(open_watch(err), rows[i].rc == AERO_DB ? AERO_LOST : rows[i].rc);
		assert_null(watch);
		fail_point("\"off\"", "\"aggregate\"", "");
	}
}

static void without_streams_it_polls(void **state)
{
	static const int codes[] = {40573, 40324, 238, 115};
	struct aero_mongo_origin origin = {
		aero_store_name(store), mongo_database, {{{0}}, 0}};
	struct aero_batch batch = {0};
	bson_t token;
	char error[64];

	(void)state;
	insert_hostname("one");
	for (size_t i = 0; i < AERO_COUNT(codes); i++) {
		(void)snprintf(error, sizeof(error), ", \"errorCode\": %d", codes[i]);
		fail_point("{\"times\": 1}", "\"aggregate\"", error);
		SUITE_RC(open_watch(err), AERO_OK);
		assert_string_equal(aero_watch_mode(watch), "poll");
		SUITE_RC(aero_watch_next(watch, 0, &batch, err), AERO_OK);
		assert_true(batch.kind == AERO_BATCH_POLL && batch.n == 1);
		/* it keeps the servers alone */
		assert_true(
			aero_mongo_token_unpack(&batch.position, &origin, &token, NULL));
		assert_true(bson_empty(&token));
		aero_batch_clear(&batch);
		/* and streams again once there are streams */
		SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
		assert_string_equal(aero_watch_mode(watch), "stream");
		assert_true(batch.kind == AERO_BATCH_FULL && batch.n == 1);
		assert_true(
			aero_mongo_token_unpack(&batch.position, &origin, &token, NULL));
		assert_false(bson_empty(&token));
		aero_batch_clear(&batch);
		aero_watch_close(watch);
		watch = NULL;
	}
}

static struct aero_mongo_known known_now(void)
{
	unsigned char process[AERO_MONGO_PROCESS_LEN];
	struct aero_mongo_known known = {{{0}}, 0};
	bson_t reply;

	mongo_run("admin", "{\"hello\": 1}", &reply);
	assert_true(aero_mongo_process_of(&reply, process));
	aero_mongo_known_add(&known, process);
	bson_destroy(&reply);
	return known;
}

/* What a process says that is not known to have our history is not gone on from. */
static void behind_a_strange_process_all_is_read(void **state)
{
	struct aero_mongo_origin origin = {
		aero_store_name(store), mongo_database, {{{0}}, 0}};
	struct aero_watch_opts opts = {.poll_interval = 1};
	struct aero_position from = {0};
	struct aero_batch batch = {0};
	bson_t token;

	(void)state;
	insert_hostname("one");
	follow(300);
	aero_watch_close(watch);
	watch = NULL;
	assert_true(aero_mongo_token_unpack(&mirror.at, &origin, &token, NULL));
	assert_int_equal(origin.known.n, 3); /* the three members */
	for (int strange = 0; strange < 2; strange++) {
		for (size_t i = 0; strange && i < origin.known.n; i++)
			origin.known.v[i][0] ^= 1;
		assert_true(aero_mongo_token_pack(&token, NULL, &origin, 1, &from));
		opts.from = &from;
		SUITE_RC(aero_watch_open(store, &opts, &watch, err), AERO_OK);
		SUITE_RC(aero_watch_next(watch, 500, &batch, err), AERO_OK);
		assert_true(batch.kind == (strange ? AERO_BATCH_FULL : AERO_BATCH_NONE));
		assert_int_equal(batch.n, strange);
		aero_batch_clear(&batch);
		aero_watch_close(watch);
		watch = NULL;
		aero_position_clear(&from);
	}
}

static void a_foreign_position_is_lost(void **state)
{
	static const struct {
		const char *server, *token;
	} rows[] = {
		{NULL, "garbage"},
		{"mongodb://elsewhere:27017", "8200000001000000012B0229296E04"},
	};
	struct aero_watch_opts opts = {.poll_interval = 1};
	struct aero_mongo_known here = known_now();
	struct aero_batch batch = {0};

	(void)state;
	insert_hostname("one");
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_mongo_origin origin = {NULL, mongo_database, here};
		struct aero_position from = {0};
		struct aero_err err = {{0}};
		bson_t *token = json("{\"_data\": \"%s\"}", rows[i].token);
		int rc;

		origin.server =
			rows[i].server == NULL ? aero_store_name(store) : rows[i].server;
		assert_true(aero_mongo_token_pack(token, NULL, &origin, 1, &from));
		opts.from = &from;
		rc = aero_watch_open(store, &opts, &watch, &err);
		if (rc == AERO_OK) {
			rc = next_error(&batch);
			aero_watch_close(watch);
		}
		watch = NULL;
		assert_int_equal(rc, AERO_LOST);
		bson_destroy(token);
		aero_position_clear(&from);
	}
}

static void a_secondary_is_read_when_asked_for(void **state)
{
	(void)state;
	aero_store_close(store);
	store = mongo_open("readPreference=secondary");
	insert_hostname("one");
	start_writers(8);
	/* The primary would refuse. */
	fail_point("\"alwaysOn\"", "\"aggregate\", \"getMore\", \"find\"",
		", \"errorCode\": 13");
	follow(1000);
	stop_writers();
	follow_to_the_end();
	fail_point("\"off\"", "\"find\"", "");
	expect_exact();
}

/* ---- latency ---- */

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

#define N_TIMED 200
static _Atomic int64_t acked[N_TIMED];

static void *timed_writer(void *arg)
{
	mongoc_client_t *client = mongo_client("appName=timed&journal=true");
	mongoc_collection_t *c = mongo_servers(client);

	(void)arg;
	for (int i = 0; i < N_TIMED; i++) {
		bson_t *doc = json("{\"_id\": \"t-%d\", \"reg\": %d}", i, i);

		(void)mongoc_collection_insert_one(c, doc, NULL, NULL, NULL);
		atomic_store(&acked[i], aero_unix_ns());
		bson_destroy(doc);
		(void)usleep(10000);
	}
	mongoc_collection_destroy(c);
	mongoc_client_destroy(client);
	return NULL;
}

static void a_change_is_seen_at_once(void **state)
{
	struct aero_batch batch = {0};
	int64_t seen[N_TIMED] = {0}, delay[N_TIMED];
	pthread_t thread;
	int n = 0;

	(void)state;
	follow(200);
	assert_int_equal(pthread_create(&thread, NULL, timed_writer, NULL), 0);
	for (int tries = 0; n < N_TIMED && tries < 1000; tries++) {
		SUITE_RC(aero_watch_next(watch, 1000, &batch, err), AERO_OK);
		for (size_t i = 0; i < batch.n; i++) {
			int32_t turn = number_of(batch.v[i].doc, "reg");

			if (turn >= 0)
				seen[turn] = aero_unix_ns();
			n += turn >= 0;
		}
		aero_batch_clear(&batch);
	}
	(void)pthread_join(thread, NULL);
	assert_int_equal(n, N_TIMED);
	for (int i = 0; i < N_TIMED; i++)
		delay[i] = seen[i] - acked[i];
	qsort(delay, N_TIMED, sizeof(delay[0]), by_value);
	print_message("# acknowledged -> batch: p50 %.2f ms, p90 %.2f ms, p99 %.2f ms\n",
		(double)delay[N_TIMED / 2] / 1e6, (double)delay[N_TIMED * 9 / 10] / 1e6,
		(double)delay[N_TIMED * 99 / 100] / 1e6);
	assert_true(delay[N_TIMED / 2] < 50 * 1000 * 1000);
}

/* ---- faults ---- */

/* The pid of the primary, from itself. */
static pid_t primary_pid(void)
{
	bson_t reply;
	bson_iter_t it;
	pid_t pid = 0;

	mongo_run("admin", "{\"serverStatus\": 1}", &reply);
	if (bson_iter_init_find(&it, &reply, "pid"))
		pid = (pid_t)bson_iter_as_int64(&it);
	bson_destroy(&reply);
	assert_true(pid > 1);
	return pid;
}

static void step_down(void)
{
	(void)mongo_try(
		"admin", "{\"replSetStepDown\": 5, \"secondaryCatchUpPeriodSecs\": 5}");
}

static void kill_primary(void)
{
	(void)kill(primary_pid(), SIGKILL);
}

static void freeze_primary(void)
{
	frozen = primary_pid();
	(void)kill(frozen, SIGSTOP);
}

static void under(void (*fault)(void), int64_t after_ms)
{
	longest_gap = last = 0;
	n_errors = 0;
	start_writers(4711);
	follow(1000);
	fault();
	follow(after_ms);
	for (int i = 0; i < 20 && aero_clock_ms() - last > 1000; i++)
		follow(500); /* not back yet */
	if (frozen > 0)
		(void)kill(frozen, SIGCONT);
	frozen = 0;
	stop_writers();
	follow_to_the_end();
	expect_exact();
	print_message("# %d writes, longest gap %ld ms, %zu errors\n",
		atomic_load(&n_writes), (long)longest_gap, n_errors);
	/* The writers, too, wait for a frozen server, and then for a rescan. */
	assert_true(longest_gap > 0 && longest_gap < 20000);
}

static void a_step_down_loses_nothing(void **state)
{
	(void)state;
	under(step_down, 6000);
}

static void a_frozen_primary_loses_nothing(void **state)
{
	(void)state;
	under(freeze_primary, 8000);
}

/* What lib/store.h says of how long a call lasts. */
static void a_call_on_a_frozen_primary_ends(void **state)
{
	struct aero_node was = {0};
	struct aero_slot slot = {0};
	int64_t began, took[2];
	int rc[2];

	(void)state;
	SUITE_RC(aero_store_node_update(store, "i-1", &was, false, false, "", err),
		AERO_OK);
	for (int write = 0; write < 2; write++) {
		freeze_primary();
		began = aero_clock_ms();
		rc[write] = write ? aero_store_node_update(
					    store, "i-2", &was, false, false, "", NULL)
				  : aero_store_by_instance(store, "i-1", &slot, NULL);
		took[write] = aero_clock_ms() - began;
		(void)kill(frozen, SIGCONT);
		frozen = 0;
		print_message("# %s: %s after %ld ms\n", write ? "write" : "read",
			aero_rc_words(rc[write]), (long)took[write]);
		assert_in_range(took[write], 0, 20000);
		/* The set is whole again, and the store with it. */
		for (int i = 0; i < 20 && aero_store_ping(store, NULL) != AERO_OK; i++)
			(void)usleep(500 * 1000);
		SUITE_RC(aero_store_node(store, "i-1", &was, err), AERO_OK);
		was = (struct aero_node){0};
	}
	assert_true(rc[0] == AERO_MISS || rc[0] == AERO_NET);
	/* The other member answered the second try, or it is for the caller to look. */
	assert_true(rc[1] == AERO_OK || rc[1] == AERO_AMBIGUOUS);
}

/* Last: the member stays dead. */
static void a_killed_primary_loses_nothing(void **state)
{
	(void)state;
	under(kill_primary, 6000);
}

#define FAULT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	FAULT_TEST(ten_starts_under_writers_are_exact),
	FAULT_TEST(a_long_following_is_exact),
	FAULT_TEST(a_transaction_is_never_shown_half),
	FAULT_TEST(what_ends_a_stream_is_lost_and_a_new_one_opens),
	FAULT_TEST(a_failing_stream_says_why),
	FAULT_TEST(without_streams_it_polls),
	FAULT_TEST(behind_a_strange_process_all_is_read),
	FAULT_TEST(a_foreign_position_is_lost),
	FAULT_TEST(a_secondary_is_read_when_asked_for),
	FAULT_TEST(a_change_is_seen_at_once),
	FAULT_TEST(a_step_down_loses_nothing),
	FAULT_TEST(a_frozen_primary_loses_nothing),
	FAULT_TEST(a_call_on_a_frozen_primary_ends),
	FAULT_TEST(a_killed_primary_loses_nothing),
};

int main(int argc, char **argv)
{
	int failed;

	mongo_begin("AEROSTAT_TEST_SET");
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = cmocka_run_group_tests_name("watching a set", tests, NULL, NULL);
	mongo_end();
	return failed;
}
