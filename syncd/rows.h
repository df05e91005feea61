/* SPDX-License-Identifier: MIT */
/* What answers, as rows of /etc/hosts. Pure. */
#ifndef AERO_SYNCD_ROWS_H
#define AERO_SYNCD_ROWS_H

#include "legacy/block.h"
#include "lib/conf.h"
#include "syncd/answers.h"

struct aero_rows {
	struct aero_hosts_row *v;
	size_t n;
	char *texts; /* of addresses */
	const char **aliases;
};

/* All hosts, or only that of instance_id (hosts_file self). The rows point into set. */
int aero_rows_make(const struct aero_answer_set *set, enum aero_hosts_file which,
	const char *instance_id, struct aero_rows *ret, struct aero_err *err);
void aero_rows_clear(struct aero_rows *rows);

#endif
