/* SPDX-License-Identifier: MIT */
/* hostile [-o OCTET] [-l LABEL] [ROW...]: the module in processes that make life hard for
 * it; without ROW all that need no preparation. Each row runs in a process of its own and
 * says how many look-ups it made, how long the slowest took, and what was wrong.
 *
 * hostile -m: the lines of the mirror, for tests/publish_tool. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/hostile.h"

struct board *board;
const char *hostile_self;
static int octet = 1;

bool wrong(const char *format, ...)
{
	va_list args;

	if (atomic_fetch_add(&board->wrong, 1) == 0) {
		va_start(args, format);
		(void)vsnprintf(board->why, sizeof(board->why), format, args);
		va_end(args);
	}
	return false;
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(board->note, sizeof(board->note), format, args);
	va_end(args);
}

static bool ended_well(int status)
{
	if (WIFSIGNALED(status))
		return wrong("killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	return WEXITSTATUS(status) == 0 || wrong("exit %d", WEXITSTATUS(status));
}

bool in_child(bool (*run)(unsigned n), unsigned n)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run(n) ? 0 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return wrong("fork: %s", strerror(errno));
	return ended_well(status);
}

bool row_plain(unsigned n)
{
	return ask_both(n) && ask_list();
}

bool row_secure(unsigned n)
{
	if (getauxval(AT_SECURE) == 0)
		return wrong("not a set-user-ID process");
	return row_plain(n);
}

static bool same(const char *when, const struct ending *ending, unsigned n)
{
	const struct globals *before = globals_take(BEFORE);
	bool good = true;
	unsigned x;

	ask_ending = ending;
	for (x = 0; x < n && good; x++)
		good = ask_module(x);
	ask_ending = NULL;
	return good && (globals_same(before, globals_take(AFTER), 0) ||
			       wrong("after look-ups, %s", when));
}

static bool unchanged(unsigned n)
{
	sigset_t set;
	unsigned i;

	/* Others than the usual, so that a reset to the usual shows. */
	(void)signal(SIGUSR1, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)raise(SIGUSR2);
	if (!ask_both(16))
		return false;
	(void)globals_take(BEFORE); /* what stdio keeps, it keeps */
	for (i = 0; i < 16; i++)
		if (!same("each kind", NULL, i + 1))
			return false;
	if (!same("many", NULL, n))
		return false;
	/* The list moves its own place, and nothing else. */
	return ask_refused() && same("refused", NULL, 16) && ask_list();
}

bool row_globals(unsigned n)
{
	return in_child(unchanged, n);
}

enum {
	APART = 1, /* only when asked for */
	COLD = 2,  /* glibc has not loaded the module */
};

/* n is `thorough` with AEROSTAT_TEST_LONG=1. */
static const struct row {
	const char *name, *label;
	bool (*run)(unsigned n);
	unsigned quick, thorough, flags;
} rows[] = {
	{"plain", "nothing against us", row_plain, 5000, 1000000, APART},
	{"few", "a few", row_plain, 200, 20000, APART},
	{"globals", "nothing of the process changes", row_globals, 20000, 1000000, 0},
	{"closefrom", "closefrom between calls", row_closefrom, 5000, 200000, 0},
	{"no-stdio", "descriptors 0 to 2 closed", row_no_stdio, 5000, 200000, 0},
	{"fork", "fork under 8 threads", row_fork, 100, 10000, 0},
	{"chroot", "chroot without the mirror, and back", row_chroot, 5000, 200000, 0},
	{"nofile", "RLIMIT_NOFILE used up, and back", row_nofile, 5000, 200000, 0},
	{"limits", "RLIMIT_AS and nine others at 0", row_limits, 5000, 200000, 0},
	{"least-stack", "RLIMIT_STACK at its minimum", row_least_stack, 1, 1, 0},
	{"small-stacks", "8 threads with 16 KiB of stack", row_small_stacks, 20000,
		1000000, 0},
	{"storm", "SIGALRM storms", row_storm, 20000, 1000000, 0},
	{"cancel", "threads cancelled at random", row_cancel, 2000, 50000, 0},
	{"seccomp", "seccomp: four calls or death", row_seccomp, 20000, 1000000, 0},
	{"dlopen", "dlopen and dlclose", row_dlopen, 500, 20000, COLD},
	{"secure", "set-user-ID", row_secure, 2000, 100000, APART},
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool is_long(void)
{
	const char *set = getenv("AEROSTAT_TEST_LONG");

	return set != NULL && strcmp(set, "1") == 0;
}

/* In the row's own process, whose group ends with it. */
static int run(const struct row *row)
{
	const struct globals *start;
	bool good;

	(void)setpgid(0, 0);
	if (!ask_load(octet))
		return 1;
	start = globals_take(START);
	if ((row->flags & COLD) == 0 && !ask_both(16))
		return 1;
	good = row->run(is_long() ? row->thorough : row->quick);
	/* Threads leave a cached stack and an arena behind; glibc loads the module. */
	return good && globals_same(start, globals_take(AFTER), 24) ? 0 : 1;
}

static bool judge(const struct row *row, const char *label)
{
	const struct timespec tick = {.tv_nsec = 10000000};
	int turns = is_long() ? 360000 : 12000, status = 0;
	pid_t pid, got = 0;

	memset(board, 0, sizeof(*board));
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(run(row));
	while (pid > 0 && got == 0 && turns-- > 0) {
		got = waitpid(pid, &status, WNOHANG);
		if (got == 0)
			(void)nanosleep(&tick, NULL);
	}
	if (got == 0) {
		(void)kill(-pid, SIGKILL);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
		(void)wrong("hangs");
	} else {
		(void)ended_well(status);
	}
	(void)printf("%-36s %9lu look-ups, worst %8.1f us: %s%s%s%s\n", label,
		atomic_load(&board->lookups), (double)atomic_load(&board->worst_ns) / 1e3,
		atomic_load(&board->wrong) == 0 ? "ok" : "WRONG: ", board->why,
		board->note[0] != '\0' ? "; " : "", board->note);
	return atomic_load(&board->wrong) == 0;
}

/* What row_least_stack starts: as little as can be. */
static int little(const char *what)
{
	static struct board own;

	board = &own;
	if (!ask_load(octet))
		return 1;
	if (strcmp(what, "@module") == 0)
		return ask_module(0) ? 0 : 1;
	if (strcmp(what, "@glibc") == 0)
		return ask_glibc(0) ? 0 : 1;
	return 0;
}

static int usage(void)
{
	(void)fprintf(stderr, "usage: hostile [-m] [-o OCTET] [-l LABEL] [ROW...]\n");
	return 64;
}

static void print_mirror(void)
{
	unsigned i;

	for (i = 0; i < HOSTS; i++)
		(void)printf("web-%u 10.%d.%u.%u,fd00:%x::%x:%x www-%u\n", i, octet,
			i >> 8, i & 255, (unsigned)octet, i >> 8, i & 255, i);
}

int main(int argc, char **argv)
{
	const char *label = NULL;
	bool mirror = false, good = true, found;
	static char self[512];
	int opt, i, k;

	if (argc == 2 && argv[1][0] == '@')
		return little(argv[1]);
	while ((opt = getopt(argc, argv, "mo:l:")) != -1) {
		if (opt == 'm')
			mirror = true;
		else if (opt == 'o')
			octet = (int)strtol(optarg, NULL, 10);
		else if (opt == 'l')
			label = optarg;
		else
			return usage();
	}
	if (mirror) {
		print_mirror();
		return 0;
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
		hostile_self = self;
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return 70;
	if (optind == argc)
		for (i = 0; i < N_ROWS; i++)
			if ((rows[i].flags & APART) == 0)
				good = judge(&rows[i], rows[i].label) && good;
	for (k = optind; k < argc; k++) {
		found = false;
		for (i = 0; i < N_ROWS; i++) {
			if (strcmp(rows[i].name, argv[k]) != 0)
				continue;
			found = true;
			good = judge(&rows[i], label != NULL ? label : rows[i].label) &&
			       good;
		}
		if (!found)
			return usage();
	}
	return good ? 0 : 1;
}
