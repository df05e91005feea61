/* SPDX-License-Identifier: MIT */
/*
 * How long a change takes from its acknowledged write in the store until a process that
 * runs already sees it through getaddrinfo; how long a first synchronisation takes, and
 * how much memory. Run by bench/propagation.sh, in a namespace where /etc and
 * /var/lib/aerostat are ours.
 *
 * bench/propagation SERVER DATABASE NAMES CHANGES LABEL: the store is filled if it is
 * empty, else it should hold web-0 to web-NAMES-1.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/loop.h"
#include "lib/store.h"

#define MIRROR "/var/lib/aerostat/hosts.mdb"
#define LIMIT_NS 120000000000

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

/* Does the name have this address, for us? */
static bool visible(int i, int octet)
{
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct sockaddr_in addr;
	char name[32];
	bool is = false;

	(void)snprintf(name, sizeof(name), "web-%d", i);
	if (getaddrinfo(name, NULL, &hints, &found) != 0)
		return false;
	memcpy(&addr, found->ai_addr, sizeof(addr));
	is = found->ai_next == NULL &&
	     (ntohl(addr.sin_addr.s_addr) >> 16 & 255) == (uint32_t)octet;
	freeaddrinfo(found);
	return is;
}

static void nap(long ns)
{
	const struct timespec pause = {.tv_nsec = ns};

	(void)nanosleep(&pause, NULL);
}

static pid_t start(const char *server, const char *database, const char *hosts_file)
{
	char program[] = "aerostat-syncd", level[] = "--loglevel=ERROR", texts[3][512];
	char *argv[] = {program, level, texts[0], texts[1], texts[2], NULL};
	pid_t pid;
	int e;

	(void)snprintf(texts[0], sizeof(texts[0]), "--server=%s", server);
	(void)snprintf(texts[1], sizeof(texts[1]), "--database=%s", database);
	(void)snprintf(texts[2], sizeof(texts[2]), "--hosts-file=%s", hosts_file);
	e = posix_spawnp(&pid, program, NULL, NULL, argv, environ);
	if (e != 0)
		die(program, &(struct aero_err){"cannot be started"});
	return pid;
}

static void stop(pid_t pid)
{
	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
}

/* A figure of /proc/PID/status, in MB. */
static double memory(pid_t pid, const char *what)
{
	char path[64], line[256];
	double mb = 0;
	FILE *in;

	(void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	in = fopen(path, "re");
	while (in != NULL && fgets(line, sizeof(line), in) != NULL)
		if (strncmp(line, what, strlen(what)) == 0)
			mb = (double)strtol(line + strlen(what) + 1, NULL, 10) / 1024;
	if (in != NULL)
		(void)fclose(in);
	return mb;
}

/* Processor time of a process so far, in ms. */
static double used(pid_t pid)
{
	struct timespec t = {0};
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) == 0)
		(void)clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static const char *verdict(double got, double goal)
{
	return goal == 0 ? "" : got <= goal ? " met" : " MISSED";
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void changes(struct aero_store *store, pid_t pid, int names, int n, int base,
	const char *label)
{
	int64_t *took = calloc((size_t)n, sizeof(*took));
	double goal = names == 10000 ? 1 : 0, cpu = used(pid), p50, p99;

	if (took == NULL)
		exit(1);
	for (int c = 0; c < n; c++) {
		int i = (int)((unsigned)c * 7919u % (unsigned)names);
		int octet = base + c % 90; /* none that it has already */
		int64_t begin;

		put(store, i, octet);
		begin = aero_unix_ns();
		while (!visible(i, octet)) {
			if (aero_unix_ns() - begin > LIMIT_NS)
				die("a change", &(struct aero_err){"not seen in 120 s"});
			nap(100000);
		}
		took[c] = aero_unix_ns() - begin;
		nap(250000000 + 997 * (c % 8)); /* past the debounce */
	}
	cpu = (used(pid) - cpu) / n;
	qsort(took, (size_t)n, sizeof(*took), compare);
	p50 = (double)took[n / 2] / 1e6;
	p99 = (double)took[(n * 99 - 1) / 100] / 1e6;
	printf("%-31s %7d names: write to visible p50 %.1f%s p90 %.1f p99 %.1f%s ms; "
	       "%.1f ms of processor each\n",
		label, names, p50, verdict(p50, 15 * goal),
		(double)took[n * 9 / 10] / 1e6, p99, verdict(p99, 100 * goal), cpu);
	(void)fflush(stdout);
	free(took);
}

static void first(const char *server, const char *database, int names, const char *label)
{
	int64_t begin = aero_unix_ns();
	pid_t pid = start(server, database, "full");
	double goal = names == 100000 ? 1 : 0, ms, settled, rss_goal;

	while (access(MIRROR, F_OK) < 0 && aero_unix_ns() - begin < LIMIT_NS)
		nap(1000000);
	ms = (double)(aero_unix_ns() - begin) / 1e6;
	for (int i = 0; i < 6; i++)
		nap(900000000);
	settled = memory(pid, "VmRSS:");
	rss_goal = names == 1000 ? 15 : 60 * goal;
	printf("%-31s %7d names: first sync %.0f%s ms; resident then %.1f%s MB "
	       "(anonymous "
	       "%.1f, files %.1f), at most %.1f MB\n",
		label, names, ms, verdict(ms, 1500 * goal), settled,
		verdict(settled, rss_goal), memory(pid, "RssAnon:"),
		memory(pid, "RssFile:"), memory(pid, "VmHWM:"));
	(void)fflush(stdout);
	stop(pid);
}

int main(int argc, char *argv[])
{
	static const char *const files[] = {"self", "full"};
	struct aero_store *store = NULL;
	char label[64];
	struct aero_err err;
	int names, n;

	if (argc != 6)
		return 64;
	struct aero_store_opts opts = {
		.server = argv[1], .port = 27017, .database = argv[2], .role = "bench"};
	names = (int)strtol(argv[3], NULL, 10);
	n = (int)strtol(argv[4], NULL, 10);
	if (names < 1 || n < 1)
		return 64;
	if (aero_store_open(&opts, &store, &err) != AERO_OK)
		die(argv[1], &err);
	put_missing(store, names);
	first(argv[1], argv[2], names, argv[5]);
	for (int i = 0; i < 2; i++) {
		pid_t pid = start(argv[1], argv[2], files[i]);

		for (int j = 0; j < 3; j++)
			nap(900000000);
		(void)snprintf(
			label, sizeof(label), "%s, hosts_file %s", argv[5], files[i]);
		changes(store, pid, names, n, 50 + 100 * i, label);
		stop(pid);
	}
	aero_store_close(store);
	return 0;
}
