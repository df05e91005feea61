/* SPDX-License-Identifier: MIT */
/* The legacy updater in the daemon's loop. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "syncd/daemon.h"
#include "syncd/report.h"

static void take_legacy(struct aero_daemon *d, char *text, size_t len)
{
	bool same = d->legacy != NULL && d->legacy_len == len &&
		    memcmp(d->legacy, text, len) == 0;

	free(d->legacy);
	d->legacy = text;
	d->legacy_len = len;
	if (!same)
		d->mirror->hosts_due = true;
}

/* After a failure: the text of the last success, if there ever was one. */
static void last_good(struct aero_daemon *d)
{
	struct aero_err err;
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (d->legacy != NULL)
		return;
	rc = aero_legacy_read(d->mirror->paths.good, &text, &len, &err);
	if (rc == AERO_OK) {
		aero_log(AERO_WARNING, "legacy updater: using its last good result");
		take_legacy(d, text, len);
	} else {
		aero_log(AERO_ERROR,
			"legacy updater: no good result yet, /etc/hosts is left alone");
	}
}

void aero_daemon_updater_start(struct aero_daemon *d)
{
	struct aero_err err;

	d->legacy_at = aero_clock_ms() + (int64_t)d->conf->legacy_interval * 1000;
	if (*d->conf->legacy_updater == '\0' || d->conf->hosts_file == AERO_HOSTS_OFF ||
		d->updater != NULL)
		return;
	if (aero_updater_start(d->conf->legacy_updater, &d->mirror->paths,
		    (int64_t)d->conf->legacy_timeout * 1000, aero_clock_ms(), &d->updater,
		    &err) == AERO_OK)
		return;
	d->updater = NULL;
	aero_log(AERO_ERROR, "%s", err.msg);
	last_good(d);
}

void aero_daemon_updater_step(struct aero_daemon *d)
{
	struct aero_updater_result result = {0};
	struct aero_err err;
	int rc;

	if (d->updater == NULL ||
		!aero_child_step(aero_updater_child(d->updater), aero_clock_ms()))
		return;
	rc = aero_updater_finish(d->updater, &result, &err);
	aero_updater_free(d->updater);
	d->updater = NULL;
	aero_report_updater(&result);
	if (rc == AERO_OK) {
		take_legacy(d, result.legacy, result.legacy_len);
		result.legacy = NULL; /* now the daemon's */
	} else {
		aero_log(AERO_ERROR, "%s", err.msg);
		last_good(d);
	}
	aero_updater_result_clear(&result);
}
