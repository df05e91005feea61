/* SPDX-License-Identifier: MIT */
/* The files around /etc/hosts below a root prefix (CONTRACTS 1). */
#ifndef AERO_LEGACY_PATHS_H
#define AERO_LEGACY_PATHS_H

#include "lib/err.h"

struct aero_hosts_paths {
	char *root;   /* without a slash at its end: "" is the real root */
	char *hosts;  /* /etc/hosts */
	char *bak;    /* /etc/hosts.bak */
	char *aside;  /* /etc/hosts.bak.tmp: what bak is made of, and see recover.h */
	char *before; /* /etc/hosts.before-aerostat */
	char *legacy; /* /etc/hosts.legacy */
	char *good;   /* /var/lib/aerostat/hosts.legacy.good */
	char *lock;   /* /run/aerostat/hosts.lock */
};

/* All paths below root ("/", "" or an absolute directory: `root` of lib/conf.h). */
int aero_hosts_paths_make(
	const char *root, struct aero_hosts_paths *ret, struct aero_err *err);
void aero_hosts_paths_clear(struct aero_hosts_paths *paths);

#endif
