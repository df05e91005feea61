/* SPDX-License-Identifier: MIT */
/* A hostile mirror: damaged files through the module's own entry points. Each answer is
 * the true one or a refusal; a name that is there is never denied; a list never skips. */
#include "config.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <nss.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mirror/reader.h"
#include "tests/mirror_set.h"
#include "tests/mutants.h"
#include "tests/support.h"

#define MAX_US 100000.0
#define AROUND 3 /* entries beside the damaged page that are asked for as well */
#define BORDERS 8
#define ZONE "cluster.internal"

static struct {
	nss_gethostbyname2_r *byname2;
	nss_gethostbyname4_r *byname4;
	nss_gethostbyaddr_r *byaddr;
	nss_sethostent *set;
	nss_gethostent_r *get;
	const char **path;
} module;

static char buf[12288]; /* enough for any answer */

/* What became of a class's look-ups. */
struct tally {
	unsigned long mutants, asked, right, refused, denied, wrong, lists, bad_lists;
	double worst;
};

/* One mirror: its entries, and where each leaf's begin. */
struct shape {
	const char *name;
	struct mirror_set set;
	struct mutant m;
	unsigned char *good, *older;
	size_t *first; /* of leaf i, and of the one behind the last */
	char path[512];
	int fd;
};

/* Of this thread, not of a loaded machine: a look-up waits for nothing. */
static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- one look-up ---- */

static bool same_host(const struct hostent *h, const struct aero_rec *rec,
	const unsigned char *addr, unsigned n, unsigned size)
{
	const char *alias = rec->aliases;
	unsigned i;

	if (strcmp(h->h_name, rec->canon) != 0 || h->h_length != (int)size)
		return false;
	for (i = 0; i < n; i++)
		if (h->h_addr_list[i] == NULL ||
			memcmp(h->h_addr_list[i], addr + (size_t)i * size, size) != 0)
			return false;
	if (h->h_addr_list[n] != NULL)
		return false;
	for (i = 0; i < rec->n_alias; i++, alias += strlen(alias) + 1)
		if (h->h_aliases[i] == NULL || strcmp(h->h_aliases[i], alias) != 0)
			return false;
	return h->h_aliases[rec->n_alias] == NULL;
}

static bool same_tuples(const struct gaih_addrtuple *t, const struct aero_rec *rec)
{
	unsigned n4 = 0, n6 = 0;

	for (; t != NULL; t = t->next) {
		if (strcmp(t->name, rec->canon) != 0)
			return false;
		if (t->family == AF_INET && n4 < rec->n4 &&
			memcmp(t->addr, rec->addr4 + 4 * n4, 4) == 0)
			n4++;
		else if (t->family == AF_INET6 && n6 < rec->n6 &&
			 memcmp(t->addr, rec->addr6 + (size_t)16 * n6, 16) == 0)
			n6++;
		else
			return false;
	}
	return n4 == rec->n4 && n6 == rec->n6;
}

static void judge(struct tally *t, enum nss_status status, bool there, bool same)
{
	t->asked++;
	if (status == NSS_STATUS_UNAVAIL || status == NSS_STATUS_TRYAGAIN)
		t->refused++;
	else if (status == NSS_STATUS_SUCCESS ? there && same : !there)
		t->right++;
	else if (status == NSS_STATUS_NOTFOUND)
		t->denied++;
	else
		t->wrong++;
}

/* Ask for an entry's key, by name or by address; or (miss) for what lies close to a
 * name and is not there. */
static enum nss_status call(
	const struct aero_entry *e, bool miss, bool tuples, bool *ret_same)
{
	char name[AERO_NAME_MAX + 2];
	size_t len = e->keylen - 1, dot;
	int err = 0, herr = 0, af = e->rec->n4 > 0 ? AF_INET : AF_INET6;
	struct gaih_addrtuple *pat = NULL;
	enum nss_status status;
	struct hostent h;

	*ret_same = false;
	if (e->key[0] == AERO_KEY_ADDRESS) {
		status = module.byaddr(e->key + 1, (socklen_t)len,
			len == 4 ? AF_INET : AF_INET6, &h, buf, sizeof(buf), &err, &herr);
		if (status == NSS_STATUS_SUCCESS)
			*ret_same = same_host(&h, e->rec, e->key + 1, 1, (unsigned)len);
		return status;
	}
	memcpy(name, e->key + 1, len);
	name[len] = '\0';
	if (miss) { /* in its zone, which is ours to deny */
		dot = strcspn(name, ".");
		memcpy(name + dot + 1, e->key + 1 + dot, len - dot);
		name[dot] = '!';
		name[len + 1] = '\0';
	}
	if (tuples) {
		status = module.byname4(name, &pat, buf, sizeof(buf), &err, &herr, NULL);
		*ret_same = status == NSS_STATUS_SUCCESS && same_tuples(pat, e->rec);
		return status;
	}
	status = module.byname2(name, af, &h, buf, sizeof(buf), &err, &herr);
	if (status == NSS_STATUS_SUCCESS)
		*ret_same =
			af == AF_INET
				? same_host(&h, e->rec, e->rec->addr4, e->rec->n4, 4)
				: same_host(&h, e->rec, e->rec->addr6, e->rec->n6, 16);
	return status;
}

static void ask(struct tally *t, const struct aero_entry *e, bool miss)
{
	double took = MAX_US + 1, start;
	enum nss_status status = NSS_STATUS_UNAVAIL;
	bool same = false;
	int tries;

	/* A loaded machine may stop us: what is slow is slow three times. */
	for (tries = 0; tries < 3 && took > MAX_US; tries++) {
		start = now_us();
		status = call(e, miss, t->asked % 4 == 0, &same);
		took = now_us() - start;
	}
	if (took > t->worst)
		t->worst = took;
	judge(t, status, !miss, same);
}

/* A name in our zone, and one outside, which is not ours to deny. */
static void ask_zones(struct tally *t)
{
	int err = 0, herr = 0;
	struct hostent h;

	judge(t, module.byname2("no." ZONE, AF_INET, &h, buf, sizeof(buf), &err, &herr),
		false, false);
	t->asked++;
	if (module.byname2("no.example.com", AF_INET, &h, buf, sizeof(buf), &err,
		    &herr) == NSS_STATUS_UNAVAIL)
		t->right++;
	else
		t->wrong++;
}

/* ---- lists ---- */

/* Walk from entry `from` on over at most n entries, with one reader or a new one each. */
static void walk(struct tally *t, const struct shape *s, size_t from, size_t n, bool anew)
{
	unsigned char kind = s->set.entries[from].key[0], key[AERO_KEY_MAX];
	size_t keylen = s->set.entries[from].keylen, i;
	const struct aero_entry *e;
	struct aero_reader r = {.fd = -1};
	struct aero_rec rec;
	enum aero_read rc;

	memcpy(key, s->set.entries[from].key, keylen);
	t->lists++;
	for (i = from + 1; i <= from + n; i++) {
		e = i < s->set.n_entries && s->set.entries[i].key[0] == kind
			    ? &s->set.entries[i]
			    : NULL;
		rc = AERO_READ_OK;
		if (r.fd < 0)
			rc = aero_reader_open(&r, s->path);
		if (rc == AERO_READ_OK)
			rc = aero_reader_next(&r, kind, key, &keylen, &rec);
		if (rc == AERO_READ_MISS && e != NULL)
			t->bad_lists++;
		else if (rc == AERO_READ_OK &&
			 (e == NULL || keylen != e->keylen ||
				 memcmp(key, e->key, keylen) != 0 ||
				 strcmp(rec.canon, e->rec->canon) != 0))
			t->bad_lists++;
		if (anew)
			aero_reader_close(&r);
		if (rc != AERO_READ_OK || e == NULL)
			break;
	}
	aero_reader_close(&r);
}

/* The module's own list, whole: each host once per family, in order. */
static void list(struct tally *t, const struct shape *s)
{
	const struct aero_entry *e = s->set.entries, *end = e + s->set.n_entries;
	enum nss_status status = NSS_STATUS_SUCCESS;
	int err = 0, herr = 0, second = 0;
	struct hostent h;

	t->lists++;
	(void)module.set(0);
	while (status == NSS_STATUS_SUCCESS) {
		while (e < end && (e->key[0] != AERO_KEY_NAME || e->is_alias))
			e++;
		status = module.get(&h, buf, sizeof(buf), &err, &herr);
		if (status == NSS_STATUS_NOTFOUND && e < end)
			t->bad_lists++;
		if (status != NSS_STATUS_SUCCESS)
			break;
		if (e == end || strcmp(h.h_name, e->rec->canon) != 0) {
			t->bad_lists++;
			break;
		}
		second = !second && e->rec->n4 > 0 && e->rec->n6 > 0;
		e += !second;
	}
}

/* ---- one mutant ---- */

static void write_pages(const struct shape *s)
{
	size_t i, at;

	for (i = 0; i < s->m.n_dirty; i++) {
		at = s->m.dirty[i] * MUTANT_PAGE;
		assert_int_equal(pwrite(s->fd, s->m.bytes + at, MUTANT_PAGE, (off_t)at),
			MUTANT_PAGE);
	}
}

static void ask_range(struct tally *t, const struct shape *s, size_t from, size_t to)
{
	from = from > AROUND ? from - AROUND : 0;
	to = to + AROUND < s->set.n_entries ? to + AROUND : s->set.n_entries;
	walk(t, s, from, to - from, t->lists % 4 == 0);
	for (; from < to; from++) {
		ask(t, &s->set.entries[from], false);
		if (s->set.entries[from].key[0] == AERO_KEY_NAME)
			ask(t, &s->set.entries[from], true);
	}
}

static size_t leaf_of(const struct shape *s, size_t page)
{
	size_t i = 0;

	while (i < s->m.n_leaves && s->m.leaves[i] != page)
		i++;
	return i;
}

/* Where two leaves meet: the last of one, the first of the next, and between them. */
static void ask_borders(struct tally *t, struct shape *s)
{
	size_t n = s->m.n_leaves < BORDERS ? s->m.n_leaves : BORDERS, i, leaf;

	for (i = 0; i < n; i++) {
		leaf = n < BORDERS ? i : mutant_rnd(&s->m, s->m.n_leaves);
		ask_range(t, s, s->first[leaf + 1], s->first[leaf + 1]);
	}
}

static void ask_around(struct tally *t, struct shape *s)
{
	bool leaves_only = s->m.cut == s->m.size;
	size_t i, leaf;

	for (i = 0; i < s->m.n_dirty; i++) {
		leaf = leaf_of(s, s->m.dirty[i]);
		if (leaf < s->m.n_leaves)
			ask_range(t, s, s->first[leaf], s->first[leaf + 1]);
		else
			leaves_only = false;
	}
	if (!leaves_only)
		ask_borders(t, s);
	ask_zones(t);
	/* a whole list is long: rarely */
	if (t->mutants % (1 + s->set.n_entries / 200) == 0)
		list(t, s);
}

static void one_mutant(struct tally *t, struct shape *s, const struct mutant_class *c)
{
	if (!c->make(&s->m))
		return;
	t->mutants++;
	write_pages(s);
	if (s->m.cut < s->m.size)
		assert_int_equal(ftruncate(s->fd, (off_t)s->m.cut), 0);
	ask_around(t, s);
	if (s->m.cut < s->m.size)
		assert_int_equal(pwrite(s->fd, s->good + s->m.cut, s->m.size - s->m.cut,
					 (off_t)s->m.cut),
			s->m.size - s->m.cut);
	mutant_undo(&s->m);
	write_pages(s);
	s->m.n_dirty = 0;
}

/* ---- the mirrors ---- */

static unsigned char *slurp(const char *path, size_t *ret_size)
{
	struct stat st;
	unsigned char *bytes;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	(void)close(fd);
	*ret_size = (size_t)st.st_size;
	return bytes;
}

/* Both families, one of them, aliases or none, records of every size; of the older
 * generation some hosts were others. */
static void publish(struct mirror_set *set, const char *path, unsigned hosts, bool old)
{
	struct aero_publish_error err;
	char line[2000];
	unsigned i, a;
	int len;

	for (i = 0; i < hosts; i++) {
		len = snprintf(line, sizeof(line), "%s-%u 10.%u.%u.%u%s%x",
			i % 3 == 0 ? "web" : "db", i + (old && i % 50 == 7 ? 100000 : 0),
			old && i % 9 == 0 ? 9 : i >> 16, i >> 8 & 255, i & 255,
			i % 5 == 0   ? ",fd00::"
			: i % 5 == 1 ? ",fd01::1:"
				     : ",fd02::",
			i + 1);
		for (a = 0; a < (i % 97 == 0 ? 20 : i % 3); a++)
			len += snprintf(line + len, sizeof(line) - (size_t)len,
				" app%u-%u%s", a, i, i % 11 == 0 ? "." ZONE : "");
		assert_null(mirror_set_add(set, line));
	}
	assert_int_equal(mirror_set_publish(set, path, old ? 41 : 42, 1, ZONE, &err), 0);
}

static void shape_open(struct shape *s, const char *name, unsigned hosts, uint64_t seed)
{
	struct mirror_set older = {0};
	size_t size, older_size, i, e = 0;

	*s = (struct shape){.name = name};
	(void)snprintf(s->path, sizeof(s->path), "%s", test_path(name));
	publish(&older, s->path, hosts, true);
	s->older = slurp(s->path, &older_size);
	mirror_set_clear(&older);
	publish(&s->set, s->path, hosts, false);
	s->good = slurp(s->path, &size);
	mutant_open(&s->m, s->good, size, s->older, older_size, seed);
	s->first = calloc(s->m.n_leaves + 1, sizeof(size_t));
	assert_non_null(s->first);
	for (i = 0; i < s->m.n_leaves; i++) {
		const unsigned char *p = s->good + s->m.leaves[i] * MUTANT_PAGE;

		s->first[i] = e;
		/* the description is no entry of the set */
		for (size_t n = 0; n < (aero_le(p + 12, 2) - 16) / 2; n++)
			e += p[aero_le(p + 16 + 2 * n, 2) + 8] != AERO_KEY_META;
	}
	s->first[i] = e;
	assert_int_equal(e, s->set.n_entries);
	memcpy(s->m.bytes, s->good, size);
	s->fd = open(s->path, O_RDWR | O_CLOEXEC);
	assert_true(s->fd >= 0);
}

static void shape_close(struct shape *s)
{
	(void)close(s->fd);
	mutant_close(&s->m);
	mirror_set_clear(&s->set);
	free(s->first);
	free(s->good);
	free(s->older);
}

/* The file as it should be: everything is answered, nothing refused. */
static void all_is_well(struct shape *s)
{
	struct tally t = {0};

	*module.path = s->path;
	ask_range(&t, s, 0, s->set.n_entries - 1);
	ask_zones(&t);
	list(&t, s);
	assert_int_equal(t.right, t.asked);
	assert_int_equal(t.wrong + t.denied + t.refused + t.bad_lists, 0);
}

static void row(const char *name, const struct tally *t)
{
	printf("%-31s %8lu %9lu %9lu %9lu %6lu %6lu %8lu %6lu %7.0f\n", name, t->mutants,
		t->asked, t->right, t->refused, t->denied, t->wrong, t->lists,
		t->bad_lists, t->worst);
}

static void add(struct tally *sum, const struct tally *t)
{
	sum->mutants += t->mutants;
	sum->asked += t->asked;
	sum->right += t->right;
	sum->refused += t->refused;
	sum->denied += t->denied;
	sum->wrong += t->wrong;
	sum->lists += t->lists;
	sum->bad_lists += t->bad_lists;
	sum->worst = t->worst > sum->worst ? t->worst : sum->worst;
}

static void no_mutant_makes_it_lie(void **state)
{
	static const struct {
		const char *name;
		unsigned hosts;
		unsigned share; /* of the mutants, in a hundred */
	} rows[] = {{"two", 2, 20}, {"some", 300, 50}, {"many", 10000, 30}};
	unsigned long all = test_by_length(10500, 105000), i;
	struct tally *t = calloc(n_mutant_classes + 1, sizeof(*t)), *sum;
	const uint64_t seed = 0x9e3779b97f4a7c15;
	struct shape s;
	size_t shape, c;

	(void)state;
	sum = t + n_mutant_classes;
	for (shape = 0; shape < AERO_COUNT(rows); shape++) {
		shape_open(&s, rows[shape].name, rows[shape].hosts, seed + shape);
		all_is_well(&s);
		for (c = 0; c < n_mutant_classes; c++)
			for (i = 0; i < all * rows[shape].share / 100 / n_mutant_classes;
				i++)
				one_mutant(&t[c], &s, &mutant_classes[c]);
		all_is_well(&s); /* what was undone is undone */
		shape_close(&s);
	}
	printf("seed %#llx\n%-31s %8s %9s %9s %9s %6s %6s %8s %6s %7s\n",
		(unsigned long long)seed, "damage", "mutants", "asked", "true", "refused",
		"denied", "wrong", "lists", "bad", "max us");
	for (c = 0; c < n_mutant_classes; c++) {
		row(mutant_classes[c].name, &t[c]);
		add(sum, &t[c]);
		/* each class bites */
		assert_true(t[c].refused > 0);
	}
	row("all", sum);
	assert_int_equal(sum->wrong, 0);
	assert_int_equal(sum->denied, 0);
	assert_int_equal(sum->bad_lists, 0);
	assert_true(sum->worst <= MAX_US);
	free(t);
}

/* ---- what is no file of ours at all ---- */

static int ask_file(const char *path, int *ret_err)
{
	double start = now_us();
	int err = 0, herr = 0;
	struct hostent h;
	enum nss_status status;

	*module.path = path;
	status = module.byname2("web-0", AF_INET, &h, buf, sizeof(buf), &err, &herr);
	assert_true(now_us() - start < 10 * MAX_US);
	*ret_err = err;
	return (int)status;
}

static void sparse(const char *path, const char *good, off_t size)
{
	unsigned char *bytes;
	size_t len = 0;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	if (good != NULL) {
		bytes = slurp(good, &len);
		assert_int_equal(write(fd, bytes, len), len);
		free(bytes);
	}
	/* A file system with a limit below has to do with less. */
	while (ftruncate(fd, size) < 0 && size > 1 << 20)
		size /= 2;
	(void)close(fd);
}

static void what_is_no_file_is_refused(void **state)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	struct mirror_set set = {0};
	char good[512], files[9][512];
	int err, sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static const char *const names[] = {"empty", "terabyte", "longer", "fifo",
		"socket", "dangling", "loop", "link", "text"};
	enum { EMPTY, TERABYTE, LONGER, FIFO, SOCKET, DANGLING, LOOP, LINK, TEXT };
	size_t i;

	(void)state;
	(void)snprintf(good, sizeof(good), "%s", test_path("good"));
	for (i = 0; i < AERO_COUNT(names); i++)
		(void)snprintf(files[i], sizeof(files[i]), "%s", test_path(names[i]));
	publish(&set, good, 300, false);
	sparse(files[EMPTY], NULL, 0);
	sparse(files[TERABYTE], NULL, (off_t)1 << 40);
	sparse(files[LONGER], good, (off_t)1 << 40);
	assert_int_equal(mkfifo(files[FIFO], 0644), 0);
	assert_true(strlen(files[SOCKET]) < sizeof(where.sun_path));
	memcpy(where.sun_path, files[SOCKET], strlen(files[SOCKET]));
	assert_int_equal(bind(sock, (struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(symlink(test_path("nowhere"), files[DANGLING]), 0);
	assert_int_equal(symlink(files[LOOP], files[LOOP]), 0);
	assert_int_equal(symlink(good, files[LINK]), 0);
	test_write(files[TEXT], "127.0.0.1 localhost web-0\n");
	const struct {
		const char *path;
		int status, err;
	} rows[] = {
		{good, NSS_STATUS_SUCCESS, 0},
		{files[LINK], NSS_STATUS_SUCCESS, 0},
		{files[LONGER], NSS_STATUS_UNAVAIL, EBADMSG},
		{files[EMPTY], NSS_STATUS_UNAVAIL, EBADMSG},
		{files[TERABYTE], NSS_STATUS_UNAVAIL, EBADMSG},
		{files[FIFO], NSS_STATUS_UNAVAIL, EBADMSG},
		{files[SOCKET], NSS_STATUS_UNAVAIL, ENXIO},
		{files[DANGLING], NSS_STATUS_UNAVAIL, ENOENT},
		{files[LOOP], NSS_STATUS_UNAVAIL, ELOOP},
		{files[TEXT], NSS_STATUS_UNAVAIL, EBADMSG},
		{test_dir(), NSS_STATUS_UNAVAIL, EBADMSG},
		{"/dev/zero", NSS_STATUS_UNAVAIL, EBADMSG},
		{"/dev/null", NSS_STATUS_UNAVAIL, EBADMSG},
		{"/dev/urandom", NSS_STATUS_UNAVAIL, EBADMSG},
		{"/proc/self/mem", NSS_STATUS_UNAVAIL, EIO},
	};

	for (i = 0; i < AERO_COUNT(rows); i++) {
		assert_int_equal(ask_file(rows[i].path, &err), rows[i].status);
		assert_int_equal(err, rows[i].err);
	}
	(void)close(sock);
	mirror_set_clear(&set);
}

static void *symbol(void *so, const char *name)
{
	void *p = dlsym(so, name);

	if (p == NULL)
		fail_msg("%s is not exported", name);
	return p;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mutant_makes_it_lie),
		cmocka_unit_test(what_is_no_file_is_refused),
	};
	const char *top = getenv("top_builddir");
	char path[1024];
	void *so;

	(void)snprintf(path, sizeof(path), "%s/tests/.libs/libnss_aerostat_test.so.2",
		top != NULL ? top : ".");
	so = dlopen(path, RTLD_NOW);
	if (so == NULL) {
		(void)fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
#define LOAD(member, name) *(void **)&module.member = symbol(so, "_nss_aerostat_" name)
	LOAD(byname2, "gethostbyname2_r");
	LOAD(byname4, "gethostbyname4_r");
	LOAD(byaddr, "gethostbyaddr_r");
	LOAD(set, "sethostent");
	LOAD(get, "gethostent_r");
	*(void **)&module.path = symbol(so, "aero_test_hosts_path");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
