/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "register/reap.h"
#include "register/session.h"
#include "server/history.h"
#include "server/pass.h"
#include "server/view.h"

#define HELP_MS 10000

/* Somebody who is judged: who is in a slot, whom an open change-over promotes, or who has
 * a death certificate. */
struct row {
	const char *instance_id;
	const struct aero_slot *slot; /* NULL: the node alone */
	struct aero_reap reap;
	struct aero_candidate candidate;
	char why[64]; /* of its death, with the cloud's word */
};

struct work {
	struct aero_pass *pass;
	struct aero_pass_result *result;
	struct aero_view view;
	struct aero_listing listing;
	struct row *rows;
	size_t n_rows;
	bool listed;      /* the cloud gave a complete listing */
	int64_t store_ms; /* cloud: lease: its clock, read before the nodes */
	struct aero_judgement judgement;
	struct aero_tenures now; /* as read, by hostname */
};

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

/* ---- who is judged ---- */

/* How a row's counters are found again; '' = they are not kept. */
static const char *key_of(const struct row *row)
{
	return row->slot != NULL ? row->slot->hostname : "";
}

static void add_row(struct work *work, const char *id, const struct aero_slot *slot)
{
	struct aero_pass *pass = work->pass;
	struct row *row = &work->rows[work->n_rows++];
	struct aero_node node = aero_view_node(&work->view, id);
	const struct aero_tenure *was;

	*row = (struct row){.instance_id = id, .slot = slot};
	aero_reap_begin(&row->reap, pass->store, id, slot);
	aero_reap_known(&row->reap, &node);
	row->candidate.judgeable =
		row->reap.step == AERO_REAP_B2 && aero_cloud_knows(pass->conf, id, &node);
	was = aero_tenures_find(pass->tenures, key_of(row));
	if (was != NULL && slot != NULL && was->reg == slot->reg &&
		strcmp(was->instance_id, id) == 0)
		row->candidate.tally = was->tally;
}

/* What no filter of ours could name is left alone; `aerostatd --check` shows it. */
static int make_rows(struct work *work, struct aero_err *err)
{
	const struct aero_view *view = &work->view;

	work->rows = calloc(
		view->slots.n + view->n_ops + view->n_nodes + 1, sizeof(*work->rows));
	if (work->rows == NULL)
		return no_memory(err);
	for (size_t i = 0; i < view->slots.n; i++) {
		const struct aero_slot *slot = &view->slots.v[i];

		if (!slot->odd && *slot->hostname != '\0' && !aero_slot_blank(slot) &&
			!aero_view_node(view, slot->who.instance_id).odd)
			add_row(work, slot->who.instance_id, slot);
	}
	work->result->slots = view->slots.n;
	work->result->names = work->n_rows;
	for (size_t i = 0; i < view->n_ops; i++)
		if (!aero_view_held(view, view->ops[i].promote) &&
			!aero_view_node(view, view->ops[i].promote).odd)
			add_row(work, view->ops[i].promote, NULL);
	for (size_t i = 0; i < view->n_nodes; i++)
		if (view->nodes[i].node.dead && !view->nodes[i].node.odd &&
			!aero_view_held(view, view->nodes[i].id))
			add_row(work, view->nodes[i].id, NULL);
	return AERO_OK;
}

/* ---- the evidence: after what it is about was read ---- */

/* cloud: lease: the collection itself is the listing. */
static bool by_lease(const struct work *work)
{
	return work->pass->list != NULL && work->pass->conf->cloud == AERO_CLOUD_LEASE;
}

static int ask_cloud(struct work *work, struct aero_err *err)
{
	struct aero_pass *pass = work->pass;
	int rc = by_lease(work)
			 ? aero_lease_list(&pass->tenures->lease, pass->conf, &work->view,
				   work->store_ms, pass->now_ms, &work->listing, err)
			 : pass->list(pass->conf, pass->stop_fd, &work->listing, err);

	if (rc == AERO_AGAIN && by_lease(work))
		aero_log(AERO_INFO, "lease: nobody is judged dead: %s", err->msg);
	else if (rc != AERO_OK)
		return aero_err_prefix(err, rc, "nobody is judged dead: the cloud");
	work->listed = rc == AERO_OK;
	for (size_t i = 0; i < work->n_rows; i++) {
		struct row *row = &work->rows[i];
		const struct aero_listed *found =
			aero_listing_find(&work->listing, row->instance_id);

		row->candidate.sight = found != NULL ? found->sight : AERO_SIGHT_ABSENT;
		(void)snprintf(row->why, sizeof(row->why), "%s",
			found != NULL ? found->state : "not listed any more");
	}
	return AERO_OK;
}

/* The dead that hold nothing are no part of the fleet that the guard counts. */
static void judge(struct work *work)
{
	const struct aero_conf *conf = work->pass->conf;
	struct aero_rules rules = {
		.absent_passes = (unsigned)conf->absent_passes,
		.absent_ms = by_lease(work) ? aero_lease_limits(conf).absent_ms : 0,
		.grace_ms = (int64_t)conf->grace * 1000,
		.cap_percent = (unsigned)conf->reap_cap_percent,
		.cap_min = (unsigned)conf->reap_cap_min,
		.force = conf->force,
	};
	struct aero_candidate *v = calloc(work->n_rows + 1, sizeof(*v));
	size_t n = 0;

	if (v == NULL) { /* nobody is judged */
		work->listed = false;
		return;
	}
	for (size_t i = 0; i < work->n_rows; i++)
		if (!work->rows[i].reap.node.dead)
			v[n++] = work->rows[i].candidate;
	work->judgement =
		aero_rules_judge(&rules, work->listed, v, n, work->pass->now_ms);
	n = 0;
	for (size_t i = 0; i < work->n_rows; i++)
		if (!work->rows[i].reap.node.dead)
			work->rows[i].candidate = v[n++];
	free(v);
}

static void decide(struct work *work, struct row *row)
{
	enum aero_evidence evidence = AERO_EVIDENCE_NONE;

	if (row->reap.node.dead)
		evidence = work->listed && row->candidate.judgeable &&
					   row->candidate.sight == AERO_SIGHT_RUNS
				   ? AERO_EVIDENCE_RUNS
				   : AERO_EVIDENCE_NONE;
	else if (aero_verdict_goes(row->candidate.verdict))
		evidence = AERO_EVIDENCE_DEAD;
	work->result->held += row->candidate.verdict == AERO_VERDICT_HELD;
	aero_reap_judge(&row->reap, evidence, row->why);
}

/* ---- doing it ---- */

static void plan_line(
	const struct work *work, const struct row *row, const char *what, const char *why)
{
	char name[300], id[300], reason[300];

	(void)fprintf(work->pass->out, "%s %s %s: %s\n", what,
		aero_show(row->slot != NULL ? row->slot->hostname : "-", name,
			sizeof(name)),
		aero_show(row->instance_id, id, sizeof(id)),
		aero_show(why, reason, sizeof(reason)));
}

/* Why this row is as it is, in words; static. */
static const char *reason(const struct row *row)
{
	static char text[192];
	const struct aero_node *node = &row->reap.node;

	if (node->left || node->dead) {
		(void)snprintf(text, sizeof(text), "%s%s%s",
			node->dead ? "declared dead" : "it gave its name back",
			node->dead && *node->why != '\0' ? ": " : "",
			node->dead ? node->why : "");
		return text;
	}
	(void)snprintf(text, sizeof(text),
		row->candidate.judgeable && *row->why != '\0' ? "%s (%s)" : "%s",
		aero_verdict_words(row->candidate.verdict), row->why);
	return text;
}

static void event(struct work *work, enum aero_event what, const struct row *row)
{
	char none[] = "";
	struct aero_tenure who = {.hostname = none, .service = none};
	struct aero_err err;
	char *id = strdup(row->instance_id);

	if (row->slot != NULL) {
		who.hostname = row->slot->hostname;
		who.service = row->slot->service;
		who.reg = row->slot->reg;
	} else {
		who.reg = row->reap.node.gen;
	}
	who.instance_id = id != NULL ? id : none;
	if (aero_history_write(work->pass->store, what, &who, reason(row), aero_unix_ms(),
		    &err) != AERO_OK)
		aero_log(AERO_WARNING, "history: %s", err.msg);
	free(id);
}

static void tell(struct work *work, const struct row *row)
{
	const char *name = row->slot != NULL ? row->slot->hostname : "-";
	bool late = row->reap.node.left || row->reap.node.dead;
	char a[160], b[160];

	if (row->reap.cleared) {
		aero_log(AERO_INFO, "reap: %s runs: its death certificate is taken back",
			aero_quote(row->instance_id, a, sizeof(a)));
		work->result->cleared++;
		event(work, AERO_EVENT_CLEARED, row);
	}
	if (!row->reap.blanked)
		return;
	*(late ? &work->result->late : &work->result->reaped) += 1;
	aero_log(AERO_WARNING, "reap: %s is free: %s: %s", aero_quote(name, a, sizeof(a)),
		aero_quote(row->instance_id, b, sizeof(b)), reason(row));
	event(work, late && row->reap.node.left ? AERO_EVENT_LEFT : AERO_EVENT_REAPED,
		row);
}

/* One candidate to its end. */
static int finish(struct work *work, struct row *row, struct aero_err *err)
{
	bool late = row->reap.node.left || row->reap.node.dead;
	int rc = AERO_OK;

	decide(work, row);
	if (!work->pass->conf->dryrun) {
		while (rc == AERO_OK && row->reap.step != AERO_REAP_DONE)
			rc = aero_reap_step(&row->reap, err);
		tell(work, row);
		return rc;
	}
	if (row->reap.step == AERO_REAP_B5) {
		plan_line(work, row, "clear", "it runs after all");
		work->result->cleared++;
	} else if (row->reap.step != AERO_REAP_DONE) {
		plan_line(work, row, "reap", reason(row));
		*(late ? &work->result->late : &work->result->reaped) +=
			row->slot != NULL;
	} else if (row->slot != NULL && row->candidate.verdict != AERO_VERDICT_RUNS) {
		plan_line(work, row, "keep", reason(row));
	}
	return rc;
}

static uint64_t random_bits(void *arg)
{
	(void)arg;
	return aero_random();
}

/* Whoever meets an open change-over finishes it. */
static int help(struct work *work, struct aero_err *err)
{
	int rc = AERO_OK;

	for (size_t i = 0; rc == AERO_OK && i < work->view.n_ops; i++) {
		const struct aero_view_op *op = &work->view.ops[i];
		struct aero_session session = {.conf = work->pass->conf,
			.store = work->pass->store,
			.deadline = aero_clock_ms() + HELP_MS,
			.lock_fd = -1};
		struct aero_actor actor = {0};
		struct aero_occupant me = {.instance_id = op->promote};
		char service[300], to[300];

		if (work->pass->conf->dryrun) {
			(void)fprintf(work->pass->out,
				"finish the change-over of %s to %s\n",
				aero_show(op->service, service, sizeof(service)),
				aero_show(op->promote, to, sizeof(to)));
			work->result->helped++;
			continue;
		}
		aero_actor_begin(&actor, AERO_ACT_HELP, session.store, op->service, true,
			&me, random_bits, NULL);
		rc = aero_session_drive(&session, &actor, err);
		aero_actor_clear(&actor);
		if (rc != AERO_OK)
			return aero_err_prefix(
				err, rc, "the change-over of %.100s", op->service);
		aero_log(AERO_INFO, "change-over: finished an open one service=%s to=%s",
			aero_show(op->service, service, sizeof(service)),
			aero_show(op->promote, to, sizeof(to)));
		work->result->helped++;
	}
	return rc;
}

/* ---- what the next pass is told ---- */

/* Who is in the slots, with the counters as they are now; of those alone that are not
 * blank by now, if asked. */
static int tenures_of(const struct work *work, bool left_alone, struct aero_tenures *ret,
	struct aero_err *err)
{
	struct aero_tenures tenures = {.known = true};

	for (size_t i = 0; i < work->n_rows; i++) {
		const struct row *row = &work->rows[i];
		struct aero_tenure t;

		if (row->slot == NULL || (left_alone && row->reap.blanked))
			continue;
		t = (struct aero_tenure){
			.hostname = row->slot->hostname, /* lent */
			.instance_id = row->slot->who.instance_id,
			.service = row->slot->service,
			.reg = row->slot->reg,
			.epoch = row->slot->epoch,
			.tally = row->candidate.tally,
		};
		if (!aero_tenures_add(&tenures, &t)) {
			aero_tenures_clear(&tenures);
			return no_memory(err);
		}
	}
	aero_tenures_sort(&tenures);
	*ret = tenures;
	return AERO_OK;
}

static void note_changes(const struct work *work)
{
	struct aero_err err;

	if (aero_history_changes(work->pass->store, work->pass->tenures, &work->now,
		    &work->view, aero_unix_ms(), &err) != AERO_OK)
		aero_log(AERO_WARNING, "history: %s", err.msg);
}

static int keep(struct work *work, struct aero_err *err)
{
	struct aero_tenures after = {0};
	int rc = tenures_of(work, true, &after, err);

	if (rc == AERO_OK) {
		after.lease = work->pass->tenures->lease;
		aero_tenures_clear(work->pass->tenures);
		*work->pass->tenures = after;
	}
	return rc;
}

static int held(const struct work *work, struct aero_err *err)
{
	return aero_err_set(err, AERO_REFUSED,
		"%zu of %zu names would go at once, the guard lets %zu "
		"(reap_cap_percent, reap_cap_min): %zu held; look at `aerostatd --once "
		"--dryrun`, and give --force if they are dead",
		work->judgement.proposed, work->judgement.judged, work->judgement.cap,
		work->result->held);
}

/* What failed first is what the pass says; what needs it not is done all the same. */
static int first(int rc, struct aero_err *err, int now, const struct aero_err *of_now)
{
	if (rc == AERO_OK && now != AERO_OK)
		*err = *of_now;
	return rc == AERO_OK ? now : rc;
}

static int run(struct work *work, struct aero_err *err)
{
	struct aero_pass *pass = work->pass;
	struct aero_err why = {""};
	int rc = AERO_OK, listing = AERO_OK;

	if (by_lease(work)) /* before the nodes: no age is too long */
		rc = aero_store_clock(pass->store, &work->store_ms, err);
	if (rc == AERO_OK)
		rc = aero_view_read(pass->store, &work->view, err);
	if (rc == AERO_OK)
		rc = make_rows(work, err);
	if (rc == AERO_OK)
		rc = tenures_of(work, false, &work->now, err);
	if (rc != AERO_OK)
		return rc;
	if (pass->list != NULL)
		listing = ask_cloud(work, &why);
	judge(work);
	for (size_t i = 0; rc == AERO_OK && i < work->n_rows; i++)
		rc = finish(work, &work->rows[i], err);
	if (rc == AERO_OK)
		rc = help(work, err);
	if (pass->conf->dryrun)
		return first(rc, err, listing, &why);
	if (pass->tenures->known)
		note_changes(work);
	rc = first(rc, err, listing, &why);
	listing = keep(work, &why);
	return first(rc, err, listing, &why);
}

int aero_pass_run(
	struct aero_pass *pass, struct aero_pass_result *ret, struct aero_err *err)
{
	struct aero_pass_result result = {0};
	struct work work = {.pass = pass, .result = &result};
	int rc = run(&work, err);

	if (rc == AERO_OK && result.held > 0)
		rc = held(&work, err);
	*ret = result;
	free(work.rows);
	aero_listing_clear(&work.listing);
	aero_tenures_clear(&work.now);
	aero_view_clear(&work.view);
	return rc;
}
