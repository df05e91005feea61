/* SPDX-License-Identifier: MIT */
/* The suite's second part: following a store (lib/watch.h). */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/support.h"
#include "tests/store_suite.h"

static struct aero_watch *open_watch(const struct aero_position *from)
{
	struct aero_watch_opts opts = {.from = from, .poll_interval = 1};
	struct aero_watch *watch = NULL;

	SUITE_RC(aero_watch_open(suite_store, &opts, &watch, err), AERO_OK);
	return watch;
}

static bool streams(const struct aero_watch *watch)
{
	return strcmp(aero_watch_mode(watch), "poll") != 0;
}

static void the_first_batch_is_the_whole_collection(void **state)
{
	struct aero_position empty = {0};
	struct aero_batch batch = {0};
	struct aero_slot slot = {0};
	bson_t doc;

	(void)state;
	suite_insert_blank(suite_store, "web", 3);
	for (int i = 0; i < 2; i++) {
		struct aero_watch *watch = open_watch(i == 0 ? NULL : &empty);

		SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
		assert_true(batch.kind ==
			    (streams(watch) ? AERO_BATCH_FULL : AERO_BATCH_POLL));
		assert_int_equal(batch.n, 3);
		for (size_t j = 0; j < batch.n; j++) {
			assert_true(aero_docs_take(&batch.docs, &doc));
			assert_true(bson_has_field(&doc, "_id"));
			assert_true(aero_slot_of_bson(&doc, &slot, NULL));
			assert_string_equal(slot.service, "web");
			aero_slot_clear(&slot);
		}
		assert_false(aero_docs_take(&batch.docs, &doc));
		assert_true(
			batch.position.source_time >> 32 >= (uint64_t)time(NULL) - 60);
		aero_batch_clear(&batch);
		aero_watch_close(watch);
	}
}

static void an_empty_collection_is_a_whole_one(void **state)
{
	struct aero_watch *watch;
	struct aero_batch batch = {0};
	struct aero_slot *slot = suite_slot("web-0", "web", "", "", NULL);
	struct aero_occupant nobody = {0};

	(void)state;
	/* Something has to be written once, or there is no store to follow. */
	SUITE_RC(aero_store_control_open(suite_store, "db", 1, &nobody, NULL, err),
		AERO_OK);
	watch = open_watch(NULL);
	SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
	assert_true(batch.kind == AERO_BATCH_FULL || batch.kind == AERO_BATCH_POLL);
	assert_int_equal(batch.n, 0);
	aero_batch_clear(&batch);
	suite_insert(suite_store, slot);
	for (int i = 0; batch.n == 0 && i < 10; i++) {
		aero_batch_clear(&batch);
		SUITE_RC(aero_watch_next(watch, 2000, &batch, err), AERO_OK);
	}
	assert_int_equal(batch.n, 1);
	aero_batch_clear(&batch);
	aero_watch_close(watch);
}

static void nothing_new_is_a_time_out(void **state)
{
	struct aero_watch *watch;
	struct aero_batch batch = {0};
	struct timespec a, b;
	double took;

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	watch = open_watch(NULL);
	SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
	aero_batch_clear(&batch);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	SUITE_RC(aero_watch_next(watch, 300, &batch, err), AERO_OK);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	took = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	assert_true(batch.kind == AERO_BATCH_NONE && batch.n == 0);
	/* A stream may round up to its await time. */
	assert_true(took < 2.5);
	aero_batch_clear(&batch);
	aero_watch_close(watch);
}

/* 200 changes of all kinds, the same for each turn and seed. */
static int random_changes(struct aero_store *store, int turn)
{
	unsigned rnd = 12345 + (unsigned)turn;
	struct aero_list aliases = {0};
	int failed = 0;

	failed |= !aero_list_add(&aliases, "alias-1") ||
		  !aero_list_add(&aliases, "alias-2");
	for (int i = 0; i < 200 && !failed; i++) {
		char id[32], hostname[32], text[32], service[] = "web",
						     type[] = "iterative";
		struct aero_occupant who = {.instance_id = id, .ip = text};
		struct aero_slot_change put = {.who = &who, .reg = i + 1};
		struct aero_slot_change blank = {.blank = true};
		struct aero_slot_match match = {.hostname = hostname};
		struct aero_slot slot = {.hostname = hostname,
			.service = service,
			.service_type = type,
			.who = {.ip = text}};
		struct aero_slot got = {0};
		int rc = AERO_OK;

		rnd = rnd * 1103515245U + 12345U;
		(void)snprintf(id, sizeof(id), "i-%d-%u", turn, (rnd >> 16) % 40);
		(void)snprintf(hostname, sizeof(hostname), "web-%u", (rnd >> 16) % 50);
		(void)snprintf(text, sizeof(text), "10.0.%d.%d", turn, i);
		if ((rnd >> 24) % 3 == 0)
			who.aliases = aliases;
		switch ((rnd >> 10) % 7) {
		case 0:
			rc = aero_store_slots_insert(store, &slot, 1, NULL);
			break;
		case 1:
		case 2:
			rc = aero_store_slot_claim(store, "web", NULL, &put, &got, NULL);
			break;
		case 3:
			rc = aero_store_slot_update(store, &match, &put, NULL);
			break;
		case 4:
			rc = aero_store_slot_update(store, &match, &blank, NULL);
			break;
		case 5:
			rc = aero_store_aliases_take(store, &aliases, id, NULL);
			break;
		default:
			rc = aero_store_slot_import(store, &slot, NULL);
			break;
		}
		aero_slot_clear(&got);
		failed = rc != AERO_OK && rc != AERO_MISS && rc != AERO_DUP_HOSTNAME &&
			 rc != AERO_DUP_INSTANCE;
	}
	aero_list_clear(&aliases);
	return failed;
}

static void sentinel(const char *hostname)
{
	suite_insert(suite_store, suite_slot(hostname, "zz", "", "", NULL));
}

static void a_mirror_built_from_batches_is_exact(void **state)
{
	struct suite_mirror mirror = {0};
	struct aero_watch *watch;

	(void)state;
	suite_insert_blank(suite_store, "web", 10);
	watch = open_watch(NULL);
	suite_crowd_start(random_changes, 3);
	(void)suite_mirror_until(&mirror, watch, "web-0");
	suite_crowd_join();
	sentinel("end-1");
	assert_true(suite_mirror_until(&mirror, watch, "end-1"));
	suite_mirror_check(&mirror, suite_store);
	suite_mirror_clear(&mirror);
	aero_watch_close(watch);
}

static void a_watch_goes_on_from_a_position(void **state)
{
	struct suite_mirror mirror = {0};
	struct aero_watch *watch;
	struct aero_batch batch = {0};
	char name[32];

	(void)state;
	suite_insert_blank(suite_store, "web", 10);
	watch = open_watch(NULL);
	if (!streams(watch)) {
		aero_watch_close(watch);
		return;
	}
	SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
	assert_true(suite_mirror_apply(&mirror, &batch));
	aero_batch_clear(&batch);
	for (int i = 0; i < 6; i++) {
		/* Closed while changes come, some before it is open again. */
		aero_watch_close(watch);
		suite_crowd_start(random_changes, 1);
		if (i % 2 == 0)
			suite_crowd_join();
		watch = open_watch(&mirror.at);
		if (i % 2 == 1)
			suite_crowd_join();
		(void)snprintf(name, sizeof(name), "end-%d", i);
		sentinel(name);
		SUITE_RC(aero_watch_next(watch, 3000, &batch, err), AERO_OK);
		/* Never a snapshot again. */
		assert_true(batch.kind == AERO_BATCH_DELTA);
		assert_true(suite_mirror_apply(&mirror, &batch));
		aero_batch_clear(&batch);
		assert_true(suite_mirror_until(&mirror, watch, name));
		suite_mirror_check(&mirror, suite_store);
	}
	suite_mirror_clear(&mirror);
	aero_watch_close(watch);
}

static void source_time_never_goes_back(void **state)
{
	struct aero_watch *watch;
	struct aero_batch batch = {0};
	uint64_t before = 0;
	char name[32];

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	watch = open_watch(NULL);
	for (int i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof(name), "t-%d", i);
		sentinel(name);
		SUITE_RC(aero_watch_next(watch, 3000, &batch, err), AERO_OK);
		assert_true(batch.position.source_time >= before);
		if (batch.kind == AERO_BATCH_DELTA)
			assert_true(batch.position.source_time > before);
		before = batch.position.source_time;
		aero_batch_clear(&batch);
	}
	aero_watch_close(watch);
}

static void a_position_of_nowhere_is_lost(void **state)
{
	char junk[] = "no token of any store";
	struct aero_position from = {junk, sizeof(junk), 1};
	struct aero_watch_opts opts = {.from = &from, .poll_interval = 1};
	struct aero_watch *watch = NULL;
	struct aero_batch batch = {0};
	struct aero_err err = {{0}};
	int rc;

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	watch = open_watch(NULL);
	if (!streams(watch)) {
		aero_watch_close(watch);
		return;
	}
	aero_watch_close(watch);
	watch = NULL;
	rc = aero_watch_open(suite_store, &opts, &watch, &err);
	if (rc == AERO_OK)
		rc = aero_watch_next(watch, 3000, &batch, &err);
	assert_int_equal(rc, AERO_LOST);
	assert_true(*err.msg != '\0');
	aero_batch_clear(&batch);
	aero_watch_close(watch);
}

static void *wake_soon(void *watch)
{
	struct timespec t = {0, 200 * 1000 * 1000};

	(void)nanosleep(&t, NULL);
	aero_watch_wake(watch);
	return NULL;
}

static void a_wake_ends_the_wait(void **state)
{
	struct aero_watch *watch;
	struct aero_batch batch = {0};
	pthread_t thread;
	time_t begin;

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	watch = open_watch(NULL);
	SUITE_RC(aero_watch_next(watch, 5000, &batch, err), AERO_OK);
	aero_batch_clear(&batch);
	assert_int_equal(pthread_create(&thread, NULL, wake_soon, watch), 0);
	begin = time(NULL);
	SUITE_RC(aero_watch_next(watch, 20000, &batch, err), AERO_OK);
	assert_true(time(NULL) - begin < 5);
	assert_true(batch.kind == AERO_BATCH_NONE || batch.kind == AERO_BATCH_POLL);
	(void)pthread_join(thread, NULL);
	aero_batch_clear(&batch);
	aero_watch_close(watch);
}

const struct CMUnitTest suite_watch_tests[] = {
	SUITE_TEST(the_first_batch_is_the_whole_collection),
	SUITE_TEST(an_empty_collection_is_a_whole_one),
	SUITE_TEST(nothing_new_is_a_time_out),
	SUITE_TEST(a_mirror_built_from_batches_is_exact),
	SUITE_TEST(a_watch_goes_on_from_a_position),
	SUITE_TEST(source_time_never_goes_back),
	SUITE_TEST(a_position_of_nowhere_is_lost),
	SUITE_TEST(a_wake_ends_the_wait),
};
const size_t suite_n_watch_tests = AERO_COUNT(suite_watch_tests);
