/* SPDX-License-Identifier: MIT */
/* Configuration files from a git repository into MongoDB: `<service>/<file>` and
 * `<file>.meta` become documents of the collection `<service>` of the database `configs`.
 * Options: remote_repo_url ('' = all of this is off), repo_path, git_cert. */
#ifndef AERO_SERVER_CONFIGS_H
#define AERO_SERVER_CONFIGS_H

#include "lib/conf.h"
#include "lib/err.h"

struct aero_configs_report {
	size_t files;            /* in the repository */
	size_t written, deleted; /* documents; in a dry run: that would be */
	size_t refused;          /* files left out, each logged */
};

/* At start: folder, key, and whether the repository answers. AERO_CONFIG with git's own
 * words; AERO_AGAIN when stop_fd (a signalfd; -1 = none) became readable. */
int aero_configs_check(const struct aero_conf *conf, int stop_fd, struct aero_err *err);

/* One pass, due every config_update_freq: pull, then make MongoDB hold what the
 * repository does. A document that is equal is not written; one that came from here and
 * is no longer in the repository is deleted, unless a file of its service was left out,
 * or there is no file at all. Where git hangs, it blocks for a minute for each of up to
 * four commands, unless stop_fd becomes readable. In a dry run the clone is taken as it
 * is. AERO_NET: git, or the store, failed. */
int aero_configs_run(const struct aero_conf *conf, int stop_fd,
	struct aero_configs_report *ret, struct aero_err *err);

#endif
