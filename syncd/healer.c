/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>

#include "syncd/healer.h"
#include "syncd/task.h"

struct aero_healer {
	struct aero_task *task;
	/* the thread's while it runs: */
	bool again;
	struct aero_heal_result result;
};

struct aero_healer *aero_healer_new(void)
{
	struct aero_healer *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->task = aero_task_new();
	if (h->task == NULL) {
		free(h);
		h = NULL;
	}
	return h;
}

static void run(const struct aero_conf *conf, void *arg)
{
	struct aero_healer *h = arg;
	struct aero_heal_result *result = &h->result;

	result->rc = aero_heal_run(
		conf, h->again, &result->what, result->hostname, &result->err);
}

bool aero_healer_start(struct aero_healer *h, const struct aero_conf *conf, bool again)
{
	if (aero_task_runs(h->task))
		return false;
	h->result = (struct aero_heal_result){0};
	h->again = again;
	return aero_task_start(h->task, conf, run, h);
}

bool aero_healer_runs(const struct aero_healer *h)
{
	return aero_task_runs(h->task);
}

int aero_healer_fd(const struct aero_healer *h)
{
	return aero_task_fd(h->task);
}

bool aero_healer_take(struct aero_healer *h, struct aero_heal_result *ret)
{
	if (!aero_task_take(h->task))
		return false;
	*ret = h->result;
	return true;
}

bool aero_healer_stop(struct aero_healer *h, int64_t timeout_ms)
{
	if (h == NULL)
		return true;
	if (!aero_task_stop(h->task, timeout_ms))
		return false;
	free(h);
	return true;
}
