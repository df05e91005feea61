/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"

/* A probe of aero_lock_holder has the lock for some microseconds: taking tries again. */
#define LOCK_TRIES 8
#define LOCK_PAUSE_NS (10 * 1000 * 1000)

int aero_file_fail(struct aero_err *err, const char *what, const char *path)
{
	int e = errno;

	aero_err_set(err, 0, "%s '%s': %s%s", what, path, strerror(e), aero_remedy(e));
	errno = e;
	return aero_rc_of_errno(e);
}

int aero_file_write(
	int fd, const char *path, const void *data, size_t len, struct aero_err *err)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return aero_file_fail(err, "write", path);
		at += n;
		len -= (size_t)n;
	}
	return AERO_OK;
}

/* Read fd to its end into *ret, which has room for size bytes and grows up to max. */
static int read_all(int fd, const char *path, size_t size, size_t max, char **ret,
	size_t *ret_len, struct aero_err *err)
{
	size_t len = 0;
	char *grown;

	for (;;) {
		ssize_t n;

		/* one byte for the NUL, and one that tells too long from just fits */
		if (size - len < 2) {
			size = size * 2 + 64;
			grown = realloc(*ret, size);
			if (grown == NULL)
				return aero_err_set(err, AERO_NOMEM,
					"read '%s': out of memory", path);
			*ret = grown;
		}
		n = read(fd, *ret + len, size - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return aero_file_fail(err, "read", path);
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return aero_err_set(err, AERO_BAD,
				"'%s' is larger than %zu bytes", path, max);
	}
	(*ret)[len] = '\0';
	*ret_len = len;
	return AERO_OK;
}

int aero_file_read_fd(int fd, const char *path, size_t max, char **ret, size_t *ret_len,
	struct aero_err *err)
{
	char *data = NULL;
	struct stat st;
	size_t size, len = 0;
	int rc;

	if (fstat(fd, &st) < 0)
		return aero_file_fail(err, "stat", path);
	if (!S_ISREG(st.st_mode))
		return aero_err_set(err, AERO_BAD, "'%s' is not a regular file", path);
	size = (size_t)st.st_size + 2;
	if ((size_t)st.st_size > max)
		return aero_err_set(
			err, AERO_BAD, "'%s' is larger than %zu bytes", path, max);
	data = malloc(size);
	if (data == NULL)
		return aero_err_set(err, AERO_NOMEM, "read '%s': out of memory", path);
	rc = read_all(fd, path, size, max, &data, &len, err);
	if (rc != AERO_OK) {
		free(data);
		return rc;
	}
	*ret = data;
	*ret_len = len;
	return AERO_OK;
}

int aero_file_read(
	const char *path, size_t max, char **ret, size_t *ret_len, struct aero_err *err)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer */
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return aero_err_set(err, AERO_MISS, "'%s' does not exist", path);
	if (fd < 0)
		return aero_file_fail(err, "open", path);
	rc = aero_file_read_fd(fd, path, max, ret, ret_len, err);
	(void)close(fd);
	return rc;
}

int aero_file_replace(
	const char *path, const void *data, size_t len, mode_t mode, struct aero_err *err)
{
	char *tmp = NULL;
	int rc, why = 0, fd = -1;

	if (asprintf(&tmp, "%s.tmp", path) < 0)
		return aero_err_set(err, AERO_NOMEM, "write '%s': out of memory", path);
	/* a left-over of a crash, or a symlink put there, is never written through */
	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		rc = aero_file_fail(err, "create", tmp);
		why = errno;
		goto out;
	}
	rc = aero_file_write(fd, tmp, data, len, err);
	if (rc == AERO_OK && fchmod(fd, mode) < 0)
		rc = aero_file_fail(err, "chmod", tmp);
	if (rc == AERO_OK && fsync(fd) < 0)
		rc = aero_file_fail(err, "fsync", tmp);
	if (rc == AERO_OK && rename(tmp, path) < 0)
		rc = aero_file_fail(err, "rename to", path);
	why = errno;
	if (rc != AERO_OK) {
		(void)unlink(tmp);
		goto out;
	}
	rc = aero_file_sync_dir(path, err);
	why = errno;
out:
	if (fd >= 0)
		(void)close(fd);
	free(tmp);
	errno = why;
	return rc;
}

/* The directory part of path, malloc'd; "." without a slash. */
static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int aero_file_sync_dir(const char *path, struct aero_err *err)
{
	char *dir = dir_of(path);
	int fd = -1, rc = AERO_OK;

	if (dir == NULL)
		return aero_err_set(
			err, AERO_NOMEM, "fsync of '%s': out of memory", path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		rc = aero_file_fail(err, "open", dir);
	else if (fsync(fd) < 0 && errno != EINVAL) /* EINVAL: cannot, so need not */
		rc = aero_file_fail(err, "fsync", dir);
	if (fd >= 0)
		(void)close(fd);
	free(dir);
	return rc;
}

int aero_dir_make(const char *path, struct aero_err *err)
{
	char *copy = strdup(path);
	struct stat st;
	int rc = AERO_OK, why;

	if (copy == NULL)
		return aero_err_set(err, AERO_NOMEM, "make '%s': out of memory", path);
	for (char *at = copy; rc == AERO_OK && at != NULL;) {
		at = strchr(at + 1, '/');
		if (at != NULL)
			*at = '\0';
		why = mkdir(copy, 0755) == 0 ? 0 : errno;
		if (why == 0) {
			/* 0755 whatever the umask; and what is synced below it later
			 * needs the directory itself on the disk */
			rc = chmod(copy, 0755) < 0 ? aero_file_fail(err, "chmod", copy)
						   : aero_file_sync_dir(copy, err);
		} else if (stat(copy, &st) < 0) {
			errno = why; /* EACCES, where stat finds nothing */
			rc = aero_file_fail(err, "make directory", copy);
		} else if (!S_ISDIR(st.st_mode)) {
			rc = aero_err_set(err, AERO_IO, "'%s' is not a directory", copy);
		}
		if (at != NULL)
			*at = '/';
	}
	free(copy);
	return rc;
}

static pid_t read_pid(int fd)
{
	char text[24] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	return pid > 0 && pid <= 0x7fffffff ? (pid_t)pid : 0;
}

static int write_pid(int fd, const char *path, struct aero_err *err)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (pwrite(fd, text, (size_t)len, 0) != len || ftruncate(fd, len) < 0)
		return aero_file_fail(err, "write", path);
	return AERO_OK;
}

int aero_lock_take(const char *path, int *ret_fd, pid_t *ret_holder, struct aero_err *err)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
	char *dir = dir_of(path);
	int rc, tries = 0, fd = -1;
	pid_t holder;

	rc = dir == NULL ? aero_err_set(err, AERO_NOMEM, "lock '%s': out of memory", path)
			 : aero_dir_make(dir, err);
	if (rc != AERO_OK)
		goto out;
	/* for root alone: whoever may open it could lock it, and keep us out */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		rc = aero_file_fail(err, "open lock", path);
		goto out;
	}
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			rc = aero_file_fail(err, "lock", path);
			goto out;
		}
		if (++tries == LOCK_TRIES) {
			holder = read_pid(fd);
			rc = aero_err_set(err, AERO_AGAIN, "'%s' is held by pid %ld",
				path, (long)holder);
			if (ret_holder != NULL)
				*ret_holder = holder;
			goto out;
		}
		(void)nanosleep(&pause, NULL);
	}
	if (fchmod(fd, 0600) < 0) {
		rc = aero_file_fail(err, "chmod", path);
		goto out;
	}
	rc = write_pid(fd, path, err);
	if (rc != AERO_OK)
		goto out;
	*ret_fd = fd;
	fd = -1; /* now the caller's */
out:
	if (fd >= 0)
		(void)close(fd);
	free(dir);
	return rc;
}

int aero_lock_alone(const char *path, int *ret_fd, struct aero_err *err)
{
	pid_t holder = 0;
	int rc = aero_lock_take(path, ret_fd, &holder, err);

	if (rc == AERO_AGAIN)
		rc = aero_err_set(err, rc,
			"another daemon runs already, pid %ld; stop it first",
			(long)holder);
	return rc;
}

/* The same for those who may not open it: the kernel's list of locks. */
static pid_t listed_holder(const char *path)
{
	FILE *list = fopen("/proc/locks", "re");
	unsigned major_no, minor_no;
	unsigned long long inode;
	char line[256], how[16];
	pid_t found = 0;
	struct stat st;
	long pid;

	if (list == NULL || stat(path, &st) < 0)
		goto out;
	while (found == 0 && fgets(line, sizeof(line), list) != NULL) {
		if (sscanf(line, "%*s FLOCK %*s %15s %ld %x:%x:%llu", how, &pid,
			    &major_no, &minor_no, &inode) == 5 &&
			strcmp(how, "WRITE") == 0 && inode == st.st_ino &&
			makedev(major_no, minor_no) == st.st_dev && pid > 0)
			found = (pid_t)pid;
	}
out:
	if (list != NULL)
		(void)fclose(list);
	return found;
}

pid_t aero_lock_holder(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	pid_t pid = 0;

	if (fd < 0)
		return errno == EACCES ? listed_holder(path) : 0;
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		pid = read_pid(fd);
	(void)close(fd);
	return pid;
}
