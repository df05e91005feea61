/* SPDX-License-Identifier: MIT */
/* Rows of tests/hostile: a process that may do little. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/hostile.h"

/* --- another root */

static bool chrooted(unsigned n)
{
	char dir[] = "/tmp/aerostat-chroot-XXXXXX";
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!ask_both(16)) /* glibc loads the module */
		return false;
	if (root < 0 || mkdtemp(dir) == NULL || chroot(dir) < 0 || chdir("/") < 0)
		return wrong("chroot: %s", strerror(errno));
	ask_ending = &ask_absent;
	if (!ask_both(n))
		return false;
	ask_ending = NULL;
	if (fchdir(root) < 0 || chroot(".") < 0 || rmdir(dir) < 0)
		return wrong("and back: %s", strerror(errno));
	(void)close(root);
	return ask_both(n);
}

bool row_chroot(unsigned n)
{
	return in_child(chrooted, n);
}

/* --- limits */

static bool limit(enum __rlimit_resource what, rlim_t n)
{
	struct rlimit limit;

	if (getrlimit(what, &limit) == 0) {
		limit.rlim_cur = n;
		if (setrlimit(what, &limit) == 0)
			return true;
	}
	return wrong("limit %d: %s", (int)what, strerror(errno));
}

static bool no_descriptors(unsigned n)
{
	int fds[64], i;

	if (!ask_both(16) || !limit(RLIMIT_NOFILE, 0))
		return false;
	ask_ending = &ask_busy;
	if (!ask_both(n) || !limit(RLIMIT_NOFILE, 64))
		return false;
	ask_ending = NULL;
	if (!ask_both(n))
		return false;
	for (i = 0; i < 64; i++)
		fds[i] = dup(0);
	ask_ending = &ask_busy;
	if (!ask_both(n))
		return false;
	ask_ending = NULL;
	(void)close(fds[3]); /* one is enough */
	return ask_both(n);
}

bool row_nofile(unsigned n)
{
	return in_child(no_descriptors, n);
}

/* Nothing may be mapped, grown, locked, written or started. */
static bool limited(unsigned n)
{
	static const enum __rlimit_resource zero[] = {RLIMIT_AS, RLIMIT_DATA,
		RLIMIT_STACK, RLIMIT_FSIZE, RLIMIT_CORE, RLIMIT_RSS, __RLIMIT_NPROC,
		__RLIMIT_MEMLOCK, __RLIMIT_SIGPENDING, __RLIMIT_MSGQUEUE};
	size_t i;

	if (!ask_both(16))
		return false;
	for (i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		if (!limit(zero[i], 0))
			return false;
	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		return wrong("the limits limit nothing");
	return ask_both(n);
}

bool row_limits(unsigned n)
{
	return in_child(limited, n);
}

/* Does this program run one row with a stack of so many bytes? */
static bool runs_with(rlim_t bytes, const char *row)
{
	char *const argv[] = {strdup("h"), strdup(row), NULL}, *const env[] = {NULL};
	int status, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		(void)dup2(null, 2);
		(void)dup2(null, 1);
		(void)personality(ADDR_NO_RANDOMIZE);
		if (limit(RLIMIT_CORE, 0) && limit(RLIMIT_STACK, bytes))
			(void)execve(hostile_self, argv, env);
		_exit(70);
	}
	free(argv[0]);
	free(argv[1]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

/* The least RLIMIT_STACK for a program that loads the module and calls nothing, that
 * calls it, and that asks glibc. */
bool row_least_stack(unsigned n)
{
	static const char *const rows[] = {"@nothing", "@module", "@glibc"};
	rlim_t least[3], low, high, page = 4096;
	size_t i;

	(void)n;
	for (i = 0; i < 3; i++) {
		for (low = 0, high = 64; high - low > 1;) {
			rlim_t mid = (low + high) / 2;

			if (runs_with(mid * page, rows[i]))
				high = mid;
			else
				low = mid;
		}
		least[i] = high * page;
	}
	note("least RLIMIT_STACK: %lu without a look-up, %lu module, %lu glibc",
		(unsigned long)least[0], (unsigned long)least[1],
		(unsigned long)least[2]);
	if (least[0] >= 64 * page)
		return wrong("not even nothing runs with 256 kB");
	/* Below 6 KiB of its own: two pages at most. */
	return least[1] <= least[0] + 2 * page ||
	       wrong("a look-up needs %lu bytes of stack more",
		       (unsigned long)(least[1] - least[0]));
}

/* --- 16 KiB for a thread, its control block included */

enum { SMALL = 16384, THREADS = 8, PAINT = 0xc3 };

static unsigned small_n;

static void *small(void *arg)
{
	unsigned x;

	for (x = 0; x < small_n; x++)
		if (!ask_module(x))
			break;
	return arg;
}

bool row_small_stacks(unsigned n)
{
	unsigned char *stacks[THREADS];
	pthread_t threads[THREADS];
	pthread_attr_t attr;
	int i, rc, deepest = 0, used;
	bool good = ask_module(0);

	small_n = n;
	(void)pthread_attr_init(&attr);
	for (i = 0; i < THREADS; i++) {
		/* A page that nobody may touch below each. */
		stacks[i] = mmap(NULL, 4096 + SMALL, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (stacks[i] == MAP_FAILED || mprotect(stacks[i], 4096, PROT_NONE) < 0)
			return wrong("mmap: %s", strerror(errno));
		memset(stacks[i] + 4096, PAINT, SMALL);
		rc = pthread_attr_setstack(&attr, stacks[i] + 4096, SMALL);
		if (rc == 0)
			rc = pthread_create(&threads[i], &attr, small, NULL);
		if (rc != 0)
			return wrong("thread: %s", strerror(rc));
	}
	for (i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		for (used = SMALL; used > 0 && stacks[i][4096 + SMALL - used] == PAINT;)
			used--;
		deepest = used > deepest ? used : deepest;
		(void)munmap(stacks[i], 4096 + SMALL);
	}
	(void)pthread_attr_destroy(&attr);
	note("deepest %d of %d bytes, thread block and test included", deepest,
		(int)SMALL);
	return good;
}

/* --- seccomp */

static bool filter(void)
{
#ifdef __x86_64__
#define ALLOW(nr) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##nr, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(openat), ALLOW(fstat), ALLOW(newfstatat), ALLOW(pread64),
		ALLOW(close), ALLOW(exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	ask_clock = false;
	return (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) ||
	       wrong("seccomp: %s", strerror(errno));
#else
	return wrong("no filter for this processor");
#endif
}

static bool asks_filtered(unsigned n)
{
	unsigned x;

	if (!filter())
		return false;
	for (x = 0; x < n; x++)
		if (!ask_module(x))
			return false;
	return ask_refused() && ask_list();
}

static bool busy_filtered(unsigned n)
{
	unsigned x;

	if (!limit(RLIMIT_NOFILE, 0) || !filter())
		return false;
	ask_ending = &ask_busy;
	for (x = 0; x < n; x++)
		if (!ask_module(x))
			return false;
	return true;
}

bool row_seccomp(unsigned n)
{
	int status;
	pid_t pid = fork();

	/* That the filter kills at all. */
	if (pid == 0) {
		if (filter())
			(void)syscall(SYS_getppid);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
		WTERMSIG(status) != SIGSYS)
		return wrong("the filter does not kill");
	return in_child(asks_filtered, n) && in_child(busy_filtered, n / 4);
}
