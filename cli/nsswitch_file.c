/* SPDX-License-Identifier: MIT */
/* aerostat nsswitch: the file is replaced as /etc/hosts is, under the same lock. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/nsswitch.h"
#include "legacy/diff.h"
#include "legacy/target.h"
#include "lib/file.h"

#define NSSWITCH "/etc/nsswitch.conf"

static int paths_make(
	const struct aero_conf *conf, struct aero_hosts_paths *ret, struct aero_err *err)
{
	char *path = aero_conf_path(conf, NSSWITCH);
	int rc;

	if (path == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	rc = aero_hosts_paths_make(conf->root, ret, err);
	if (rc != AERO_OK) {
		free(path);
		return rc;
	}
	free(ret->hosts);
	ret->hosts = path; /* now its own */
	return AERO_OK;
}

/* The diff, for a dry run. */
static int show(const char *old, size_t old_len, const char *now, size_t len, FILE *out,
	struct aero_err *err)
{
	char *diff = NULL;
	size_t diff_len = 0;
	int rc = aero_diff(
		NSSWITCH, old, old_len, NSSWITCH ".new", now, len, &diff, &diff_len, err);

	if (rc != AERO_OK)
		return rc;
	(void)fwrite(diff, 1, diff_len, out);
	(void)fputs("dry run: nothing written\n", out);
	free(diff);
	return AERO_OK;
}

static int replace(
	struct aero_target *target, const char *text, size_t len, struct aero_err *err)
{
	bool in_place = false;
	int rc;

	if (target->exists && access(target->path, W_OK) < 0 && errno == EROFS)
		return aero_err_set(
			err, AERO_PERM, "'%s': %s", target->path, strerror(EROFS));
	rc = aero_target_prepare(target, text, len, err);
	if (rc == AERO_OK)
		rc = aero_target_commit(target, text, len, &in_place, err);
	return rc;
}

static int update(const struct aero_conf *conf, struct aero_target *target, FILE *out,
	struct aero_err *err)
{
	char *old = NULL, *now = NULL;
	size_t old_len = 0, len = 0;
	int rc = aero_target_read(target, &old, &old_len, err);

	if (rc != AERO_OK)
		return rc;
	rc = aero_nsswitch_edit(old, old_len, conf->enable, &now, &len, err);
	if (rc != AERO_OK) {
		rc = aero_err_prefix(err, rc, "%s", target->path);
	} else if (conf->dryrun) {
		rc = show(old, old_len, now, len, out, err);
	} else if (old_len == len && memcmp(old, now, len) == 0) {
		(void)fprintf(out, "%s: already %sabled\n", NSSWITCH,
			conf->enable ? "en" : "dis");
	} else {
		rc = replace(target, now, len, err);
		if (rc == AERO_OK)
			(void)fprintf(out, "%s: %sabled\n", NSSWITCH,
				conf->enable ? "en" : "dis");
	}
	free(old);
	free(now);
	return rc;
}

int aero_cli_nsswitch(const struct aero_cli *cli, struct aero_err *err)
{
	const struct aero_conf *conf = cli->conf;
	struct aero_hosts_paths paths = {0};
	struct aero_target target = {0};
	bool unfinished = false;
	int rc, lock = -1;

	if (conf->enable == conf->disable)
		return aero_err_set(
			err, AERO_USAGE, "usage: aerostat nsswitch --enable | --disable");
	rc = paths_make(conf, &paths, err);
	if (rc == AERO_OK && !conf->dryrun)
		rc = aero_lock_take(paths.lock, &lock, NULL, err);
	if (rc == AERO_OK)
		rc = aero_target_find(&paths, &target, err);
	if (rc == AERO_OK && !conf->dryrun)
		rc = aero_target_unfinished(&target, &unfinished, NULL, NULL, err);
	if (rc == AERO_OK && unfinished)
		rc = aero_target_finish(&target, err);
	if (rc == AERO_OK)
		rc = update(conf, &target, cli->out, err);
	aero_target_clear(&target);
	aero_hosts_paths_clear(&paths);
	if (lock >= 0)
		(void)close(lock);
	return rc;
}
