/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "legacy/recover.h"
#include "legacy/target.h"
#include "legacy/writer.h"
#include "lib/file.h"

/* A file that somebody else keeps changing under us is left alone after so many tries. */
#define TRIES 5

/* The text to start from: a half written file counts as what it was to become. */
static int read_old(const struct aero_hosts_job *job, struct aero_target *target,
	struct aero_hosts_result *result, struct aero_err *err)
{
	bool unfinished = false;
	int rc;

	if (job->dryrun) {
		rc = aero_target_unfinished(
			target, &unfinished, &result->old, &result->old_len, err);
		if (rc != AERO_OK || unfinished)
			return rc;
	}
	return aero_target_read(target, &result->old, &result->old_len, err);
}

static int merge(const struct aero_hosts_job *job, const struct aero_target *target,
	struct aero_hosts_result *result, struct aero_err *err)
{
	const struct aero_hosts_in in = {
		.old = result->old,
		.old_len = result->old_len,
		.legacy = job->legacy,
		.legacy_len = job->legacy_len,
		.rows = job->rows,
		.n_rows = job->n_rows,
		.repair = job->repair,
	};
	int rc = aero_hosts_merge(&in, &result->now, err);

	return rc == AERO_CONFIG ? aero_err_prefix(err, rc, "%s", target->path) : rc;
}

static bool equal(const struct aero_hosts_result *result)
{
	/* a result of no bytes is never: the markers stand in it */
	return result->old_len == result->now.len &&
	       memcmp(result->old, result->now.text, result->now.len) == 0;
}

/* Copies that are kept: the previous file, and once the one before the first take-over by
 * a legacy updater's text, which drops the user's lines. */
static int keep_copies(const struct aero_hosts_job *job, const struct aero_target *target,
	const struct aero_hosts_result *result, bool *ret_first, struct aero_err *err)
{
	mode_t mode = target->exists ? target->st.st_mode & 0777 : 0644;
	int rc;

	if (job->legacy != NULL && access(job->paths->before, F_OK) < 0) {
		if (errno != ENOENT)
			return aero_err_set(err, aero_rc_of_errno(errno), "stat '%s': %s",
				job->paths->before, strerror(errno));
		*ret_first = true;
		rc = aero_before_save(
			job->paths, target, result->old, result->old_len, err);
		if (rc != AERO_OK)
			return rc;
	}
	if (!target->exists)
		return AERO_OK;
	/* the user's lines may be whole nowhere but there */
	if (result->recovered == AERO_RECOVERED_EDIT && job->legacy == NULL)
		return aero_aside_save(
			job->paths, target, result->old, result->old_len, err);
	return aero_file_replace(
		job->paths->bak, result->old, result->old_len, mode, err);
}

/* One try. AERO_AGAIN: the file changed meanwhile. */
static int update(const struct aero_hosts_job *job, struct aero_target *target,
	struct aero_hosts_result *result, struct aero_err *err)
{
	bool in_place = false, first = false;
	int rc;

	rc = read_old(job, target, result, err);
	if (rc == AERO_OK)
		rc = merge(job, target, result, err);
	if (rc != AERO_OK)
		return rc;
	if (equal(result)) {
		result->how = AERO_HOSTS_SAME;
		return AERO_OK;
	}
	if (job->dryrun) {
		result->how = AERO_HOSTS_DRY;
		return AERO_OK;
	}
	rc = aero_target_prepare(target, result->now.text, result->now.len, err);
	if (rc == AERO_OK)
		rc = keep_copies(job, target, result, &first, err);
	if (rc == AERO_OK)
		rc = aero_target_commit(
			target, result->now.text, result->now.len, &in_place, err);
	if (rc != AERO_OK)
		aero_before_give_up(job->paths, first, target);
	else if (first)
		rc = aero_before_settle(job->paths, err);
	if (rc == AERO_OK && result->recovered == AERO_RECOVERED_EDIT)
		aero_aside_drop(job->paths);
	result->how = in_place ? AERO_HOSTS_IN_PLACE : AERO_HOSTS_RENAMED;
	return rc;
}

int aero_hosts_update(const struct aero_hosts_job *job, struct aero_hosts_result *ret,
	struct aero_err *err)
{
	struct aero_hosts_result result = {0};
	struct aero_target target = {0};
	enum aero_recovered recovered = AERO_RECOVERED_NOTHING;
	int rc = AERO_OK, lock = -1;

	if (!job->dryrun)
		rc = aero_lock_take(job->paths->lock, &lock, NULL, err);
	if (rc == AERO_OK)
		rc = aero_target_find(job->paths, &target, err);
	if (rc == AERO_OK && !job->dryrun)
		rc = aero_recover(job->paths, &target, &recovered, err);
	if (rc != AERO_OK)
		goto out;
	rc = AERO_AGAIN;
	for (int i = 0; rc == AERO_AGAIN && i < TRIES; i++) {
		aero_hosts_result_clear(&result);
		result.recovered = recovered;
		rc = update(job, &target, &result, err);
	}
	if (rc != AERO_OK)
		goto out;
	*ret = result;
	result = (struct aero_hosts_result){0}; /* now the caller's */
out:
	aero_hosts_result_clear(&result);
	aero_target_clear(&target);
	if (lock >= 0)
		(void)close(lock);
	return rc;
}

void aero_hosts_result_clear(struct aero_hosts_result *result)
{
	free(result->old);
	aero_hosts_out_clear(&result->now);
	*result = (struct aero_hosts_result){0};
}
