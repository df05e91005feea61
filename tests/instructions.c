/* SPDX-License-Identifier: MIT */
/* instructions MODULE FILE hit|miss|reverse NAMES CALLS: look-ups by the entry points of
 * the test module, for callgrind, which counts within these alone; each must end as it
 * should. FILE holds web-0 .. web-(NAMES-1) at 10.0.0.0 + i. */
#include "config.h"

#include <dlfcn.h>
#include <netdb.h>
#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	nss_gethostbyname3_r *byname;
	nss_gethostbyaddr2_r *byaddr;
	unsigned long names, calls, i, at;
	enum nss_status status, want;
	int err, herr;
	unsigned char addr[4] = {10};
	_Alignas(8) char buf[1024];
	char name[32];
	const char **path;
	struct hostent h;
	void *so;

	if (argc != 6)
		return 64;
	so = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (so == NULL) {
		(void)fprintf(stderr, "instructions: %s\n", dlerror());
		return 70;
	}
	*(void **)&byname = dlsym(so, "_nss_aerostat_gethostbyname3_r");
	*(void **)&byaddr = dlsym(so, "_nss_aerostat_gethostbyaddr2_r");
	*(void **)&path = dlsym(so, "aero_test_hosts_path");
	if (byname == NULL || byaddr == NULL || path == NULL)
		return 70;
	*path = argv[2];
	names = strtoul(argv[4], NULL, 10);
	calls = strtoul(argv[5], NULL, 10);
	want = *argv[3] == 'm' ? NSS_STATUS_NOTFOUND : NSS_STATUS_SUCCESS;
	for (i = 0; i < calls; i++) {
		at = i * 7919 % names;
		if (*argv[3] == 'r') {
			addr[2] = (unsigned char)(at >> 8);
			addr[3] = (unsigned char)at;
			status = byaddr(addr, 4, AF_INET, &h, buf, sizeof(buf), &err,
				&herr, NULL);
		} else {
			(void)snprintf(name, sizeof(name), "%s-%lu",
				*argv[3] == 'm' ? "nope" : "web", at);
			status = byname(name, AF_INET, &h, buf, sizeof(buf), &err, &herr,
				NULL, NULL);
		}
		if (status != want) {
			(void)fprintf(stderr, "instructions: look-up %lu: %d\n", i,
				(int)status);
			return 1;
		}
	}
	return 0;
}
