/* SPDX-License-Identifier: MIT */
/* The `<file>.meta` beside a configuration file: one flat YAML mapping. Pure. */
#ifndef AERO_SERVER_META_H
#define AERO_SERVER_META_H

#include "lib/config_file.h"

/* Put name, path, owner, group, mode and keywords (a list) of the text into *config,
 * which has what it leaves open already. AERO_BAD names line and key; *config can be
 * cleared then, too. */
int aero_meta_parse(
	const char *text, size_t len, struct aero_config *config, struct aero_err *err);

#endif
