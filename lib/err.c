/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/err.h"

static const struct {
	const char *words;
	enum aero_exit exit_code;
} table[] = {
#define AERO_X(code, exit_code, words) {words, AERO_EXIT_##exit_code},
	AERO_RC_MAP(AERO_X)
#undef AERO_X
};

static size_t row_of(int rc)
{
	size_t row = rc > 0 ? 0 : (size_t)-rc;

	return row < sizeof(table) / sizeof(table[0]) ? row : AERO_ORDER_DB;
}

int aero_err_set(struct aero_err *err, int rc, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return rc;
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return rc;
}

int aero_err_prefix(struct aero_err *err, int rc, const char *fmt, ...)
{
	char old[sizeof(err->msg)];
	size_t len;
	va_list ap;

	if (err == NULL)
		return rc;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	(void)snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", old);
	return rc;
}

int aero_rc_of_errno(int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return AERO_PERM;
	case ENOMEM:
		return AERO_NOMEM;
	default:
		return AERO_IO;
	}
}

const char *aero_remedy(int err)
{
	switch (err) {
	case ENOSPC:
	case EDQUOT:
		return "; make room on that file system";
	case EROFS:
		return "; mount it writable";
	case EMFILE:
	case ENFILE:
		return "; raise the limit of open files";
	case EIO:
		return "; check that disk";
	default:
		return "";
	}
}

const char *aero_rc_words(int rc)
{
	return table[row_of(rc)].words;
}

enum aero_exit aero_exit_code(int rc)
{
	return table[row_of(rc)].exit_code;
}
