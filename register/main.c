/* SPDX-License-Identifier: MIT */
/* aerostat-register: claim a name for this node, or make it the master. */
#include "config.h"

#include "lib/program.h"
#include "register/register.h"

static int run(const struct aero_conf *conf, struct aero_err *err)
{
	if (conf->do_change_master)
		return aero_change_master_run(conf, stdout, err);
	return aero_register_run(conf, stdout, err);
}

int main(int argc, char *argv[])
{
	static const struct aero_main m = {
		.program = AERO_PROG_REGISTER,
		.name = "aerostat-register",
		.usage = "aerostat-register [--change-master]",
		.what = "register",
		.run = run,
	};

	return aero_program_main(&m, argc, argv);
}
