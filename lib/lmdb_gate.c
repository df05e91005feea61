/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/lmdb_gate.h"
#include "lib/loop.h"

#define WAIT_MS 8000
#define PAUSE_US 1000

int aero_gate_enter(int fd)
{
	int64_t end = aero_clock_ms() + WAIT_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return errno;
		if (aero_clock_ms() >= end)
			return ETIMEDOUT;
		/* Not in step with others who wait. */
		(void)usleep(PAUSE_US + (useconds_t)(aero_random() % PAUSE_US));
	}
	return 0;
}

void aero_gate_leave(int fd)
{
	(void)flock(fd, LOCK_UN);
}
