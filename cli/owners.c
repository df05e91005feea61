/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/owners.h"

#define ENTRY_MAX (1u << 20) /* a group of many members is a long line */

/* One of the two: the number of name in file, whose lines get reads, or as find says. */
struct kind {
	const char *what, *file;
	bool (*get)(FILE *file, char *buf, const char **ret_name, unsigned *ret);
	bool (*find)(const char *name, char *buf, unsigned *ret, int *ret_errno);
};

static bool get_user(FILE *file, char *buf, const char **ret_name, unsigned *ret)
{
	struct passwd entry, *got = NULL;

	if (fgetpwent_r(file, &entry, buf, ENTRY_MAX, &got) != 0 || got == NULL)
		return false;
	*ret_name = got->pw_name;
	*ret = got->pw_uid;
	return true;
}

static bool get_group(FILE *file, char *buf, const char **ret_name, unsigned *ret)
{
	struct group entry, *got = NULL;

	if (fgetgrent_r(file, &entry, buf, ENTRY_MAX, &got) != 0 || got == NULL)
		return false;
	*ret_name = got->gr_name;
	*ret = got->gr_gid;
	return true;
}

static bool find_user(const char *name, char *buf, unsigned *ret, int *ret_errno)
{
	struct passwd entry, *got = NULL;

	*ret_errno = getpwnam_r(name, &entry, buf, ENTRY_MAX, &got);
	if (got != NULL)
		*ret = got->pw_uid;
	return got != NULL;
}

static bool find_group(const char *name, char *buf, unsigned *ret, int *ret_errno)
{
	struct group entry, *got = NULL;

	*ret_errno = getgrnam_r(name, &entry, buf, ENTRY_MAX, &got);
	if (got != NULL)
		*ret = got->gr_gid;
	return got != NULL;
}

static const struct kind user = {"user", "/etc/passwd", get_user, find_user},
			 group_kind = {"group", "/etc/group", get_group, find_group};

static bool find_in(const char *path, const struct kind *kind, const char *name,
	char *buf, unsigned *ret)
{
	FILE *file = fopen(path, "re");
	const char *found = NULL;
	bool ok = false;

	while (file != NULL && !ok && kind->get(file, buf, &found, ret))
		ok = strcmp(found, name) == 0;
	if (file != NULL)
		(void)fclose(file);
	return ok;
}

static int number_of(const struct aero_conf *conf, const struct kind *kind,
	const char *name, unsigned *ret, struct aero_err *err)
{
	char *path = aero_conf_path(conf, kind->file), *buf = malloc(ENTRY_MAX);
	int rc = AERO_OK, e = 0;
	bool ok = strcmp(name, "root") == 0;

	if (path == NULL || buf == NULL)
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	else if (ok)
		*ret = 0;
	else if (aero_conf_real_root(conf))
		ok = kind->find(name, buf, ret, &e);
	else
		ok = find_in(path, kind, name, buf, ret);
	if (rc == AERO_OK && !ok)
		rc = aero_err_set(err, AERO_REFUSED, "there is no %s '%s' here%s%s",
			kind->what, name, e != 0 ? ": " : "", e != 0 ? strerror(e) : "");
	free(path);
	free(buf);
	return rc;
}

int aero_owners_find(const struct aero_conf *conf, const char *owner, const char *group,
	uid_t *ret_uid, gid_t *ret_gid, struct aero_err *err)
{
	unsigned uid = 0, gid = 0;
	int rc = number_of(conf, &user, owner, &uid, err);

	if (rc == AERO_OK)
		rc = number_of(conf, &group_kind, group, &gid, err);
	if (rc != AERO_OK)
		return rc;
	*ret_uid = uid;
	*ret_gid = gid;
	return AERO_OK;
}
