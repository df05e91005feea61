/* SPDX-License-Identifier: MIT */
/* Ways to print a list of hosts. Pure. */
#ifndef AERO_CLI_FORMAT_H
#define AERO_CLI_FORMAT_H

#include <stdio.h>

#include "cli/hosts.h"

/* What a format prints from: sorted hosts; group is the SERVICE asked for, '' = none. */
struct aero_cli_listing {
	const struct aero_cli_hosts *hosts;
	const char *group;
};

struct aero_cli_format {
	const char *name;
	int (*print)(
		FILE *out, const struct aero_cli_listing *listing, struct aero_err *err);
	bool answering; /* wants aero_cli_hosts_answering first: no gaps, no odd names */
};

/* The format of a name; '' is table. AERO_USAGE, with the nearest, when it is none. */
int aero_cli_format_find(
	const char *name, const struct aero_cli_format **ret, struct aero_err *err);

int aero_cli_print_table(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err);
int aero_cli_print_array(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err);
int aero_cli_print_hosts(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err);
/* format_export.c */
int aero_cli_print_prometheus(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err);
int aero_cli_print_ansible(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err);
int aero_cli_print_ssh(
	FILE *out, const struct aero_cli_listing *listing, struct aero_err *err);

#endif
