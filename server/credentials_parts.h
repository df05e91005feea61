/* SPDX-License-Identifier: MIT */
/* Between the credentials*.c files. */
#ifndef AERO_SERVER_CREDENTIALS_PARTS_H
#define AERO_SERVER_CREDENTIALS_PARTS_H

#include "server/credentials.h"

#define AERO_CREDENTIALS_FILE_MAX (64 * 1024)

/* From the environment; NULL where it is not set, or empty. */
const char *aero_credentials_variable(const char *name);
/* Overwrite and free; NULL is allowed. */
void aero_credentials_wipe(char *text, size_t len);

/* Of the container's service or the role, or opts->kept; never AERO_MISS. What a service
 * gave is good until it ends, unless it was refused. */
int aero_credentials_service(const struct aero_credentials_opts *opts,
	struct aero_credentials *ret, struct aero_err *err);

#endif
