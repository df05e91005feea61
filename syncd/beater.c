/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>

#include "lib/identity.h"
#include "lib/store.h"
#include "syncd/beater.h"
#include "syncd/task.h"

struct aero_beater {
	struct aero_task *task;
	bool forget; /* the store is of other options */
	/* the thread's while it runs: */
	struct aero_store *store; /* NULL: to be opened */
	struct aero_beat beat;
};

struct aero_beater *aero_beater_new(void)
{
	struct aero_beater *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->task = aero_task_new();
	if (b->task == NULL) {
		free(b);
		b = NULL;
	}
	return b;
}

static void close_store(struct aero_beater *b)
{
	aero_store_close(b->store);
	b->store = NULL;
}

static void run(const struct aero_conf *conf, void *arg)
{
	struct aero_beater *b = arg;
	struct aero_identity identity = {0};
	struct aero_beat *beat = &b->beat;

	beat->rc = aero_identity_own(conf, &identity, &beat->err);
	beat->ours = beat->rc != AERO_MISS;
	if (beat->rc == AERO_OK && b->store == NULL)
		beat->rc = aero_store_open_conf(
			conf, "heartbeat", false, &b->store, &beat->err);
	if (beat->rc == AERO_OK)
		beat->rc = aero_store_node_seen(
			b->store, identity.who.instance_id, &beat->err);
	if (beat->rc != AERO_OK)
		close_store(b);
	aero_identity_clear(&identity);
}

bool aero_beater_start(struct aero_beater *b, const struct aero_conf *conf)
{
	if (aero_task_runs(b->task))
		return false;
	if (b->forget)
		close_store(b);
	b->forget = false;
	b->beat = (struct aero_beat){0};
	return aero_task_start(b->task, conf, run, b);
}

bool aero_beater_runs(const struct aero_beater *b)
{
	return aero_task_runs(b->task);
}

int aero_beater_fd(const struct aero_beater *b)
{
	return aero_task_fd(b->task);
}

bool aero_beater_take(struct aero_beater *b, struct aero_beat *ret)
{
	if (!aero_task_take(b->task))
		return false;
	*ret = b->beat;
	return true;
}

void aero_beater_forget(struct aero_beater *b)
{
	b->forget = true;
}

bool aero_beater_stop(struct aero_beater *b, int64_t timeout_ms)
{
	if (b == NULL)
		return true;
	if (!aero_task_stop(b->task, timeout_ms))
		return false;
	close_store(b);
	free(b);
	return true;
}
