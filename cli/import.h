/* SPDX-License-Identifier: MIT */
/* aerostat import: reading records is pure and apart from the store. */
#ifndef AERO_CLI_IMPORT_H
#define AERO_CLI_IMPORT_H

#include <stdio.h>

#include "lib/conf.h"
#include "lib/err.h"
#include "lib/slot.h"

/* Read one line of mongoexport's (relaxed or canonical extended JSON). AERO_BAD, with
 * why: no JSON object, a field of a wrong type, no hostname, a name or address that could
 * never answer. Unknown fields and _id are left out. */
int aero_cli_import_line(const struct aero_conf *conf, const char *line, size_t len,
	struct aero_slot *ret, struct aero_err *err);

/* What is read from a file: slots with the lines they stand on. */
struct aero_cli_import {
	struct aero_slots slots;
	size_t *lines;    /* one per slot */
	size_t n_records; /* lines that are not blank */
	size_t n_bad;
	size_t bad_line; /* the first of them, and why; 0 = none */
	struct aero_err bad;
};

/* Read all lines; blank ones do not count. A bad one does not end it: see n_bad.
 * Hostnames and occupants that stand twice are bad as well. */
int aero_cli_import_read(const struct aero_conf *conf, FILE *in,
	struct aero_cli_import *ret, struct aero_err *err);
void aero_cli_import_clear(struct aero_cli_import *import);

#endif
