/* SPDX-License-Identifier: MIT */
/* A running nscd keeps answers, also negative ones for 20 s: it is told of new names. */
#ifndef AERO_SYNCD_NSCD_H
#define AERO_SYNCD_NSCD_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/conf.h"

struct aero_nscd_call {
	pid_t pid;  /* of the running `nscd -i hosts`; 0 = none */
	bool again; /* once more when it has ended */
};

/* Start `nscd -i hosts` where nscd runs (and the root is real), without waiting. */
void aero_nscd_tell(const struct aero_conf *conf, struct aero_nscd_call *call);
/* After SIGCHLD: reap it. */
void aero_nscd_reap(const struct aero_conf *conf, struct aero_nscd_call *call);
/* The same, waiting. */
void aero_nscd_once(const struct aero_conf *conf);

#endif
