/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/identity.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "register/mark.h"
#include "register/plan.h"
#include "register/register.h"
#include "register/report.h"
#include "register/session.h"

/* ---- register ---- */

struct register_plan {
	const struct aero_session *session;
	struct aero_plan plan;
};

static int plan_register(void *arg, struct aero_err *err)
{
	struct register_plan *plan = arg;
	const struct aero_info *info = &plan->session->info;

	return aero_plan_register(plan->session->store, info->service, info->masterful,
		plan->session->me.instance_id, &plan->plan, err);
}

static int register_really(struct aero_session *session, FILE *out, struct aero_err *err)
{
	struct aero_actor actor = {0};
	struct aero_err of_beat;
	int rc;

	aero_actor_begin(&actor, AERO_ACT_REGISTER, session->store, session->info.service,
		session->info.masterful, &session->me, aero_session_random, NULL);
	rc = aero_session_drive(session, &actor, err);
	/* It runs; and it may have no mark for its daemon to send heartbeats by. */
	if (rc == AERO_AGAIN && actor.node.dead &&
		aero_conf_heartbeat_ms(session->conf) != 0)
		(void)aero_store_node_seen(
			session->store, session->me.instance_id, &of_beat);
	if (rc == AERO_OK)
		rc = aero_mark_registered(session, actor.hostname, err);
	if (rc == AERO_OK)
		aero_report_register(session, out, actor.hostname, actor.how);
	aero_actor_clear(&actor);
	return rc;
}

int aero_register_run(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	struct aero_session session;
	struct register_plan plan = {.session = &session};
	int rc = aero_session_begin(conf, &session, err);

	if (rc == AERO_OK)
		rc = aero_session_info(&session, err);
	if (rc == AERO_OK)
		rc = aero_identity_find(conf, &session.asked, &session.me, err);
	if (rc == AERO_OK && !aero_list_copy(&session.info.aliases, &session.me.aliases))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK)
		rc = aero_session_store(&session, err);
	if (rc == AERO_OK)
		rc = aero_session_indexes(&session, out, err);
	if (rc == AERO_OK && !conf->dryrun) {
		rc = register_really(&session, out, err);
	} else if (rc == AERO_OK) {
		rc = aero_session_try(&session, plan_register, &plan, err);
		if (rc == AERO_OK)
			aero_report_register(
				&session, out, plan.plan.hostname, plan.plan.how);
	}
	aero_plan_clear(&plan.plan);
	aero_session_close(&session);
	return rc;
}

/* ---- who this node is, once registered ---- */

/* The id alone counts: the flag's, identity.json's, or found out. *ret_here: it is known
 * to be this machine, whose hostname and identity.json are ours to change. */
static int who_is_it(struct aero_session *session, bool *ret_here, struct aero_err *err)
{
	const struct aero_conf *conf = session->conf;
	struct aero_identity identity = {0};
	bool foreign = false, flag = *conf->instance_id != '\0', ours;
	int rc = aero_identity_load(conf, &identity, &foreign, err);

	/* there, but not to be read now: what follows would leave it as it is */
	if (rc != AERO_OK && rc != AERO_MISS && rc != AERO_BAD && !conf->dryrun)
		return rc;
	if (rc != AERO_OK && rc != AERO_MISS)
		aero_log(AERO_WARNING, "identity: %s", err->msg);
	if (rc == AERO_OK && foreign)
		aero_log(AERO_WARNING, "identity: identity.json is of another machine "
				       "(an image?); not used");
	ours = rc == AERO_OK && !foreign;
	if (rc == AERO_OK && (foreign || (conf->offline && !flag)))
		rc = AERO_MISS;
	if (flag || rc == AERO_OK) {
		session->me = (struct aero_occupant){
			.instance_id = strdup(
				flag ? conf->instance_id : identity.who.instance_id),
			.ip = strdup(""),
			.ip6 = strdup(""),
		};
		rc = AERO_OK;
		if (session->me.instance_id == NULL || session->me.ip == NULL ||
			session->me.ip6 == NULL)
			rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	} else {
		rc = aero_identity_find(conf, &session->asked, &session->me, err);
	}
	/* The mark of another id (--offline: test-instance) is not ours to change. */
	*ret_here = !flag;
	if (rc == AERO_OK && ours)
		*ret_here =
			strcmp(session->me.instance_id, identity.who.instance_id) == 0;
	/* Where its slot is gone, the service is still needed to look for open
	 * change-overs. */
	if (rc == AERO_OK && session->info.service == NULL && identity.service != NULL &&
		strcmp(identity.who.instance_id, session->me.instance_id) == 0) {
		session->info.service = identity.service;
		identity.service = NULL; /* now owned by session */
	}
	aero_identity_clear(&identity);
	return rc;
}

/* ---- change-over ---- */

static int plan_master(void *arg, struct aero_err *err)
{
	struct register_plan *plan = arg;

	return aero_plan_master(plan->session->store, plan->session->info.service,
		plan->session->me.instance_id, &plan->plan, err);
}

static int change_master(
	struct aero_session *session, FILE *out, bool here, struct aero_err *err)
{
	struct register_plan plan = {.session = session};
	struct aero_actor actor = {0};
	int rc;

	if (session->conf->dryrun) {
		rc = aero_session_try(session, plan_master, &plan, err);
		if (rc == AERO_OK)
			aero_report_master(session, out, plan.plan.hostname, &plan.plan);
		aero_plan_clear(&plan.plan);
		return rc;
	}
	aero_actor_begin(&actor, AERO_ACT_CHANGE_MASTER, session->store,
		session->info.service, true, &session->me, aero_session_random, NULL);
	rc = aero_session_drive(session, &actor, err);
	if (rc == AERO_OK)
		rc = aero_mark_master(session, actor.hostname, here, err);
	if (rc == AERO_OK)
		aero_report_master(session, out, actor.hostname, NULL);
	aero_actor_clear(&actor);
	return rc;
}

int aero_change_master_run(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	struct aero_session session;
	bool here = false;
	int rc = aero_session_begin(conf, &session, err);

	aero_session_brief(&session);
	if (rc == AERO_OK)
		rc = aero_session_info(&session, err);
	if (rc == AERO_OK && !session.info.masterful)
		rc = aero_err_set(err, AERO_REFUSED,
			"service %s is not masterful: it has no master",
			session.info.service);
	if (rc == AERO_OK)
		rc = who_is_it(&session, &here, err);
	if (rc == AERO_OK)
		rc = aero_session_store(&session, err);
	if (rc == AERO_OK)
		rc = aero_session_indexes(&session, out, err);
	if (rc == AERO_OK)
		rc = change_master(&session, out, here, err);
	aero_session_close(&session);
	return rc;
}

/* ---- release ---- */

struct held {
	const struct aero_session *session;
	struct aero_slot slot;
};

static int find_held(void *arg, struct aero_err *err)
{
	struct held *held = arg;
	int rc = aero_store_by_instance(
		held->session->store, held->session->me.instance_id, &held->slot, err);

	return rc == AERO_MISS ? AERO_OK : rc;
}

static int release(
	struct aero_session *session, FILE *out, bool here, struct aero_err *err)
{
	struct held held = {.session = session};
	struct aero_actor actor = {0};
	int rc = aero_session_try(session, find_held, &held, err);
	const char *service = held.slot.service;

	if (service == NULL || *service == '\0')
		service = session->info.service != NULL ? session->info.service : "";
	if (rc == AERO_OK && session->conf->dryrun) {
		aero_report_release(session, out,
			held.slot.hostname != NULL ? held.slot.hostname : "");
	} else if (rc == AERO_OK) {
		aero_actor_begin(&actor, AERO_ACT_RELEASE, session->store, service, true,
			&session->me, aero_session_random, NULL);
		rc = aero_session_drive(session, &actor, err);
		if (rc == AERO_OK && here)
			rc = aero_identity_remove(session->conf, err);
		if (rc == AERO_OK)
			aero_report_release(session, out, actor.hostname);
	}
	aero_actor_clear(&actor);
	aero_slot_clear(&held.slot);
	return rc;
}

int aero_release_run(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	struct aero_session session;
	bool here = false;
	int rc = aero_session_begin(conf, &session, err);

	aero_session_brief(&session);
	if (rc == AERO_OK)
		rc = who_is_it(&session, &here, err);
	if (rc == AERO_OK)
		rc = aero_session_store(&session, err);
	if (rc == AERO_OK)
		rc = release(&session, out, here, err);
	aero_session_close(&session);
	return rc;
}
