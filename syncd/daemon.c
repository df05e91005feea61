/* SPDX-License-Identifier: MIT */
/* The loop: signals, batches, publishing, the legacy updater, status and watchdog. */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "syncd/daemon.h"
#include "syncd/parts.h"
#include "syncd/reload.h"
#include "syncd/report.h"

#define STATUS_MS 10000
#define RETRY_MS 5000     /* after a publish or a commit that failed */
#define STUCK_MS 30000    /* a watch thread that did not move is not well */
#define GIVE_UP_MS 120000 /* and is beyond help: start afresh */
#define STOP_MS 1000
#define STOP_TASK_MS 200
#define TRIM_ABOVE 4096 /* documents in a batch whose memory is worth giving back */

/* ---- the watch thread ---- */

static int start_watcher(struct aero_daemon *d, struct aero_err *err)
{
	struct aero_store *store = d->store;

	d->store = NULL; /* now the watcher's */
	return aero_watcher_start(store, &aero_state_meta(d->mirror->state)->position,
		d->conf->poll_interval, &d->watcher, err);
}

static void resync(struct aero_daemon *d)
{
	d->need_full = true;
	aero_watcher_resync(d->watcher);
}

static void take_state(struct aero_daemon *d)
{
	struct aero_status *status = &d->mirror->status;
	struct aero_watcher_state state;
	bool differs;

	aero_watcher_state(d->watcher, &state);
	differs = strcmp(status->mode, state.mode) != 0 ||
		  strcmp(status->error, state.error) != 0;
	if (strcmp(status->error, state.error) != 0 && state.error[0] != '\0')
		aero_log(AERO_WARNING, "store: %s", state.error);
	else if (strcmp(status->mode, state.mode) != 0 && state.error[0] == '\0')
		aero_log(AERO_INFO, "store: connected mode=%s server=%s", state.mode,
			status->server);
	aero_report_text(&status->mode, state.mode);
	aero_report_text(&status->error, state.error);
	status->last_contact = state.last_contact;
	status->reconnects = state.reconnects;
	d->alive = state.alive;
	d->status_due |= differs;
}

/* A whole collection is in, published where it differs: that is a resync. */
static void finish_sync(struct aero_daemon *d)
{
	if (d->sync_began == 0 || d->updater != NULL)
		return;
	d->mirror->status.sync_count++;
	d->mirror->status.sync_started = d->sync_began;
	d->sync_began = 0;
	d->status_due = true;
}

static void apply(struct aero_daemon *d, struct aero_news *news)
{
	bool whole = news->batch.kind == AERO_BATCH_FULL ||
		     news->batch.kind == AERO_BATCH_POLL;
	struct aero_err err;
	int rc;

	/* what came before the snapshot that we wait for is of no use */
	if (d->need_full && !whole)
		return;
	rc = aero_mirror_apply(d->mirror, &news->batch, news->arrived, &err);
	if (rc == AERO_OK) {
		d->need_full = d->need_full && !whole;
		if (whole)
			d->sync_began = news->began;
		return;
	}
	if (rc == AERO_LOST) {
		aero_log(AERO_WARNING, "sync: %s: reading everything again", err.msg);
		resync(d);
		return;
	}
	aero_log(AERO_ERROR, "sync: %s: trying again in %d s", err.msg, RETRY_MS / 1000);
	d->need_full = true;
	d->resync_at = aero_clock_ms() + RETRY_MS;
}

static void take_batches(struct aero_daemon *d)
{
	struct aero_news news;

	while (aero_watcher_take(d->watcher, &news)) {
		bool much = news.batch.n > TRIM_ABOVE;

		apply(d, &news);
		aero_news_clear(&news);
		if (much)
			(void)malloc_trim(0);
	}
}

/* ---- publishing ---- */

static void ready(struct aero_daemon *d)
{
	if (!d->ready)
		aero_notify("READY=1");
	d->ready = true;
}

/* After a publish that went so. */
static void published(
	struct aero_daemon *d, int rc, int64_t wait_ms, const struct aero_err *err)
{
	d->publish_at = 0;
	d->status_due = true;
	d->heal.look |= rc == AERO_OK || rc == AERO_REFUSED;
	if (rc == AERO_OK) {
		aero_nscd_tell(d->conf, &d->nscd);
		ready(d);
	} else if (rc == AERO_REFUSED) {
		ready(d); /* with the old names */
		d->publish_at = aero_clock_ms() + wait_ms;
	} else {
		aero_log(AERO_ERROR, "publish: %s: trying again in %d s", err->msg,
			RETRY_MS / 1000);
		d->publish_at = aero_clock_ms() + RETRY_MS;
	}
}

static void publish(struct aero_daemon *d)
{
	struct aero_err err;
	int64_t wait_ms = 0;
	int rc = aero_mirror_publish(d->mirror, &wait_ms, &err);

	published(d, rc, wait_ms, &err);
}

/* With a legacy updater, its text goes first: without one yet, nothing is touched. */
static bool hosts_due(const struct aero_daemon *d)
{
	return d->mirror->hosts_due && d->mirror->set_made &&
	       (*d->conf->legacy_updater == '\0' || d->legacy != NULL);
}

static void write_hosts(struct aero_daemon *d)
{
	struct aero_err err;

	if (aero_mirror_hosts(d->mirror,
		    *d->conf->legacy_updater != '\0' ? d->legacy : NULL, d->legacy_len,
		    &err) == AERO_OK)
		d->status_due = true;
	else
		d->hosts_at = aero_clock_ms() + RETRY_MS;
}

static void publish_if_due(struct aero_daemon *d)
{
	int64_t now = aero_clock_ms();

	if (aero_pace_wait(&d->mirror->pace, now) == 0 ||
		(d->publish_at != 0 && now >= d->publish_at))
		publish(d);
	if (hosts_due(d) && now >= d->hosts_at)
		write_hosts(d);
	if (!d->mirror->pace.pending && d->publish_at == 0)
		finish_sync(d);
	else if (d->mirror->status.shrink_held_since != 0)
		finish_sync(d); /* it is in, though not out */
}

/* ---- signals ---- */

static void reload(struct aero_daemon *d)
{
	struct aero_err err;
	int rc = aero_daemon_reload(d, &err);

	if (rc == AERO_OK) {
		aero_daemon_hooks_again(d);
		aero_daemon_heal_again(d);
		aero_daemon_beat_again(d);
	}
	if (rc == AERO_OK && d->watcher == NULL) {
		aero_report_text(&d->mirror->status.server, aero_store_name(d->store));
		d->need_full = false;
		rc = start_watcher(d, &err);
	}
	if (rc == AERO_OK) {
		aero_log(AERO_INFO, "reload: done");
	} else if (d->watcher != NULL) {
		aero_log(AERO_ERROR, "reload: %s: going on as before", err.msg);
	} else {
		aero_log(AERO_CRITICAL, "reload: %s", err.msg);
		d->stop = true;
		d->rc = rc;
		d->err = err;
	}
}

static void take_signals(struct aero_daemon *d)
{
	struct signalfd_siginfo info;

	while (!d->stop &&
		read(d->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
			aero_log(AERO_INFO, "stopping: signal=%u", info.ssi_signo);
			d->stop = true;
			break;
		case SIGHUP:
			reload(d);
			aero_daemon_updater_start(d);
			break;
		case SIGUSR1:
			/* sent by `--update --accept-shrink` with 1 */
			if (info.ssi_code == SI_QUEUE && info.ssi_int == 1)
				d->mirror->accept_shrink = true;
			aero_log(AERO_INFO, "resync: asked for by pid %u", info.ssi_pid);
			resync(d);
			aero_daemon_updater_start(d);
			break;
		case SIGCHLD:
			aero_nscd_reap(d->conf, &d->nscd);
			break;
		default:
			break;
		}
	}
}

/* ---- the loop ---- */

static void sooner(int64_t *wait, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	if (ms < *wait)
		*wait = ms;
}

static int64_t time_to_wait(const struct aero_daemon *d)
{
	int64_t now = aero_clock_ms(), wait = d->status_at - now;
	int64_t pace = aero_pace_wait(&d->mirror->pace, now);

	if (wait < 0)
		wait = 0;
	if (pace >= 0)
		sooner(&wait, pace);
	if (d->publish_at != 0)
		sooner(&wait, d->publish_at - now);
	if (d->resync_at != 0)
		sooner(&wait, d->resync_at - now);
	if (hosts_due(d))
		sooner(&wait, d->hosts_at - now);
	if (*d->conf->legacy_updater != '\0' && d->updater == NULL)
		sooner(&wait, d->legacy_at - now);
	if (d->updater != NULL)
		sooner(&wait, aero_child_wait_ms(aero_updater_child(d->updater), now));
	if (d->watchdog_ms > 0)
		sooner(&wait, d->watchdog_at - now);
	if (aero_hooks_child(d->hooks) != NULL)
		sooner(&wait, aero_child_wait_ms(aero_hooks_child(d->hooks), now));
	sooner(&wait, aero_daemon_heal_wait(d, now));
	sooner(&wait, aero_daemon_beat_wait(d, now));
	return wait;
}

/* Feed the service manager's watchdog while the watch thread moves; where none looks on,
 * a thread that hangs for good ends the process, for its supervisor to start anew. */
static void check_watcher(struct aero_daemon *d)
{
	int64_t now = aero_clock_ms();

	take_state(d);
	if (d->watchdog_ms > 0 && now >= d->watchdog_at) {
		if (now - d->alive < STUCK_MS)
			aero_notify("WATCHDOG=1");
		d->watchdog_at = now + d->watchdog_ms;
	}
	if (now - d->alive > GIVE_UP_MS && !d->stop) {
		aero_log(AERO_CRITICAL, "the driver has been stuck for %lld s: ending",
			(long long)((now - d->alive) / 1000));
		d->stop = true;
		d->rc = aero_err_set(&d->err, AERO_AGAIN, "the driver hangs");
	}
}

/* Ten times less often than the store would be polled: 10 minutes. */
static void scrub(struct aero_daemon *d, int64_t now)
{
	const char *why;

	if (!d->mirror->set_made ||
		!aero_scrub_step(&d->scrub, d->mirror->hosts_path, now,
			(int64_t)d->conf->poll_interval * 10000, &why))
		return;
	aero_log(AERO_ERROR, "mirror: '%s' is damaged: %s: publishing it again",
		d->mirror->hosts_path, why);
	d->mirror->status.repairs++;
	d->publish_at = now;
}

static void timers(struct aero_daemon *d)
{
	int64_t now = aero_clock_ms();

	if (d->resync_at != 0 && now >= d->resync_at) {
		d->resync_at = 0;
		resync(d);
	}
	if (*d->conf->legacy_updater != '\0' && now >= d->legacy_at)
		aero_daemon_updater_start(d);
	scrub(d, now);
	if (d->status_due || now >= d->status_at) {
		d->status_due = false;
		d->status_at = now + STATUS_MS;
		aero_mirror_status(d->mirror);
	}
}

static void turn(struct aero_daemon *d)
{
	const struct aero_child *hook = aero_hooks_child(d->hooks);
	struct pollfd fds[4 + 2 * AERO_CHILD_FDS] = {{.fd = d->signals, .events = POLLIN},
		{.fd = aero_watcher_fd(d->watcher), .events = POLLIN},
		{.fd = aero_healer_fd(d->heal.healer), .events = POLLIN},
		{.fd = aero_beater_fd(d->beat.beater), .events = POLLIN}};
	nfds_t n = 4;
	uint64_t count;

	if (d->updater != NULL)
		n += aero_child_fds(aero_updater_child(d->updater), fds + n);
	if (hook != NULL)
		n += aero_child_fds(hook, fds + n);
	(void)poll(fds, n, (int)time_to_wait(d));
	if ((fds[1].revents & POLLIN) != 0 &&
		read(fds[1].fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		aero_log(AERO_DEBUG, "eventfd: nothing to read");
	take_signals(d);
	if (d->stop)
		return;
	take_batches(d);
	aero_daemon_updater_step(d);
	publish_if_due(d);
	check_watcher(d);
	timers(d);
	aero_daemon_heal_look(d);
	aero_daemon_heal_step(d);
	aero_daemon_beat_step(d);
	/* A file that cannot be written holds nobody up. */
	aero_daemon_hooks_step(
		d, !d->status_due && (!hosts_due(d) || d->hosts_at > aero_clock_ms()));
}

static int start(struct aero_daemon *d, struct aero_err *err)
{
	char *source = NULL;
	int64_t wait_ms = 0;
	int rc;

	d->heal.healer = aero_healer_new();
	d->beat.beater = aero_beater_new();
	if (d->heal.healer == NULL || d->beat.beater == NULL)
		return aero_err_set(err, AERO_IO, "eventfd: %s", strerror(errno));
	rc = aero_syncd_store(d->conf, &d->store, err);
	if (rc != AERO_OK)
		return rc;
	source = aero_syncd_source(d->conf, d->store);
	if (source == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	rc = aero_mirror_new(d->conf, source, &d->mirror, err);
	free(source);
	if (rc != AERO_OK)
		return rc;
	aero_report_text(&d->mirror->status.server, aero_store_name(d->store));
	rc = aero_mirror_start(d->mirror, &wait_ms, err);
	if (rc == AERO_PERM)
		return rc;
	if (rc != AERO_MISS)
		published(d, rc, wait_ms, err);
	if (!aero_daemon_hooks_start(d))
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	aero_daemon_updater_start(d);
	aero_daemon_beat_again(d);
	d->watchdog_ms = aero_watchdog_ms();
	d->status_due = true;
	return start_watcher(d, err);
}

int aero_syncd_daemon(const struct aero_conf *conf, int signals, struct aero_err *err)
{
	struct aero_daemon d = {.conf = conf, .signals = signals};
	int rc = start(&d, err);
	bool stuck = false;

	if (rc == AERO_OK) {
		aero_log(AERO_INFO, "started: server=%s names=%lld generation=%llu",
			d.mirror->status.server, (long long)d.mirror->status.names,
			(unsigned long long)d.mirror->generation);
		while (!d.stop)
			turn(&d);
		aero_notify("STOPPING=1");
		rc = d.rc;
		*err = d.err;
		aero_report_text(&d.mirror->status.mode, "stopped");
		aero_mirror_status(d.mirror);
	}
	aero_updater_free(d.updater);
	aero_hooks_free(d.hooks);
	aero_told_clear(&d.told);
	aero_scrub_end(&d.scrub);
	stuck = !aero_healer_stop(d.heal.healer, STOP_TASK_MS);
	stuck |= !aero_beater_stop(d.beat.beater, STOP_TASK_MS);
	stuck |= !aero_watcher_stop(d.watcher, STOP_MS);
	aero_store_close(d.store);
	aero_mirror_free(d.mirror);
	free(d.legacy);
	aero_daemon_conf_free(&d);
	(void)close(d.signals);
	if (stuck) {
		/* exit() would run the driver's destructors under its thread */
		aero_log(AERO_WARNING, "stopped: the driver was busy");
		_exit((int)aero_exit_code(rc));
	}
	return rc;
}
