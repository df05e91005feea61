/* SPDX-License-Identifier: MIT */
/* status.json: what the sync daemon last did, for `aerostat status`, monitoring and the
 * one-shot that asks a running daemon to resync. */
#ifndef AERO_LIB_STATUS_H
#define AERO_LIB_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"
#include "lib/err.h"
#include "lib/masters.h"

struct aero_refusal {
	char *name, *why;
	char *id; /* the document's _id, as a text */
};

struct aero_refusals {
	struct aero_refusal *v; /* the first 100 */
	size_t n;
};

struct aero_shadow {
	char *name;
	int line; /* of /etc/hosts */
};

struct aero_status {
	int64_t pid;
	char *mode;   /* starting, stream, poll, log, backoff, once, stopped */
	char *server; /* without credentials */
	char *error;  /* of the last failure; '' when connected */
	int64_t started, updated, last_contact; /* unix ms; 0 = never */
	int64_t sync_count;                     /* full synchronisations finished */
	int64_t sync_started; /* unix ms at which the last of them began */
	int64_t generation, hosts_generation;
	int64_t source_time, published; /* as in the mirror's meta; published: unix ns */
	int64_t documents, names, aliases, addresses, gaps;
	int64_t n_refused; /* names and addresses that do not answer */
	int64_t n_odd;     /* documents of which a field was ignored */
	int64_t n_cut, n_shadowed, reconnects, publishes;
	int64_t repairs;                    /* damaged mirrors published again */
	int64_t publish_us, propagation_us; /* last publish; commit -> published */
	int64_t shrink_held_since;          /* unix ms; 0 = nothing is held */
	int64_t heartbeat;     /* unix ms, of the last that was taken; 0 = none */
	char *hostname;        /* this node's name, '' = unknown */
	char *heartbeat_error; /* why the store takes none; '' = it does */
	struct aero_refusals refused, odd;
	struct aero_shadow *shadowed; /* the first 100 */
	size_t n_shadowed_listed;
	struct aero_masters masters;
};

int aero_status_write(const struct aero_conf *conf, const struct aero_status *status,
	struct aero_err *err);
/* The same as node_exporter text, to prometheus_file; nothing when that is ''. */
int aero_status_write_prometheus(const struct aero_conf *conf,
	const struct aero_status *status, struct aero_err *err);
/* AERO_MISS when there is none. */
int aero_status_read(
	const struct aero_conf *conf, struct aero_status *ret, struct aero_err *err);
void aero_refusals_clear(struct aero_refusals *refusals);
void aero_status_clear(struct aero_status *status);

#endif
