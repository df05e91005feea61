/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>

#include "server/lease.h"

#define STEP_MIN_MS 2000 /* a slow answer is no jump */

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

struct aero_lease_limits aero_lease_limits(const struct aero_conf *conf)
{
	int64_t lease = (int64_t)conf->lease * 1000;

	return (struct aero_lease_limits){
		.lease_ms = lease,
		.pause_ms = larger((int64_t)conf->poll * 2000, lease / 2),
		.step_ms = larger(STEP_MIN_MS, lease / 8),
		.absent_ms = lease / 2,
	};
}

/* Why the two clocks, or what was seen, prove nothing now; NULL: they do. */
static const char *broken(const struct aero_lease *was,
	const struct aero_lease_limits *limits, const struct aero_lease *now,
	int64_t newest)
{
	int64_t gone = now->boot_ms - was->boot_ms;
	int64_t step = now->store_ms - was->store_ms - gone;

	if (was->boot_ms == 0)
		return "there was no pass just before";
	if (gone < 0 || gone > limits->pause_ms)
		return "there was no pass for too long";
	if (step > limits->step_ms || step < -limits->step_ms)
		return "the store's clock jumped";
	if (now->store_ms - newest > limits->lease_ms / 2 ||
		now->boot_ms - now->sum_ms > limits->lease_ms / 2)
		return "nobody was seen for half a lease: perhaps nobody could be";
	return NULL;
}

const char *aero_lease_read(struct aero_lease *lease,
	const struct aero_lease_limits *limits, int64_t store_ms, int64_t boot_ms,
	const struct aero_lease_beats *beats)
{
	struct aero_lease now = {.store_ms = store_ms,
		.boot_ms = boot_ms,
		.quiet_ms = lease->quiet_ms,
		.sum = beats->sum,
		.sum_ms = beats->sum == lease->sum ? lease->sum_ms : boot_ms};
	const char *why = broken(lease, limits, &now, beats->newest);

	if (why != NULL)
		now.quiet_ms = boot_ms;
	*lease = now;
	return why;
}

int64_t aero_lease_quiet_ms(
	const struct aero_lease *lease, const struct aero_lease_limits *limits)
{
	return larger(0, lease->quiet_ms + limits->lease_ms - lease->boot_ms);
}

enum aero_sight aero_lease_sight(
	const struct aero_lease_limits *limits, int64_t store_ms, int64_t seen_at)
{
	return store_ms - seen_at < limits->lease_ms ? AERO_SIGHT_RUNS
						     : AERO_SIGHT_ABSENT;
}

const char *aero_lease_words(int64_t store_ms, int64_t seen_at, char buf[static 64])
{
	int64_t age = larger(0, store_ms - seen_at);

	if (seen_at == 0)
		(void)snprintf(buf, 64, "never seen");
	else
		(void)snprintf(buf, 64, "last seen %lld s ago", (long long)(age / 1000));
	return buf;
}

static struct aero_lease_beats beats_of(const struct aero_view *view, int64_t until)
{
	struct aero_lease_beats beats = {0};
	uint64_t sum = 0;

	for (size_t i = 0; i < view->n_nodes; i++) {
		int64_t at = view->nodes[i].node.seen_at;

		sum += (uint64_t)at;
		if (at <= until)
			beats.newest = larger(beats.newest, at);
	}
	beats.sum = (int64_t)(sum & INT64_MAX);
	return beats;
}

int aero_lease_list(struct aero_lease *lease, const struct aero_conf *conf,
	const struct aero_view *view, int64_t store_ms, int64_t boot_ms,
	struct aero_listing *ret, struct aero_err *err)
{
	struct aero_lease_limits limits = aero_lease_limits(conf);
	struct aero_lease_beats beats = beats_of(view, store_ms + limits.step_ms);
	const char *why = aero_lease_read(lease, &limits, store_ms, boot_ms, &beats);
	int64_t quiet = aero_lease_quiet_ms(lease, &limits);
	int rc = AERO_OK;
	char words[64];

	for (size_t i = 0; rc == AERO_OK && i < view->n_nodes; i++) {
		const struct aero_view_node *one = &view->nodes[i];

		if (aero_cloud_knows(conf, one->id, &one->node))
			rc = aero_listing_add(ret, one->id,
				aero_lease_sight(&limits, store_ms, one->node.seen_at),
				aero_lease_words(store_ms, one->node.seen_at, words),
				err);
	}
	aero_listing_sort(ret);
	if (rc == AERO_OK && quiet > 0)
		rc = aero_err_set(err, AERO_AGAIN, "for %lld s%s%s",
			(long long)((quiet + 999) / 1000), why != NULL ? ": " : " more",
			why != NULL ? why : "");
	return rc;
}
