/* SPDX-License-Identifier: MIT */
/* The writer when things go wrong. The linker puts the calls that change a file system
 * through the wrappers below, which can fail one (a mount in the way), let somebody else
 * in, or end the process at any of them. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/writer_support.h"

static struct {
	bool mount;         /* /etc/hosts cannot be renamed over */
	int crash_at, call; /* end the process at this one; 0 = never */
	bool full;          /* a mount whose disk gets full in the middle */
	int meddle;         /* so many times somebody edits the file at the first fsync */
	char renamed[512];  /* last source that was renamed to the target */
} wraps;

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

static bool crash_now(void)
{
	return wraps.crash_at > 0 && ++wraps.call == wraps.crash_at;
}

static void crash(void)
{
	if (crash_now())
		(void)raise(SIGKILL);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (crash_now()) {
		(void)!__real_write(fd, data, len - len / 8);
		(void)raise(SIGKILL);
	}
	if (wraps.full && wraps.renamed[0] != '\0') {
		if (len < 8) {
			errno = ENOSPC;
			return -1;
		}
		len -= 7;
	}
	return __real_write(fd, data, len);
}

int __wrap_rename(const char *from, const char *to)
{
	crash();
	if (strcmp(to, writer_paths.hosts) == 0)
		(void)snprintf(wraps.renamed, sizeof(wraps.renamed), "%s", from);
	if (wraps.mount && strcmp(to, writer_paths.hosts) == 0) {
		errno = EBUSY;
		return -1;
	}
	return __real_rename(from, to);
}

static void append(const char *path, const char *text)
{
	FILE *f = fopen(path, "ae");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

int __wrap_fsync(int fd)
{
	crash();
	if (wraps.meddle > 0) {
		wraps.meddle--;
		append(writer_paths.hosts, "192.0.2.8 meanwhile\n");
	}
	return __real_fsync(fd);
}

int __wrap_ftruncate(int fd, off_t len)
{
	crash();
	return __real_ftruncate(fd, len);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	crash();
	return __real_fchmod(fd, mode);
}

int __wrap_unlink(const char *path)
{
	crash();
	return __real_unlink(path);
}

static ino_t inode(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static int set_up(void **state)
{
	memset(&wraps, 0, sizeof(wraps));
	return writer_set_up(state);
}

static void a_dry_run_touches_nothing(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_err err;

	(void)state;
	test_write(writer_paths.hosts, USER);
	/* a link from a left-over run does not matter either */
	assert_int_equal(symlink("nowhere", test_path("etc/hosts.tmp")), 0);
	wraps.crash_at = 1; /* any write would end us */
	assert_int_equal(writer_update(1, "#l\n", true, &result, &err), AERO_OK);
	wraps.crash_at = 0;
	assert_int_equal(result.how, AERO_HOSTS_DRY);
	assert_string_equal(result.old, USER);
	assert_string_equal(result.now.text, "#l\n" BLOCK);
	aero_hosts_result_clear(&result);
	assert_int_equal(writer_update(1, NULL, true, &result, &err), AERO_OK);
	assert_string_equal(result.now.text, USER BLOCK);
	aero_hosts_result_clear(&result);
	test_write(writer_paths.hosts, BLOCK);
	assert_int_equal(writer_update(1, NULL, true, &result, &err), AERO_OK);
	assert_int_equal(result.how, AERO_HOSTS_SAME);
	aero_hosts_result_clear(&result);
	assert_false(writer_there(test_path("run")));
	assert_false(writer_there(writer_paths.bak));
	assert_false(writer_there(writer_paths.before));
}

static void an_edit_in_between_is_not_lost(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_err err;

	(void)state;
	test_write(writer_paths.hosts, USER);
	wraps.meddle = 1;
	writer_updates(1, NULL, AERO_HOSTS_RENAMED);
	writer_holds(writer_paths.hosts, USER "192.0.2.8 meanwhile\n" BLOCK);
	writer_holds(writer_paths.bak, USER "192.0.2.8 meanwhile\n");
	/* one that never stops is left alone */
	test_write(writer_paths.hosts, USER);
	wraps.meddle = 1000;
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_AGAIN);
	wraps.meddle = 0;
	assert_non_null(strstr(err.msg, "somebody else"));
	assert_false(writer_there(test_path("etc/hosts.tmp")));
}

static void a_mount_is_written_in_place(void **state)
{
	ino_t ino;

	(void)state;
	test_write(writer_paths.hosts, USER);
	ino = inode(writer_paths.hosts);
	wraps.mount = true;
	writer_updates(2, NULL, AERO_HOSTS_IN_PLACE);
	writer_holds(writer_paths.hosts,
		USER BLOCK_OF("10.0.0.1 web-0\n10.0.0.2 web-1\n2001:db8::2 web-1\n"));
	writer_holds(writer_paths.bak, USER);
	writer_updates(1, NULL, AERO_HOSTS_IN_PLACE); /* shorter */
	writer_holds(writer_paths.hosts, USER BLOCK);
	assert_int_equal(inode(writer_paths.hosts), ino);
	writer_updates(1, NULL, AERO_HOSTS_SAME);
}

static void a_half_written_mount_is_finished(void **state)
{
	const char *tmp = test_path("etc/hosts.tmp");
	struct aero_hosts_result result = {0};
	struct aero_err err;

	(void)state;
	test_write(writer_paths.hosts, USER "127.0");
	test_write(tmp, USER BLOCK);
	assert_int_equal(chmod(tmp, 01644), 0);
	/* a dry run goes by what it will be */
	assert_int_equal(writer_update(1, NULL, true, &result, &err), AERO_OK);
	assert_int_equal(result.how, AERO_HOSTS_SAME);
	aero_hosts_result_clear(&result);
	assert_true(writer_there(tmp));
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_OK);
	assert_true(result.recovered);
	assert_int_equal(result.how, AERO_HOSTS_SAME);
	aero_hosts_result_clear(&result);
	writer_holds(writer_paths.hosts, USER BLOCK);
	assert_false(writer_there(tmp));
}

static void a_left_over_without_the_mark_is_no_recovery(void **state)
{
	(void)state;
	test_write(writer_paths.hosts, USER BLOCK);
	test_write(test_path("etc/hosts.tmp"), "rubbish");
	writer_updates(0, NULL, AERO_HOSTS_RENAMED);
	writer_holds(writer_paths.hosts, USER BLOCK_OF(""));
}

static void a_full_disk_in_the_middle_is_mended_later(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_err err;

	(void)state;
	test_write(writer_paths.hosts, USER BLOCK_OF(""));
	wraps.mount = wraps.full = true;
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_IO);
	assert_non_null(strstr(err.msg, writer_paths.hosts));
	assert_true(writer_there(test_path("etc/hosts.tmp")));
	/* still full: still to be mended */
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_IO);
	assert_true(writer_there(test_path("etc/hosts.tmp")));
	wraps.full = false;
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_OK);
	assert_true(result.recovered);
	aero_hosts_result_clear(&result);
	writer_holds(writer_paths.hosts, USER BLOCK);
	assert_false(writer_there(test_path("etc/hosts.tmp")));
}

/* One update in a process that ends at its call number `call`; false: it had fewer. */
static bool crashes_at(int call, bool mount, const char *legacy)
{
	struct aero_hosts_result result = {0};
	int status = 0, rc;
	pid_t pid = fork();

	if (pid == 0) {
		wraps.mount = mount;
		wraps.crash_at = call;
		rc = writer_update(1, legacy, false, &result, NULL);
		aero_hosts_result_clear(&result);
		_exit(rc == AERO_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return true;
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

/* The file is neither the old nor the new: then a marked copy must be there. */
static bool torn(const char *old, const char *now)
{
	char *text = test_read(writer_paths.hosts);
	bool whole = strcmp(text, old) == 0 || strcmp(text, now) == 0;
	struct stat st;

	free(text);
	if (whole)
		return false;
	assert_int_equal(lstat(test_path("etc/hosts.tmp"), &st), 0);
	assert_true((st.st_mode & S_ISVTX) != 0);
	return true;
}

/* Whatever call a crash comes at: the file is whole, or a marked copy says what it is to
 * be; and the next update makes it right. How many calls there are. */
static int crash_at_each_call(bool mount, const char *legacy)
{
	const char *old = USER BLOCK_OF("");
	const char *now = legacy == NULL ? USER BLOCK : "10.9.9.9 old\n" BLOCK;
	int call = 0, n_torn = 0;
	bool more;

	do {
		struct aero_hosts_result result = {0};
		struct aero_err err;

		(void)unlink(writer_paths.before);
		(void)unlink(writer_paths.bak);
		test_write(writer_paths.hosts, old);
		more = crashes_at(++call, mount, legacy);
		n_torn += torn(old, now);
		if (writer_there(writer_paths.before))
			writer_holds(writer_paths.before, old);
		if (writer_there(writer_paths.bak))
			writer_holds(writer_paths.bak, old);
		wraps.mount = mount;
		if (writer_update(1, legacy, false, &result, &err) != AERO_OK)
			fail_msg("after a crash at call %d: %s", call, err.msg);
		aero_hosts_result_clear(&result);
		writer_holds(writer_paths.hosts, now);
	} while (more);
	assert_int_equal(n_torn > 0, mount);
	return call;
}

static void a_crash_at_any_call_loses_nothing(void **state)
{
	(void)state;
	assert_true(crash_at_each_call(false, NULL) > 12);
	assert_true(crash_at_each_call(false, "10.9.9.9 old\n") > 18);
	assert_true(crash_at_each_call(true, NULL) > 18);
	assert_true(crash_at_each_call(true, "10.9.9.9 old\n") > 18);
}

#define EDIT "192.0.2.9 after-the-crash\n"

/* After a crash somebody edits what there is, before the next update comes: the line
 * stays, or is in the copy before the take-over, which is never of an older time. */
static int edit_after_each_call(bool mount, const char *legacy)
{
	const char *old = USER BLOCK_OF("");
	const char *now = legacy == NULL ? USER BLOCK : "10.9.9.9 old\n" BLOCK;
	char *had, *has, *copy, edited[1024];
	int call = 0;
	bool more;

	do {
		struct aero_hosts_result result = {0};
		struct aero_err err;
		bool taken, half;

		wraps.mount = mount;
		(void)unlink(writer_paths.before);
		(void)unlink(writer_paths.bak);
		test_write(writer_paths.hosts, old);
		more = crashes_at(++call, mount, legacy);
		had = test_read(writer_paths.hosts);
		taken = strcmp(had, now) == 0;
		half = !taken && strcmp(had, old) != 0;
		(void)snprintf(edited, sizeof(edited), "%s" EDIT, had);
		free(had);
		append(writer_paths.hosts, EDIT);
		if (writer_update(1, legacy, false, &result, &err) != AERO_OK) {
			/* half a file of a mount, and edited: only its editor can tell */
			if (!half || strstr(err.msg, "--repair-hosts") == NULL)
				fail_msg("edited after a crash at call %d: %s", call,
					err.msg);
			writer_holds(writer_paths.hosts, edited);
			writer_holds(writer_paths.bak, old);
			continue;
		}
		if (half)
			writer_holds(writer_paths.bak, legacy == NULL ? old : edited);
		aero_hosts_result_clear(&result);
		assert_false(writer_there(test_path("etc/hosts.tmp")));
		has = test_read(writer_paths.hosts);
		if (legacy == NULL)
			assert_non_null(strstr(has, EDIT));
		else
			assert_string_equal(has, now);
		free(has);
		if (legacy == NULL)
			continue;
		copy = test_read(writer_paths.before);
		assert_string_equal(copy, taken || half ? old : edited);
		free(copy);
	} while (more);
	return call;
}

static void an_edit_after_a_crash_is_not_lost(void **state)
{
	(void)state;
	assert_true(edit_after_each_call(false, NULL) > 12);
	assert_true(edit_after_each_call(false, "10.9.9.9 old\n") > 18);
	assert_true(edit_after_each_call(true, NULL) > 18);
	assert_true(edit_after_each_call(true, "10.9.9.9 old\n") > 18);
}

static bool marked(void)
{
	struct stat st;

	return lstat(test_path("etc/hosts.tmp"), &st) == 0 && (st.st_mode & S_ISVTX) != 0;
}

/* Nothing but this file, and an update of it that crashes. */
static void afresh(const char *old, int call)
{
	(void)unlink(test_path("etc/hosts.tmp"));
	(void)unlink(writer_paths.bak);
	test_write(writer_paths.hosts, old);
	assert_true(crashes_at(call, true, NULL));
}

/* A mount that was edited after a crash counts as it stands, and hosts.bak keeps the text
 * before; a crash of the update that follows must be told from an edit all the same. */
static void a_second_crash_after_an_edit_is_mended(void **state)
{
	const char *old = USER BLOCK_OF("10.0.0.7 web-7\n");
	const char *edited = USER B "127.0.1.1 edited\n127.0.0.1 localhost\n"
				    "::1 localhost ip6-localhost\n10.0.0.7 web-7\n" E;
	struct aero_hosts_result result = {0};
	int first = 0, second = 0, n_torn = 0;
	bool more;

	(void)state;
	wraps.mount = true;
	do
		afresh(old, ++first);
	while (!marked());
	do {
		afresh(old, first);
		writer_holds(writer_paths.hosts, old);
		test_write(writer_paths.hosts, edited);
		more = crashes_at(++second, true, NULL);
		n_torn += torn(edited, USER BLOCK);
		assert_int_equal(writer_update(1, NULL, false, &result, NULL), AERO_OK);
		aero_hosts_result_clear(&result);
		writer_holds(writer_paths.hosts, USER BLOCK);
		if (marked() || writer_there(writer_paths.aside))
			fail_msg("call %d: a copy is left", second);
	} while (more);
	assert_true(n_torn > 0);
	writer_holds(writer_paths.bak, old);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, writer_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_dry_run_touches_nothing),
		TEST(an_edit_in_between_is_not_lost),
		TEST(a_mount_is_written_in_place),
		TEST(a_half_written_mount_is_finished),
		TEST(a_left_over_without_the_mark_is_no_recovery),
		TEST(a_full_disk_in_the_middle_is_mended_later),
		TEST(a_crash_at_any_call_loses_nothing),
		TEST(an_edit_after_a_crash_is_not_lost),
		TEST(a_second_crash_after_an_edit_is_mended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
