/* SPDX-License-Identifier: MIT */
/* What changes bring about, against the same collection read and written afresh: answers
 * and files must be equal, at a cost that follows the change and not the collection.
 * liblmdb is the judge of the files. */
#include "config.h"

#include <fcntl.h>
#include <lmdb.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support.h"
#include "mirror/reader.h"
#include "syncd/answers.h"

static struct aero_err err;

/* ---- documents ---- */

static struct aero_answers *answers_new(const char *domain, bool service_names)
{
	struct aero_list zones = {0};
	const struct aero_answers_opts opts = {
		.domain = domain, .zones = &zones, .service_names = service_names};
	struct aero_answers *answers = NULL;

	assert_int_equal(aero_answers_new(&opts, &answers, &err), AERO_OK);
	return answers;
}

/* A document in few bytes; few different names, so that they clash. */
struct doc {
	bool there;
	unsigned name, ip, ip6, at, n_aliases, alias[3];
	bool long_aliases; /* some do not fit the record */
};

static void append_aliases(bson_t *bson, const struct doc *doc)
{
	unsigned n = doc->long_aliases ? 30 : doc->n_aliases;
	char key[16], text[80];
	bson_t list;

	BSON_APPEND_ARRAY_BEGIN(bson, "aliases", &list);
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(key, sizeof(key), "%u", i);
		if (doc->long_aliases)
			(void)snprintf(text, sizeof(text), "%055u-%u", doc->alias[0], i);
		else if (doc->alias[i] % 7 == 0)
			(void)snprintf(text, sizeof(text), "w-%u", doc->alias[i]);
		else
			(void)snprintf(text, sizeof(text), "a%u", doc->alias[i]);
		BSON_APPEND_UTF8(&list, key, text);
	}
	bson_append_array_end(bson, &list);
}

static void put(struct aero_answers *answers, unsigned id, const struct doc *doc)
{
	bson_t bson = BSON_INITIALIZER;
	char text[80];

	if (doc->there) {
		(void)snprintf(text, sizeof(text), doc->name % 5 == 0 ? "W-%u" : "w-%u",
			doc->name);
		BSON_APPEND_UTF8(&bson, "hostname", text);
		(void)snprintf(text, sizeof(text), "s%u", doc->name % 11);
		BSON_APPEND_UTF8(&bson, "service", text);
		if (doc->ip > 0) {
			(void)snprintf(text, sizeof(text), "10.0.%u.%u", doc->ip >> 8,
				doc->ip & 255);
			BSON_APPEND_UTF8(&bson, "ip", text);
		}
		if (doc->ip6 > 0) {
			(void)snprintf(text, sizeof(text), "fd00::%x", doc->ip6);
			BSON_APPEND_UTF8(&bson, "ip6", text);
		}
		BSON_APPEND_INT32(&bson, "registered_at", (int32_t)doc->at);
		append_aliases(&bson, doc);
	}
	assert_int_equal(aero_answers_put(answers, &id, sizeof(id),
				 doc->there ? &bson : NULL, &err),
		AERO_OK);
	bson_destroy(&bson);
}

static unsigned below(size_t n)
{
	return (unsigned)((size_t)random() % n);
}

static struct doc any_doc(size_t n)
{
	struct doc doc = {.there = below(5) > 0,
		.name = below(n),
		.ip = below(4) == 0 ? 0 : 1 + below(n),
		.ip6 = below(3) == 0 ? 1 + below(n) : 0,
		.at = below(4),
		.n_aliases = below(4),
		.long_aliases = below(40) == 0};

	for (int i = 0; i < 3; i++)
		doc.alias[i] = below(n);
	return doc;
}

/* ---- files ---- */

static size_t publish(struct aero_answers *answers, const char *path,
	struct aero_published *keep, struct aero_answer_set *ret,
	unsigned char digest[static AERO_DIGEST_SIZE])
{
	bool delta = aero_published_base(keep) && !aero_answers_all_changed(answers);
	struct aero_answers_walk walk;
	struct aero_generation gen = {.next = aero_answers_next,
		.arg = &walk,
		.delta = delta,
		.meta = {.generation = 5, .zones = ""}};
	struct aero_publish_error failure;
	size_t cut;

	aero_answers_walk(answers, delta, &walk);
	if (aero_publish(path, &gen, keep, &cut, &failure) < 0)
		fail_msg("%s: %s", failure.step, aero_publish_strerror(failure.code));
	aero_answers_published(answers);
	assert_int_equal(gen.meta.names, ret->n_hosts);
	memcpy(digest, gen.digest, AERO_DIGEST_SIZE);
	return gen.encoded;
}

/* Every page in its place by liblmdb's own count, every entry in order. */
static size_t walk_lmdb(const char *path, size_t *ret_pages)
{
	MDB_env *env;
	MDB_envinfo info;
	MDB_stat stat;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_cursor *cursor;
	MDB_val key, val, found;
	struct stat st;
	size_t n = 0;

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(
		mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY, 0), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_stat(txn, dbi, &stat), 0);
	assert_int_equal(mdb_env_info(env, &info), 0);
	assert_int_equal(mdb_cursor_open(txn, dbi, &cursor), 0);
	while (mdb_cursor_get(cursor, &key, &val, n == 0 ? MDB_FIRST : MDB_NEXT) == 0) {
		n++;
		if (n % 7 == 0) {
			assert_int_equal(mdb_get(txn, dbi, &key, &found), 0);
			assert_ptr_equal(found.mv_data, val.mv_data);
		}
	}
	assert_int_equal(n, stat.ms_entries);
	assert_int_equal(stat.ms_overflow_pages, 0);
	assert_int_equal(
		2 + stat.ms_leaf_pages + stat.ms_branch_pages, info.me_last_pgno + 1);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_size, (info.me_last_pgno + 1) * 4096);
	*ret_pages = info.me_last_pgno + 1;
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return n;
}

static void same_set(const struct aero_answer_set *a, const struct aero_answer_set *b)
{
	assert_int_equal(a->n_hosts, b->n_hosts);
	assert_int_equal(a->n_documents, b->n_documents);
	assert_int_equal(a->n_gaps, b->n_gaps);
	assert_int_equal(a->n_refused, b->n_refused);
	assert_int_equal(a->n_cut, b->n_cut);
	assert_int_equal(a->n_listed, b->n_listed);
	for (size_t i = 0; i < a->n_listed; i++) {
		assert_string_equal(a->refused[i].name, b->refused[i].name);
		assert_string_equal(a->refused[i].why, b->refused[i].why);
	}
}

/* ---- tests ---- */

struct run {
	size_t docs, names, turns, most; /* most: changes in a turn */
	const char *domain;
	bool service_names;
};

static void check_run(const struct run *run)
{
	struct doc *docs = calloc(run->docs, sizeof(*docs));
	struct aero_answers *answers = answers_new(run->domain, run->service_names);
	struct aero_published keep = {.old_fd = -1};
	char *one = strdup(test_path("one.mdb")), *two = strdup(test_path("two.mdb"));
	size_t deltas = 0, pages, fresh_pages, worst = 0;

	assert_non_null(docs);
	for (unsigned i = 0; i < run->docs; i++) {
		docs[i] = any_doc(run->names);
		put(answers, i, &docs[i]);
	}
	for (size_t turn = 0; turn < run->turns; turn++) {
		struct aero_published none = {.old_fd = -1};
		struct aero_answers *fresh = answers_new(run->domain, run->service_names);
		unsigned char digest[2][AERO_DIGEST_SIZE];
		struct aero_answer_set set, want;

		for (size_t n = turn == 0 ? 0 : 1 + below(run->most); n > 0; n--) {
			unsigned id = below(run->docs);

			/* at times nothing is left, at times all is new */
			docs[id] = any_doc(run->names);
			if (turn % 64 > 56)
				docs[id].there = turn % 128 > 64;
			put(answers, id, &docs[id]);
		}
		assert_int_equal(aero_answers_make(answers, &set, &err), AERO_OK);
		deltas +=
			aero_published_base(&keep) && !aero_answers_all_changed(answers);
		(void)publish(answers, one, &keep, &set, digest[0]);
		for (unsigned i = 0; i < run->docs; i++)
			if (docs[i].there)
				put(fresh, i, &docs[i]);
		assert_int_equal(aero_answers_make(fresh, &want, &err), AERO_OK);
		(void)publish(fresh, two, &none, &want, digest[1]);
		same_set(&set, &want);
		assert_memory_equal(digest[0], digest[1], AERO_DIGEST_SIZE);
		assert_int_equal(walk_lmdb(one, &pages), walk_lmdb(two, &fresh_pages));
		if (pages * 100 / fresh_pages > worst)
			worst = pages * 100 / fresh_pages;
		aero_published_close(&none);
		aero_answers_free(fresh);
	}
	print_message(
		"%zu documents, %zu turns, %zu by delta; %zu %% of the pages at most\n",
		run->docs, run->turns, deltas, worst);
	assert_true(deltas > run->turns / 4);
	assert_true(worst <= 260);
	aero_published_close(&keep);
	aero_answers_free(answers);
	free(docs);
	free(one);
	free(two);
}

static void changes_come_to_what_a_fresh_start_comes_to(void **state)
{
	const struct run runs[] = {
		{600, 500, test_by_length(60, 1000), 12, "", false},
		{600, 300, test_by_length(60, 1000), 12, "d.internal", true},
		{3000, 6000, test_by_length(40, 1000), 40, "", false},
		{3000, 2000, test_by_length(20, 1000), 200, "d.internal", true},
	};

	(void)state;
	srandom(7);
	for (size_t i = 0; i < AERO_COUNT(runs); i++)
		check_run(&runs[i]);
}

/* The same fleet as a real one: no clashes, two aliases each. */
static void put_host(struct aero_answers *answers, unsigned i, unsigned octet)
{
	bson_t doc = BSON_INITIALIZER, list;
	char text[64];

	(void)snprintf(text, sizeof(text), "web-%u", i);
	BSON_APPEND_UTF8(&doc, "hostname", text);
	(void)snprintf(text, sizeof(text), "i-%017x", i);
	BSON_APPEND_UTF8(&doc, "instance_id", text);
	(void)snprintf(
		text, sizeof(text), "%u.%u.%u.%u", octet, i >> 16, i >> 8 & 255, i & 255);
	BSON_APPEND_UTF8(&doc, "ip", text);
	BSON_APPEND_ARRAY_BEGIN(&doc, "aliases", &list);
	(void)snprintf(text, sizeof(text), "www%u", i);
	BSON_APPEND_UTF8(&list, "0", text);
	(void)snprintf(text, sizeof(text), "app%u", i);
	BSON_APPEND_UTF8(&list, "1", text);
	bson_append_array_end(&doc, &list);
	assert_int_equal(aero_answers_put(answers, &i, sizeof(i), &doc, &err), AERO_OK);
	bson_destroy(&doc);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check_address(const char *path, const char *name, unsigned i, unsigned octet)
{
	unsigned char key[AERO_KEY_MAX];
	const unsigned char want[] = {(unsigned char)octet, (unsigned char)(i >> 16),
		(unsigned char)(i >> 8), (unsigned char)i};
	struct aero_reader r;
	struct aero_rec rec;

	assert_int_equal(aero_reader_open(&r, path), AERO_READ_OK);
	assert_int_equal(
		aero_reader_get(&r, key, aero_name_key(name, key), &rec), AERO_READ_OK);
	assert_int_equal(rec.n4, 1);
	assert_memory_equal(rec.addr4, want, 4);
	aero_reader_close(&r);
}

static void check_size(unsigned n)
{
	struct aero_answers *answers = answers_new("", false);
	struct aero_published keep = {.old_fd = -1};
	char *path = strdup(test_path("size.mdb")), name[64];
	unsigned char digest[AERO_DIGEST_SIZE];
	struct aero_answer_set set;
	struct mallinfo2 before, after;
	double began, all, one;
	size_t encoded, pages, bytes;
	struct stat st;

	(void)malloc_trim(0);
	before = mallinfo2();
	for (unsigned i = 0; i < n; i++)
		put_host(answers, (unsigned)((uint64_t)i * 7919 % n), 10);
	began = now();
	assert_int_equal(aero_answers_make(answers, &set, &err), AERO_OK);
	(void)publish(answers, path, &keep, &set, digest);
	all = now() - began;
	after = mallinfo2();
	bytes = (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / n;
	began = now();
	put_host(answers, n / 2, 11);
	assert_int_equal(aero_answers_make(answers, &set, &err), AERO_OK);
	encoded = publish(answers, path, &keep, &set, digest);
	one = now() - began;
	assert_int_equal(walk_lmdb(path, &pages), 1 + 4 * (size_t)n);
	assert_int_equal(stat(path, &st), 0);
	print_message(
		"%u names: %zu bytes each in memory; published in %.0f ms, after one "
		"change in %.0f ms, %zu records encoded; file %.1f MB\n",
		n, bytes, all * 1e3, one * 1e3, encoded, (double)st.st_size / 1e6);
	for (unsigned i = 0; i < 2000; i++) {
		unsigned at = below(n), octet = at == n / 2 ? 11 : 10;

		(void)snprintf(name, sizeof(name), "web-%u", at);
		check_address(path, name, at, octet);
		(void)snprintf(name, sizeof(name), i % 2 == 0 ? "WWW%u" : "app%u", at);
		check_address(path, name, at, octet);
	}
	/* one hostname, two aliases, one address; no matter how many others there are */
	assert_int_equal(encoded, 4);
	assert_true(bytes < 480);
	aero_published_close(&keep);
	aero_answers_free(answers);
	free(path);
}

static void a_change_costs_its_own_records(void **state)
{
	(void)state;
	check_size(20000);
	if (test_by_length(0, 1) == 1)
		check_size(1000000);
}

/* The old file was damaged since: it is noticed, it stays, and a whole one can follow. */
static void leaves_that_changed_are_not_taken_over(void **state)
{
	struct aero_answers *answers = answers_new("", false);
	struct aero_published keep = {.old_fd = -1};
	struct aero_publish_error failure;
	struct aero_answers_walk walk;
	struct aero_generation gen = {.next = aero_answers_next,
		.arg = &walk,
		.meta = {.generation = 5, .zones = ""}};
	const char *path = test_path("damaged.mdb");
	struct aero_answer_set set;
	struct stat before, after;
	unsigned char byte;
	size_t cut, n = 0;
	int fd;

	(void)state;
	for (unsigned i = 0; i < 400; i++)
		put_host(answers, i, 10);
	for (off_t at = 2 * 4096 + 10; at < 8 * 4096; at += 211, n++) {
		assert_int_equal(aero_answers_make(answers, &set, &err), AERO_OK);
		gen.delta = false;
		aero_answers_walk(answers, false, &walk);
		assert_int_equal(aero_publish(path, &gen, &keep, &cut, &failure), 0);
		aero_answers_published(answers);
		assert_int_equal(stat(path, &before), 0);
		if (at % 4096 < 10)
			continue; /* its number and tag: written anew */
		fd = open(path, O_RDWR | O_CLOEXEC);
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 4;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		(void)close(fd);
		put_host(answers, 399, 11 + (unsigned)n % 200);
		assert_int_equal(aero_answers_make(answers, &set, &err), AERO_OK);
		gen.delta = true;
		aero_answers_walk(answers, true, &walk);
		assert_int_equal(aero_publish(path, &gen, &keep, &cut, &failure), -1);
		assert_string_equal(aero_publish_strerror(failure.code),
			"the file published last is not what it was");
		assert_int_equal(stat(path, &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		/* no second delta on it */
		assert_false(aero_published_base(&keep));
		assert_int_equal(aero_publish(path, &gen, &keep, &cut, &failure), -1);
		assert_string_equal(failure.step, "prepare");
	}
	assert_true(n > 50);
	aero_published_close(&keep);
	aero_answers_free(answers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_come_to_what_a_fresh_start_comes_to),
		cmocka_unit_test(a_change_costs_its_own_records),
		cmocka_unit_test(leaves_that_changed_are_not_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
