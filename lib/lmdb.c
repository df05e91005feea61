/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/lmdb.h"
#include "lib/lmdb_gate.h"

#define MAP_SIZE ((size_t)64 << 20)
#define SLACK_PAGES 256
#define SHORT_PAGES 16
#define MAX_TURNS 24 /* 64 MiB doubled so often is more than any address space */

static const char *const names[AERO_LMDB_N_DBS] = {
	"slots", "hostnames", "instances", "control", "nodes", "log", "meta"};

struct aero_lmdb {
	struct aero_lmdb *next;
	size_t refs;
	MDB_env *env;
	MDB_dbi dbi[AERO_LMDB_N_DBS];
	char *path;
	dev_t dev;
	ino_t ino;
	pid_t pid;
	bool read_only;
	/* liblmdb takes no more writes after one that failed at its end: whoever has this
	 * file lets it go, and the last one's next turn opens it afresh. */
	atomic_bool broken;
	/* Of the writers: a descriptor of the file (LMDB's fcntl locks are on the other
	 * one, so that closing this one hurts none), and who in this process may use it.
	 */
	int gate;
	pthread_mutex_t writing;
	/* Transactions hold it shared; the map changes its size under it alone. */
	pthread_rwlock_t lock;
};

/* LMDB keeps fcntl locks, which go when any descriptor of the file is closed: a file that
 * is open twice in one process loses its readers. So each is opened once. */
static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static struct aero_lmdb *files;

/* ---- writers ---- */

/* As mdb_txn_begin, waiting for other writers with an end. */
static int txn_begin(struct aero_lmdb *db, bool write, MDB_txn **ret)
{
	int rc = 0;

	if (write) {
		(void)pthread_mutex_lock(&db->writing);
		rc = aero_gate_enter(db->gate);
	}
	if (rc == 0) {
		rc = mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, ret);
		if (write && rc != 0)
			aero_gate_leave(db->gate);
	}
	if (write && rc != 0)
		(void)pthread_mutex_unlock(&db->writing);
	return rc;
}

/* After commit or abort. */
static void txn_ended(struct aero_lmdb *db, bool write)
{
	if (!write)
		return;
	aero_gate_leave(db->gate);
	(void)pthread_mutex_unlock(&db->writing);
}

/* ---- opening ---- */

static int open_dbs(struct aero_lmdb *db)
{
	MDB_val key = {2, NULL}, value;
	unsigned char id[AERO_LMDB_ID_LEN];
	char id_key[] = "id";
	MDB_txn *txn;
	int rc = txn_begin(db, !db->read_only, &txn);

	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < AERO_LMDB_N_DBS; i++)
		rc = mdb_dbi_open(
			txn, names[i], db->read_only ? 0 : MDB_CREATE, &db->dbi[i]);
	if (rc == 0 && !db->read_only) {
		key.mv_data = id_key;
		value = (MDB_val){sizeof(id), id};
		if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
			rc = EIO;
		else
			rc = mdb_put(txn, db->dbi[AERO_LMDB_META], &key, &value,
				MDB_NOOVERWRITE);
		if (rc == MDB_KEYEXIST)
			rc = 0;
	}
	if (rc == 0)
		rc = mdb_txn_commit(txn);
	else
		mdb_txn_abort(txn);
	txn_ended(db, !db->read_only);
	return rc;
}

/*
 * liblmdb reads behind the end of a file that lost its tail, and dies. Its own files may
 * be a few pages short (what one transaction took and gave back was never written), so
 * that they are kept longer than needed, which makes a real loss plain.
 */
static int keep_slack(struct aero_lmdb *db)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;
	size_t have, need;
	int fd;

	if (mdb_env_info(db->env, &info) != 0 || mdb_env_stat(db->env, &stat) != 0 ||
		mdb_env_get_fd(db->env, &fd) != 0 || fstat(fd, &st) != 0)
		return EIO;
	have = (size_t)st.st_size / stat.ms_psize;
	need = info.me_last_pgno + 1;
	if (have + SHORT_PAGES < need)
		return MDB_CORRUPTED;
	if (!db->read_only && have < need + SLACK_PAGES / 2)
		/* Allocates, never shrinks; where it is not supported, nothing is lost.
		 */
		(void)fallocate(fd, 0, st.st_size,
			(off_t)((need + SLACK_PAGES) * stat.ms_psize) - st.st_size);
	return 0;
}

static char *lock_path(const char *path)
{
	char *lock = NULL;

	return asprintf(&lock, "%s-lock", path) < 0 ? NULL : lock;
}

/* Never making a file also means no lock file: without one nobody is writing. */
static unsigned env_flags(const char *path, bool read_only)
{
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
	char *lock;

	if (!read_only)
		return flags;
	lock = lock_path(path);
	if (lock == NULL || access(lock, F_OK) != 0)
		flags |= MDB_NOLOCK;
	free(lock);
	return flags | MDB_RDONLY;
}

static int env_open(struct aero_lmdb *db)
{
	struct stat st;
	int rc = mdb_env_create(&db->env), dead, fd;

	if (rc == 0)
		rc = mdb_env_set_maxdbs(db->env, AERO_LMDB_N_DBS);
	if (rc == 0)
		rc = mdb_env_set_mapsize(db->env, MAP_SIZE);
	if (rc == 0)
		rc = mdb_env_open(
			db->env, db->path, env_flags(db->path, db->read_only), 0600);
	if (rc == 0)
		rc = mdb_env_get_fd(db->env, &fd);
	if (rc == 0 && fstat(fd, &st) != 0)
		rc = errno;
	if (rc != 0)
		return rc;
	db->dev = st.st_dev;
	db->ino = st.st_ino;
	if (!db->read_only) {
		db->gate = open(db->path, O_RDONLY | O_CLOEXEC);
		if (db->gate < 0)
			return errno;
	}
	rc = keep_slack(db);
	(void)mdb_reader_check(db->env, &dead);
	if (rc == 0)
		rc = open_dbs(db);
	return rc;
}

static void db_free(struct aero_lmdb *db)
{
	if (db == NULL)
		return;
	/* A child after fork must not close: the locks and the mutex are its parent's. */
	if (db->env != NULL && db->pid == getpid())
		mdb_env_close(db->env);
	if (db->gate >= 0)
		(void)close(db->gate);
	(void)pthread_mutex_destroy(&db->writing);
	(void)pthread_rwlock_destroy(&db->lock);
	free(db->path);
	free(db);
}

static int db_new(const char *path, bool read_only, struct aero_lmdb **ret)
{
	struct aero_lmdb *db = calloc(1, sizeof(*db));
	int rc = ENOMEM;

	if (db != NULL) {
		db->gate = -1;
		db->path = strdup(path);
	}
	if (db != NULL && db->path != NULL) {
		db->pid = getpid();
		db->read_only = read_only;
		(void)pthread_mutex_init(&db->writing, NULL);
		rc = pthread_rwlock_init(&db->lock, NULL);
	}
	if (rc == 0)
		rc = env_open(db);
	if (rc == 0)
		*ret = db;
	else
		db_free(db);
	return rc;
}

/* Make the file. One at a time (flock on the directory, which leaves no file behind), and
 * with a lock file of its own: one that an earlier file left, and that a process may
 * still hold, would name transactions that this file never had. */
static int db_create(const char *path, struct aero_lmdb **ret)
{
	char *dir = strdup(path), *lock = lock_path(path);
	int fd = -1, rc = ENOMEM;

	if (dir == NULL || lock == NULL)
		goto out;
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? errno : aero_gate_enter(fd);
	if (rc != 0)
		goto out;
	if (access(path, F_OK) != 0)
		(void)unlink(lock);
	rc = db_new(path, false, ret);
	if (rc == 0 && fsync(fd) != 0)
		rc = errno;
out:
	if (fd >= 0)
		(void)close(fd);
	free(lock);
	free(dir);
	return rc;
}

int aero_lmdb_dir_check(const char *path, struct aero_err *err)
{
	char *dir = strdup(path);
	int rc = dir == NULL ? ENOMEM : access(dirname(dir), X_OK) != 0 ? errno : 0;

	free(dir);
	return rc == 0 ? AERO_OK : aero_lmdb_error(err, path, "open", rc);
}

static bool same_file(const struct aero_lmdb *db, const struct stat *st)
{
	return db->pid == getpid() && db->dev == st->st_dev && db->ino == st->st_ino;
}

bool aero_lmdb_current(const struct aero_lmdb *db)
{
	struct stat st;

	return !db->broken && stat(db->path, &st) == 0 && same_file(db, &st);
}

/* The open file that st is, opened if need be; NULL when there is none (and create is
 * false). Under files_lock. */
static int find(const char *path, bool read_only, bool create, struct aero_lmdb **ret)
{
	struct aero_lmdb *db = NULL;
	struct stat st;
	int rc = 0;
	bool there = stat(path, &st) == 0;

	if (!there && errno != ENOENT)
		return errno;
	for (db = there ? files : NULL; db != NULL; db = db->next)
		if (same_file(db, &st) && db->read_only <= read_only)
			break;
	if (db != NULL && db->broken)
		return MDB_PANIC; /* another still has it: twice at once is forbidden */
	if (db == NULL && there) {
		rc = db_new(path, read_only, &db);
		/* Being made just now, or made and never used: no slots. */
		if (read_only && (rc == MDB_NOTFOUND || rc == ENOENT))
			return 0;
	} else if (db == NULL && create) {
		rc = db_create(path, &db);
	}
	if (rc != 0 || db == NULL)
		return rc;
	if (db->refs++ == 0) {
		db->next = files;
		files = db;
	}
	*ret = db;
	return 0;
}

int aero_lmdb_get(const char *path, bool read_only, bool create, struct aero_lmdb **io,
	struct aero_err *err)
{
	struct aero_lmdb *db = NULL;
	int rc;

	if (*io != NULL && aero_lmdb_current(*io))
		return AERO_OK;
	/* First, so that the lock file of a replaced one is let go before it is used. */
	aero_lmdb_put(*io);
	*io = NULL;
	(void)pthread_mutex_lock(&files_lock);
	rc = find(path, read_only, create, &db);
	(void)pthread_mutex_unlock(&files_lock);
	if (rc != 0)
		return aero_lmdb_error(err, path, "open", rc);
	*io = db;
	return AERO_OK;
}

void aero_lmdb_put(struct aero_lmdb *db)
{
	struct aero_lmdb **at = &files;

	if (db == NULL)
		return;
	(void)pthread_mutex_lock(&files_lock);
	if (--db->refs == 0) {
		while (*at != db)
			at = &(*at)->next;
		*at = db->next;
		db_free(db);
	}
	(void)pthread_mutex_unlock(&files_lock);
}

/* ---- transactions ---- */

/* One turn: AERO_OK or AERO_*, or a code of LMDB. */
static int run_once(struct aero_lmdb *db, bool write, aero_lmdb_step *step, void *arg,
	struct aero_err *err)
{
	struct aero_lmdb_txn txn = {.dbi = db->dbi};
	int rc = txn_begin(db, write, &txn.txn);

	if (rc == MDB_PANIC)
		db->broken = true;
	if (rc != 0)
		return rc;
	rc = step(&txn, arg, err);
	if (rc != 0 || !write) {
		mdb_txn_abort(txn.txn);
		txn_ended(db, write);
		return rc;
	}
	rc = mdb_txn_commit(txn.txn);
	if (rc == 0)
		(void)keep_slack(db);
	txn_ended(db, write);
	if (rc == 0 || rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT ||
		rc == EFBIG || rc == ENOMEM)
		return rc; /* the pages come first: the root was not written */
	db->broken = true;
	return aero_err_set(err, AERO_AMBIGUOUS,
		"write '%s': %s; it may or may not be stored", db->path,
		mdb_strerror(rc));
}

/* Make room for what the code says; true if another turn is worth it. */
static bool make_room(struct aero_lmdb *db, int code)
{
	MDB_envinfo info;
	int dead = 0;
	bool again = false;

	if (code == MDB_READERS_FULL) {
		(void)mdb_reader_check(db->env, &dead);
		if (dead == 0)
			(void)usleep(10000); /* 126 living readers: one ends soon */
		return true;
	}
	if (code != MDB_MAP_FULL && code != MDB_MAP_RESIZED)
		return false;
	(void)pthread_rwlock_wrlock(&db->lock);
	if (code == MDB_MAP_RESIZED)
		again = mdb_env_set_mapsize(db->env, 0) == 0;
	else if (mdb_env_info(db->env, &info) == 0)
		again = mdb_env_set_mapsize(db->env, info.me_mapsize * 2) == 0;
	(void)pthread_rwlock_unlock(&db->lock);
	return again;
}

int aero_lmdb_run(struct aero_lmdb *db, bool write, aero_lmdb_step *step, void *arg,
	struct aero_err *err)
{
	int rc, turns = 0;

	if (write && db->read_only)
		return aero_err_set(
			err, AERO_PERM, "'%s' is open for reading only", db->path);
	do {
		(void)pthread_rwlock_rdlock(&db->lock);
		rc = run_once(db, write, step, arg, err);
		(void)pthread_rwlock_unlock(&db->lock);
	} while (rc != 0 && ++turns < MAX_TURNS && make_room(db, rc));
	if (rc > 0 || rc <= MDB_LAST_ERRCODE)
		rc = aero_lmdb_error(err, db->path, write ? "write" : "read", rc);
	return rc;
}
