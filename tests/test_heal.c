/* SPDX-License-Identifier: MIT */
/* Self-heal over the embedded store. The linker puts nanosleep through the wrapper below:
 * no test waits, and how far apart two looks are is seen. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/identity.h"
#include "lib/log.h"
#include "lib/store.h"
#include "register/heal.h"
#include "register/register.h"
#include "tests/support.h"

static char names[300];
static struct aero_conf conf;
static struct aero_store *store;
static int64_t waited_ms; /* the longest of this test; 0 = none */
static void (*meanwhile)(void);

int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	int64_t ms = time->tv_sec * 1000 + time->tv_nsec / 1000000;

	(void)left;
	if (ms > waited_ms)
		waited_ms = ms;
	if (meanwhile != NULL)
		meanwhile();
	return 0;
}

static void load(const char *flags)
{
	char line[1024], *save = NULL, *argv[32];
	struct aero_err err;
	int argc = 0;

	aero_conf_clear(&conf);
	(void)snprintf(line, sizeof(line),
		"aerostat-register --server=lmdb:%s --root=%s --loglevel=CRITICAL %s",
		names, test_dir(), flags);
	for (char *word = strtok_r(line, " ", &save); word != NULL && argc < 31;
		word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	assert_int_equal(
		aero_conf_load(AERO_PROG_REGISTER, argc, argv, &conf, &err), AERO_OK);
}

static void do_register(const char *flags)
{
	FILE *out = fopen("/dev/null", "we");
	struct aero_err err;

	assert_non_null(out);
	load(flags);
	if (aero_register_run(&conf, out, &err) != AERO_OK)
		fail_msg("%s", err.msg);
	(void)fclose(out);
}

static int set_up(void **state)
{
	struct aero_store_opts opts = {.database = "aerostat"};
	static char server[310];
	struct aero_err err;

	(void)state;
	aero_log_level(AERO_CRITICAL);
	(void)snprintf(names, sizeof(names), "%s", test_path("names.mdb"));
	(void)snprintf(server, sizeof(server), "lmdb:%s", names);
	opts.server = server;
	do_register("--service web --instance-id i-b --ip 10.0.0.2");
	do_register("--service web --instance-id i-a --ip 10.0.0.1 --alias www");
	assert_int_equal(aero_store_open(&opts, &store, &err), AERO_OK);
	waited_ms = 0;
	meanwhile = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	aero_store_close(store);
	store = NULL;
	aero_conf_clear(&conf);
	test_dir_remove();
	return 0;
}

static struct aero_slot slot_of(const char *id)
{
	struct aero_slot slot = {0};

	(void)aero_store_by_instance(store, id, &slot, NULL);
	return slot;
}

/* Somebody takes id out of its slot, and puts another in. */
static void evict(const char *id, const char *other)
{
	struct aero_slot slot = slot_of(id);
	char who_id[64], ip[] = "10.0.0.9", ip6[] = "";
	struct aero_occupant who = {.instance_id = who_id, .ip = ip, .ip6 = ip6};
	struct aero_slot_match match = {.hostname = slot.hostname, .occupant = {id}};
	struct aero_slot_change change = {.blank = true};

	assert_non_null(slot.hostname);
	assert_int_equal(aero_store_slot_update(store, &match, &change, NULL), AERO_OK);
	if (other != NULL) {
		(void)snprintf(who_id, sizeof(who_id), "%s", other);
		match.occupant[0] = "";
		change = (struct aero_slot_change){.who = &who, .reg = 77};
		assert_int_equal(
			aero_store_slot_update(store, &match, &change, NULL), AERO_OK);
	}
	aero_slot_clear(&slot);
}

static void put_me_back(void)
{
	static char id[] = "i-a", ip[] = "10.0.0.1", none[] = "";
	const struct aero_occupant who = {.instance_id = id, .ip = ip, .ip6 = none};
	const struct aero_slot_match match = {.hostname = "web-1", .occupant = {""}};
	const struct aero_slot_change change = {.who = &who, .reg = 78};

	meanwhile = NULL;
	assert_int_equal(aero_store_slot_update(store, &match, &change, NULL), AERO_OK);
}

static void mark_node(const char *id, bool left, bool dead)
{
	struct aero_node node = {0};

	assert_int_equal(aero_store_node(store, id, &node, NULL), AERO_OK);
	assert_int_equal(
		aero_store_node_update(store, id, &node, left, dead, "gone", NULL),
		AERO_OK);
}

static void expect(enum aero_healed want, const char *hostname)
{
	enum aero_healed got;
	struct aero_err err;
	char name[256];
	int rc = aero_heal_run(&conf, false, &got, name, &err);

	if (rc != AERO_OK)
		fail_msg("%d: %s", rc, err.msg);
	assert_int_equal(got, want);
	assert_string_equal(name, hostname);
}

static void a_node_that_has_its_slot_is_left_alone(void **state)
{
	struct aero_slot before = slot_of("i-a"), after;

	(void)state;
	expect(AERO_HEAL_NOTHING, "web-1");
	assert_int_equal(waited_ms, 0);
	after = slot_of("i-a");
	assert_true(before.reg == after.reg); /* a look writes nothing */
	aero_slot_clear(&before);
	aero_slot_clear(&after);
}

static void a_lost_slot_is_taken_again_with_address_and_aliases(void **state)
{
	struct aero_identity identity = {0};
	struct aero_slot slot;
	bool foreign;

	(void)state;
	evict("i-a", NULL);
	expect(AERO_HEAL_DONE, "web-1");
	assert_in_range(waited_ms, 1000, 3000);
	slot = slot_of("i-a");
	assert_string_equal(slot.who.ip, "10.0.0.1");
	assert_true(aero_list_has(&slot.who.aliases, "www"));
	aero_slot_clear(&slot);
	/* The name that another took is not asked back. */
	evict("i-a", "i-c");
	expect(AERO_HEAL_DONE, "web-2");
	assert_int_equal(aero_identity_load(&conf, &identity, &foreign, NULL), AERO_OK);
	assert_string_equal(identity.hostname, "web-2");
	assert_string_equal(identity.service_from, "the command line");
	aero_identity_clear(&identity);
}

/* A change-over that was opened just before a registration puts the old one back. */
static void an_address_of_before_is_mended(void **state)
{
	struct aero_slot slot = slot_of("i-a");
	struct aero_slot_match match = {.hostname = "web-1", .occupant = {"i-a"}};
	struct aero_slot_change change = {.who = &slot.who, .reg = 79};

	(void)state;
	slot.who.ip[strlen(slot.who.ip) - 1] = '9';
	assert_int_equal(aero_store_slot_update(store, &match, &change, NULL), AERO_OK);
	aero_slot_clear(&slot);
	expect(AERO_HEAL_DONE, "web-1");
	slot = slot_of("i-a");
	assert_string_equal(slot.who.ip, "10.0.0.1");
	aero_slot_clear(&slot);
	expect(AERO_HEAL_NOTHING, "web-1");
}

/* One look without a slot is not enough: a helper may be about to place it. */
static void a_slot_that_is_back_at_the_second_look_was_not_lost(void **state)
{
	struct aero_slot slot;

	(void)state;
	evict("i-a", NULL);
	meanwhile = put_me_back;
	expect(AERO_HEAL_NOTHING, "web-1");
	assert_null(meanwhile);
	slot = slot_of("i-a");
	assert_true(slot.reg == 78);
	aero_slot_clear(&slot);
}

static void released_and_dead_nodes_stay_away(void **state)
{
	(void)state;
	evict("i-a", NULL);
	mark_node("i-a", true, false);
	expect(AERO_HEAL_LEFT, "");
	mark_node("i-a", false, true);
	expect(AERO_HEAL_LEFT, "");
	mark_node("i-a", false, false);
	expect(AERO_HEAL_DONE, "web-1");
}

static void who_never_registered_here_is_not_healed(void **state)
{
	(void)state;
	evict("i-a", NULL);
	assert_int_equal(aero_identity_remove(&conf, NULL), AERO_OK);
	expect(AERO_HEAL_NOT_OURS, "");
	do_register("--service web --offline --ip 10.0.0.3");
	evict("test-instance", NULL);
	expect(AERO_HEAL_NOT_OURS, "");
}

static void an_open_change_over_that_names_it_is_finished(void **state)
{
	struct aero_control control = {0};
	struct aero_slot master, slave;

	(void)state;
	do_register("--service db --type masterful --instance-id i-m --ip 10.0.1.1");
	do_register("--service db --type masterful --instance-id i-s --ip 10.0.1.2");
	master = slot_of("i-m");
	slave = slot_of("i-s");
	assert_string_equal(slave.hostname, "db-slave-1");
	assert_int_equal(aero_store_control(store, "db", &control, NULL), AERO_OK);
	assert_int_equal(aero_store_control_open(store, "db", control.epoch + 1,
				 &slave.who, &master.who, NULL),
		AERO_OK);
	expect(AERO_HEAL_DONE, "db-master");
	aero_control_clear(&control);
	assert_int_equal(aero_store_control(store, "db", &control, NULL), AERO_OK);
	assert_false(control.open);
	expect(AERO_HEAL_NOTHING, "db-master");
	aero_control_clear(&control);
	aero_slot_clear(&master);
	aero_slot_clear(&slave);
	master = slot_of("i-m");
	assert_string_equal(master.hostname, "db-slave-1");
	aero_slot_clear(&master);
}

static void another_registration_goes_first(void **state)
{
	enum aero_healed got;
	struct aero_err err;
	char name[256];
	int lock = -1;

	(void)state;
	(void)mkdir(test_path("run"), 0755);
	(void)mkdir(test_path("run/aerostat"), 0755);
	assert_int_equal(aero_lock_take(test_path("run/aerostat/register.lock"), &lock,
				 NULL, &err),
		AERO_OK);
	expect(AERO_HEAL_NOTHING, "web-1"); /* looking is in nobody's way */
	evict("i-a", NULL);
	assert_int_equal(aero_heal_run(&conf, false, &got, name, &err), AERO_AGAIN);
	(void)close(lock);
	expect(AERO_HEAL_DONE, "web-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_node_that_has_its_slot_is_left_alone),
		TEST(a_lost_slot_is_taken_again_with_address_and_aliases),
		TEST(an_address_of_before_is_mended),
		TEST(a_slot_that_is_back_at_the_second_look_was_not_lost),
		TEST(released_and_dead_nodes_stay_away),
		TEST(who_never_registered_here_is_not_healed),
		TEST(an_open_change_over_that_names_it_is_finished),
		TEST(another_registration_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
