/* SPDX-License-Identifier: MIT */
/*
 * What a publish costs: documents in, hosts.mdb on the disk; whole, and after one
 * document has changed. Beside it stands what the disk alone takes: the same number of
 * bytes, written plainly, brought to the disk and renamed.
 *
 * bench/publish [NAMES...]; default 1000 10000 100000. TMPDIR says on which disk.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/loop.h"
#include "mirror/publish.h"
#include "syncd/answers.h"

#define CHANGES 25

static char dir[PATH_MAX / 2], path[PATH_MAX], plain[PATH_MAX], renamed[PATH_MAX];
static uint64_t generation;

static _Noreturn void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, why);
	exit(1);
}

static void put(struct aero_answers *answers, int i, int octet, int aliases)
{
	bson_t doc = BSON_INITIALIZER, list;
	struct aero_err err;
	char text[64], key[8];

	BSON_APPEND_INT32(&doc, "_id", i);
	(void)snprintf(text, sizeof(text), "web-%d", i);
	BSON_APPEND_UTF8(&doc, "hostname", text);
	(void)snprintf(text, sizeof(text), "i-%017x", (unsigned)i);
	BSON_APPEND_UTF8(&doc, "instance_id", text);
	(void)snprintf(text, sizeof(text), "10.%d.%d.%d", octet + (i >> 16), i >> 8 & 255,
		i & 255);
	BSON_APPEND_UTF8(&doc, "ip", text);
	BSON_APPEND_ARRAY_BEGIN(&doc, "aliases", &list);
	for (int j = 0; j < aliases; j++) {
		(void)snprintf(key, sizeof(key), "%d", j);
		(void)snprintf(text, sizeof(text), "%s%d", j == 0 ? "www" : "app", i);
		BSON_APPEND_UTF8(&list, key, text);
	}
	bson_append_array_end(&doc, &list);
	if (aero_answers_put(answers, &i, sizeof(i), &doc, &err) != AERO_OK)
		die("a document", err.msg);
	bson_destroy(&doc);
}

static void publish(struct aero_answers *answers, struct aero_published *keep, bool delta)
{
	struct aero_answers_walk walk;
	struct aero_generation gen = {.next = aero_answers_next,
		.arg = &walk,
		.delta = delta,
		.meta = {.zones = ""}};
	struct aero_publish_error failure;
	struct aero_answer_set set;
	struct aero_err err;
	size_t cut;

	gen.meta.generation = ++generation;
	if (aero_answers_make(answers, &set, &err) != AERO_OK)
		die("answers", err.msg);
	aero_answers_walk(answers, delta, &walk);
	if (aero_publish(path, &gen, keep, &cut, &failure) < 0)
		die(failure.step, aero_publish_strerror(failure.code));
	aero_answers_published(answers);
}

/* The disk's own part. */
static void write_plainly(size_t size)
{
	char *bytes = calloc(1, size);
	int fd = open(plain, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int to = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (bytes == NULL || fd < 0 || to < 0 ||
		write(fd, bytes, size) != (ssize_t)size || fsync(fd) < 0 ||
		rename(plain, renamed) < 0 || fsync(to) < 0)
		die(plain, strerror(errno));
	(void)close(fd);
	(void)close(to);
	free(bytes);
}

static double now(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static const char *verdict(double got, double goal)
{
	return goal == 0 ? "" : got <= goal ? "met" : "MISSED";
}

static void measure(int n, int aliases)
{
	double wall[CHANGES], cpu[CHANGES], disk[CHANGES], whole, made;
	double goal = n == 10000 ? 10 : n == 100000 ? 80 : 0;
	struct aero_list zones = {0};
	const struct aero_answers_opts opts = {.domain = "", .zones = &zones};
	struct aero_published keep = {.old_fd = -1};
	struct aero_answers *answers = NULL;
	struct mallinfo2 before = mallinfo2(), after;
	struct aero_err err;
	struct stat st;

	if (aero_answers_new(&opts, &answers, &err) != AERO_OK)
		die("answers", err.msg);
	made = now(CLOCK_MONOTONIC);
	for (int i = 0; i < n; i++)
		put(answers, (int)((unsigned)i * 7919u % (unsigned)n), 10, aliases);
	whole = now(CLOCK_MONOTONIC);
	made = whole - made;
	publish(answers, &keep, false);
	whole = now(CLOCK_MONOTONIC) - whole;
	after = mallinfo2();
	if (stat(path, &st) < 0)
		die(path, strerror(errno));
	for (int c = 0; c < CHANGES; c++) {
		put(answers, (int)((unsigned)c * 104729u % (unsigned)n), 100 + c,
			aliases);
		wall[c] = now(CLOCK_MONOTONIC);
		cpu[c] = now(CLOCK_PROCESS_CPUTIME_ID);
		publish(answers, &keep, aero_published_base(&keep));
		wall[c] = now(CLOCK_MONOTONIC) - wall[c];
		cpu[c] = now(CLOCK_PROCESS_CPUTIME_ID) - cpu[c];
		disk[c] = now(CLOCK_MONOTONIC);
		write_plainly((size_t)st.st_size);
		disk[c] = now(CLOCK_MONOTONIC) - disk[c];
	}
	qsort(wall, CHANGES, sizeof(*wall), compare);
	qsort(cpu, CHANGES, sizeof(*cpu), compare);
	qsort(disk, CHANGES, sizeof(*disk), compare);
	printf("%8d %7d %8.1f %6zu %8.0f %8.0f %8.1f %8.1f %8.1f %8.1f %6.0f %s\n", n,
		aliases, (double)st.st_size / 1e6,
		(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) /
			(size_t)n,
		made, whole, wall[CHANGES / 2], wall[CHANGES * 9 / 10], cpu[CHANGES / 2],
		disk[CHANGES / 2], goal, verdict(wall[CHANGES / 2], goal));
	(void)fflush(stdout);
	aero_published_close(&keep);
	aero_answers_free(answers);
}

int main(int argc, char *argv[])
{
	static const int sizes[] = {1000, 10000, 100000};
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(
		dir, sizeof(dir), "%s/aerostat-bench-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		die(dir, strerror(errno));
	(void)snprintf(path, sizeof(path), "%s/hosts.mdb", dir);
	(void)snprintf(plain, sizeof(plain), "%s/plain", dir);
	(void)snprintf(renamed, sizeof(renamed), "%s/renamed", dir);
	printf("%8s %7s %8s %6s %8s %8s %8s %8s %8s %8s %6s\n", "names", "aliases", "MB",
		"B/doc", "read ms", "whole ms", "one p50", "one p90", "cpu p50",
		"disk p50", "goal");
	for (int i = 0; i < (argc > 1 ? argc - 1 : 3); i++) {
		int n = argc > 1 ? (int)strtol(argv[i + 1], NULL, 10) : sizes[i];

		if (n < 1)
			return 64;
		measure(n, 0);
		measure(n, 2);
	}
	(void)unlink(renamed);
	(void)unlink(path);
	(void)rmdir(dir);
	return 0;
}
