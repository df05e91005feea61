/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/child.h"
#include "lib/loop.h"

#define GRACE_MS 2000 /* from TERM to KILL */
#define READS 8       /* per step, so that output cannot hold up the loop */
#define READ_SIZE 4096
#define LOOK_MS 50 /* between looks without a pidfd */
#define FALLBACK_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum phase {
	RUNS, /* within its time */
	TERM, /* the group was sent TERM: over time, or it left children behind */
	OVER, /* reaped */
};

struct aero_child {
	const char *what;
	char *program;
	int64_t timeout_ms, due; /* when the next signal is due */
	enum phase phase;
	pid_t pid;  /* and process group; valid until reaped */
	int pidfd;  /* -1 = not to be had */
	int out;    /* read end of its output; -1 = ended */
	bool ended; /* it exited; what it left behind may live on */
	bool late;  /* it ran over its time */
	int status; /* of waitpid */
	bool cut;
	size_t len, max;
	char text[]; /* max bytes and a NUL */
};

/* ---- starting ---- */

/* PATH, HOME, the caller's, and nothing else of ours. */
static bool environment(const struct aero_list *env, struct aero_list *ret)
{
	const char *path = getenv("PATH"), *home = getenv("HOME");
	char *text = NULL;
	bool ok = aero_list_copy(env, ret);

	if (ok && asprintf(&text, "PATH=%s", path != NULL ? path : FALLBACK_PATH) < 0)
		return false;
	ok = ok && aero_list_add(ret, text);
	free(text);
	if (!ok || asprintf(&text, "HOME=%s", home != NULL ? home : "/root") < 0)
		return false;
	ok = aero_list_add(ret, text);
	free(text);
	return ok;
}

/* Own process group, all signals as in a fresh login whatever the daemon blocks. */
static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int e;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	e = posix_spawnattr_setflags(attr,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (e == 0)
		e = posix_spawnattr_setpgroup(attr, 0);
	if (e == 0)
		e = posix_spawnattr_setsigmask(attr, &none);
	if (e == 0)
		e = posix_spawnattr_setsigdefault(attr, &all);
	return e;
}

static int set_actions(posix_spawn_file_actions_t *actions, int out)
{
	int e = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

	if (e == 0)
		e = posix_spawn_file_actions_adddup2(actions, out, 1);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(actions, out, 2);
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	if (e == 0)
		e = posix_spawn_file_actions_addchdir_np(actions, "/");
	return e;
}

/* 0 or an errno. */
static int spawn(
	struct aero_child *child, char *const argv[], int out, char *const envp[])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int e;

	e = posix_spawn_file_actions_init(&actions);
	if (e != 0)
		return e;
	e = posix_spawnattr_init(&attr);
	if (e != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return e;
	}
	e = set_attributes(&attr);
	if (e == 0)
		e = set_actions(&actions, out);
	if (e == 0)
		e = posix_spawn(&child->pid, child->program, &actions, &attr, argv, envp);
	if (e != 0)
		child->pid = 0;
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&actions);
	return e;
}

static int start(struct aero_child *child, char *const argv[], char *const envp[],
	struct aero_err *err)
{
	int e, rc = AERO_OK, fds[2] = {-1, -1};

	/* only our end does not block: the program must not meet EAGAIN */
	if (pipe2(fds, O_CLOEXEC) < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		rc = aero_err_set(err, AERO_IO, "%s: pipe for '%s': %s", child->what,
			child->program, strerror(errno));
		goto out;
	}
	child->out = fds[0];
	fds[0] = -1; /* now owned by child */
	e = spawn(child, argv, fds[1], envp);
	if (e != 0) {
		rc = aero_err_set(err,
			e == ENOMEM || e == EAGAIN ? AERO_AGAIN : AERO_REFUSED,
			"%s: cannot run '%s': %s", child->what, child->program,
			strerror(e));
		goto out;
	}
	/* refused by some containers and by valgrind: then we look often */
	child->pidfd = pidfd_open(child->pid, 0);
out:
	for (size_t i = 0; i < 2; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	return rc;
}

int aero_child_start(const struct aero_child_opts *opts, int64_t now,
	struct aero_child **ret, struct aero_err *err)
{
	size_t max = opts->output_max > 0 ? opts->output_max : AERO_CHILD_OUTPUT;
	struct aero_child *child = calloc(1, sizeof(*child) + max + 1);
	struct aero_list env = {0};
	int rc = AERO_OK;

	if (child != NULL) {
		child->what = opts->what;
		child->max = max;
		child->timeout_ms = opts->timeout_ms;
		child->due = now + opts->timeout_ms;
		child->pidfd = child->out = -1;
		child->program = strdup(opts->argv[0]);
	}
	/* the list's own end serves as that of envp */
	if (child == NULL || child->program == NULL || !environment(opts->env, &env) ||
		!aero_list_end(&env))
		rc = aero_err_set(err, AERO_NOMEM, "%s: out of memory", opts->what);
	if (rc == AERO_OK)
		rc = start(child, opts->argv, env.v, err);
	if (rc == AERO_OK) {
		*ret = child;
		child = NULL; /* now the caller's */
	}
	aero_child_free(child);
	aero_list_clear(&env);
	return rc;
}

/* ---- running ---- */

size_t aero_child_fds(const struct aero_child *child, struct pollfd fds[AERO_CHILD_FDS])
{
	size_t n = 0;

	/* once it has exited the pidfd stays readable: then only output and time count */
	if (!child->ended && child->pidfd >= 0)
		fds[n++] = (struct pollfd){.fd = child->pidfd, .events = POLLIN};
	if (child->out >= 0)
		fds[n++] = (struct pollfd){.fd = child->out, .events = POLLIN};
	return n;
}

int64_t aero_child_wait_ms(const struct aero_child *child, int64_t now)
{
	int64_t wait = child->due - now;

	if (child->phase == OVER || wait < 0)
		return 0;
	if (child->pidfd < 0 && wait > LOOK_MS)
		return LOOK_MS;
	return wait;
}

/* Take output, at most READS pieces; what is over the limit is dropped. */
static void read_output(struct aero_child *child)
{
	char piece[READ_SIZE];

	for (int i = 0; i < READS && child->out >= 0; i++) {
		ssize_t n = read(child->out, piece, sizeof(piece));
		size_t room = child->max - child->len;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			(void)close(child->out);
			child->out = -1;
			return;
		}
		if ((size_t)n > room)
			child->cut = true;
		else
			room = (size_t)n;
		memcpy(child->text + child->len, piece, room);
		child->len += room;
	}
}

/* It has ended, but is not reaped: until then its number is nobody else's, so that the
 * group can be signalled safely. */
static bool exited(const struct aero_child *child)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid != 0;
}

/* End the group for good and reap. */
static void reap(struct aero_child *child)
{
	(void)kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		continue;
	child->pid = 0;
	child->phase = OVER;
	read_output(child);
}

bool aero_child_step(struct aero_child *child, int64_t now)
{
	bool due = now >= child->due;

	if (child->phase == OVER)
		return true;
	read_output(child);
	child->ended = exited(child);
	if (child->phase == RUNS && !child->ended && !due)
		return false;
	if (child->phase == RUNS) {
		/* over time, or what it left behind: the whole group is asked first */
		child->phase = TERM;
		child->late = !child->ended;
		child->due = now + GRACE_MS;
		(void)kill(-child->pid, SIGTERM);
		due = false;
	}
	/* with the output closed nobody of the group is known to live on */
	if (!(child->ended && child->out < 0) && !due)
		return false;
	reap(child);
	return true;
}

/* ---- the end ---- */

int aero_child_check(const struct aero_child *child, struct aero_err *err)
{
	if (child->late)
		return aero_err_set(err, AERO_REFUSED,
			"%s '%s' was ended at its time limit of %lld ms", child->what,
			child->program, (long long)child->timeout_ms);
	if (WIFSIGNALED(child->status))
		return aero_err_set(err, AERO_REFUSED, "%s '%s' died of signal %d",
			child->what, child->program, WTERMSIG(child->status));
	if (WEXITSTATUS(child->status) != 0)
		return aero_err_set(err, AERO_REFUSED, "%s '%s' exited with %d",
			child->what, child->program, WEXITSTATUS(child->status));
	return AERO_OK;
}

int aero_child_wait_or_stop(struct aero_child *child, int stop_fd, struct aero_err *err)
{
	struct pollfd fds[AERO_CHILD_FDS + 1];

	while (!aero_child_step(child, aero_clock_ms())) {
		size_t n = aero_child_fds(child, fds);

		fds[n] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
		(void)poll(fds, n + 1, (int)aero_child_wait_ms(child, aero_clock_ms()));
		if (fds[n].revents != 0)
			return aero_err_set(
				err, AERO_AGAIN, "%s: told to stop", child->what);
	}
	return AERO_OK;
}

void aero_child_wait(struct aero_child *child)
{
	(void)aero_child_wait_or_stop(child, -1, NULL);
}

void aero_child_output(const struct aero_child *child, struct aero_child_output *ret)
{
	*ret = (struct aero_child_output){
		.text = child->text, .len = child->len, .cut = child->cut};
}

void aero_child_free(struct aero_child *child)
{
	if (child == NULL)
		return;
	if (child->pid > 0)
		reap(child);
	if (child->pidfd >= 0)
		(void)close(child->pidfd);
	if (child->out >= 0)
		(void)close(child->out);
	free(child->program);
	free(child);
}
