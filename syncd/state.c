/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mapped.h"
#include "lib/store_ops.h"
#include "syncd/document.h"
#include "syncd/state.h"
#include "syncd/state_meta.h"
#include "syncd/state_ops.h"

#define MAP_SIZE ((size_t)256 << 20)
#define GROW_TURNS 16
#define REST_ABOVE 4096         /* documents, then it is closed: it keeps much memory */
#define PIECE ((size_t)4 << 20) /* of a first collection, in one transaction */
#define SHORT_PAGES 16          /* a sound file may lack so many at its end */

struct aero_state {
	char *path, *source;
	MDB_env *env;
	MDB_dbi docs, about;
	struct aero_state_meta meta;
};

static int fail(struct aero_err *err, const char *what, const char *path, int code)
{
	int rc = AERO_DB;

	if (code == EACCES || code == EPERM || code == EROFS)
		rc = AERO_PERM;
	else if (code == ENOMEM)
		rc = AERO_NOMEM;
	else if (code > 0)
		rc = AERO_IO;
	return aero_err_set(err, rc, "%s '%s': %s%s", what, path, mdb_strerror(code),
		aero_remedy(code));
}

static bool is_damage(int code)
{
	return code == MDB_INVALID || code == MDB_CORRUPTED ||
	       code == MDB_PAGE_NOTFOUND || code == MDB_VERSION_MISMATCH ||
	       code == MDB_INCOMPATIBLE || code == MDB_PANIC || code == MDB_NOTFOUND;
}

/* ---- opening ---- */

static void env_close(struct aero_state *state)
{
	mdb_env_close(state->env);
	state->env = NULL;
}

/* liblmdb dies of a signal where it reads behind the end of a file. */
static int check_size(struct aero_state *state)
{
	MDB_envinfo info;
	MDB_stat stat;
	struct stat st;
	off_t need;
	int fd;

	if (mdb_env_info(state->env, &info) != 0 ||
		mdb_env_stat(state->env, &stat) != 0 ||
		mdb_env_get_fd(state->env, &fd) != 0 || fstat(fd, &st) != 0)
		return EIO;
	need = (off_t)((info.me_last_pgno + 1) * stat.ms_psize);
	if (st.st_size + (off_t)(SHORT_PAGES * stat.ms_psize) < need)
		return MDB_CORRUPTED;
	if (st.st_size < need && ftruncate(fd, need) < 0)
		return errno;
	return 0;
}

/* No lock file: syncd.lock keeps others out, and we read in the thread that writes. */
static int env_open(struct aero_state *state)
{
	MDB_txn *txn = NULL;
	int rc = mdb_env_create(&state->env);

	if (rc == 0)
		rc = mdb_env_set_maxdbs(state->env, 2);
	if (rc == 0)
		rc = mdb_env_set_mapsize(state->env, MAP_SIZE);
	if (rc == 0)
		rc = mdb_env_open(
			state->env, state->path, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
	if (rc == 0)
		rc = check_size(state);
	if (rc == 0)
		rc = mdb_txn_begin(state->env, NULL, 0, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "docs", MDB_CREATE, &state->docs);
	if (rc == 0)
		rc = mdb_dbi_open(txn, "about", MDB_CREATE, &state->about);
	if (rc == 0)
		rc = aero_state_meta_read(txn, state->about, state->source, &state->meta);
	if (rc == MDB_INCOMPATIBLE) {
		/* sound, but not what we can go on from */
		rc = mdb_drop(txn, state->docs, 0);
		if (rc == 0)
			rc = aero_state_meta_write(
				txn, state->about, state->source, &state->meta);
		if (rc == 0)
			rc = mdb_txn_commit(txn);
		else
			mdb_txn_abort(txn);
		return rc == 0 ? MDB_INCOMPATIBLE : rc;
	}
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* Any failure closes the file: after some, liblmdb takes no more writes, and which of the
 * last two commits is on the disk only the file itself can tell. */
static int ready(struct aero_state *state)
{
	int rc;

	if (state->env != NULL)
		return 0;
	aero_position_clear(&state->meta.position);
	state->meta = (struct aero_state_meta){0};
	rc = env_open(state);
	if (rc == MDB_INCOMPATIBLE)
		rc = 0; /* given up already */
	if (rc != 0)
		env_close(state);
	return rc;
}

/* Out of the way, so that a new one can be made. */
static int move_aside(const struct aero_state *state, struct aero_err *warning, int code,
	struct aero_err *err)
{
	char *aside = NULL;
	int rc = AERO_OK;

	if (asprintf(&aside, "%s.damaged", state->path) < 0)
		return aero_err_set(err, AERO_NOMEM, "state: out of memory");
	if (rename(state->path, aside) < 0)
		rc = fail(err, "move aside", state->path, errno);
	else
		(void)aero_err_set(warning, AERO_OK,
			"'%s' is damaged (%s), it is now '%s'; everything is read again",
			state->path, mdb_strerror(code), aside);
	free(aside);
	return rc;
}

static int start_afresh(struct aero_state *state, int code, struct aero_err *warning,
	struct aero_err *err)
{
	int rc;

	env_close(state);
	aero_position_clear(&state->meta.position);
	state->meta = (struct aero_state_meta){0};
	rc = move_aside(state, warning, code, err);
	if (rc != AERO_OK)
		return rc;
	code = env_open(state);
	return code == 0 ? AERO_OK : fail(err, "open", state->path, code);
}

static int open_with_repair(
	struct aero_state *state, struct aero_err *warning, struct aero_err *err)
{
	int code = env_open(state);

	if (code == MDB_INCOMPATIBLE && state->env != NULL) {
		(void)aero_err_set(warning, AERO_OK,
			"'%s' is of another store or version; everything is read again",
			state->path);
		code = 0;
	}
	if (code != 0 && is_damage(code))
		return start_afresh(state, code, warning, err);
	return code == 0 ? AERO_OK : fail(err, "open", state->path, code);
}

int aero_state_reset(
	struct aero_state *state, struct aero_err *ret_warning, struct aero_err *err)
{
	return start_afresh(state, MDB_CORRUPTED, ret_warning, err);
}

int aero_state_open(const char *path, const char *source, struct aero_state **ret,
	struct aero_err *ret_warning, struct aero_err *err)
{
	struct aero_state *state = calloc(1, sizeof(*state));
	int rc = AERO_NOMEM;

	ret_warning->msg[0] = '\0';
	if (state != NULL) {
		state->path = strdup(path);
		state->source = strdup(source);
	}
	if (state == NULL || state->path == NULL || state->source == NULL)
		(void)aero_err_set(err, AERO_NOMEM, "state: out of memory");
	else
		rc = open_with_repair(state, ret_warning, err);
	if (rc == AERO_OK)
		*ret = state;
	else
		aero_state_close(state);
	return rc;
}

void aero_state_close(struct aero_state *state)
{
	if (state == NULL)
		return;
	mdb_env_close(state->env);
	aero_position_clear(&state->meta.position);
	free(state->path);
	free(state->source);
	free(state);
}

const struct aero_state_meta *aero_state_meta(const struct aero_state *state)
{
	return &state->meta;
}

/* ---- reading and writing ---- */

int aero_state_load(
	struct aero_state *state, aero_state_each *each, void *arg, struct aero_err *err)
{
	MDB_cursor *cursor = NULL;
	struct aero_mapped mapped = {0};
	MDB_val key, value;
	MDB_txn *txn;
	bson_t doc;
	size_t n = 0;
	int rc = ready(state), code = AERO_OK;

	if (rc == 0)
		rc = mdb_txn_begin(state->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return fail(err, "read", state->path, rc);
	rc = mdb_cursor_open(txn, state->docs, &cursor);
	while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		if (!bson_init_static(&doc, value.mv_data, value.mv_size))
			rc = MDB_CORRUPTED;
		else
			code = each(arg, key.mv_data, key.mv_size, &doc, err);
		if (code != AERO_OK)
			break;
		aero_mapped_read(&mapped, value.mv_data, value.mv_size);
		n++;
	}
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	if (n > REST_ABOVE)
		env_close(state);
	if (code != AERO_OK)
		return code;
	return rc == MDB_NOTFOUND ? AERO_OK : fail(err, "read", state->path, rc);
}

/* One transaction: what of the batch is next, and behind all of it what the file says of
 * itself. */
static int run_one(struct aero_state *state, struct aero_ops *ops,
	const struct aero_batch *batch, const struct aero_state_meta *meta, bool always,
	bool *ret_written)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(state->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	if (batch != NULL)
		rc = aero_ops_apply(ops, txn, state->docs, batch,
			state->meta.synced ? SIZE_MAX : PIECE);
	*ret_written = rc == 0 && (always || ops->n > 0);
	if (*ret_written && ops->to == ops->n)
		rc = aero_state_meta_write(txn, state->about, state->source, meta);
	if (*ret_written && rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* Run one transaction, or several, of which all but the last leave the file without a
 * whole collection, as it was; more room and again, where that is what one lacks. */
static int run(struct aero_state *state, struct aero_ops *ops,
	const struct aero_batch *batch, const struct aero_state_meta *meta, bool always,
	bool *ret_written, struct aero_err *err)
{
	MDB_envinfo info;
	int rc, turn = 0;

	do {
		rc = run_one(state, ops, batch, meta, always, ret_written);
		if (rc == 0)
			ops->done = ops->to;
		else if (rc == MDB_MAP_FULL &&
			 (turn++ == GROW_TURNS || mdb_env_info(state->env, &info) != 0 ||
				 mdb_env_set_mapsize(state->env, info.me_mapsize * 2) !=
					 0))
			break;
	} while (rc == MDB_MAP_FULL || (rc == 0 && ops->done < ops->n));
	if (rc == AERO_LOST)
		return aero_err_set(err, rc, "a change does not fit the documents here");
	if (rc == 0)
		return AERO_OK;
	env_close(state);
	return fail(err, "write", state->path, rc);
}

/* Make sure of the file, and of what it is to say of itself at position. */
static int begin(struct aero_state *state, const struct aero_position *position,
	struct aero_state_meta *meta, struct aero_err *err)
{
	int rc = ready(state);

	if (rc != 0)
		return fail(err, "open", state->path, rc);
	if (position == NULL)
		position = &state->meta.position;
	meta->synced |= state->meta.synced;
	if (!aero_position_set(&meta->position, position->token, position->token_len,
		    position->source_time))
		return aero_err_set(err, AERO_NOMEM, "state: out of memory");
	return AERO_OK;
}

/* It is written: *meta is what the file says now. */
static void written(struct aero_state *state, struct aero_state_meta *meta)
{
	aero_position_clear(&state->meta.position);
	state->meta = *meta;
	meta->position = (struct aero_position){0}; /* now owned by state */
}

int aero_state_apply(struct aero_state *state, const struct aero_batch *batch,
	uint64_t generation, int64_t full_at, bool always, aero_state_each *each,
	void *arg, struct aero_state_diff *ret, struct aero_err *err)
{
	struct aero_state_meta meta = {.generation = generation,
		.full_at = full_at,
		.synced = batch->kind != AERO_BATCH_DELTA};
	struct aero_ops ops = {0};
	bool wrote = false;
	bson_t doc;
	int rc = begin(state, &batch->position, &meta, err);

	if (rc == AERO_OK)
		rc = run(state, &ops, batch, &meta, always, &wrote, err);
	if (rc != AERO_OK)
		goto out;
	*ret = ops.diff;
	if (wrote)
		written(state, &meta);
	if (batch->n > REST_ABOVE)
		env_close(state);
	for (size_t i = 0; rc == AERO_OK && each != NULL && i < ops.n; i++)
		rc = each(arg, ops.v[i].key, ops.v[i].len,
			aero_op_doc(&ops.v[i], &doc) ? &doc : NULL, err);
out:
	aero_position_clear(&meta.position);
	aero_ops_clear(&ops);
	return rc;
}

int aero_state_save(struct aero_state *state, const struct aero_position *position,
	uint64_t generation, int64_t full_at, struct aero_err *err)
{
	struct aero_state_meta meta = {.generation = generation, .full_at = full_at};
	struct aero_ops ops = {0};
	bool wrote;
	int rc = begin(state, position, &meta, err);

	if (rc == AERO_OK)
		rc = run(state, &ops, NULL, &meta, true, &wrote, err);
	if (rc == AERO_OK)
		written(state, &meta);
	aero_position_clear(&meta.position);
	return rc;
}
