/* SPDX-License-Identifier: MIT */
/* The shrink guard over a mirror of its own: what it holds, for how long by which clock,
 * and that it lets through what was streamed. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/store_ops.h"
#include "syncd/guard.h"
#include "tests/support.h"

#define N_NAMES 20

static struct aero_conf conf;
static struct aero_mirror *m;
static int64_t wall_step;

int64_t __real_aero_unix_ms(void);
int64_t __wrap_aero_unix_ms(void);

int64_t __wrap_aero_unix_ms(void)
{
	return __real_aero_unix_ms() + wall_step;
}

static void open_mirror(void)
{
	struct aero_err err;

	if (aero_mirror_new(&conf, "test", &m, &err) != AERO_OK)
		fail_msg("%s", err.msg);
}

static int setup(void **state)
{
	char root[600],
		*argv[] = {(char[]){"aerostat-syncd"}, root, (char[]){"--shrink-grace=2"},
			(char[]){"--loglevel=CRITICAL"}, (char[]){"--hosts-file=off"}};
	static int turn;
	struct aero_err err;

	(void)state;
	(void)snprintf(root, sizeof(root), "--root=%s/%d", test_dir(), turn++);
	assert_int_equal(
		aero_conf_load(AERO_PROG_SYNCD, AERO_COUNT(argv), argv, &conf, &err),
		AERO_OK);
	wall_step = 0;
	open_mirror();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	aero_mirror_free(m);
	m = NULL;
	aero_conf_clear(&conf);
	return 0;
}

static bson_t *document(int id, int turn)
{
	bson_t *doc = bson_new();
	char name[32], ip[32];

	(void)snprintf(name, sizeof(name), "web-%d", id);
	(void)snprintf(ip, sizeof(ip), "10.0.%d.%d", turn, id + 1);
	BSON_APPEND_INT32(doc, "_id", id);
	BSON_APPEND_UTF8(doc, "hostname", name);
	BSON_APPEND_UTF8(doc, "ip", ip);
	return doc;
}

/* Apply ids 0 to n as a whole collection, or (DELTA) delete n to N_NAMES. */
static void apply(enum aero_batch_kind kind, int n, int turn)
{
	int first = kind == AERO_BATCH_DELTA ? n : 0;
	int last = kind == AERO_BATCH_DELTA ? N_NAMES : n;
	struct aero_batch batch = {.kind = kind};
	struct aero_err err;

	for (int i = first; i < last; i++) {
		struct aero_change change = {0};
		bson_t *doc = document(i, turn);

		change.id = aero_doc_id(doc);
		assert_true(kind == AERO_BATCH_DELTA ? aero_batch_add(&batch, &change)
						     : aero_batch_add_doc(&batch, doc));
		aero_change_clear(&change);
		bson_destroy(doc);
	}
	if (aero_mirror_apply(m, &batch, aero_unix_ns(), &err) != AERO_OK)
		fail_msg("%s", err.msg);
	aero_batch_clear(&batch);
}

static int publish(int64_t *ret_wait)
{
	struct aero_err err = {{0}};

	*ret_wait = 0;
	return aero_mirror_publish(m, ret_wait, &err);
}

static void start_with_all(void)
{
	int64_t wait;

	apply(AERO_BATCH_FULL, N_NAMES, 0);
	assert_int_equal(publish(&wait), AERO_OK);
	assert_int_equal(m->n_published, N_NAMES);
}

static void a_small_collection_is_held(void **state)
{
	int64_t wait;

	(void)state;
	start_with_all();
	apply(AERO_BATCH_FULL, 3, 0);
	assert_int_equal(publish(&wait), AERO_REFUSED);
	assert_int_equal(m->n_published, N_NAMES);
	/* also when more goes by the stream, or is read once more */
	apply(AERO_BATCH_DELTA, 2, 0);
	assert_int_equal(publish(&wait), AERO_REFUSED);
	apply(AERO_BATCH_FULL, 4, 1);
	assert_int_equal(publish(&wait), AERO_REFUSED);
	apply(AERO_BATCH_FULL, 15, 1);
	assert_int_equal(publish(&wait), AERO_OK);
	assert_int_equal(m->n_published, 15);
}

static void what_is_streamed_is_believed(void **state)
{
	int64_t wait;

	(void)state;
	start_with_all();
	apply(AERO_BATCH_DELTA, 10, 0);
	apply(AERO_BATCH_DELTA, 3, 0);
	assert_int_equal(publish(&wait), AERO_OK);
	assert_int_equal(m->n_published, 3);
}

/* A whole collection and deletions after it, in one turn of the loop. */
static void also_right_behind_a_whole_collection(void **state)
{
	int64_t wait;

	(void)state;
	start_with_all();
	apply(AERO_BATCH_FULL, N_NAMES, 1);
	apply(AERO_BATCH_DELTA, 10, 0);
	apply(AERO_BATCH_DELTA, 3, 0);
	assert_int_equal(publish(&wait), AERO_OK);
	assert_int_equal(m->n_published, 3);
	/* and what was counted then is not taken for a later one */
	apply(AERO_BATCH_FULL, N_NAMES, 2);
	assert_int_equal(publish(&wait), AERO_OK);
	apply(AERO_BATCH_FULL, 3, 2);
	assert_int_equal(publish(&wait), AERO_REFUSED);
}

static void the_grace_is_of_the_steady_clock(void **state)
{
	static const int64_t steps[] = {86400000, -86400000, 0};
	int64_t wait, began;

	(void)state;
	start_with_all();
	apply(AERO_BATCH_FULL, 3, 0);
	began = aero_clock_ms();
	for (size_t i = 0; i < AERO_COUNT(steps); i++) {
		wall_step = steps[i];
		assert_int_equal(publish(&wait), AERO_REFUSED);
		assert_in_range(wait, 1, 2000);
	}
	wall_step = -86400000;
	while (aero_clock_ms() - began < 2100)
		(void)usleep(50000);
	assert_int_equal(publish(&wait), AERO_OK);
	assert_int_equal(m->n_published, 3);
}

/* A process that ends while it holds; the next one, by the wall clock, goes on. */
static void a_restart_goes_on_with_the_grace(void **state)
{
	static const struct {
		int64_t step;
		int rc;
	} rows[] = {{1000, AERO_REFUSED}, {-86400000, AERO_REFUSED}, {3000, AERO_OK}};
	int64_t wait;

	(void)state;
	start_with_all();
	apply(AERO_BATCH_FULL, 3, 0);
	assert_int_equal(publish(&wait), AERO_REFUSED);
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		aero_mirror_free(m);
		m = NULL;
		wall_step = rows[i].step;
		open_mirror();
		assert_int_equal(publish(&wait), rows[i].rc);
		assert_in_range(wait, 0, 2000);
	}
	assert_int_equal(m->n_published, 3);
}

#define GUARD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST(a_small_collection_is_held),
		GUARD_TEST(what_is_streamed_is_believed),
		GUARD_TEST(also_right_behind_a_whole_collection),
		GUARD_TEST(the_grace_is_of_the_steady_clock),
		GUARD_TEST(a_restart_goes_on_with_the_grace),
	};

	return cmocka_run_group_tests_name("shrink guard", tests, NULL, NULL);
}
