/* SPDX-License-Identifier: MIT */
/* The numbers of a user and a group of this node, or of the image below its root. */
#ifndef AERO_CLI_OWNERS_H
#define AERO_CLI_OWNERS_H

#include <sys/types.h>

#include "lib/conf.h"

/* AERO_REFUSED: there is no such user or group. With a root prefix its own passwd and
 * group files are asked; root is 0 in any case. */
int aero_owners_find(const struct aero_conf *conf, const char *owner, const char *group,
	uid_t *ret_uid, gid_t *ret_gid, struct aero_err *err);

#endif
