/* SPDX-License-Identifier: MIT */
/*
 * How long a change takes from its commit in the store until every look-up sees it, and
 * how long a first synchronisation takes: a real aerostat-syncd over a real store.
 *
 * bench/publish [NAMES [CHANGES [SERVER]]]; SERVER is filled if it is empty, else it
 * should hold web-0 to web-NAMES-1.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/loop.h"
#include "lib/store.h"
#include "mirror/reader.h"

static char root[] = "/tmp/aerostat-bench-XXXXXX";
static char *hosts;

static _Noreturn void die(const char *what, const struct aero_err *err)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, err->msg);
	exit(1);
}

static void fill(struct aero_slot *slot, int i, int octet, char *name, char *id, char *ip)
{
	static char service[] = "web", type[] = "iterative", none[] = "";

	(void)snprintf(name, 32, "web-%d", i);
	(void)snprintf(id, 32, "i-%08x", (unsigned)i);
	(void)snprintf(ip, 32, "10.%d.%d.%d", octet, (i >> 8) & 255, i & 255);
	*slot = (struct aero_slot){
		.hostname = name, .service = service, .service_type = type};
	slot->who.instance_id = id;
	slot->who.ip = ip;
	slot->who.ip6 = none;
}

static void put(struct aero_store *store, int i, int octet)
{
	char name[32], id[32], ip[32];
	struct aero_slot slot;
	struct aero_err err;

	fill(&slot, i, octet, name, id, ip);
	if (aero_store_slot_import(store, &slot, &err) != AERO_OK)
		die(name, &err);
}

static void put_all(struct aero_store *store, int n)
{
	struct aero_slot *slots = calloc((size_t)n, sizeof(*slots));
	char(*texts)[3][32] = calloc((size_t)n, sizeof(*texts));
	struct aero_err err;
	int rc;

	if (slots == NULL || texts == NULL)
		exit(1);
	for (int i = 0; i < n; i++)
		fill(&slots[i], i, i >> 16, texts[i][0], texts[i][1], texts[i][2]);
	rc = aero_store_slots_insert(store, slots, (size_t)n, &err);
	if (rc != AERO_OK)
		die("fill the store", &err);
	free(slots);
	free(texts);
}

/* One at a time takes its time with MongoDB: a store that is full already is taken. */
static void put_missing(struct aero_store *store, int n)
{
	struct aero_slots slots = {0};
	struct aero_err err;
	int rc = aero_store_slots(store, NULL, &slots, &err);

	if (rc != AERO_OK && rc != AERO_MISS)
		die("the store", &err);
	if (slots.n == 0)
		put_all(store, n);
	aero_slots_clear(&slots);
}

/* Is the address published as that of a name? */
static int visible(int i, int octet)
{
	unsigned char key[AERO_KEY_MAX];
	struct aero_reader r;
	struct aero_rec rec;
	char name[32];
	int is = 0;

	(void)snprintf(name, sizeof(name), "web-%d", i);
	if (aero_reader_open(&r, hosts) != AERO_READ_OK)
		return 0;
	if (aero_reader_get(&r, key, aero_name_key(name, key), &rec) == AERO_READ_OK)
		is = rec.n4 == 1 && rec.addr4[1] == octet;
	aero_reader_close(&r);
	return is;
}

static pid_t start(const char *server, const char *once)
{
	char *argv[6], texts[3][256];
	pid_t pid;
	int e;

	(void)snprintf(texts[0], sizeof(texts[0]), "--root=%s", root);
	(void)snprintf(texts[1], sizeof(texts[1]), "--server=%s", server);
	(void)snprintf(texts[2], sizeof(texts[2]), "%s", once);
	argv[0] = strdup("aerostat-syncd");
	argv[1] = texts[0];
	argv[2] = texts[1];
	argv[3] = strdup("--loglevel=ERROR");
	argv[4] = *once != '\0' ? texts[2] : NULL;
	argv[5] = NULL;
	e = posix_spawn(&pid, "./aerostat-syncd", NULL, NULL, argv, environ);
	free(argv[0]);
	free(argv[3]);
	if (e != 0) {
		(void)fprintf(stderr, "bench: ./aerostat-syncd: %s\n", strerror(e));
		exit(1);
	}
	return pid;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void nap(long ns)
{
	const struct timespec pause = {.tv_nsec = ns};

	(void)nanosleep(&pause, NULL);
}

static void changes(struct aero_store *store, int names, int n)
{
	int64_t *took = calloc((size_t)n, sizeof(*took));

	if (took == NULL)
		exit(1);
	for (int c = 0; c < n; c++) {
		int i = (int)((unsigned)c * 7919u % (unsigned)names),
		    octet = 100 + c % 100;
		int64_t begin;

		put(store, i, octet);
		begin = aero_unix_ns();
		while (!visible(i, octet))
			if (aero_unix_ns() - begin > 10000000000)
				die("a change", &(struct aero_err){"not seen in 10 s"});
		took[c] = aero_unix_ns() - begin;
		nap(250000000); /* past the debounce */
	}
	qsort(took, (size_t)n, sizeof(*took), compare);
	printf("change, %d names: commit to visible p50 %.1f p90 %.1f max %.1f ms\n",
		names, (double)took[n / 2] / 1e6, (double)took[n * 9 / 10] / 1e6,
		(double)took[n - 1] / 1e6);
	free(took);
}

int main(int argc, char *argv[])
{
	int names = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 10000;
	int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 40;
	struct aero_store *store = NULL;
	struct aero_err err;
	char server[256], *dir = NULL;
	struct aero_store_opts opts = {
		.server = server, .port = 27017, .database = "aerostat", .role = "bench"};
	struct rusage used;
	int64_t begin;
	pid_t pid;

	if (names < 1 || n < 1 || mkdtemp(root) == NULL)
		return 64;
	if (asprintf(&hosts, "%s/var/lib/aerostat/hosts.mdb", root) < 0)
		return 75;
	if (argc > 3)
		(void)snprintf(server, sizeof(server), "%s", argv[3]);
	else
		(void)snprintf(server, sizeof(server), "lmdb:%s/store", root);
	if (aero_store_open(&opts, &store, &err) != AERO_OK)
		die(server, &err);
	put_missing(store, names);
	begin = aero_unix_ns();
	if (asprintf(&dir, "%s/etc", root) < 0 || aero_dir_make(dir, &err) != AERO_OK)
		return 75;
	free(dir);
	pid = start(server, "--once");
	(void)waitpid(pid, NULL, 0);
	printf("first synchronisation, %d documents: %.0f ms\n", names,
		(double)(aero_unix_ns() - begin) / 1e6);
	pid = start(server, "");
	nap(900000000);
	changes(store, names, n);
	(void)kill(pid, SIGTERM);
	(void)wait4(pid, NULL, 0, &used);
	printf("processor time, start and /etc/hosts included: %.1f ms a change\n",
		((double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
			(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3) /
			n);
	printf("resident at most: %ld MB\n", used.ru_maxrss / 1024);
	aero_store_close(store);
	free(hosts);
	return 0;
}
