/* SPDX-License-Identifier: MIT */
/* heal_tool URI DATABASE ROOT...: let each node heal itself once, in this order, as its
 * daemon would; a line for each, `ROOT nothing|not-ours|left|done HOSTNAME`. The pause
 * between two looks is cut short by the linker's wrapper. Exit 1: one of them failed. */
#include "config.h"

#include <stdio.h>
#include <time.h>

#include "register/heal.h"

int __real_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	const struct timespec brief = {0, 20000000};

	(void)time;
	return __real_nanosleep(&brief, left);
}

static int heal(const char *uri, const char *database, const char *root)
{
	static const char *const words[] = {"nothing", "not-ours", "left", "done"};
	char server[512], base[128], dir[512], level[] = "--loglevel=ERROR",
					       name[] = "aerostat-register";
	char *argv[] = {name, server, base, dir, level, NULL};
	enum aero_healed healed = AERO_HEAL_NOTHING;
	struct aero_conf conf;
	struct aero_err err;
	char hostname[256];
	int rc;

	(void)snprintf(server, sizeof(server), "--server=%s", uri);
	(void)snprintf(base, sizeof(base), "--database=%s", database);
	(void)snprintf(dir, sizeof(dir), "--root=%s", root);
	rc = aero_conf_load(AERO_PROG_REGISTER, 5, argv, &conf, &err);
	if (rc == AERO_OK)
		rc = aero_heal_run(&conf, false, &healed, hostname, &err);
	if (rc == AERO_OK)
		(void)printf("%s %s %s\n", root, words[healed], hostname);
	else
		(void)fprintf(stderr, "%s: %s\n", root, err.msg);
	aero_conf_clear(&conf);
	return rc;
}

int main(int argc, char *argv[])
{
	int failed = 0;

	if (argc < 4)
		return 64;
	for (int i = 3; i < argc; i++)
		failed |= heal(argv[1], argv[2], argv[i]) != AERO_OK;
	return failed;
}
