/* SPDX-License-Identifier: MIT */
/* For answers.c (documents in) and answers_make.c (answers out). */
#ifndef AERO_SYNCD_ANSWERS_PARTS_H
#define AERO_SYNCD_ANSWERS_PARTS_H

#include "syncd/answers.h"
#include "syncd/order.h"
#include "syncd/table.h"

#define ZONES_MAX 1024 /* bytes of zones: the mirror's description holds a few more */

struct aero_answers {
	struct aero_answers_opts opts;
	char *domain;
	struct aero_list zones;
	char zones_text[ZONES_MAX];
	uint16_t n_zones;
	struct aero_table table;
	struct aero_order order;
};

#endif
