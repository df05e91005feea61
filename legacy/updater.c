/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "legacy/updater.h"
#include "lib/file.h"
#include "lib/loop.h"

struct aero_updater {
	struct aero_child *child;
	char *program;
	const struct aero_hosts_paths *paths;
	struct aero_updater_result result;
};

static int fail(struct aero_err *err, int rc, const char *what, const char *path, int e)
{
	return aero_err_set(
		err, rc, "legacy updater: %s '%s': %s", what, path, strerror(e));
}

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "legacy updater: out of memory");
}

int aero_updater_start(const char *program, const struct aero_hosts_paths *paths,
	int64_t timeout_ms, int64_t now, struct aero_updater **ret, struct aero_err *err)
{
	struct aero_updater *updater = calloc(1, sizeof(*updater));
	struct aero_list env = {0};
	char *variable = NULL;
	int rc;

	if (updater == NULL)
		return no_memory(err);
	updater->paths = paths;
	updater->program = strdup(program);
	if (asprintf(&variable, "AEROSTAT_LEGACY=%s", paths->legacy) < 0)
		variable = NULL;
	if (updater->program == NULL || variable == NULL ||
		!aero_list_add(&env, variable)) {
		rc = no_memory(err);
	} else {
		char *argv[] = {updater->program, NULL};
		const struct aero_child_opts opts = {.what = "legacy updater",
			.argv = argv,
			.env = &env,
			.timeout_ms = timeout_ms};

		rc = aero_child_start(&opts, now, &updater->child, err);
	}
	if (rc == AERO_OK) {
		*ret = updater;
		updater = NULL; /* now the caller's */
	}
	aero_updater_free(updater);
	aero_list_clear(&env);
	free(variable);
	return rc;
}

struct aero_child *aero_updater_child(const struct aero_updater *updater)
{
	return updater->child;
}

int aero_legacy_read(const char *path, char **ret, size_t *ret_len, struct aero_err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT
			       ? aero_err_set(err, AERO_MISS, "'%s' does not exist", path)
			       : fail(err, aero_rc_of_errno(errno), "stat", path, errno);
	if (!S_ISREG(st.st_mode))
		return aero_err_set(err, AERO_BAD, "'%s' is not a regular file", path);
	return aero_file_read(path, AERO_LEGACY_MAX, ret, ret_len, err);
}

/* The last good copy, if it differs. */
static void keep_good(struct aero_updater *updater)
{
	struct aero_updater_result *result = &updater->result;
	const char *good = updater->paths->good;
	char *old = NULL, *dir = NULL;
	size_t len = 0;
	bool same;
	int rc;

	same = aero_legacy_read(good, &old, &len, NULL) == AERO_OK &&
	       len == result->legacy_len && memcmp(old, result->legacy, len) == 0;
	free(old);
	if (same)
		return;
	dir = strndup(good, (size_t)(strrchr(good, '/') - good));
	rc = dir == NULL ? no_memory(&result->warning)
			 : aero_dir_make(dir, &result->warning);
	if (rc == AERO_OK)
		(void)aero_file_replace(
			good, result->legacy, result->legacy_len, 0644, &result->warning);
	free(dir);
}

int aero_updater_finish(struct aero_updater *updater, struct aero_updater_result *ret,
	struct aero_err *err)
{
	struct aero_updater_result *result = &updater->result;
	struct aero_child_output output;
	int rc = aero_child_check(updater->child, err);

	aero_child_output(updater->child, &output);
	result->output = malloc(output.len + 1);
	if (result->output != NULL) {
		memcpy(result->output, output.text, output.len + 1);
		result->output_len = output.len;
	}
	result->output_cut = output.cut;
	if (rc == AERO_OK) {
		rc = aero_legacy_read(updater->paths->legacy, &result->legacy,
			&result->legacy_len, err);
		if (rc != AERO_OK)
			rc = aero_err_prefix(err, AERO_REFUSED,
				"legacy updater '%s' left no usable file",
				updater->program);
	}
	if (rc == AERO_OK)
		keep_good(updater);
	*ret = *result;
	*result = (struct aero_updater_result){0}; /* now the caller's */
	return rc;
}

void aero_updater_free(struct aero_updater *updater)
{
	if (updater == NULL)
		return;
	aero_child_free(updater->child);
	aero_updater_result_clear(&updater->result);
	free(updater->program);
	free(updater);
}

void aero_updater_result_clear(struct aero_updater_result *result)
{
	free(result->legacy);
	free(result->output);
	*result = (struct aero_updater_result){0};
}

int aero_updater_run(const char *program, const struct aero_hosts_paths *paths,
	int64_t timeout_ms, struct aero_updater_result *ret, struct aero_err *err)
{
	struct aero_updater *updater = NULL;
	int rc;

	rc = aero_updater_start(
		program, paths, timeout_ms, aero_clock_ms(), &updater, err);
	if (rc != AERO_OK)
		return rc;
	aero_child_wait(updater->child);
	rc = aero_updater_finish(updater, ret, err);
	aero_updater_free(updater);
	return rc;
}
