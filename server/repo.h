/* SPDX-License-Identifier: MIT */
/* What a clone holds: `<service>/<file>`, each with an optional `<file>.meta`. */
#ifndef AERO_SERVER_REPO_H
#define AERO_SERVER_REPO_H

#include <stddef.h>

#include "lib/config_file.h"

struct aero_repo_service {
	char *name;
	struct aero_config *v;
	size_t n;
	size_t refused; /* files that are there but cannot be distributed */
};

struct aero_repo {
	struct aero_repo_service *v;
	size_t n;
	size_t files, refused;  /* in all */
	size_t folders_refused; /* of these: whole services, whatever is in them */
};

/* Read it. What cannot be distributed (links, folders below a service, names, paths,
 * owners and modes that could do harm, files that no document takes) is logged, counted
 * and left out. *ret must be cleared in any case. */
int aero_repo_read(const char *dir, struct aero_repo *ret, struct aero_err *err);
void aero_repo_clear(struct aero_repo *repo);

#endif
