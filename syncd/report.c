/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "syncd/report.h"

#define SHADOWS_LOGGED 20 /* the rest is in the status */

void aero_report_text(char **text, const char *now)
{
	char *copy;

	if (*text != NULL && strcmp(*text, now) == 0)
		return;
	copy = strdup(now);
	if (copy == NULL)
		return;
	free(*text);
	*text = copy;
}

int aero_report_init(struct aero_status *status, const char *server, struct aero_err *err)
{
	status->pid = getpid();
	status->started = aero_unix_ms();
	aero_report_text(&status->mode, "starting");
	aero_report_text(&status->server, server);
	aero_report_text(&status->error, "");
	aero_report_text(&status->hostname, "");
	if (status->mode == NULL || status->server == NULL || status->error == NULL ||
		status->hostname == NULL)
		return aero_err_set(err, AERO_NOMEM, "status: out of memory");
	return AERO_OK;
}

static bool was_refused(const struct aero_status *status, const struct aero_refused *one)
{
	for (size_t i = 0; i < status->n_refused_listed; i++)
		if (strcmp(status->refused[i].name, one->name) == 0 &&
			strcmp(status->refused[i].why, one->why) == 0)
			return true;
	return false;
}

static void set_refused(struct aero_status *status, const struct aero_answer_set *set)
{
	struct aero_refusal *list = calloc(set->n_listed + 1, sizeof(*list));
	char name[300];
	size_t n = 0;

	if (list == NULL)
		return;
	for (size_t i = 0; i < set->n_listed; i++) {
		if (!was_refused(status, &set->refused[i]))
			aero_log(AERO_WARNING, "refused: name=%s why=\"%s\"",
				aero_quote(set->refused[i].name, name, sizeof(name)),
				set->refused[i].why);
		list[n] = (struct aero_refusal){.name = strdup(set->refused[i].name),
			.why = strdup(set->refused[i].why)};
		if (list[n].name == NULL || list[n].why == NULL) {
			free(list[n].name);
			free(list[n].why);
			break;
		}
		n++;
	}
	for (size_t i = 0; i < status->n_refused_listed; i++) {
		free(status->refused[i].name);
		free(status->refused[i].why);
	}
	free(status->refused);
	status->refused = list;
	status->n_refused_listed = n;
}

void aero_report_set(struct aero_status *status, const struct aero_answer_set *set)
{
	status->documents = (int64_t)set->n_documents;
	status->gaps = (int64_t)set->n_gaps;
	status->n_refused = (int64_t)set->n_refused;
	status->n_cut = (int64_t)set->n_cut;
	set_refused(status, set);
}

static bool was_shadowed(const struct aero_status *status, const char *name)
{
	for (size_t i = 0; i < status->n_shadowed; i++)
		if (strcmp(status->shadowed[i].name, name) == 0)
			return true;
	return false;
}

void aero_report_shadows(struct aero_status *status, struct aero_shadows *shadows)
{
	char name[300];

	for (size_t i = 0; i < shadows->n && i < SHADOWS_LOGGED; i++)
		if (!was_shadowed(status, shadows->v[i].name))
			aero_log(AERO_WARNING,
				"hosts file: line %d defines %s: it is left out of the "
				"block",
				shadows->v[i].line,
				aero_quote(shadows->v[i].name, name, sizeof(name)));
	for (size_t i = 0; i < status->n_shadowed; i++)
		free(status->shadowed[i].name);
	free(status->shadowed);
	status->shadowed = shadows->v;
	status->n_shadowed = shadows->n;
	*shadows = (struct aero_shadows){0}; /* now owned by status */
}

void aero_report_updater(const struct aero_updater_result *result)
{
	const char *at = result->output, *end;

	/* a line each; it is NUL-ended */
	while (at != NULL && *at != '\0') {
		end = strchrnul(at, '\n');
		aero_log(AERO_INFO, "legacy updater: %.*s", (int)(end - at), at);
		at = *end == '\0' ? end : end + 1;
	}
	if (result->output_cut)
		aero_log(AERO_WARNING, "legacy updater: there was more output");
	if (result->warning.msg[0] != '\0')
		aero_log(AERO_WARNING, "legacy updater: %s", result->warning.msg);
}
