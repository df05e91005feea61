/* SPDX-License-Identifier: MIT */
/*
 * Two threads: passes block (a store, a cloud, git), so that they have one of their own,
 * and the first one answers signals and the watchdog. A pass may be cut off anywhere:
 * each write is conditional, and the next pass goes on from what it reads.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "register/session.h"
#include "server/configs.h"
#include "server/daemon.h"
#include "server/pass.h"
#include "server/repair.h"

#define LOCK_FILE "/run/aerostat/server.lock"
#define STOP_MS 1800     /* that a pass gets to end in */
#define STORE_MS 10000   /* and a store to answer in, in a pass of its own */
#define LEASE_USUAL 90   /* the nodes' heartbeats are meant for that */
#define STUCK_MS 1200000 /* the watchdog lets no pass last longer */

struct server {
	const struct aero_conf *conf;
	FILE *out;
	struct aero_store *store;
	struct aero_tenures tenures;
	bool indexed;        /* the indexes were there or made */
	int64_t configs_due; /* aero_clock_ms; 0 = at once */
	int stop_fd, wake_fd, lock_fd;
	atomic_llong began; /* of the pass that runs, aero_clock_ms; 0 = none */
	int rc;             /* of the thread of passes */
	struct aero_err err;
};

/* ---- one pass ---- */

static int indexes(struct server *server, struct aero_err *err)
{
	struct aero_session session = {.conf = server->conf,
		.store = server->store,
		.lock_fd = -1,
		.deadline = aero_clock_ms() + STORE_MS};
	int rc = AERO_OK;

	if (!server->indexed)
		rc = aero_session_indexes(&session, server->out, err);
	server->indexed = rc == AERO_OK;
	return rc;
}

/* whole: nothing kept it from judging, or from writing what it judged. */
static void report(
	const struct server *server, const struct aero_pass_result *r, bool whole)
{
	if (server->conf->dryrun)
		(void)fprintf(server->out,
			"dry run: %zu names, %zu would go, %zu held, nothing written\n",
			r->names, r->reaped + r->late, r->held);
	aero_log(AERO_INFO,
		"pass: %s slots=%zu names=%zu reaped=%zu late=%zu cleared=%zu "
		"held=%zu helped=%zu",
		whole ? "done" : "cut short", r->slots, r->names, r->reaped, r->late,
		r->cleared, r->held, r->helped);
}

static int reap(struct server *server, struct aero_err *err)
{
	struct aero_pass pass = {
		.conf = server->conf,
		.store = server->store,
		.list = server->conf->offline ? NULL : aero_cloud_list,
		.stop_fd = server->stop_fd,
		.tenures = &server->tenures,
		.now_ms = aero_boot_ms(),
		.out = server->out,
	};
	struct aero_pass_result result = {0};
	struct aero_err of_save = {""};
	int rc = aero_pass_run(&pass, &result, err), saved;

	if (!server->conf->dryrun) {
		saved = aero_tenures_save(server->conf, &server->tenures, &of_save);
		if (saved != AERO_OK && rc == AERO_OK) {
			rc = saved;
			*err = of_save;
		}
	}
	report(server, &result, rc == AERO_OK || (rc == AERO_REFUSED && result.held > 0));
	return rc;
}

static int configs(struct server *server, struct aero_err *err)
{
	struct aero_configs_report r = {0};
	int rc;

	if (*server->conf->remote_repo_url == '\0' ||
		aero_clock_ms() < server->configs_due)
		return AERO_OK;
	server->configs_due =
		aero_clock_ms() + (int64_t)server->conf->config_update_freq * 1000;
	rc = aero_configs_run(server->conf, server->stop_fd, &r, err);
	if (rc == AERO_OK)
		aero_log(AERO_INFO,
			"configs: done files=%zu written=%zu deleted=%zu refused=%zu",
			r.files, r.written, r.deleted, r.refused);
	return rc;
}

/* Its parts do not depend on each other: what fails does not keep the rest from being
 * done. The first failure is the answer. */
static int pass(struct server *server, struct aero_err *err)
{
	static int (*const parts[])(struct server *, struct aero_err *) = {
		indexes, reap, configs};
	struct aero_err why = {""};
	int rc = AERO_OK, now;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		now = parts[i](server, &why);
		if (now != AERO_OK && rc != AERO_OK) {
			aero_log(AERO_ERROR, "pass: %s", why.msg);
		} else if (now != AERO_OK) {
			rc = now;
			*err = why;
		}
	}
	return rc;
}

/* ---- pass after pass ---- */

/* Until the next pass is due, or somebody asks for it. False: it is over. */
static bool wait_for_next(struct server *server)
{
	struct pollfd fds[] = {{.fd = server->stop_fd, .events = POLLIN},
		{.fd = server->wake_fd, .events = POLLIN}};
	int64_t poll_ms = (int64_t)server->conf->poll * 1000;
	uint64_t count;

	/* Several servers do not keep in step. */
	poll_ms += (int64_t)(aero_random() % (uint64_t)(poll_ms / 5 + 1)) - poll_ms / 10;
	(void)poll(fds, 2, (int)poll_ms);
	if (fds[1].revents != 0)
		(void)!read(server->wake_fd, &count, sizeof(count));
	return fds[0].revents == 0;
}

static bool stopping(const struct server *server)
{
	struct pollfd fd = {.fd = server->stop_fd, .events = POLLIN};

	return poll(&fd, 1, 0) > 0;
}

static void *passes(void *arg)
{
	struct server *server = arg;
	struct aero_err err;
	bool first = true;

	do {
		err.msg[0] = '\0';
		atomic_store(&server->began, aero_clock_ms());
		server->rc = pass(server, &err);
		atomic_store(&server->began, 0);
		if (first && (server->rc == AERO_CONFIG || server->rc == AERO_PERM)) {
			server->err = err;
			(void)kill(getpid(), SIGTERM); /* the first thread ends us */
			return NULL;
		}
		if (server->rc != AERO_OK && !stopping(server))
			aero_log(AERO_ERROR, "pass: %s", err.msg);
		server->rc = AERO_OK;
		if (first)
			aero_notify("READY=1");
		first = false;
	} while (wait_for_next(server));
	return NULL;
}

static void wake(int fd)
{
	static const uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

/* Signals and the watchdog, until a signal says that it is over. */
static void serve(struct server *server, int signals)
{
	struct pollfd fd = {.fd = signals, .events = POLLIN};
	struct signalfd_siginfo info;
	int64_t watchdog = aero_watchdog_ms(), began;

	for (;;) {
		(void)poll(&fd, 1, watchdog > 0 ? (int)watchdog : -1);
		began = atomic_load(&server->began);
		if (watchdog > 0 && (began == 0 || aero_clock_ms() - began < STUCK_MS))
			aero_notify("WATCHDOG=1");
		if (fd.revents == 0 ||
			read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
			continue;
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			return;
		if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGUSR1)
			wake(server->wake_fd);
	}
}

/* True: the thread of passes ended in time. */
static bool join(pthread_t thread)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_MS / 1000;
	until.tv_nsec += (STOP_MS % 1000) * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

static int daemon_run(struct server *server, struct aero_err *err)
{
	int signals = aero_signals(), rc;
	pthread_t thread;

	if (signals < 0)
		return aero_err_set(err, AERO_IO, "signals: %s", strerror(errno));
	aero_log(
		AERO_INFO, "aerostatd: started store=%s", aero_store_name(server->store));
	rc = pthread_create(&thread, NULL, passes, server);
	if (rc != 0) {
		(void)close(signals);
		return aero_err_set(err, AERO_AGAIN, "a thread: %s", strerror(rc));
	}
	serve(server, signals);
	aero_notify("STOPPING=1");
	wake(server->stop_fd);
	if (!join(thread)) {
		aero_log(AERO_INFO, "aerostatd: stopped in the middle of a pass, which "
				    "the next one goes on with");
		_exit(AERO_EXIT_OK);
	}
	(void)close(signals);
	if (server->rc != AERO_OK)
		*err = server->err;
	else
		aero_log(AERO_INFO, "aerostatd: stopped");
	return server->rc;
}

/* Two daemons would count passes in one reap.json. One pass by hand beside it may be. */
static int lock(struct server *server, struct aero_err *err)
{
	char *path = aero_conf_path(server->conf, LOCK_FILE);
	int rc = path == NULL ? aero_err_set(err, AERO_NOMEM, "out of memory")
			      : aero_lock_alone(path, &server->lock_fd, err);

	free(path);
	return rc;
}

int aero_server_run(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	struct server server = {
		.conf = conf, .out = out, .stop_fd = -1, .wake_fd = -1, .lock_fd = -1};
	bool once = conf->once || conf->dryrun;
	int rc = AERO_OK;

	if (conf->check || conf->repair)
		return aero_repair_run(conf, out, err);
	server.stop_fd = eventfd(0, EFD_CLOEXEC);
	server.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server.stop_fd < 0 || server.wake_fd < 0)
		rc = aero_err_set(err, AERO_AGAIN, "eventfd: %s", strerror(errno));
	if (conf->cloud == AERO_CLOUD_LEASE && conf->lease < LEASE_USUAL)
		aero_log(AERO_INFO,
			"lease: %d s: the nodes need `lease: %d` too, so that they send "
			"heartbeats as often",
			conf->lease, conf->lease);
	if (rc == AERO_OK && !once)
		rc = lock(&server, err);
	if (rc == AERO_OK && *conf->remote_repo_url != '\0')
		rc = aero_configs_check(conf, server.stop_fd, err);
	if (rc == AERO_OK)
		rc = aero_tenures_load(conf, aero_boot_ms(), &server.tenures, err);
	if (rc == AERO_OK)
		rc = aero_store_open_conf(
			conf, "server", conf->dryrun, &server.store, err);
	if (rc == AERO_OK && once)
		rc = pass(&server, err);
	else if (rc == AERO_OK)
		rc = daemon_run(&server, err);
	aero_tenures_clear(&server.tenures);
	aero_store_close(server.store);
	if (server.stop_fd >= 0)
		(void)close(server.stop_fd);
	if (server.wake_fd >= 0)
		(void)close(server.wake_fd);
	if (server.lock_fd >= 0)
		(void)close(server.lock_fd);
	return rc;
}
