/* SPDX-License-Identifier: MIT */
/* What /etc/hosts is to hold (CONTRACTS 6): the user's lines byte for byte, or the text
 * of a legacy updater first, and our block. Pure. */
#ifndef AERO_LEGACY_HOSTS_H
#define AERO_LEGACY_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "legacy/block.h"
#include "lib/err.h"

struct aero_hosts_in {
	const char *old; /* the file as it is; "" when there is none */
	size_t old_len;
	const char *legacy; /* what the legacy updater left; NULL: there is no updater */
	size_t legacy_len;
	const struct aero_hosts_row *rows;
	size_t n_rows;
	bool repair; /* --repair-hosts: end a block without an end */
};

struct aero_hosts_out {
	char *text; /* the file as it is to be, NUL-ended; malloc'd */
	size_t len;
	struct aero_shadows shadows; /* names left out, with their lines in text */
};

/* AERO_CONFIG: a begin marker without an end, naming its line (not looked for with a
 * legacy updater, whose text replaces all); AERO_BAD: a row that cannot stand in the
 * file; AERO_NOMEM. On success *ret must be cleared. */
int aero_hosts_merge(
	const struct aero_hosts_in *in, struct aero_hosts_out *ret, struct aero_err *err);
void aero_hosts_out_clear(struct aero_hosts_out *out);

#endif
