/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "legacy/target.h"
#include "lib/file.h"

#define LINKS_MAX 40
#define MARK AERO_TARGET_MARK

static int fail(struct aero_err *err, const char *what, const char *path)
{
	int e = errno;

	if (e == EROFS)
		return aero_err_set(err, AERO_PERM,
			"%s '%s': read-only file system; names still resolve through the "
			"NSS "
			"module; set `hosts_file: off` to leave this file alone",
			what, path);
	return aero_err_set(err, aero_rc_of_errno(e), "%s '%s': %s%s", what, path,
		strerror(e), aero_remedy(e));
}

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "hosts file: out of memory");
}

/* ---- finding and reading ---- */

/* With a root prefix, a file outside of it is not ours to write. */
static int check_inside(const char *root, const char *path, struct aero_err *err)
{
	char *dir = NULL, *real = NULL, *real_root = NULL;
	size_t len;
	int rc = AERO_OK;

	if (*root == '\0')
		return AERO_OK;
	dir = strndup(path, (size_t)(strrchr(path, '/') - path) + 1);
	if (dir == NULL)
		return no_memory(err);
	real = realpath(dir, NULL);
	real_root = realpath(root, NULL);
	if (real == NULL || real_root == NULL) {
		rc = fail(err, "find", real == NULL ? dir : root);
		goto out;
	}
	len = strlen(real_root);
	if (strncmp(real, real_root, len) != 0 || (real[len] != '/' && real[len] != '\0'))
		rc = aero_err_set(
			err, AERO_CONFIG, "'%s' is outside of the root '%s'", path, root);
out:
	free(dir);
	free(real);
	free(real_root);
	return rc;
}

/* What a link at *path points to, in its place; *ret_more false when it is no link. */
static int follow(const char *root, char **path, bool *ret_more, struct aero_err *err)
{
	char link[PATH_MAX], *next;
	ssize_t n = readlink(*path, link, sizeof(link) - 1);
	int made;

	*ret_more = n >= 0;
	if (n < 0)
		return errno == EINVAL || errno == ENOENT ? AERO_OK
							  : fail(err, "find", *path);
	link[n] = '\0';
	if (link[0] == '/')
		made = asprintf(&next, "%s%s", root, link);
	else
		made = asprintf(&next, "%.*s/%s", (int)(strrchr(*path, '/') - *path),
			*path, link);
	if (made < 0)
		return no_memory(err);
	free(*path);
	*path = next;
	return AERO_OK;
}

int aero_target_find(const struct aero_hosts_paths *paths, struct aero_target *ret,
	struct aero_err *err)
{
	struct aero_target target = {.path = strdup(paths->hosts), .tmp_fd = -1};
	bool more = true;
	int rc = AERO_OK;

	if (target.path == NULL)
		return no_memory(err);
	for (int links = 0; rc == AERO_OK && more; links++) {
		if (links > LINKS_MAX)
			rc = aero_err_set(err, AERO_CONFIG,
				"'%s': too many symbolic links", paths->hosts);
		else
			rc = follow(paths->root, &target.path, &more, err);
	}
	if (rc == AERO_OK)
		rc = check_inside(paths->root, target.path, err);
	if (rc == AERO_OK && asprintf(&target.tmp, "%s.tmp", target.path) < 0) {
		target.tmp = NULL;
		rc = no_memory(err);
	}
	if (rc == AERO_OK)
		*ret = target;
	else
		aero_target_clear(&target);
	return rc;
}

void aero_target_abandon(struct aero_target *target)
{
	if (target->tmp_fd < 0)
		return;
	(void)unlink(target->tmp);
	(void)close(target->tmp_fd);
	target->tmp_fd = -1;
}

void aero_target_clear(struct aero_target *target)
{
	if (target->path == NULL)
		return;
	aero_target_abandon(target);
	free(target->path);
	free(target->tmp);
	*target = (struct aero_target){.tmp_fd = -1};
}

int aero_target_read(
	struct aero_target *target, char **ret, size_t *ret_len, struct aero_err *err)
{
	struct stat st = {0};
	char *data = NULL;
	size_t len = 0;
	bool exists;
	int rc;

	exists = stat(target->path, &st) == 0;
	if (!exists && errno != ENOENT)
		return fail(err, "stat", target->path);
	if (exists && !S_ISREG(st.st_mode))
		return aero_err_set(
			err, AERO_CONFIG, "'%s' is not a regular file", target->path);
	if (exists) {
		rc = aero_file_read(target->path, AERO_HOSTS_MAX, &data, &len, err);
		if (rc == AERO_MISS) /* went in between: the next try sees it */
			return aero_err_set(err, AERO_AGAIN,
				"'%s' changed while being read", target->path);
		if (rc != AERO_OK)
			return rc;
	} else {
		data = strdup("");
		if (data == NULL)
			return no_memory(err);
	}
	target->exists = exists;
	target->st = st;
	*ret = data;
	*ret_len = len;
	return AERO_OK;
}

/* ---- replacing ---- */

/* Still as it was when it was read. */
static bool unchanged(const struct aero_target *target)
{
	const struct stat *was = &target->st;
	struct stat now;

	if (stat(target->path, &now) < 0)
		return errno == ENOENT && !target->exists;
	return target->exists && now.st_dev == was->st_dev && now.st_ino == was->st_ino &&
	       now.st_size == was->st_size && now.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == was->st_mtim.tv_nsec &&
	       now.st_ctim.tv_sec == was->st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == was->st_ctim.tv_nsec;
}

/* One extended attribute as on the target (labels, ACLs). */
static int copy_xattr(
	const struct aero_target *target, int fd, const char *name, struct aero_err *err)
{
	char value[4096], has[1024];
	ssize_t n, m;

	/* these sign the content, which changes */
	if (strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0)
		return AERO_OK;
	n = getxattr(target->path, name, value, sizeof(value));
	if (n < 0)
		return errno == ENODATA || errno == ENOTSUP
			       ? AERO_OK
			       : fail(err, "read attributes of", target->path);
	m = fgetxattr(fd, name, has, sizeof(has));
	if (m == n && memcmp(value, has, (size_t)n) == 0)
		return AERO_OK; /* a label that new files get anyway */
	if (fsetxattr(fd, name, value, (size_t)n, 0) < 0 && errno != ENOTSUP)
		return fail(err, "set attributes of", target->tmp);
	return AERO_OK;
}

static int copy_xattrs(const struct aero_target *target, int fd, struct aero_err *err)
{
	ssize_t size = listxattr(target->path, NULL, 0), n;
	char *names;
	int rc = AERO_OK;

	if (size <= 0)
		return size == 0 || errno == ENOTSUP
			       ? AERO_OK
			       : fail(err, "read attributes of", target->path);
	names = malloc((size_t)size);
	if (names == NULL)
		return no_memory(err);
	n = listxattr(target->path, names, (size_t)size);
	if (n < 0)
		rc = fail(err, "read attributes of", target->path);
	for (ssize_t at = 0; rc == AERO_OK && at < n;
		at += (ssize_t)strlen(names + at) + 1)
		rc = copy_xattr(target, fd, names + at, err);
	free(names);
	return rc;
}

static mode_t mode_of(const struct aero_target *target)
{
	return target->exists ? target->st.st_mode & 07777 & ~(mode_t)MARK : 0644;
}

/* Owner, attributes and mode as the target's, in the order that keeps them. */
static int copy_attributes(const struct aero_target *target, int fd, struct aero_err *err)
{
	struct stat st;
	int rc = AERO_OK;

	if (target->exists) {
		if (fstat(fd, &st) < 0)
			return fail(err, "stat", target->tmp);
		if ((st.st_uid != target->st.st_uid || st.st_gid != target->st.st_gid) &&
			fchown(fd, target->st.st_uid, target->st.st_gid) < 0)
			return fail(err, "chown", target->tmp);
		rc = copy_xattrs(target, fd, err);
	}
	if (rc == AERO_OK && fchmod(fd, mode_of(target)) < 0)
		rc = fail(err, "chmod", target->tmp);
	return rc;
}

int aero_target_prepare(
	struct aero_target *target, const char *data, size_t len, struct aero_err *err)
{
	int fd, rc;

	aero_target_abandon(target);
	if (unlink(target->tmp) < 0 && errno != ENOENT)
		return fail(err, "remove", target->tmp);
	fd = open(
		target->tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(err, "create", target->tmp);
	rc = aero_file_write(fd, target->tmp, data, len, err);
	if (rc == AERO_OK)
		rc = copy_attributes(target, fd, err);
	if (rc == AERO_OK && fsync(fd) < 0)
		rc = fail(err, "fsync", target->tmp);
	target->tmp_fd = fd; /* stays open for its mark */
	if (rc != AERO_OK)
		aero_target_abandon(target);
	return rc;
}

/* Write over what is there. Space is taken first, so that a full disk tears nothing:
 * *ret_torn says whether a failure did. */
static int overwrite(const struct aero_target *target, const char *data, size_t len,
	bool *ret_torn, struct aero_err *err)
{
	int rc = AERO_OK, fd = open(target->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	*ret_torn = false;
	if (fd < 0)
		return fail(err, "open", target->path);
	if (len > 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)len) < 0 &&
		errno != EOPNOTSUPP && errno != ENOSYS) {
		rc = fail(err, "write", target->path);
		goto out;
	}
	*ret_torn = true;
	rc = aero_file_write(fd, target->path, data, len, err);
	/* cut only when the text is on the disk: a shorter file is then a whole one */
	if (rc == AERO_OK && fsync(fd) < 0)
		rc = fail(err, "fsync", target->path);
	if (rc == AERO_OK && ftruncate(fd, (off_t)len) < 0)
		rc = fail(err, "truncate", target->path);
	if (rc == AERO_OK && fsync(fd) < 0)
		rc = fail(err, "fsync", target->path);
out:
	(void)close(fd);
	return rc;
}

static int in_place(
	struct aero_target *target, const char *data, size_t len, struct aero_err *err)
{
	int rc = AERO_OK;
	bool torn;

	if (fchmod(target->tmp_fd, mode_of(target) | MARK) < 0)
		rc = fail(err, "chmod", target->tmp);
	if (rc == AERO_OK && fsync(target->tmp_fd) < 0)
		rc = fail(err, "fsync", target->tmp);
	if (rc == AERO_OK)
		rc = aero_file_sync_dir(target->tmp, err);
	if (rc != AERO_OK)
		return rc;
	rc = overwrite(target, data, len, &torn, err);
	if (rc != AERO_OK && torn) { /* the copy stays: the next update finishes it */
		(void)close(target->tmp_fd);
		target->tmp_fd = -1;
	}
	if (rc != AERO_OK)
		return rc;
	aero_target_abandon(target);
	return aero_file_sync_dir(target->tmp, err);
}

int aero_target_commit(struct aero_target *target, const char *data, size_t len,
	bool *ret_in_place, struct aero_err *err)
{
	bool mount = false;
	int rc;

	if (!unchanged(target)) {
		rc = aero_err_set(err, AERO_AGAIN,
			"'%s' was changed by somebody else while being written",
			target->path);
	} else if (rename(target->tmp, target->path) == 0) {
		(void)close(target->tmp_fd);
		target->tmp_fd = -1;
		rc = aero_file_sync_dir(target->path, err);
	} else if (errno == EBUSY || errno == EXDEV) {
		mount = true;
		rc = in_place(target, data, len, err);
	} else {
		rc = fail(err, "rename to", target->path);
	}
	if (rc == AERO_OK)
		*ret_in_place = mount;
	return rc;
}

/* ---- recovery ---- */

int aero_target_unfinished(const struct aero_target *target, bool *ret_unfinished,
	char **ret, size_t *ret_len, struct aero_err *err)
{
	struct stat st;
	int rc = AERO_OK;

	if (lstat(target->tmp, &st) < 0) {
		if (errno != ENOENT)
			return fail(err, "stat", target->tmp);
		*ret_unfinished = false;
		return AERO_OK;
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & MARK) == 0) {
		*ret_unfinished = false;
		return AERO_OK;
	}
	if (ret != NULL)
		rc = aero_file_read(target->tmp, AERO_HOSTS_MAX, ret, ret_len, err);
	if (rc == AERO_OK)
		*ret_unfinished = true;
	return rc;
}

int aero_target_finish(struct aero_target *target, struct aero_err *err)
{
	char *data = NULL;
	size_t len = 0;
	bool torn;
	int rc;

	rc = aero_file_read(target->tmp, AERO_HOSTS_MAX, &data, &len, err);
	if (rc != AERO_OK)
		return rc;
	/* without the file there is nothing half written: a mount that went away */
	if (access(target->path, F_OK) == 0)
		rc = overwrite(target, data, len, &torn, err);
	if (rc == AERO_OK && unlink(target->tmp) < 0)
		rc = fail(err, "remove", target->tmp);
	if (rc == AERO_OK)
		rc = aero_file_sync_dir(target->tmp, err);
	free(data);
	return rc;
}
