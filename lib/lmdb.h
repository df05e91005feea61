/* SPDX-License-Identifier: MIT */
/*
 * The file of the LMDB store: opened once per process however many stores and watches use
 * it (LMDB's locks allow no more), grown when full, with every failure in words. For
 * store_lmdb.c and watch_lmdb.c; threads may use one file at the same time.
 */
#ifndef AERO_LIB_LMDB_H
#define AERO_LIB_LMDB_H

#include <lmdb.h>
#include <stdbool.h>

#include "lib/err.h"

/* The named databases. */
enum aero_lmdb_db {
	AERO_LMDB_SLOTS,     /* _id -> document */
	AERO_LMDB_HOSTNAMES, /* hostname, not '' -> _id */
	AERO_LMDB_INSTANCES, /* instance_id, not '' -> _id */
	AERO_LMDB_CONTROL,   /* service -> document */
	AERO_LMDB_NODES,     /* instance_id -> document */
	AERO_LMDB_LOG,       /* u64 big-endian, from 1 -> _id of the slot that changed */
	AERO_LMDB_META,      /* "id" -> 16 random bytes; "time" -> source time, u64;
			      "h" + u64 big-endian, from 1 -> event */
	AERO_LMDB_N_DBS,
};

#define AERO_LMDB_ID_LEN 16

struct aero_lmdb;

/* Bring *io (NULL at first) up to date with what is at path now: the same file, another
 * one, or NULL when there is none and create is false. */
int aero_lmdb_get(const char *path, bool read_only, bool create, struct aero_lmdb **io,
	struct aero_err *err);
/* True if the file behind db is what path names. */
bool aero_lmdb_current(const struct aero_lmdb *db);
/* Words and code for a failure (lmdb_err.c): `what` as in "open". */
int aero_lmdb_error(struct aero_err *err, const char *path, const char *what, int code);
/* With no file: could one be made? AERO_NET when its directory is not there. */
int aero_lmdb_dir_check(const char *path, struct aero_err *err);
void aero_lmdb_put(struct aero_lmdb *db);

struct aero_lmdb_txn {
	MDB_txn *txn;
	const MDB_dbi *dbi; /* by enum aero_lmdb_db */
};

/* A step of one transaction: AERO_OK, an AERO_* code with its words, or a code of LMDB
 * (they do not overlap), which is put into words by the caller. It may be run again from
 * the start, when the file had to grow. */
typedef int aero_lmdb_step(struct aero_lmdb_txn *txn, void *arg, struct aero_err *err);

/* Run step in one transaction: committed if it returns AERO_OK, else as if never run. */
int aero_lmdb_run(struct aero_lmdb *db, bool write, aero_lmdb_step *step, void *arg,
	struct aero_err *err);

#endif
