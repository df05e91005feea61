/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/loop.h"

int aero_signals(void)
{
	sigset_t read_ones, all;

	(void)sigemptyset(&read_ones);
	(void)sigaddset(&read_ones, SIGTERM);
	(void)sigaddset(&read_ones, SIGINT);
	(void)sigaddset(&read_ones, SIGHUP);
	(void)sigaddset(&read_ones, SIGUSR1);
	(void)sigaddset(&read_ones, SIGCHLD);
	all = read_ones;
	(void)sigaddset(&all, SIGPIPE);
	errno = pthread_sigmask(SIG_BLOCK, &all, NULL);
	if (errno != 0)
		return -1;
	return signalfd(-1, &read_ones, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t aero_clock_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t aero_unix_ms(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000;
}

int64_t aero_unix_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t aero_jitter_ms(int64_t ms)
{
	return ms - ms / 5 + (int64_t)(aero_random() % (uint64_t)(ms / 5 * 2 + 1));
}

int64_t aero_backoff_ms(unsigned attempt, int64_t base, int64_t cap, uint64_t rnd)
{
	int64_t limit = base;

	while (attempt-- > 0 && limit > 0 && limit < cap)
		limit = limit > INT64_MAX / 2 ? cap : limit * 2;
	if (limit > cap)
		limit = cap;
	return limit <= 0 ? 0 : (int64_t)(rnd % ((uint64_t)limit + 1));
}

uint64_t aero_random(void)
{
	uint64_t bits = 0;

	while (getrandom(&bits, sizeof(bits), 0) != (ssize_t)sizeof(bits)) {
		if (errno == EINTR)
			continue;
		/* No such call (seccomp): the clock and the pid still differ. */
		return (uint64_t)clock_ns(CLOCK_REALTIME) * 0x9e3779b97f4a7c15u ^
		       (uint64_t)getpid();
	}
	return bits;
}

void aero_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path == NULL ? 0 : strlen(path);
	int fd;

	if (len == 0 || len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0'; /* an abstract socket has no file */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	(void)close(fd);
}

int64_t aero_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	char *end;
	long long value;

	/* A child inherits the variable, but the watchdog is not its. */
	if (pid != NULL && strtoll(pid, NULL, 10) != (long long)getpid())
		return 0;
	if (usec == NULL)
		return 0;
	errno = 0;
	value = strtoll(usec, &end, 10);
	if (errno != 0 || end == usec || *end != '\0' || value <= 0)
		return 0;
	return value < 2000 ? 1 : value / 2000;
}
