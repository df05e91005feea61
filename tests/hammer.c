/* SPDX-License-Identifier: MIT */
/* hammer FILE [LOOKUPS [PER_SECOND]]: four threads and four processes look names up
 * through glibc while generations are published as FILE. All addresses of a generation
 * tell the host and the generation, so an answer that is wrong, missing, mixed of two
 * generations, or older than what was published before the call, is seen. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mirror/publish.h"

enum { HOSTS = 500, ADDRS = 3, WORKERS = 4 };

/* Shared by the processes. */
struct board {
	atomic_uint begun, published; /* generations */
	atomic_uint running;
	atomic_ulong lookups, missing, wrong, mixed, stale;
};

static struct board *board;
static unsigned long each;

struct host {
	char name[16];
	unsigned char key[AERO_KEY_MAX], addr4[4 * ADDRS], addr6[16 * ADDRS];
	struct aero_rec rec;
};

static struct host hosts[HOSTS];

/* fdae::GENERATION:HOST:n and 10.GENERATION.x.y, y counting hosts and n. */
static void stamp(struct host *h, unsigned i, unsigned generation)
{
	unsigned n, x = i * ADDRS;

	for (n = 0; n < ADDRS; n++, x++) {
		unsigned char *a = h->addr4 + 4 * n, *b = h->addr6 + 16 * n;
		uint32_t g = htonl(generation), who = htonl(i);

		a[0] = 10;
		a[1] = (unsigned char)generation;
		a[2] = (unsigned char)(x >> 8);
		a[3] = (unsigned char)x;
		memset(b, 0, 16);
		b[0] = 0xfd;
		b[1] = 0xae;
		memcpy(b + 4, &g, 4);
		memcpy(b + 8, &who, 4);
		b[15] = (unsigned char)n;
	}
}

static int publish(const char *path, unsigned generation, struct aero_published *keep)
{
	static struct aero_entry entries[HOSTS];
	struct aero_generation gen = {.entries = entries,
		.n_entries = HOSTS,
		.meta = {.generation = generation, .zones = ""}};
	struct aero_publish_error err;
	size_t cut;
	unsigned i;

	for (i = 0; i < HOSTS; i++) {
		struct host *h = &hosts[i];

		(void)snprintf(h->name, sizeof(h->name), "web-%u", i);
		stamp(h, i, generation);
		h->rec = (struct aero_rec){.n4 = ADDRS,
			.n6 = ADDRS,
			.addr4 = h->addr4,
			.addr6 = h->addr6,
			.canon = h->name,
			.aliases = ""};
		entries[i] = (struct aero_entry){.key = h->key,
			.rec = &h->rec,
			.keylen = aero_name_key(h->name, h->key)};
	}
	if (aero_publish(path, &gen, keep, &cut, &err) == 0)
		return 0;
	(void)fprintf(
		stderr, "hammer: %s: %s\n", err.step, aero_publish_strerror(err.code));
	return -1;
}

/* Is this what generation g says of host i? */
static void judge(const struct hostent *h, unsigned i, unsigned from, unsigned until)
{
	struct host want;
	unsigned n, g = 0, v6 = h->h_addrtype == AF_INET6;
	uint32_t word;

	if (v6) {
		memcpy(&word, h->h_addr_list[0] + 4, 4);
		g = ntohl(word);
	} else {
		/* The low byte of the generation nearest to now. */
		for (g = until;
			g > from && (unsigned char)h->h_addr_list[0][1] != (g & 255);)
			g--;
	}
	stamp(&want, i, g);
	for (n = 0; n < ADDRS; n++) {
		if (h->h_addr_list[n] == NULL ||
			memcmp(h->h_addr_list[n],
				v6 ? want.addr6 + 16 * n : want.addr4 + 4 * n,
				v6 ? 16 : 4) != 0) {
			atomic_fetch_add(n == 0 ? &board->wrong : &board->mixed, 1);
			return;
		}
	}
	if (g < from || g > until)
		atomic_fetch_add(&board->stale, 1);
}

static void *work(void *arg)
{
	unsigned long done;
	unsigned x = (unsigned)(uintptr_t)arg * 7919 + 1, i, from;
	struct hostent host, *h;
	char name[16], buf[1024];
	int herr, rc;

	(void)!nice(5); /* this thread: the publisher goes first */
	for (done = 0; done < each; done++) {
		x = x * 1103515245 + 12345;
		i = (x >> 8) % HOSTS;
		(void)snprintf(name, sizeof(name), "web-%u", i);
		from = atomic_load(&board->published);
		rc = gethostbyname2_r(name, x >> 20 & 1 ? AF_INET6 : AF_INET, &host, buf,
			sizeof(buf), &h, &herr);
		if (rc != 0 || h == NULL)
			atomic_fetch_add(&board->missing, 1);
		else
			judge(h, i, from, atomic_load(&board->begun));
	}
	atomic_fetch_add(&board->lookups, done);
	atomic_fetch_sub(&board->running, 1);
	return NULL;
}

static int run(const char *path, struct aero_published *keep, long per_second)
{
	struct timespec next;
	pthread_t threads[WORKERS];
	unsigned generation = 1;
	pid_t pids[WORKERS];
	uintptr_t i;
	int failed = 0;

	atomic_store(&board->running, 2 * WORKERS);
	for (i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			(void)work((void *)(100 + i));
			_exit(0);
		}
		if (pids[i] < 0)
			return -1;
	}
	for (i = 0; i < WORKERS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
			return -1;
	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	while (atomic_load(&board->running) > 0 && !failed) {
		next.tv_nsec += 1000000000L / per_second;
		if (next.tv_nsec >= 1000000000L) {
			next.tv_nsec -= 1000000000L;
			next.tv_sec++;
		}
		atomic_store(&board->begun, ++generation);
		failed = publish(path, generation, keep) < 0;
		atomic_store(&board->published, generation);
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	for (i = 0; i < WORKERS; i++) {
		(void)pthread_join(threads[i], NULL);
		(void)waitpid(pids[i], NULL, 0);
	}
	return failed ? -1 : (int)generation;
}

int main(int argc, char **argv)
{
	unsigned long lookups = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
	long per_second = argc > 3 ? strtol(argv[3], NULL, 10) : 100;
	struct aero_published keep = {.old_fd = -1};
	struct timespec t0, t1;
	double seconds;
	int generations;

	if (argc < 2 || per_second < 1)
		return 64;
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED || publish(argv[1], 1, &keep) < 0)
		return 70;
	atomic_store(&board->begun, 1);
	atomic_store(&board->published, 1);
	each = lookups / (2 * WORKERS);
	(void)clock_gettime(CLOCK_MONOTONIC, &t0);
	generations = run(argv[1], &keep, per_second);
	(void)clock_gettime(CLOCK_MONOTONIC, &t1);
	if (generations < 0)
		return 70;
	aero_published_close(&keep);
	seconds =
		(double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	(void)printf(
		"%lu look-ups in %.1f s over %d generations: %lu missing, %lu wrong, "
		"%lu mixed, %lu stale\n",
		atomic_load(&board->lookups), seconds, generations,
		atomic_load(&board->missing), atomic_load(&board->wrong),
		atomic_load(&board->mixed), atomic_load(&board->stale));
	return atomic_load(&board->lookups) == each * 2 * WORKERS &&
			       atomic_load(&board->missing) + atomic_load(&board->wrong) +
					       atomic_load(&board->mixed) +
					       atomic_load(&board->stale) ==
				       0 &&
			       generations > 10
		       ? 0
		       : 1;
}
