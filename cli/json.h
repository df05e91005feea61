/* SPDX-License-Identifier: MIT */
/* JSON, by way of libbson. */
#ifndef AERO_CLI_JSON_H
#define AERO_CLI_JSON_H

#include <bson/bson.h>
#include <stdio.h>

#include "lib/err.h"

/* Print a document as one line of relaxed extended JSON, without the line's end. */
int aero_cli_print_json(FILE *out, const bson_t *doc, struct aero_err *err);

/* The same with the line's end. */
int aero_cli_print_json_line(FILE *out, const bson_t *doc, struct aero_err *err);

#endif
