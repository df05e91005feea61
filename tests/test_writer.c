/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/file.h"
#include "tests/writer_support.h"

static ino_t inode(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static void a_missing_file_is_made_0644(void **state)
{
	mode_t mask = umask(077);
	struct stat st;

	(void)state;
	writer_updates(1, NULL, AERO_HOSTS_RENAMED);
	(void)umask(mask);
	writer_holds(writer_paths.hosts, BLOCK);
	assert_int_equal(stat(writer_paths.hosts, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_false(writer_there(writer_paths.bak));
}

static void the_previous_file_is_kept_and_equal_content_not_written(void **state)
{
	ino_t ino;

	(void)state;
	test_write(writer_paths.hosts, USER);
	writer_updates(1, NULL, AERO_HOSTS_RENAMED);
	writer_holds(writer_paths.hosts, USER BLOCK);
	writer_holds(writer_paths.bak, USER);
	ino = inode(writer_paths.hosts);
	writer_updates(1, NULL, AERO_HOSTS_SAME);
	assert_int_equal(inode(writer_paths.hosts), ino);
	writer_holds(writer_paths.bak, USER);
	writer_updates(0, NULL, AERO_HOSTS_RENAMED);
	writer_holds(writer_paths.hosts, USER BLOCK_OF(""));
	writer_holds(writer_paths.bak, USER BLOCK);
	assert_false(writer_there(writer_paths.before));
}

static void mode_owner_and_attributes_stay(void **state)
{
	bool root = geteuid() == 0, xattr;
	char value[8] = "";
	struct stat st;

	(void)state;
	test_write(writer_paths.hosts, USER);
	xattr = setxattr(writer_paths.hosts, "user.aero", "blue", 4, 0) == 0;
	if (root) {
		assert_int_equal(chown(writer_paths.hosts, 12, 34), 0);
		/* tmpfs has these at least */
		xattr |= setxattr(writer_paths.hosts, "trusted.aero", "blue", 4, 0) == 0;
	}
	assert_int_equal(chmod(writer_paths.hosts, 0664), 0);
	writer_updates(1, NULL, AERO_HOSTS_RENAMED);
	assert_int_equal(stat(writer_paths.hosts, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0664);
	if (root) {
		assert_int_equal(st.st_uid, 12);
		assert_int_equal(st.st_gid, 34);
	}
	if (xattr) {
		assert_true(getxattr(writer_paths.hosts, "user.aero", value, 8) == 4 ||
			    getxattr(writer_paths.hosts, "trusted.aero", value, 8) == 4);
		assert_string_equal(value, "blue");
	}
}

static void links_are_followed_below_the_root(void **state)
{
	static const struct {
		const char *link, *target;
	} rows[] = {
		{"real", "etc/real"},
		{"/etc/real", "etc/real"}, /* of the image, not of this machine */
		{"../var/real", "var/real"},
		{"hop", "var/real"}, /* hop -> /var/real */
		{"dangling", "etc/dangling"},
	};
	char text[64], tmp[512];

	(void)state;
	assert_int_equal(mkdir(test_path("var"), 0755), 0);
	assert_int_equal(symlink("/var/real", test_path("etc/hop")), 0);
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		bool dangling = strcmp(rows[i].link, "dangling") == 0;
		ssize_t n;

		(void)unlink(writer_paths.hosts);
		assert_int_equal(symlink(rows[i].link, writer_paths.hosts), 0);
		if (!dangling)
			test_write(test_path(rows[i].target), USER);
		/* what was beside the link or the target and is not ours stays */
		writer_updates(1, NULL, AERO_HOSTS_RENAMED);
		n = readlink(writer_paths.hosts, text, sizeof(text));
		assert_int_equal(n, strlen(rows[i].link));
		writer_holds(test_path(rows[i].target), dangling ? BLOCK : USER BLOCK);
		(void)snprintf(tmp, sizeof(tmp), "%s.tmp", rows[i].target);
		assert_false(writer_there(test_path(tmp)));
	}
}

static void what_is_not_ours_to_write_is_refused(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_err err;
	char outside[512];

	(void)state;
	(void)snprintf(outside, sizeof(outside), "%s-outside", test_dir());
	test_write(outside, USER);
	(void)snprintf(outside, sizeof(outside), "../..%s-outside", test_dir() + 4);
	assert_int_equal(symlink(outside, writer_paths.hosts), 0);
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "outside of the root"));
	(void)snprintf(outside, sizeof(outside), "%s-outside", test_dir());
	writer_holds(outside, USER);
	assert_int_equal(unlink(outside), 0);
	assert_int_equal(unlink(writer_paths.hosts), 0);
	assert_int_equal(symlink("hosts", writer_paths.hosts), 0);
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "symbolic links"));
	assert_int_equal(unlink(writer_paths.hosts), 0);
	assert_int_equal(mkdir(writer_paths.hosts, 0755), 0);
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "not a regular file"));
	assert_int_equal(rmdir(writer_paths.hosts), 0);
	assert_int_equal(mkfifo(writer_paths.hosts, 0644), 0);
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_CONFIG);
	assert_null(result.old);
}

static void a_block_without_an_end_leaves_the_file_alone(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_hosts_job job = {
		.paths = &writer_paths, .rows = writer_rows, .n_rows = 1, .repair = true};
	struct aero_err err;

	(void)state;
	test_write(writer_paths.hosts, USER B "1.1.1.1 x\n");
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_CONFIG);
	assert_non_null(strstr(err.msg, writer_paths.hosts));
	assert_non_null(strstr(err.msg, "line 3"));
	writer_holds(writer_paths.hosts, USER B "1.1.1.1 x\n");
	assert_int_equal(aero_hosts_update(&job, &result, &err), AERO_OK);
	aero_hosts_result_clear(&result);
	writer_holds(writer_paths.hosts, USER BLOCK);
}

static void two_writers_do_not_meet(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_err err;
	int fd = -1;

	(void)state;
	assert_int_equal(aero_lock_take(writer_paths.lock, &fd, NULL, NULL), AERO_OK);
	assert_int_equal(writer_update(1, NULL, false, &result, &err), AERO_AGAIN);
	assert_false(writer_there(writer_paths.hosts));
	assert_int_equal(close(fd), 0);
	writer_updates(1, NULL, AERO_HOSTS_RENAMED);
}

static void the_first_take_over_saves_the_file_once(void **state)
{
	(void)state;
	test_write(writer_paths.hosts, USER);
	writer_updates(1, "10.9.9.9 old\n", AERO_HOSTS_RENAMED);
	writer_holds(writer_paths.hosts, "10.9.9.9 old\n" BLOCK);
	writer_holds(writer_paths.before, USER);
	writer_updates(1, "10.9.9.8 old\n", AERO_HOSTS_RENAMED);
	writer_updates(2, "10.9.9.8 web-1\n", AERO_HOSTS_RENAMED);
	writer_holds(writer_paths.hosts, "10.9.9.8 web-1\n" BLOCK);
	writer_holds(writer_paths.before, USER);
}

/* Here the copy of the previous file cannot be written. */
static void a_failed_take_over_keeps_no_copy_that_gets_old(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_err err;

	(void)state;
	test_write(writer_paths.hosts, USER);
	assert_int_equal(0, mkdir(writer_paths.bak, 0755));
	assert_true(writer_update(1, "10.9.9.9 old\n", false, &result, &err) < 0);
	writer_holds(writer_paths.hosts, USER);
	assert_int_equal(0, rmdir(writer_paths.bak));
	test_write(writer_paths.hosts, USER "192.0.2.8 scanner\n");
	writer_updates(1, "10.9.9.9 old\n", AERO_HOSTS_RENAMED);
	writer_updates(2, "10.9.9.9 old\n", AERO_HOSTS_RENAMED);
	writer_holds(writer_paths.before, USER "192.0.2.8 scanner\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WRITER_TEST(a_failed_take_over_keeps_no_copy_that_gets_old),
		WRITER_TEST(a_missing_file_is_made_0644),
		WRITER_TEST(the_previous_file_is_kept_and_equal_content_not_written),
		WRITER_TEST(mode_owner_and_attributes_stay),
		WRITER_TEST(links_are_followed_below_the_root),
		WRITER_TEST(what_is_not_ours_to_write_is_refused),
		WRITER_TEST(a_block_without_an_end_leaves_the_file_alone),
		WRITER_TEST(two_writers_do_not_meet),
		WRITER_TEST(the_first_take_over_saves_the_file_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
