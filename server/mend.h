/* SPDX-License-Identifier: MIT */
/* One step of `aerostatd --repair`: what a finding says is to be done. */
#ifndef AERO_SERVER_MEND_H
#define AERO_SERVER_MEND_H

#include "register/pick.h"
#include "server/check.h"

/* Do it, if all is as it was read, and note it in the history. ret_hostname: the name of
 * an instance that was registered, else ''. AERO_MISS: not done, for something
 * has moved or the store refuses it, and err says what; others end the run. */
int aero_mend(const struct aero_check *check, const struct aero_finding *finding,
	struct aero_store *store, char ret_hostname[static AERO_HOSTNAME_SIZE],
	struct aero_err *err);

#endif
