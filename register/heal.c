/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/identity.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "register/heal.h"
#include "register/mark.h"

#define APART_MIN_MS 1000
#define APART_MAX_MS 3000

/* Who identity.json says that this machine is; AERO_MISS: it is not ours to heal. */
static int who_am_i(struct aero_session *session, struct aero_err *err)
{
	struct aero_identity identity = {0};
	int rc = aero_identity_own(session->conf, &identity, err);

	aero_occupant_clear(&session->me);
	aero_info_clear(&session->info);
	if (rc == AERO_OK) {
		session->me = identity.who;
		identity.who = (struct aero_occupant){0}; /* now owned by session */
		session->info.service = identity.service;
		identity.service = NULL; /* now owned by session */
		(void)snprintf(session->info.from, sizeof(session->info.from), "%.199s",
			identity.service_from);
		session->info.masterful =
			identity.type != NULL && strcmp(identity.type, "masterful") == 0;
	}
	aero_identity_clear(&identity);
	return rc;
}

/* One look. AERO_OK: it has a slot, whose name is in hostname; AERO_MISS: none. *ret_old:
 * the slot answers with another address than the one that was registered last. A
 * change-over that was opened just before puts the old one back (doc/naming.md 5). */
static int look(struct aero_session *session, char hostname[256], bool *ret_old,
	struct aero_err *err)
{
	struct aero_slot slot = {0};
	int rc = aero_store_by_instance(
		session->store, session->me.instance_id, &slot, err);

	hostname[0] = '\0';
	*ret_old = false;
	if (rc == AERO_OK) {
		(void)snprintf(hostname, 256, "%s", slot.hostname);
		*ret_old = strcmp(slot.who.ip, session->me.ip) != 0 ||
			   strcmp(slot.who.ip6, session->me.ip6) != 0;
	}
	/* Nameless: left half way by the original's change-over (rule N). */
	if (rc == AERO_OK && hostname[0] == '\0')
		rc = AERO_MISS;
	aero_slot_clear(&slot);
	return rc;
}

static bool names_me(const struct aero_session *session, const struct aero_control *op)
{
	const char *me = session->me.instance_id;

	return op->open && ((op->promote.instance_id != NULL &&
				    strcmp(op->promote.instance_id, me) == 0) ||
				   (op->master.instance_id != NULL &&
					   strcmp(op->master.instance_id, me) == 0));
}

/* *ret: what is to heal, in words; NULL: nothing. */
static int needed(struct aero_session *session, char hostname[256], const char **ret,
	struct aero_err *err)
{
	int64_t apart = APART_MIN_MS +
			(int64_t)(aero_random() % (APART_MAX_MS - APART_MIN_MS + 1));
	struct timespec time = {apart / 1000, (apart % 1000) * 1000000};
	struct aero_control op = {0};
	bool old = false;
	int rc = look(session, hostname, &old, err);

	if (rc == AERO_MISS) {
		(void)nanosleep(&time, NULL);
		rc = look(session, hostname, &old, err);
	}
	*ret = rc == AERO_MISS ? "it has lost its slot"
	       : old           ? "its slot has another address than it registered"
			       : NULL;
	if (rc == AERO_OK && !old && session->info.masterful) {
		rc = aero_store_control(session->store, session->info.service, &op, err);
		if (rc == AERO_OK && names_me(session, &op))
			*ret = "an unfinished change-over names it";
		aero_control_clear(&op);
	}
	return rc == AERO_MISS ? AERO_OK : rc;
}

/* Under the lock of registrations, and with what identity.json says by now: a release or
 * another registration may have been quicker. */
static int heal(struct aero_session *session, const char *why, bool again,
	enum aero_healed *ret, char hostname[256], struct aero_err *err)
{
	struct aero_actor actor = {0};
	struct aero_node node;
	int rc = aero_session_lock(session, err);

	if (rc == AERO_OK)
		rc = who_am_i(session, err);
	if (rc == AERO_OK)
		rc = aero_store_node(session->store, session->me.instance_id, &node, err);
	if (rc != AERO_OK)
		return rc;
	if (node.left || node.dead) {
		*ret = AERO_HEAL_LEFT;
		return AERO_OK;
	}
	aero_log(again ? AERO_DEBUG : AERO_WARNING,
		"self-heal: registering %.64s again: %s", session->me.instance_id, why);
	aero_actor_begin(&actor, AERO_ACT_REGISTER, session->store, session->info.service,
		session->info.masterful, &session->me, aero_session_random, NULL);
	/* It may be released or declared dead at any moment. */
	actor.asked = false;
	rc = aero_session_drive(session, &actor, err);
	if (rc == AERO_OK) {
		(void)snprintf(hostname, 256, "%s", actor.hostname);
		rc = aero_mark_registered(session, hostname, err);
	}
	if (rc == AERO_OK)
		*ret = AERO_HEAL_DONE;
	aero_actor_clear(&actor);
	return rc;
}

int aero_heal_run(const struct aero_conf *conf, bool again, enum aero_healed *ret,
	char ret_hostname[256], struct aero_err *err)
{
	/* Lent strings; and nobody waits for this run. */
	struct aero_conf brief = *conf;
	struct aero_session session;
	char hostname[256] = "";
	enum aero_healed result = AERO_HEAL_NOTHING;
	const char *why = NULL;
	int rc;

	if (brief.register_deadline > AERO_HEAL_DEADLINE)
		brief.register_deadline = AERO_HEAL_DEADLINE;
	aero_session_look(&brief, &session);
	rc = who_am_i(&session, err);
	if (rc == AERO_OK)
		rc = aero_session_store(&session, err);
	if (rc == AERO_OK)
		rc = needed(&session, hostname, &why, err);
	if (rc == AERO_OK && why != NULL)
		rc = heal(&session, why, again, &result, hostname, err);
	if (rc == AERO_MISS) {
		result = AERO_HEAL_NOT_OURS;
		rc = AERO_OK;
	}
	if (rc == AERO_OK) {
		*ret = result;
		(void)snprintf(ret_hostname, 256, "%s", hostname);
	}
	aero_session_close(&session);
	return rc;
}
