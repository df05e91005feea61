/* SPDX-License-Identifier: MIT */
/* When this node is to look after its own slot (protocol H), in the daemon's loop. What
 * the mirror shows is only a reason to look: the run itself reads the store. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "lib/identity.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "register/actor.h"
#include "syncd/daemon.h"

#define SETTLE_MS 1000 /* a change-over that runs ends by itself, mostly */
#define RETRY_BASE_MS 1000
#define RETRY_CAP_MS 60000
#define RETRY_MIN_MS 500
#define SLOWLY 10 /* poll intervals: 10 minutes */

static void plan(struct aero_daemon *d, int64_t wait_ms)
{
	int64_t at = aero_clock_ms() + wait_ms;

	if (d->heal.at == 0 || at < d->heal.at)
		d->heal.at = at;
}

static int64_t polls(const struct aero_daemon *d, int n)
{
	return aero_jitter_ms((int64_t)d->conf->poll_interval * n * 1000);
}

/* What the documents hold for the node of identity.json; all zero: there is no such mark,
 * or it is not ours to heal. */
static void see(const struct aero_daemon *d, struct aero_held *ret)
{
	struct aero_identity identity = {0};
	const struct aero_document *doc = NULL;
	const char *id;

	memset(ret, 0, sizeof(*ret)); /* its padding too: it is compared whole */
	if (aero_identity_own(d->conf, &identity, NULL) == AERO_OK) {
		id = identity.who.instance_id;
		(void)snprintf(ret->id, sizeof(ret->id), "%s", id);
		ret->masterful =
			identity.type != NULL && strcmp(identity.type, "masterful") == 0;
		doc = aero_answers_held(d->mirror->answers, id);
	}
	if (doc != NULL) {
		ret->found = true;
		(void)snprintf(ret->name, sizeof(ret->name), "%s", doc->name.text);
		ret->n4 = doc->n4;
		memcpy(ret->addrs, doc->addrs,
			(size_t)4 * doc->n4 + (size_t)16 * doc->n6);
	}
	aero_identity_clear(&identity);
}

void aero_daemon_heal_look(struct aero_daemon *d)
{
	struct aero_held now;

	/* What a start finds in state.mdb may be old: first the store must be there. */
	if (!d->heal.look || d->mirror->status.last_contact == 0)
		return;
	d->heal.look = false;
	see(d, &now);
	if (memcmp(&now, &d->heal.held, sizeof(now)) == 0)
		return;
	d->heal.held = now;
	d->heal.attempt = 0;
	if (now.id[0] == '\0')
		d->heal.at = 0;
	else
		plan(d, now.found ? aero_jitter_ms(2 * SETTLE_MS) : 0);
}

void aero_daemon_heal_again(struct aero_daemon *d)
{
	memset(&d->heal.held, 0, sizeof(d->heal.held));
	d->heal.look = true;
}

/* Each reason is said once, not at each try. */
static void tell(struct aero_daemon *d, enum aero_level level, const char *words)
{
	if (strcmp(d->heal.told, words) != 0)
		aero_log(level, "self-heal: %s", words);
	(void)snprintf(d->heal.told, sizeof(d->heal.told), "%s", words);
}

static void healed(struct aero_daemon *d, const struct aero_heal_result *result)
{
	d->heal.attempt = 0;
	switch (result->what) {
	case AERO_HEAL_LEFT:
		tell(d, AERO_WARNING,
			"this node was released or declared dead, and stays without a "
			"name until it registers, or is seen running");
		plan(d, polls(d, 1));
		return;
	case AERO_HEAL_NOT_OURS:
		return;
	case AERO_HEAL_DONE:
		aero_log(AERO_WARNING, "self-heal: done: this node is %s",
			result->hostname);
		break;
	case AERO_HEAL_NOTHING:
	default:
		aero_log(AERO_DEBUG, "self-heal: nothing to do: this node is %s",
			result->hostname);
		break;
	}
	d->heal.told[0] = '\0';
	/* A change-over that was cut off may have changed no name yet. */
	if (d->heal.held.masterful)
		plan(d, polls(d, SLOWLY));
}

static void failed(struct aero_daemon *d, const struct aero_heal_result *result)
{
	bool soon = aero_actor_retry(result->rc) || result->rc == AERO_AGAIN;

	tell(d, result->rc == AERO_AGAIN ? AERO_INFO : AERO_WARNING, result->err.msg);
	if (soon)
		plan(d, RETRY_MIN_MS + aero_backoff_ms(d->heal.attempt, RETRY_BASE_MS,
					       RETRY_CAP_MS, aero_random()));
	else /* it is people who must do something */
		plan(d, polls(d, SLOWLY));
	if (d->heal.attempt < 10)
		d->heal.attempt++;
}

void aero_daemon_heal_step(struct aero_daemon *d)
{
	struct aero_heal_result result;

	if (aero_healer_take(d->heal.healer, &result)) {
		if (result.rc == AERO_OK)
			healed(d, &result);
		else
			failed(d, &result);
	}
	if (d->heal.at == 0 || aero_clock_ms() < d->heal.at ||
		aero_healer_runs(d->heal.healer))
		return;
	d->heal.at = 0;
	if (!aero_healer_start(d->heal.healer, d->conf, d->heal.attempt > 0))
		plan(d, RETRY_CAP_MS);
}

int64_t aero_daemon_heal_wait(const struct aero_daemon *d, int64_t now)
{
	if (d->heal.at == 0 || aero_healer_runs(d->heal.healer))
		return INT64_MAX;
	return d->heal.at - now;
}
