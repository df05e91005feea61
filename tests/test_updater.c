/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "legacy/updater.h"
#include "lib/loop.h"
#include "tests/support.h"

static struct aero_hosts_paths paths;
static char program[512];

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(aero_hosts_paths_make(test_dir(), &paths, NULL), AERO_OK);
	assert_true(mkdir(test_path("etc"), 0755) == 0 || errno == EEXIST);
	(void)snprintf(program, sizeof(program), "%s", test_path("updater"));
	(void)unlink(paths.good);
	(void)unlink(paths.legacy);
	(void)rmdir(paths.legacy);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	aero_hosts_paths_clear(&paths);
	return 0;
}

static void script(const char *body)
{
	char text[2048];

	(void)snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", body);
	test_write(program, text);
	assert_int_equal(chmod(program, 0755), 0);
}

/* Run a script; what it wrote goes to *ret. */
static int run(const char *body, int64_t timeout_ms, struct aero_updater_result *ret,
	struct aero_err *err)
{
	*ret = (struct aero_updater_result){0};
	script(body);
	return aero_updater_run(program, &paths, timeout_ms, ret, err);
}

static void what_it_leaves_is_taken_and_kept_as_the_good_copy(void **state)
{
	struct aero_updater_result result;
	char *good, *text = NULL;
	struct stat st, again;
	struct aero_err err;
	size_t len;

	(void)state;
	assert_int_equal(aero_legacy_read(paths.good, &text, &len, &err), AERO_MISS);
	assert_int_equal(run("echo said; echo complained >&2\n"
			     "printf '10.9.9.9 old\\n' >\"$AEROSTAT_LEGACY\"",
				 9000, &result, &err),
		AERO_OK);
	assert_string_equal(result.legacy, "10.9.9.9 old\n");
	assert_int_equal(result.legacy_len, 13);
	assert_string_equal(result.output, "said\ncomplained\n");
	assert_false(result.output_cut);
	assert_string_equal(result.warning.msg, "");
	aero_updater_result_clear(&result);
	good = test_read(paths.good);
	assert_string_equal(good, "10.9.9.9 old\n");
	free(good);
	assert_int_equal(stat(paths.good, &st), 0);
	/* equal stays equal: the copy is not written again */
	assert_int_equal(run("true", 9000, &result, &err), AERO_OK);
	aero_updater_result_clear(&result);
	assert_int_equal(stat(paths.good, &again), 0);
	assert_int_equal(st.st_ino, again.st_ino);
	assert_int_equal(aero_legacy_read(paths.good, &text, &len, &err), AERO_OK);
	assert_string_equal(text, "10.9.9.9 old\n");
	free(text);
}

static void it_runs_without_a_shell_in_a_small_environment(void **state)
{
	struct aero_updater_result result;
	char expected[1024];
	struct aero_err err;
	sigset_t set, old;

	(void)state;
	/* as the daemon has it: signals blocked, PIPE ignored */
	(void)sigfillset(&set);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(dup2(0, 40), 40); /* and a descriptor that is not its business */
	assert_int_equal(setenv("HOME", "/home/x", 1), 0);
	assert_int_equal(setenv("SECRET", "x", 1), 0);
	assert_int_equal(
		run("echo $0 $# $(pwd) $(readlink /proc/$$/fd/0)\n"
		    "tr '\\0' '\\n' </proc/$$/environ | sort\n"
		    "ls /proc/self/fd\n" /* 3 is its own */
		    "echo group $(($(ps -o pgid= -p $$) - $$))\n"
		    "touch $AEROSTAT_LEGACY\n"
		    /* all but the two that the C library keeps to itself; of a process of
		     * ours in its place, as a waiting shell blocks signals */
		    "exec sed -nE 's/^(Sig(Blk|Ign)).*(.{7})$/\\1 \\3/p' "
		    "/proc/self/status",
			9000, &result, &err),
		AERO_OK);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)close(40);
	(void)snprintf(expected, sizeof(expected),
		"%s 0 / /dev/null\nAEROSTAT_LEGACY=%s\nHOME=/home/x\nPATH=%s\n"
		"0\n1\n2\n3\ngroup 0\nSigBlk 0000000\nSigIgn 0000000\n",
		program, paths.legacy, getenv("PATH"));
	assert_string_equal(result.output, expected);
	assert_int_equal(result.legacy_len, 0);
	assert_non_null(result.legacy);
	aero_updater_result_clear(&result);
}

static void failures_are_told_apart_and_keep_the_good_copy(void **state)
{
	static const struct {
		const char *body, *words;
	} rows[] = {
		{"echo out; exit 3", "exited with 3"},
		{"echo out; kill -9 $$", "died of signal 9"},
		{"echo out; rm -f $AEROSTAT_LEGACY", "does not exist"},
		{"echo out; rm -f $AEROSTAT_LEGACY; mkdir $AEROSTAT_LEGACY",
			"not a regular file"},
		{"echo out; rm -rf $AEROSTAT_LEGACY; ln -s /etc/passwd $AEROSTAT_LEGACY",
			"not a regular file"},
		{"echo out; rm -f $AEROSTAT_LEGACY; mkfifo $AEROSTAT_LEGACY",
			"not a regular file"},
		{"echo out; rm -f $AEROSTAT_LEGACY; truncate -s 65M $AEROSTAT_LEGACY",
			"larger than"},
	};
	struct aero_updater_result result;
	struct aero_err err;
	char *good;

	(void)state;
	assert_int_equal(
		run("echo good >$AEROSTAT_LEGACY", 9000, &result, &err), AERO_OK);
	aero_updater_result_clear(&result);
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		assert_int_equal(run(rows[i].body, 9000, &result, &err), AERO_REFUSED);
		if (strstr(err.msg, rows[i].words) == NULL)
			fail_msg("'%s' does not say '%s'", err.msg, rows[i].words);
		assert_non_null(strstr(err.msg, program));
		assert_string_equal(result.output, "out\n");
		assert_null(result.legacy);
		aero_updater_result_clear(&result);
	}
	good = test_read(paths.good);
	assert_string_equal(good, "good\n");
	free(good);
}

static void what_cannot_be_run_is_refused(void **state)
{
	struct aero_updater_result result = {0};
	struct aero_err err;

	(void)state;
	assert_int_equal(aero_updater_run("/nonexistent/x", &paths, 9000, &result, &err),
		AERO_REFUSED);
	assert_non_null(strstr(err.msg, "/nonexistent/x"));
	aero_updater_result_clear(&result);
	/* no shell is asked for what is no program */
	test_write(program, "echo x >$AEROSTAT_LEGACY\n");
	assert_int_equal(chmod(program, 0755), 0);
	assert_int_equal(
		aero_updater_run(program, &paths, 9000, &result, &err), AERO_REFUSED);
	aero_updater_result_clear(&result);
	assert_int_equal(access(paths.legacy, F_OK), -1);
	script("true");
	assert_int_equal(chmod(program, 0644), 0);
	assert_int_equal(
		aero_updater_run(program, &paths, 9000, &result, &err), AERO_REFUSED);
	aero_updater_result_clear(&result);
}

/* It runs no more; a zombie waits for init only. */
static bool gone(pid_t pid)
{
	char path[64], state = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return true;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	(void)fclose(f);
	return state == 'Z';
}

/* The process whose number a script wrote to a file is gone. */
static void assert_gone(const char *file)
{
	char *text = test_read(file), *end;
	pid_t pid = (pid_t)strtol(text, &end, 10);

	assert_true(end != text && pid > 1);
	for (int i = 0; !gone(pid) && i < 100; i++)
		(void)usleep(10000);
	assert_true(gone(pid));
	free(text);
	(void)unlink(file);
}

static void a_hanging_one_is_ended_with_its_children(void **state)
{
	static const struct {
		const char *trap;
		int64_t least, most;
	} rows[] = {
		{"", 300, 2200}, {"trap '' TERM", 2300, 9000}, /* then KILL */
	};
	struct aero_updater_result result;
	struct aero_err err;
	char body[1024];
	int64_t began;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		(void)snprintf(body, sizeof(body),
			"%s\necho x >$AEROSTAT_LEGACY\nsleep 600 &\necho $! >%s/child\n"
			"echo $$ >%s/leader\necho early\nwhile :; do sleep 601; done",
			rows[i].trap, test_dir(), test_dir());
		began = aero_clock_ms();
		assert_int_equal(run(body, 300, &result, &err), AERO_REFUSED);
		began = aero_clock_ms() - began;
		if (began < rows[i].least || began > rows[i].most)
			fail_msg("row %zu took %lld ms", i, (long long)began);
		assert_non_null(strstr(err.msg, "time limit of 300 ms"));
		assert_non_null(strstr(result.output, "early\n"));
		aero_updater_result_clear(&result);
		assert_gone(test_path("child"));
		assert_gone(test_path("leader"));
	}
	assert_int_equal(access(paths.good, F_OK), -1);
}

static void children_left_behind_end_with_it(void **state)
{
	static const char *const rows[] = {
		"sleep 600 &", /* holds the output */
		"sleep 600 >/dev/null 2>&1 &",
	};
	struct aero_updater_result result;
	struct aero_err err;
	char body[1024];
	int64_t began;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		(void)snprintf(body, sizeof(body),
			"%s\necho $! >%s/child\n"
			"echo x >$AEROSTAT_LEGACY",
			rows[i], test_dir());
		began = aero_clock_ms();
		assert_int_equal(run(body, 9000, &result, &err), AERO_OK);
		assert_true(aero_clock_ms() - began < 1900);
		assert_string_equal(result.legacy, "x\n");
		aero_updater_result_clear(&result);
		assert_gone(test_path("child"));
	}
}

static void huge_output_is_cut_and_does_not_stop_it(void **state)
{
	struct aero_updater_result result;
	struct aero_err err;

	(void)state;
	assert_int_equal(run("echo first\nhead -c 20000000 /dev/zero | tr '\\0' x\n"
			     "echo x >$AEROSTAT_LEGACY",
				 20000, &result, &err),
		AERO_OK);
	assert_true(result.output_cut);
	assert_int_equal(result.output_len, AERO_CHILD_OUTPUT);
	assert_int_equal(strlen(result.output), AERO_CHILD_OUTPUT);
	assert_memory_equal(result.output, "first\nxxx", 9);
	aero_updater_result_clear(&result);
}

static void a_lost_good_copy_is_a_warning_only(void **state)
{
	struct aero_updater_result result;
	struct aero_err err;

	(void)state;
	(void)unlink(paths.good);
	assert_int_equal(mkdir(paths.good, 0755), 0);
	test_write(test_path("var/lib/aerostat/hosts.legacy.good/x"), "");
	assert_int_equal(run("echo x >$AEROSTAT_LEGACY", 9000, &result, &err), AERO_OK);
	assert_non_null(strstr(result.warning.msg, "hosts.legacy.good"));
	assert_string_equal(result.legacy, "x\n");
	aero_updater_result_clear(&result);
	assert_int_equal(unlink(test_path("var/lib/aerostat/hosts.legacy.good/x")), 0);
	assert_int_equal(rmdir(paths.good), 0);
}

static void no_step_blocks_and_idle_polls_do_not_spin(void **state)
{
	struct pollfd fds[AERO_CHILD_FDS];
	struct aero_updater_result result = {0};
	struct aero_updater *updater = NULL;
	struct aero_err err;
	int64_t began, slowest = 0;
	int steps = 0;
	bool done = false;

	(void)state;
	/* its leader ends late, by TERM, while a child that ignores it holds the output
	 */
	script("(trap '' TERM; sleep 600 & wait; sleep 600) & echo x; sleep 600");
	assert_int_equal(
		aero_updater_start(program, &paths, 200, aero_clock_ms(), &updater, &err),
		AERO_OK);
	while (!done) {
		size_t n = aero_child_fds(aero_updater_child(updater), fds);

		(void)poll(fds, n,
			(int)aero_child_wait_ms(
				aero_updater_child(updater), aero_clock_ms()));
		began = aero_clock_ms();
		done = aero_child_step(aero_updater_child(updater), began);
		if (aero_clock_ms() - began > slowest)
			slowest = aero_clock_ms() - began;
		steps++;
	}
	if (steps > 100) /* 50 where there are no pidfds */
		fail_msg("%d steps", steps);
	if (slowest > 1000)
		fail_msg("a step of %lld ms", (long long)slowest);
	assert_int_equal(aero_updater_finish(updater, &result, &err), AERO_REFUSED);
	assert_string_equal(result.output, "x\n");
	aero_updater_result_clear(&result);
	aero_updater_free(updater);
}

static void freeing_a_running_one_ends_it(void **state)
{
	struct aero_updater *updater = NULL;
	char body[1024];

	(void)state;
	(void)snprintf(
		body, sizeof(body), "sleep 600 &\necho $! >%s/child\nwait", test_dir());
	script(body);
	assert_int_equal(aero_updater_start(
				 program, &paths, 9000, aero_clock_ms(), &updater, NULL),
		AERO_OK);
	for (int i = 0; access(test_path("child"), F_OK) < 0 && i < 300; i++)
		(void)usleep(10000);
	(void)usleep(20000);
	aero_updater_free(updater);
	aero_updater_free(NULL);
	assert_gone(test_path("child"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_it_leaves_is_taken_and_kept_as_the_good_copy),
		TEST(it_runs_without_a_shell_in_a_small_environment),
		TEST(failures_are_told_apart_and_keep_the_good_copy),
		TEST(what_cannot_be_run_is_refused),
		TEST(a_hanging_one_is_ended_with_its_children),
		TEST(children_left_behind_end_with_it),
		TEST(huge_output_is_cut_and_does_not_stop_it),
		TEST(a_lost_good_copy_is_a_warning_only),
		TEST(no_step_blocks_and_idle_polls_do_not_spin),
		TEST(freeing_a_running_one_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
