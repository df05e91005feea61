/* SPDX-License-Identifier: MIT */
/* The page walker against liblmdb, which is the oracle, and against damaged files. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mirror/encode.h"
#include "mirror/reader.h"
#include "tests/mirror_set.h"
#include "tests/support.h"

/* The same numbers in every run: xorshift. */
static uint64_t seed = 0x9e3779b97f4a7c15;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static char *make_path(const char *name)
{
	char *path = strdup(test_path(name));

	assert_non_null(path);
	return path;
}

/* A random key with many near neighbours and equal beginnings. */
static size_t random_key(unsigned char key[AERO_KEY_MAX])
{
	size_t len = 1 + (rnd(8) == 0 ? rnd(AERO_NAME_MAX) + 1 : rnd(6) + 1), i;

	key[0] = rnd(3) == 0 ? AERO_KEY_ADDRESS : AERO_KEY_NAME;
	for (i = 1; i < len; i++)
		key[i] = (unsigned char)('a' + rnd(4));
	return len;
}

/* A record of random length for key. */
static size_t random_record(
	const unsigned char *key, size_t keylen, unsigned char val[AERO_REC_MAX])
{
	static const unsigned char addr[128] = {1, 2, 3};
	char aliases[AERO_ALIAS_MAX * 40];
	struct aero_rec rec = {.n4 = (uint8_t)rnd(9),
		.n6 = (uint8_t)(rnd(4) ? 0 : rnd(9)),
		.n_alias = (uint8_t)(rnd(6) == 0 ? rnd(33) : 0),
		.addr4 = addr,
		.addr6 = addr,
		.canon = "canon",
		.aliases = aliases,
		.is_alias = rnd(2) == 0};
	size_t i;

	for (i = 0; i < rec.n_alias; i++)
		(void)snprintf(aliases + i * 40, 40, "%039zu", i);
	return aero_rec_encode(key, keylen, &rec, val);
}

static int compare_entries(const void *left, const void *right)
{
	const MDB_val *a = left, *b = right;
	int diff = memcmp(a->mv_data, b->mv_data,
		a->mv_size < b->mv_size ? a->mv_size : b->mv_size);

	return diff != 0 ? diff : (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}

/* A file by liblmdb itself: appended as the publisher does it, or by several commits in
 * any order, some of them deleting, so that the newest meta page is the first or the
 * second and free pages lie about. */
static void make_random_file(const char *path, unsigned n, bool append)
{
	unsigned char(*keys)[AERO_KEY_MAX] = calloc(n + 1, sizeof(*keys));
	MDB_val *k = calloc(n + 1, sizeof(*k)), v;
	unsigned char val[AERO_REC_MAX];
	unsigned commits = append ? 1 : 1 + rnd(5), i;
	MDB_env *env;
	MDB_txn *txn = NULL;
	MDB_dbi dbi;

	for (i = 0; i < n; i++) {
		k[i].mv_data = keys[i];
		k[i].mv_size = random_key(keys[i]);
	}
	if (append)
		qsort(k, n, sizeof(*k), compare_entries);
	(void)unlink(path);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_mapsize(env, 64 << 20), 0);
	assert_int_equal(
		mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0644), 0);
	for (i = 0; i < n; i++) {
		if (txn == NULL) {
			assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
			assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
		}
		v.mv_size = random_record(k[i].mv_data, k[i].mv_size, val);
		v.mv_data = val;
		if (v.mv_size > 0 && !append && rnd(5) == 0)
			(void)mdb_del(txn, dbi, &k[i], NULL);
		else if (v.mv_size > 0 &&
			 (!append || i == 0 || compare_entries(&k[i - 1], &k[i]) != 0))
			assert_int_equal(
				mdb_put(txn, dbi, &k[i], &v, append ? MDB_APPEND : 0), 0);
		if (i + 1 == n || i % (n / commits + 1) == n / commits) {
			assert_int_equal(mdb_txn_commit(txn), 0);
			txn = NULL;
		}
	}
	mdb_env_close(env);
	free(k);
	free(keys);
}

struct oracle {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_cursor *cursor;
};

static void oracle_open(struct oracle *o, const char *path)
{
	assert_int_equal(mdb_env_create(&o->env), 0);
	assert_int_equal(
		mdb_env_open(o->env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_RDONLY, 0), 0);
	assert_int_equal(mdb_txn_begin(o->env, NULL, MDB_RDONLY, &o->txn), 0);
	assert_int_equal(mdb_dbi_open(o->txn, NULL, 0, &o->dbi), 0);
	assert_int_equal(mdb_cursor_open(o->txn, o->dbi, &o->cursor), 0);
}

static void oracle_close(struct oracle *o)
{
	mdb_cursor_close(o->cursor);
	mdb_txn_abort(o->txn);
	mdb_env_close(o->env);
}

/* A miss needs a file that was appended: in another it is refused or right. */
static void same_answer(struct aero_reader *r, struct oracle *o, unsigned char *key,
	size_t keylen, bool append)
{
	MDB_val k = {keylen, key}, v;
	struct aero_rec rec, want;
	int found = mdb_get(o->txn, o->dbi, &k, &v);
	enum aero_read rc = aero_reader_get(r, key, keylen, &rec);

	if (found == MDB_NOTFOUND) {
		if (append || rc != AERO_READ_DAMAGED)
			assert_int_equal(rc, AERO_READ_MISS);
		return;
	}
	assert_int_equal(found, 0);
	assert_int_equal(rc, AERO_READ_OK);
	assert_true(aero_rec_decode(key, keylen, v.mv_data, v.mv_size, &want));
	assert_memory_equal(rec.addr4 - AERO_REC_HEADER, v.mv_data, v.mv_size);
	assert_string_equal(rec.canon, want.canon);
}

/* The key itself and all that lies close to it. */
static void same_answer_around(
	struct aero_reader *r, struct oracle *o, const MDB_val *at, bool append)
{
	unsigned char key[AERO_KEY_MAX + 1];
	size_t len = at->mv_size;

	memcpy(key, at->mv_data, len);
	same_answer(r, o, key, len, append);
	key[len] = 0;
	if (len < AERO_KEY_MAX)
		same_answer(r, o, key, len + 1, append);
	if (len > 1)
		same_answer(r, o, key, len - 1, append);
	key[len - 1]++;
	same_answer(r, o, key, len, append);
	key[len - 1] = (unsigned char)(key[len - 1] - 2);
	same_answer(r, o, key, len, append);
}

static void same_order(struct aero_reader *r, struct oracle *o, unsigned char kind)
{
	unsigned char key[AERO_KEY_MAX];
	size_t keylen = 0;
	MDB_val k, v;
	struct aero_rec rec;
	int rc;

	for (rc = mdb_cursor_get(o->cursor, &k, &v, MDB_FIRST); rc == 0;
		rc = mdb_cursor_get(o->cursor, &k, &v, MDB_NEXT)) {
		if (*(unsigned char *)k.mv_data != kind)
			continue;
		/* Sometimes by another reader state, as the module's calls are. */
		if (rnd(4) == 0)
			(void)aero_reader_get(r, (const unsigned char *)"nx", 2, &rec);
		assert_int_equal(
			aero_reader_next(r, kind, key, &keylen, &rec), AERO_READ_OK);
		assert_int_equal(keylen, k.mv_size);
		assert_memory_equal(key, k.mv_data, keylen);
		assert_memory_equal(rec.addr4 - AERO_REC_HEADER, v.mv_data, v.mv_size);
	}
	assert_int_equal(aero_reader_next(r, kind, key, &keylen, &rec), AERO_READ_MISS);
	assert_int_equal(aero_reader_next(r, kind, key, &keylen, &rec), AERO_READ_MISS);
}

static void compare_file(const char *path, bool append)
{
	unsigned char key[AERO_KEY_MAX];
	struct aero_reader r;
	struct oracle o;
	MDB_val k, v;
	size_t n;
	int rc;

	oracle_open(&o, path);
	assert_int_equal(aero_reader_open(&r, path), AERO_READ_OK);
	for (rc = mdb_cursor_get(o.cursor, &k, &v, MDB_FIRST); rc == 0;
		rc = mdb_cursor_get(o.cursor, &k, &v, MDB_NEXT))
		same_answer_around(&r, &o, &k, append);
	for (n = 0; n < 2000; n++) {
		k.mv_size = random_key(key);
		same_answer(&r, &o, key, k.mv_size, append);
	}
	if (append) {
		same_order(&r, &o, AERO_KEY_ADDRESS);
		same_order(&r, &o, AERO_KEY_NAME);
	}
	aero_reader_close(&r);
	oracle_close(&o);
}

static void reads_what_liblmdb_reads(void **state)
{
	static const unsigned sizes[] = {
		1, 2, 3, 10, 40, 41, 300, 301, 2000, 2001, 7000, 20000};
	char *path = make_path("random.mdb");
	struct oracle o;
	size_t i, empty;

	(void)state;
	for (i = 0; i < AERO_COUNT(sizes); i++) {
		make_random_file(path, sizes[i], true);
		compare_file(path, true);
		do {
			MDB_val k, v;

			make_random_file(path, sizes[i], false);
			oracle_open(&o, path);
			empty = mdb_cursor_get(o.cursor, &k, &v, MDB_FIRST) != 0;
			oracle_close(&o);
		} while (empty); /* all deleted */
		compare_file(path, false);
	}
	free(path);
}

static void publish(const char *path, unsigned hosts, struct mirror_set *set)
{
	struct aero_publish_error err;
	char line[200];
	unsigned i;

	for (i = 0; i < hosts; i++) {
		(void)snprintf(line, sizeof(line),
			"web-%u 10.0.%u.%u,fd00::%x www%u api.%u", i, i >> 8, i & 255,
			i + 1, i, i);
		assert_null(mirror_set_add(set, line));
	}
	assert_int_equal(
		mirror_set_publish(set, path, 3, 1, "cluster.internal", &err), 0);
}

static void describes_the_file(void **state)
{
	char *path = make_path("meta.mdb");
	struct mirror_set set = {0};
	struct aero_meta meta;
	struct aero_reader r;

	(void)state;
	publish(path, 300, &set);
	assert_int_equal(aero_reader_open(&r, path), AERO_READ_OK);
	assert_int_equal(aero_reader_meta(&r, &meta), AERO_READ_OK);
	assert_int_equal(meta.generation, 3);
	assert_int_equal(meta.names, 300);
	assert_int_equal(meta.aliases, 600);
	assert_int_equal(meta.addresses, 600);
	assert_string_equal(meta.zones, "cluster.internal");
	aero_reader_close(&r);
	mirror_set_clear(&set);
	free(path);
}

static size_t slurp(const char *path, unsigned char **ret)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*ret = malloc((size_t)st.st_size);
	assert_int_equal(read(fd, *ret, (size_t)st.st_size), st.st_size);
	(void)close(fd);
	return (size_t)st.st_size;
}

static void spit(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	(void)close(fd);
}

/* Look up all keys and walk the list: an answer that is given is the right one. Returns
 * how many were refused. */
static size_t no_wrong_answer(const char *path, const struct mirror_set *set)
{
	unsigned char key[AERO_KEY_MAX], want[AERO_REC_MAX];
	const struct aero_entry *e;
	size_t i, len, keylen = 0, refused = 0;
	struct aero_reader r;
	struct aero_rec rec, as;
	enum aero_read rc = aero_reader_open(&r, path);

	if (rc != AERO_READ_OK) {
		assert_int_equal(rc, AERO_READ_DAMAGED);
		return set->n_entries;
	}
	for (i = 0; i < set->n_entries; i++) {
		e = &set->entries[i];
		rc = aero_reader_get(&r, e->key, e->keylen, &rec);
		if (rc == AERO_READ_OK) {
			as = *e->rec;
			as.is_alias = e->is_alias;
			len = aero_rec_encode(e->key, e->keylen, &as, want);
			assert_memory_equal(rec.addr4 - AERO_REC_HEADER, want, len);
		} else {
			assert_true(rc == AERO_READ_MISS || rc == AERO_READ_DAMAGED);
			refused++;
		}
	}
	for (i = 0;
		aero_reader_next(&r, AERO_KEY_NAME, key, &keylen, &rec) == AERO_READ_OK;
		i++)
		assert_true(i < set->n_entries);
	aero_reader_close(&r);
	return refused;
}

static void damage_is_refused_and_never_believed(void **state)
{
	char *path = make_path("good.mdb"), *bad = make_path("bad.mdb");
	struct mirror_set set = {0};
	unsigned char *good, *copy;
	size_t size, i, n, at, refused = 0;

	(void)state;
	publish(path, 200, &set);
	size = slurp(path, &good);
	copy = malloc(size);
	for (i = 0; i < 2000; i++) {
		memcpy(copy, good, size);
		n = 1 + rnd(8);
		while (n-- > 0) {
			/* Half of them where the structure is: headers and indexes. */
			at = rnd(2) ? rnd((uint32_t)size)
				    : rnd((uint32_t)(size / 4096)) * 4096 + rnd(160);
			copy[at] = (unsigned char)(rnd(4) ? rnd(256)
							  : copy[at] ^ 1U << rnd(8));
		}
		spit(bad, copy, i % 10 == 0 ? rnd((uint32_t)size) : size);
		refused += no_wrong_answer(bad, &set) > 0;
	}
	/* The mutants bite. */
	assert_true(refused > 500);
	free(copy);
	free(good);
	mirror_set_clear(&set);
	free(path);
	free(bad);
}

/* A branch whose children lead back to it, for every page: the depth ends it. */
static void a_loop_of_pages_ends(void **state)
{
	char *path = make_path("good.mdb"), *bad = make_path("bad.mdb");
	struct mirror_set set = {0};
	unsigned char *good, *p;
	size_t size, page, i, loops = 0;

	(void)state;
	publish(path, 6000, &set);
	size = slurp(path, &good);
	for (page = 2; page < size / 4096; page++) {
		p = good + page * 4096;
		if ((p[10] & 1) == 0)
			continue;
		for (i = 0; i < (size_t)(p[12] + p[13] * 256 - 16) / 2; i++) {
			unsigned char *node = p + p[16 + 2 * i] + p[17 + 2 * i] * 256;

			memset(node, 0, 6);
			node[0] = (unsigned char)page;
			node[1] = (unsigned char)(page >> 8);
		}
		loops++;
	}
	assert_true(loops > 1);
	spit(bad, good, size);
	assert_int_equal(no_wrong_answer(bad, &set), set.n_entries);
	free(good);
	mirror_set_clear(&set);
	free(path);
	free(bad);
}

/* A leaf page's own words that cannot be true. */
static void a_page_that_contradicts_itself_is_refused(void **state)
{
	static const struct {
		size_t at;
		unsigned char low, high;
	} rows[] = {
		{0, 3, 0},                     /* another page's number */
		{10, 4, 0},                    /* an overflow page */
		{10, 0x22, 0},                 /* fixed-size keys */
		{10, 1, 0},                    /* a branch where a leaf must be */
		{12, 16, 0},                   /* no node */
		{12, 19, 0},                   /* half an index entry */
		{12, 0, 0x20},                 /* the index ends behind the page */
		{12, 0xfe, 0xff}, {14, 17, 0}, /* nodes begin in the index */
		{14, 0xff, 0xff},              /* nodes begin behind the page */
	};
	char *path = make_path("one.mdb"), *bad = make_path("x.mdb");
	struct mirror_set set = {0};
	unsigned char *good, was[16];
	size_t size, i, at;

	(void)state;
	publish(path, 1, &set);
	size = slurp(path, &good);
	for (i = 0; i < AERO_COUNT(rows); i++) {
		at = 8192 + rows[i].at;
		memcpy(was, good + 8192, 16);
		good[at] = rows[i].low;
		good[at + 1] = rows[i].high;
		if (rows[i].at == 12 && rows[i].high != 0)
			memset(good + 8192 + 14, 0xff, 2); /* so that it is the lesser */
		spit(bad, good, size);
		assert_int_equal(no_wrong_answer(bad, &set), set.n_entries);
		memcpy(good + 8192, was, 16);
	}
	free(good);
	mirror_set_clear(&set);
	free(path);
	free(bad);
}

/* Every way in which opening fails; each leaves no descriptor. */
static void what_cannot_be_read_is_told_apart(void **state)
{
	char *path = make_path("one.mdb"), *bad = make_path("x.mdb");
	struct mirror_set set = {0};
	struct rlimit was, none;
	struct aero_reader r;
	unsigned char *good;
	size_t size, i;
	int first = dup(0);
	static const struct {
		size_t at;
		unsigned char value;
	} metas[] = {
		{0, 1},     /* page number */
		{10, 0},    /* not a meta page */
		{16, 0},    /* magic */
		{20, 2},    /* data version */
		{41, 0x20}, /* page size 8,192 */
		{92, 4},    /* duplicates */
		{112, 1},   /* an overflow page */
	};

	(void)state;
	(void)close(first);
	publish(path, 1, &set);
	size = slurp(path, &good);
	assert_int_equal(size, 3 * 4096);
	assert_int_equal(aero_reader_open(&r, test_path("none")), AERO_READ_ABSENT);
	assert_int_equal(r.err, ENOENT);
	assert_int_equal(aero_reader_open(&r, test_dir()), AERO_READ_DAMAGED);
	assert_int_equal(mkfifo(test_path("fifo"), 0644), 0);
	assert_int_equal(aero_reader_open(&r, test_path("fifo")), AERO_READ_DAMAGED);
	assert_int_equal(symlink("loop", test_path("loop")), 0);
	assert_int_equal(aero_reader_open(&r, test_path("loop")), AERO_READ_FAILED);
	assert_int_equal(r.err, ELOOP);
	for (i = 0; i < 2; i++) {
		assert_int_equal(chmod(path, i == 0 ? 0664 : 0646), 0);
		assert_int_equal(aero_reader_open(&r, path), AERO_READ_DENIED);
	}
	if (geteuid() == 0) {
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(chmod(test_dir(), 0755), 0);
		assert_int_equal(seteuid(65534), 0);
		assert_int_equal(aero_reader_open(&r, path), AERO_READ_DENIED);
		assert_int_equal(seteuid(0), 0);
	}
	assert_int_equal(chmod(path, 0644), 0);
	for (i = 0; i < size; i += i < 8192 ? 64 : 1024) {
		spit(bad, good, i);
		assert_int_equal(aero_reader_open(&r, bad), AERO_READ_DAMAGED);
	}
	for (i = 0; i < 2 * AERO_COUNT(metas); i++) {
		size_t at = metas[i / 2].at + i % 2 * 4096;
		unsigned char was_byte = good[at];

		good[at] = metas[i / 2].at == 0 ? (unsigned char)(was_byte + 1)
						: metas[i / 2].value;
		spit(bad, good, size);
		assert_int_equal(aero_reader_open(&r, bad), AERO_READ_DAMAGED);
		good[at] = was_byte;
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = (rlim_t)first;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(aero_reader_open(&r, path), AERO_READ_BUSY);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(aero_reader_open(&r, path), AERO_READ_OK);
	assert_int_equal(r.fd, first); /* nothing was left open above */
	assert_int_equal(fcntl(r.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	aero_reader_close(&r);
	aero_reader_close(&r);
	free(good);
	mirror_set_clear(&set);
	free(path);
	free(bad);
}

/* An LMDB file that is none of ours says so when asked for its description. */
static void a_foreign_file_has_no_description(void **state)
{
	char *path = make_path("foreign.mdb");
	struct aero_reader r;
	struct aero_meta meta;
	MDB_env *env;

	(void)state;
	make_random_file(path, 500, true);
	assert_int_equal(aero_reader_open(&r, path), AERO_READ_OK);
	assert_int_equal(aero_reader_meta(&r, &meta), AERO_READ_DAMAGED);
	aero_reader_close(&r);
	/* One without any entry has no root page. */
	(void)unlink(path);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0644), 0);
	mdb_env_close(env);
	assert_int_equal(aero_reader_open(&r, path), AERO_READ_DAMAGED);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_liblmdb_reads),
		cmocka_unit_test(describes_the_file),
		cmocka_unit_test(damage_is_refused_and_never_believed),
		cmocka_unit_test(a_loop_of_pages_ends),
		cmocka_unit_test(a_page_that_contradicts_itself_is_refused),
		cmocka_unit_test(what_cannot_be_read_is_told_apart),
		cmocka_unit_test(a_foreign_file_has_no_description),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
