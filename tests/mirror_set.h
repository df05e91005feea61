/* SPDX-License-Identifier: MIT */
/* Mirrors for tests: hosts as text lines, published as a real hosts.mdb. */
#ifndef AERO_TESTS_MIRROR_SET_H
#define AERO_TESTS_MIRROR_SET_H

#include "mirror/publish.h"

struct mirror_item;

struct mirror_set {
	struct mirror_item **items;
	size_t n;
	size_t lines;
	struct aero_entry *entries; /* sorted, one per key; made by mirror_set_publish */
	size_t n_entries;
};

/* Add `name addr[,addr] [alias...]`. A blank line or one that begins with # is skipped.
 * NULL, or what is wrong with it. */
const char *mirror_set_add(struct mirror_set *set, const char *line);

/* Publish it as path. Of equal keys the first line counts, and a name beats an alias.
 * zones: n of them, each NUL-ended, back to back; names are n_zones, zones of meta. */
int mirror_set_publish(struct mirror_set *set, const char *path, uint64_t generation,
	unsigned n_zones, const char *zones, struct aero_publish_error *err);

void mirror_set_clear(struct mirror_set *set);

#endif
