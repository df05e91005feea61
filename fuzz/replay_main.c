/* SPDX-License-Identifier: MIT */
/*
 * Stands in for libFuzzer: feeds the seeds of fuzz/corpus/<x>/ (or the files and folders
 * named) to the target, whole and cut off at every length, in buffers of the exact size,
 * so that sanitizers and valgrind see each read past the end. Any compiler builds it.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Longer seeds are cut at this many lengths only. */
#define CUTS 512

static unsigned seeds, inputs;

static int feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size != 0 ? size : 1);

	if (copy == NULL)
		return -1;
	if (size != 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
	return 0;
}

static int replay_file(const char *path, off_t length)
{
	size_t size = (size_t)length, step = size / CUTS + 1, cut;
	uint8_t *data = malloc(size != 0 ? size : 1);
	FILE *f = fopen(path, "re");
	int rc = -1;

	if (data == NULL || f == NULL || fread(data, 1, size, f) != size)
		goto out;
	rc = feed(data, size);
	for (cut = 0; cut < size && rc == 0; cut += step)
		rc = feed(data, cut);
	seeds++;
out:
	if (rc != 0)
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (f != NULL)
		(void)fclose(f);
	free(data);
	return rc;
}

static int replay(const char *path)
{
	struct stat st;
	struct dirent *entry;
	char inner[4096];
	DIR *dir = NULL;
	int rc = 0;

	if (stat(path, &st) != 0) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path, st.st_size);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		rc = replay(inner);
	}
	(void)closedir(dir);
	return rc;
}

/* fuzz_x (or libtool's lt-fuzz_x) has its seeds in fuzz/corpus/x. */
static int replay_own(const char *program)
{
	const char *top = getenv("top_srcdir");
	const char *name = strstr(program, "fuzz_");
	const char *next;
	char path[4096];

	while (name != NULL && (next = strstr(name + 1, "fuzz_")) != NULL)
		name = next;
	if (name == NULL) {
		(void)fprintf(
			stderr, "%s: not named fuzz_<x>; name the seeds\n", program);
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/fuzz/corpus/%s", top != NULL ? top : ".",
		name + strlen("fuzz_"));
	return replay(path);
}

int main(int argc, char **argv)
{
	int i, rc = feed((const uint8_t *)"", 0);

	if (argc < 2 && rc == 0)
		rc = replay_own(argv[0]);
	for (i = 1; i < argc && rc == 0; i++)
		rc = replay(argv[i]);
	if (rc == 0 && seeds == 0) {
		(void)fprintf(stderr, "%s: no seeds\n", argv[0]);
		rc = -1;
	}
	(void)printf("%u seeds, %u inputs\n", seeds, inputs);
	return rc == 0 ? 0 : 1;
}
