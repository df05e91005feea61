/* SPDX-License-Identifier: MIT */
/* Whole passes of the server over the scripted store, with a cloud that lists what the
 * test says. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "server/history.h"
#include "server/pass.h"
#include "tests/fake_store.h"
#include "tests/support.h"

#define DAY 86400000

static struct fake_store *fake;
static struct aero_conf conf;
static struct aero_tenures tenures;
static struct aero_pass_result result;
static struct aero_err err;
static const char *cloud; /* "i-a i-b=terminated"; NULL: no answer */

static int list(const struct aero_conf *unused, int stop_fd, struct aero_listing *ret,
	struct aero_err *of_list)
{
	char word[64], *state;
	int n;

	(void)unused;
	(void)stop_fd;
	if (cloud == NULL)
		return aero_err_set(of_list, AERO_NET, "no answer");
	for (const char *at = cloud; sscanf(at, " %63s%n", word, &n) == 1; at += n) {
		state = strchr(word, '=');
		if (state != NULL)
			*state++ = '\0';
		assert_int_equal(
			aero_listing_add(ret, word,
				state != NULL ? AERO_SIGHT_DEAD : AERO_SIGHT_RUNS,
				state != NULL ? state : "running", of_list),
			AERO_OK);
	}
	aero_listing_sort(ret);
	return AERO_OK;
}

static int set_up(void **state)
{
	(void)state;
	fake = fake_store_new();
	conf = (struct aero_conf){.cloud = AERO_CLOUD_COMMAND,
		.absent_passes = 3,
		.grace = 300,
		.reap_cap_percent = 20,
		.reap_cap_min = 3};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	aero_store_close(&fake->base);
	aero_tenures_clear(&tenures);
	return 0;
}

/* web-0 .. with i-a, i-b, ... */
static void fleet(size_t n)
{
	char hostname[32], id[8];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(hostname, sizeof(hostname), "web-%zu", i);
		(void)snprintf(id, sizeof(id), "i-%c", (char)('a' + i));
		fake_put(fake, hostname, "web", "", id);
		fake_slot(fake, hostname)->reg = 100 + (int64_t)i;
	}
}

static int pass_to(int64_t now, FILE *out)
{
	struct aero_pass pass = {.conf = &conf,
		.store = &fake->base,
		.list = list,
		.tenures = &tenures,
		.now_ms = now,
		.out = out};

	return aero_pass_run(&pass, &result, &err);
}

static int pass(int64_t now)
{
	return pass_to(now, NULL);
}

/* Who has a name, as "abc". */
static const char *alive(void)
{
	static char text[32];
	size_t n = 0;
	char id[8];

	for (char c = 'a'; c <= 'j'; c++) {
		(void)snprintf(id, sizeof(id), "i-%c", c);
		if (fake_held(fake, id) > 0)
			text[n++] = c;
	}
	text[n] = '\0';
	return text;
}

static void who_is_called_dead_loses_the_name_and_is_certified(void **state)
{
	bson_iter_t it;

	(void)state;
	fleet(4);
	cloud = "i-a i-b=terminated i-c i-d";
	assert_int_equal(pass(1), AERO_OK);
	assert_string_equal(alive(), "acd");
	assert_int_equal(result.reaped, 1);
	assert_int_equal(result.names, 4);
	assert_true(fake_node(fake, "i-b")->dead);
	assert_string_equal(fake_node(fake, "i-b")->why, "terminated");
	assert_false(fake_node(fake, "i-a")->exists);
	assert_int_equal(fake->n_history, 1);
	assert_true(bson_iter_init_find(&it, fake->history[0], "event"));
	assert_string_equal(bson_iter_utf8(&it, NULL), "reaped");
	assert_int_equal(pass(2), AERO_OK);
	assert_int_equal(result.reaped, 0);
	assert_int_equal(fake->n_history, 1);
}

static void absence_needs_three_passes_and_five_minutes(void **state)
{
	(void)state;
	fleet(4);
	cloud = "i-a i-b i-c";
	assert_int_equal(pass(1), AERO_OK);
	assert_int_equal(pass(60001), AERO_OK);
	assert_int_equal(pass(120001), AERO_OK);
	assert_string_equal(alive(), "abcd");
	assert_int_equal(pass(300001), AERO_OK);
	assert_string_equal(alive(), "abc");
	assert_true(fake_node(fake, "i-d")->dead);
}

static void a_new_tenure_begins_anew(void **state)
{
	(void)state;
	fleet(4);
	cloud = "i-a i-b i-c";
	for (int64_t i = 0; i < 3; i++)
		assert_int_equal(pass(1 + i), AERO_OK);
	fake_slot(fake, "web-3")->reg = 7; /* it booted and registered again */
	for (int64_t i = 0; i < 3; i++) {
		assert_string_equal(alive(), "abcd");
		assert_int_equal(pass(DAY + i), AERO_OK);
	}
	assert_string_equal(alive(), "abcd");
	assert_int_equal(pass(2 * DAY), AERO_OK);
	assert_string_equal(alive(), "abc");
}

static void no_answer_and_nobody_asked_reap_nobody(void **state)
{
	struct aero_pass offline = {
		.conf = &conf, .store = NULL, .tenures = &tenures, .now_ms = 20 * DAY};

	(void)state;
	fleet(4);
	cloud = "i-a i-b i-c";
	for (int64_t i = 0; i < 2; i++)
		assert_int_equal(pass(1 + i), AERO_OK);
	cloud = NULL;
	for (int64_t i = 0; i < 20; i++)
		assert_int_equal(pass(DAY * (1 + i)), AERO_NET);
	assert_non_null(strstr(err.msg, "nobody is judged dead"));
	offline.store = &fake->base;
	assert_int_equal(aero_pass_run(&offline, &result, &err), AERO_OK);
	cloud = "i-elsewhere";
	for (int64_t i = 0; i < 20; i++)
		assert_int_equal(pass(DAY * (30 + i)), AERO_OK);
	assert_string_equal(alive(), "abcd");
	assert_int_equal(fake->n_nodes, 0);
}

static void what_is_too_much_is_held_until_forced(void **state)
{
	(void)state;
	fleet(10);
	cloud = "i-a i-b i-c=stopped i-d=stopped i-e=stopped i-f=stopped";
	for (int64_t i = 0; i < 9; i++) {
		assert_int_equal(pass(1 + i * DAY), AERO_REFUSED);
		/* The third pass agrees on those that are called stopped. */
		assert_string_equal(alive(), i < 2 ? "abcdefghij" : "abghij");
		if (i == 0)
			assert_int_equal(result.held, 4);
	}
	assert_int_equal(result.held, 4);
	assert_non_null(strstr(err.msg, "4 of 6 names"));
	assert_non_null(strstr(err.msg, "--force"));
	conf.force = true;
	assert_int_equal(pass(10 * DAY), AERO_OK);
	assert_string_equal(alive(), "ab");
}

static void certificates_in_slots_need_no_cloud(void **state)
{
	(void)state;
	fleet(6);
	for (char c = 'a'; c <= 'f'; c++) {
		char id[8];

		(void)snprintf(id, sizeof(id), "i-%c", c);
		*fake_node(fake, id) = (struct aero_node){
			.exists = true, .gen = 1, .left = c < 'd', .dead = c >= 'd'};
	}
	cloud = NULL;
	assert_int_equal(pass(1), AERO_NET);
	assert_string_equal(alive(), "");
	assert_int_equal(result.late, 6);
}

static void who_runs_again_gets_its_certificate_back(void **state)
{
	(void)state;
	fleet(1);
	*fake_node(fake, "i-x") =
		(struct aero_node){.exists = true, .gen = 4, .dead = true};
	*fake_node(fake, "i-y") =
		(struct aero_node){.exists = true, .gen = 4, .dead = true};
	cloud = "i-a i-x i-y=stopped";
	assert_int_equal(pass(1), AERO_OK);
	assert_false(fake_node(fake, "i-x")->dead);
	assert_true(fake_node(fake, "i-y")->dead);
	assert_int_equal(result.cleared, 1);
}

static void an_open_change_over_is_finished(void **state)
{
	struct aero_control *control = fake_control(fake, "db");

	(void)state;
	fake_put(fake, "db-master", "db", "masterful", "i-a");
	fake_put(fake, "db-slave-1", "db", "masterful", "i-b");
	control->epoch = 1;
	control->open = true;
	assert_true(aero_occupant_copy(
		&fake_slot(fake, "db-slave-1")->who, &control->promote));
	assert_true(
		aero_occupant_copy(&fake_slot(fake, "db-master")->who, &control->master));
	cloud = "i-a i-b";
	assert_int_equal(pass(1), AERO_OK);
	assert_int_equal(result.helped, 1);
	assert_false(fake_control(fake, "db")->open);
	assert_string_equal(fake_slot(fake, "db-master")->who.instance_id, "i-b");
	assert_string_equal(fake_slot(fake, "db-slave-1")->who.instance_id, "i-a");
}

/* Whatever operation fails and however: who runs keeps the name, and the passes after it
 * do what was to be done. */
static void a_store_that_fails_costs_nobody_a_name(void **state)
{
	unsigned at = 0, tried = 0;

	(void)state;
	for (bool more = true; more;) {
		at++;
		for (enum fake_fault fault = FAKE_NET; fault < FAKE_N_FAULTS; fault++) {
			(void)tear_down(NULL);
			(void)set_up(NULL);
			fleet(5);
			*fake_node(fake, "i-e") = (struct aero_node){
				.exists = true, .gen = 1, .left = true};
			cloud = "i-a i-b=terminated i-c i-d";
			fake->fault_at = at;
			fake->fault = fault;
			(void)pass(1);
			more = fake->ops >= at;
			fake->fault = FAKE_NONE;
			tried++;
			assert_non_null(strchr(alive(), 'a'));
			assert_int_equal(pass(2), AERO_OK);
			assert_string_equal(alive(), "acd");
			assert_true(fake_node(fake, "i-b")->dead);
		}
	}
	print_message("%u faults\n", tried);
	assert_true(at > 6);
}

static void a_dry_run_shows_the_plan_and_writes_nothing(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	fleet(5);
	*fake_node(fake, "i-e") =
		(struct aero_node){.exists = true, .gen = 1, .left = true};
	*fake_node(fake, "i-x") =
		(struct aero_node){.exists = true, .gen = 1, .dead = true};
	fake_put(fake, "web-\n5", "web", "", "i-\x1b[2J");
	cloud = "i-a i-b=terminated i-c i-x";
	conf.dryrun = true;
	assert_int_equal(pass_to(1, out), AERO_OK);
	(void)fclose(out);
	assert_string_equal(text,
		"reap web-1 i-b: the cloud says that it has ended (terminated)\n"
		"keep web-3 i-d: not listed, but not for long enough passes (not listed "
		"any more)\n"
		"reap web-4 i-e: it gave its name back\n"
		"keep \"web-\\n5\" \"i-\\x1b[2J\": not listed, but not for long enough "
		"passes (not listed any more)\n"
		"clear - i-x: it runs after all\n");
	free(text);
	assert_string_equal(alive(), "abcde");
	assert_int_equal(fake->n_history, 0);
	assert_int_equal(result.reaped, 1);
	assert_int_equal(result.late, 1);
}

static const char *event_at(size_t i)
{
	static char text[128];
	bson_iter_t e, h;

	assert_true(i < fake->n_history);
	assert_true(bson_iter_init_find(&e, fake->history[i], "event") &&
		    bson_iter_init_find(&h, fake->history[i], "hostname"));
	(void)snprintf(text, sizeof(text), "%s %s", bson_iter_utf8(&h, NULL),
		bson_iter_utf8(&e, NULL));
	return text;
}

static void what_others_did_is_in_the_history(void **state)
{
	(void)state;
	fleet(4);
	cloud = "i-a i-b i-c i-d i-e";
	assert_int_equal(pass(1), AERO_OK); /* the first one knows of no before */
	assert_int_equal(fake->n_history, 0);
	fake_put(fake, "web-4", "web", "", "i-e");
	fake_slot(fake, "web-0")->reg = 9;
	free(fake_slot(fake, "web-1")->who.instance_id);
	fake_slot(fake, "web-1")->who.instance_id = strdup("");
	free(fake_slot(fake, "web-2")->who.instance_id);
	fake_slot(fake, "web-2")->who.instance_id = strdup("");
	*fake_node(fake, "i-c") =
		(struct aero_node){.exists = true, .gen = 1, .left = true};
	fake_slot(fake, "web-3")->epoch = 3;
	assert_int_equal(pass(2), AERO_OK);
	assert_int_equal(fake->n_history, 5);
	assert_string_equal(event_at(0), "web-0 renewed");
	assert_string_equal(event_at(1), "web-3 master");
	assert_string_equal(event_at(2), "web-4 registered");
	assert_string_equal(event_at(3), "web-1 gone");
	assert_string_equal(event_at(4), "web-2 left");
	assert_int_equal(pass(3), AERO_OK);
	assert_int_equal(fake->n_history, 5);
}

static void what_is_known_outlives_the_program(void **state)
{
	struct aero_tenures again = {0};
	char *text;

	(void)state;
	fleet(3);
	cloud = "i-a i-b";
	for (int64_t i = 0; i < 2; i++)
		assert_int_equal(pass(5 + i), AERO_OK);
	text = aero_tenures_text(&tenures, "boot-1");
	assert_int_equal(
		aero_tenures_parse(text, strlen(text), "boot-1", 100, &again, &err),
		AERO_OK);
	assert_true(again.known && again.n == 3);
	assert_string_equal(again.v[2].hostname, "web-2");
	assert_string_equal(again.v[2].instance_id, "i-c");
	assert_int_equal(again.v[2].reg, 102);
	assert_int_equal(again.v[2].tally.since_ms, 5);
	assert_int_equal(again.v[2].tally.absent, 2);
	aero_tenures_clear(&again);
	/* The clock of another boot says nothing. */
	assert_int_equal(
		aero_tenures_parse(text, strlen(text), "boot-2", 100, &again, &err),
		AERO_OK);
	assert_int_equal(again.v[2].tally.since_ms, 100);
	assert_int_equal(again.v[2].tally.absent, 2);
	aero_tenures_clear(&again);
	/* Cut off anywhere: refused as a whole. */
	for (size_t len = 0; len + 1 < strlen(text); len++)
		assert_int_equal(
			aero_tenures_parse(text, len, "boot-1", 100, &again, &err),
			AERO_BAD);
	free(text);
}

static void a_command_prints_one_id_a_line(void **state)
{
	static const struct {
		const char *text;
		int rc;
		size_t n;
	} rows[] = {
		{"", AERO_OK, 0},
		{"i-b\ni-a\n", AERO_OK, 2},
		{"\n\ni-b\n\ni-a", AERO_OK, 2},
		{"i-b i-a\n", AERO_REFUSED, 0},
		{"i-b\nwarning: slow\n", AERO_REFUSED, 0},
		{"i-b\r\n", AERO_REFUSED, 0},
		{"i-\x01\n", AERO_REFUSED, 0},
		{"i-\xc3\xa9\n", AERO_REFUSED, 0},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_listing listing = {0};

		print_message("row %zu\n", i);
		assert_int_equal(aero_cloud_parse(rows[i].text, strlen(rows[i].text),
					 &listing, &err),
			rows[i].rc);
		assert_int_equal(listing.n, rows[i].n);
		assert_true(
			(aero_listing_find(&listing, "i-a") != NULL) == (rows[i].n > 0));
		aero_listing_clear(&listing);
	}
}

static void ec2_judges_ids_of_its_own_form(void **state)
{
	static const struct {
		const char *id;
		bool judged;
	} rows[] = {
		{"i-0123abcd", true},
		{"i-0123456789abcdef0", true},
		{"i-0123abc", false},
		{"i-0123abcde", false},
		{"i-0123ABCD", false},
		{"i-0123abcg", false},
		{"x-0123abcd", false},
		{"", false},
		{"test-instance", false},
		{"i-0123456789abcdef01", false},
	};

	static const struct aero_node none;

	(void)state;
	conf.cloud = AERO_CLOUD_EC2;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		print_message("row %zu\n", i);
		assert_true(aero_cloud_knows(&conf, rows[i].id, &none) == rows[i].judged);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(who_is_called_dead_loses_the_name_and_is_certified),
		TEST(absence_needs_three_passes_and_five_minutes),
		TEST(a_new_tenure_begins_anew),
		TEST(no_answer_and_nobody_asked_reap_nobody),
		TEST(what_is_too_much_is_held_until_forced),
		TEST(certificates_in_slots_need_no_cloud),
		TEST(who_runs_again_gets_its_certificate_back),
		TEST(an_open_change_over_is_finished),
		TEST(a_store_that_fails_costs_nobody_a_name),
		TEST(a_dry_run_shows_the_plan_and_writes_nothing),
		TEST(what_others_did_is_in_the_history),
		TEST(what_is_known_outlives_the_program),
		TEST(a_command_prints_one_id_a_line),
		TEST(ec2_judges_ids_of_its_own_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
