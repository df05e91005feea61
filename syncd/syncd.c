/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/status.h"
#include "syncd/parts.h"

#define LOCK_FILE "/run/aerostat/syncd.lock"
#define FETCH_MS 30000
#define ASK_MS 10000 /* how long a running daemon is waited for */
#define ASK_LOOK_MS 50

int aero_syncd_store(
	const struct aero_conf *conf, struct aero_store **ret, struct aero_err *err)
{
	return aero_store_open_conf(conf, "syncd", conf->dryrun, ret, err);
}

char *aero_syncd_source(const struct aero_conf *conf, const struct aero_store *store)
{
	char *source = NULL;

	return asprintf(&source, "%s %s", aero_store_name(store), conf->database) < 0
		       ? NULL
		       : source;
}

int aero_syncd_fetch(const struct aero_conf *conf, struct aero_store *store,
	struct aero_batch *ret, struct aero_err *err)
{
	const struct aero_watch_opts opts = {.poll_interval = conf->poll_interval};
	int64_t end = aero_clock_ms() + FETCH_MS, left;
	struct aero_watch *watch = NULL;
	struct aero_batch batch = {0};
	int rc = aero_watch_open(store, &opts, &watch, err);

	while (rc == AERO_OK && batch.kind != AERO_BATCH_FULL &&
		batch.kind != AERO_BATCH_POLL) {
		aero_batch_clear(&batch);
		left = end - aero_clock_ms();
		if (left <= 0)
			rc = aero_err_set(err, AERO_NET, "%s gave no answer within %d s",
				aero_store_name(store), FETCH_MS / 1000);
		else
			rc = aero_watch_next(watch, (int)left, &batch, err);
	}
	aero_watch_close(watch);
	if (rc == AERO_OK)
		*ret = batch;
	else
		aero_batch_clear(&batch);
	return rc;
}

/* ---- a daemon that runs already ---- */

/* A resync of that daemon that began after `since` is finished. */
static bool synced(const struct aero_conf *conf, pid_t pid, int64_t since)
{
	struct aero_status status = {0};
	bool done = aero_status_read(conf, &status, NULL) == AERO_OK &&
		    status.pid == (int64_t)pid && status.sync_started >= since;

	if (done && status.shrink_held_since != 0)
		aero_log(AERO_WARNING,
			"update: the shrink guard of the daemon (pid %ld) holds the new "
			"names",
			(long)pid);
	aero_status_clear(&status);
	return done;
}

/* Ask the daemon for an update and wait for it. AERO_MISS: it has gone, the lock is free.
 * The signal carries 1 for --accept-shrink. */
static int ask(
	const struct aero_conf *conf, const char *lock, pid_t pid, struct aero_err *err)
{
	const struct timespec pause = {.tv_nsec = ASK_LOOK_MS * 1000000};
	const union sigval value = {.sival_int = conf->accept_shrink};
	int64_t since = aero_unix_ms(), end = aero_clock_ms() + ASK_MS;

	if (pid <= 0 || aero_lock_holder(lock) != pid)
		return aero_err_set(err, AERO_MISS, "'%s' was let go", lock);
	if (sigqueue(pid, SIGUSR1, value) < 0)
		return errno == ESRCH
			       ? aero_err_set(err, AERO_MISS, "the daemon has gone")
			       : aero_err_set(err, aero_rc_of_errno(errno),
					 "signal the daemon (pid %ld): %s", (long)pid,
					 strerror(errno));
	while (aero_clock_ms() < end) {
		if (synced(conf, pid, since)) {
			aero_log(AERO_INFO, "update: done by the daemon (pid %ld)",
				(long)pid);
			return AERO_OK;
		}
		if (aero_lock_holder(lock) != pid)
			return aero_err_set(err, AERO_MISS, "'%s' was let go", lock);
		(void)nanosleep(&pause, NULL);
	}
	return aero_err_set(err, AERO_AGAIN,
		"the daemon (pid %ld) has not finished an update within %d s; see "
		"`aerostat "
		"status`",
		(long)pid, ASK_MS / 1000);
}

/* Take the lock for an update, or have the daemon do it: *ret_fd is -1 then. */
static int lock_or_ask(
	const struct aero_conf *conf, const char *lock, int *ret_fd, struct aero_err *err)
{
	pid_t holder = 0;
	int rc = AERO_MISS;

	for (int i = 0; rc == AERO_MISS && i < 5; i++) {
		rc = aero_lock_take(lock, ret_fd, &holder, err);
		if (rc == AERO_AGAIN) {
			*ret_fd = -1;
			rc = ask(conf, lock, holder, err);
		}
	}
	return rc == AERO_MISS ? AERO_AGAIN : rc;
}

int aero_syncd_run(
	const struct aero_conf *conf, bool once, FILE *out, struct aero_err *err)
{
	/* One that waits for the lock may take us for the daemon, and signal. */
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction old;
	char *lock = NULL;
	int fd = -1, signals, rc;

	if (conf->dryrun)
		return aero_syncd_dryrun(conf, out, err);
	if (aero_conf_real_root(conf) && geteuid() != 0)
		return aero_err_set(err, AERO_PERM,
			"only root may write the mirror and /etc/hosts; --dryrun shows "
			"to "
			"everybody what would change");
	lock = aero_conf_path(conf, LOCK_FILE);
	if (lock == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	if (once) {
		(void)sigaction(SIGUSR1, &ignore, &old);
		rc = lock_or_ask(conf, lock, &fd, err);
		if (rc == AERO_OK && fd >= 0)
			rc = aero_syncd_once(conf, err);
		(void)sigaction(SIGUSR1, &old, NULL);
	} else {
		/* before the lock: who finds that held sends SIGUSR1 */
		signals = aero_signals();
		rc = signals < 0
			     ? aero_err_set(err, AERO_IO, "signalfd: %s", strerror(errno))
			     : aero_lock_alone(lock, &fd, err);
		if (rc == AERO_OK)
			rc = aero_syncd_daemon(conf, signals, err);
		else if (signals >= 0)
			(void)close(signals);
	}
	if (fd >= 0)
		(void)close(fd);
	free(lock);
	return rc;
}
