/* SPDX-License-Identifier: MIT */
/* For answers.c (documents in), answers_make.c (who has which key) and answers_walk.c
 * (entries out). */
#ifndef AERO_SYNCD_ANSWERS_PARTS_H
#define AERO_SYNCD_ANSWERS_PARTS_H

#include "syncd/answers.h"
#include "syncd/order.h"
#include "syncd/table.h"

#define ZONES_MAX 1024 /* bytes of zones: the mirror's description holds a few more */

/* What a document, or all of them, come to. */
struct aero_tally {
	size_t hosts, gaps, refused, odd, cut;
};

/* The first of those that are refused, or odd. */
struct aero_listed {
	struct aero_refused v[AERO_REFUSED_LISTED];
	size_t n;
};

/* Copies of keys, for their documents may be gone. */
struct aero_keys {
	unsigned char *bytes; /* u16 length, key */
	size_t len, room;
	uint32_t *at; /* where each begins */
	size_t n, n_room;
};

struct aero_answers {
	struct aero_answers_opts opts;
	char *domain;
	struct aero_list zones;
	char zones_text[ZONES_MAX];
	uint16_t n_zones;
	struct aero_table table;
	struct aero_sorted order; /* of struct aero_candidate */
	bool unsettled;           /* memory ran out in the middle: settle all */
	struct aero_tally tally;  /* of all */
	struct aero_listed refused, odd;
	bool list_due; /* they are not what they should be */
	/* since the last publish: */
	bool all_changed;
	struct aero_keys changed;
	/* of the walk: */
	struct aero_rec rec;
	unsigned char addr4[AERO_ADDR_MAX][4], addr6[AERO_ADDR_MAX][16];
	char canon[AERO_NAME_MAX + 1];
	char aliases[(AERO_ALIAS_MAX + 1) * (AERO_NAME_MAX + 1)];
};

/* Does it answer under its own name? */
static inline bool aero_is_host(const struct aero_document *doc)
{
	return doc->answers && doc->name.won;
}

/* The record of a host, in answers until the next call. */
const struct aero_rec *aero_answers_record(
	struct aero_answers *answers, const struct aero_document *doc);

#endif
