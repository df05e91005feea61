/* SPDX-License-Identifier: MIT */
/* Damaged copies of a mirror, a class of damage each. Deterministic: the same seed, the
 * same mutants. A record altered with its checksum made right again is none of them: that
 * is another valid file, which root may write. */
#ifndef AERO_TESTS_MUTANTS_H
#define AERO_TESTS_MUTANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUTANT_PAGE 4096
#define MUTANT_DIRTY 4

struct mutant {
	const unsigned char *good, *older; /* the file, and an older generation's */
	unsigned char *bytes;              /* good, but for what was changed */
	size_t size, older_size;
	size_t *leaves, n_leaves;     /* pages, in key order */
	size_t *branches, n_branches; /* pages */
	uint64_t seed;
	/* what the last mutation did */
	size_t dirty[MUTANT_DIRTY], n_dirty; /* pages that may differ */
	size_t cut;                          /* the new size */
};

struct mutant_class {
	const char *name;
	bool (*make)(struct mutant *m); /* false: not to be had in this file */
};

extern const struct mutant_class mutant_classes[];
extern const size_t n_mutant_classes;

/* good and older stay the caller's. */
void mutant_open(struct mutant *m, const unsigned char *good, size_t size,
	const unsigned char *older, size_t older_size, uint64_t seed);
void mutant_close(struct mutant *m);
/* Make bytes good again; dirty still says where they were not. */
void mutant_undo(struct mutant *m);
uint32_t mutant_rnd(struct mutant *m, uint64_t below);

#endif
