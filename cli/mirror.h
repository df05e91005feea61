/* SPDX-License-Identifier: MIT */
/* This node's mirror, read the way the NSS module reads it, with words for what fails. */
#ifndef AERO_CLI_MIRROR_H
#define AERO_CLI_MIRROR_H

#include <netinet/in.h>

#include "lib/conf.h"
#include "lib/err.h"
#include "lib/list.h"
#include "mirror/reader.h"

/* Open hosts.mdb below the root. AERO_DB (or AERO_AGAIN, AERO_PERM) with the remedy. */
int aero_cli_mirror_open(
	const struct aero_conf *conf, struct aero_reader *ret, struct aero_err *err);

/* The words for a read that failed, which is neither _OK nor _MISS. */
int aero_cli_mirror_fail(const struct aero_conf *conf, enum aero_read why, int read_errno,
	struct aero_err *err);

/* The text of address i of a record, first all of IPv4, then of IPv6; false behind them.
 */
bool aero_cli_address(
	const struct aero_rec *rec, size_t i, char ret[static INET6_ADDRSTRLEN]);

/* n strings, each NUL-ended, back to back; appended to *ret. */
bool aero_cli_strings(const char *strings, size_t n, struct aero_list *ret);

#endif
