/* SPDX-License-Identifier: MIT */
/*
 * libaerostat: ask the naming store who is who, from a program of your own.
 *
 *	cc ask.c $(pkg-config --cflags --libs aerostat)
 *
 * To look a name up, getaddrinfo is enough; this is for what it does not tell: what this
 * node is called, who is the master. All of these only read. Each answers one of enum
 * aerostat_result, which are the exit codes of aerostat(8); aerostat_error has the words.
 * A handle is used by one thread at a time. No call lasts longer than about 12 s.
 */
#ifndef AERO_LIB_AEROSTAT_H
#define AERO_LIB_AEROSTAT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum aerostat_result {
	AEROSTAT_OK = 0,           /* done; yes */
	AEROSTAT_NO = 1,           /* no such name or instance; not the master */
	AEROSTAT_USAGE = 64,       /* wrong arguments */
	AEROSTAT_DATA = 65,        /* a damaged record */
	AEROSTAT_UNAVAILABLE = 69, /* store or metadata service cannot be reached */
	AEROSTAT_AGAIN = 75,       /* try again; out of memory */
	AEROSTAT_PERMISSION = 77,  /* the user of the store may not */
	AEROSTAT_CONFIG = 78,      /* wrong configuration or URI */
};

/* A slot and who holds it; '' = none. epoch: of a master, the number of the change-over
 * that made it so; it only rises, so that whoever is asked to write can refuse a master
 * of an earlier epoch. 0 = an imported one. */
struct aerostat_host {
	char hostname[256];
	char service[256];
	char instance_id[256];
	char ip[64], ip6[64];
	int64_t epoch;
};

struct aerostat;

/* Connect; the store is met at the first question. server is host[:port], a mongodb://
 * URI or lmdb:PATH; NULL: as the programs of this node have it (environment,
 * /etc/aerostat.conf). *ret is made in any case but for lack of memory, and must be
 * disconnected; after a failure it only has its words. */
int aerostat_connect(const char *server, struct aerostat **ret);
/* The same over a MongoDB client of the caller's (mongoc_client_t *), which stays the
 * caller's and must outlive *ret; database NULL is `aerostat`. */
int aerostat_connect_client(
	void *mongoc_client, const char *database, struct aerostat **ret);
void aerostat_disconnect(struct aerostat *aerostat); /* NULL is nothing */

/* Words for what failed last; of connect's NULL handle: out of memory. */
const char *aerostat_error(const struct aerostat *aerostat);

/* Instance id and address of this node, by its options or the metadata service (which is
 * given 10 s): get_aws_data of the Python program. Only instance_id, ip and ip6 are set.
 */
int aerostat_node(struct aerostat *aerostat, struct aerostat_host *ret);

/* A slot has this hostname, held or not. */
int aerostat_hostname_exists(struct aerostat *aerostat, const char *hostname);
/* The slot that an instance holds; NULL: this node. */
int aerostat_get_hostname(
	struct aerostat *aerostat, const char *instance_id, struct aerostat_host *ret);
/* Who is the master of a masterful service. AEROSTAT_NO: nobody, now. */
int aerostat_get_master(
	struct aerostat *aerostat, const char *service, struct aerostat_host *ret);
/* Is this instance (NULL: this node) the master of its service? */
int aerostat_check_master(struct aerostat *aerostat, const char *instance_id);

#ifdef __cplusplus
}
#endif

#endif
