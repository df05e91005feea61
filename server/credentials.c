/* SPDX-License-Identifier: MIT */
/* Where credentials are looked for on this machine. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "server/credentials_parts.h"

#define MINUTE_MS ((int64_t)60 * 1000)

void aero_credentials_wipe(char *text, size_t len)
{
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
}

static void wipe(char *text)
{
	aero_credentials_wipe(text, text != NULL ? strlen(text) : 0);
}

void aero_credentials_clear(struct aero_credentials *c)
{
	wipe(c->key_id);
	wipe(c->secret);
	wipe(c->token);
	*c = (struct aero_credentials){0};
}

int64_t aero_credentials_due_ms(
	const struct aero_credentials *c, int64_t now_ms, uint64_t rnd)
{
	int64_t early = 10 * MINUTE_MS + (int64_t)(rnd % (uint64_t)(5 * MINUTE_MS + 1));
	int64_t left = c->expires_ms - now_ms;

	if (c->expires_ms == 0)
		return INT64_MAX;
	if (left > early + MINUTE_MS)
		return c->expires_ms - early;
	if (left <= 0)
		return now_ms;
	return now_ms + (left < 2 * MINUTE_MS ? left / 2 : MINUTE_MS);
}

const char *aero_credentials_variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static int from_file(const struct aero_credentials_opts *opts,
	struct aero_credentials *ret, struct aero_err *err)
{
	struct stat st;
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (stat(opts->file, &st) != 0) {
		if (!opts->file_asked &&
			(errno == ENOENT || errno == EACCES || errno == ENOTDIR))
			return AERO_MISS;
		return aero_err_set(err, errno == EACCES ? AERO_PERM : AERO_CONFIG,
			"credentials_file '%.200s': %s", opts->file, strerror(errno));
	}
	if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		return aero_err_set(err, AERO_CONFIG,
			"credentials_file '%.200s': others than its owner may use it "
			"(mode %04o); chmod 600 it, and make new keys if anybody could "
			"have read them",
			opts->file, st.st_mode & 07777);
	rc = aero_file_read(opts->file, AERO_CREDENTIALS_FILE_MAX, &text, &len, err);
	if (rc != AERO_OK)
		return rc == AERO_PERM || rc == AERO_NOMEM ? rc : AERO_CONFIG;
	rc = aero_credentials_of_file(text, len, ret, err);
	if (rc == AERO_CONFIG)
		rc = aero_err_prefix(err, rc,
			"credentials_file '%.200s': it must hold a key id and a secret "
			"key",
			opts->file);
	if (rc == AERO_OK)
		(void)snprintf(
			ret->source, sizeof(ret->source), "file '%.100s'", opts->file);
	aero_credentials_wipe(text, len);
	return rc;
}

static int from_environment(struct aero_credentials *ret, struct aero_err *err)
{
	const char *id = aero_credentials_variable("AWS_ACCESS_KEY_ID");
	const char *secret = aero_credentials_variable("AWS_SECRET_ACCESS_KEY");
	const char *token = aero_credentials_variable("AWS_SESSION_TOKEN");
	char *text = NULL;
	int n, rc;

	if (id == NULL && secret == NULL)
		return AERO_MISS;
	if (id == NULL || secret == NULL)
		return aero_err_set(err, AERO_CONFIG,
			"environment: AWS_%s is set, AWS_%s is not",
			id != NULL ? "ACCESS_KEY_ID" : "SECRET_ACCESS_KEY",
			id != NULL ? "SECRET_ACCESS_KEY" : "ACCESS_KEY_ID");
	n = asprintf(&text,
		"[x]\naws_access_key_id=%s\naws_secret_access_key=%s\naws_session_token=%"
		"s\n",
		id, secret, token != NULL ? token : "");
	if (n < 0)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	/* A line break in a value would be a line of its own there. */
	if (strpbrk(id, "\r\n") != NULL || strpbrk(secret, "\r\n") != NULL ||
		(token != NULL && strpbrk(token, "\r\n") != NULL))
		rc = aero_err_set(err, AERO_CONFIG, "a line break in a key");
	else
		rc = aero_credentials_of_profile(text, (size_t)n, "x", ret, err);
	if (rc == AERO_OK)
		(void)snprintf(ret->source, sizeof(ret->source), "%s", "the environment");
	else
		rc = aero_err_prefix(
			err, rc, "environment: AWS_ACCESS_KEY_ID and its like");
	aero_credentials_wipe(text, (size_t)n);
	return rc;
}

static int from_profile(struct aero_credentials *ret, struct aero_err *err)
{
	const char *named = aero_credentials_variable("AWS_SHARED_CREDENTIALS_FILE");
	const char *profile = aero_credentials_variable("AWS_PROFILE"),
		   *home = aero_credentials_variable("HOME");
	bool asked = named != NULL || profile != NULL;
	char *path = NULL, *text = NULL;
	size_t len = 0;
	int rc;

	if (profile == NULL)
		profile = "default";
	if (home == NULL && geteuid() == 0)
		home = "/root"; /* as a unit of systemd may have it */
	if (named == NULL && home == NULL)
		return AERO_MISS;
	if (asprintf(&path, "%s%s", named != NULL ? named : home,
		    named != NULL ? "" : "/.aws/credentials") < 0)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	rc = aero_file_read(path, AERO_CREDENTIALS_FILE_MAX, &text, &len, err);
	if (rc == AERO_MISS && asked)
		rc = aero_err_set(err, AERO_CONFIG, "'%.200s': no such file", path);
	else if (rc == AERO_OK)
		rc = aero_credentials_of_profile(text, len, profile, ret, err);
	if (rc == AERO_MISS && aero_credentials_variable("AWS_PROFILE") != NULL)
		rc = AERO_CONFIG;
	if (rc == AERO_OK)
		(void)snprintf(
			ret->source, sizeof(ret->source), "profile '%.100s'", profile);
	else if (rc != AERO_MISS && rc != AERO_NOMEM)
		rc = aero_err_prefix(err, rc == AERO_PERM ? rc : AERO_CONFIG,
			"profile '%.64s' of '%.200s' (static keys only)", profile, path);
	aero_credentials_wipe(text, len);
	free(path);
	return rc;
}

int aero_credentials_load(const struct aero_credentials_opts *opts,
	struct aero_credentials *ret, struct aero_err *err)
{
	struct aero_credentials c = {0};
	int rc = from_file(opts, &c, err);

	if (rc == AERO_MISS)
		rc = from_environment(&c, err);
	if (rc == AERO_MISS)
		rc = from_profile(&c, err);
	c.due_ms = INT64_MAX;
	if (rc == AERO_MISS)
		rc = aero_credentials_service(opts, &c, err);
	if (rc == AERO_OK) {
		(void)prctl(PR_SET_DUMPABLE, 0);
		*ret = c;
	} else {
		aero_credentials_clear(&c);
	}
	return rc;
}
