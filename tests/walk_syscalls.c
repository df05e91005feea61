/* SPDX-License-Identifier: MIT */
/*
 * Run a command under ptrace, number the system calls that touch files below a prefix,
 * and do something at one of them:
 *
 *	walk_syscalls -r PREFIX [-x PATH]... [-c FILE] [-l FILE] [ACTION] COMMAND...
 *	-k N    SIGKILL in place of call N: it has no effect
 *	-K N    SIGKILL right after call N: it has taken effect
 *	-e N:E  call N fails with errno E and has no effect
 *	-s N    call N, a read or a write, is cut to half its length
 *	-c FILE how many calls there were, and the one that was hit
 *	-l FILE each call that succeeded, a line of JSON with all that it wrote: what
 *	        tests/e2e/power_loss.py replays
 *
 * A call counts when a path or an open file that it names begins with a PREFIX (no slash
 * is needed behind it) or is a PATH, in any thread of the command; its children run free.
 * Not counted, so never failed: the dynamic linker's and the locale's files, memory,
 * signals, sockets, pipes. A kill between two counted calls leaves what a kill at the
 * second leaves. Exit: the command's; 137 when it was killed. x86-64 only, else 77.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__

int main(void)
{
	(void)fputs("SKIP: walk_syscalls is for x86-64\n", stderr);
	return 77;
}

#else

#define TRACEES 64
#define PREFIXES 8
#define DATA_MAX (64u << 20)

/* Where a call names a file: FD an open one, AT a path behind a directory's fd, PATH a
 * path; TWO and TWO_AT have a second one. */
enum names { FD, AT, PATH, TWO, TWO_AT };

static const struct call {
	long number;
	const char *name;
	enum names names;
	int arg; /* the first that names the file */
} calls[] = {
	{SYS_open, "open", PATH, 0},
	{SYS_openat, "open", AT, 0},
	{SYS_creat, "creat", PATH, 0},
	{SYS_read, "read", FD, 0},
	{SYS_pread64, "pread", FD, 0},
	{SYS_write, "write", FD, 0},
	{SYS_pwrite64, "pwrite", FD, 0},
	{SYS_writev, "writev", FD, 0},
	{SYS_pwritev, "pwritev", FD, 0},
	{SYS_lseek, "lseek", FD, 0},
	{SYS_close, "close", FD, 0},
	{SYS_fsync, "fsync", FD, 0},
	{SYS_fdatasync, "fdatasync", FD, 0},
	{SYS_ftruncate, "ftruncate", FD, 0},
	{SYS_truncate, "truncate", PATH, 0},
	{SYS_fallocate, "fallocate", FD, 0},
	{SYS_fchmod, "fchmod", FD, 0},
	{SYS_chmod, "chmod", PATH, 0},
	{SYS_fchmodat, "chmod", AT, 0},
	{SYS_fchown, "fchown", FD, 0},
	{SYS_chown, "chown", PATH, 0},
	{SYS_fstat, "fstat", FD, 0},
	{SYS_stat, "stat", PATH, 0},
	{SYS_lstat, "lstat", PATH, 0},
	{SYS_newfstatat, "stat", AT, 0},
	{SYS_statx, "statx", AT, 0},
	{SYS_access, "access", PATH, 0},
	{SYS_faccessat, "access", AT, 0},
	{SYS_faccessat2, "access", AT, 0},
	{SYS_readlink, "readlink", PATH, 0},
	{SYS_readlinkat, "readlink", AT, 0},
	{SYS_mkdir, "mkdir", PATH, 0},
	{SYS_mkdirat, "mkdir", AT, 0},
	{SYS_rmdir, "rmdir", PATH, 0},
	{SYS_unlink, "unlink", PATH, 0},
	{SYS_unlinkat, "unlink", AT, 0},
	{SYS_rename, "rename", TWO, 0},
	{SYS_renameat, "rename", TWO_AT, 0},
	{SYS_renameat2, "rename", TWO_AT, 0},
	{SYS_link, "link", TWO, 0},
	{SYS_symlink, "symlink", PATH, 1},
	{SYS_flock, "flock", FD, 0},
	{SYS_fcntl, "fcntl", FD, 0},
	{SYS_mmap, "mmap", FD, 4},
	{SYS_getdents64, "getdents", FD, 0},
	{SYS_listxattr, "listxattr", PATH, 0},
	{SYS_getxattr, "getxattr", PATH, 0},
	{SYS_fgetxattr, "fgetxattr", FD, 0},
	{SYS_fsetxattr, "fsetxattr", FD, 0},
	{SYS_fstatfs, "fstatfs", FD, 0},
	{SYS_statfs, "statfs", PATH, 0},
	{SYS_execve, "execve", PATH, 0},
};

struct tracee {
	pid_t tid;
	bool ours; /* a thread of the command, not a child */
	bool counted, fails;
	const struct call *call;
	unsigned long long args[6];
	char path[PATH_MAX], to[PATH_MAX];
	struct stat before;  /* of path, when there; st_ino 0 = not */
	unsigned long flags; /* of the open file */
	unsigned long n;
};

static struct tracee tracees[TRACEES];
static struct {
	const char *path;
	bool whole;
} prefixes[PREFIXES];
static size_t n_prefixes;
static unsigned long count, at;
static enum action { WATCH, KILL, KILL_AFTER, FAIL, SHORT } action;
static int error_number;
static char hit[2 * PATH_MAX + 64] = "none";
static FILE *list;
static pid_t first;

_Noreturn static void die(const char *what)
{
	(void)fprintf(stderr, "walk_syscalls: %s: %s\n", what, strerror(errno));
	exit(99);
}

/* ---- reading the tracee ---- */

static bool peek(pid_t tid, unsigned long long from, void *to, size_t len)
{
	struct iovec mine = {to, len}, its = {(void *)(uintptr_t)from, len};

	return process_vm_readv(tid, &mine, 1, &its, 1, 0) == (ssize_t)len;
}

/* A string, page by page, since what follows it may not be there. */
static bool peek_string(pid_t tid, unsigned long long from, char to[static PATH_MAX])
{
	size_t have = 0;

	while (have < PATH_MAX) {
		size_t piece = 4096 - (from + have) % 4096;

		if (piece > PATH_MAX - have)
			piece = PATH_MAX - have;
		if (!peek(tid, from + have, to + have, piece))
			return false;
		if (memchr(to + have, '\0', piece) != NULL)
			return true;
		have += piece;
	}
	return false;
}

/* What /proc says of it: cwd, or fd/N. */
static bool proc_link(pid_t tid, const char *what, char to[static PATH_MAX])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/%d/%s", (int)tid, what);
	n = readlink(link, to, PATH_MAX - 1);
	if (n > 0)
		to[n] = '\0';
	return n > 0;
}

static bool path_of_fd(pid_t tid, int fd, char to[static PATH_MAX])
{
	char what[32];

	if (fd == AT_FDCWD)
		return proc_link(tid, "cwd", to);
	(void)snprintf(what, sizeof(what), "fd/%d", fd);
	return fd >= 0 && proc_link(tid, what, to);
}

static bool path_at(pid_t tid, int fd, unsigned long long from, char to[static PATH_MAX])
{
	static char name[PATH_MAX], dir[PATH_MAX]; /* one thread */

	if (!peek_string(tid, from, name))
		return false;
	if (name[0] == '/') {
		memcpy(to, name, PATH_MAX);
		return true;
	}
	if (!path_of_fd(tid, fd, dir))
		return false;
	return snprintf(to, PATH_MAX, "%s%s%s", dir, *name != '\0' ? "/" : "", name) <
	       PATH_MAX;
}

static bool below(const char *path)
{
	for (size_t i = 0; i < n_prefixes; i++)
		if (prefixes[i].whole ? strcmp(path, prefixes[i].path) == 0
				      : strncmp(path, prefixes[i].path,
						strlen(prefixes[i].path)) == 0)
			return true;
	return false;
}

/* position or flags of an open file */
static unsigned long fdinfo(pid_t tid, int fd, const char *key, int base)
{
	char path[64], line[128];
	unsigned long value = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, fd);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			value = strtoul(line + strlen(key), NULL, base);
	if (f != NULL)
		(void)fclose(f);
	return value;
}

/* ---- the list ---- */

static void put_text(const char *key, const char *text)
{
	(void)fprintf(list, ",\"%s\":\"", key);
	for (; *text != '\0'; text++)
		(void)fprintf(list, strchr("\"\\", *text) != NULL ? "\\%c" : "%c", *text);
	(void)fputc('"', list);
}

static void put_bytes(pid_t tid, unsigned long long from, size_t len)
{
	unsigned char *data = malloc(len + 1);

	if (data == NULL || len > DATA_MAX || !peek(tid, from, data, len))
		die("read what is written");
	for (size_t i = 0; i < len; i++)
		(void)fprintf(list, "%02x", data[i]);
	free(data);
}

/* What was written, and where. */
static void put_data(const struct tracee *t, size_t len)
{
	const char *name = t->call->name;
	static struct iovec iov[1024];
	size_t n = t->args[2] < 1024 ? (size_t)t->args[2] : 1024;
	unsigned long long offset = t->args[3];

	if (name[0] != 'p') /* the position has moved on */
		offset = fdinfo(t->tid, (int)t->args[0], "pos:", 10) - len;
	(void)fprintf(list, ",\"offset\":%llu,\"data\":\"", offset);
	if (strchr(name, 'v') == NULL) {
		put_bytes(t->tid, t->args[1], len);
		n = 0;
	} else if (!peek(t->tid, t->args[1], iov, n * sizeof(iov[0]))) {
		die("read a vector");
	}
	for (size_t i = 0; i < n && len > 0; i++) {
		size_t part = iov[i].iov_len < len ? iov[i].iov_len : len;

		put_bytes(t->tid, (unsigned long long)(uintptr_t)iov[i].iov_base, part);
		len -= part;
	}
	(void)fputc('"', list);
}

static void put_call(const struct tracee *t, long long result)
{
	const char *name = t->call->name;
	struct stat st = t->before;
	char link[64];

	(void)fprintf(list, "{\"n\":%lu,\"call\":\"%s\"", t->n, name);
	put_text("path", t->path);
	if (t->to[0] != '\0')
		put_text("to", t->to);
	if (strcmp(name, "open") == 0) {
		int flags = (int)t->args[t->call->arg + (t->call->names == AT ? 2 : 1)];

		(void)snprintf(
			link, sizeof(link), "/proc/%d/fd/%d", (int)t->tid, (int)result);
		if (stat(link, &st) < 0)
			die(t->path);
		(void)fprintf(list, ",\"created\":%s,\"truncated\":%s",
			t->before.st_ino == 0 ? "true" : "false",
			(flags & O_TRUNC) != 0 ? "true" : "false");
	}
	if (strcmp(name, "mkdir") == 0 && lstat(t->path, &st) < 0)
		die(t->path);
	if (strcmp(name, "mmap") == 0)
		(void)fprintf(list, ",\"shared_write\":%s",
			(t->args[2] & PROT_WRITE) != 0 && (t->args[3] & MAP_SHARED) != 0
				? "true"
				: "false");
	if (strstr(name, "chmod") != NULL)
		(void)fprintf(
			list, ",\"to_mode\":%llu", t->args[t->call->names == AT ? 2 : 1]);
	if (strstr(name, "truncate") != NULL)
		(void)fprintf(list, ",\"length\":%llu", t->args[1]);
	if (strcmp(name, "fallocate") == 0)
		(void)fprintf(list, ",\"keep\":%s,\"length\":%llu",
			(t->args[1] & FALLOC_FL_KEEP_SIZE) != 0 ? "true" : "false",
			t->args[2] + t->args[3]);
	if (strstr(name, "write") != NULL)
		put_data(t, (size_t)result);
	(void)fprintf(list, ",\"ino\":%llu,\"mode\":%u,\"dsync\":%s}\n",
		(unsigned long long)st.st_ino, (unsigned)st.st_mode,
		(t->flags & O_DSYNC) != 0 ? "true" : "false");
}

/* ---- the calls ---- */

/* Which files the call names: sets path and to; false when none is below a prefix. */
static bool named(struct tracee *t)
{
	const unsigned long long *a = t->args + t->call->arg;
	bool ok = false;

	t->path[0] = t->to[0] = '\0';
	t->flags = 0;
	switch (t->call->names) {
	case FD:
		ok = path_of_fd(t->tid, (int)a[0], t->path);
		if (ok && t->path[0] == '/')
			t->flags = fdinfo(t->tid, (int)a[0], "flags:", 8);
		break;
	case AT:
		ok = path_at(t->tid, (int)a[0], a[1], t->path);
		break;
	case PATH:
		ok = path_at(t->tid, AT_FDCWD, a[0], t->path);
		break;
	case TWO:
		ok = path_at(t->tid, AT_FDCWD, a[0], t->path) &&
		     path_at(t->tid, AT_FDCWD, a[1], t->to);
		break;
	case TWO_AT:
		ok = path_at(t->tid, (int)a[0], a[1], t->path) &&
		     path_at(t->tid, (int)a[2], a[3], t->to);
		break;
	default:
		break;
	}
	return ok && (below(t->path) || below(t->to));
}

static void note_before(struct tracee *t)
{
	char link[64];
	int rc;

	(void)snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)t->tid,
		(int)t->args[t->call->arg]);
	rc = t->call->names == FD ? stat(link, &t->before) : lstat(t->path, &t->before);
	if (rc < 0)
		t->before = (struct stat){0};
}

static void change(const struct tracee *t, bool skip)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0)
		die("PTRACE_GETREGS");
	if (skip)
		regs.orig_rax = (unsigned long long)-1;
	else
		regs.rdx /= 2;
	if (ptrace(PTRACE_SETREGS, t->tid, NULL, &regs) < 0)
		die("PTRACE_SETREGS");
}

static void report(const struct tracee *t)
{
	(void)snprintf(hit, sizeof(hit), "%s %s%s%s", t->call->name, t->path,
		t->to[0] != '\0' ? " " : "", t->to);
}

static void end_all(void)
{
	(void)kill(first, SIGKILL);
	for (size_t i = 0; i < TRACEES; i++)
		if (tracees[i].tid > 0)
			(void)kill(tracees[i].tid, SIGKILL);
}

static bool can_be_short(const char *name)
{
	return strcmp(name, "read") == 0 || strcmp(name, "write") == 0 ||
	       strcmp(name, "pread") == 0 || strcmp(name, "pwrite") == 0;
}

static void enter(struct tracee *t, const struct __ptrace_syscall_info *info)
{
	t->call = NULL;
	t->counted = t->fails = false;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == (long)info->entry.nr)
			t->call = &calls[i];
	if (t->call == NULL || !t->ours)
		return;
	for (size_t i = 0; i < 6; i++)
		t->args[i] = info->entry.args[i];
	if (!named(t))
		return;
	t->counted = true;
	t->n = ++count;
	if (list != NULL)
		note_before(t);
	if (t->n != at || action == WATCH)
		return;
	report(t);
	if (action == KILL)
		end_all();
	t->fails = action == FAIL;
	if (t->fails || (action == SHORT && can_be_short(t->call->name)))
		change(t, t->fails);
}

static void leave(struct tracee *t, const struct __ptrace_syscall_info *info)
{
	struct user_regs_struct regs;

	if (!t->counted)
		return;
	if (t->fails) {
		if (ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0)
			die("PTRACE_GETREGS");
		regs.rax = (unsigned long long)-(long long)error_number;
		if (ptrace(PTRACE_SETREGS, t->tid, NULL, &regs) < 0)
			die("PTRACE_SETREGS");
	}
	if (list != NULL && !t->fails && !info->exit.is_error)
		put_call(t, info->exit.rval);
	if (t->n == at && action == KILL_AFTER)
		end_all();
}

/* ---- the loop ---- */

static bool is_ours(pid_t tid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)first, (int)tid);
	return access(path, F_OK) == 0;
}

static struct tracee *find(pid_t tid)
{
	struct tracee *room = NULL;

	for (size_t i = 0; i < TRACEES; i++) {
		if (tracees[i].tid == tid)
			return &tracees[i];
		if (tracees[i].tid == 0 && room == NULL)
			room = &tracees[i];
	}
	if (room == NULL)
		die("too many threads");
	*room = (struct tracee){.tid = tid, .ours = is_ours(tid)};
	return room;
}

/* One stop; the signal to go on with. */
static int stopped(struct tracee *t, int status)
{
	struct __ptrace_syscall_info info;
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) <= 0)
			return 0; /* killed meanwhile */
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			enter(t, &info);
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			leave(t, &info);
		return 0;
	}
	if (status >> 16 != 0 || sig == SIGSTOP)
		return 0; /* an event, or a new thread's first stop */
	return sig;
}

/* The exit code of the first process. */
static int run(void)
{
	int status, code = 99;
	struct tracee *t;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			t = find(tid);
			(void)ptrace(PTRACE_SYSCALL, tid, NULL,
				(void *)(intptr_t)stopped(t, status));
			continue;
		}
		find(tid)->tid = 0;
		if (tid != first)
			continue;
		code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		break; /* what it left behind goes with us (EXITKILL) */
	}
	return code;
}

static void start(char *argv[])
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status;

	first = fork();
	if (first == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 && raise(SIGSTOP) == 0)
			(void)execvp(argv[0], argv);
		die(argv[0]);
	}
	if (first < 0 || waitpid(first, &status, 0) != first || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, first, NULL, (void *)(intptr_t)options) < 0 ||
		ptrace(PTRACE_SYSCALL, first, NULL, NULL) < 0)
		die("trace");
	(void)find(first);
}

static void act(int opt, char *text)
{
	static const char letters[] = "kKes";
	char *colon = strchr(text, ':');

	action = (enum action)(KILL + (strchr(letters, opt) - letters));
	at = strtoul(text, NULL, 10);
	error_number = colon != NULL ? (int)strtol(colon + 1, NULL, 10) : 0;
	if (at == 0 || (action == FAIL && error_number <= 0))
		exit(64);
}

int main(int argc, char *argv[])
{
	const char *counts = NULL;
	int opt, code;
	FILE *f;

	while ((opt = getopt(argc, argv, "+r:x:c:l:k:K:e:s:")) != -1) {
		if ((opt == 'r' || opt == 'x') && n_prefixes < PREFIXES) {
			prefixes[n_prefixes].path = optarg;
			prefixes[n_prefixes++].whole = opt == 'x';
		} else if (opt == 'c') {
			counts = optarg;
		} else if (opt == 'l') {
			list = fopen(optarg, "we");
			if (list == NULL)
				die(optarg);
		} else if (strchr("kKes", opt) != NULL) {
			act(opt, optarg);
		} else {
			return 64;
		}
	}
	if (optind >= argc || n_prefixes == 0)
		return 64;
	start(argv + optind);
	code = run();
	if (list != NULL && fclose(list) != 0)
		die("write the list");
	if (counts != NULL) {
		f = fopen(counts, "we");
		if (f == NULL || fprintf(f, "%lu %s\n", count, hit) < 0 || fclose(f) != 0)
			die(counts);
	}
	return code;
}

#endif
