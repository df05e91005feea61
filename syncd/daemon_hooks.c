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

void aero_told_load(
	const struct aero_conf *conf, uint64_t generation, struct aero_told *ret)
{
	struct aero_status status = {0};

	*ret = (struct aero_told){.generation = generation};
	if (aero_status_read(conf, &status, NULL) == AERO_OK && status.hostname != NULL) {
		(void)snprintf(ret->named, sizeof(ret->named), "%s", status.hostname);
		ret->masters = status.masters;
		ret->masters_known = true;
		status.masters = (struct aero_masters){0}; /* now the caller's */
	}
	aero_status_clear(&status);
}

void aero_told_clear(struct aero_told *told)
{
	aero_masters_clear(&told->masters);
}

/* '': a mirror that has just begun, not a name that was lost. */
static void renamed(
	struct aero_told *told, const struct aero_mirror *m, struct aero_hooks *hooks)
{
	struct aero_hook_event event = {
		.kind = AERO_HOOK_RENAMED, .generation = m->generation};

	if (m->status.hostname[0] == '\0' || strcmp(told->named, m->status.hostname) == 0)
		return;
	(void)snprintf(event.hostname, sizeof(event.hostname), "%s", m->status.hostname);
	(void)snprintf(event.old_hostname, sizeof(event.old_hostname), "%s", told->named);
	if (told->named[0] != '\0')
		aero_hooks_add(hooks, &event);
	(void)snprintf(told->named, sizeof(told->named), "%s", m->status.hostname);
}

static void published(
	struct aero_told *told, const struct aero_mirror *m, struct aero_hooks *hooks)
{
	struct aero_hook_event event = {
		.kind = AERO_HOOK_PUBLISHED, .generation = m->generation};

	if (told->generation == m->generation)
		return;
	(void)snprintf(event.hostname, sizeof(event.hostname), "%s", m->status.hostname);
	aero_hooks_add(hooks, &event);
	told->generation = m->generation;
}

/* Whom another change-over decided than the one that was known, if any was. */
static void masters(
	struct aero_told *told, const struct aero_mirror *m, struct aero_hooks *hooks)
{
	const struct aero_masters *now = &m->status.masters;
	bool news = now->n != told->masters.n;

	for (size_t i = 0; i < now->n; i++) {
		const struct aero_master *was =
			aero_masters_find(&told->masters, now->v[i].hostname);
		struct aero_hook_event event = {.kind = AERO_HOOK_MASTER,
			.epoch = now->v[i].epoch,
			.generation = m->generation};

		if (was != NULL && was->epoch == event.epoch &&
			strcmp(was->instance_id, now->v[i].instance_id) == 0)
			continue;
		news = true;
		(void)snprintf(
			event.hostname, sizeof(event.hostname), "%s", now->v[i].hostname);
		(void)snprintf(
			event.service, sizeof(event.service), "%s", now->v[i].service);
		if (told->masters_known)
			aero_hooks_add(hooks, &event);
	}
	told->masters_known = true;
	if (!news)
		return;
	aero_masters_clear(&told->masters);
	for (size_t i = 0; i < now->n; i++)
		(void)aero_masters_add(&told->masters, &now->v[i]);
}

/* All that is news. What a start finds in state.mdb may be old: whose name is whose is
 * told once the store was there. */
static void tell(
	struct aero_told *told, const struct aero_mirror *m, struct aero_hooks *hooks)
{
	bool fresh = m->set_made && m->status.last_contact != 0;

	if (fresh)
		renamed(told, m, hooks);
	published(told, m, hooks);
	if (fresh)
		masters(told, m, hooks);
}

void aero_hooks_once(
	const struct aero_conf *conf, const struct aero_mirror *m, struct aero_told *told)
{
	char *dir = folder(conf);
	struct aero_hooks *hooks = dir != NULL ? aero_hooks_new(dir) : NULL;

	if (hooks != NULL) {
		tell(told, m, hooks);
		aero_hooks_run(hooks);
	}
	aero_hooks_free(hooks);
	free(dir);
}

bool aero_daemon_hooks_start(struct aero_daemon *d)
{
	char *dir = folder(d->conf);

	if (dir != NULL)
		d->hooks = aero_hooks_new(dir);
	free(dir);
	aero_told_load(d->conf, d->mirror->generation, &d->told);
	return d->hooks != NULL;
}

void aero_daemon_hooks_again(struct aero_daemon *d)
{
	char *dir = folder(d->conf);

	if (dir != NULL)
		(void)aero_hooks_configure(d->hooks, dir);
	free(dir);
}

void aero_daemon_hooks_step(struct aero_daemon *d, bool done)
{
	if (done)
		tell(&d->told, d->mirror, d->hooks);
	(void)aero_hooks_step(d->hooks, aero_clock_ms());
}
