/* SPDX-License-Identifier: MIT */
/*
 * One pass of aerostatd over the collection (DESIGN 8), in the order that protocol.md B
 * prescribes: slots, then nodes, then the cloud's listing, then the rules, then one
 * candidate after the other; then open change-overs are finished.
 */
#ifndef AERO_SERVER_PASS_H
#define AERO_SERVER_PASS_H

#include <stdio.h>

#include "lib/conf.h"
#include "lib/store.h"
#include "server/cloud.h"
#include "server/tenure.h"

struct aero_pass {
	const struct aero_conf *conf;
	struct aero_store *store;
	/* Who lives: aero_cloud_list; NULL: nobody is asked, nobody is reaped. */
	int (*list)(const struct aero_conf *conf, int stop_fd, struct aero_listing *ret,
		struct aero_err *err);
	int stop_fd;                  /* for it; -1 = none */
	struct aero_tenures *tenures; /* of the pass before; afterwards of this one */
	int64_t now_ms;               /* aero_boot_ms */
	FILE *out; /* a dry run's plan; written with conf->dryrun alone */
};

struct aero_pass_result {
	size_t slots;   /* documents */
	size_t names;   /* of them with an occupant */
	size_t reaped;  /* names taken from the dead; in a dry run: that would be */
	size_t late;    /* and from who has a certificate of either kind */
	size_t cleared; /* death certificates taken back */
	size_t held;    /* by the guard */
	size_t helped;  /* change-overs finished */
};

/* AERO_OK; AERO_REFUSED: the guard held something (err says what), all else was done; or
 * why the cloud gave no listing, all that needs none was done; or the store's code. */
int aero_pass_run(
	struct aero_pass *pass, struct aero_pass_result *ret, struct aero_err *err);

#endif
