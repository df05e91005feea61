/* SPDX-License-Identifier: MIT */
/* The `server` option (CONTRACTS 8) read: which store, and how it may be shown. Pure. */
#ifndef AERO_LIB_SERVER_H
#define AERO_LIB_SERVER_H

#include "lib/err.h"

enum aero_server_kind {
	AERO_SERVER_MONGO,
	AERO_SERVER_LMDB,
};

struct aero_server {
	enum aero_server_kind kind;
	char *uri; /* mongodb[+srv]://... as the user gave it, or the PATH of lmdb:PATH */
	char *name; /* for people and logs: no user, no password, no options */
};

/* Read host, host:port, [v6], [v6]:port, v6, mongodb://, mongodb+srv:// or lmdb:PATH;
 * port is for a host without one. A host becomes
 * mongodb://host:port/?directConnection=false. AERO_CONFIG, AERO_NOMEM: *ret is empty;
 * the words show no password either. */
int aero_server_parse(
	const char *server, int port, struct aero_server *ret, struct aero_err *err);
void aero_server_clear(struct aero_server *server);

#endif
