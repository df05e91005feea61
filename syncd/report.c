/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "syncd/report.h"

#define SHADOWS_LOGGED 20  /* the rest is in the status */
#define SHADOWS_LISTED 100 /* there */
#define LINES_PER_MINUTE 100
#define UPDATER_LINES 100 /* of one run */

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

/* A store full of new refusals must not fill the disk with log lines. */
static bool may_log(void)
{
	static int64_t since;
	static unsigned lines;
	int64_t now = aero_clock_ms();

	if (since == 0 || now - since >= 60 * 1000) {
		since = now;
		lines = 0;
	}
	if (lines > LINES_PER_MINUTE)
		return false;
	if (lines++ < LINES_PER_MINUTE)
		return true;
	aero_log(AERO_WARNING, "refused: the rest of this minute's are not logged; see "
			       "`aerostat status`");
	return false;
}

static bool was_told(const struct aero_refusals *before, const struct aero_refusal *one)
{
	for (size_t i = 0; i < before->n; i++)
		if (strcmp(before->v[i].name, one->name) == 0 &&
			strcmp(before->v[i].why, one->why) == 0 &&
			strcmp(before->v[i].id, one->id) == 0)
			return true;
	return false;
}

/* Replace a list of the status; what is new in it is logged. */
static void tell(struct aero_refusals *told, const char *what,
	const struct aero_refused *now, size_t n)
{
	struct aero_refusals list = {calloc(n + 1, sizeof(*list.v)), 0};
	char id[128], shown[300], shown_id[300];
	bool ok = list.v != NULL;

	for (size_t i = 0; ok && i < n; i++) {
		struct aero_refusal *one = &list.v[list.n++];

		(void)aero_document_id(now[i].doc, id, sizeof(id));
		*one = (struct aero_refusal){
			strdup(now[i].name), strdup(now[i].why), strdup(id)};
		ok = one->name != NULL && one->why != NULL && one->id != NULL;
		if (ok && !was_told(told, one) && may_log())
			aero_log(AERO_WARNING, "%s: name=%s why=\"%s\" _id=%s", what,
				aero_quote(one->name, shown, sizeof(shown)), one->why,
				aero_quote(one->id, shown_id, sizeof(shown_id)));
	}
	if (!ok) { /* no memory: the old list stays */
		aero_refusals_clear(&list);
		return;
	}
	aero_refusals_clear(told);
	*told = list; /* now the status's */
}

void aero_report_set(struct aero_status *status, const struct aero_answer_set *set)
{
	status->documents = (int64_t)set->n_documents;
	status->gaps = (int64_t)set->n_gaps;
	status->n_refused = (int64_t)set->n_refused;
	status->n_odd = (int64_t)set->n_odd;
	status->n_cut = (int64_t)set->n_cut;
	tell(&status->refused, "refused", set->refused, set->n_listed);
	tell(&status->odd, "a field is ignored", set->odd, set->n_odd_listed);
}

static bool was_shadowed(const struct aero_status *status, const char *name)
{
	for (size_t i = 0; i < status->n_shadowed_listed; i++)
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
	for (size_t i = 0; i < status->n_shadowed_listed; i++)
		free(status->shadowed[i].name);
	free(status->shadowed);
	status->n_shadowed = (int64_t)shadows->n;
	while (shadows->n > SHADOWS_LISTED)
		free(shadows->v[--shadows->n].name);
	status->shadowed = shadows->v;
	status->n_shadowed_listed = shadows->n;
	*shadows = (struct aero_shadows){0}; /* now owned by status */
}

void aero_report_updater(const struct aero_updater_result *result)
{
	const char *at = result->output, *end;
	unsigned lines = 0;

	/* a line each; it is NUL-ended */
	while (at != NULL && *at != '\0' && lines < UPDATER_LINES) {
		end = strchrnul(at, '\n');
		if (end > at) {
			aero_log(AERO_INFO, "legacy updater: %.*s", (int)(end - at), at);
			lines++;
		}
		at = *end == '\0' ? end : end + 1;
	}
	if (result->output_cut || (at != NULL && *at != '\0'))
		aero_log(AERO_WARNING, "legacy updater: there was more output");
	if (result->warning.msg[0] != '\0')
		aero_log(AERO_WARNING, "legacy updater: %s", result->warning.msg);
}
