/* SPDX-License-Identifier: MIT */
/* Parse, choose, run, exit code. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/log.h"
#include "lib/program.h"

static const struct aero_subcommand subcommands[] = {
	{"lookup", aero_cli_lookup, "NAME|ADDRESS", 1, 1, "ask this node's mirror"},
	{"list", aero_cli_list, "[SERVICE]", 0, 1,
		"all names, or a service's: from this node's mirror,\n"
		"or from the store that --server names"},
	{"status", aero_cli_status, "", 0, 0, "what this node knows, and how old it is"},
	{"master", aero_cli_master, "SERVICE", 1, 1,
		"who is its master, by which change-over"},
	{"why", aero_cli_why, "NAME|ID", 1, 1,
		"who has a name, and what is known of him"},
	{"history", aero_cli_history, "NAME|ID", 1, 1, "what happened to it"},
	{"release", aero_cli_release, "", 0, 0, "give this node's name back"},
	{"import", aero_cli_import, "FILE|-", 1, 1,
		"insert or replace slots: mongoexport's JSON lines"},
	{"nsswitch", aero_cli_nsswitch, "--enable|--disable", 0, 0,
		"put the module into /etc/nsswitch.conf,\n"
		"or take it out"},
};

#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))
#define HELP_COLUMN 28

/* "Usage: " and this; malloc'd, NULL without memory. */
static char *usage_text(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	(void)fputs("aerostat [OPTION]... ACTION...\n"
		    "       aerostat [OPTION]... SUBCOMMAND [WORD]\n\nSubcommands:",
		f);
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		const struct aero_subcommand *s = &subcommands[i];
		size_t first = strcspn(s->help, "\n");
		int n = fprintf(f, "\n  %s %s", s->name, s->usage) - 1;

		(void)fprintf(f, "%*s%.*s", n < HELP_COLUMN ? HELP_COLUMN - n : 1, "",
			(int)first, s->help);
		if (s->help[first] == '\n')
			(void)fprintf(f, "\n%*s%s", HELP_COLUMN, "", s->help + first + 1);
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int no_subcommand(const char *word, struct aero_err *err)
{
	const char *names[N_SUBCOMMANDS], *near;
	char shown[80];
	bool secret = strstr(word, "://") != NULL;

	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		names[i] = subcommands[i].name;
	near = aero_nearest(word, names, N_SUBCOMMANDS);
	return aero_err_set(err, AERO_USAGE,
		"%s is no subcommand%s%s%s; see aerostat --help",
		secret ? "that word" : aero_quote(word, shown, sizeof(shown)),
		near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
		near == NULL ? "" : "'?");
}

static int run_subcommand(
	const struct aero_conf *conf, FILE *in, FILE *out, struct aero_err *err)
{
	struct aero_cli cli = {.conf = conf,
		.words = conf->words.v + 1,
		.n_words = conf->words.n - 1,
		.in = in,
		.out = out};
	const struct aero_subcommand *s = NULL;

	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		if (strcmp(conf->words.v[0], subcommands[i].name) == 0)
			s = &subcommands[i];
	if (s == NULL)
		return no_subcommand(conf->words.v[0], err);
	if (aero_cli_actions_any(conf))
		return aero_err_set(err, AERO_USAGE,
			"the subcommand and an action (--register, --change-master, "
			"--update, --update-configs) do not go together");
	if (cli.n_words < s->min || cli.n_words > s->max)
		return aero_err_set(
			err, AERO_USAGE, "usage: aerostat %s %s", s->name, s->usage);
	if (*conf->format != '\0' && s->run != aero_cli_list)
		return aero_err_set(err, AERO_USAGE, "--format is for aerostat list");
	return s->run(&cli, err);
}

/* What the table of options cannot say. */
static int check_flags(const struct aero_conf *conf, struct aero_err *err)
{
	if (conf->configs.n > 0 && !conf->do_update_configs)
		return aero_err_set(
			err, AERO_USAGE, "--configs goes with --update-configs");
	if ((conf->enable || conf->disable) &&
		(conf->words.n == 0 || strcmp(conf->words.v[0], "nsswitch") != 0))
		return aero_err_set(err, AERO_USAGE,
			"--enable and --disable are for aerostat nsswitch");
	if (conf->daemon && !conf->do_update)
		return aero_err_set(err, AERO_USAGE, "--daemon goes with --update");
	return AERO_OK;
}

static int run(const struct aero_conf *conf, FILE *in, FILE *out, const char **what,
	struct aero_err *err)
{
	int rc = check_flags(conf, err);

	if (rc != AERO_OK)
		return rc;
	if (conf->check_config)
		return aero_check_config(conf, out, err);
	if (conf->words.n > 0) {
		*what = conf->words.v[0];
		rc = run_subcommand(conf, in, out, err);
		if (rc == AERO_USAGE)
			*what = NULL;
		return rc;
	}
	return aero_cli_actions(conf, out, what, err);
}

static int show_usage(const struct aero_conf *conf, FILE *out)
{
	char *usage = usage_text();
	int code = AERO_EXIT_OK;

	if (conf->help) {
		aero_conf_help(AERO_PROG_CLI, usage != NULL ? usage : "");
	} else if (conf->version) {
		(void)fprintf(out, "aerostat %s\n", PACKAGE_VERSION);
	} else {
		(void)fprintf(stderr, "Usage: %s\n\nSee aerostat --help.\n",
			usage != NULL ? usage : "");
		code = AERO_EXIT_USAGE;
	}
	free(usage);
	return code;
}

/* Neither an action nor a subcommand, and no flag whose fault is worth words of its own.
 */
static bool nothing_asked(const struct aero_conf *conf)
{
	return conf->words.n == 0 && !aero_cli_actions_any(conf) && !conf->check_config &&
	       conf->configs.n == 0 && !conf->daemon && !conf->enable && !conf->disable;
}

int aero_cli_main(int argc, char *const argv[], FILE *in, FILE *out)
{
	struct aero_conf conf;
	struct aero_err err = {{0}};
	const char *what = NULL;
	int rc = aero_conf_load(AERO_PROG_CLI, argc, argv, &conf, &err);
	int code = AERO_EXIT_OK;

	if (rc != AERO_OK)
		goto out;
	aero_log_level((enum aero_level)conf.loglevel);
	for (size_t i = 0; i < conf.warnings.n; i++)
		aero_log(AERO_WARNING, "options: %s", conf.warnings.v[i]);
	if (conf.help || conf.version || nothing_asked(&conf)) {
		code = show_usage(&conf, out);
		goto out;
	}
	rc = run(&conf, in, out, &what, &err);
out:
	if ((fflush(out) != 0 || ferror(out)) && rc == AERO_OK)
		rc = aero_err_set(&err, AERO_IO, "output: %s", strerror(errno));
	if (rc != AERO_OK) {
		if (what == NULL)
			what = rc == AERO_USAGE ? "usage" : "options";
		aero_log(AERO_ERROR, "%s: %s", what, err.msg);
		code = (int)aero_exit_code(rc);
	}
	aero_conf_clear(&conf);
	return code;
}
