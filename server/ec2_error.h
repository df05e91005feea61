/* SPDX-License-Identifier: MIT */
/* What an answer of EC2 that is no listing means (one table, pure). */
#ifndef AERO_SERVER_EC2_ERROR_H
#define AERO_SERVER_EC2_ERROR_H

#include <stdint.h>

#include "lib/err.h"

enum aero_ec2_act {
	AERO_EC2_RETRY, /* it may pass by itself */
	AERO_EC2_RENEW, /* other keys may help: load them again, once */
	AERO_EC2_FAIL,
};

struct aero_ec2_fault {
	long status;      /* HTTP */
	const char *code; /* of the answer; '' = it had none */
	int64_t ours_s,
		theirs_s; /* unix time, here and by EC2's Date; theirs 0 = unknown */
};

/* Word the fault and say what to do. *ret_rc: AERO_NET, AERO_CONFIG or AERO_PERM, the
 * outcome when nothing helps. */
enum aero_ec2_act aero_ec2_fault(
	const struct aero_ec2_fault *fault, int *ret_rc, struct aero_err *err);

#endif
