/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/loop.h"
#include "syncd/healer.h"

struct aero_healer {
	int fd; /* rung by the thread as its last act */
	pthread_t thread;
	bool runs;
	/* the thread's until it has rung: */
	struct aero_conf conf;
	struct aero_heal_result result;
};

struct aero_healer *aero_healer_new(void)
{
	struct aero_healer *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->fd < 0) {
		free(h);
		h = NULL;
	}
	return h;
}

static void *run(void *arg)
{
	struct aero_healer *h = arg;
	struct aero_heal_result *result = &h->result;
	uint64_t one = 1;
	ssize_t n;

	result->rc =
		aero_heal_run(&h->conf, &result->what, result->hostname, &result->err);
	n = write(h->fd, &one, sizeof(one));
	(void)n; /* it was taken before the run began, so there is room */
	return NULL;
}

bool aero_healer_start(struct aero_healer *h, const struct aero_conf *conf)
{
	if (h->runs || !aero_conf_copy(conf, &h->conf))
		return false;
	h->result = (struct aero_heal_result){0};
	h->runs = pthread_create(&h->thread, NULL, run, h) == 0;
	if (!h->runs)
		aero_conf_clear(&h->conf);
	return h->runs;
}

bool aero_healer_runs(const struct aero_healer *h)
{
	return h->runs;
}

int aero_healer_fd(const struct aero_healer *h)
{
	return h->fd;
}

bool aero_healer_take(struct aero_healer *h, struct aero_heal_result *ret)
{
	uint64_t count;

	if (!h->runs || read(h->fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return false;
	(void)pthread_join(h->thread, NULL); /* it is at its end */
	h->runs = false;
	*ret = h->result;
	aero_conf_clear(&h->conf);
	return true;
}

bool aero_healer_stop(struct aero_healer *h, int64_t timeout_ms)
{
	int64_t end = aero_clock_ms() + timeout_ms;
	const struct timespec until = {
		.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};

	if (h == NULL)
		return true;
	if (h->runs &&
		pthread_clockjoin_np(h->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
		return false;
	if (h->runs)
		aero_conf_clear(&h->conf);
	(void)close(h->fd);
	free(h);
	return true;
}
