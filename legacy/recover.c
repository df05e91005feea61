/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "legacy/recover.h"
#include "lib/file.h"

/* ---- the text that is written over ---- */

int aero_aside_save(const struct aero_hosts_paths *paths,
	const struct aero_target *target, const char *text, size_t len,
	struct aero_err *err)
{
	return aero_file_replace(paths->aside, text, len, target->st.st_mode & 0777, err);
}

void aero_aside_drop(const struct aero_hosts_paths *paths)
{
	(void)unlink(paths->aside); /* if it stays, the next update tries again */
}

static int read_over(const struct aero_hosts_paths *paths, char **ret, size_t *ret_len,
	struct aero_err *err)
{
	int rc = aero_file_read(paths->aside, AERO_HOSTS_MAX, ret, ret_len, err);

	return rc != AERO_MISS
		       ? rc
		       : aero_file_read(paths->bak, AERO_HOSTS_MAX, ret, ret_len, err);
}

/* ---- the copy before the first take-over ---- */

int aero_before_save(const struct aero_hosts_paths *paths,
	const struct aero_target *target, const char *text, size_t len,
	struct aero_err *err)
{
	mode_t mode = target->exists ? target->st.st_mode & 0777 : 0644;
	/* the copy must not be on the disk without the temporary file */
	int rc = aero_file_sync_dir(target->tmp, err);

	if (rc == AERO_OK)
		rc = aero_file_replace(
			paths->before, text, len, mode | AERO_TARGET_MARK, err);
	return rc;
}

/* Is there a provisional copy? */
static int provisional(const struct aero_hosts_paths *paths, struct stat *ret_st,
	bool *ret, struct aero_err *err)
{
	*ret = false;
	if (lstat(paths->before, ret_st) < 0)
		return errno == ENOENT ? AERO_OK
				       : aero_file_fail(err, "stat", paths->before);
	*ret = S_ISREG(ret_st->st_mode) && (ret_st->st_mode & AERO_TARGET_MARK) != 0;
	return AERO_OK;
}

int aero_before_settle(const struct aero_hosts_paths *paths, struct aero_err *err)
{
	struct stat st;
	bool is;
	int rc = provisional(paths, &st, &is, err);

	if (rc == AERO_OK && is && chmod(paths->before, st.st_mode & 0777) < 0)
		rc = aero_file_fail(err, "chmod", paths->before);
	return rc;
}

static int drop(const struct aero_hosts_paths *paths, struct aero_err *err)
{
	struct stat st;
	bool is;
	int rc = provisional(paths, &st, &is, err);

	if (rc != AERO_OK || !is)
		return rc;
	if (unlink(paths->before) < 0)
		return aero_file_fail(err, "remove", paths->before);
	/* nor may it come back without the temporary file */
	return aero_file_sync_dir(paths->before, err);
}

void aero_before_give_up(
	const struct aero_hosts_paths *paths, bool saved, struct aero_target *target)
{
	if (target->tmp_fd < 0)
		return; /* the new text is there, or half of it */
	if (saved && drop(paths, NULL) != AERO_OK) {
		/* the next update sees both, and drops both */
		(void)close(target->tmp_fd);
		target->tmp_fd = -1;
	}
	aero_target_abandon(target);
	aero_aside_drop(paths);
}

/* ---- a half written file ---- */

/* Could `have` be what a write in place of `now` over `old` came to? Each byte is one of
 * theirs, or zero where the file grew without its data. */
static bool half_written(const char *old, size_t old_len, const char *now, size_t now_len,
	const char *have, size_t len)
{
	size_t longest = old_len > now_len ? old_len : now_len;

	/* it is cut at the very end, with all else on the disk */
	if (len < old_len)
		return len == now_len && memcmp(have, now, len) == 0;
	if (len > longest)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!(i < old_len && have[i] == old[i]) &&
			!(i < now_len && have[i] == now[i]) &&
			!(i >= old_len && have[i] == '\0'))
			return false;
	return true;
}

/* Where the two texts differ first, the file still has the old one: not begun. */
static bool untouched(const char *old, size_t old_len, const char *now, size_t now_len,
	const char *have, size_t len)
{
	size_t i = 0;

	while (i < old_len && i < now_len && old[i] == now[i])
		i++;
	return i < old_len && i < len && have[i] == old[i];
}

enum found {
	HALF,      /* a mixture of the old text and the new one, or the new one */
	EDIT,      /* the old one, or an edit of it: the write had not begun */
	HALF_EDIT, /* an edit of another mixture */
};

static int look(const struct aero_hosts_paths *paths, const struct aero_target *target,
	const char *now, size_t now_len, enum found *ret, struct aero_err *err)
{
	char *old = NULL, *have = NULL;
	size_t old_len = 0, len = 0;
	int rc = aero_file_read(target->path, AERO_HOSTS_MAX, &have, &len, err);

	*ret = HALF; /* also without either: there is nothing to compare */
	if (rc == AERO_OK)
		rc = read_over(paths, &old, &old_len, err);
	if (rc == AERO_OK && len == old_len && memcmp(have, old, len) == 0)
		*ret = EDIT;
	else if (rc == AERO_OK && !half_written(old, old_len, now, now_len, have, len))
		*ret = untouched(old, old_len, now, now_len, have, len) ? EDIT
									: HALF_EDIT;
	free(old);
	free(have);
	return rc == AERO_MISS ? AERO_OK : rc;
}

/* The marked copy of a write in place that did not end. */
static int unfinished(const struct aero_hosts_paths *paths, struct aero_target *target,
	enum aero_recovered *ret, struct aero_err *err)
{
	enum found found = HALF;
	bool is = false;
	char *now = NULL;
	size_t len = 0;
	int rc = aero_target_unfinished(target, &is, &now, &len, err);

	if (rc == AERO_OK && is)
		rc = look(paths, target, now, len, &found, err);
	free(now);
	if (rc != AERO_OK || !is)
		return rc;
	if (found == HALF) {
		*ret = AERO_RECOVERED_WRITE;
		return aero_target_finish(target, err);
	}
	if (found == EDIT) {
		rc = drop(paths, err); /* not taken over */
	} else {
		*ret = AERO_RECOVERED_EDIT;
		rc = aero_before_settle(paths, err);
	}
	if (rc == AERO_OK && unlink(target->tmp) < 0)
		rc = aero_file_fail(err, "remove", target->tmp);
	return rc == AERO_OK ? aero_file_sync_dir(target->tmp, err) : rc;
}

int aero_recover(const struct aero_hosts_paths *paths, struct aero_target *target,
	enum aero_recovered *ret, struct aero_err *err)
{
	int rc;

	*ret = AERO_RECOVERED_NOTHING;
	rc = unfinished(paths, target, ret, err);
	if (rc != AERO_OK)
		return rc;
	aero_aside_drop(paths);
	if (access(target->tmp, F_OK) != 0)
		return errno == ENOENT ? aero_before_settle(paths, err)
				       : aero_file_fail(err, "stat", target->tmp);
	/* with a temporary file left, the file was not taken over */
	rc = drop(paths, err);
	if (rc == AERO_OK)
		(void)unlink(target->tmp);
	return rc;
}
