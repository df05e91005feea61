/* SPDX-License-Identifier: MIT */
/* When this node sends heartbeats, in the daemon's loop. */
#include "config.h"

#include "lib/log.h"
#include "lib/loop.h"
#include "syncd/daemon.h"
#include "syncd/report.h"

#define SOON 10   /* parts of a period: so soon after a start */
#define SLOWLY 10 /* periods, where people have to do something first */

static void plan(struct aero_daemon *d, int64_t wait_ms)
{
	d->beat.at = wait_ms == 0 ? 0 : aero_clock_ms() + aero_jitter_ms(wait_ms);
}

static int64_t period(const struct aero_daemon *d)
{
	return aero_conf_heartbeat_ms(d->conf);
}

void aero_daemon_beat_again(struct aero_daemon *d)
{
	aero_beater_forget(d->beat.beater);
	plan(d, (period(d) + SOON - 1) / SOON);
	if (period(d) == 0) {
		d->mirror->status.heartbeat = 0;
		aero_report_text(&d->mirror->status.heartbeat_error, "");
	}
}

/* One line when it begins to fail, and one for another reason; not one at each try. */
static void failed(struct aero_daemon *d, const struct aero_beat *beat)
{
	int why = beat->rc == AERO_AMBIGUOUS ? AERO_NET : beat->rc;

	d->status_due |= d->beat.failed != why;
	if (d->beat.failed != why)
		aero_log(AERO_WARNING, "heartbeat: %s", beat->err.msg);
	d->beat.failed = why;
	aero_report_text(&d->mirror->status.heartbeat_error, beat->err.msg);
	/* Where it may pass by itself, soon: a lease runs. */
	plan(d, why == AERO_NET || why == AERO_DB ? period(d) / 3 : period(d) * SLOWLY);
}

static void took(struct aero_daemon *d, const struct aero_beat *beat)
{
	if (beat->ours && beat->rc != AERO_OK) {
		failed(d, beat);
		return;
	}
	if (d->beat.failed != AERO_OK)
		aero_log(AERO_INFO, "heartbeat: %s",
			beat->ours ? "the store takes them again"
				   : "this node is registered no more: none are sent");
	d->status_due |= d->beat.failed != AERO_OK ||
			 (beat->ours && d->mirror->status.heartbeat == 0);
	d->beat.failed = AERO_OK;
	d->mirror->status.heartbeat = beat->ours ? aero_unix_ms() : 0;
	aero_report_text(&d->mirror->status.heartbeat_error, "");
	plan(d, period(d));
}

void aero_daemon_beat_step(struct aero_daemon *d)
{
	struct aero_beat beat;

	if (aero_beater_take(d->beat.beater, &beat))
		took(d, &beat);
	if (d->beat.at == 0 || aero_clock_ms() < d->beat.at ||
		aero_beater_runs(d->beat.beater))
		return;
	if (!aero_beater_start(d->beat.beater, d->conf))
		plan(d, period(d));
}

int64_t aero_daemon_beat_wait(const struct aero_daemon *d, int64_t now)
{
	if (d->beat.at == 0 || aero_beater_runs(d->beat.beater))
		return INT64_MAX;
	return d->beat.at - now;
}
