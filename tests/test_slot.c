/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/support.h"
#include "tests/store_suite.h"

/* What each line of tests/data/original.json is read as. */
static const struct {
	const char *hostname, *service, *type, *instance_id, *ip, *aliases;
	bool odd;
} want[] = {
	{"web-0", "web", "iterative", "i-00000001", "10.0.0.1", "", false},
	{"web-1", "web", "iterative", "i-00000002", "10.0.0.2", "www,static", false},
	{"web-2", "web", "iterative", "", "", "", false},
	{"web-3", "web", "iterative", "", "10.0.0.4", "still-here", false},
	{"db-master", "db", "masterful", "i-00000005", "10.0.1.1", "", false},
	{"db-slave-1", "db", "masterful", "i-00000006", "10.0.1.2", "", false},
	{"", "db", "masterful", "i-00000007", "10.0.1.3", "", false},
	{"db-slave-3", "db", "masterful", "i-00000008", "10.0.1.4", "", false},
	{"db-slave-3", "db", "masterful", "i-00000009", "10.0.1.5", "", false},
	{"db-slave-3", "db", "masterful", "", "", "", false},
	{"db-master", "db", "masterful", "i-0000000b", "10.0.1.6", "", false},
	{"old-0", "old", "", "i-0000000c", "10.0.2.1", "", false},
	{"old-1", "old", "iterative", "i-0000000d", "10.0.2.2", "", false},
	{"old-2", "old", "iterative", "i-0000000e", "", "", false},
	{"old-3", "", "", "i-0000000f", "10.0.2.4", "", false},
	{"", "old", "iterative", "i-00000010", "10.0.2.5", "", false},
	{"old-5", "old", "iterative", "i-00000011", "", "", true},
	{"old-6", "old", "iterative", "i-00000012", "10.0.2.7", "", true},
	{"old-7", "old", "iterative", "i-00000013", "10.0.2.8", "good,better", true},
	{"old-8", "old", "iterative", "i-00000014", "10.0.2.9", "", false},
	{"test-0", "test", "iterative", "test-instance", "test_local_ip", "", false},
	{"test-1", "test", "iterative", "test-instance", "test_local_ip", "", false},
	{"my_app-0", "my_app", "iterative", "i-00000017", "10.0.3.1", "my_alias", false},
	{"api.example.com", "api", "iterative", "i-00000018", "10.0.3.2", "", false},
	{"Upper-0", "Upper", "iterative", "i-00000019", "10.0.3.3", "", false},
	{"old-9", "old", "iterative", "i-0000001a", "10.0.2.10", "", false},
	{"old-10", "old", "iterative", "", "10.0.2.11", "", false},
	{"", "old", "", "", "", "", false},
	{"new-0", "new", "iterative", "i-0000001d", "10.0.4.1", "n", false},
	{"new-1", "new", "iterative", "i-0000001e", "10.0.4.2", "", true},
	{"", "nul", "iterative", "i-0000001f", "10.0.4.3", "", true},
	{"", "list", "iterative", "", "", "", true},
	{"gap-7", "gap", "", "i-00000021", "10.0.4.5", ",", false},
	{"", "", "", "", "", "", false},
};

static const char *joined(const struct aero_list *list)
{
	static char text[256];

	text[0] = '\0';
	for (size_t i = 0; i < list->n; i++) {
		size_t at = strlen(text);

		(void)snprintf(text + at, sizeof(text) - at, "%s%s", i == 0 ? "" : ",",
			list->v[i]);
	}
	return text;
}

static void documents_of_the_original_are_read(void **state)
{
	bson_t *docs[64];
	size_t n = suite_original(docs, AERO_COUNT(docs));

	(void)state;
	assert_int_equal(n, AERO_COUNT(want));
	for (size_t i = 0; i < n; i++) {
		struct aero_slot slot = {0};
		const char *odd = "none";

		assert_true(aero_slot_of_bson(docs[i], &slot, &odd));
		if ((odd != NULL) != want[i].odd)
			fail_msg("line %zu: %s", i + 1, odd == NULL ? "not odd" : odd);
		assert_string_equal(slot.hostname, want[i].hostname);
		assert_string_equal(slot.service, want[i].service);
		assert_string_equal(slot.service_type, want[i].type);
		assert_string_equal(slot.who.instance_id, want[i].instance_id);
		assert_string_equal(slot.who.ip, want[i].ip);
		assert_string_equal(joined(&slot.who.aliases), want[i].aliases);
		/* one has 12 for an id: nobody knows whose, so it is no gap */
		assert_int_equal(slot.odd_id, strcmp(want[i].service, "list") == 0);
		assert_int_equal(aero_slot_blank(&slot),
			*want[i].instance_id == '\0' && !slot.odd_id);
		assert_int_equal(aero_slot_masterful(&slot),
			strcmp(want[i].type, "masterful") == 0);
		if (strcmp(slot.hostname, "new-0") == 0) {
			assert_string_equal(slot.who.ip6, "2001:db8::1");
			assert_true(slot.reg == 9007199254740993 && slot.epoch == 3);
			assert_true(slot.registered_at == 1700000000123);
		} else {
			assert_string_equal(slot.who.ip6, "");
			assert_true(slot.reg == 0 && slot.epoch == 0);
		}
		if (strcmp(slot.hostname, "new-1") == 0)
			assert_true(slot.registered_at == 1700000000123);
		aero_slot_clear(&slot);
	}
	suite_docs_free(docs, n);
}

static void what_is_written_is_read_back(void **state)
{
	bson_t *docs[64];
	size_t n = suite_original(docs, AERO_COUNT(docs));
	static const char *const always[] = {
		"hostname", "service", "service_type", "instance_id", "ip", "aliases"};

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct aero_slot slot = {0}, again = {0}, copy = {0};
		bson_t first = BSON_INITIALIZER, second = BSON_INITIALIZER;
		bson_iter_t it;

		assert_true(aero_slot_of_bson(docs[i], &slot, NULL));
		aero_slot_to_bson(&slot, &first);
		for (size_t j = 0; j < AERO_COUNT(always); j++)
			assert_true(bson_has_field(&first, always[j]));
		assert_true(bson_iter_init_find(&it, &first, "aliases") &&
			    BSON_ITER_HOLDS_ARRAY(&it));
		assert_false(bson_has_field(&first, "_id"));
		assert_true(aero_slot_of_bson(&first, &again, NULL));
		assert_true(aero_slot_copy(&again, &copy));
		aero_slot_to_bson(&copy, &second);
		assert_true(bson_equal(&first, &second));
		aero_slot_clear(&slot);
		aero_slot_clear(&again);
		aero_slot_clear(&copy);
		bson_destroy(&first);
		bson_destroy(&second);
	}
	suite_docs_free(docs, n);
}

static void an_unset_slot_is_written_with_all_fields(void **state)
{
	struct aero_slot slot = {0};
	bson_t doc = BSON_INITIALIZER;
	char *text;

	(void)state;
	aero_slot_to_bson(&slot, &doc);
	text = bson_as_json(&doc, NULL);
	assert_string_equal(text,
		"{ \"hostname\" : \"\", \"service\" : \"\", \"service_type\" : \"\", "
		"\"instance_id\" : \"\", \"ip\" : \"\", \"aliases\" : [  ] }");
	bson_free(text);
	bson_destroy(&doc);
	assert_true(aero_slot_blank(&slot));
	assert_false(aero_slot_masterful(&slot));
}

static void damaged_documents_are_refused(void **state)
{
	/* {a: "x"} with a string length beyond the document */
	unsigned char bytes[] = {14, 0, 0, 0, 2, 'a', 0, 99, 0, 0, 0, 'x', 0, 0};
	struct aero_slot slot = {.reg = 5};
	const char *odd = NULL;
	bson_t doc;

	(void)state;
	assert_true(bson_init_static(&doc, bytes, sizeof(bytes)));
	assert_false(aero_slot_of_bson(&doc, &slot, &odd));
	assert_string_equal(odd, "damaged BSON");
	assert_true(slot.reg == 5 && slot.hostname == NULL);
	assert_false(aero_slot_of_bson(&doc, &slot, NULL));
}

static void odd_numbers_do_no_harm(void **state)
{
	static const struct {
		double number;
		int64_t want;
	} rows[] = {
		{3.0, 3},
		{3.7, 3},
		{-1.0, -1},
		{1e300, 0},
		{-1e300, 0},
		{9223372036854775808.0, 0}, /* 2^63 */
		{-9223372036854775808.0, INT64_MIN},
	};
	double zero = 0.0;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows) + 1; i++) {
		bool nan = i == AERO_COUNT(rows);
		struct aero_slot slot = {0};
		bson_t doc = BSON_INITIALIZER;

		BSON_APPEND_DOUBLE(&doc, "epoch", nan ? zero / zero : rows[i].number);
		assert_true(aero_slot_of_bson(&doc, &slot, NULL));
		assert_true(slot.epoch == (nan ? 0 : rows[i].want));
		aero_slot_clear(&slot);
		bson_destroy(&doc);
	}
}

static void a_field_given_twice_counts_once(void **state)
{
	struct aero_slot slot = {0};
	struct aero_list a = {0}, b = {0};
	bson_t doc = BSON_INITIALIZER;

	(void)state;
	assert_true(aero_list_add(&a, "a") && aero_list_add(&b, "b"));
	BSON_APPEND_UTF8(&doc, "hostname", "one");
	BSON_APPEND_UTF8(&doc, "hostname", "two");
	aero_list_to_bson(&a, &doc, "aliases");
	aero_list_to_bson(&b, &doc, "aliases");
	assert_true(aero_slot_of_bson(&doc, &slot, NULL));
	/* One of them, whole. */
	assert_string_equal(slot.hostname, "two");
	assert_string_equal(joined(&slot.who.aliases), "b");
	aero_slot_clear(&slot);
	aero_list_clear(&a);
	aero_list_clear(&b);
	bson_destroy(&doc);
}

static void arrays_grow_and_own(void **state)
{
	struct aero_slots slots = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct aero_slot *slot =
			suite_slot("web-0", "web", "i-0", "10.0.0.1", "a,b");

		assert_true(aero_slots_add(&slots, slot));
		assert_null(slot->hostname);
		assert_int_equal(slots.n, i + 1);
		assert_string_equal(slots.v[i].who.aliases.v[1], "b");
	}
	aero_slots_clear(&slots);
	assert_null(slots.v);
	aero_slots_clear(&slots);
}

static void lists_hold_copies(void **state)
{
	struct aero_list list = {0}, copy = {0};

	(void)state;
	assert_true(aero_list_copy(&list, &copy));
	assert_int_equal(copy.n, 0);
	assert_true(aero_list_add(&list, "one"));
	assert_true(aero_list_addn(&list, "two three", 3));
	assert_true(aero_list_addn(&list, "four", 0));
	assert_true(aero_list_copy(&list, &copy));
	aero_list_clear(&list);
	assert_false(aero_list_has(&list, "one"));
	assert_int_equal(copy.n, 3);
	assert_true(aero_list_has(&copy, "two") && aero_list_has(&copy, ""));
	assert_false(aero_list_has(&copy, "tw"));
	aero_list_clear(&copy);
}

static void only_names_of_slots_fit(void **state)
{
	static const struct {
		const char *hostname;
		bool fits;
	} rows[] = {{"db-0", true}, {"db-10", true}, {"db-master", true},
		{"db-slave-1", true}, {"db-slave-0", true},
		{"db-99999999999999999", true}, {"db-999999999999999999", false},
		{"db-00", false}, {"db-01", false}, {"db-slave-01", false}, {"db", false},
		{"db-", false}, {"db-slave-", false}, {"db-slave", false},
		{"db-1 ", false}, {"db-1\n", false}, {" db-1", false}, {"db--1", false},
		{"db-+1", false}, {"db-1.x", false}, {"DB-1", false},
		{"db-master-1", false}, {"dbx-1", false}, {"", false},
		{"printer", false}};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		print_message("'%s'\n", rows[i].hostname);
		assert_int_equal(
			aero_slot_name_fits(rows[i].hostname, "db"), rows[i].fits);
	}
}

/* The original changes occupants and does not know of ip6. */
static void an_ip6_counts_for_its_occupant_alone(void **state)
{
	static const struct {
		const char *json, *ip6;
	} rows[] = {
		{"{\"instance_id\":\"i-a\",\"ip6\":\"fd00::1\"}", "fd00::1"},
		{"{\"instance_id\":\"i-a\",\"ip6\":\"fd00::1\",\"ip6_of\":\"i-a\"}",
			"fd00::1"},
		{"{\"ip6_of\":\"i-a\",\"ip6\":\"fd00::1\",\"instance_id\":\"i-a\"}",
			"fd00::1"},
		{"{\"instance_id\":\"i-x\",\"ip6\":\"fd00::1\",\"ip6_of\":\"i-a\"}", ""},
		{"{\"instance_id\":\"i-ab\",\"ip6\":\"fd00::1\",\"ip6_of\":\"i-a\"}", ""},
		{"{\"instance_id\":\"\",\"ip6\":\"fd00::1\",\"ip6_of\":\"i-a\"}", ""},
		{"{\"instance_id\":7,\"ip6\":\"fd00::1\",\"ip6_of\":\"i-a\"}", ""},
		/* Static entries, and what people write. */
		{"{\"instance_id\":\"\",\"ip6\":\"fd00::1\",\"ip6_of\":\"\"}", "fd00::1"},
		{"{\"ip6\":\"fd00::1\"}", "fd00::1"},
		{"{\"ip6\":\"fd00::1\",\"ip6_of\":null}", "fd00::1"},
		{"{\"ip6\":\"fd00::1\",\"ip6_of\":5}", "fd00::1"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		bson_t *doc = bson_new_from_json((const uint8_t *)rows[i].json, -1, NULL);
		struct aero_slot slot = {0};

		assert_non_null(doc);
		assert_true(aero_slot_of_bson(doc, &slot, NULL));
		print_message("%s\n", rows[i].json);
		assert_string_equal(slot.who.ip6, rows[i].ip6);
		aero_slot_clear(&slot);
		bson_destroy(doc);
	}
}

static void the_gravest_oddity_is_told_and_marked(void **state)
{
	static const struct {
		const char *json, *words; /* NULL: none */
		bool odd, odd_id;
	} rows[] = {
		{"{\"aliases\":5,\"ip\":5}", "ip is no string", false, false},
		{"{\"ip\":5,\"aliases\":5}", "ip is no string", false, false},
		{"{\"service\":5,\"hostname\":5}", "hostname is no string", true, false},
		{"{\"aliases\":5,\"reg\":\"x\"}", "aliases is neither", false, false},
		{"{\"instance_id\":5}", "instance_id is no string", true, true},
		{"{\"instance_id\":null}", NULL, false, false},
		{"{\"reg\":1.0,\"epoch\":2}", NULL, false, false},
		{"{\"reg\":1.5}", NULL, true, false},
		{"{\"reg\":[5]}", "reg is no number", true, false},
		{"{\"reg\":{\"$date\":5}}", NULL, true, false},
		{"{\"epoch\":{\"$numberDecimal\":\"5\"}}", "epoch is no number", true,
			false},
		{"{\"epoch\":{\"$numberDouble\":\"NaN\"}}", "epoch is no number", true,
			false},
		{"{\"registered_at\":{\"$date\":5}}", NULL, false, false},
		{"{\"registered_at\":[]}", "registered_at is no number", false, false},
		{"{\"unknown\":[[5]]}", NULL, false, false},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		bson_t *doc = bson_new_from_json((const uint8_t *)rows[i].json, -1, NULL);
		struct aero_slot slot = {0};
		const char *odd = NULL;

		print_message("%s\n", rows[i].json);
		assert_non_null(doc);
		assert_true(aero_slot_of_bson(doc, &slot, &odd));
		if (rows[i].words == NULL)
			assert_null(odd);
		else
			assert_true(odd != NULL && strncmp(odd, rows[i].words,
							   strlen(rows[i].words)) == 0);
		assert_int_equal(slot.odd, rows[i].odd);
		assert_int_equal(slot.odd_id, rows[i].odd_id);
		aero_slot_clear(&slot);
		bson_destroy(doc);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_of_the_original_are_read),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(an_unset_slot_is_written_with_all_fields),
		cmocka_unit_test(damaged_documents_are_refused),
		cmocka_unit_test(odd_numbers_do_no_harm),
		cmocka_unit_test(only_names_of_slots_fit),
		cmocka_unit_test(an_ip6_counts_for_its_occupant_alone),
		cmocka_unit_test(the_gravest_oddity_is_told_and_marked),
		cmocka_unit_test(a_field_given_twice_counts_once),
		cmocka_unit_test(arrays_grow_and_own),
		cmocka_unit_test(lists_hold_copies),
	};

	return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
