/* SPDX-License-Identifier: MIT */
/* What goes into the status, and is logged once. */
#ifndef AERO_SYNCD_REPORT_H
#define AERO_SYNCD_REPORT_H

#include "legacy/block.h"
#include "legacy/updater.h"
#include "lib/status.h"
#include "syncd/answers.h"

int aero_report_init(
	struct aero_status *status, const char *server, struct aero_err *err);
/* Counts and refusals of what was published; new refusals are logged. */
void aero_report_set(struct aero_status *status, const struct aero_answer_set *set);
/* Names that other lines of /etc/hosts define; new ones are logged. Takes them over. */
void aero_report_shadows(struct aero_status *status, struct aero_shadows *shadows);
/* What a legacy updater wrote and what went wrong besides: to the log. */
void aero_report_updater(const struct aero_updater_result *result);
/* Replace a text; without memory it stays. */
void aero_report_text(char **text, const char *now);

#endif
