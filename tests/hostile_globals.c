/* SPDX-License-Identifier: MIT */
/* A picture of what belongs to the process and not to a module in it. */
#include "config.h"

#include <dirent.h>
#include <link.h>
#include <locale.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/hostile.h"

enum { TEXT = 8192, STORAGE = 4096 };

struct globals {
	int maps;
	long pages;
	size_t allocated;
	unsigned long storage_len;
	/* As text, so that a difference can be told. */
	char fds[TEXT], signals[TEXT], rest[TEXT];
	unsigned char storage[STORAGE]; /* of the module */
};

static void add(char *text, const char *what)
{
	size_t len = strlen(text);

	(void)snprintf(text + len, TEXT - len, "%s ", what);
}

static void add_number(char *text, const char *what, unsigned long n)
{
	char line[320];

	(void)snprintf(line, sizeof(line), "%s=%lx", what, n);
	add(text, line);
}

static int list_fds(char *text, const char *name)
{
	DIR *dir = opendir("/proc/self/fd");
	char link[64], target[256];
	const struct dirent *e;
	ssize_t len;
	int n = 0;

	if (dir == NULL)
		return -1;
	while ((e = readdir(dir)) != NULL) {
		int fd = (int)strtol(e->d_name, NULL, 10);

		if (e->d_name[0] == '.' || fd == dirfd(dir))
			continue;
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		len = readlink(link, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		n += name == NULL || strstr(target, name) != NULL;
		if (text != NULL)
			add_number(text, target, (unsigned long)fd);
	}
	(void)closedir(dir);
	return n;
}

int globals_fds(const char *name)
{
	return list_fds(NULL, name);
}

static void list_signals(char *text)
{
	struct itimerval timer;
	struct sigaction act;
	sigset_t mask, pending;
	int i;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
	(void)sigpending(&pending);
	for (i = 1; i < 64; i++) {
		if (sigismember(&mask, i) == 1)
			add_number(text, "blocked", (unsigned long)i);
		if (sigismember(&pending, i) == 1)
			add_number(text, "pending", (unsigned long)i);
		if (sigaction(i, NULL, &act) == 0 && act.sa_handler != SIG_DFL)
			add_number(text, "handled", (unsigned long)i);
	}
	for (i = ITIMER_REAL; i <= ITIMER_PROF; i++)
		if (getitimer((enum __itimer_which)i, &timer) == 0)
			add_number(text, "timer",
				(unsigned long)(timer.it_interval.tv_usec));
}

static void list_rest(char *text)
{
	int state, type, i;
	struct rlimit limit;
	mode_t mask = umask(0);
	char cwd[512];
	char **env;

	(void)umask(mask);
	add_number(text, "umask", mask);
	add(text, getcwd(cwd, sizeof(cwd)) != NULL ? cwd : "no cwd");
	add(text, setlocale(LC_ALL, NULL));
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	(void)pthread_setcancelstate(state, NULL);
	(void)pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
	(void)pthread_setcanceltype(type, NULL);
	add_number(text, "cancel", (unsigned long)(state * 16 + type));
	for (i = 0; i < RLIMIT_NLIMITS; i++)
		if (getrlimit((enum __rlimit_resource)i, &limit) == 0)
			add_number(text, "limit", limit.rlim_cur);
	add_number(text, "ids", getuid() * 16U + geteuid());
	for (env = environ; *env != NULL; env++)
		add(text, *env);
}

/* The maps, and the pages in them: equal ones side by side are one map. */
static void count_maps(struct globals *g)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx", &from, &to) != 2)
			abort();
		g->maps++;
		g->pages += (long)((to - from) / 4096);
	}
	if (f == NULL || fclose(f) != 0)
		abort();
}

/* What of the module may be written to: its variables. */
static int copy_storage(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct globals *g = arg;
	size_t len;
	int i;

	(void)size;
	if (strstr(info->dlpi_name, "libnss_aerostat") == NULL)
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || (p->p_flags & PF_W) == 0)
			continue;
		len = p->p_memsz < STORAGE - g->storage_len ? p->p_memsz
							    : STORAGE - g->storage_len;
		memcpy(g->storage + g->storage_len,
			(const void *)(info->dlpi_addr + p->p_vaddr), len);
		g->storage_len += len;
	}
	return 1;
}

const struct globals *globals_take(enum picture which)
{
	static struct globals pictures[AFTER + 1];
	struct globals *g = &pictures[which];
	struct mallinfo2 heap;

	memset(g, 0, sizeof(*g));
	(void)list_fds(g->fds, NULL);
	list_signals(g->signals);
	list_rest(g->rest);
	count_maps(g);
	(void)dl_iterate_phdr(copy_storage, g);
	heap = mallinfo2();
	g->allocated = heap.uordblks + heap.hblkhd;
	return g;
}

bool globals_same(const struct globals *was, const struct globals *now, int spare)
{
	if (strcmp(was->fds, now->fds) != 0)
		return wrong("descriptors: %s; before: %s", now->fds, was->fds);
	if (strcmp(was->signals, now->signals) != 0)
		return wrong("signals: %s; before: %s", now->signals, was->signals);
	if (strcmp(was->rest, now->rest) != 0)
		return wrong("process: %.200s; before: %.200s", now->rest, was->rest);
	if (now->maps > was->maps + spare)
		return wrong("maps: %d, before %d", now->maps, was->maps);
	if (spare > 0)
		return true;
	if (now->pages != was->pages)
		return wrong("%ld pages mapped, before %ld", now->pages, was->pages);
	if (was->storage_len == 0 || was->storage_len != now->storage_len ||
		memcmp(was->storage, now->storage, was->storage_len) != 0)
		return wrong("static storage of the module has changed");
	return now->allocated == was->allocated ||
	       wrong("heap: %zu bytes in use, before %zu", now->allocated,
		       was->allocated);
}
