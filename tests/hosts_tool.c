/* SPDX-License-Identifier: MIT */
/* The writer as a program, for tests in namespaces of their own:
 *	hosts_tool [--dryrun] [--legacy=FILE] [HOST=ADDRESS[,ADDRESS]]...
 * brings /etc/hosts up to date and prints how, then a line for each shadowed name (or the
 * difference). Exit as CONTRACTS 2. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "legacy/diff.h"
#include "legacy/updater.h"
#include "legacy/writer.h"

#define ROWS 16

static const char *const hows[] = {"same", "dry", "renamed", "in place"};

/* Cuts text up. */
static void read_row(char *text, struct aero_hosts_row *row)
{
	char *at = strchr(text, '=');

	row->host = text;
	while (at != NULL && row->n_addrs < AERO_HOSTS_ADDRS) {
		*at++ = '\0';
		row->addrs[row->n_addrs++] = at;
		at = strchr(at, ',');
	}
}

static int print(const struct aero_hosts_job *job, const struct aero_hosts_result *result,
	struct aero_err *err)
{
	char *diff = NULL;
	size_t len = 0;
	int rc = AERO_OK;

	printf("%s%s\n", result->recovered != AERO_RECOVERED_NOTHING ? "recovered, " : "",
		hows[result->how]);
	for (size_t i = 0; i < result->now.shadows.n; i++)
		printf("shadowed %s line %d\n", result->now.shadows.v[i].name,
			result->now.shadows.v[i].line);
	if (job->dryrun) {
		rc = aero_diff("/etc/hosts", result->old, result->old_len,
			"/etc/hosts.new", result->now.text, result->now.len, &diff, &len,
			err);
		if (rc == AERO_OK)
			(void)fwrite(diff, 1, len, stdout);
		free(diff);
	}
	return rc;
}

int main(int argc, char *argv[])
{
	struct aero_hosts_row rows[ROWS] = {0};
	struct aero_hosts_paths paths = {0};
	struct aero_hosts_job job = {.paths = &paths, .rows = rows};
	struct aero_hosts_result result = {0};
	struct aero_err err = {""};
	char *legacy = NULL;
	int rc;

	rc = aero_hosts_paths_make("/", &paths, &err);
	for (int i = 1; rc == AERO_OK && i < argc && job.n_rows < ROWS; i++) {
		if (strcmp(argv[i], "--dryrun") == 0)
			job.dryrun = true;
		else if (strncmp(argv[i], "--legacy=", 9) == 0)
			rc = aero_legacy_read(
				argv[i] + 9, &legacy, &job.legacy_len, &err);
		else
			read_row(argv[i], &rows[job.n_rows++]);
	}
	job.legacy = legacy;
	if (rc == AERO_OK)
		rc = aero_hosts_update(&job, &result, &err);
	if (rc == AERO_OK)
		rc = print(&job, &result, &err);
	if (rc != AERO_OK)
		(void)fprintf(stderr, "%s\n", err.msg);
	aero_hosts_result_clear(&result);
	aero_hosts_paths_clear(&paths);
	free(legacy);
	return (int)aero_exit_code(rc);
}
