/* SPDX-License-Identifier: MIT */
/* lookup N CALLS [hit|miss|reverse|threads]: microseconds of one gethostbyname_r or
 * gethostbyaddr_r through glibc, among the hosts web-0 .. web-(N-1) at 10.0.0.0 + i: the
 * median of nine rounds. `threads`: hits from two threads at once, per call of both. */
#include "config.h"

#include <netdb.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { ROUNDS = 9 };

static unsigned long hosts, calls;
static const char *kind;

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void *work(void *arg)
{
	unsigned long i, x = (unsigned long)(uintptr_t)arg, found = 0;
	struct hostent host, *h;
	unsigned char addr[4];
	char name[32], buf[1024];
	int herr;

	for (i = 0; i < calls; i++) {
		x = x * 6364136223846793005UL + 1442695040888963407UL;
		unsigned long at = (x >> 33) % hosts;

		h = NULL;
		if (*kind == 'r') {
			addr[0] = 10;
			addr[1] = (unsigned char)(at >> 16);
			addr[2] = (unsigned char)(at >> 8);
			addr[3] = (unsigned char)at;
			(void)gethostbyaddr_r(
				addr, 4, AF_INET, &host, buf, sizeof(buf), &h, &herr);
		} else {
			(void)snprintf(name, sizeof(name), "%s-%lu",
				*kind == 'm' ? "nope" : "web", at);
			(void)gethostbyname_r(name, &host, buf, sizeof(buf), &h, &herr);
		}
		found += h != NULL;
	}
	return (void *)(uintptr_t)found;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	double rounds[ROUNDS], start;
	pthread_t other;
	void *found;
	int i;

	if (argc < 3)
		return 64;
	hosts = strtoul(argv[1], NULL, 10);
	calls = strtoul(argv[2], NULL, 10);
	kind = argc > 3 ? argv[3] : "hit";
	for (i = 0; i < ROUNDS; i++) {
		start = now();
		if (*kind == 't' && pthread_create(&other, NULL, work, (void *)7) != 0)
			return 70;
		found = work((void *)(uintptr_t)(i + 1));
		if (*kind == 't')
			(void)pthread_join(other, NULL);
		rounds[i] = (now() - start) / (double)(*kind == 't' ? 2 * calls : calls);
		if ((uintptr_t)found != (*kind == 'm' ? 0 : calls)) {
			(void)fprintf(stderr, "lookup: %lu of %lu found\n",
				(unsigned long)(uintptr_t)found, calls);
			return 1;
		}
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	(void)printf("%.2f\n", rounds[ROUNDS / 2]);
	return 0;
}
