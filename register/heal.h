/* SPDX-License-Identifier: MIT */
/* H: a registered node that has lost its slot registers again by itself (protocol.md). */
#ifndef AERO_REGISTER_HEAL_H
#define AERO_REGISTER_HEAL_H

#include "lib/conf.h"
#include "lib/err.h"

#define AERO_HEAL_DEADLINE 30 /* seconds; the caller comes again */

/* What came of it. */
enum aero_healed {
	AERO_HEAL_NOTHING, /* it has its slot and address; no open change-over names it */
	AERO_HEAL_NOT_OURS, /* no identity.json of this machine, or test-instance */
	AERO_HEAL_LEFT,     /* released, or declared dead until the server sees it run */
	AERO_HEAL_DONE,     /* registered again, or the change-over was finished */
};

/* Look with majority reads: in no slot twice, 1 to 3 s apart, or in one with another
 * address than it registered, or named by an open change-over of its service -> register
 * as identity.json says, without asking. May take AERO_HEAL_DEADLINE seconds and logs.
 * Only healing takes the lock of registrations: looking is in nobody's way. again: the
 * run before failed; what this one is about to do has been said.
 * *ret_hostname (256 bytes): the name held, '' if none. AERO_AGAIN: a registration runs,
 * or the store has no primary; AERO_PERM: this user may only read the names; AERO_NET. */
int aero_heal_run(const struct aero_conf *conf, bool again, enum aero_healed *ret,
	char ret_hostname[256], struct aero_err *err);

#endif
