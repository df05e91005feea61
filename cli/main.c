/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "cli/cli.h"

int main(int argc, char *argv[])
{
	return aero_cli_main(argc, argv, stdin, stdout);
}
