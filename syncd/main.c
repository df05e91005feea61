/* SPDX-License-Identifier: MIT */
/* aerostat-syncd: keep this node's mirror and /etc/hosts up to date. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "syncd/syncd.h"

static int run(const struct aero_conf *conf, struct aero_err *err)
{
	char *server = NULL;
	int rc;

	if (conf->words.n > 0)
		return aero_err_set(err, AERO_USAGE,
			"'%.64s': aerostat-syncd takes no words; see aerostat-syncd "
			"--help",
			conf->words.v[0]);
	if (conf->check_config) {
		rc = aero_conf_server(conf, &server, err);
		free(server);
		if (rc == AERO_OK)
			(void)puts("the configuration is right");
		return rc;
	}
	return aero_syncd_run(conf, conf->once, stdout, err);
}

int main(int argc, char *argv[])
{
	struct aero_conf conf;
	struct aero_err err = {""};
	int rc = aero_conf_load(AERO_PROG_SYNCD, argc, argv, &conf, &err);

	if (rc == AERO_OK) {
		aero_log_level((enum aero_level)conf.loglevel);
		for (size_t i = 0; i < conf.warnings.n; i++)
			aero_log(AERO_WARNING, "options: %s", conf.warnings.v[i]);
		if (conf.help)
			aero_conf_help(AERO_PROG_SYNCD, "aerostat-syncd [--once]");
		else if (conf.version)
			(void)printf("aerostat-syncd %s\n", PACKAGE_VERSION);
		else
			rc = run(&conf, &err);
	}
	if ((fflush(stdout) != 0 || ferror(stdout)) && rc == AERO_OK)
		rc = aero_err_set(&err, AERO_IO, "standard output: %s", strerror(errno));
	if (rc != AERO_OK)
		aero_log(AERO_ERROR, "syncd: %s", err.msg);
	aero_conf_clear(&conf);
	return (int)aero_exit_code(rc);
}
