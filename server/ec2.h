/* SPDX-License-Identifier: MIT */
/*
 * A client of the EC2 API, or of one that is compatible: DescribeInstances in all
 * `regions`, all pages, complete or not at all. Requests are signed (SigV4) and sent by
 * libcurl: TLS is verified, redirects are not followed, proxies not used.
 * What may pass by itself is tried again with full jitter; keys are loaded when they are
 * first needed, before they end, and once more when EC2 refuses them.
 */
#ifndef AERO_SERVER_EC2_H
#define AERO_SERVER_EC2_H

#include <stdint.h>

#include "lib/conf.h"
#include "server/ec2_answer.h"

struct aero_ec2;

struct aero_ec2_listing {
	struct aero_ec2_instance *v;
	size_t n;
};

/* Time and chance, for tests. pause waits, at most until stop_fd is readable. */
struct aero_ec2_world {
	int64_t (*clock_ms)(void);
	int64_t (*unix_ms)(void);
	uint64_t (*rnd)(void);
	void (*pause)(int64_t ms, int stop_fd);
};

/* From `regions`, `endpoint`, `credentials_file`, `metadata_*` and `once` (one listing
 * then gives up after 30 s, else after 6 tries of a request). stop_fd (or -1): a listing
 * ends with AERO_AGAIN soon after it has become readable. world NULL: the real one. conf
 * must outlive it. AERO_CONFIG: a region or an endpoint that cannot be one. */
int aero_ec2_new(const struct aero_conf *conf, int stop_fd,
	const struct aero_ec2_world *world, struct aero_ec2 **ret, struct aero_err *err);
void aero_ec2_free(struct aero_ec2 *ec2);

/* AERO_OK: *ret (to be cleared) is everything that EC2 knows. AERO_NET: no whole listing
 * to be had now. AERO_CONFIG, AERO_PERM: keys, permission, region or endpoint;
 * AERO_AGAIN: this machine's clock, or stopped. The words say which and what to do. */
int aero_ec2_describe(
	struct aero_ec2 *ec2, struct aero_ec2_listing *ret, struct aero_err *err);
void aero_ec2_listing_clear(struct aero_ec2_listing *listing);

/* Where the keys in use came from, for a log; '' = none yet. */
const char *aero_ec2_source(const struct aero_ec2 *ec2);

#endif
