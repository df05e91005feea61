/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "register/session.h"

#define LOCK "/run/aerostat/register.lock"
#define STATE_DIR "/var/lib/aerostat"

#define BRIEF_MS 10000
#define RETRY_BASE_MS 200
#define RETRY_CAP_MS 10000
#define LOST_MIN_MS 10
#define LOST_MAX_MS 200

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

static void pause_ms(int64_t ms)
{
	struct timespec time = {ms / 1000, (ms % 1000) * 1000000};

	(void)nanosleep(&time, NULL);
}

static int take_lock(struct aero_session *session, struct aero_err *err)
{
	char *path = aero_conf_path(session->conf, LOCK);
	pid_t holder = 0;
	int rc;

	if (path == NULL)
		return no_memory(err);
	rc = aero_lock_take(path, &session->lock_fd, &holder, err);
	if (rc == AERO_AGAIN)
		rc = aero_err_set(err, rc,
			"another registration is running (pid %ld, %s)", (long)holder,
			path);
	else if (rc == AERO_PERM)
		rc = aero_err_prefix(
			err, rc, "this needs root, or --dryrun to look only");
	free(path);
	return rc;
}

static int check_dir(const struct aero_conf *conf, struct aero_err *err)
{
	char *dir = aero_conf_path(conf, STATE_DIR);
	int rc;

	if (dir == NULL)
		return no_memory(err);
	rc = aero_dir_make(dir, err);
	if (rc == AERO_OK && access(dir, W_OK) != 0)
		rc = aero_err_set(err, aero_rc_of_errno(errno), "write in '%s': %s", dir,
			strerror(errno));
	if (rc == AERO_PERM)
		rc = aero_err_prefix(
			err, rc, "this needs root, or --dryrun to look only");
	free(dir);
	return rc;
}

void aero_session_look(const struct aero_conf *conf, struct aero_session *ret)
{
	*ret = (struct aero_session){.conf = conf, .lock_fd = -1};
	if (!conf->dryrun)
		ret->deadline = aero_clock_ms() + (int64_t)conf->register_deadline * 1000;
	ret->asked.deadline_ms = ret->deadline;
}

void aero_session_brief(struct aero_session *session)
{
	int64_t brief = aero_clock_ms() + BRIEF_MS;

	if (session->asked.deadline_ms > brief)
		session->asked.deadline_ms = brief;
}

int aero_session_lock(struct aero_session *session, struct aero_err *err)
{
	int rc = take_lock(session, err);

	return rc == AERO_OK ? check_dir(session->conf, err) : rc;
}

int aero_session_begin(
	const struct aero_conf *conf, struct aero_session *ret, struct aero_err *err)
{
	aero_session_look(conf, ret);
	return conf->dryrun ? AERO_OK : aero_session_lock(ret, err);
}

int aero_session_store(struct aero_session *session, struct aero_err *err)
{
	return aero_store_open_conf(
		session->conf, "register", session->conf->dryrun, &session->store, err);
}

/* A store that fails is asked again; what it says at the deadline is the answer. */
int aero_session_try(struct aero_session *session,
	int (*once)(void *arg, struct aero_err *err), void *arg, struct aero_err *err)
{
	int64_t left, wait;
	int rc;

	for (unsigned attempt = 0;; attempt++) {
		rc = once(arg, err);
		if (rc == AERO_OK || !aero_actor_retry(rc))
			return rc;
		left = session->deadline - aero_clock_ms();
		if (left <= 0)
			return rc;
		wait = 50 + aero_backoff_ms(attempt < 10 ? attempt : 10, RETRY_BASE_MS,
				    RETRY_CAP_MS, aero_random());
		wait = wait < left ? wait : left;
		aero_log(AERO_WARNING, "store: %s: trying again wait_ms=%lld left_s=%lld",
			err->msg, (long long)wait, (long long)(left / 1000));
		pause_ms(wait);
	}
}

struct index_check {
	struct aero_session *session;
	FILE *out;
};

static int indexes_once(void *arg, struct aero_err *err)
{
	struct index_check *check = arg;
	struct aero_store *store = check->session->store;
	int found = aero_store_indexes_check(store, err), made;

	if (found != AERO_MISS && found != AERO_PERM)
		return found;
	/* who cannot even log in does not lack a right */
	made = found == AERO_PERM ? aero_store_ping(store, err) : AERO_OK;
	if (made != AERO_OK)
		return made;
	if (check->session->conf->dryrun) {
		if (found == AERO_MISS && !check->session->conf->json)
			(void)fputs("would create the indexes\n", check->out);
		return AERO_OK;
	}
	made = aero_store_indexes_create(store, err);
	if (made == AERO_DUP_HOSTNAME || made == AERO_DUP_INSTANCE)
		return aero_err_prefix(err, AERO_CONFIG,
			"the unique indexes cannot be made on data with duplicates "
			"(`aerostatd --check` lists them, `--repair` mends them, "
			"--no-indexes registers without)");
	if (made != AERO_PERM)
		return made;
	if (found == AERO_PERM) {
		aero_log(AERO_WARNING,
			"indexes: this user may neither list nor create them; going on: "
			"%s",
			err->msg);
		return AERO_OK;
	}
	return aero_err_prefix(err, AERO_CONFIG,
		"the unique indexes are missing and this user may not make them (let "
		"aerostatd, or --no-indexes)");
}

int aero_session_indexes(struct aero_session *session, FILE *out, struct aero_err *err)
{
	struct index_check check = {session, out};

	if (session->conf->no_indexes) {
		aero_log(AERO_WARNING, "indexes: not looked at (--no-indexes): two nodes "
				       "may get one name");
		return AERO_OK;
	}
	return aero_session_try(session, indexes_once, &check, err);
}

struct drive {
	struct aero_session *session;
	struct aero_actor *actor;
};

int64_t aero_session_lost_ms(int64_t gone, int64_t left, uint64_t random)
{
	int64_t most = gone < RETRY_CAP_MS / 3 ? 3 * gone : RETRY_CAP_MS;

	most = most < left ? most : left;
	most = most > LOST_MAX_MS ? most : LOST_MAX_MS;
	return LOST_MIN_MS + (int64_t)(random % (uint64_t)(most - LOST_MIN_MS + 1));
}

static int drive_once(void *arg, struct aero_err *err)
{
	struct drive *drive = arg;
	struct aero_actor *actor = drive->actor;
	int64_t began = aero_clock_ms(), now;
	int rc;

	while (actor->step != AERO_STEP_DONE) {
		if (drive->session->ends != NULL && drive->session->ends(actor))
			return aero_err_set(err, AERO_MISS, "others were quicker");
		aero_log(AERO_DEBUG, "step: %s", aero_step_words(actor->step));
		rc = aero_actor_step(actor, err);
		if (rc != AERO_OK)
			return rc;
		if (!actor->pause)
			continue;
		now = aero_clock_ms();
		if (now >= drive->session->deadline)
			return aero_err_set(err, AERO_AGAIN,
				"others were quicker until register_deadline; last: %s",
				aero_step_words(actor->step));
		pause_ms(aero_session_lost_ms(
			now - began, drive->session->deadline - now, aero_random()));
	}
	return AERO_OK;
}

uint64_t aero_session_random(void *arg)
{
	(void)arg;
	return aero_random();
}

int aero_session_drive(
	struct aero_session *session, struct aero_actor *actor, struct aero_err *err)
{
	struct drive drive = {session, actor};

	return aero_session_try(session, drive_once, &drive, err);
}

void aero_session_close(struct aero_session *session)
{
	aero_info_clear(&session->info);
	aero_asked_clear(&session->asked);
	aero_occupant_clear(&session->me);
	aero_store_close(session->store);
	if (session->lock_fd >= 0)
		(void)close(session->lock_fd);
	*session = (struct aero_session){.lock_fd = -1};
}
