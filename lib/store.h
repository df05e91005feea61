/* SPDX-License-Identifier: MIT */
/*
 * The naming store: the few operations that the naming steps are written over
 * (DESIGN 3, protocol.md). Three stores stand behind it: MongoDB (store_mongo.c), one
 * LMDB file (store_lmdb.c) and the tests' scripted one.
 *
 * Reads are majority reads at the primary. Each write is one conditional single-document
 * write (the change-over in one piece alone is more: one transaction), durable on a
 * majority before it is AERO_OK. What a write answers:
 *   AERO_OK            applied
 *   AERO_MISS          nothing matched, nothing changed
 *   AERO_DUP_HOSTNAME, AERO_DUP_INSTANCE   a unique index refused it, nothing changed
 *   AERO_AMBIGUOUS     it may or may not have been applied: read again from the actor's
 *                      first step, never repeat the write blindly (protocol W)
 *   AERO_NET, AERO_DB, AERO_PERM, AERO_CONFIG   certainly not applied; err has the words
 *
 * All writes of one open store go through one session with retryable writes where the
 * server has them, so that after an ambiguous answer any later acknowledged write of the
 * same store (a node write serves) keeps the ambiguous one from landing late (W2).
 *
 * A store is used by one thread at a time. Time-outs are inside: no call lasts longer
 * than about 12 s (a member that freezes in the middle: 6 s until the answer is given up,
 * 5 s for another one), but those that move many documents, and twice that for a
 * change-over in one piece.
 */
#ifndef AERO_LIB_STORE_H
#define AERO_LIB_STORE_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/slot.h"

struct aero_store;

struct aero_store_opts {
	const char *server; /* as CONTRACTS 8: host[:port], mongodb[+srv]://, lmdb:PATH */
	int port;           /* for a server given as host alone */
	const char *database; /* MongoDB only */
	const char *role;     /* appName aerostat-<role> */
	bool read_only;       /* never create a file or an index (dry run) */
};

/* Open; MongoDB is not contacted yet. A failure's words never show a password. */
int aero_store_open(const struct aero_store_opts *opts, struct aero_store **ret,
	struct aero_err *err);
/* The store that the options name. */
struct aero_conf;
int aero_store_open_conf(const struct aero_conf *conf, const char *role, bool read_only,
	struct aero_store **ret, struct aero_err *err);
void aero_store_close(struct aero_store *store);

/* The server as it may be shown to people and logs: without credentials. */
const char *aero_store_name(const struct aero_store *store);

/* Contact the store: AERO_OK, or AERO_NET / AERO_PERM with words. */
int aero_store_ping(struct aero_store *store, struct aero_err *err);

/* Indexes. check: AERO_OK, AERO_MISS (some are missing; err says which), AERO_PERM (may
 * not look). create: idempotent; AERO_DUP_HOSTNAME / AERO_DUP_INSTANCE on dirty data. */
int aero_store_indexes_check(struct aero_store *store, struct aero_err *err);
int aero_store_indexes_create(struct aero_store *store, struct aero_err *err);

/* ---- slots ---- */

/* All slots of a service (NULL: of the fleet), in no order; appended to *ret. */
int aero_store_slots(struct aero_store *store, const char *service,
	struct aero_slots *ret, struct aero_err *err);
/* The slot of an instance, by hostname: AERO_MISS when there is none, AERO_REFUSED when
 * the document is so that no conditional write could name it (aero_slot.odd). */
int aero_store_by_instance(struct aero_store *store, const char *instance_id,
	struct aero_slot *ret, struct aero_err *err);
int aero_store_by_hostname(struct aero_store *store, const char *hostname,
	struct aero_slot *ret, struct aero_err *err);
/* The slot of the master of a masterful service. AERO_MISS when nobody holds it. */
int aero_store_master(struct aero_store *store, const char *service,
	struct aero_slot *ret, struct aero_err *err);

/* Which slot a conditional write may touch. */
struct aero_slot_match {
	const char
		*hostname; /* '' = nameless (old data): then occupant[0] is an instance */
	const char *
		occupant[2]; /* instance_id is one of these ('' = blank); NULL = unused */
	bool match_reg;      /* and reg equals reg (0 = absent) */
	int64_t reg;
	int64_t epoch_below; /* and epoch is absent or below this; 0 = any */
};

/* What it writes. Unset members are left as they are. */
struct aero_slot_change {
	/* Put this occupant in: instance_id, ip, ip6, aliases, with reg and registered_at
	 * (the server's clock). */
	const struct aero_occupant *who;
	int64_t reg;
	bool blank;    /* or: instance_id '', ip '', ip6 ''; aliases are kept */
	bool renew;    /* with who: instance_id is not written, it is matched */
	int64_t epoch; /* not 0: write this epoch */
	const char *service_type; /* not NULL: write it (it may change between boots) */
};

int aero_store_slot_update(struct aero_store *store, const struct aero_slot_match *match,
	const struct aero_slot_change *change, struct aero_err *err);

/* Claim the numerically lowest blank slot of a service, except the one named
 * except_hostname (may be NULL) and those without a hostname (old data): one
 * findAndModify. *ret is the slot as it is after. */
int aero_store_slot_claim(struct aero_store *store, const char *service,
	const char *except_hostname, const struct aero_slot_change *change,
	struct aero_slot *ret, struct aero_err *err);

/* Insert slots in order, stopping at the first that is refused. */
int aero_store_slots_insert(struct aero_store *store, const struct aero_slot *slots,
	size_t n, struct aero_err *err);

/* Insert or replace by hostname (import): occupant, aliases, service and type. */
int aero_store_slot_import(
	struct aero_store *store, const struct aero_slot *slot, struct aero_err *err);

/* Take these aliases from every slot but instance_id's (step A); only the conflicting
 * ones are removed. Idempotent, so never ambiguous: AERO_AMBIGUOUS means do it again. */
int aero_store_aliases_take(struct aero_store *store, const struct aero_list *aliases,
	const char *instance_id, struct aero_err *err);

/* For `aerostatd --repair` alone: set these top-level fields of a document of the slots,
 * or delete it (set NULL), if it is, field by field, still as aero_store_walk gave it.
 * Nothing else deletes. AERO_MISS: it is not, whoever wrote it. */
int aero_store_slot_mend(struct aero_store *store, const bson_t *was, const bson_t *set,
	struct aero_err *err);

/* ---- nodes: release and death certificates ---- */

struct aero_node {
	bool exists;
	int64_t gen;
	bool left, dead;
	char why[64];    /* of dead, in words */
	bool odd;        /* see aero_slot */
	int64_t seen_at; /* its last heartbeat: Unix ms by aero_store_clock; 0 = none */
};

/* AERO_REFUSED: gen is such that nothing could be written. */
int aero_store_node(struct aero_store *store, const char *instance_id,
	struct aero_node *ret, struct aero_err *err);

/* `{_id, gen}` -> gen + 1, left and dead as given (why is for dead). gen 0 with exists
 * false inserts. AERO_MISS: another gen is there by now. */
int aero_store_node_update(struct aero_store *store, const char *instance_id,
	const struct aero_node *was, bool left, bool dead, const char *why,
	struct aero_err *err);

/* A heartbeat: seen_at is the store's clock. Neither gen nor a certificate changes: a
 * dead node that is seen is still dead, until who reads that takes its certificate back
 * (B5). AERO_MISS: there is no such node, and none is made. Idempotent, so AERO_AMBIGUOUS
 * means do it again. */
int aero_store_node_seen(
	struct aero_store *store, const char *instance_id, struct aero_err *err);

/* The clock that seen_at is written by, in Unix ms: that of the primary. */
int aero_store_clock(struct aero_store *store, int64_t *ret, struct aero_err *err);

/* ---- control: the intent log of change-overs ---- */

struct aero_control {
	int64_t epoch; /* 0: no document yet */
	bool open;     /* an op is open */
	/* Both as they were when the op was opened, so that whoever helps can put them in
	 * though their slots are blank by then. Empty while no op is open. */
	struct aero_occupant promote; /* p: the instance to make master */
	struct aero_occupant master;  /* m: the one to replace; instance_id '' = none */
	bool odd;                     /* see aero_slot; epoch or op */
};

int aero_store_control(struct aero_store *store, const char *service,
	struct aero_control *ret, struct aero_err *err);
void aero_control_clear(struct aero_control *control);

/* C1: `{_id, epoch: e-1, op: null}` -> `{epoch: e, op: {p, m, ips, at}}`; e = 1 inserts;
 * master may be NULL.
 * ips: {p: {ip, ip6, aliases}, m: {ip, ip6, aliases}}. */
int aero_store_control_open(struct aero_store *store, const char *service, int64_t epoch,
	const struct aero_occupant *promote, const struct aero_occupant *master,
	struct aero_err *err);
/* S4: `{_id, epoch: e, op set}` -> op null. */
int aero_store_control_close(struct aero_store *store, const char *service, int64_t epoch,
	struct aero_err *err);

/* ---- whole collections, as they are: for the server ---- */

enum aero_table {
	AERO_TABLE_SLOTS,
	AERO_TABLE_NODES,   /* aero_doc_node_of_bson (lib/store_doc.h) reads one */
	AERO_TABLE_CONTROL, /* aero_doc_control_of_bson */
	AERO_TABLE_HISTORY, /* oldest first */
	AERO_N_TABLES
};

/* Call take with every document (lent), the history's in order, until it answers other
 * than AERO_OK, which is then the answer. */
typedef int aero_table_take(const bson_t *doc, void *arg, struct aero_err *err);
int aero_store_walk(struct aero_store *store, enum aero_table table,
	aero_table_take *take, void *arg, struct aero_err *err);

/* Append to the history, a bounded log (indexes_create makes it). One _id, one event:
 * AERO_OK also if it is there already. */
int aero_store_history_add(
	struct aero_store *store, const bson_t *event, struct aero_err *err);

/* ---- a change-over in one piece ---- */

/* p, and what of it and of the master's slot was read. */
struct aero_change_over {
	const char *service;
	int64_t epoch;        /* the new one: control is one below, and no op is open */
	const char *hostname; /* p's slot, with p in it and this reg */
	int64_t reg;
	const struct aero_occupant *promote; /* p, as it is to be put in */
	const char *master_hostname; /* the master's slot, with m in it and this reg */
	int64_t master_reg;
	const struct aero_occupant *master; /* m, as it is to be put in; '' = nobody */
	int64_t new_reg; /* of both tenures: they are in different slots */
};

/* All of C1 to S4 at once, or nothing: control gets the epoch, p's node the next gen, p's
 * slot is blanked, the master's gets p and the epoch, and m, unless it is dead or left,
 * the lowest gap, which p's slot is one of. Whoever reads sees all of it or nothing.
 * AERO_MISS: something is not as it was; AERO_REFUSED: not in one piece (a server without
 * transactions; p is dead or left; no gap for m, whose name then is to be appended).
 * AERO_AMBIGUOUS only for the last word: W2 holds for it as for any other write. */
int aero_store_change_over(struct aero_store *store,
	const struct aero_change_over *change, struct aero_err *err);

/* ---- watching: see lib/watch.h ---- */

#endif
