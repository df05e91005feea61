/* SPDX-License-Identifier: MIT */
/* The LMDB store: the suite of all stores, and what only a file can meet. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support.h"
#include "tests/store_suite.h"
#include "lib/lmdb.h"
#include "lib/loop.h"

static char file[512]; /* set by main: test_path is not for threads */

static const char *path(void)
{
	return file;
}

static struct aero_store *open_at(const char *at, bool read_only)
{
	char server[600];
	struct aero_store_opts opts = {.server = server, .read_only = read_only};
	struct aero_store *store = NULL;

	(void)snprintf(server, sizeof(server), "lmdb:%s", at);
	return aero_store_open(&opts, &store, NULL) == AERO_OK ? store : NULL;
}

static struct aero_store *open_store(bool read_only)
{
	return open_at(path(), read_only);
}

static void reset(void)
{
	(void)unlink(path());
	(void)unlink(test_path("store.mdb-lock"));
}

static const struct store_suite_env processes = {
	.name = "lmdb", .reset = reset, .open = open_store, .processes = true};
static const struct store_suite_env threads = {
	.name = "lmdb, threads", .reset = reset, .open = open_store};

static struct aero_watch *open_watch(const struct aero_position *from)
{
	struct aero_watch_opts opts = {.from = from};
	struct aero_watch *watch = NULL;

	SUITE_RC(aero_watch_open(suite_store, &opts, &watch, err), AERO_OK);
	return watch;
}

static void the_file_is_private(void **state)
{
	struct stat st;

	(void)state;
	(void)umask(0);
	suite_insert_blank(suite_store, "web", 1);
	(void)umask(022);
	assert_int_equal(stat(path(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(test_path("store.mdb-lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static size_t files_in(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n - 2;
}

static void reading_makes_no_file(void **state)
{
	struct aero_watch_opts opts = {0};

	(void)state;
	for (int read_only = 0; read_only < 2; read_only++) {
		struct aero_store *store = open_store(read_only);
		struct aero_slots slots = {0};
		struct aero_slot slot = {0};
		struct aero_watch *watch = NULL;

		SUITE_RC(aero_store_ping(store, err), AERO_OK);
		SUITE_RC(aero_store_slots(store, NULL, &slots, err), AERO_OK);
		SUITE_RC(aero_store_by_hostname(store, "web-0", &slot, err), AERO_MISS);
		SUITE_RC(aero_watch_open(store, &opts, &watch, err), AERO_NET);
		assert_int_equal(slots.n, 0);
		assert_int_equal(files_in(test_dir()), 0);
		aero_store_close(store);
	}
}

static void a_reader_without_lock_file_makes_none(void **state)
{
	struct aero_store *reader;
	struct aero_slots slots = {0};
	struct aero_slot *slot = suite_slot("web-9", "web", "", "", NULL);

	(void)state;
	suite_insert_blank(suite_store, "web", 2);
	aero_store_close(suite_store);
	suite_store = NULL;
	assert_int_equal(unlink(test_path("store.mdb-lock")), 0);
	reader = open_store(true);
	SUITE_RC(aero_store_slots(reader, NULL, &slots, err), AERO_OK);
	assert_int_equal(slots.n, 2);
	assert_int_equal(files_in(test_dir()), 1);
	SUITE_RC(aero_store_slots_insert(reader, slot, 1, err), AERO_PERM);
	aero_slots_clear(&slots);
	aero_store_close(reader);
}

static void failures_name_the_path(void **state)
{
	struct aero_err err = {{0}};
	struct aero_slots slots = {0};
	static const struct {
		const char *file, *text, *words;
		int read, write;
	} rows[] = {
		{"missing/s.mdb", NULL, "no such directory", AERO_OK, AERO_NET},
		{"noise.mdb", "this is no store, but long enough to look like a page",
			"damaged", AERO_DB, AERO_DB},
		{".", NULL, "directory", AERO_DB, AERO_DB},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_store *store = open_at(test_path(rows[i].file), false);
		struct aero_slot *slot = suite_slot("web-0", "web", "", "", NULL);
		static char page[8192];

		if (rows[i].text != NULL) {
			memset(page, 'x', sizeof(page) - 1);
			test_write(test_path(rows[i].file), page);
		}
		assert_int_equal(
			aero_store_slots(store, NULL, &slots, &err), rows[i].read);
		assert_int_equal(
			aero_store_slots_insert(store, slot, 1, &err), rows[i].write);
		if (strstr(err.msg, rows[i].words) == NULL ||
			strstr(err.msg, test_path(rows[i].file)) == NULL)
			fail_msg("%s: %s", rows[i].file, err.msg);
		aero_store_close(store);
	}
	(void)unlink(test_path("noise.mdb"));
	(void)unlink(test_path("noise.mdb-lock"));
}

static void a_file_that_lost_its_tail_is_no_crash(void **state)
{
	struct aero_slots slots = {0};
	struct aero_err err = {{0}};
	struct stat st;
	off_t step = 64 * 4096;
	size_t damaged = 0;

	(void)state;
	suite_insert_blank(suite_store, "web", 10000);
	aero_store_close(suite_store);
	suite_store = NULL;
	assert_int_equal(stat(path(), &st), 0);
	/* 128 to 256 pages at the end are for nothing; a store that is up to 16 pages too
	 * short is told from none, so step over these. */
	for (off_t len = st.st_size; len > 0; len -= step) {
		struct aero_store *store;
		int rc;

		assert_int_equal(truncate(path(), len), 0);
		store = open_store(damaged > 0);
		rc = aero_store_slots(store, NULL, &slots, &err);
		assert_true(rc == (damaged > 0 ? AERO_DB : AERO_OK) || rc == AERO_DB);
		assert_true(rc == AERO_OK ? slots.n == 10000 : slots.n == 0);
		damaged += rc != AERO_OK;
		aero_slots_clear(&slots);
		aero_store_close(store);
	}
	assert_true(damaged > 3);
	assert_non_null(strstr(err.msg, "damaged"));
}

static void a_file_removed_under_a_store_starts_anew(void **state)
{
	struct aero_slots slots = {0};
	struct aero_slot *slot = suite_slot("web-0", "web", "i-0", "10.0.0.1", NULL);

	(void)state;
	suite_insert(suite_store, slot);
	for (int with_lock = 0; with_lock < 2; with_lock++) {
		assert_int_equal(unlink(path()), 0);
		if (with_lock)
			(void)unlink(test_path("store.mdb-lock"));
		SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
		assert_int_equal(slots.n, 0);
		suite_insert(suite_store, slot); /* into the file that others see */
		SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
		assert_int_equal(slots.n, 1);
		aero_slots_clear(&slots);
	}
}

static struct aero_slots crowd_slots;

static int insert_all(struct aero_store *store, int turn)
{
	(void)turn;
	return aero_store_slots_insert(store, crowd_slots.v, crowd_slots.n, NULL) !=
	       AERO_OK;
}

static void the_map_grows(void **state)
{
	static char text[16000];
	struct aero_slots slots = {0};
	struct aero_store *other = open_store(false);
	char hostname[64];

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	SUITE_RC(aero_store_ping(other, err), AERO_OK);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 6000; i++) {
		struct aero_slot slot = {0};

		(void)snprintf(hostname, sizeof(hostname), "big-%d", i);
		slot.hostname = strdup(hostname);
		slot.service = strdup("big");
		slot.service_type = strdup(text);
		assert_true(aero_slots_add(&slots, &slot));
	}
	/* As one transaction of over 64 MiB, from a child: this process has to follow. */
	crowd_slots = slots;
	suite_crowd_start(insert_all, 1);
	suite_crowd_join();
	aero_slots_clear(&slots);
	suite_insert(suite_store, suite_slot("web-9", "web", "", "", NULL));
	SUITE_RC(aero_store_slots(other, "web", &slots, err), AERO_OK);
	assert_int_equal(slots.n, 2);
	aero_slots_clear(&slots);
	aero_store_close(other);
}

static void a_pruned_position_is_lost(void **state)
{
	struct aero_slots slots = {0};
	struct aero_position begin = {0};
	struct aero_batch batch = {0};
	struct aero_watch *watch;
	struct aero_watch_opts opts = {.from = &begin};
	char hostname[64];

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	watch = open_watch(NULL);
	SUITE_RC(aero_watch_next(watch, 100, &batch, err), AERO_OK);
	begin = batch.position;
	batch.position = (struct aero_position){0};
	aero_batch_clear(&batch);
	aero_watch_close(watch);
	for (int i = 0; i < 100000; i++) {
		struct aero_slot slot = {0};

		(void)snprintf(hostname, sizeof(hostname), "b-%d", i);
		slot.hostname = strdup(hostname);
		assert_true(aero_slots_add(&slots, &slot));
	}
	SUITE_RC(aero_store_slots_insert(suite_store, slots.v, slots.n, err), AERO_OK);
	aero_slots_clear(&slots);
	/* As far back as the log goes: exact. */
	watch = open_watch(&begin);
	SUITE_RC(aero_watch_next(watch, 100, &batch, err), AERO_OK);
	assert_true(batch.kind == AERO_BATCH_DELTA);
	assert_int_equal(batch.n, 100000);
	aero_batch_clear(&batch);
	aero_watch_close(watch);
	/* One further: lost, not a batch that lacks something. */
	suite_insert(suite_store, suite_slot("web-9", "web", "", "", NULL));
	SUITE_RC(aero_watch_open(suite_store, &opts, &watch, err), AERO_OK);
	SUITE_RC(aero_watch_next(watch, 100, &batch, err), AERO_LOST);
	aero_watch_close(watch);
	aero_position_clear(&begin);
}

static void a_position_of_another_file_is_lost(void **state)
{
	struct aero_position at = {0};
	struct aero_batch batch = {0};
	struct aero_watch *watch;

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	watch = open_watch(NULL);
	SUITE_RC(aero_watch_next(watch, 100, &batch, err), AERO_OK);
	at = batch.position;
	batch.position = (struct aero_position){0};
	aero_batch_clear(&batch);
	/* The watch notices that its file went; a new one begins with the new file. */
	reset();
	SUITE_RC(aero_watch_next(watch, 3000, &batch, err), AERO_NET);
	suite_insert_blank(suite_store, "web", 1);
	SUITE_RC(aero_watch_next(watch, 3000, &batch, err), AERO_NET);
	aero_watch_close(watch);
	watch = open_watch(&at);
	SUITE_RC(aero_watch_next(watch, 100, &batch, err), AERO_LOST);
	aero_watch_close(watch);
	aero_position_clear(&at);
}

static void a_position_ahead_of_an_older_file_is_lost(void **state)
{
	struct aero_position at = {0};
	struct aero_batch batch = {0};
	struct aero_watch *watch;
	char command[1300];

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	aero_store_close(suite_store);
	(void)snprintf(command, sizeof(command), "cp %s %s", path(), test_path("older"));
	assert_int_equal(system(command), 0);
	suite_store = open_store(false);
	suite_insert(suite_store, suite_slot("web-9", "web", "", "", NULL));
	watch = open_watch(NULL);
	SUITE_RC(aero_watch_next(watch, 100, &batch, err), AERO_OK);
	at = batch.position;
	batch.position = (struct aero_position){0};
	aero_batch_clear(&batch);
	aero_watch_close(watch);
	aero_store_close(suite_store);
	reset();
	assert_int_equal(rename(test_path("older"), path()), 0);
	suite_store = open_store(false);
	watch = open_watch(&at);
	SUITE_RC(aero_watch_next(watch, 100, &batch, err), AERO_LOST);
	aero_watch_close(watch);
	aero_position_clear(&at);
}

static void one_transaction_is_one_batch(void **state)
{
	struct aero_list aliases = {0};
	struct aero_batch batch = {0};
	struct aero_watch *watch;

	(void)state;
	suite_insert(suite_store, suite_slot("web-0", "web", "i-0", "10.0.0.1", "a"));
	suite_insert(suite_store, suite_slot("web-1", "web", "i-1", "10.0.0.2", "a"));
	watch = open_watch(NULL);
	SUITE_RC(aero_watch_next(watch, 100, &batch, err), AERO_OK);
	aero_batch_clear(&batch);
	assert_true(aero_list_add(&aliases, "a"));
	SUITE_RC(aero_store_aliases_take(suite_store, &aliases, "i-2", err), AERO_OK);
	SUITE_RC(aero_watch_next(watch, 3000, &batch, err), AERO_OK);
	assert_int_equal(batch.n, 2);
	aero_batch_clear(&batch);
	/* Taken again: nothing to take, so no change. */
	SUITE_RC(aero_store_aliases_take(suite_store, &aliases, "i-2", err), AERO_OK);
	SUITE_RC(aero_watch_next(watch, 100, &batch, err), AERO_OK);
	assert_true(batch.kind == AERO_BATCH_NONE);
	aero_batch_clear(&batch);
	aero_list_clear(&aliases);
	aero_watch_close(watch);
}

static int write_for_ever(struct aero_store *store, int turn)
{
	char hostname[64], id[64], web[] = "web";

	for (int i = 0;; i++) {
		struct aero_slot slot = {.hostname = hostname, .service = web};

		(void)snprintf(hostname, sizeof(hostname), "w-%d-%d", turn, i);
		(void)snprintf(id, sizeof(id), "i-%d-%d", turn, i);
		slot.who.instance_id = id;
		if (aero_store_slots_insert(store, &slot, 1, NULL) != AERO_OK)
			return 1;
	}
}

static void a_process_killed_at_any_instant_leaves_a_usable_store(void **state)
{
	struct aero_slots slots = {0};
	struct aero_slot slot = {0};
	unsigned rnd = 7;
	size_t before = 0;
	long slow = 0;

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	for (int i = 0; i < 40; i++) {
		struct timespec t;
		pid_t pid;

		(void)fflush(NULL);
		pid = fork();
		if (pid == 0)
			_exit(write_for_ever(open_store(false), i));
		rnd = rnd * 1103515245U + 12345U;
		/* Longer while nothing was written (memcheck, a busy machine). */
		slow += before < (size_t)i && slow < 500 ? 10 : 0;
		t = (struct timespec){0, (long)(rnd >> 16) % (20 + slow) * 1000000 +
						 (long)(rnd >> 8) % 1000000};
		(void)nanosleep(&t, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
		assert_true(slots.n >= before);
		before = slots.n;
		/* Every slot is found by both indexes: no half transaction. */
		for (size_t j = 0; j < slots.n; j++) {
			SUITE_RC(aero_store_by_hostname(
					 suite_store, slots.v[j].hostname, &slot, err),
				AERO_OK);
			aero_slot_clear(&slot);
			if (*slots.v[j].who.instance_id == '\0')
				continue;
			SUITE_RC(aero_store_by_instance(suite_store,
					 slots.v[j].who.instance_id, &slot, err),
				AERO_OK);
			assert_string_equal(slot.hostname, slots.v[j].hostname);
			aero_slot_clear(&slot);
		}
		aero_slots_clear(&slots);
	}
	assert_true(before > 20);
}

static void a_process_killed_while_it_makes_the_file_leaves_a_usable_one(void **state)
{
	struct aero_slots slots = {0};

	(void)state;
	for (int i = 0; i < 30; i++) {
		struct timespec t = {0, i * 200000L};
		pid_t pid;

		reset();
		(void)fflush(NULL);
		pid = fork();
		if (pid == 0)
			_exit(write_for_ever(open_store(false), i));
		(void)nanosleep(&t, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		suite_insert(suite_store, suite_slot("mine", "web", "", "", NULL));
		SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
		assert_true(slots.n >= 1);
		aero_slots_clear(&slots);
	}
}

/* Run check in a child that may change who and where it is; its exit code. */
static int in_child(int (*check)(void))
{
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int denied(void)
{
	struct aero_slots slots = {0};
	struct aero_err err = {{0}};
	struct aero_store *store = open_store(false);
	int rc = seteuid(65534) != 0;

	if (rc == 0)
		rc = aero_store_slots(store, NULL, &slots, &err) != AERO_PERM ||
		     strstr(err.msg, path()) == NULL ||
		     strstr(err.msg, "Permission denied") == NULL;
	aero_store_close(store);
	return rc;
}

static void who_may_not_is_told_so(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	suite_insert_blank(suite_store, "web", 1);
	assert_int_equal(chmod(test_dir(), 0755), 0);
	assert_int_equal(in_child(denied), 0);
	assert_int_equal(chmod(test_dir(), 0700), 0);
}

/* Insert until it is refused: nothing that was acknowledged may be missing then. */
static int fill(struct aero_store *store)
{
	struct aero_slots slots = {0};
	struct aero_err err = {{0}};
	char hostname[64], web[] = "web";
	size_t n = 0;
	int rc = AERO_OK;

	while (rc == AERO_OK && n < 100000) {
		struct aero_slot slot = {.hostname = hostname, .service = web};

		(void)snprintf(hostname, sizeof(hostname), "f-%zu", n);
		rc = aero_store_slots_insert(store, &slot, 1, &err);
		n += rc == AERO_OK;
	}
	if ((rc != AERO_DB && rc != AERO_AMBIGUOUS) || strstr(err.msg, path()) == NULL)
		return 1;
	rc = aero_store_slots(store, NULL, &slots, &err);
	if (rc == AERO_OK && slots.n != n)
		rc = 2;
	aero_slots_clear(&slots);
	return rc;
}

/* A file system of 3 MiB of its own. */
static int full(void)
{
	struct aero_store *store;
	int rc;

	if (unshare(CLONE_NEWNS) != 0 ||
		mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("tmpfs", test_dir(), "tmpfs", 0, "size=3m") != 0)
		return 77;
	store = open_store(false);
	rc = fill(store);
	aero_store_close(store);
	return rc;
}

static void a_full_file_system_loses_nothing(void **state)
{
	int rc = in_child(full);

	(void)state;
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

/* Take every place of the reader table, say so, and wait to be killed. */
static void hold_all_readers(int ready)
{
	static MDB_env *env; /* held until the end */
	MDB_txn *txn;
	int n = 0;
	ssize_t told;

	if (mdb_env_create(&env) != 0 ||
		mdb_env_set_mapsize(env, (size_t)64 << 20) != 0 ||
		mdb_env_open(env, path(), MDB_NOSUBDIR | MDB_NOTLS, 0600) != 0)
		_exit(1);
	while (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0)
		n++;
	told = write(ready, &n, sizeof(n));
	(void)pause();
	_exit(told < 0);
}

static void readers_that_died_make_room(void **state)
{
	struct aero_slots slots = {0};
	int ready[2], n = 0;
	pid_t pid;

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		hold_all_readers(ready[1]);
	assert_int_equal(read(ready[0], &n, sizeof(n)), sizeof(n));
	assert_true(n > 100);
	SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_DB);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
	assert_int_equal(slots.n, 1);
	aero_slots_clear(&slots);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static void stores_of_one_process_share_the_file(void **state)
{
	struct aero_store *other = open_store(false);
	struct aero_watch *watch;
	struct aero_batch batch = {0};
	struct aero_slot slot = {0};

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	watch = open_watch(NULL);
	SUITE_RC(aero_watch_next(watch, 100, &batch, err), AERO_OK);
	aero_batch_clear(&batch);
	SUITE_RC(aero_store_by_hostname(other, "web-0", &slot, err), AERO_OK);
	aero_slot_clear(&slot);
	aero_store_close(other); /* the others' locks stay */
	suite_insert(suite_store, suite_slot("web-9", "web", "", "", NULL));
	SUITE_RC(aero_watch_next(watch, 3000, &batch, err), AERO_OK);
	assert_int_equal(batch.n, 1);
	aero_batch_clear(&batch);
	aero_watch_close(watch);
}

static int stop_here(struct aero_lmdb_txn *txn, void *arg, struct aero_err *err)
{
	(void)txn;
	(void)arg;
	(void)err;
	return raise(SIGSTOP);
}

/* A process that is stopped in the middle of a transaction holds up readers not at all,
 * writers for some seconds, and for good neither when it goes on nor when it dies. */
static void a_stopped_writer_holds_nobody_up_for_good(void **state)
{
	static const int ends[] = {SIGCONT, SIGKILL};
	struct aero_slot *slot = suite_slot("web-9", "web", "", "", NULL);
	struct aero_slots slots = {0};
	struct aero_err why = {{0}};
	struct aero_lmdb *db = NULL;
	int64_t began, took;
	int status;
	pid_t pid;

	(void)state;
	suite_insert_blank(suite_store, "web", 1);
	for (size_t i = 0; i < AERO_COUNT(ends); i++) {
		pid = fork();
		if (pid == 0)
			_exit(aero_lmdb_get(path(), false, false, &db, &why) != AERO_OK ||
				aero_lmdb_run(db, true, stop_here, NULL, &why) !=
					AERO_OK);
		assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
		assert_true(WIFSTOPPED(status));
		SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
		aero_slots_clear(&slots);
		began = aero_clock_ms();
		assert_int_equal(
			aero_store_slots_insert(suite_store, slot, 1, &why), AERO_NET);
		took = aero_clock_ms() - began;
		print_message("# %s after %ld ms\n", why.msg, (long)took);
		assert_in_range(took, 7000, 20000);
		assert_non_null(strstr(why.msg, "is it stopped?"));
		assert_int_equal(kill(pid, ends[i]), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		slot->hostname[4] = (char)('8' - (char)i);
		began = aero_clock_ms();
		SUITE_RC(aero_store_slots_insert(suite_store, slot, 1, err), AERO_OK);
		assert_in_range(aero_clock_ms() - began, 0, 5000);
	}
	SUITE_RC(aero_store_slots(suite_store, NULL, &slots, err), AERO_OK);
	assert_int_equal(slots.n, 3); /* the one that was refused is not there */
	aero_slots_clear(&slots);
}

static const struct CMUnitTest lmdb_tests[] = {
	SUITE_TEST(the_file_is_private),
	SUITE_TEST(reading_makes_no_file),
	SUITE_TEST(a_reader_without_lock_file_makes_none),
	SUITE_TEST(failures_name_the_path),
	SUITE_TEST(a_file_that_lost_its_tail_is_no_crash),
	SUITE_TEST(a_file_removed_under_a_store_starts_anew),
	SUITE_TEST(the_map_grows),
	SUITE_TEST(a_pruned_position_is_lost),
	SUITE_TEST(a_position_of_another_file_is_lost),
	SUITE_TEST(a_position_ahead_of_an_older_file_is_lost),
	SUITE_TEST(one_transaction_is_one_batch),
	SUITE_TEST(a_process_killed_at_any_instant_leaves_a_usable_store),
	SUITE_TEST(a_process_killed_while_it_makes_the_file_leaves_a_usable_one),
	SUITE_TEST(a_stopped_writer_holds_nobody_up_for_good),
	SUITE_TEST(who_may_not_is_told_so),
	SUITE_TEST(a_full_file_system_loses_nothing),
	SUITE_TEST(readers_that_died_make_room),
	SUITE_TEST(stores_of_one_process_share_the_file),
};

int main(void)
{
	int failed;

	(void)snprintf(file, sizeof(file), "%s", test_path("store.mdb"));
	failed = store_suite_run(&threads);

	failed +=
		store_suite_run(&processes); /* last: the tests below are of processes */
	return failed + cmocka_run_group_tests_name("lmdb only", lmdb_tests, NULL, NULL);
}
