/* SPDX-License-Identifier: MIT */
/* Rows of tests/hostile: a process whose other parts interfere. */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/hostile.h"

enum { THREADS = 8 };

/* --- descriptors closed under the module */

/* The application's own files take the numbers of what it closed, a few more or less each
 * time; all of them must live on. */
static bool closed_between(unsigned n)
{
	enum { FILES = 8 };
	struct stat was[FILES], now;
	int fd, files, k;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (close_range(3, ~0U, 0) < 0)
			return wrong("close_range: %s", strerror(errno));
		files = 1 + (int)(i * 5 % FILES);
		for (k = 0; k < files; k++) {
			fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
			if (fd != 3 + k || fstat(fd, &was[k]) < 0)
				return wrong("the application's file is %d", fd);
		}
		if (!ask_module(i) || !ask_glibc(i))
			return false;
		for (k = 0; k < files; k++)
			if (fstat(3 + k, &now) < 0 || now.st_ino != was[k].st_ino)
				return wrong("the application's %d was closed", 3 + k);
		fd = dup(0);
		if (fd != 3 + files)
			return wrong("something is left open at %d", 3 + files);
	}
	return true;
}

bool row_closefrom(unsigned n)
{
	return in_child(closed_between, n);
}

/* Descriptor 0 is a good one. */
static bool without_stdio(unsigned n)
{
	if (close_range(0, ~0U, 0) < 0 || !ask_both(n))
		return false;
	return globals_fds(NULL) == 0 ||
	       wrong("%d descriptors, not 0", globals_fds(NULL));
}

bool row_no_stdio(unsigned n)
{
	return in_child(without_stdio, n);
}

/* --- fork */

static atomic_bool stop;

static void *keep_asking(void *arg)
{
	unsigned x = (unsigned)(uintptr_t)arg;

	for (; !atomic_load(&stop); x += THREADS)
		if (!ask_module(x) || !ask_glibc(x))
			break;
	return NULL;
}

/* By the module alone: the lock of glibc 2.36 around resolv.conf is not reset by fork, so
 * its chain may hang in a child of threads that look up, whatever the module. */
static bool ask_some(unsigned n)
{
	unsigned x;

	for (x = 0; x < n; x++)
		if (!ask_module(x))
			return false;
	return true;
}

bool row_fork(unsigned n)
{
	pthread_t threads[THREADS];
	bool good = true;
	unsigned i;

	atomic_store(&stop, false);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(
			    &threads[i], NULL, keep_asking, (void *)(uintptr_t)i) != 0)
			return wrong("no thread");
	for (i = 0; i < n && good; i++)
		good = in_child(ask_some, 64);
	note("%u children of 8 asking threads", i);
	atomic_store(&stop, true);
	for (i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	return good;
}

/* --- signals */

static atomic_uint alarms;
static bool handler_asks;

static void on_alarm(int sig)
{
	unsigned x = atomic_fetch_add(&alarms, 1);

	(void)sig;
	if (handler_asks)
		(void)ask_module(x);
	errno = 4711; /* as careless handlers do */
}

static bool stormed(unsigned n)
{
	static const struct {
		int flags;
		bool asks;
	} storms[] = {{0, false}, {SA_RESTART, false}, {0, true}, {SA_RESTART, true}};
	struct itimerval timer = {.it_interval.tv_usec = 150, .it_value.tv_usec = 150},
			 none = {0};
	struct sigaction act = {.sa_handler = on_alarm};
	bool good = true;
	unsigned before;
	size_t i;

	ask_errno = false;
	for (i = 0; i < sizeof(storms) / sizeof(storms[0]) && good; i++) {
		act.sa_flags = storms[i].flags;
		handler_asks = storms[i].asks;
		before = atomic_load(&alarms);
		(void)sigaction(SIGALRM, &act, NULL);
		(void)setitimer(ITIMER_REAL, &timer, NULL);
		do
			good = ask_both(n);
		while (good && atomic_load(&alarms) < before + n / 20);
		(void)setitimer(ITIMER_REAL, &none, NULL);
		/* What a handler saw; and glibc's own part is not always restarted. */
		good = good && atomic_load(&board->wrong) == 0;
	}
	note("%u alarms, 150 us apart; each half with a handler that asks too",
		atomic_load(&alarms));
	return good;
}

bool row_storm(unsigned n)
{
	return in_child(stormed, n);
}

/* --- cancellation, of the deferred type. No function but three of pthread's may be
 * called in a thread that can be cancelled at any instruction (POSIX 2.9.5.4), and
 * glibc 2.36 cancels it even between pthread_setcancelstate(PTHREAD_CANCEL_DISABLE) and
 * its end. */

struct victim {
	bool glibc;
	atomic_bool asks;
};

static void *ask_until_cancelled(void *arg)
{
	struct victim *v = arg;
	unsigned x;

	for (x = 0;; x++) {
		if (!(v->glibc ? ask_glibc(x) : ask_module(x)))
			return NULL;
		atomic_store(&v->asks, true);
		pthread_testcancel();
	}
}

static bool cancel_one(struct victim *v, unsigned i)
{
	struct timespec pause = {.tv_nsec = (long)(i * 7919 % 50) * 1000};
	pthread_t thread;
	void *end = NULL;

	atomic_store(&v->asks, false);
	if (pthread_create(&thread, NULL, ask_until_cancelled, v) != 0)
		return wrong("no thread");
	while (!atomic_load(&v->asks) && atomic_load(&board->wrong) == 0)
		(void)sched_yield();
	(void)nanosleep(&pause, NULL);
	(void)pthread_cancel(thread);
	(void)pthread_join(thread, &end);
	return end == PTHREAD_CANCELED || wrong("not cancelled");
}

static bool cancelled_often(unsigned n, bool glibc, const char *of)
{
	struct victim victim = {.glibc = glibc};
	int before = globals_fds(of), after;
	unsigned i;

	for (i = 0; i < n; i++)
		if (!cancel_one(&victim, i))
			return false;
	after = globals_fds(of);
	return after == before || wrong("%d descriptors, %d before", after, before);
}

/* A socket to nscd that glibc itself was about to open may stay. */
static bool cancelled_in_glibc(unsigned n)
{
	return cancelled_often(n, true, "hosts.mdb");
}

bool row_cancel(unsigned n)
{
	note("%u threads cancelled, as many within glibc", n);
	return cancelled_often(n, false, NULL) && in_child(cancelled_in_glibc, n);
}

/* --- loading */

static bool loaded_often(unsigned n)
{
	int before = globals_fds(NULL);
	unsigned i;

	ask_unload();
	if (dlopen("libnss_aerostat.so.2", RTLD_NOW | RTLD_NOLOAD) != NULL)
		return wrong("the module stays loaded");
	for (i = 0; i < n; i++) {
		if (!ask_load(-1) || !ask_module(i))
			return false;
		ask_unload();
	}
	return globals_fds(NULL) == before ||
	       wrong("%d descriptors, %d before", globals_fds(NULL), before);
}

bool row_dlopen(unsigned n)
{
	return in_child(loaded_often, n);
}
