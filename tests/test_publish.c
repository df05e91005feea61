/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mirror/publish.h"
#include "mirror/reader.h"
#include "tests/mirror_set.h"
#include "tests/support.h"

static char path[512], tmp[520];

/* A bit that turns over on the way to the file, at this place of it; -1: none. */
static off_t flip_at = -1;

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	unsigned char *copy;
	ssize_t did;

	if (flip_at < at || flip_at >= at + (off_t)len)
		return __real_pwrite(fd, data, len, at);
	copy = malloc(len);
	assert_non_null(copy);
	memcpy(copy, data, len);
	copy[flip_at - at] ^= 0x20;
	did = __real_pwrite(fd, copy, len, at);
	free(copy);
	return did;
}

static int start(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "%s/hosts.mdb", test_dir());
	(void)snprintf(tmp, sizeof(tmp), "%s.tmp", path);
	(void)unlink(path);
	return 0;
}

static int publish_hosts(unsigned hosts, uint64_t generation)
{
	struct mirror_set set = {0};
	struct aero_publish_error err;
	char line[200];
	unsigned i;
	int rc;

	for (i = 0; i < hosts; i++) {
		(void)snprintf(line, sizeof(line), "web-%u 10.%u.%u.%u,fd00::%x www%u", i,
			(unsigned)generation % 256, i >> 8, i & 255, i + 1, i);
		assert_null(mirror_set_add(&set, line));
	}
	rc = mirror_set_publish(&set, path, generation, 0, "", &err);
	mirror_set_clear(&set);
	return rc;
}

static uint64_t generation_of(const char *file)
{
	struct aero_reader r;
	struct aero_meta meta;

	assert_int_equal(aero_reader_open(&r, file), AERO_READ_OK);
	assert_int_equal(aero_reader_meta(&r, &meta), AERO_READ_OK);
	aero_reader_close(&r);
	return meta.generation;
}

static void the_mode_is_0644_whatever_the_umask(void **state)
{
	static const mode_t masks[] = {0, 022, 077, 0777};
	struct aero_publish_error err;
	struct stat st;
	mode_t was;
	size_t i;

	(void)state;
	for (i = 0; i < AERO_COUNT(masks); i++) {
		was = umask(masks[i]);
		assert_int_equal(publish_hosts(10, 1), 0);
		(void)umask(was);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0644);
		assert_int_equal(aero_publish_verify(path, &err), 0);
		assert_int_equal(access(tmp, F_OK), -1);
	}
}

static void leftovers_of_a_crash_are_no_obstacle(void **state)
{
	struct aero_publish_error err;
	char *victim;

	(void)state;
	test_write(tmp, "half a file");
	assert_int_equal(chmod(tmp, 0), 0);
	assert_int_equal(publish_hosts(10, 1), 0);
	assert_int_equal(access(tmp, F_OK), -1);
	/* A link there is not followed. */
	test_write(test_path("victim"), "precious");
	assert_int_equal(symlink("victim", tmp), 0);
	assert_int_equal(publish_hosts(10, 2), 0);
	assert_int_equal(aero_publish_verify(path, &err), 0);
	victim = test_read(test_path("victim"));
	assert_string_equal(victim, "precious");
	free(victim);
	/* What cannot be removed is told. */
	assert_int_equal(mkdir(tmp, 0755), 0);
	assert_int_equal(publish_hosts(10, 3), -1);
	assert_int_equal(rmdir(tmp), 0);
	assert_int_equal(generation_of(path), 2);
}

static void an_empty_set_is_published(void **state)
{
	struct aero_publish_error err;
	struct aero_reader r;
	struct aero_rec rec;

	(void)state;
	assert_int_equal(publish_hosts(0, 7), 0);
	assert_int_equal(aero_publish_verify(path, &err), 0);
	assert_int_equal(generation_of(path), 7);
	assert_int_equal(aero_reader_open(&r, path), AERO_READ_OK);
	assert_int_equal(aero_reader_get(&r, (const unsigned char *)"nweb", 4, &rec),
		AERO_READ_MISS);
	aero_reader_close(&r);
}

static void what_is_wrong_leaves_the_old_file(void **state)
{
	static const unsigned char a[] = "nweb-0", b[] = "nweb-0", bad[] = "xweb",
				   addr[4];
	struct aero_rec rec = {.n4 = 1, .addr4 = addr, .canon = "web-0", .aliases = ""};
	struct aero_rec many = {.n4 = 9, .addr4 = addr, .canon = "web-0", .aliases = ""};
	struct aero_entry entries[] = {{a, 6, &rec, false}, {b, 6, &rec, false}};
	struct aero_generation gen = {
		.entries = entries, .n_entries = 2, .meta = {.zones = ""}};
	struct aero_published keep = {.old_fd = -1};
	struct aero_publish_error err;
	size_t cut;

	(void)state;
	assert_int_equal(publish_hosts(3, 1), 0);
	assert_int_equal(aero_publish(path, &gen, &keep, &cut, &err), -1);
	assert_string_equal(err.step, "prepare");
	assert_non_null(strstr(aero_publish_strerror(err.code), "MDB_KEYEXIST"));
	gen.n_entries = 1;
	entries[0].key = bad;
	assert_int_equal(aero_publish(path, &gen, &keep, &cut, &err), -1);
	assert_string_equal(
		aero_publish_strerror(err.code), "a key is not a name or an address");
	entries[0].key = a;
	entries[0].rec = &many;
	assert_int_equal(aero_publish(path, &gen, &keep, &cut, &err), -1);
	assert_string_equal(err.step, "build");
	assert_int_equal(generation_of(path), 1);
	assert_int_equal(access(tmp, F_OK), -1);
	assert_int_equal(aero_publish("/nonexistent/x", &gen, &keep, &cut, &err), -1);
	assert_string_equal(aero_publish_strerror(ENOSPC), strerror(ENOSPC));
}

/* A disk that is full at any size: the old file stays and nothing is left behind. */
static void a_full_disk_leaves_the_old_file(void **state)
{
	struct rlimit was, limit;
	size_t at;

	(void)state;
	assert_int_equal(publish_hosts(500, 1), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	for (at = 0; at < 60000; at += 7000) {
		limit.rlim_cur = at;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		assert_int_equal(publish_hosts(500, 2), -1);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
		assert_int_equal(generation_of(path), 1);
		assert_int_equal(access(tmp, F_OK), -1);
	}
	assert_int_equal(publish_hosts(500, 2), 0);
	assert_int_equal(generation_of(path), 2);
}

static void a_publisher_killed_at_any_time_leaves_a_whole_file(void **state)
{
	struct aero_publish_error err;
	struct timespec wait = {0};
	uint64_t last = 1, now;
	unsigned i;
	pid_t pid;

	(void)state;
	assert_int_equal(publish_hosts(200, last), 0);
	/* Under load, or valgrind, it takes longer turns to get anywhere. */
	for (i = 0; i < 40 || (last <= 10 && i < 2000); i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			for (now = last + 1;; now++)
				if (publish_hosts(200, now) < 0)
					_exit(1);
		}
		wait.tv_nsec = 3000000 + (long)i * 731000;
		(void)nanosleep(&wait, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(aero_publish_verify(path, &err), 0);
		now = generation_of(path);
		assert_true(now >= last);
		last = now;
	}
	assert_true(last > 3); /* it did publish meanwhile */
}

/* What passes after any one byte was changed still gives every answer. */
static void verify_finds_flipped_bytes(void **state)
{
	char *bad = strdup(test_path("bad.mdb")), *copy = malloc(1 << 20), byte;
	struct mirror_set set = {0};
	struct aero_publish_error err;
	struct aero_reader r;
	struct aero_rec rec;
	size_t found = 0, at, i;
	ssize_t size;
	char line[100];
	int fd;

	(void)state;
	for (i = 0; i < 25; i++) {
		(void)snprintf(line, sizeof(line), "web-%zu 10.0.0.%zu,fd00::%zx www%zu",
			i, i, i + 1, i);
		assert_null(mirror_set_add(&set, line));
	}
	assert_int_equal(mirror_set_publish(&set, bad, 1, 0, "", &err), 0);
	fd = open(bad, O_RDWR | O_CLOEXEC);
	size = read(fd, copy, 1 << 20);
	assert_true(size >= 5 * 4096); /* it has a branch page */
	for (at = 0; at < (size_t)size; at++) {
		byte = (char)(copy[at] ^ (char)(1 << at % 7));
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
		if (aero_publish_verify(bad, &err) == 0) {
			assert_int_equal(aero_reader_open(&r, bad), AERO_READ_OK);
			for (i = 0; i < set.n_entries; i++)
				if (aero_reader_get(&r, set.entries[i].key,
					    set.entries[i].keylen, &rec) != AERO_READ_OK)
					fail_msg("byte %zu changed unseen", at);
			aero_reader_close(&r);
		} else {
			found++;
		}
		assert_int_equal(pwrite(fd, copy + at, 1, (off_t)at), 1);
	}
	assert_int_equal(aero_publish_verify(bad, &err), 0);
	assert_true(found > 4000);
	(void)close(fd);
	mirror_set_clear(&set);
	free(copy);
	free(bad);
}

/* A leaf that is not to the bit what was built is never published; of other pages only
 * what nobody reads may differ. */
static void what_arrives_otherwise_is_not_published(void **state)
{
	struct aero_publish_error err;
	unsigned char *good;
	size_t found = 0, spare = 0;
	struct stat st;

	(void)state;
	assert_int_equal(publish_hosts(60, 1), 0);
	assert_int_equal(stat(path, &st), 0);
	good = (unsigned char *)test_read(path); /* the same pages each time */
	for (off_t at = 3; at < st.st_size; at += 83) {
		const unsigned char *page = good + at / 4096 * 4096;
		const unsigned char *node = page + (page[16] | page[17] << 8);
		bool leaf =
			at >= 2 * 4096 && page[10] == 0x02 && node[8] != AERO_KEY_META;
		int rc;

		flip_at = at;
		rc = publish_hosts(60, 1);
		flip_at = -1;
		found += rc < 0;
		spare += rc == 0;
		if (rc == 0 && leaf)
			fail_msg("byte %ld changed unseen", (long)at);
		assert_int_equal(aero_publish_verify(path, &err), 0);
	}
	assert_true(found > spare);
	free(good);
}

static void aliases_are_cut_until_the_record_fits(void **state)
{
	struct aero_publish_error err;
	struct aero_published keep = {.old_fd = -1};
	unsigned char key[AERO_KEY_MAX];
	static const unsigned char addr[16 * 8];
	char aliases[40 * 64];
	struct aero_rec rec = {.n4 = 8,
				.n6 = 8,
				.n_alias = 40,
				.addr4 = addr,
				.addr6 = addr,
				.canon = "web-0",
				.aliases = aliases},
			back;
	struct aero_entry e = {key, 0, &rec, true};
	struct aero_generation gen = {
		.entries = &e, .n_entries = 1, .meta = {.zones = "", .generation = 5}};
	struct aero_reader r;
	size_t cut = 99;
	int i;

	(void)state;
	for (i = 0; i < 40; i++)
		(void)snprintf(aliases + i * 64, 64, "%063u", (unsigned)i);
	e.keylen = aero_name_key("web-0", key);
	assert_int_equal(aero_publish(path, &gen, &keep, &cut, &err), 0);
	assert_int_equal(cut, 40 - 21); /* (1536 - 12 - 160 - 6) / 64 */
	assert_int_equal(gen.meta.aliases, 1);
	assert_ptr_equal(gen.meta.digest, gen.digest);
	assert_int_equal(aero_reader_open(&r, path), AERO_READ_OK);
	assert_int_equal(aero_reader_get(&r, key, e.keylen, &back), AERO_READ_OK);
	assert_int_equal(back.n_alias, 21);
	assert_true(back.is_alias); /* the entry's, not the record's */
	assert_string_equal(back.aliases, aliases);
	aero_reader_close(&r);
	/* A short list is cut by its number alone. */
	for (i = 0; i < 40; i++)
		(void)snprintf(aliases + i * 4, 4, "a%02u", (unsigned)i % 100U);
	assert_int_equal(aero_publish(path, &gen, &keep, &cut, &err), 0);
	assert_int_equal(cut, 8);
	aero_published_close(&keep);
}

static void the_replaced_file_is_kept_until_the_next(void **state)
{
	struct aero_generation gen = {.meta = {.zones = ""}};
	struct aero_published keep = {.old_fd = -1};
	struct aero_publish_error err;
	struct stat first, second, held;
	size_t cut;

	(void)state;
	assert_int_equal(aero_publish(path, &gen, &keep, &cut, &err), 0);
	assert_int_equal(keep.old_fd, -1);
	assert_int_equal(stat(path, &first), 0);
	assert_int_equal(aero_publish(path, &gen, &keep, &cut, &err), 0);
	assert_int_equal(fstat(keep.old_fd, &held), 0);
	assert_int_equal(held.st_ino, first.st_ino);
	assert_int_equal(held.st_nlink, 0);
	assert_int_equal(stat(path, &second), 0);
	assert_int_equal(aero_publish(path, &gen, &keep, &cut, &err), 0);
	assert_int_equal(fstat(keep.old_fd, &held), 0);
	assert_int_equal(held.st_ino, second.st_ino);
	aero_published_close(&keep);
	assert_int_equal(keep.old_fd, -1);
	aero_published_close(&keep);
}

static void a_relative_path_works(void **state)
{
	struct aero_generation gen = {.meta = {.zones = ""}};
	struct aero_published keep = {.old_fd = -1};
	struct aero_publish_error err;
	size_t cut;

	(void)state;
	assert_int_equal(chdir(test_dir()), 0);
	assert_int_equal(aero_publish("here.mdb", &gen, &keep, &cut, &err), 0);
	assert_int_equal(access("here.mdb", R_OK), 0);
	aero_published_close(&keep);
	assert_int_equal(chdir("/"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_mode_is_0644_whatever_the_umask, start),
		cmocka_unit_test_setup(leftovers_of_a_crash_are_no_obstacle, start),
		cmocka_unit_test_setup(an_empty_set_is_published, start),
		cmocka_unit_test_setup(what_is_wrong_leaves_the_old_file, start),
		cmocka_unit_test_setup(a_full_disk_leaves_the_old_file, start),
		cmocka_unit_test_setup(
			a_publisher_killed_at_any_time_leaves_a_whole_file, start),
		cmocka_unit_test_setup(verify_finds_flipped_bytes, start),
		cmocka_unit_test_setup(what_arrives_otherwise_is_not_published, start),
		cmocka_unit_test_setup(aliases_are_cut_until_the_record_fits, start),
		cmocka_unit_test_setup(the_replaced_file_is_kept_until_the_next, start),
		cmocka_unit_test_setup(a_relative_path_works, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
