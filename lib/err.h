/* SPDX-License-Identifier: MIT */
/* Result codes of the programs' code, their words and their exit codes (one table).
 * A fallible function returns 0 or a negative code, and puts words for a person into the
 * caller's struct aero_err. The code lives in the return value only. */
#ifndef AERO_LIB_ERR_H
#define AERO_LIB_ERR_H

#include <stdarg.h>

/* X(code, exit code, words) */
#define AERO_RC_MAP(X) \
	X(OK, OK, "done") \
	X(MISS, REFUSED, "not found") \
	X(REFUSED, REFUSED, "refused") \
	X(USAGE, USAGE, "wrong usage") \
	X(BAD, DATAERR, "bad record") \
	X(NET, UNAVAILABLE, "unreachable") \
	X(DB, UNAVAILABLE, "store failed") \
	X(AMBIGUOUS, UNAVAILABLE, "outcome unknown") \
	X(DUP_HOSTNAME, TEMPFAIL, "hostname exists") \
	X(DUP_INSTANCE, TEMPFAIL, "instance already has a slot") \
	X(AGAIN, TEMPFAIL, "try again") \
	X(NOMEM, TEMPFAIL, "out of memory") \
	X(IO, TEMPFAIL, "input or output failed") \
	X(PERM, NOPERM, "not permitted") \
	X(CONFIG, CONFIG, "wrong configuration") \
	X(LOST, UNAVAILABLE, "history lost, a new snapshot is needed")

enum aero_rc_order {
#define AERO_X(code, exit_code, words) AERO_ORDER_##code,
	AERO_RC_MAP(AERO_X)
#undef AERO_X
};

enum aero_rc {
#define AERO_X(code, exit_code, words) AERO_##code = -(int)AERO_ORDER_##code,
	AERO_RC_MAP(AERO_X)
#undef AERO_X
};

/* CONTRACTS 2: no others. */
enum aero_exit {
	AERO_EXIT_OK = 0,
	AERO_EXIT_REFUSED = 1,
	AERO_EXIT_USAGE = 64,
	AERO_EXIT_DATAERR = 65,
	AERO_EXIT_UNAVAILABLE = 69,
	AERO_EXIT_TEMPFAIL = 75,
	AERO_EXIT_NOPERM = 77,
	AERO_EXIT_CONFIG = 78,
};

struct aero_err {
	char msg[512];
};

/* Word the error and return rc, so that `return aero_err_set(err, AERO_IO, ...)` reads
 * as one step. err may be NULL. */
int aero_err_set(struct aero_err *err, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "prefix: " before the words that err already has; returns rc. */
int aero_err_prefix(struct aero_err *err, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The code of an errno value: EACCES, EPERM -> PERM, ENOMEM -> NOMEM, else IO. */
int aero_rc_of_errno(int err);

/* What an operator can do about it: "; make room on that file system", or ''. */
const char *aero_remedy(int err);

const char *aero_rc_words(int rc);
enum aero_exit aero_exit_code(int rc);

#endif
