/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/writer_support.h"

struct aero_hosts_paths writer_paths;
const struct aero_hosts_row writer_rows[2] = {
	{.host = "web-0", .addrs = {"10.0.0.1"}, .n_addrs = 1},
	{.host = "web-1", .addrs = {"10.0.0.2", "2001:db8::2"}, .n_addrs = 2},
};

int writer_set_up(void **state)
{
	(void)state;
	assert_int_equal(aero_hosts_paths_make(test_dir(), &writer_paths, NULL), AERO_OK);
	assert_int_equal(mkdir(test_path("etc"), 0755), 0);
	return 0;
}

int writer_tear_down(void **state)
{
	(void)state;
	aero_hosts_paths_clear(&writer_paths);
	test_dir_remove();
	return 0;
}

int writer_update(size_t n_rows, const char *legacy, bool dryrun,
	struct aero_hosts_result *ret, struct aero_err *err)
{
	const struct aero_hosts_job job = {
		.paths = &writer_paths,
		.rows = writer_rows,
		.n_rows = n_rows,
		.legacy = legacy,
		.legacy_len = legacy != NULL ? strlen(legacy) : 0,
		.dryrun = dryrun,
	};

	return aero_hosts_update(&job, ret, err);
}

void writer_updates(size_t n_rows, const char *legacy, enum aero_hosts_how how)
{
	struct aero_hosts_result result = {0};
	struct aero_err err = {""};

	if (writer_update(n_rows, legacy, false, &result, &err) != AERO_OK)
		fail_msg("%s", err.msg);
	assert_int_equal(result.how, how);
	aero_hosts_result_clear(&result);
	assert_int_equal(access(test_path("etc/hosts.tmp"), F_OK), -1);
}

void writer_holds(const char *path, const char *expected)
{
	char *text = test_read(path);

	assert_string_equal(text, expected);
	free(text);
}

bool writer_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}
