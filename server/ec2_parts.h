/* SPDX-License-Identifier: MIT */
/* Between the ec2*.c files: the client, and one request of it. */
#ifndef AERO_SERVER_EC2_PARTS_H
#define AERO_SERVER_EC2_PARTS_H

#include <curl/curl.h>

#include "server/credentials.h"
#include "server/ec2.h"
#include "server/ec2_error.h"

struct aero_ec2 {
	const struct aero_conf *conf;
	struct aero_ec2_world world;
	int stop_fd;
	struct aero_list regions;
	const char *endpoint; /* '' = EC2's, by region */
	struct aero_credentials keys;
	CURL *curl;
	/* of one listing */
	int64_t deadline_ms;
	bool renewed;
};

/* Ask for one page. *ret_rc AERO_OK: *ret is one. Else words, and what is to be done. */
enum aero_ec2_act aero_ec2_request(struct aero_ec2 *ec2, const char *region,
	const char *form, struct aero_ec2_answer *ret, int *ret_rc, struct aero_err *err);

bool aero_ec2_stopped(const struct aero_ec2 *ec2);
int aero_ec2_no_memory(struct aero_err *err);

#endif
