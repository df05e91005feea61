/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "syncd/watcher.h"

#define NEXT_MS 5000
#define BACKOFF_BASE_MS 500
#define BACKOFF_CAP_MS 30000
#define BACKOFF_MIN_MS 50 /* full jitter may say 0 */
#define AUTH_MS 60000     /* refused: it is people who must do something */
#define SAVE_MS 60000     /* a position alone is worth a commit so often */
#define STEADY_MS 10000   /* after so long a failure is a new one */
#define QUEUE_MAX 256
#define NAMES_FAILED 3 /* then addresses that last worked, every other time */

struct item {
	struct item *next;
	struct aero_news news;
};

struct aero_watcher {
	pthread_t thread;
	struct aero_store *store; /* the thread's */
	int poll_interval;
	struct aero_position at; /* the thread's: behind all that was handed over */
	int64_t saved;           /* the thread's: when something was handed over */
	bool moved;              /* the thread's: `at` has gone on since */
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t cond; /* stop, resync, or room in the queue */
	/* under lock: */
	bool stop, resync;
	struct aero_watch *watch; /* to be woken; NULL while there is none */
	struct item *first, **last;
	size_t n;
	struct aero_watcher_state state;
};

/* ---- what the thread tells ---- */

static void ring(const struct aero_watcher *w)
{
	uint64_t one = 1;
	ssize_t n = write(w->fd, &one, sizeof(one));

	(void)n; /* full: it rings already */
}

static void tell(struct aero_watcher *w, const char *mode, const char *error)
{
	bool differs;

	(void)pthread_mutex_lock(&w->lock);
	differs = strcmp(w->state.mode, mode) != 0 || strcmp(w->state.error, error) != 0;
	w->state.mode = mode;
	(void)snprintf(w->state.error, sizeof(w->state.error), "%s", error);
	(void)pthread_mutex_unlock(&w->lock);
	if (differs)
		ring(w);
}

static void contact(struct aero_watcher *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->state.last_contact = aero_unix_ms();
	w->state.alive = aero_clock_ms();
	(void)pthread_mutex_unlock(&w->lock);
}

/* In the middle of a long snapshot. */
static void moving(void *arg)
{
	struct aero_watcher *w = arg;

	(void)pthread_mutex_lock(&w->lock);
	w->state.alive = aero_clock_ms();
	(void)pthread_mutex_unlock(&w->lock);
}

static bool copy_position(struct aero_position *to, const struct aero_position *from)
{
	void *token = NULL;

	if (from->token_len > 0) {
		token = malloc(from->token_len);
		if (token == NULL)
			return false;
		memcpy(token, from->token, from->token_len);
	}
	aero_position_clear(to);
	*to = (struct aero_position){token, from->token_len, from->source_time};
	return true;
}

/* Hand a batch over; waits while the queue is full. False: it could not be, and the
 * position is given up, so that nothing is missed. */
static bool hand_over(struct aero_watcher *w, struct aero_batch *batch, int64_t began)
{
	struct item *item = calloc(1, sizeof(*item));

	if (item == NULL || !copy_position(&w->at, &batch->position)) {
		free(item);
		aero_position_clear(&w->at);
		return false;
	}
	item->news = (struct aero_news){
		.batch = *batch, .began = began, .arrived = aero_unix_ns()};
	*batch = (struct aero_batch){0}; /* now owned by item */
	w->saved = aero_clock_ms();
	w->moved = false;
	(void)pthread_mutex_lock(&w->lock);
	while (w->n >= QUEUE_MAX && !w->stop)
		(void)pthread_cond_wait(&w->cond, &w->lock);
	*w->last = item;
	w->last = &item->next;
	w->n++;
	(void)pthread_mutex_unlock(&w->lock);
	ring(w);
	return true;
}

/* ---- the thread ---- */

/* Wait, unless there is something to do. */
static void rest(struct aero_watcher *w, int64_t ms)
{
	int64_t end = aero_clock_ms() + ms;
	const struct timespec until = {
		.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};

	(void)pthread_mutex_lock(&w->lock);
	w->state.alive = end; /* no need to worry before that */
	while (!w->stop && !w->resync &&
		pthread_cond_timedwait(&w->cond, &w->lock, &until) == 0)
		continue;
	w->state.alive = aero_clock_ms();
	(void)pthread_mutex_unlock(&w->lock);
}

static bool stopped(struct aero_watcher *w)
{
	bool stop;

	(void)pthread_mutex_lock(&w->lock);
	stop = w->stop;
	(void)pthread_mutex_unlock(&w->lock);
	return stop;
}

/* Make watch the one to be woken, or NULL; true if there is a reason to end it. */
static bool show(struct aero_watcher *w, struct aero_watch *watch)
{
	bool end;

	(void)pthread_mutex_lock(&w->lock);
	w->watch = watch;
	end = w->stop || w->resync;
	(void)pthread_mutex_unlock(&w->lock);
	return end;
}

/* Nothing happened up to here: what follows goes on from it. True if it is worth a
 * commit by now. */
static bool moved(struct aero_watcher *w, const struct aero_position *position)
{
	if (position->token_len != w->at.token_len ||
		(position->token_len > 0 &&
			memcmp(position->token, w->at.token, position->token_len) != 0))
		w->moved |= copy_position(&w->at, position);
	return w->moved && aero_clock_ms() - w->saved >= SAVE_MS;
}

/* Follow one watch to its end; *ret_worked: it gave something. */
static int follow(
	struct aero_watcher *w, bool remembered, bool *ret_worked, struct aero_err *err)
{
	const struct aero_watch_opts opts = {.from = &w->at,
		.poll_interval = w->poll_interval,
		.progress = moving,
		.progress_arg = w,
		.remembered = remembered};
	struct aero_batch batch = {0};
	struct aero_watch *watch = NULL;
	int64_t began = aero_unix_ms();
	int timeout = 0; /* at first only see that it answers */
	int rc = aero_watch_open(w->store, &opts, &watch, err);

	while (rc == AERO_OK && !show(w, watch)) {
		rc = aero_watch_next(watch, timeout, &batch, err);
		if (rc != AERO_OK)
			break;
		timeout = NEXT_MS;
		contact(w);
		if (remembered && !*ret_worked)
			aero_log(AERO_WARNING, "store: reached by the address that last "
					       "worked: where its "
					       "name leads now, it does not answer");
		*ret_worked = true;
		tell(w, aero_watch_mode(watch), "");
		if ((batch.kind != AERO_BATCH_NONE || moved(w, &batch.position)) &&
			!hand_over(w, &batch, began))
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
		aero_batch_clear(&batch);
		began = aero_unix_ms();
	}
	(void)show(w, NULL);
	aero_batch_clear(&batch);
	aero_watch_close(watch);
	return rc;
}

static void *run(void *arg)
{
	struct aero_watcher *w = arg;
	struct aero_err err;
	unsigned attempt = 0;
	int64_t pause, began;
	bool worked;
	int rc;

	while (!stopped(w)) {
		(void)pthread_mutex_lock(&w->lock);
		if (w->resync)
			aero_position_clear(&w->at);
		w->resync = false;
		w->state.alive = aero_clock_ms();
		(void)pthread_mutex_unlock(&w->lock);
		worked = false;
		began = aero_clock_ms();
		rc = follow(
			w, attempt >= NAMES_FAILED && attempt % 2 == 1, &worked, &err);
		/* not a server that gives a snapshot and loses it again */
		if (worked && aero_clock_ms() - began >= STEADY_MS)
			attempt = 0;
		if (rc == AERO_OK)
			continue; /* stop or resync */
		if (rc == AERO_LOST)
			aero_position_clear(&w->at);
		tell(w, "backoff", err.msg);
		/* a lost position is no reason to wait, once */
		pause = rc == AERO_LOST && attempt == 0 ? 0
			: rc == AERO_PERM
				? AUTH_MS - (int64_t)(aero_random() % (AUTH_MS / 10))
				: aero_backoff_ms(attempt, BACKOFF_BASE_MS,
					  BACKOFF_CAP_MS, aero_random());
		attempt++;
		rest(w, pause < BACKOFF_MIN_MS ? BACKOFF_MIN_MS : pause);
		(void)pthread_mutex_lock(&w->lock);
		w->state.reconnects++;
		(void)pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

/* ---- the main thread's side ---- */

static void clear(struct aero_watcher *w)
{
	struct aero_news news;

	while (aero_watcher_take(w, &news))
		aero_news_clear(&news);
	aero_store_close(w->store);
	aero_position_clear(&w->at);
	if (w->fd >= 0)
		(void)close(w->fd);
	(void)pthread_cond_destroy(&w->cond);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
}

int aero_watcher_start(struct aero_store *store, const struct aero_position *from,
	int poll_interval, struct aero_watcher **ret, struct aero_err *err)
{
	struct aero_watcher *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int e;

	if (w == NULL) {
		aero_store_close(store);
		return aero_err_set(err, AERO_NOMEM, "watch: out of memory");
	}
	w->store = store;
	w->poll_interval = poll_interval;
	w->last = &w->first;
	w->state.mode = "starting";
	w->state.alive = aero_clock_ms();
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&w->cond, &attr);
	(void)pthread_condattr_destroy(&attr);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0) {
		e = errno;
	} else if (!copy_position(&w->at, from)) {
		e = ENOMEM;
	} else {
		e = pthread_create(&w->thread, NULL, run, w);
	}
	if (e != 0) {
		clear(w);
		return aero_err_set(
			err, aero_rc_of_errno(e), "watch thread: %s", strerror(e));
	}
	*ret = w;
	return AERO_OK;
}

int aero_watcher_fd(const struct aero_watcher *w)
{
	return w->fd;
}

bool aero_watcher_take(struct aero_watcher *w, struct aero_news *ret)
{
	struct item *item;

	(void)pthread_mutex_lock(&w->lock);
	item = w->first;
	if (item != NULL) {
		w->first = item->next;
		if (w->first == NULL)
			w->last = &w->first;
		w->n--;
		(void)pthread_cond_signal(&w->cond);
	}
	(void)pthread_mutex_unlock(&w->lock);
	if (item == NULL)
		return false;
	*ret = item->news;
	free(item);
	return true;
}

void aero_news_clear(struct aero_news *news)
{
	aero_batch_clear(&news->batch);
}

void aero_watcher_state(struct aero_watcher *w, struct aero_watcher_state *ret)
{
	(void)pthread_mutex_lock(&w->lock);
	*ret = w->state;
	(void)pthread_mutex_unlock(&w->lock);
}

static void poke(struct aero_watcher *w, bool *flag)
{
	(void)pthread_mutex_lock(&w->lock);
	*flag = true;
	if (w->watch != NULL)
		aero_watch_wake(w->watch);
	(void)pthread_cond_broadcast(&w->cond);
	(void)pthread_mutex_unlock(&w->lock);
}

void aero_watcher_resync(struct aero_watcher *w)
{
	poke(w, &w->resync);
}

bool aero_watcher_stop(struct aero_watcher *w, int64_t timeout_ms)
{
	struct timespec until;
	int64_t end;

	if (w == NULL)
		return true;
	poke(w, &w->stop);
	end = aero_clock_ms() + timeout_ms;
	until = (struct timespec){.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
	if (pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
		return false;
	clear(w);
	return true;
}
