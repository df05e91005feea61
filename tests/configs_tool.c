/* SPDX-License-Identifier: MIT */
/* The configuration files' part of aerostatd as a program: check, then one pass. */
#include "config.h"

#include <stdio.h>

#include "lib/conf.h"
#include "server/configs.h"

int main(int argc, char *argv[])
{
	struct aero_configs_report report = {0};
	struct aero_err err = {""};
	struct aero_conf conf;
	int rc = aero_conf_load(AERO_PROG_SERVER, argc, argv, &conf, &err);

	if (rc == AERO_OK)
		rc = aero_configs_check(&conf, -1, &err);
	if (rc == AERO_OK)
		rc = aero_configs_run(&conf, -1, &report, &err);
	if (rc == AERO_OK)
		(void)printf("%zu files, %zu written, %zu deleted, %zu refused\n",
			report.files, report.written, report.deleted, report.refused);
	else
		(void)fprintf(stderr, "%s\n", err.msg);
	aero_conf_clear(&conf);
	return (int)aero_exit_code(rc);
}
