/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "syncd/nscd.h"

#define NSCD_SOCKET "/run/nscd/socket"

/* The signals that we block are not to be blocked there. */
static int spawn(pid_t *ret_pid)
{
	char nscd[] = "nscd", invalidate[] = "-i", hosts[] = "hosts";
	char *argv[] = {nscd, invalidate, hosts, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int e = posix_spawnattr_init(&attr);

	if (e != 0)
		return e;
	e = posix_spawn_file_actions_init(&actions);
	if (e != 0) {
		(void)posix_spawnattr_destroy(&attr);
		return e;
	}
	(void)sigemptyset(&none);
	e = posix_spawnattr_setsigmask(&attr, &none);
	if (e == 0)
		e = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	if (e == 0)
		e = posix_spawn_file_actions_addopen(
			&actions, 0, "/dev/null", O_RDONLY, 0);
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (e == 0)
		e = posix_spawnp(ret_pid, nscd, &actions, &attr, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	return e;
}

void aero_nscd_tell(const struct aero_conf *conf, struct aero_nscd_call *call)
{
	int e;

	if (conf->nscd == AERO_NSCD_OFF || !aero_conf_real_root(conf) ||
		access(NSCD_SOCKET, F_OK) != 0)
		return;
	if (call->pid != 0) {
		call->again = true;
		return;
	}
	e = spawn(&call->pid);
	if (e != 0) {
		call->pid = 0;
		aero_log(AERO_WARNING, "nscd: cannot run `nscd -i hosts`: %s",
			strerror(e));
	}
}

void aero_nscd_reap(const struct aero_conf *conf, struct aero_nscd_call *call)
{
	if (call->pid == 0 || waitpid(call->pid, NULL, WNOHANG) == 0)
		return;
	call->pid = 0;
	if (call->again)
		aero_nscd_tell(conf, call);
	call->again = false;
}

void aero_nscd_once(const struct aero_conf *conf)
{
	struct aero_nscd_call call = {0};

	aero_nscd_tell(conf, &call);
	while (call.pid != 0 && waitpid(call.pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
