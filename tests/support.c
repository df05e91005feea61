/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support.h"

static char dir[256];

const char *test_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	if (dir[0] == '\0') {
		(void)snprintf(dir, sizeof(dir), "%s/aerostat-test-XXXXXX",
			tmp != NULL && *tmp != '\0' ? tmp : "/tmp");
		assert_non_null(mkdtemp(dir));
		(void)atexit(test_dir_remove);
	}
	return dir;
}

const char *test_path(const char *name)
{
	static char paths[4][512];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", test_dir(), name);
	return path;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void test_dir_remove(void)
{
	if (dir[0] != '\0')
		(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	dir[0] = '\0';
}

void test_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

char *test_read(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t len = 0, size = 0;

	if (f == NULL) {
		fail_msg("%s: %s", path, strerror(errno));
		return NULL;
	}
	do {
		char *grown = realloc(text, size = size * 2 + 4096);

		assert_non_null(grown);
		text = grown;
		len += fread(text + len, 1, size - 1 - len, f);
	} while (len == size - 1);
	assert_false(ferror(f));
	(void)fclose(f);
	text[len] = '\0';
	return text;
}

unsigned long test_by_length(unsigned long quick, unsigned long thorough)
{
	const char *set = getenv("AEROSTAT_TEST_LONG");

	return set != NULL && strcmp(set, "1") == 0 ? thorough : quick;
}

_Noreturn void test_skip(const char *why)
{
	const char *strict = getenv("AEROSTAT_TEST_STRICT");
	int refused = strict != NULL && strcmp(strict, "1") == 0;

	(void)fprintf(stderr, "SKIP: %s\n", why);
	exit(refused ? 99 : 77);
}
