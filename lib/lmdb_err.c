/* SPDX-License-Identifier: MIT */
/* What liblmdb and the file system say of the store's file, in our codes and in words. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "lib/lmdb.h"

int aero_lmdb_error(struct aero_err *err, const char *path, const char *what, int code)
{
	switch (code) {
	case EACCES:
	case EPERM:
	case EROFS:
		return aero_err_set(
			err, AERO_PERM, "%s '%s': %s", what, path, strerror(code));
	case ENOMEM:
		return aero_err_set(
			err, AERO_NOMEM, "%s '%s': out of memory", what, path);
	case ENOENT:
		return aero_err_set(err, AERO_NET,
			"%s '%s': no such directory; make it, or give another lmdb:PATH",
			what, path);
	case ETIMEDOUT:
		return aero_err_set(err, AERO_NET,
			"%s '%s': another process has been writing for 8 s; is it "
			"stopped? `fuser -v '%s'` shows who has it open",
			what, path, path);
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return aero_err_set(err, AERO_DB,
			"%s '%s': no space left on the file system", what, path);
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
		return aero_err_set(err, AERO_DB,
			"%s '%s': damaged, or no naming store (%s); move it and its "
			"-lock file "
			"away, then `aerostat import` a copy",
			what, path, mdb_strerror(code));
	case MDB_BAD_VALSIZE:
		return aero_err_set(err, AERO_BAD,
			"%s '%s': a name, service or instance_id is empty or over 511 "
			"bytes",
			what, path);
	case MDB_PANIC:
		return aero_err_set(err, AERO_DB,
			"%s '%s': an earlier write failed; it is opened afresh when "
			"tried again",
			what, path);
	default:
		return aero_err_set(
			err, AERO_DB, "%s '%s': %s", what, path, mdb_strerror(code));
	}
}
