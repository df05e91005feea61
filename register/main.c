/* SPDX-License-Identifier: MIT */
/* aerostat-register: claim a name for this node, or make it the master. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "register/register.h"

static int run(const struct aero_conf *conf, struct aero_err *err)
{
	char *server = NULL;
	int rc;

	if (conf->words.n > 0)
		return aero_err_set(err, AERO_USAGE,
			"'%.64s': aerostat-register takes no words; see "
			"aerostat-register --help",
			conf->words.v[0]);
	if (conf->check_config) {
		rc = aero_conf_server(conf, &server, err);
		free(server);
		if (rc == AERO_OK)
			(void)puts("the configuration is right");
		return rc;
	}
	if (conf->do_change_master)
		return aero_change_master_run(conf, stdout, err);
	return aero_register_run(conf, stdout, err);
}

int main(int argc, char *argv[])
{
	struct aero_conf conf;
	struct aero_err err = {""};
	int rc = aero_conf_load(AERO_PROG_REGISTER, argc, argv, &conf, &err);

	if (rc == AERO_OK) {
		aero_log_level((enum aero_level)conf.loglevel);
		for (size_t i = 0; i < conf.warnings.n; i++)
			aero_log(AERO_WARNING, "options: %s", conf.warnings.v[i]);
		if (conf.help)
			aero_conf_help(AERO_PROG_REGISTER,
				"aerostat-register [--change-master]");
		else if (conf.version)
			(void)printf("aerostat-register %s\n", PACKAGE_VERSION);
		else
			rc = run(&conf, &err);
	}
	if ((fflush(stdout) != 0 || ferror(stdout)) && rc == AERO_OK)
		rc = aero_err_set(&err, AERO_IO, "standard output: %s", strerror(errno));
	if (rc != AERO_OK)
		aero_log(AERO_ERROR, "register: %s", err.msg);
	aero_conf_clear(&conf);
	return (int)aero_exit_code(rc);
}
