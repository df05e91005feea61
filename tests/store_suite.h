/* SPDX-License-Identifier: MIT */
/*
 * What every naming store has to do (lib/store.h, lib/watch.h), run over the store that a
 * test program gives. Include after "tests/support.h".
 */
#ifndef AERO_TESTS_STORE_SUITE_H
#define AERO_TESTS_STORE_SUITE_H

#include "lib/store.h"
#include "lib/watch.h"

struct store_suite_env {
	const char *name; /* of the group of tests */
	/* Before each test: no data, indexes in place. */
	void (*reset)(void);
	/* Open a store on the data; also called in threads and child processes. */
	struct aero_store *(*open)(bool read_only);
	/* The crowd is child processes, else threads. */
	bool processes;
	/* Change-overs in one piece are refused. */
	bool no_transactions;
	/* NULL, or: put documents in as they are, without indexes (old data). */
	void (*load)(bson_t *const docs[], size_t n);
};

/* Run all; the number of failed tests. */
int store_suite_run(const struct store_suite_env *env);

/* ---- for tests that belong to one store only ---- */

/* A slot of service `web` etc.: strings are copied; aliases: comma list or NULL. Lives in
 * one of eight static places. */
struct aero_slot *suite_slot(const char *hostname, const char *service,
	const char *instance_id, const char *ip, const char *aliases);
/* Insert it. */
void suite_insert(struct aero_store *store, const struct aero_slot *slot);
/* Insert n blank slots SERVICE-0, -1, ... */
void suite_insert_blank(struct aero_store *store, const char *service, int n);
/* The documents of tests/data/original.json; free with suite_docs_free. */
size_t suite_original(bson_t **ret, size_t max);
void suite_docs_free(bson_t **docs, size_t n);

/* A mirror built from batches, by _id. */
struct suite_mirror {
	bson_t **ids, **docs;
	size_t n;
	struct aero_position at;
};

/* Take one batch; false if it does not fit. */
bool suite_mirror_apply(struct suite_mirror *mirror, const struct aero_batch *batch);
/* Follow until a slot of this hostname is there, 20 s at most; false = never. */
bool suite_mirror_until(
	struct suite_mirror *mirror, struct aero_watch *watch, const char *hostname);
/* Fail the test unless the mirror is exactly what the store has now. */
void suite_mirror_check(const struct suite_mirror *mirror, struct aero_store *store);
void suite_mirror_clear(struct suite_mirror *mirror);

/* Run work(store, turn) for 0..n-1 at once, each with a store of its own, in processes or
 * threads. start returns at once; join fails the test unless all returned 0. No assert_*
 * in work. */
typedef int suite_work(struct aero_store *store, int turn);
void suite_crowd_start(suite_work *work, int n);
void suite_crowd_join(void);

/* The parts of the suite. */
extern const struct CMUnitTest suite_store_tests[];
extern const size_t suite_n_store_tests;
extern const struct CMUnitTest suite_watch_tests[];
extern const size_t suite_n_watch_tests;
extern const struct CMUnitTest suite_change_tests[];
extern const size_t suite_n_change_tests;

/* The store of the running test, and its environment. */
extern struct aero_store *suite_store;
extern const struct store_suite_env *suite_env;
int suite_setup(void **state);
int suite_teardown(void **state);

#define SUITE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, suite_setup, suite_teardown)

/* Fail with the words of the error; `err` in the call is ours. Main thread only. */
extern struct aero_err suite_err;
#define SUITE_RC(call, want) \
	do { \
		struct aero_err *err = &suite_err; \
		int suite_rc = (call); \
		if (suite_rc != (want)) \
			fail_msg("%s: %s (%s), not %s", #call, aero_rc_words(suite_rc), \
				suite_err.msg, aero_rc_words(want)); \
	} while (0)

#endif
