/* SPDX-License-Identifier: MIT */
/* publish_tool FILE [-g GENERATION] [-z ZONE]...: publish a hosts.mdb from lines
 * `name addr[,addr] [alias...]` on stdin (see tests/mirror_set.h).
 * publish_tool -v FILE: only verify. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/mirror_set.h"

static int read_lines(struct mirror_set *set)
{
	char *line = NULL;
	const char *why = NULL;
	size_t size = 0, n = 0;

	while (why == NULL && getline(&line, &size, stdin) >= 0) {
		why = mirror_set_add(set, line);
		n++;
	}
	if (why != NULL)
		(void)fprintf(stderr, "publish_tool: line %zu: %s\n", n, why);
	free(line);
	return why == NULL ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct mirror_set set = {0};
	struct aero_publish_error err;
	uint64_t generation = 1;
	char zones[1024] = "";
	size_t len = 0;
	unsigned n_zones = 0;
	int opt, verify = 0, rc;

	while ((opt = getopt(argc, argv, "g:z:v")) != -1) {
		if (opt == 'g') {
			generation = strtoull(optarg, NULL, 10);
		} else if (opt == 'v') {
			verify = 1;
		} else if (opt == 'z' && len + strlen(optarg) < sizeof(zones)) {
			memcpy(zones + len, optarg, strlen(optarg) + 1);
			len += strlen(optarg) + 1;
			n_zones++;
		} else {
			return 64;
		}
	}
	if (optind + 1 != argc)
		return 64;
	if (verify) {
		rc = aero_publish_verify(argv[optind], &err);
	} else {
		if (read_lines(&set) < 0)
			return 65;
		rc = mirror_set_publish(
			&set, argv[optind], generation, n_zones, zones, &err);
	}
	if (rc < 0)
		(void)fprintf(stderr, "publish_tool: %s: %s: %s\n", argv[optind],
			err.step, aero_publish_strerror(err.code));
	mirror_set_clear(&set);
	return rc < 0 ? 1 : 0;
}
