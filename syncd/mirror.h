/* SPDX-License-Identifier: MIT */
/*
 * What the main thread keeps: the documents, what they answer, and what of it is out
 * there. Order of a change: state.mdb, hosts.mdb, /etc/hosts, hostname, status. It is
 * part of the loop, so it logs.
 */
#ifndef AERO_SYNCD_MIRROR_H
#define AERO_SYNCD_MIRROR_H

#include "lib/conf.h"
#include "lib/status.h"
#include "lib/watch.h"
#include "legacy/paths.h"
#include "syncd/answers.h"
#include "syncd/pace.h"
#include "syncd/state.h"

struct aero_mirror {
	const struct aero_conf *conf;
	char *state_path, *hosts_path, *source;
	struct aero_hosts_paths paths; /* around /etc/hosts */
	struct aero_state *state;
	struct aero_answers *answers;
	struct aero_answer_set set; /* of the last publish; points into answers */
	struct aero_published keep;
	struct aero_pace pace;
	bool published;      /* hosts.mdb is ours, or was found readable */
	bool set_made;       /* set is what hosts.mdb holds */
	bool accept_shrink;  /* until a whole collection was published */
	size_t n_published;  /* names in hosts.mdb */
	uint64_t generation; /* of hosts.mdb */
	int64_t full_at;     /* see struct aero_state_meta, and syncd/guard.h */
	int64_t full_clock;  /* the same on the steady clock */
	bool full_counted;   /* full_names is what that collection had */
	size_t full_names;
	int64_t changed_ns; /* arrival of the first change not published; 0 = none */
	bool hosts_due;     /* /etc/hosts is behind hosts.mdb */
	char hosts_error[512];
	char named[256]; /* the name last given to the system */
	char name_error[512];
	struct aero_status status;
};

/* Open state.mdb and read it. source: whose documents. */
int aero_mirror_new(const struct aero_conf *conf, const char *source,
	struct aero_mirror **ret, struct aero_err *err);
void aero_mirror_free(struct aero_mirror *mirror);

/* The options are now conf's: read the documents again under them. */
int aero_mirror_configure(
	struct aero_mirror *mirror, const struct aero_conf *conf, struct aero_err *err);

/* Commit a batch to state.mdb; what changed waits for aero_mirror_publish. AERO_LOST: a
 * new snapshot is needed; others: it could not be stored, which needs one as well. The
 * batch may lose its documents on the way. */
int aero_mirror_apply(struct aero_mirror *mirror, struct aero_batch *batch,
	int64_t arrived_ns, struct aero_err *err);

/* Write hosts.mdb. AERO_REFUSED: the shrink guard holds it, *ret_wait_ms says how long
 * yet; the old file stays. */
int aero_mirror_publish(
	struct aero_mirror *mirror, int64_t *ret_wait_ms, struct aero_err *err);

/* Write /etc/hosts from what is published; legacy: text of a legacy updater, or NULL. */
int aero_mirror_hosts(struct aero_mirror *mirror, const char *legacy, size_t legacy_len,
	struct aero_err *err);

/* Publish what a start finds in state.mdb: AERO_MISS when it holds no collection yet. */
int aero_mirror_start(
	struct aero_mirror *mirror, int64_t *ret_wait_ms, struct aero_err *err);

/* Who this node is ('' = not known), for hosts_file self and the status. A failure: the
 * mark may be there, but cannot be read now. */
int aero_mirror_self(
	const struct aero_conf *conf, char *buf, size_t size, struct aero_err *err);

/* The system hostname, where this node is registered and its slot's name changed. */
void aero_mirror_name_system(
	struct aero_mirror *mirror, const struct aero_document *self);

/* The system hostname, status.json and prometheus_file. */
void aero_mirror_status(struct aero_mirror *mirror);

/* masters.c: all of them, into *ret, which is emptied before. */
void aero_mirror_masters(const struct aero_mirror *mirror, struct aero_masters *ret);

#endif
