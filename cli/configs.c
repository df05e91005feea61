/* SPDX-License-Identifier: MIT */
/* Folders are walked by descriptors, part by part: whoever swaps one for a link meanwhile
 * leads nobody anywhere. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/configs.h"
#include "cli/owners.h"
#include "legacy/diff.h"
#include "lib/file.h"

struct place {
	const char *path; /* for words */
	const char *base; /* its last part */
	int dir;          /* the folder; -1 = not there yet (dry run) */
	int fd;           /* the file as it is; -1 = none */
	struct stat st;
	char *text;
	size_t len;
};

static int fail(struct aero_err *err, const char *what, const char *path)
{
	int e = errno;

	if (e == ELOOP || e == ENOTDIR)
		return aero_err_set(err, AERO_REFUSED,
			"%s '%s': a part of it is a symbolic link or no folder: give the "
			"path without links",
			what, path);
	return aero_err_set(err, aero_rc_of_errno(e), "%s '%s': %s%s", what, path,
		strerror(e), aero_remedy(e));
}

/* The folder called part in dir, made if need be; -1 with errno. */
static int enter(int dir, const char *part, bool make)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir, part, flags);

	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	if (mkdirat(dir, part, 0755) < 0 && errno != EEXIST)
		return -1;
	fd = openat(dir, part, flags);
	/* what is in it is on the disk only if it is */
	if (fd >= 0 && fsync(dir) < 0 && errno != EINVAL) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static int find_dir(
	const struct aero_conf *conf, struct place *place, struct aero_err *err)
{
	const char *at = place->path + 1;
	char part[256];

	place->dir = open(conf->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->dir < 0)
		return fail(err, "open", conf->root);
	for (; at != place->base; at += strlen(part) + 1) {
		int next;

		(void)snprintf(part, sizeof(part), "%.*s", (int)strcspn(at, "/"), at);
		next = enter(place->dir, part, !conf->dryrun);
		if (next < 0 && !(errno == ENOENT && conf->dryrun))
			return fail(err, "open the folder of", place->path);
		(void)close(place->dir);
		place->dir = next;
		if (next < 0)
			return AERO_OK;
	}
	return AERO_OK;
}

/* What is there now. */
static int find_file(struct place *place, struct aero_err *err)
{
	int rc;

	if (place->dir < 0)
		return AERO_OK;
	place->fd = openat(place->dir, place->base,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (place->fd < 0)
		return errno == ENOENT ? AERO_OK : fail(err, "open", place->path);
	if (fstat(place->fd, &place->st) < 0)
		return fail(err, "stat", place->path);
	if (!S_ISREG(place->st.st_mode))
		return aero_err_set(err, AERO_REFUSED,
			"'%s' is there and no regular file", place->path);
	rc = aero_file_read_fd(
		place->fd, place->path, AERO_CONFIG_MAX, &place->text, &place->len, err);
	return rc == AERO_BAD ? AERO_OK : rc; /* larger: it differs */
}

static void place_clear(struct place *place)
{
	if (place->dir >= 0)
		(void)close(place->dir);
	if (place->fd >= 0)
		(void)close(place->fd);
	free(place->text);
}

static bool same_text(const struct place *place, const struct aero_config *config)
{
	return place->text != NULL && place->len == config->len &&
	       memcmp(place->text, config->contents, config->len) == 0;
}

/* Complete and on the disk as tmp, then in its place. */
static int replace(const struct place *place, const char *tmp,
	const struct aero_config *config, uid_t uid, gid_t gid, struct aero_err *err)
{
	struct stat st;
	int rc, fd;

	/* the left-over of a crash, or a link put there, is never written through */
	(void)unlinkat(place->dir, tmp, 0);
	fd = openat(place->dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		0600);
	if (fd < 0)
		return fail(err, "create a file beside", place->path);
	rc = aero_file_write(fd, place->path, config->contents, config->len, err);
	if (rc == AERO_OK && fstat(fd, &st) < 0)
		rc = fail(err, "stat", place->path);
	if (rc == AERO_OK && (st.st_uid != uid || st.st_gid != gid) &&
		fchown(fd, uid, gid) < 0)
		rc = fail(err, "chown", place->path);
	if (rc == AERO_OK && fchmod(fd, config->mode) < 0)
		rc = fail(err, "chmod", place->path);
	if (rc == AERO_OK && fsync(fd) < 0)
		rc = fail(err, "fsync", place->path);
	if (rc == AERO_OK && renameat(place->dir, tmp, place->dir, place->base) < 0)
		rc = fail(err, "rename to", place->path);
	if (rc != AERO_OK)
		(void)unlinkat(place->dir, tmp, 0);
	else if (fsync(place->dir) < 0 && errno != EINVAL)
		rc = fail(err, "fsync the folder of", place->path);
	(void)close(fd);
	return rc;
}

/* Fit for a terminal, and for patch(1). */
static bool is_text(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)data[i] < ' ' && data[i] != '\n' &&
			    data[i] != '\t') ||
			data[i] == 0x7f)
			return false;
	return bson_utf8_validate(data, len, false);
}

static int show(const struct place *place, const struct aero_config *config, FILE *out,
	struct aero_err *err)
{
	const char *old = place->text != NULL ? place->text : "";
	char *diff = NULL, now[PATH_MAX + 8];
	size_t len = 0;
	int rc = AERO_OK;

	(void)snprintf(now, sizeof(now), "%s.new", place->path);
	if (is_text(old, place->len) && is_text(config->contents, config->len)) {
		rc = aero_diff(place->path, old, place->len, now, config->contents,
			config->len, &diff, &len, err);
		if (rc == AERO_OK)
			(void)fwrite(diff, 1, len, out);
	} else {
		(void)fprintf(out, "%s differs: not shown, it is no text\n", place->path);
	}
	free(diff);
	return rc;
}

int aero_config_apply(const struct aero_conf *conf, const struct aero_config *config,
	FILE *out, bool *ret_written, struct aero_err *err)
{
	struct place place = {.path = config->path,
		.base = strrchr(config->path, '/') + 1,
		.dir = -1,
		.fd = -1};
	bool same = false, attributes = false;
	char *tmp = NULL;
	uid_t uid = 0;
	gid_t gid = 0;
	int rc = aero_owners_find(conf, config->owner, config->group, &uid, &gid, err);

	if (rc == AERO_OK)
		rc = find_dir(conf, &place, err);
	if (rc == AERO_OK)
		rc = find_file(&place, err);
	if (rc != AERO_OK)
		goto out;
	same = same_text(&place, config);
	attributes = place.fd >= 0 && place.st.st_uid == uid && place.st.st_gid == gid &&
		     (place.st.st_mode & 07777) == config->mode;
	*ret_written = !same || !attributes;
	if (same && attributes)
		goto out;
	if (conf->dryrun && !same)
		rc = show(&place, config, out, err);
	if (asprintf(&tmp, ".%s.aerostat", place.base) < 0) {
		tmp = NULL;
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	}
	if (rc == AERO_OK && !conf->dryrun)
		rc = replace(&place, tmp, config, uid, gid, err);
	if (rc == AERO_OK)
		(void)fprintf(out, "%s %s %s:%s %04o (%s)\n",
			conf->dryrun ? "dry run: would write" : "wrote", config->path,
			config->owner, config->group, (unsigned)config->mode,
			place.fd < 0 ? "new"
			: same       ? "owner or mode"
				     : "changed");
out:
	free(tmp);
	place_clear(&place);
	return rc;
}
