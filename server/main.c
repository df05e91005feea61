/* SPDX-License-Identifier: MIT */
/* aerostatd: keep the collection true to the cloud. */
#include "config.h"

#include "lib/program.h"
#include "server/daemon.h"

static int run(const struct aero_conf *conf, struct aero_err *err)
{
	return aero_server_run(conf, stdout, err);
}

int main(int argc, char *argv[])
{
	static const struct aero_main m = {
		.program = AERO_PROG_SERVER,
		.name = "aerostatd",
		.usage = "aerostatd [--once|--check|--repair] [--dryrun] [--force]",
		.what = "aerostatd",
		.run = run,
	};

	return aero_program_main(&m, argc, argv);
}
