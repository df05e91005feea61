/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/loop.h"
#include "syncd/task.h"

struct aero_task {
	int fd; /* rung by the thread as its last act */
	pthread_t thread;
	bool runs;
	/* the thread's while it runs: */
	struct aero_conf conf;
	void (*run)(const struct aero_conf *conf, void *arg);
	void *arg;
};

struct aero_task *aero_task_new(void)
{
	struct aero_task *task = calloc(1, sizeof(*task));

	if (task == NULL)
		return NULL;
	task->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (task->fd < 0) {
		free(task);
		task = NULL;
	}
	return task;
}

static void *thread(void *arg)
{
	struct aero_task *task = arg;
	uint64_t one = 1;
	ssize_t n;

	task->run(&task->conf, task->arg);
	n = write(task->fd, &one, sizeof(one));
	(void)n; /* it was taken before the run began, so there is room */
	return NULL;
}

bool aero_task_start(struct aero_task *task, const struct aero_conf *conf,
	void (*run)(const struct aero_conf *conf, void *arg), void *arg)
{
	if (task->runs || !aero_conf_copy(conf, &task->conf))
		return false;
	task->run = run;
	task->arg = arg;
	task->runs = pthread_create(&task->thread, NULL, thread, task) == 0;
	if (!task->runs)
		aero_conf_clear(&task->conf);
	return task->runs;
}

bool aero_task_runs(const struct aero_task *task)
{
	return task->runs;
}

int aero_task_fd(const struct aero_task *task)
{
	return task->fd;
}

bool aero_task_take(struct aero_task *task)
{
	uint64_t count;

	if (!task->runs ||
		read(task->fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return false;
	(void)pthread_join(task->thread, NULL); /* it is at its end */
	task->runs = false;
	aero_conf_clear(&task->conf);
	return true;
}

bool aero_task_stop(struct aero_task *task, int64_t timeout_ms)
{
	int64_t end = aero_clock_ms() + timeout_ms;
	const struct timespec until = {
		.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};

	if (task == NULL)
		return true;
	if (task->runs &&
		pthread_clockjoin_np(task->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
		return false;
	if (task->runs)
		aero_conf_clear(&task->conf);
	(void)close(task->fd);
	free(task);
	return true;
}
