/* SPDX-License-Identifier: MIT */
/* The `hosts` lines of nsswitch.conf with this module in them, or without it. Pure. */
#ifndef AERO_CLI_NSSWITCH_H
#define AERO_CLI_NSSWITCH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

/*
 * Enable: every `hosts` line that lacks `aerostat` gets it, directly behind `files` and
 * before any item with an action; without such a line, one is added at the end. Disable:
 * it is taken away with its actions, and what enable did is undone to the byte. Nothing
 * else changes. AERO_CONFIG: a line that glibc cannot read, by its number.
 * *ret is malloc'd and NUL-ended behind *ret_len bytes; equal to text: nothing to do.
 */
int aero_nsswitch_edit(const char *text, size_t len, bool enable, char **ret,
	size_t *ret_len, struct aero_err *err);

#endif
