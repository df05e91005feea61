/* SPDX-License-Identifier: MIT */
/* lookup N MS KIND: microseconds of one look-up through glibc among the hosts web-0 ..
 * web-(N-1) at 10.0.0.0 + i, the quickest of many rounds of half a millisecond (or of two
 * calls), MS in all.
 *
 * hit, miss      gethostbyname_r of one that is there, of one that is not
 * reverse        gethostbyaddr_r
 * threads        hits from two threads at once, per call of both
 * cold, nothing  a process that makes one look-up, or none, from its start to its end
 * rss            kB of memory of a process after ten hits
 * once           one hit: exit 0 if it is found */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUND_US = 500, ROUNDS_MIN = 5, CALLS_MIN = 1, CALLS_MAX = 5000 };

static unsigned long hosts, calls;
static const char *kind;

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static bool look_up(unsigned long at)
{
	struct hostent host, *h = NULL;
	char name[32], buf[1024];
	const unsigned char addr[4] = {10, (unsigned char)(at >> 16),
		(unsigned char)(at >> 8), (unsigned char)at};
	int herr;

	if (*kind == 'r') {
		(void)gethostbyaddr_r(
			addr, 4, AF_INET, &host, buf, sizeof(buf), &h, &herr);
	} else {
		(void)snprintf(
			name, sizeof(name), "%s-%lu", *kind == 'm' ? "nope" : "web", at);
		(void)gethostbyname_r(name, &host, buf, sizeof(buf), &h, &herr);
	}
	return (h != NULL) == (*kind != 'm');
}

/* The number of those that ended as they should. Where a round is few calls, all rounds
 * ask the same names: /etc/hosts is read up to an address that is there. */
static void *work(void *arg)
{
	unsigned long i, x = (unsigned long)(uintptr_t)arg, right = 0;

	for (i = 0; i < calls; i++) {
		x = x * 6364136223846793005UL + 1442695040888963407UL;
		right += look_up(calls < 8 ? (hosts / 2 + i * 2654435761UL) % hosts
					   : (x >> 33) % hosts);
	}
	return (void *)(uintptr_t)right;
}

/* One process, this program, with a kind of its own. */
static bool start(const char *what)
{
	static char n[24];
	char *const argv[] = {strdup("lookup"), n, n, strdup(what), NULL};
	int status = 1;
	pid_t pid;

	(void)snprintf(n, sizeof(n), "%lu", hosts);
	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) == 0)
		(void)waitpid(pid, &status, 0);
	free(argv[0]);
	free(argv[3]);
	return status == 0;
}

/* False if a look-up did not end as it should. */
static bool one_round(unsigned long seed)
{
	unsigned long i, right = 0;
	pthread_t other;
	void *its;

	if (*kind == 'c' || *kind == 'n') {
		for (i = 0; i < calls; i++)
			right += start(*kind == 'c' ? "once" : "empty");
		return right == calls;
	}
	if (*kind != 't')
		return (uintptr_t)work((void *)(uintptr_t)seed) == calls;
	if (pthread_create(&other, NULL, work, (void *)(uintptr_t)(seed + 7777)) != 0)
		return false;
	right = (uintptr_t)work((void *)(uintptr_t)seed);
	(void)pthread_join(other, &its);
	return right + (uintptr_t)its == 2 * calls;
}

/* What else runs on the machine disturbs most rounds, and not the quickest. */
static int measure(double ms)
{
	double begin, took, all = 0, best = 1e12;
	unsigned long i;

	calls = 1;
	for (i = 0; i < 3; i++) { /* warm */
		begin = now();
		if (!one_round(i))
			return 1;
		took = now() - begin;
		best = took < best ? took : best;
	}
	calls = (unsigned long)((*kind == 't' ? 10 : 1) * ROUND_US /
				(best > 0.1 ? best : 0.1));
	calls = calls < CALLS_MIN ? CALLS_MIN : calls > CALLS_MAX ? CALLS_MAX : calls;
	best = 1e12;
	for (i = 0; i < ROUNDS_MIN || all < ms * 1e3; i++) {
		begin = now();
		if (!one_round(i + 3))
			return 1;
		took = now() - begin;
		all += took;
		best = took < best ? took : best;
	}
	(void)printf("%.2f\n", best / (double)calls / (*kind == 't' ? 2 : 1));
	return 0;
}

static int rss(void)
{
	char line[128];
	FILE *f;

	calls = 10;
	if ((uintptr_t)work(NULL) != calls)
		return 1;
	f = fopen("/proc/self/smaps_rollup", "re"); /* status is a rough count */
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "Rss:", 4) == 0)
			(void)printf("%ld\n", strtol(line + 4, NULL, 10));
	return f == NULL || fclose(f) != 0;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 64;
	hosts = strtoul(argv[1], NULL, 10);
	kind = argv[3];
	if (strcmp(kind, "empty") == 0)
		return 0;
	if (strcmp(kind, "once") == 0)
		return look_up(hosts / 2) ? 0 : 1;
	if (strcmp(kind, "rss") == 0) {
		kind = "hit";
		return rss();
	}
	return measure(strtod(argv[2], NULL));
}
