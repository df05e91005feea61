/* SPDX-License-Identifier: MIT */
/* Repairs over the scripted store, cut off at each operation and begun again. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/repair.h"
#include "tests/fake_store.h"
#include "tests/support.h"

static struct fake_store *fake;
static struct aero_conf conf;
static struct aero_err err;
static char *printed;

static int set_up(void **state)
{
	(void)state;
	fake = fake_store_new();
	conf = (struct aero_conf){
		.repair = true, .reap_cap_percent = 20, .reap_cap_min = 3};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	aero_store_close(&fake->base);
	free(printed);
	printed = NULL;
	return 0;
}

/* What the original leaves: a name twice, an instance twice, a nameless node, a nameless
 * gap, an alias twice, a hole. */
static void mess(void)
{
	fake_put(fake, "web-0", "web", "", "i-0");
	fake_put(fake, "web-0", "web", "", "i-1");
	fake_put(fake, "web-1", "web", "", "i-2");
	fake_put(fake, "web-5", "web", "", "i-2");
	fake_put(fake, "", "web", "", "i-3");
	fake_put(fake, "", "web", "", "");
	for (size_t i = 0; i < fake->slots.n - 1; i++)
		fake->slots.v[i].who.ip[strlen("10.9.9.")] = (char)('1' + i);
	assert_true(aero_list_add(&fake_slot(fake, "web-0")->who.aliases, "x"));
	assert_true(aero_list_add(&fake_slot(fake, "web-1")->who.aliases, "x"));
}

static int repair(void)
{
	size_t len = 0;
	FILE *out;
	int rc;

	free(printed);
	printed = NULL;
	out = open_memstream(&printed, &len);
	assert_non_null(out);
	rc = aero_repair_store(&conf, &fake->base, out, &err);
	assert_int_equal(fclose(out), 0);
	return rc;
}

/* All is right, and those who had a name that answers have it. */
static void assert_mended(void)
{
	static const char *const instances[] = {"i-0", "i-1", "i-2", "i-3"};

	conf.repair = false;
	if (repair() != AERO_OK)
		fail_msg("%s: %s", err.msg, printed);
	assert_non_null(strstr(printed, ": 0 wrong, 0 worth knowing"));
	conf.repair = true;
	for (size_t i = 0; i < AERO_COUNT(instances); i++)
		assert_int_equal(fake_held(fake, instances[i]), 1);
	assert_string_equal(fake_slot(fake, "web-0")->who.instance_id, "i-0");
	assert_string_equal(fake_slot(fake, "web-1")->who.instance_id, "i-2");
	assert_null(fake_slot(fake, ""));
}

static void a_mess_is_mended_and_then_nothing_is_left_to_do(void **state)
{
	size_t events;

	(void)state;
	mess();
	assert_int_equal(repair(), AERO_OK);
	assert_non_null(strstr(printed, "will: take the hostname off"));
	assert_non_null(
		strstr(printed, "done - -: register the instance as a newcomer: "));
	assert_mended();
	events = fake->n_history;
	assert_true(events >= 6);
	assert_int_equal(repair(), AERO_OK);
	assert_null(strstr(printed, "done"));
	assert_non_null(strstr(printed, "; 0 mended, 0 held"));
	assert_int_equal(fake->n_history, events);
}

static void a_plan_changes_nothing(void **state)
{
	(void)state;
	mess();
	conf.dryrun = true;
	assert_int_equal(repair(), AERO_OK); /* as the real run would end */
	assert_non_null(strstr(printed, "would: take the hostname off"));
	assert_null(strstr(printed, "done"));
	assert_non_null(strstr(printed, "dry run: 6 documents: "));
	assert_int_equal(fake->slots.n, 6);
	assert_int_equal(fake->n_history, 0);
	assert_int_equal(fake_held(fake, "i-2"), 2);
}

static void what_is_cut_off_is_gone_on_with(void **state)
{
	unsigned at = 1;
	bool failed = true;

	for (; failed; at++) {
		for (int fault = FAKE_NET; fault < FAKE_N_FAULTS; fault++) {
			(void)tear_down(state);
			(void)set_up(state);
			mess();
			fake->fault_at = at;
			fake->fault = (enum fake_fault)fault;
			(void)repair();
			failed = fake->ops >= at;
			fake->fault_at = 0;
			if (repair() != AERO_OK)
				fail_msg("operation %u, fault %d: %s: %s", at, fault,
					err.msg, printed);
			assert_mended();
		}
	}
	assert_true(at > 40);
}

static void more_than_the_guard_lets_go_stays(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		fake_put(fake, "", "web", "", "");
	fake_put(fake, "web-1", "web", "", "i-0");
	assert_int_equal(repair(), AERO_REFUSED);
	assert_non_null(strstr(printed, "held: delete the document"));
	assert_non_null(strstr(printed, "done web-0 -: put a gap there"));
	assert_non_null(
		strstr(err.msg, "4 names and documents of 6 would go at once, the "
				"guard lets 3"));
	assert_int_equal(fake->slots.n, 6);
	conf.force = true;
	assert_int_equal(repair(), AERO_OK);
	assert_int_equal(fake->slots.n, 2);
}

static void what_only_a_person_can_mend_is_said(void **state)
{
	(void)state;
	fake_put(fake, "web-0", "web", "", "i-0");
	fake_slot(fake, "web-0")->who.ip[0] = '\0';
	assert_int_equal(repair(), AERO_REFUSED);
	assert_non_null(
		strstr(err.msg, "1 of what is in the collection is wrong, and to be "
				"corrected by hand"));
	conf.dryrun = true;
	assert_int_equal(repair(), AERO_REFUSED);
}

/* Who was declared dead gets no name. */
static void the_dead_get_no_name(void **state)
{
	(void)state;
	fake_put(fake, "web-0", "web", "", "i-0");
	fake_put(fake, "", "web", "", "i-1");
	*fake_node(fake, "i-1") =
		(struct aero_node){.exists = true, .gen = 1, .dead = true};
	assert_int_equal(repair(), AERO_OK);
	assert_int_equal(fake->slots.n, 1);
	assert_int_equal(fake_held(fake, "i-1"), 0);
}

/* A server cannot index every document: the rest is mended. */
static void one_step_that_is_refused_holds_up_no_other(void **state)
{
	(void)state;
	fake_put(fake, "", "web", "", "");
	fake->check_rc = AERO_MISS;
	fake->create_rc = AERO_DB;
	assert_int_equal(repair(), AERO_REFUSED);
	assert_int_equal(fake->slots.n, 0);
}

/* Its own registration comes between any two steps of repair: its address stays. */
static int (*real_control)(
	struct aero_store *, const char *, struct aero_control *, struct aero_err *);

static int register_first(struct aero_store *store, const char *service,
	struct aero_control *ret, struct aero_err *of)
{
	struct aero_slot *nameless = fake_slot(fake, "");

	if (nameless != NULL) {
		free(nameless->hostname);
		nameless->hostname = strdup("web-0");
		(void)snprintf(nameless->who.ip, sizeof("10.9.9.9"), "10.9.9.1");
		nameless->reg = 5;
	}
	return real_control(store, service, ret, of);
}

static void who_registers_by_itself_meanwhile_is_left_alone(void **state)
{
	static struct aero_store_ops ops; /* the store is closed after this */

	(void)state;
	ops = *fake->base.ops;
	fake_put(fake, "", "web", "", "i-1");
	real_control = ops.control;
	ops.control = register_first;
	fake->base.ops = &ops;
	assert_int_equal(repair(), AERO_OK);
	assert_string_equal(fake_slot(fake, "web-0")->who.ip, "10.9.9.1");
	assert_true(fake_slot(fake, "web-0")->reg == 5);
	assert_null(strstr(printed, "done"));
}

static void nobody_registers_while_indexes_are_missing(void **state)
{
	(void)state;
	fake_put(fake, "", "web", "", "i-1");
	fake->check_rc = AERO_MISS;
	fake->create_rc = AERO_DUP_HOSTNAME;
	assert_int_equal(repair(), AERO_REFUSED);
	assert_null(strstr(printed, "done"));
	assert_int_equal(fake->slots.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_mess_is_mended_and_then_nothing_is_left_to_do),
		TEST(a_plan_changes_nothing),
		TEST(what_is_cut_off_is_gone_on_with),
		TEST(more_than_the_guard_lets_go_stays),
		TEST(what_only_a_person_can_mend_is_said),
		TEST(the_dead_get_no_name),
		TEST(one_step_that_is_refused_holds_up_no_other),
		TEST(who_registers_by_itself_meanwhile_is_left_alone),
		TEST(nobody_registers_while_indexes_are_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
