/* SPDX-License-Identifier: MIT */
/* One distributed configuration file put in its place on this node. */
#ifndef AERO_CLI_CONFIGS_H
#define AERO_CLI_CONFIGS_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/conf.h"
#include "lib/config_file.h"

/*
 * Bring the file of config, below conf's root, to its contents, owner, group and mode, if
 * it differs: a new file beside it, on the disk, renamed over it; folders that lack are
 * made (0755). No symbolic link is followed below the root, and only a regular file is
 * replaced. Says on out what was done, in a dry run what would be, with the difference.
 * AERO_REFUSED: owner or group unknown here, a link, no regular file.
 */
int aero_config_apply(const struct aero_conf *conf, const struct aero_config *config,
	FILE *out, bool *ret_written, struct aero_err *err);

/* --update-configs: read this node's service's files from MongoDB and apply them, those
 * that --configs names or all. One that is refused is logged and leaves the others. */
int aero_configs_update(const struct aero_conf *conf, FILE *out, struct aero_err *err);

#endif
