/* SPDX-License-Identifier: MIT */
/* What the tests of the /etc/hosts writer share: a root of their own, two hosts. */
#ifndef AERO_TESTS_WRITER_SUPPORT_H
#define AERO_TESTS_WRITER_SUPPORT_H

#include <stdbool.h>
#include <sys/types.h>

#include "legacy/writer.h"
#include "tests/support.h"

#define B "# AEROSTAT\n"
#define E "# /AEROSTAT\n"
#define BLOCK_OF(hosts) B "127.0.0.1 localhost\n::1 localhost ip6-localhost\n" hosts E
#define BLOCK BLOCK_OF("10.0.0.1 web-0\n")
#define USER "# mine\n192.0.2.7\tprinter  # blue\n"

extern struct aero_hosts_paths writer_paths;
extern const struct aero_hosts_row writer_rows[2]; /* web-0, web-1 */

/* Around each test: a fresh root. */
int writer_set_up(void **state);
int writer_tear_down(void **state);
#define WRITER_TEST(f) cmocka_unit_test_setup_teardown(f, writer_set_up, writer_tear_down)

/* Update with the first n of web-0 and web-1. */
int writer_update(size_t n_rows, const char *legacy, bool dryrun,
	struct aero_hosts_result *ret, struct aero_err *err);
/* It must go well, in this way, and leave no temporary file. */
void writer_updates(size_t n_rows, const char *legacy, enum aero_hosts_how how);
/* A file's content must be this. */
void writer_holds(const char *path, const char *expected);
/* Something is at path, a dangling link too. */
bool writer_there(const char *path);

#endif
