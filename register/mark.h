/* SPDX-License-Identifier: MIT */
/* What an acknowledged name leaves on this node: identity.json first, then the system
 * hostname. An error says that the name is held all the same. */
#ifndef AERO_REGISTER_MARK_H
#define AERO_REGISTER_MARK_H

#include "register/session.h"

/* The node of this session holds hostname: make it a registered node. */
int aero_mark_registered(
	const struct aero_session *session, const char *hostname, struct aero_err *err);

/* It is the master now. here: it is known to be this machine, whose hostname and
 * identity.json are ours to change. A node without identity.json stays one: only
 * registering makes it. */
int aero_mark_master(const struct aero_session *session, const char *hostname, bool here,
	struct aero_err *err);

#endif
