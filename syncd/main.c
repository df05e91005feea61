/* SPDX-License-Identifier: MIT */
/* aerostat-syncd: keep this node's mirror and /etc/hosts up to date. */
#include "config.h"

#include "lib/program.h"
#include "syncd/syncd.h"

static int run(const struct aero_conf *conf, struct aero_err *err)
{
	return aero_syncd_run(conf, conf->once, stdout, err);
}

int main(int argc, char *argv[])
{
	static const struct aero_main m = {
		.program = AERO_PROG_SYNCD,
		.name = "aerostat-syncd",
		.usage = "aerostat-syncd [--once]",
		.what = "syncd",
		.run = run,
	};

	return aero_program_main(&m, argc, argv);
}
