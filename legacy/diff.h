/* SPDX-License-Identifier: MIT */
/* Unified differences of two texts, as patch(1) takes them. Pure. */
#ifndef AERO_LEGACY_DIFF_H
#define AERO_LEGACY_DIFF_H

#include <stddef.h>

#include "lib/err.h"

/* `--- old_name`, `+++ new_name` and hunks with 3 lines around; "" when both are equal.
 * *ret is malloc'd and NUL-ended behind *ret_len bytes. */
int aero_diff(const char *old_name, const char *old_text, size_t old_len,
	const char *new_name, const char *new_text, size_t new_len, char **ret,
	size_t *ret_len, struct aero_err *err);

#endif
