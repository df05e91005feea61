/* SPDX-License-Identifier: MIT */
/* What the loop tells the operator's programs (hooks.h). */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "syncd/daemon.h"
#include "syncd/parts.h"

/* Below the root, where it is the built-in path; malloc'd. */
static char *folder(const struct aero_conf *conf)
{
	if (aero_conf_from(conf, "hooks_dir") == AERO_FROM_DEFAULT)
		return aero_conf_path(conf, conf->hooks_dir);
	return strdup(conf->hooks_dir);
}

void aero_hooks_once(
	const struct aero_conf *conf, const struct aero_mirror *m, uint64_t before)
{
	struct aero_hook_event event = {
		.kind = AERO_HOOK_PUBLISHED, .generation = m->generation};
	char *dir = folder(conf);
	struct aero_hooks *hooks = dir != NULL ? aero_hooks_new(dir) : NULL;

	(void)snprintf(event.hostname, sizeof(event.hostname), "%s", m->named);
	if (hooks != NULL && m->generation != before) {
		aero_hooks_add(hooks, &event);
		aero_hooks_run(hooks);
	}
	aero_hooks_free(hooks);
	free(dir);
}

bool aero_daemon_hooks_start(struct aero_daemon *d)
{
	char *dir = folder(d->conf);

	if (dir != NULL)
		d->hooks.hooks = aero_hooks_new(dir);
	free(dir);
	/* What was so before the start is no news. */
	d->hooks.generation = d->mirror->generation;
	return d->hooks.hooks != NULL;
}

void aero_daemon_hooks_again(struct aero_daemon *d)
{
	char *dir = folder(d->conf);

	if (dir != NULL)
		(void)aero_hooks_configure(d->hooks.hooks, dir);
	free(dir);
}

/* Whom another change-over decided than the one that was known, if any was. */
static void masters(struct aero_daemon *d)
{
	struct aero_daemon_hooks *h = &d->hooks;
	const struct aero_masters *now = &d->mirror->status.masters;
	bool news = now->n != h->masters.n;

	for (size_t i = 0; i < now->n; i++) {
		const struct aero_master *was =
			aero_masters_find(&h->masters, now->v[i].hostname);
		struct aero_hook_event event = {.kind = AERO_HOOK_MASTER,
			.epoch = now->v[i].epoch,
			.generation = d->mirror->generation};

		if (was != NULL && was->epoch == event.epoch &&
			strcmp(was->instance_id, now->v[i].instance_id) == 0)
			continue;
		news = true;
		(void)snprintf(
			event.hostname, sizeof(event.hostname), "%s", now->v[i].hostname);
		(void)snprintf(
			event.service, sizeof(event.service), "%s", now->v[i].service);
		if (h->masters_known)
			aero_hooks_add(h->hooks, &event);
	}
	h->masters_known = true;
	if (!news)
		return;
	aero_masters_clear(&h->masters);
	for (size_t i = 0; i < now->n; i++)
		(void)aero_masters_add(&h->masters, &now->v[i]);
}

void aero_daemon_hooks_step(struct aero_daemon *d, bool done)
{
	struct aero_daemon_hooks *h = &d->hooks;
	const struct aero_mirror *m = d->mirror;
	struct aero_hook_event event = {.generation = m->generation};

	/* '': a mirror that has just begun, not a name that was lost. */
	if (done && m->named[0] != '\0' && strcmp(h->named, m->named) != 0) {
		event.kind = AERO_HOOK_RENAMED;
		(void)snprintf(event.hostname, sizeof(event.hostname), "%s", m->named);
		(void)snprintf(
			event.old_hostname, sizeof(event.old_hostname), "%s", h->named);
		if (h->named[0] != '\0')
			aero_hooks_add(h->hooks, &event);
		(void)snprintf(h->named, sizeof(h->named), "%s", m->named);
	}
	if (done && h->generation != m->generation) {
		event = (struct aero_hook_event){
			.kind = AERO_HOOK_PUBLISHED, .generation = m->generation};
		(void)snprintf(event.hostname, sizeof(event.hostname), "%s", m->named);
		aero_hooks_add(h->hooks, &event);
		h->generation = m->generation;
	}
	if (done && m->set_made)
		masters(d);
	(void)aero_hooks_step(h->hooks, aero_clock_ms());
}
