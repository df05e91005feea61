/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "register/hostname.h"

#define FILE_MAX 4096

bool aero_hostname_allowed(const struct aero_conf *conf)
{
	return conf->set_hostname && aero_conf_real_root(conf) && !conf->offline &&
	       !conf->dryrun;
}

/* Containers bind-mount /etc/hostname, and then it cannot be replaced but by its text:
 * over the old one and then cut, so that its first line is never missing. */
static int write_in_place(const char *path, const char *line, struct aero_err *err)
{
	int rc, fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return aero_file_fail(err, "open", path);
	/* first, so that the temporary file does not come back with the new name there */
	rc = aero_file_sync_dir(path, err);
	if (rc == AERO_OK)
		rc = aero_file_write(fd, path, line, strlen(line), err);
	if (rc == AERO_OK && ftruncate(fd, (off_t)strlen(line)) < 0)
		rc = aero_file_fail(err, "truncate", path);
	if (rc == AERO_OK && fsync(fd) < 0)
		rc = aero_file_fail(err, "fsync", path);
	(void)close(fd);
	return rc;
}

static int write_file(const char *path, const char *hostname, struct aero_err *err)
{
	char line[256], *old = NULL;
	size_t len = 0;
	int rc;

	(void)snprintf(line, sizeof(line), "%s\n", hostname);
	if (aero_file_read(path, FILE_MAX, &old, &len, NULL) == AERO_OK &&
		strcmp(old, line) == 0) {
		free(old);
		return AERO_OK;
	}
	free(old);
	rc = aero_file_replace(path, line, strlen(line), 0644, err);
	if (rc != AERO_OK && (errno == EBUSY || errno == EXDEV))
		rc = write_in_place(path, line, err);
	return rc;
}

int aero_hostname_set(
	const struct aero_conf *conf, const char *hostname, struct aero_err *err)
{
	char now[256] = "", *path;
	int rc;

	if (gethostname(now, sizeof(now) - 1) != 0)
		now[0] = '\0';
	if (strcmp(now, hostname) != 0 && sethostname(hostname, strlen(hostname)) != 0)
		return aero_err_set(err, aero_rc_of_errno(errno),
			"set the system hostname to %s: %s (set_hostname: false leaves "
			"it alone)",
			hostname, strerror(errno));
	path = aero_conf_path(conf, "/etc/hostname");
	if (path == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	rc = write_file(path, hostname, err);
	free(path);
	return rc;
}
