/* SPDX-License-Identifier: MIT */
/* Who this node is, by a program of the user's (identity_command): for a cloud whose
 * metadata service we do not speak. It prints one JSON object of texts: instance_id, and
 * ip or ip6 or both. */
#ifndef AERO_LIB_IDENTITY_COMMAND_H
#define AERO_LIB_IDENTITY_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define AERO_IDENTITY_KEYS 3

/* What it said, as it said it: the caller checks what an id or address may be. ip and
 * ip6 are '' if absent, but not both. */
struct aero_identity_said {
	char *instance_id, *ip, *ip6;
	char unknown[64]; /* the first key that is none of these; '' = none */
};

/* Run the program at path. AERO_NET: it failed, or is not over after timeout_ms.
 * AERO_CONFIG: it cannot be run, or what it printed is no such object. */
int aero_identity_command_run(const char *path, int64_t timeout_ms,
	struct aero_identity_said *ret, struct aero_err *err);

/* Pure. A key that is there twice, or is no text, is AERO_CONFIG. */
int aero_identity_command_parse(const char *text, size_t len,
	struct aero_identity_said *ret, struct aero_err *err);
void aero_identity_said_clear(struct aero_identity_said *said);

#endif
