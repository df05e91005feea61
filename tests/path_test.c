/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "nss/answer.h"

/* Set by the test through dlsym. */
extern const char *aero_test_hosts_path __attribute__((visibility("default")));
const char *aero_test_hosts_path = "/nonexistent/hosts.mdb";

const char *aero_hosts_path(void)
{
	return aero_test_hosts_path;
}
