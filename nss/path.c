/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "nss/answer.h"

const char *aero_hosts_path(void)
{
	return "/var/lib/aerostat/hosts.mdb";
}
