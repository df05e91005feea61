/* SPDX-License-Identifier: MIT */
/* The one include of every unit test: cmocka with what it needs, and small helpers. */
#ifndef AERO_TESTS_SUPPORT_H
#define AERO_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define AERO_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A fresh directory for this test below $TMPDIR, as a static string. */
const char *test_dir(void);
/* dir/name; static, four at a time. */
const char *test_path(const char *name);
/* Remove a tree below the directory that test_dir made. */
void test_dir_remove(void);
/* Write or read a whole file; fail the test if that fails. test_read's is malloc'd. */
void test_write(const char *path, const char *text);
char *test_read(const char *path);

/* The first, or the second when AEROSTAT_TEST_LONG=1 (make check-long). */
unsigned long test_by_length(unsigned long quick, unsigned long thorough);

/* Leave the test program with 77 (SKIP) and the reason; 99 (error) when
 * AEROSTAT_TEST_STRICT=1. */
_Noreturn void test_skip(const char *why);

#endif
