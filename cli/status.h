/* SPDX-License-Identifier: MIT */
/* aerostat status: gathering apart from printing, so that the words can be tested. */
#ifndef AERO_CLI_STATUS_H
#define AERO_CLI_STATUS_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/conf.h"
#include "lib/identity.h"
#include "lib/status.h"
#include "mirror/record.h"

struct aero_cli_known {
	bool mirror;           /* there is one, and it can be read: meta and zones */
	struct aero_meta meta; /* zones and digest are NULL */
	struct aero_list zones;
	struct aero_err why_not; /* no mirror: why, and what to do */
	bool written;            /* there is a status.json: status */
	struct aero_status status;
	struct aero_identity identity; /* of this machine; service NULL: not registered */
	pid_t daemon;                  /* 0: none runs */
};

/* Read the mirror's description, status.json, identity.json and the daemon's lock. What
 * is absent or damaged is no failure; the code is that of the mirror. */
int aero_cli_known_read(const struct aero_conf *conf, struct aero_cli_known *ret);
void aero_cli_known_clear(struct aero_cli_known *known);

/* Seconds since the data was last known to be right; -1 if it never was. */
int64_t aero_cli_known_age(const struct aero_cli_known *known, int64_t now_ms);

void aero_cli_print_status(FILE *out, const struct aero_cli_known *known, int64_t now_ms);
int aero_cli_print_status_json(FILE *out, const struct aero_cli_known *known,
	int64_t now_ms, struct aero_err *err);

#endif
