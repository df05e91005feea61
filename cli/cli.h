/* SPDX-License-Identifier: MIT */
/* The command line: a table of subcommands, each in its own file, and the documented
 * action flags. Everything returns an AERO_ code with words; only aero_cli_main logs. */
#ifndef AERO_CLI_CLI_H
#define AERO_CLI_CLI_H

#include <stdio.h>

#include "lib/conf.h"
#include "lib/err.h"

/* What a subcommand gets: its words, without its own name. */
struct aero_cli {
	const struct aero_conf *conf;
	char *const *words;
	size_t n_words;
	FILE *in, *out;
};

struct aero_subcommand {
	const char *name;
	int (*run)(const struct aero_cli *cli, struct aero_err *err);
	const char *usage; /* its words */
	size_t min, max;   /* how many words it takes */
	const char *help;
};

int aero_cli_lookup(const struct aero_cli *cli, struct aero_err *err);
int aero_cli_list(const struct aero_cli *cli, struct aero_err *err);
int aero_cli_status(const struct aero_cli *cli, struct aero_err *err);
int aero_cli_master(const struct aero_cli *cli, struct aero_err *err);
int aero_cli_why(const struct aero_cli *cli, struct aero_err *err);
int aero_cli_history(const struct aero_cli *cli, struct aero_err *err);
int aero_cli_release(const struct aero_cli *cli, struct aero_err *err);
int aero_cli_import(const struct aero_cli *cli, struct aero_err *err);
int aero_cli_nsswitch(const struct aero_cli *cli, struct aero_err *err);

/* --register, --change-master, --update, --update-configs in this order, until one fails;
 * *ret_what is the name of the last one run. True from _any if one is asked for. */
bool aero_cli_actions_any(const struct aero_conf *conf);
int aero_cli_actions(const struct aero_conf *conf, FILE *out, const char **ret_what,
	struct aero_err *err);

/* The program: the exit code. */
int aero_cli_main(int argc, char *const argv[], FILE *in, FILE *out);

#endif
