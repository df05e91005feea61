/* SPDX-License-Identifier: MIT */
/*
 * Random histories of /etc/hosts: a user edits it at will (also in the block, also its
 * markers, with CRLF, NUL, long lines, without a last LF), swaps it for a link, mounts
 * over it; the writer updates it, is killed at any call, takes it over with a legacy
 * updater's text, repairs it. A model of a few lines says what the user owns: that stays,
 * byte for byte, there is one block, and equal content is not written.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "legacy/updater.h"
#include "lib/file.h"
#include "tests/writer_support.h"

#define LEGACY "10.9.9.9 old\n"
#define LINES 4096

struct bytes {
	char *data;
	size_t len;
};

/* ---- the calls that change files ---- */

static bool mount;           /* /etc/hosts cannot be renamed over */
static int crash_at, call_n; /* the process ends at this one; 0 = never */
static char real[512];       /* the file that /etc/hosts is */

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_fsync(int fd);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

static bool crash_now(void)
{
	return crash_at > 0 && ++call_n == crash_at;
}

static void crash(void)
{
	if (crash_now())
		(void)raise(SIGKILL);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (crash_now()) {
		(void)!__real_write(fd, data, len / 2);
		(void)raise(SIGKILL);
	}
	return __real_write(fd, data, len);
}

int __wrap_rename(const char *from, const char *to)
{
	crash();
	if (!mount || strcmp(to, real) != 0)
		return __real_rename(from, to);
	errno = EBUSY;
	return -1;
}

/* What a disk loses is another test's matter (tests/e2e/power_loss.sh). */
int __wrap_fsync(int fd)
{
	(void)fd;
	crash();
	return 0;
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

/* ---- small things ---- */

static unsigned long seed, history;
static int step;
static struct {
	unsigned long updates, kills, torn, refused, takeovers, legacy_runs, edits;
} counts;

#define CHECK(what, ...) \
	do { \
		if (!(what)) { \
			(void)fprintf(stderr, "history %lu step %d: %s: ", history, \
				step, #what); \
			fail_msg(__VA_ARGS__); \
		} \
	} while (0)

static size_t rnd(size_t below)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (seed >> 33) % below;
}

static bool there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static struct bytes read_bytes(const char *path)
{
	struct bytes b = {NULL, 0};
	struct aero_err err;

	if (aero_file_read(path, AERO_HOSTS_MAX, &b.data, &b.len, &err) != AERO_OK) {
		b.data = strdup("");
		assert_non_null(b.data);
	}
	return b;
}

static void write_bytes(const char *path, const struct bytes *b)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(b->data, 1, b->len, f), b->len);
	assert_int_equal(fclose(f), 0);
}

static bool same(const struct bytes *a, const struct bytes *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* b with cut bytes at `at` replaced. */
static void splice(
	struct bytes *b, size_t at, size_t cut, const char *put, size_t put_len)
{
	char *grown = malloc(b->len + put_len + 1);

	assert_non_null(grown);
	memcpy(grown, b->data, at);
	memcpy(grown + at, put, put_len);
	memcpy(grown + at + put_len, b->data + at + cut, b->len - at - cut);
	free(b->data);
	b->data = grown;
	b->len = b->len - cut + put_len;
}

/* ---- the model: what is the user's ---- */

struct model {
	struct bytes before,
		after; /* outside of blocks, the first block's place between */
	int blocks;
	bool open; /* some block has no end */
};

/* Ends at a LF; the last one may not. */
static size_t cut_lines(const struct bytes *b, size_t starts[LINES])
{
	size_t n = 0, at = 0;

	while (at < b->len) {
		CHECK(n < LINES, "too many lines");
		starts[n++] = at;
		while (at < b->len && b->data[at++] != '\n')
			continue;
	}
	return n;
}

static bool marks(const struct bytes *b, size_t at, size_t end, const char *words)
{
	while (end > at && memchr(" \t\r\n", b->data[end - 1], 4) != NULL)
		end--;
	return end - at == strlen(words) && memcmp(b->data + at, words, end - at) == 0;
}

static void add(struct bytes *to, const char *data, size_t len)
{
	splice(to, to->len, 0, data, len);
}

static struct model model_of(const struct bytes *b)
{
	static size_t starts[LINES];
	struct model m = {{strdup(""), 0}, {strdup(""), 0}, 0, false};
	size_t n = cut_lines(b, starts);
	bool in = false;

	for (size_t i = 0; i < n; i++) {
		size_t end = i + 1 < n ? starts[i + 1] : b->len;

		if (marks(b, starts[i], end, "# AEROSTAT")) {
			m.open |= in;
			m.blocks++;
			in = true;
		} else if (in) {
			in = !marks(b, starts[i], end, "# /AEROSTAT");
		} else {
			add(m.blocks == 0 ? &m.before : &m.after, b->data + starts[i],
				end - starts[i]);
		}
	}
	m.open |= in;
	return m;
}

static void model_clear(struct model *m)
{
	free(m->before.data);
	free(m->after.data);
}

/* ---- the user ---- */

static void edit(struct bytes *b)
{
	static const char *const lines[] = {"\n", "# note\n", "192.0.2.1\tone  two\n",
		" 192.0.2.2 web-1 # wins\n", "\r\n", "#AEROSTAT\n",
		"2001:db8::7 WEB-0\r\n", "rubbish \xfe\x80\n", "127.0.1.1 me\n",
		"# AEROSTAT?\n", "\t\n", "::1 localhost\n", "no end of line", B, E,
		"# AEROSTAT \t\r\n", "# /AEROSTAT\r\n", B "192.0.2.6 pasted\n" E,
		" # AEROSTAT\n"};
	static const char nul[] = "a\0b\0\n";
	static size_t starts[LINES];
	size_t n = cut_lines(b, starts), i = rnd(n + 1);
	size_t at = i < n ? starts[i] : b->len;
	size_t end = i + 1 < n ? starts[i + 1] : b->len;
	static char lengthy[70000];
	const char *line;

	counts.edits++;
	switch (rnd(16)) {
	case 0: /* a line goes, whatever it is */
	case 1:
		splice(b, at, end - at, "", 0);
		break;
	case 2: /* the last LF goes */
		if (b->len > 0 && b->data[b->len - 1] == '\n')
			b->len--;
		break;
	case 3:
		splice(b, at, 0, nul, sizeof(nul) - 1);
		break;
	case 4: /* some byte anywhere */
		at = rnd(b->len + 1);
		splice(b, at, at < b->len && rnd(2) == 0 ? 1 : 0, "x", 1);
		break;
	case 5:
		if (rnd(20) == 0) {
			memset(lengthy, 'l', sizeof(lengthy));
			lengthy[sizeof(lengthy) - 1] = '\n';
			splice(b, at, 0, lengthy, sizeof(lengthy));
		}
		break;
	case 6:
		if (rnd(10) == 0)
			b->len = 0;
		break;
	default:
		line = lines[rnd(AERO_COUNT(lines))];
		splice(b, at, 0, line, strlen(line));
		break;
	}
}

/* /etc/hosts becomes a link, or a file again; not in the moment between a crash and the
 * next update, which would no longer find what the crash left. */
static void swap_link(void)
{
	static const char *const links[] = {"hosts.real", "/etc/hosts.real"};
	struct bytes b;

	if (there(test_path("etc/hosts.tmp")) || there(test_path("etc/hosts.real.tmp")))
		return;
	b = read_bytes(real);
	(void)__real_unlink(writer_paths.hosts);
	(void)__real_unlink(test_path("etc/hosts.real"));
	if (strcmp(real, writer_paths.hosts) == 0) {
		(void)snprintf(real, sizeof(real), "%s", test_path("etc/hosts.real"));
		assert_int_equal(symlink(links[rnd(2)], writer_paths.hosts), 0);
	} else {
		(void)snprintf(real, sizeof(real), "%s", writer_paths.hosts);
	}
	write_bytes(real, &b);
	free(b.data);
}

/* ---- the writer ---- */

struct run {
	size_t rows;
	const char *legacy;
	bool repair;
};

static int update(const struct run *run, struct aero_hosts_result *ret)
{
	const struct aero_hosts_job job = {.paths = &writer_paths,
		.rows = writer_rows,
		.n_rows = run->rows,
		.legacy = run->legacy,
		.legacy_len = run->legacy != NULL ? strlen(run->legacy) : 0,
		.repair = run->repair};
	struct aero_err err;

	return aero_hosts_update(&job, ret, &err);
}

/* In a process that ends at some call; true: it did not get that far. */
static bool killed(const struct run *run)
{
	struct aero_hosts_result result = {0};
	int status = 0;
	pid_t pid;

	crash_at = 1 + (int)rnd(24);
	call_n = 0;
	pid = fork();
	if (pid == 0) {
		(void)update(run, &result);
		_exit(0);
	}
	crash_at = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status);
}

/* The copy before the first take-over: what the user had then, never another. (But a
 * mount whose take-over was killed, and whose first bytes were edited before the next
 * update, may have been half written, for all that one can tell: then it is what stood
 * there before.) */
static struct bytes taken; /* data NULL: not taken over yet */
static struct bytes maybe; /* of a mount that was killed in it */

static void check_copy(void)
{
	struct bytes copy;

	if (taken.data == NULL)
		return;
	copy = read_bytes(writer_paths.before);
	CHECK(same(&copy, &taken) || (maybe.data != NULL && same(&copy, &maybe)),
		"hosts.before-aerostat: '%s'", copy.data);
	free(taken.data);
	taken = copy; /* now it stays */
	free(maybe.data);
	maybe.data = NULL;
}

static void forget(void)
{
	free(taken.data);
	free(maybe.data);
	taken = maybe = (struct bytes){NULL, 0};
}

/* `now` is what the user owned in `old`, and one block. */
static void check_text(
	const struct run *run, const struct bytes *old, const struct bytes *now)
{
	struct model was = model_of(old), is = model_of(now);
	size_t legacy = run->legacy != NULL ? strlen(run->legacy) : 0;

	CHECK(is.blocks == 1 && !is.open, "'%s'", now->data);
	if (run->legacy != NULL) {
		CHECK(is.before.len == legacy && is.after.len == 0 &&
				memcmp(is.before.data, run->legacy, legacy) == 0,
			"'%s'", now->data);
	} else {
		/* a block begins on a line of its own */
		if (was.before.len > 0 && was.before.data[was.before.len - 1] != '\n')
			add(&was.before, "\n", 1);
		CHECK(same(&was.before, &is.before) && same(&was.after, &is.after),
			"'%s' became '%s'", old->data, now->data);
	}
	model_clear(&was);
	model_clear(&is);
}

/* Equal content is not written: not even the inode's times change. */
static void check_idle(const struct run *run)
{
	struct aero_hosts_result result = {0};
	struct stat was, is;

	assert_int_equal(stat(real, &was), 0);
	CHECK(update(run, &result) == AERO_OK && result.how == AERO_HOSTS_SAME,
		"written again");
	aero_hosts_result_clear(&result);
	assert_int_equal(stat(real, &is), 0);
	assert_int_equal(was.st_ino, is.st_ino);
	assert_int_equal(was.st_ctim.tv_nsec, is.st_ctim.tv_nsec);
}

/* A crash left a write in place undone, or half done. What the user then makes of the
 * file may be, to the byte, what such a write leaves (the first line of a block, in a
 * file that was empty): that is finished, also where the block has no end. */
static bool unfinished(void)
{
	struct stat st;
	char tmp[sizeof(real) + 4];

	(void)snprintf(tmp, sizeof(tmp), "%s.tmp", real);
	return lstat(tmp, &st) == 0 && (st.st_mode & S_ISVTX) != 0;
}

/* One update of what is there, not killed; the model must hold. */
static void update_well(const struct run *run)
{
	struct aero_hosts_result result = {0};
	struct bytes old = read_bytes(real), now;
	struct model m = model_of(&old);
	bool must_refuse = m.open && run->legacy == NULL && !run->repair;
	bool may_finish = unfinished();
	int rc = update(run, &result);

	counts.updates++;
	now = read_bytes(real);
	if (must_refuse && !(may_finish && rc == AERO_OK)) {
		counts.refused++;
		CHECK(rc == AERO_CONFIG && same(&old, &now), "%d '%s'", rc, now.data);
	} else {
		CHECK(rc == AERO_OK, "%d of '%s'", rc, old.data);
		check_text(run, &old, &now);
		if (run->legacy != NULL && taken.data == NULL &&
			result.how != AERO_HOSTS_SAME) {
			taken = old;
			old.data = NULL; /* now taken's */
			counts.takeovers++;
		}
		aero_hosts_result_clear(&result);
		CHECK(!there(test_path("etc/hosts.tmp")) &&
				!there(test_path("etc/hosts.real.tmp")),
			"a temporary file is left");
		check_idle(run);
	}
	check_copy();
	model_clear(&m);
	free(old.data);
	free(now.data);
}

/* Killed at some call: the file is old or new. Where a mount is half written, the next
 * update must find its copy, and end as if nothing had been. */
static void update_killed(const struct run *run)
{
	struct bytes old = read_bytes(real), half, now;
	struct aero_hosts_result result = {0};
	struct model m;
	bool may_finish = unfinished();
	int rc;

	counts.kills += killed(run);
	half = read_bytes(real);
	m = model_of(&old);
	if (m.open && run->legacy == NULL && !run->repair &&
		!(may_finish && !same(&old, &half))) {
		CHECK(same(&old, &half), "refused, but '%s'", half.data);
	} else if (rnd(3) != 0 || !same(&old, &half)) {
		rc = update(run, &result);
		CHECK(rc == AERO_OK, "%d after a kill", rc);
		aero_hosts_result_clear(&result);
		now = read_bytes(real);
		check_text(run, &old, &now);
		if (!same(&half, &old) && !same(&half, &now)) {
			CHECK(mount, "half written: '%s'", half.data);
			counts.torn++;
		}
		if (run->legacy != NULL && taken.data == NULL && !same(&old, &now)) {
			taken = old;
			old.data = NULL; /* now taken's */
			counts.takeovers++;
		}
		free(now.data);
	} else if (run->legacy != NULL && taken.data == NULL && mount) {
		free(maybe.data); /* the user is the next to touch it */
		maybe = old;
		old.data = NULL; /* now maybe's */
	}
	check_copy();
	model_clear(&m);
	free(half.data);
	free(old.data);
}

/* A real updater: it may work, fail, or hang until it is ended. */
static void run_updater(void)
{
	static const char *const ends[] = {"exit 0", "exit 3", "sleep 60", "kill -9 $$"};
	size_t end = rnd(AERO_COUNT(ends));
	struct aero_updater_result result = {0};
	struct bytes old = read_bytes(real), now;
	char *text = NULL;
	int rc;

	counts.legacy_runs++;
	assert_true(asprintf(&text,
			    "#!/bin/sh\nprintf '" LEGACY
			    "' >\"$AEROSTAT_LEGACY\"\nprintf more; %s\n",
			    ends[end]) > 0);
	(void)__real_unlink(test_path("updater"));
	test_write(test_path("updater"), text);
	free(text);
	assert_int_equal(chmod(test_path("updater"), 0755), 0);
	rc = aero_updater_run(test_path("updater"), &writer_paths, end == 2 ? 60 : 20000,
		&result, NULL);
	CHECK(rc == (end == 0 ? AERO_OK : AERO_REFUSED), "%d of '%s'", rc, ends[end]);
	now = read_bytes(real);
	CHECK(same(&old, &now), "the updater changed the file");
	if (rc == AERO_OK)
		update_well(&(struct run){rnd(3), result.legacy, false});
	aero_updater_result_clear(&result);
	free(old.data);
	free(now.data);
}

static void one_step(void)
{
	struct run run = {rnd(3), rnd(8) == 0 ? LEGACY : NULL, rnd(6) == 0};
	struct bytes b = read_bytes(real);

	if (rnd(4) == 0 && run.legacy != NULL)
		run.legacy = LEGACY B "10.9.9.8 copied from our block\n";
	for (size_t n = rnd(4); n > 0; n--)
		edit(&b);
	if (rnd(16) == 0)
		(void)__real_unlink(real);
	else
		write_bytes(real, &b);
	free(b.data);
	if (rnd(8) == 0)
		swap_link();
	mount = rnd(3) == 0 && there(real);
	if (run.legacy != NULL && strcmp(run.legacy, LEGACY) != 0)
		update_well(&(struct run){run.rows, LEGACY, false});
	else if (rnd(500) == 0)
		run_updater();
	else if (rnd(3) == 0)
		update_killed(&run);
	else
		update_well(&run);
}

static void a_history(unsigned long number)
{
	static const char *const names[] = {"etc/hosts", "etc/hosts.tmp",
		"etc/hosts.real", "etc/hosts.real.tmp", "etc/hosts.bak",
		"etc/hosts.bak.tmp", "etc/hosts.before-aerostat"};
	struct bytes first = {strdup(rnd(2) == 0 ? "" : USER), 0};

	history = number;
	first.len = strlen(first.data);
	for (size_t i = 0; i < AERO_COUNT(names); i++)
		(void)__real_unlink(test_path(names[i]));
	(void)snprintf(real, sizeof(real), "%s", writer_paths.hosts);
	write_bytes(real, &first);
	free(first.data);
	forget();
	for (step = 0; step < 6; step++)
		one_step();
}

static void print_counts(unsigned long n)
{
	printf("%lu histories: %lu edits, %lu updates, %lu kills, %lu torn mounts "
	       "mended, "
	       "%lu refusals, %lu take-overs, %lu updater runs\n",
		n, counts.edits, counts.updates, counts.kills, counts.torn,
		counts.refused, counts.takeovers, counts.legacy_runs);
	(void)fflush(stdout);
}

static void the_users_lines_live_through_any_history(void **state)
{
	unsigned long n = test_by_length(1500, 100000), i = 0;
	const char *one = getenv("AEROSTAT_TEST_HISTORY"); /* that one alone */

	(void)state;
	if (one != NULL)
		n = (i = strtoul(one, NULL, 10)) + 1;
	while (i < n) {
		seed = i + 1;
		a_history(i++);
		if (i == n || i % 10000 == 0)
			print_counts(i);
	}
	forget();
	assert_true(one != NULL || counts.torn > 0);
	assert_true(one != NULL || (counts.refused > 0 && counts.takeovers > 0));
}

int main(void)
{
	/* thousands of files: in memory, where there is some */
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 0);
	const struct CMUnitTest tests[] = {
		WRITER_TEST(the_users_lines_live_through_any_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
