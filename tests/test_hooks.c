/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/loop.h"
#include "syncd/hooks.h"
#include "tests/support.h"

static char dir[512], said[512];
static struct aero_hooks *hooks;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(said, sizeof(said), "%s", test_path("said"));
	(void)snprintf(dir, sizeof(dir), "%s", test_path("hooks.d"));
	assert_int_equal(mkdir(dir, 0755), 0);
	hooks = aero_hooks_new(dir);
	assert_non_null(hooks);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	aero_hooks_free(hooks);
	test_dir_remove();
	return 0;
}

/* A program that says what it is told to, into one file. */
static void program(const char *name, const char *body, mode_t mode)
{
	char path[1024], text[2048];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)snprintf(text, sizeof(text), "#!/bin/sh\n{ %s; } >>%s\n", body, said);
	test_write(path, text);
	assert_int_equal(chmod(path, mode), 0);
}

static void expect(const char *want)
{
	char *text = test_read(said);

	assert_string_equal(text, want);
	free(text);
}

static const struct aero_hook_event to_master = {.kind = AERO_HOOK_MASTER,
	.hostname = "web-0",
	.service = "db",
	.epoch = 7,
	.generation = 12};

static void each_program_runs_in_c_order_and_knows_the_event(void **state)
{
	(void)state;
	program("b", "echo b $1 $AEROSTAT_SERVICE $AEROSTAT_EPOCH", 0755);
	program("B", "echo B $1 $AEROSTAT_EVENT $AEROSTAT_HOSTNAME $AEROSTAT_GENERATION",
		0755);
	program("a", "echo a [$AEROSTAT_OLD_HOSTNAME] $#; pwd", 0755);
	aero_hooks_add(hooks, &to_master);
	aero_hooks_run(hooks);
	expect("B master master web-0 12\na [] 1\n/\nb master db 7\n");
	assert_false(aero_hooks_step(hooks, aero_clock_ms()));
}

static void what_others_may_write_and_what_is_no_program_is_not_run(void **state)
{
	char path[1024];

	(void)state;
	program("group", "echo group", 0775);
	program("others", "echo others", 0757);
	program("plain", "echo plain", 0644);
	program(".hidden", "echo hidden", 0755);
	program("good", "echo good", 0755);
	(void)snprintf(path, sizeof(path), "%s/folder", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	aero_hooks_add(hooks, &to_master);
	aero_hooks_run(hooks);
	expect("good\n");
	assert_int_equal(chmod(dir, 0777), 0);
	aero_hooks_add(hooks, &to_master);
	aero_hooks_run(hooks);
	expect("good\n");
}

static void a_failure_stops_nobody(void **state)
{
	char path[1024];

	(void)state;
	program("1", "exit 3", 0755);
	program("2", "kill -9 $$", 0755);
	(void)snprintf(path, sizeof(path), "%s/3", dir);
	test_write(path, "no program at all\n");
	assert_int_equal(chmod(path, 0755), 0);
	program("4", "echo four", 0755);
	aero_hooks_add(hooks, &to_master);
	aero_hooks_run(hooks);
	expect("four\n");
}

static void events_that_wait_become_one_of_each_kind(void **state)
{
	struct aero_hook_event event = {.kind = AERO_HOOK_RENAMED,
		.hostname = "db-slave-1",
		.old_hostname = "db-slave-2"};

	(void)state;
	program("x",
		"echo $1 $AEROSTAT_OLD_HOSTNAME $AEROSTAT_HOSTNAME $AEROSTAT_SERVICE "
		"$AEROSTAT_GENERATION",
		0755);
	aero_hooks_add(hooks, &event);
	(void)snprintf(event.old_hostname, sizeof(event.old_hostname), "db-slave-1");
	(void)snprintf(event.hostname, sizeof(event.hostname), "db-master");
	aero_hooks_add(hooks, &event);
	event = (struct aero_hook_event){.kind = AERO_HOOK_PUBLISHED};
	for (event.generation = 1; event.generation <= 5; event.generation++)
		aero_hooks_add(hooks, &event);
	aero_hooks_add(hooks, &to_master);
	event = to_master;
	(void)snprintf(event.service, sizeof(event.service), "mq");
	aero_hooks_add(hooks, &event);
	aero_hooks_run(hooks);
	expect("renamed db-slave-2 db-master 0\npublished 5\nmaster web-0 db 12\n"
	       "master web-0 mq 12\n");
}

static void without_a_folder_or_programs_nothing_happens(void **state)
{
	struct aero_hooks *none = aero_hooks_new("");

	(void)state;
	assert_non_null(none);
	aero_hooks_add(none, &to_master);
	assert_false(aero_hooks_step(none, aero_clock_ms()));
	aero_hooks_free(none);
	aero_hooks_add(hooks, &to_master);
	assert_false(aero_hooks_step(hooks, aero_clock_ms()));
	assert_true(aero_hooks_configure(hooks, "/nonexistent"));
	aero_hooks_add(hooks, &to_master);
	assert_false(aero_hooks_step(hooks, aero_clock_ms()));
	aero_hooks_free(NULL);
}

/* A loop that polls is never held up, and a hook that hangs is ended. */
static void a_step_never_waits_and_freeing_ends_what_runs(void **state)
{
	int64_t began = aero_clock_ms();
	char *pid = NULL;

	(void)state;
	program("slow", "echo $$; sleep 600; echo ended", 0755);
	aero_hooks_add(hooks, &to_master);
	assert_true(aero_hooks_step(hooks, began));
	assert_non_null(aero_hooks_child(hooks));
	/* as if the time were over: TERM, then KILL */
	while (aero_hooks_step(hooks, began + 2 * AERO_HOOK_TIMEOUT_MS))
		assert_true(aero_clock_ms() - began < 60000);
	assert_null(aero_hooks_child(hooks));
	test_write(said, "");
	aero_hooks_add(hooks, &to_master);
	assert_true(aero_hooks_step(hooks, aero_clock_ms()));
	do {
		free(pid);
		pid = test_read(said);
	} while (strchr(pid, '\n') == NULL && aero_clock_ms() - began < 60000);
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), 0), 0);
	aero_hooks_free(hooks);
	hooks = NULL;
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), 0), -1);
	free(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(each_program_runs_in_c_order_and_knows_the_event),
		TEST(what_others_may_write_and_what_is_no_program_is_not_run),
		TEST(a_failure_stops_nobody),
		TEST(events_that_wait_become_one_of_each_kind),
		TEST(without_a_folder_or_programs_nothing_happens),
		TEST(a_step_never_waits_and_freeing_ends_what_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
