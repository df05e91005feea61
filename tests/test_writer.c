/* SPDX-License-Identifier: MIT */
/* The writer over real files. The linker puts the calls that change a file system through
 * the wrappers below, which can fail one (a mount in the way), let somebody else in, or
 * end the process at any of them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "legacy/writer.h"
#include "lib/file.h"
#include "tests/support.h"

#define B "# AEROSTAT\n"
#define E "# /AEROSTAT\n"
#define BLOCK_OF(hosts) B "127.0.0.1 localhost\n::1 localhost ip6-localhost\n" hosts E
#define BLOCK BLOCK_OF("10.0.0.1 web-0\n")
#define USER "# mine\n192.0.2.7\tprinter  # blue\n"

static struct aero_hosts_paths paths;
static const struct aero_hosts_row web[] = {
	{.host = "web-0", .addrs = {"10.0.0.1"}, .n_addrs = 1},
	{.host = "web-1", .addrs = {"10.0.0.2", "2001:db8::2"}, .n_addrs = 2},
};

/* ---- the wrapped calls ---- */

static struct {
	bool mount;	    /* /etc/hosts cannot be renamed over */
	int crash_at, call; /* end the process at this one; 0 = never */
	int meddle;	    /* so many times somebody edits the file at the first fsync */
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
		_exit(9);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (crash_now()) {
		(void)!__real_write(fd, data, len - len / 8);
		_exit(9);
	}
	return __real_write(fd, data, len);
}

int __wrap_rename(const char *from, const char *to)
{
	crash();
	if (strcmp(to, paths.hosts) == 0)
		(void)snprintf(wraps.renamed, sizeof(wraps.renamed), "%s", from);
	if (wraps.mount && strcmp(to, paths.hosts) == 0) {
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
		append(paths.hosts, "192.0.2.8 meanwhile\n");
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

/* ---- helpers ---- */

static int set_up(void **state)
{
	(void)state;
	memset(&wraps, 0, sizeof(wraps));
	assert_int_equal(aero_hosts_paths_make(test_dir(), &paths, NULL), AERO_OK);
	assert_int_equal(mkdir(test_path("etc"), 0755), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	aero_hosts_paths_clear(&paths);
	test_dir_remove();
	return 0;
}

static int update(size_t n_rows, const char *legacy, bool dryrun,
	struct aero_hosts_result *ret, struct aero_err *err)
{
	const struct aero_hosts_job job = {
		.paths = &paths,
		.rows = web,
		.n_rows = n_rows,
		.legacy = legacy,
		.legacy_len = legacy != NULL ? strlen(legacy) : 0,
		.dryrun = dryrun,
	};

	return aero_hosts_update(&job, ret, err);
}

/* Update with the first n hosts; it must go well and so. */
static void updates(size_t n_rows, const char *legacy, enum aero_hosts_how how)
{
	struct aero_hosts_result result = {0};
	struct aero_err err = {""};

	if (update(n_rows, legacy, false, &result, &err) != AERO_OK)
		fail_msg("%s", err.msg);
	assert_int_equal(result.how, how);
	aero_hosts_result_clear(&result);
	assert_int_equal(access(test_path("etc/hosts.tmp"), F_OK), -1);
}

static void holds(const char *path, const char *expected)
{
	char *text = test_read(path);

	assert_string_equal(text, expected);
	free(text);
}

static bool there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static ino_t inode(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* ---- replacing ---- */

static void a_missing_file_is_made_0644(void **state)
{
	mode_t mask = umask(077);
	struct stat st;

	(void)state;
	updates(1, NULL, AERO_HOSTS_RENAMED);
	(void)umask(mask);
	holds(paths.hosts, BLOCK);
	assert_int_equal(stat(paths.hosts, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_false(there(paths.bak));
}

static void the_previous_file_is_kept_and_equal_content_not_written(void **state)
{
	ino_t ino;

	(void)state;
	test_write(paths.hosts, USER);
	updates(1, NULL, AERO_HOSTS_RENAMED);
	holds(paths.hosts, USER BLOCK);
	holds(paths.bak, USER);
	ino = inode(paths.hosts);
	updates(1, NULL, AERO_HOSTS_SAME);
	assert_int_equal(inode(paths.hosts), ino);
	holds(paths.bak, USER);
	updates(0, NULL, AERO_HOSTS_RENAMED);
	holds(paths.hosts, USER BLOCK_OF(""));
	holds(paths.bak, USER BLOCK);
	assert_false(there(paths.before));
}

static void mode_owner_and_attributes_stay(void **state)
{
	bool root = geteuid() == 0, xattr;
	char value[8] = "";
	struct stat st;

	(void)state;
	test_write(paths.hosts, USER);
	xattr = setxattr(paths.hosts, "user.aero", "blue", 4, 0) == 0;
	if (root) {
		assert_int_equal(chown(paths.hosts, 12, 34), 0);
		/* tmpfs has these at least */
		xattr |= setxattr(paths.hosts, "trusted.aero", "blue", 4, 0) == 0;
	}
	assert_int_equal(chmod(paths.hosts, 0664), 0);
	updates(1, NULL, AERO_HOSTS_RENAMED);
	assert_int_equal(stat(paths.hosts, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0664);
	if (root) {
		assert_int_equal(st.st_uid, 12);
		assert_int_equal(st.st_gid, 34);
	}
	if (xattr) {
		assert_true(getxattr(paths.hosts, "user.aero", value, 8) == 4 ||
			    getxattr(paths.hosts, "trusted.aero", value, 8) == 4);
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

		(void)unlink(paths.hosts);
		assert_int_equal(symlink(rows[i].link, paths.hosts), 0);
		if (!dangling)
			test_write(test_path(rows[i].target), USER);
		/* what was beside the link or the target and is not ours stays */
		updates(1, NULL, AERO_HOSTS_RENAMED);
		n = readlink(paths.hosts, text, sizeof(text));
		assert_int_equal(n, strlen(rows[i].link));
		holds(test_path(rows[i].target), dangling ? BLOCK : USER BLOCK);
		(void)snprintf(tmp, sizeof(tmp), "%s.tmp", rows[i].target);
		assert_false(there(test_path(tmp)));
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
	assert_int_equal(symlink(outside, paths.hosts), 0);
	assert_int_equal(update(1, NULL, false, &result, &err), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "outside of the root"));
	(void)snprintf(outside, sizeof(outside), "%s-outside", test_dir());
	holds(outside, USER);
	assert_int_equal(unlink(outside), 0);
	assert_int_equal(unlink(paths.hosts), 0);
	assert_int_equal(symlink("hosts", paths.hosts), 0);
	assert_int_equal(update(1, NULL, false, &result, &err), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "symbolic links"));
	assert_int_equal(unlink(paths.hosts), 0);
	assert_int_equal(mkdir(paths.hosts, 0755), 0);
	assert_int_equal(update(1, NULL, false, &result, &err), AERO_CONFIG);
	assert_non_null(strstr(err.msg, "not a regular file"));
	assert_int_equal(rmdir(paths.hosts), 0);
	assert_int_equal(mkfifo(paths.hosts, 0644), 0);
	assert_int_equal(update(1, NULL, false, &result, &err), AERO_CONFIG);
	assert_null(result.old);
}

static void a_block_without_an_end_leaves_the_file_alone(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_hosts_job job = {
		.paths = &paths, .rows = web, .n_rows = 1, .repair = true};
	struct aero_err err;

	(void)state;
	test_write(paths.hosts, USER B "1.1.1.1 x\n");
	assert_int_equal(update(1, NULL, false, &result, &err), AERO_CONFIG);
	assert_non_null(strstr(err.msg, paths.hosts));
	assert_non_null(strstr(err.msg, "line 3"));
	holds(paths.hosts, USER B "1.1.1.1 x\n");
	assert_int_equal(aero_hosts_update(&job, &result, &err), AERO_OK);
	aero_hosts_result_clear(&result);
	holds(paths.hosts, USER BLOCK);
}

static void a_dry_run_touches_nothing(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_err err;

	(void)state;
	test_write(paths.hosts, USER);
	/* a link from a left-over run does not matter either */
	assert_int_equal(symlink("nowhere", test_path("etc/hosts.tmp")), 0);
	wraps.crash_at = 1; /* any write would end us */
	assert_int_equal(update(1, "#l\n", true, &result, &err), AERO_OK);
	wraps.crash_at = 0;
	assert_int_equal(result.how, AERO_HOSTS_DRY);
	assert_string_equal(result.old, USER);
	assert_string_equal(result.now.text, "#l\n" BLOCK);
	aero_hosts_result_clear(&result);
	assert_int_equal(update(1, NULL, true, &result, &err), AERO_OK);
	assert_string_equal(result.now.text, USER BLOCK);
	aero_hosts_result_clear(&result);
	test_write(paths.hosts, BLOCK);
	assert_int_equal(update(1, NULL, true, &result, &err), AERO_OK);
	assert_int_equal(result.how, AERO_HOSTS_SAME);
	aero_hosts_result_clear(&result);
	assert_false(there(test_path("run")));
	assert_false(there(paths.bak));
	assert_false(there(paths.before));
}

static void two_writers_do_not_meet(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_err err;
	int fd = -1;

	(void)state;
	assert_int_equal(aero_lock_take(paths.lock, &fd, NULL, NULL), AERO_OK);
	assert_int_equal(update(1, NULL, false, &result, &err), AERO_AGAIN);
	assert_false(there(paths.hosts));
	assert_int_equal(close(fd), 0);
	updates(1, NULL, AERO_HOSTS_RENAMED);
}

static void the_first_take_over_saves_the_file_once(void **state)
{
	(void)state;
	test_write(paths.hosts, USER);
	updates(1, "10.9.9.9 old\n", AERO_HOSTS_RENAMED);
	holds(paths.hosts, "10.9.9.9 old\n" BLOCK);
	holds(paths.before, USER);
	updates(1, "10.9.9.8 old\n", AERO_HOSTS_RENAMED);
	updates(2, "10.9.9.8 web-1\n", AERO_HOSTS_RENAMED);
	holds(paths.hosts, "10.9.9.8 web-1\n" BLOCK);
	holds(paths.before, USER);
}

static void an_edit_in_between_is_not_lost(void **state)
{
	struct aero_hosts_result result = {0};
	struct aero_err err;

	(void)state;
	test_write(paths.hosts, USER);
	wraps.meddle = 1;
	updates(1, NULL, AERO_HOSTS_RENAMED);
	holds(paths.hosts, USER "192.0.2.8 meanwhile\n" BLOCK);
	holds(paths.bak, USER "192.0.2.8 meanwhile\n");
	/* one that never stops is left alone */
	test_write(paths.hosts, USER);
	wraps.meddle = 1000;
	assert_int_equal(update(1, NULL, false, &result, &err), AERO_AGAIN);
	wraps.meddle = 0;
	assert_non_null(strstr(err.msg, "somebody else"));
	assert_false(there(test_path("etc/hosts.tmp")));
}

/* ---- in place ---- */

static void a_mount_is_written_in_place(void **state)
{
	ino_t ino;

	(void)state;
	test_write(paths.hosts, USER);
	ino = inode(paths.hosts);
	wraps.mount = true;
	updates(2, NULL, AERO_HOSTS_IN_PLACE);
	holds(paths.hosts,
		USER BLOCK_OF("10.0.0.1 web-0\n10.0.0.2 web-1\n2001:db8::2 web-1\n"));
	holds(paths.bak, USER);
	updates(1, NULL, AERO_HOSTS_IN_PLACE); /* shorter */
	holds(paths.hosts, USER BLOCK);
	assert_int_equal(inode(paths.hosts), ino);
	updates(1, NULL, AERO_HOSTS_SAME);
}

static void a_half_written_mount_is_finished(void **state)
{
	const char *tmp = test_path("etc/hosts.tmp");
	struct aero_hosts_result result = {0};
	struct aero_err err;

	(void)state;
	test_write(paths.hosts, USER "127.0");
	test_write(tmp, USER BLOCK);
	assert_int_equal(chmod(tmp, 01644), 0);
	/* a dry run goes by what it will be */
	assert_int_equal(update(1, NULL, true, &result, &err), AERO_OK);
	assert_int_equal(result.how, AERO_HOSTS_SAME);
	aero_hosts_result_clear(&result);
	assert_true(there(tmp));
	assert_int_equal(update(1, NULL, false, &result, &err), AERO_OK);
	assert_true(result.recovered);
	assert_int_equal(result.how, AERO_HOSTS_SAME);
	aero_hosts_result_clear(&result);
	holds(paths.hosts, USER BLOCK);
	assert_false(there(tmp));
}

static void a_left_over_without_the_mark_is_no_recovery(void **state)
{
	(void)state;
	test_write(paths.hosts, USER BLOCK);
	test_write(test_path("etc/hosts.tmp"), "rubbish");
	updates(0, NULL, AERO_HOSTS_RENAMED);
	holds(paths.hosts, USER BLOCK_OF(""));
}

/* Whatever call a crash comes at: the file is whole, or a marked copy says what it is to
 * be; and the next update makes it right. */
static void a_crash_at_any_call_loses_nothing(
	bool mount, const char *legacy, int *ret_calls)
{
	const char *old = USER BLOCK_OF("");
	const char *now = legacy == NULL ? USER BLOCK : "10.9.9.9 old\n" BLOCK;
	int status = 0, calls = 0, torn = 0;

	do {
		struct stat st;
		char *text;
		pid_t pid;

		(void)unlink(paths.before);
		(void)unlink(paths.bak);
		test_write(paths.hosts, old);
		calls++;
		pid = fork();
		if (pid == 0) {
			struct aero_hosts_result result;

			wraps.mount = mount;
			wraps.crash_at = calls;
			_exit(update(1, legacy, false, &result, NULL) == AERO_OK ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		text = test_read(paths.hosts);
		if (strcmp(text, old) != 0 && strcmp(text, now) != 0) {
			assert_true(mount);
			assert_int_equal(lstat(test_path("etc/hosts.tmp"), &st), 0);
			assert_true((st.st_mode & S_ISVTX) != 0);
			torn++;
		}
		free(text);
		if (there(paths.before))
			holds(paths.before, old);
		if (there(paths.bak))
			holds(paths.bak, old);
		wraps.mount = mount;
		{
			struct aero_hosts_result result = {0};
			struct aero_err err;

			if (update(1, legacy, false, &result, &err) != AERO_OK)
				fail_msg("after a crash at call %d: %s", calls, err.msg);
			aero_hosts_result_clear(&result);
		}
		holds(paths.hosts, now);
	} while (WEXITSTATUS(status) == 9);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(torn > 0 || !mount);
	*ret_calls = calls;
}

static void crashes_lose_nothing(void **state)
{
	int calls = 0;

	(void)state;
	a_crash_at_any_call_loses_nothing(false, NULL, &calls);
	assert_true(calls > 12);
	a_crash_at_any_call_loses_nothing(false, "10.9.9.9 old\n", &calls);
	assert_true(calls > 18);
	a_crash_at_any_call_loses_nothing(true, NULL, &calls);
	assert_true(calls > 18);
}

/* ---- histories ---- */

static unsigned long seed = 42;

static size_t rnd(size_t below)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (seed >> 33) % below;
}

/* What stands outside of blocks, cut out with string functions; *ret_blocks: how many. */
static void outside(const char *text, char *ret, int *ret_blocks)
{
	const char *at = text;

	*ret = '\0';
	*ret_blocks = 0;
	for (;;) {
		const char *begin = at, *end;

		while (begin != NULL && (strncmp(begin, B, strlen(B)) != 0 ||
						(begin > text && begin[-1] != '\n')))
			begin = strstr(
				begin + (*begin != '\0'), *begin != '\0' ? B : "\1");
		if (begin == NULL)
			break;
		(void)snprintf(ret + strlen(ret), 8192 - strlen(ret), "%.*s",
			(int)(begin - at), at);
		end = strstr(begin, "\n" E);
		assert_non_null(end);
		at = end + 1 + strlen(E);
		++*ret_blocks;
	}
	(void)snprintf(ret + strlen(ret), 8192 - strlen(ret), "%s", at);
}

static const char *random_line(void)
{
	static const char *const lines[] = {"\n", "# note\n", "192.0.2.1\tone  two\n",
		" 192.0.2.2 web-1 # wins\n", "\r\n", "#AEROSTAT\n",
		"2001:db8::7 WEB-0\r\n", "rubbish \xfe\x80\n", "127.0.1.1 me\n",
		"# AEROSTAT?\n", "\t\n", "::1 localhost\n"};

	return lines[rnd(AERO_COUNT(lines))];
}

/* The start of some line that is not within a block; the end of the text is one too. */
static char *random_place(char *text)
{
	char *places[512], *at = text;
	size_t n = 0;

	for (;;) {
		places[n++] = at;
		if (*at == '\0' || n == AERO_COUNT(places))
			return places[rnd(n)];
		if (strncmp(at, B, strlen(B)) == 0) {
			at = strstr(at, "\n" E) + 1 + strlen(E);
		} else {
			at += strcspn(at, "\n");
			at += *at == '\n';
		}
	}
}

/* A user's edit of the text: insert a line, delete a line or a block, take away the last
 * LF where that ends no block, or paste a second block. */
static void edit(char *text)
{
	static char rest[8192];
	size_t len = strlen(text), cut = 0, kind = rnd(8);
	char *at = random_place(text);
	const char *put = "";

	if (kind == 0 && *at != '\0') {
		cut = strcspn(at, "\n");
		if (strncmp(at, B, strlen(B)) == 0)
			cut = (size_t)(strstr(at, "\n" E) - at) + strlen(E);
		cut += at[cut] == '\n';
	} else if (kind == 1 && len > 12 && strcmp(text + len - strlen(E), E) != 0) {
		text[len - (text[len - 1] == '\n')] = '\0';
		return;
	} else {
		put = kind == 2 ? B "192.0.2.6 pasted\n" E : random_line();
	}
	/* behind a last line without LF, an insertion makes that line another one */
	(void)snprintf(rest, sizeof(rest), "%s", at + cut);
	(void)snprintf(at, sizeof(rest) - (size_t)(at - text), "%s%s%s",
		at > text && at[-1] != '\n' ? "\n" : "", put, rest);
}

static void the_users_lines_live_through_any_history(void **state)
{
	static char text[8192], mine[8192], after[8192];
	int blocks;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct aero_hosts_result result = {0};
		struct aero_err err;
		char *now;

		if (i % 25 == 0)
			(void)snprintf(text, sizeof(text), "%s", rnd(2) == 0 ? "" : USER);
		for (size_t n = rnd(4); n > 0; n--)
			edit(text);
		outside(text, mine, &blocks);
		test_write(paths.hosts, text);
		wraps.mount = rnd(3) == 0;
		if (update(rnd(3), NULL, false, &result, &err) != AERO_OK)
			fail_msg("step %d: %s of '%s'", i, err.msg, text);
		aero_hosts_result_clear(&result);
		now = test_read(paths.hosts);
		/* a first block begins on a line of its own */
		if (blocks == 0 && *mine != '\0' && mine[strlen(mine) - 1] != '\n')
			(void)snprintf(mine + strlen(mine), 2, "\n");
		outside(now, after, &blocks);
		assert_string_equal(after, mine);
		assert_int_equal(blocks, 1);
		(void)snprintf(text, sizeof(text), "%s", now);
		free(now);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_missing_file_is_made_0644),
		TEST(the_previous_file_is_kept_and_equal_content_not_written),
		TEST(mode_owner_and_attributes_stay),
		TEST(links_are_followed_below_the_root),
		TEST(what_is_not_ours_to_write_is_refused),
		TEST(a_block_without_an_end_leaves_the_file_alone),
		TEST(a_dry_run_touches_nothing),
		TEST(two_writers_do_not_meet),
		TEST(the_first_take_over_saves_the_file_once),
		TEST(an_edit_in_between_is_not_lost),
		TEST(a_mount_is_written_in_place),
		TEST(a_half_written_mount_is_finished),
		TEST(a_left_over_without_the_mark_is_no_recovery),
		TEST(crashes_lose_nothing),
		TEST(the_users_lines_live_through_any_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
