/* SPDX-License-Identifier: MIT */
/* The documented action flags, and release, which is one of them in all but its spelling.
 */
#include "config.h"

#include "cli/cli.h"
#include "cli/configs.h"
#include "register/register.h"
#include "syncd/syncd.h"

static int update(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	return aero_syncd_run(conf, !conf->daemon, out, err);
}

static const struct {
	const char *name;
	size_t flag;
	int (*run)(const struct aero_conf *conf, FILE *out, struct aero_err *err);
} actions[] = {
	{"register", offsetof(struct aero_conf, do_register), aero_register_run},
	{"change-master", offsetof(struct aero_conf, do_change_master),
		aero_change_master_run},
	{"update", offsetof(struct aero_conf, do_update), update},
	{"update-configs", offsetof(struct aero_conf, do_update_configs),
		aero_configs_update},
};

#define N_ACTIONS (sizeof(actions) / sizeof(actions[0]))

static bool asked_for(const struct aero_conf *conf, size_t i)
{
	const void *at = (const char *)conf + actions[i].flag;

	return *(const bool *)at;
}

bool aero_cli_actions_any(const struct aero_conf *conf)
{
	for (size_t i = 0; i < N_ACTIONS; i++)
		if (asked_for(conf, i))
			return true;
	return false;
}

int aero_cli_actions(const struct aero_conf *conf, FILE *out, const char **ret_what,
	struct aero_err *err)
{
	for (size_t i = 0; i < N_ACTIONS; i++) {
		int rc;

		if (!asked_for(conf, i))
			continue;
		*ret_what = actions[i].name;
		rc = actions[i].run(conf, out, err);
		/* What it said must not wait for the next one, which may be the loop. */
		(void)fflush(out);
		if (rc != AERO_OK)
			return rc;
	}
	return AERO_OK;
}

int aero_cli_release(const struct aero_cli *cli, struct aero_err *err)
{
	return aero_release_run(cli->conf, cli->out, err);
}
