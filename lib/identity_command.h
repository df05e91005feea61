/* SPDX-License-Identifier: MIT */
/* Who this node is, by a program of the user's (identity_command): for a cloud whose
 * metadata service we do not speak. It prints one JSON object of texts: instance_id, and
 * ip or ip6 or both; and what the node runs, if it knows: service, type, and aliases, an
 * array of texts. */
#ifndef AERO_LIB_IDENTITY_COMMAND_H
#define AERO_LIB_IDENTITY_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/list.h"

/* What it said, as it said it: the caller checks what an id, an address or a name may be.
 * What is absent is ''; but never ip and ip6 both, and there is no type and no alias
 * without a service. */
struct aero_identity_said {
	char *instance_id, *ip, *ip6;
	char *service, *type;
	struct aero_list aliases;
	char unknown[64]; /* the first key that is none of these; '' = none */
};

/* May this path be run? AERO_CONFIG. */
int aero_identity_command_check(const char *path, struct aero_err *err);
/* Run the program at path. AERO_NET: it failed, or is not over after timeout_ms.
 * AERO_CONFIG: it cannot be run, or what it printed is no such object. */
int aero_identity_command_run(const char *path, int64_t timeout_ms,
	struct aero_identity_said *ret, struct aero_err *err);

/* Pure. A key that is there twice, or of another kind, is AERO_CONFIG. */
int aero_identity_command_parse(const char *text, size_t len,
	struct aero_identity_said *ret, struct aero_err *err);
void aero_identity_said_clear(struct aero_identity_said *said);

#endif
