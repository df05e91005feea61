/* SPDX-License-Identifier: MIT */
/* The answers that the original's own tests state, from our code; and its faults, each
 * with what it does where we do otherwise. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "legacy/hosts.h"
#include "register/info.h"
#include "register/reap.h"
#include "tests/actors.h"
#include "tests/support.h"

#define REGISTER AERO_ACT_REGISTER
#define CHANGE AERO_ACT_CHANGE_MASTER

/* `hostname=node+alias+alias`, blank without a node; the service is that of the row. */
static void put_text(
	struct fake_store *fake, const char *service, bool masterful, const char *slots)
{
	char line[256], *save = NULL, *more = NULL;

	(void)snprintf(line, sizeof(line), "%s", slots);
	for (char *word = strtok_r(line, " ", &save); word != NULL;
		word = strtok_r(NULL, " ", &save)) {
		char *node = strchr(word, '='), *alias;

		*node++ = '\0';
		alias = strchr(node, '+');
		if (alias != NULL)
			*alias++ = '\0';
		fake_put(
			fake, word, service, masterful ? "masterful" : "iterative", node);
		for (alias = alias == NULL ? NULL : strtok_r(alias, "+", &more);
			alias != NULL; alias = strtok_r(NULL, "+", &more))
			assert_true(aero_list_add(
				&fake->slots.v[fake->slots.n - 1].who.aliases, alias));
	}
}

/* The same from the store, in its order. */
static void expect(const struct fake_store *fake, const char *want)
{
	char text[512] = "";
	size_t len = 0;

	for (size_t i = 0; i < fake->slots.n; i++) {
		const struct aero_slot *slot = &fake->slots.v[i];

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s=%s",
			i > 0 ? " " : "", slot->hostname, slot->who.instance_id);
		for (size_t j = 0; j < slot->who.aliases.n; j++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "+%s",
				slot->who.aliases.v[j]);
	}
	assert_string_equal(text, want);
}

struct row {
	const char *shows, *service, *type, *slots;
	enum aero_act act;
	const char *node, *alias, *name, *want;
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		bool masterful = strcmp(row->type, "masterful") == 0;
		struct fake_store *fake = fake_store_new();
		struct test_actor me;

		print_message("%s\n", row->shows);
		put_text(fake, row->service, masterful, row->slots);
		actor_init(&me, fake, row->act, row->service, masterful, row->node);
		if (row->alias != NULL)
			assert_true(aero_list_add(&me.who.aliases, row->alias));
		assert_int_equal(actor_run(&me), AERO_OK);
		if (row->name != NULL)
			assert_string_equal(me.actor.hostname, row->name);
		expect(fake, row->want);
		actors_check(fake, row->service);
		actor_end(&me);
		aero_store_close(&fake->base);
	}
}

/* registrar_test.py */
static void names_are_those_that_its_tests_state(void **state)
{
	static const struct row rows[] = {
		{"get_smallest_gap", "cassandra", "iterative",
			"cassandra-2= cassandra-1=", REGISTER, "i-t", NULL, "cassandra-1",
			"cassandra-2= cassandra-1=i-t"},
		{"pick_name: a gap", "mongodb", "masterful",
			"mongodb-master=i-d23 mongodb-slave-1=", REGISTER, "i-test", NULL,
			"mongodb-slave-1", "mongodb-master=i-d23 mongodb-slave-1=i-test"},
		{"pick_name: none", "mongodb", "masterful", "mongodb-master=i-d23",
			REGISTER, "i-test", NULL, "mongodb-slave-1",
			"mongodb-master=i-d23 mongodb-slave-1=i-test"},
		{"pick_name: the first is the master", "mongodb", "masterful", "",
			REGISTER, "i-test", NULL, "mongodb-master",
			"mongodb-master=i-test"},
		{"pick_name: a fallen master is replaced", "mongodb", "masterful",
			"mongodb-master= mongodb-slave-1=i-b", REGISTER, "i-test", NULL,
			"mongodb-master", "mongodb-master=i-test mongodb-slave-1=i-b"},
		{"pick_name: a duplicate gets no other name", "mongodb", "masterful",
			"mongodb-master=i-test mongodb-slave-1=", REGISTER, "i-test",
			NULL, "mongodb-master", "mongodb-master=i-test mongodb-slave-1="},
		{"pick_name: a duplicate without a name, missing master", "mongodb",
			"masterful", "=i-test", REGISTER, "i-test", NULL,
			"mongodb-master", "= mongodb-master=i-test"},
		{"pick_name: a duplicate without a name, missing slave", "mongodb",
			"masterful", "=i-test mongodb-master=i-test2", REGISTER, "i-test",
			NULL, "mongodb-slave-1",
			"= mongodb-master=i-test2 mongodb-slave-1=i-test"},
		{"reset_conflict_aliases", "mongodb", "masterful",
			"mongodb-master=i-a mongodb-slave-1=i-23426+test+not_test",
			REGISTER, "i-t", "test", "mongodb-slave-2",
			"mongodb-master=i-a mongodb-slave-1=i-23426+not_test "
			"mongodb-slave-2=i-t+test"},
		{"change_master", "testing", "masterful",
			"testing-master=test-instance2 testing-slave-1=test-instance1",
			CHANGE, "test-instance1", NULL, NULL,
			"testing-master=test-instance1 testing-slave-1=test-instance2"},
		{"change_master: already master", "testing", "masterful",
			"testing-master=test-instance2 testing-slave-1=test-instance1",
			CHANGE, "test-instance2", NULL, NULL,
			"testing-master=test-instance2 testing-slave-1=test-instance1"},
	};

	(void)state;
	check(rows, AERO_COUNT(rows));
}

static void its_faults_stay_out(void **state)
{
	static const struct row rows[] = {
		{"string order: it takes db-10", "db", "iterative",
			"db-0=i-a db-10= db-2= db-1=i-b", REGISTER, "i-t", NULL, "db-2",
			"db-0=i-a db-10= db-2=i-t db-1=i-b"},
		{"numbers by counting: it takes web-2 from i-b", "web", "iterative",
			"web-0=i-a web-2=i-b", REGISTER, "i-t", NULL, "web-1",
			"web-0=i-a web-2=i-b web-1=i-t"},
		{"the same of slaves: it takes db-slave-2", "db", "masterful",
			"db-master=i-a db-slave-2=i-b", REGISTER, "i-t", NULL,
			"db-slave-1", "db-master=i-a db-slave-2=i-b db-slave-1=i-t"},
		{"a nameless blank: it sees no other gap", "web", "iterative",
			"web-0=i-a web-1= =", REGISTER, "i-t", NULL, "web-1",
			"web-0=i-a web-1=i-t ="},
		{"stripped aliases: it takes api from i-a too", "web", "iterative",
			"web-0=i-a+www+api", REGISTER, "i-t", "www", "web-1",
			"web-0=i-a+api web-1=i-t+www"},
		{"aliases of a gap: it writes them over those of the first gap", "web",
			"iterative", "web-0=+zero web-1=+www+one web-2=i-c", REGISTER,
			"i-c", "www", "web-2", "web-0=+zero web-1=+one web-2=i-c+www"},
		{"duplicate slave: it names i-m db-slave-2, which i-b has", "db",
			"masterful", "db-master=i-m db-slave-1=i-a db-slave-2=i-b",
			CHANGE, "i-a", NULL, NULL,
			"db-master=i-a db-slave-1=i-m db-slave-2=i-b"},
	};

	(void)state;
	check(rows, AERO_COUNT(rows));
}

/* It looks, decides, and writes: whoever comes between loses the name to it. */
static void no_name_is_stolen(void **state)
{
	static const struct {
		enum aero_step stop; /* of the slow one, before this step */
		const char *slots, *want;
	} rows[] = {
		{AERO_STEP_R4,
			"web-0=i-a web-1=", "web-0=i-a web-1=i-quick web-2=i-slow"},
		{AERO_STEP_R4, "web-0=i-a web-1= web-2=",
			"web-0=i-a web-1=i-quick web-2=i-slow"},
		{AERO_STEP_R5_FIND, "web-0=i-a", "web-0=i-a web-1=i-quick web-2=i-slow"},
		/* It met somebody: it lays out a few slots, which are gaps until taken.
		 */
		{AERO_STEP_R5_INSERT, "web-0=i-a",
			"web-0=i-a web-1=i-quick web-2=i-slow web-3= web-4= web-5="},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct fake_store *fake = fake_store_new();
		struct test_actor slow, quick;

		print_message("%s\n", aero_step_words(rows[i].stop));
		put_text(fake, "web", false, rows[i].slots);
		actor_init(&slow, fake, REGISTER, "web", false, "i-slow");
		while (slow.actor.step != rows[i].stop)
			assert_int_equal(
				aero_actor_step(&slow.actor, &slow.err), AERO_OK);
		actor_init(&quick, fake, REGISTER, "web", false, "i-quick");
		assert_int_equal(actor_run(&quick), AERO_OK);
		assert_int_equal(actor_run(&slow), AERO_OK);
		expect(fake, rows[i].want);
		actor_end(&quick);
		actor_end(&slow);
		aero_store_close(&fake->base);
	}
}

/* It blanks both names first: whoever reads then, or when it dies, sees no master. */
static void a_change_over_that_dies_leaves_a_master(void **state)
{
	bool done = false;

	(void)state;
	for (unsigned steps = 0; !done; steps++) {
		struct fake_store *fake = fake_store_new();
		struct test_actor caller, helper;

		put_text(fake, "db", true, "db-master=i-m db-slave-1=i-a db-slave-2=i-b");
		actor_init(&caller, fake, CHANGE, "db", true, "i-a");
		for (unsigned n = 0; n < steps && caller.actor.step != AERO_STEP_DONE;
			n++) {
			assert_int_equal(
				aero_actor_step(&caller.actor, &caller.err), AERO_OK);
			assert_string_not_equal(
				fake_slot(fake, "db-master")->who.instance_id, "");
		}
		done = caller.actor.step == AERO_STEP_DONE;
		actor_init(&helper, fake, REGISTER, "db", true, "i-m");
		assert_int_equal(actor_run(&helper), AERO_OK);
		actors_check(fake, "db");
		assert_int_equal(fake_held(fake, "i-m"), 1);
		assert_int_equal(fake_held(fake, "i-a"), 1);
		actor_end(&helper);
		actor_end(&caller);
		aero_store_close(&fake->base);
	}
}

/* test_get_types_*: the words of aerostat_info. */
static void types_are_those_that_its_tests_state(void **state)
{
	static const struct {
		const char *text, *service;
		bool masterful;
		const char *aliases[3];
	} rows[] = {
		{"mongodb masterful", "mongodb", true, {NULL}},
		{"web", "web", false, {NULL}},
		{"web iterative web-master web-slave", "web", false,
			{"web-master", "web-slave", NULL}},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_info info = {0};
		size_t n = 0;

		assert_int_equal(aero_info_parse(rows[i].text, strlen(rows[i].text),
					 "info", &info, NULL),
			AERO_OK);
		assert_string_equal(info.service, rows[i].service);
		assert_int_equal(info.masterful, rows[i].masterful);
		for (; rows[i].aliases[n] != NULL; n++)
			assert_true(aero_list_has(&info.aliases, rows[i].aliases[n]));
		assert_int_equal(info.aliases.n, n);
		aero_info_clear(&info);
	}
}

/* test_register_name: what a registration writes, and nothing of it is missing. */
static void documents_have_its_six_fields(void **state)
{
	static const char *const keys[] = {
		"hostname", "ip", "service", "service_type", "instance_id", "aliases"};
	struct aero_slot slot = {0};
	bson_t doc = BSON_INITIALIZER;

	(void)state;
	aero_slot_to_bson(&slot, &doc);
	for (size_t i = 0; i < AERO_COUNT(keys); i++)
		assert_true(bson_has_field(&doc, keys[i]));
	bson_destroy(&doc);
}

/* aerostat_server_test.py: of test1, test2, test3 the cloud runs all but test1. */
static void whoever_does_not_run_loses_its_name(void **state)
{
	static const char *const ids[] = {"test1", "test2", "test3"};
	struct fake_store *fake = fake_store_new();
	struct aero_reap reap;
	struct aero_err err;

	(void)state;
	put_text(fake, "db", false, "db-0=test1+one db-1=test2 db-2=test3");
	for (size_t i = 0; i < AERO_COUNT(ids); i++) {
		aero_reap_begin(&reap, &fake->base, ids[i], &fake->slots.v[i]);
		while (reap.step != AERO_REAP_DONE)
			if (reap.step == AERO_REAP_B2)
				aero_reap_judge(&reap,
					i == 0 ? AERO_EVIDENCE_DEAD : AERO_EVIDENCE_RUNS,
					"terminated");
			else
				assert_int_equal(aero_reap_step(&reap, &err), AERO_OK);
	}
	expect(fake, "db-0=+one db-1=test2 db-2=test3"); /* the hostname is kept */
	assert_string_equal(fake->slots.v[0].who.ip, "");
	aero_store_close(&fake->base);
}

/* updater_test.py: the section is replaced, what stood before it stays, and an alias
 * follows its host. (It gives each alias a line of its own, we one to an address.) */
static void hosts_files_are_those_that_its_tests_state(void **state)
{
	static const char *const aliases[] = {"mongo-primary-slave", "first-prime"};
	static const struct aero_hosts_row host = {.host = "mongodb-slave-1",
		.aliases = aliases,
		.n_aliases = 2,
		.addrs = {"12.123.234.5"},
		.n_addrs = 1};
	static const struct {
		const char *old, *now;
	} rows[] = {
		{"127.0.0.1 localhost\n# AEROSTAT\n10.0.0.1 gone\n# /AEROSTAT\n",
			"127.0.0.1 localhost\n# AEROSTAT\n::1 localhost ip6-localhost\n"
			"12.123.234.5 mongodb-slave-1 mongo-primary-slave first-prime\n"
			"# /AEROSTAT\n"},
		{"", "# AEROSTAT\n127.0.0.1 localhost\n::1 localhost ip6-localhost\n"
		     "12.123.234.5 mongodb-slave-1 mongo-primary-slave first-prime\n"
		     "# /AEROSTAT\n"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows) * 2; i++) {
		/* As the file itself, and as what a legacy updater left. */
		const char *old = rows[i / 2].old;
		const struct aero_hosts_in in = {.old = i % 2 == 0 ? old : "",
			.old_len = i % 2 == 0 ? strlen(old) : 0,
			.legacy = i % 2 == 0 ? NULL : old,
			.legacy_len = i % 2 == 0 ? 0 : strlen(old),
			.rows = &host,
			.n_rows = 1};
		struct aero_hosts_out out = {0};

		assert_int_equal(aero_hosts_merge(&in, &out, NULL), AERO_OK);
		assert_string_equal(out.text, rows[i / 2].now);
		aero_hosts_out_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_that_its_tests_state),
		cmocka_unit_test(its_faults_stay_out),
		cmocka_unit_test(no_name_is_stolen),
		cmocka_unit_test(a_change_over_that_dies_leaves_a_master),
		cmocka_unit_test(types_are_those_that_its_tests_state),
		cmocka_unit_test(documents_have_its_six_fields),
		cmocka_unit_test(whoever_does_not_run_loses_its_name),
		cmocka_unit_test(hosts_files_are_those_that_its_tests_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
