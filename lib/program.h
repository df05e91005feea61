/* SPDX-License-Identifier: MIT */
/* The common half of main: options, log level, --help, --version, --check-config, the
 * last words and the exit code. For programs that take no positional words. */
#ifndef AERO_LIB_PROGRAM_H
#define AERO_LIB_PROGRAM_H

#include <stdio.h>

#include "lib/conf.h"

struct aero_main {
	enum aero_program program;
	const char *name;  /* "aerostat-syncd" */
	const char *usage; /* "aerostat-syncd [--once]" */
	const char *what;  /* what an error is about, in the log */
	int (*run)(const struct aero_conf *conf, struct aero_err *err);
};

/* Returns the exit code. */
int aero_program_main(const struct aero_main *m, int argc, char *const argv[]);

/* --check-config: the options were read; is the server one? Says so on out. */
int aero_check_config(const struct aero_conf *conf, FILE *out, struct aero_err *err);

#endif
