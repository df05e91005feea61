/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "syncd/hooks.h"

static const char *const kind_names[AERO_HOOK_KINDS] = {
	[AERO_HOOK_RENAMED] = "renamed",
	[AERO_HOOK_PUBLISHED] = "published",
	[AERO_HOOK_MASTER] = "master",
};

struct aero_hooks {
	char *dir;
	struct aero_hook_event *waiting;
	size_t n_waiting;
	struct aero_hook_event event; /* the one whose programs run */
	struct aero_list programs;    /* its programs, and which is next */
	size_t next;
	struct aero_child *child; /* runs; or NULL */
};

/* ---- which programs ---- */

/* What another user could have put there is not run as root. */
static const char *unsafe(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it belongs to another user";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "group or others may write to it";
	return NULL;
}

static bool runnable(int dir, const char *path, const char *name)
{
	const char *why;
	struct stat st;

	if (*name == '.' || fstatat(dir, name, &st, 0) != 0 || !S_ISREG(st.st_mode) ||
		(st.st_mode & 0111) == 0)
		return false;
	why = unsafe(&st);
	if (why != NULL)
		aero_log(AERO_WARNING, "hook: '%s/%s' is not run: %s", path, name, why);
	return why == NULL;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_programs(const char *path, struct aero_list *ret)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	const char *why;
	struct stat st;
	char *program;

	if (dir == NULL) {
		if (errno != ENOENT)
			aero_log(AERO_WARNING, "hook: '%s': %s", path, strerror(errno));
		return;
	}
	why = fstat(dirfd(dir), &st) != 0 ? strerror(errno) : unsafe(&st);
	if (why != NULL)
		aero_log(AERO_WARNING, "hook: nothing in '%s' is run: %s", path, why);
	while (why == NULL && (entry = readdir(dir)) != NULL) {
		if (!runnable(dirfd(dir), path, entry->d_name))
			continue;
		if (asprintf(&program, "%s/%s", path, entry->d_name) < 0)
			break;
		(void)aero_list_add(ret, program);
		free(program);
	}
	(void)closedir(dir);
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_bytes);
}

/* ---- running one ---- */

static bool add_variable(struct aero_list *env, const char *name, const char *value)
{
	char *text;
	bool ok = asprintf(&text, "AEROSTAT_%s=%s", name, value) >= 0;

	if (ok) {
		ok = aero_list_add(env, text);
		free(text);
	}
	return ok;
}

static bool environment(const struct aero_hook_event *event, struct aero_list *env)
{
	char epoch[24] = "", generation[24];

	if (event->kind == AERO_HOOK_MASTER)
		(void)snprintf(epoch, sizeof(epoch), "%" PRId64, event->epoch);
	(void)snprintf(generation, sizeof(generation), "%" PRIu64, event->generation);
	return add_variable(env, "EVENT", kind_names[event->kind]) &&
	       add_variable(env, "HOSTNAME", event->hostname) &&
	       add_variable(env, "OLD_HOSTNAME", event->old_hostname) &&
	       add_variable(env, "SERVICE", event->service) &&
	       add_variable(env, "EPOCH", epoch) &&
	       add_variable(env, "GENERATION", generation);
}

static void start(struct aero_hooks *hooks, int64_t now)
{
	char *program = hooks->programs.v[hooks->next++];
	char *kind = strdup(kind_names[hooks->event.kind]);
	char *argv[] = {program, kind, NULL};
	struct aero_list env = {0};
	struct aero_child_opts opts = {.what = "hook",
		.argv = argv,
		.env = &env,
		.timeout_ms = AERO_HOOK_TIMEOUT_MS};
	struct aero_err err;

	if (kind == NULL || !environment(&hooks->event, &env))
		aero_log(AERO_ERROR, "hook: '%s': out of memory", program);
	else if (aero_child_start(&opts, now, &hooks->child, &err) != AERO_OK)
		aero_log(AERO_ERROR, "%s", err.msg);
	aero_list_clear(&env);
	free(kind);
}

static void finish(struct aero_hooks *hooks)
{
	const char *program = hooks->programs.v[hooks->next - 1];
	struct aero_child_output output;
	struct aero_err err;
	char shown[512];

	aero_child_output(hooks->child, &output);
	if (output.len > 0)
		aero_log(AERO_INFO, "hook: program=%s said=%s%s", program,
			aero_quote(output.text, shown, sizeof(shown)),
			output.cut ? " and more" : "");
	if (aero_child_check(hooks->child, &err) != AERO_OK)
		aero_log(AERO_ERROR, "%s event=%s", err.msg,
			kind_names[hooks->event.kind]);
	aero_child_free(hooks->child);
	hooks->child = NULL;
}

/* ---- the queue ---- */

struct aero_hooks *aero_hooks_new(const char *dir)
{
	struct aero_hooks *hooks = calloc(1, sizeof(*hooks));

	if (hooks != NULL && !aero_hooks_configure(hooks, dir)) {
		free(hooks);
		hooks = NULL;
	}
	return hooks;
}

bool aero_hooks_configure(struct aero_hooks *hooks, const char *dir)
{
	char *copy = strdup(dir);

	if (copy == NULL)
		return false;
	free(hooks->dir);
	hooks->dir = copy;
	return true;
}

void aero_hooks_free(struct aero_hooks *hooks)
{
	if (hooks == NULL)
		return;
	aero_child_free(hooks->child);
	aero_list_clear(&hooks->programs);
	free(hooks->waiting);
	free(hooks->dir);
	free(hooks);
}

/* The newer takes the place of the older; a node renamed twice had its name from the
 * first. */
static void merge(struct aero_hook_event *old, const struct aero_hook_event *event)
{
	struct aero_hook_event merged = *event;

	if (event->kind == AERO_HOOK_RENAMED)
		memcpy(merged.old_hostname, old->old_hostname,
			sizeof(merged.old_hostname));
	*old = merged;
}

void aero_hooks_add(struct aero_hooks *hooks, const struct aero_hook_event *event)
{
	struct aero_hook_event *grown;

	if (*hooks->dir == '\0')
		return;
	for (size_t i = 0; i < hooks->n_waiting; i++) {
		if (hooks->waiting[i].kind == event->kind &&
			strcmp(hooks->waiting[i].service, event->service) == 0) {
			merge(&hooks->waiting[i], event);
			return;
		}
	}
	grown = realloc(hooks->waiting, (hooks->n_waiting + 1) * sizeof(*grown));
	if (grown == NULL) {
		aero_log(AERO_ERROR, "hook: out of memory: event=%s is lost",
			kind_names[event->kind]);
		return;
	}
	grown[hooks->n_waiting++] = *event;
	hooks->waiting = grown;
}

static void next_event(struct aero_hooks *hooks)
{
	hooks->event = hooks->waiting[0];
	memmove(hooks->waiting, hooks->waiting + 1,
		--hooks->n_waiting * sizeof(*hooks->waiting));
	aero_list_clear(&hooks->programs);
	hooks->next = 0;
	list_programs(hooks->dir, &hooks->programs);
}

bool aero_hooks_step(struct aero_hooks *hooks, int64_t now)
{
	if (hooks->child != NULL && aero_child_step(hooks->child, now))
		finish(hooks);
	while (hooks->child == NULL) {
		if (hooks->next < hooks->programs.n)
			start(hooks, now);
		else if (hooks->n_waiting > 0)
			next_event(hooks);
		else
			return false;
	}
	return true;
}

const struct aero_child *aero_hooks_child(const struct aero_hooks *hooks)
{
	return hooks->child;
}

void aero_hooks_run(struct aero_hooks *hooks)
{
	while (aero_hooks_step(hooks, aero_clock_ms()))
		aero_child_wait(hooks->child);
}
