/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "tests/support.h"
#include "lib/store_ops.h"

static bson_t *json(const char *text)
{
	bson_error_t error;
	bson_t *doc = text == NULL
			      ? NULL
			      : bson_new_from_json((const uint8_t *)text, -1, &error);

	if (text != NULL && doc == NULL)
		fail_msg("%s: %s", text, error.message);
	return doc;
}

static void a_change_gives_the_document_after_it(void **state)
{
	static const struct {
		const char *old, *doc, *set, *unset; /* unset: one field */
		const char *want;                    /* NULL: none */
		bool gone;
	} rows[] = {
		/* put */
		{NULL, "{\"_id\":1,\"a\":2}", NULL, NULL, "{\"_id\":1,\"a\":2}", false},
		{"{\"_id\":1,\"b\":2}", "{\"_id\":1,\"a\":2}", NULL, NULL,
			"{\"_id\":1,\"a\":2}", false},
		/* doc wins over a delta that came with it */
		{"{\"_id\":1}", "{\"_id\":1,\"a\":2}", "{\"a\":3}", "a",
			"{\"_id\":1,\"a\":2}", false},
		/* delete */
		{"{\"_id\":1}", NULL, NULL, NULL, NULL, true},
		{NULL, NULL, NULL, NULL, NULL, true},
		/* delta: in place, new fields last, in their order */
		{"{\"_id\":1,\"a\":1,\"b\":2}", NULL, "{\"a\":9}", NULL,
			"{\"_id\":1,\"a\":9,\"b\":2}", false},
		{"{\"_id\":1,\"a\":1}", NULL, "{\"z\":1,\"y\":[2,{\"n\":3}]}", NULL,
			"{\"_id\":1,\"a\":1,\"z\":1,\"y\":[2,{\"n\":3}]}", false},
		{"{\"_id\":1,\"a\":1,\"b\":2}", NULL, NULL, "a", "{\"_id\":1,\"b\":2}",
			false},
		{"{\"_id\":1,\"a\":1}", NULL, "{\"b\":{\"c\":1}}", "a",
			"{\"_id\":1,\"b\":{\"c\":1}}", false},
		{"{\"_id\":1,\"a\":1}", NULL, NULL, "none", "{\"_id\":1,\"a\":1}", false},
		{"{\"_id\":1,\"a\":1}", NULL, "{}", NULL, "{\"_id\":1,\"a\":1}", false},
		/* taken away and set again: it moved to the end */
		{"{\"_id\":1,\"a\":1,\"b\":2}", NULL, "{\"a\":3}", "a",
			"{\"_id\":1,\"b\":2,\"a\":3}", false},
		{"{\"_id\":1,\"a\":\"x\"}", NULL, "{\"a\":null}", NULL,
			"{\"_id\":1,\"a\":null}", false},
		/* a delta needs something to change */
		{NULL, NULL, "{\"a\":1}", NULL, NULL, false},
		{NULL, NULL, NULL, "a", NULL, false},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		bson_t *old = json(rows[i].old), *want = json(rows[i].want), *got;
		struct aero_change change = {
			.doc = json(rows[i].doc), .set = json(rows[i].set)};
		bool gone = !rows[i].gone;

		if (rows[i].unset != NULL)
			assert_true(aero_list_add(&change.unset, rows[i].unset));
		got = aero_change_apply(old, &change, &gone);
		if ((got == NULL) != (want == NULL) || gone != rows[i].gone ||
			(got != NULL && !bson_equal(got, want)))
			fail_msg("row %zu: %s", i,
				got == NULL ? "no document" : bson_as_json(got, NULL));
		bson_destroy(old);
		bson_destroy(want);
		bson_destroy(got);
		aero_change_clear(&change);
	}
}

static void fields_that_nobody_reads_are_dropped(void **state)
{
	static const char doc_text[] =
		"{\"_id\":1,\"x\":1,\"hostname\":\"w\",\"ip6\":null,\"y.z\":[1],"
		"\"aliases\":[],\"epoch\":5,\"keywords\":{\"ip\":5}}";
	static const char kept_text[] = "{\"_id\":1,\"hostname\":\"w\",\"ip6\":null,"
					"\"aliases\":[],\"epoch\":5}";
	struct aero_change whole = {.doc = json(doc_text)};
	struct aero_change delta = {.set = json("{\"x\":1,\"ip\":\"10.0.0.1\"}")};
	struct aero_change none = {0}, other = {.set = json("{\"x\":1}")};
	bson_t *kept = json(kept_text), *ip = json("{\"ip\":\"10.0.0.1\"}");
	bool gone = true;
	bson_t *same;

	(void)state;
	assert_true(aero_change_strip(&whole));
	assert_true(bson_equal(whole.doc, kept));
	assert_true(aero_list_add(&delta.unset, "keywords"));
	assert_true(aero_list_add(&delta.unset, "service"));
	assert_true(aero_change_strip(&delta));
	assert_true(bson_equal(delta.set, ip));
	assert_int_equal(delta.unset.n, 1);
	assert_string_equal(delta.unset.v[0], "service");
	/* what changes nothing of ours is no deletion, and the reverse */
	assert_true(aero_list_add(&other.unset, "y"));
	assert_true(aero_change_strip(&other));
	same = aero_change_apply(kept, &other, &gone);
	assert_false(gone);
	assert_true(bson_equal(same, kept));
	assert_true(aero_change_strip(&none));
	assert_null(aero_change_apply(kept, &none, &gone));
	assert_true(gone);
	bson_destroy(same);
	bson_destroy(kept);
	bson_destroy(ip);
	aero_change_clear(&whole);
	aero_change_clear(&delta);
	aero_change_clear(&other);
}

static void a_damaged_document_is_no_base(void **state)
{
	unsigned char bytes[] = {14, 0, 0, 0, 2, 'a', 0, 99, 0, 0, 0, 'x', 0, 0};
	struct aero_change change = {.set = json("{\"b\":1}")};
	bool gone = true;
	bson_t old;

	(void)state;
	assert_true(bson_init_static(&old, bytes, sizeof(bytes)));
	assert_null(aero_change_apply(&old, &change, &gone));
	assert_false(gone);
	aero_change_clear(&change);
}

static void a_batch_owns_what_is_added(void **state)
{
	struct aero_batch batch = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct aero_change change = {
			.id = json("{\"_id\":1}"), .doc = json("{\"_id\":1}")};

		assert_true(aero_batch_add(&batch, &change));
		assert_null(change.id);
		assert_null(change.doc);
	}
	assert_int_equal(batch.n, 100);
	assert_true(aero_position_set(&batch.position, "token", 5, 7));
	assert_true(aero_position_set(
		&batch.position, batch.position.token, batch.position.token_len, 8));
	assert_memory_equal(batch.position.token, "token", 5);
	assert_int_equal(batch.position.source_time, 8);
	assert_true(aero_position_set(&batch.position, NULL, 0, 9));
	assert_null(batch.position.token);
	aero_batch_clear(&batch);
	assert_int_equal(batch.n, 0);
	aero_batch_clear(&batch);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_gives_the_document_after_it),
		cmocka_unit_test(fields_that_nobody_reads_are_dropped),
		cmocka_unit_test(a_damaged_document_is_no_base),
		cmocka_unit_test(a_batch_owns_what_is_added),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
