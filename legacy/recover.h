/* SPDX-License-Identifier: MIT */
/*
 * What a crash of the /etc/hosts writer left, for legacy/writer.c under its lock.
 *
 * hosts.before-aerostat is the file before the first take-over. It is saved before the
 * file is replaced, with its sticky bit set: provisional. While the temporary file stands
 * beside it, the take-over has not happened, and the copy counts for nothing; once that
 * is gone, it has, and the bit goes.
 *
 * A write in place that did not end is told from an edit by the text that it went over:
 * hosts.bak, or hosts.bak.tmp when hosts.bak is still wanted for an older one.
 */
#ifndef AERO_LEGACY_RECOVER_H
#define AERO_LEGACY_RECOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "legacy/paths.h"
#include "legacy/target.h"
#include "lib/err.h"

enum aero_recovered {
	AERO_RECOVERED_NOTHING, /* nothing was half done */
	AERO_RECOVERED_WRITE,   /* a write in place was finished */
	AERO_RECOVERED_EDIT,    /* somebody has edited the half written file meanwhile: it
				   counts as it is; hosts.bak, or at a first take-over
				   hosts.before-aerostat, has the text before */
};

/* Bring the files into one of the states that an undisturbed writer leaves. */
int aero_recover(const struct aero_hosts_paths *paths, struct aero_target *target,
	enum aero_recovered *ret, struct aero_err *err);

/* Before target is written over, where hosts.bak has to keep what it has: text, aside. */
int aero_aside_save(const struct aero_hosts_paths *paths,
	const struct aero_target *target, const char *text, size_t len,
	struct aero_err *err);
/* That write has ended. */
void aero_aside_drop(const struct aero_hosts_paths *paths);

/* Before target is replaced for the first time: keep its text. */
int aero_before_save(const struct aero_hosts_paths *paths,
	const struct aero_target *target, const char *text, size_t len,
	struct aero_err *err);
/* The replacement is done. */
int aero_before_settle(const struct aero_hosts_paths *paths, struct aero_err *err);
/* It failed: remove the copy, if target was not touched, and the temporary file. */
void aero_before_give_up(
	const struct aero_hosts_paths *paths, bool saved, struct aero_target *target);

#endif
