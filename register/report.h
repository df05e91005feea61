/* SPDX-License-Identifier: MIT */
/* The one line (or JSON document) that an action prints; the same goes to the log. */
#ifndef AERO_REGISTER_REPORT_H
#define AERO_REGISTER_REPORT_H

#include "register/plan.h"
#include "register/session.h"

void aero_report_register(const struct aero_session *session, FILE *out,
	const char *hostname, enum aero_how how);
/* plan: of a dry run; NULL when it is done. */
void aero_report_master(const struct aero_session *session, FILE *out,
	const char *hostname, const struct aero_plan *plan);
/* hostname '' = there was none. */
void aero_report_release(
	const struct aero_session *session, FILE *out, const char *hostname);

#endif
