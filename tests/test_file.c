/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"
#include "tests/support.h"

static void a_whole_file_is_read_and_nul_ended(void **state)
{
	const char *path = test_path("read");
	char *text = NULL;
	size_t len = 99;

	(void)state;
	test_write(path, "one\ntwo");
	assert_int_equal(aero_file_read(path, 7, &text, &len, NULL), AERO_OK);
	assert_int_equal(len, 7);
	assert_string_equal(text, "one\ntwo");
	free(text);
	test_write(path, "");
	assert_int_equal(aero_file_read(path, 0, &text, &len, NULL), AERO_OK);
	assert_int_equal(len, 0);
	assert_string_equal(text, "");
	free(text);
}

static void files_whose_size_is_unknown_are_read_whole(void **state)
{
	char *text = NULL;
	size_t len = 0;

	(void)state;
	/* proc says size 0 */
	assert_int_equal(
		aero_file_read("/proc/self/status", 1 << 20, &text, &len, NULL), AERO_OK);
	assert_true(len > 200);
	assert_int_equal(strlen(text), len);
	free(text);
	assert_int_equal(
		aero_file_read("/proc/self/status", 100, &text, &len, NULL), AERO_BAD);
}

static void reading_tells_missing_too_large_and_no_file_apart(void **state)
{
	struct aero_err err;
	char *text = NULL;
	size_t len = 0;

	(void)state;
	test_write(test_path("big"), "12345678");
	assert_int_equal(mkfifo(test_path("fifo"), 0600), 0);
	assert_int_equal(
		aero_file_read(test_path("none"), 9, &text, &len, &err), AERO_MISS);
	assert_int_equal(
		aero_file_read(test_path("big"), 7, &text, &len, &err), AERO_BAD);
	assert_non_null(strstr(err.msg, "larger than 7"));
	assert_int_equal(aero_file_read(test_dir(), 9, &text, &len, &err), AERO_BAD);
	assert_int_equal(
		aero_file_read(test_path("fifo"), 9, &text, &len, &err), AERO_BAD);
	assert_non_null(strstr(err.msg, "regular"));
	assert_null(text);
}

static void a_file_is_replaced_with_just_that_mode(void **state)
{
	static const mode_t modes[] = {0600, 0644, 0666};
	const char *path = test_path("replaced");
	mode_t mask = umask(077);
	struct stat st;
	char *text;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(modes); i++) {
		char data[8];

		(void)snprintf(data, sizeof(data), "v%zu\n", i);
		assert_int_equal(
			aero_file_replace(path, data, strlen(data), modes[i], NULL),
			AERO_OK);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		text = test_read(path);
		assert_string_equal(text, data);
		free(text);
	}
	(void)umask(mask);
	assert_int_equal(access(test_path("replaced.tmp"), F_OK), -1);
}

static void a_left_over_temporary_is_never_written_through(void **state)
{
	char *text;

	(void)state;
	test_write(test_path("victim"), "precious");
	assert_int_equal(symlink(test_path("victim"), test_path("new.tmp")), 0);
	assert_int_equal(
		aero_file_replace(test_path("new"), "x", 1, 0644, NULL), AERO_OK);
	text = test_read(test_path("victim"));
	assert_string_equal(text, "precious");
	free(text);
}

static void a_failed_replace_leaves_the_old_and_no_temporary(void **state)
{
	struct aero_err err;

	(void)state;
	assert_int_equal(mkdir(test_path("dir"), 0755), 0);
	test_write(test_path("dir/inside"), "");
	assert_int_equal(
		aero_file_replace(test_path("dir"), "x", 1, 0644, &err), AERO_IO);
	assert_non_null(strstr(err.msg, "dir"));
	assert_int_equal(access(test_path("dir.tmp"), F_OK), -1);
	assert_int_equal(access(test_path("dir/inside"), F_OK), 0);
	assert_true(aero_file_replace(test_path("none/file"), "x", 1, 0644, &err) < 0);
}

static void directories_are_made_with_their_parents(void **state)
{
	mode_t mask = umask(077);
	struct stat st;

	(void)state;
	assert_int_equal(aero_dir_make(test_path("a/b/c"), NULL), AERO_OK);
	assert_int_equal(aero_dir_make(test_path("a/b/c/"), NULL), AERO_OK);
	(void)umask(mask);
	assert_int_equal(stat(test_path("a/b"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	test_write(test_path("plain"), "");
	assert_int_equal(aero_dir_make(test_path("plain/x"), NULL), AERO_IO);
}

/* A child that holds the lock until it is killed. */
static pid_t hold(const char *path)
{
	int fd, ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (aero_lock_take(path, &fd, NULL, NULL) == AERO_OK)
			(void)!write(ready[1], "x", 1);
		(void)pause();
		_exit(0);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static void a_lock_has_one_holder_whose_pid_is_known(void **state)
{
	const char *path = test_path("run/x.lock");
	pid_t holder = 0, child;
	struct aero_err err;
	int fd = -1;

	(void)state;
	assert_int_equal(aero_lock_holder(path), 0);
	child = hold(path);
	assert_int_equal(aero_lock_holder(path), child);
	assert_int_equal(aero_lock_take(path, &fd, &holder, &err), AERO_AGAIN);
	assert_int_equal(holder, child);
	assert_non_null(strstr(err.msg, "x.lock"));
	assert_int_equal(fd, -1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	/* it goes with the process, though its pid still stands in the file */
	assert_int_equal(aero_lock_holder(path), 0);
	assert_int_equal(aero_lock_take(path, &fd, &holder, &err), AERO_OK);
	(void)close(fd);
	assert_int_equal(aero_lock_holder(path), 0);
}

static void any_user_may_ask_but_not_lock(void **state)
{
	const char *path = test_path("run/y.lock");
	pid_t holder, child;
	struct stat st;
	int status;

	(void)state;
	holder = hold(path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(test_dir(), 0755), 0);
	child = fork();
	if (child == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		_exit(aero_lock_holder(path) == holder ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
}

static void a_probe_does_not_make_taking_fail(void **state)
{
	const char *path = test_path("probed.lock");
	pid_t child;
	int fd = -1;

	(void)state;
	assert_int_equal(aero_lock_take(path, &fd, NULL, NULL), AERO_OK);
	(void)close(fd);
	child = fork();
	if (child == 0)
		for (;;) {
			(void)aero_lock_holder(path);
			(void)usleep(200);
		}
	for (int i = 0; i < 200; i++) {
		assert_int_equal(aero_lock_take(path, &fd, NULL, NULL), AERO_OK);
		(void)close(fd);
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read_and_nul_ended),
		cmocka_unit_test(files_whose_size_is_unknown_are_read_whole),
		cmocka_unit_test(reading_tells_missing_too_large_and_no_file_apart),
		cmocka_unit_test(a_file_is_replaced_with_just_that_mode),
		cmocka_unit_test(a_left_over_temporary_is_never_written_through),
		cmocka_unit_test(a_failed_replace_leaves_the_old_and_no_temporary),
		cmocka_unit_test(directories_are_made_with_their_parents),
		cmocka_unit_test(a_lock_has_one_holder_whose_pid_is_known),
		cmocka_unit_test(any_user_may_ask_but_not_lock),
		cmocka_unit_test(a_probe_does_not_make_taking_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
