/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/watch.h"
#include "register/session.h"
#include "server/history.h"
#include "server/mend.h"

#define REGISTER_MS 10000

/* ---- a name for an instance that has none ---- */

/* Its aliases, but for those that another has by now: a newcomer takes them away. */
static bool own_aliases(const struct aero_check *check, const struct aero_check_doc *d,
	struct aero_list *ret)
{
	const struct aero_list *list = &d->slot.who.aliases;

	for (size_t i = 0; i < list->n; i++) {
		bool taken = false;

		for (size_t k = 0; k < check->n_docs; k++)
			taken = taken ||
				(&check->docs[k] != d &&
					aero_list_has(&check->docs[k].slot.who.aliases,
						list->v[i]));
		if (!taken && !aero_list_add(ret, list->v[i]))
			return false;
	}
	return true;
}

/* Rule N leaves the nameless document behind as a gap. */
static int drop_left(
	const struct aero_check_doc *d, struct aero_store *store, struct aero_err *err)
{
	bson_t set = BSON_INITIALIZER, *left;
	struct aero_change change = {.set = &set};
	bool gone;
	int rc = AERO_OK;

	BSON_APPEND_UTF8(&set, "instance_id", "");
	BSON_APPEND_UTF8(&set, "ip", "");
	BSON_APPEND_UTF8(&set, "ip6", "");
	left = aero_change_apply(d->doc, &change, &gone);
	if (left != NULL && !d->foreign)
		rc = aero_store_slot_mend(store, left, NULL, err);
	bson_destroy(left);
	bson_destroy(&set);
	return rc == AERO_MISS ? AERO_OK : rc; /* it is found again */
}

/* Is it still this document that it is in? */
static int still_nameless(
	const struct aero_check_doc *d, struct aero_store *store, struct aero_err *err)
{
	struct aero_slot slot = {0};
	int rc = aero_store_by_instance(store, d->slot.who.instance_id, &slot, err);

	if (rc == AERO_OK && *slot.hostname != '\0')
		rc = aero_err_set(err, AERO_MISS, "the instance has a name by now");
	aero_slot_clear(&slot);
	return rc;
}

static bool same_list(const struct aero_list *a, const struct aero_list *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->v[i], b->v[i]) == 0;
	return same;
}

/* It registers by itself at the same time, and its machine knows better where it is: what
 * an old document says must not be written over that. */
static bool quicker(const struct aero_actor *actor)
{
	const struct aero_occupant *is = &actor->slot.who, *me = actor->me;

	return actor->step == AERO_STEP_R2_RENEW &&
	       (strcmp(is->ip, me->ip) != 0 || strcmp(is->ip6, me->ip6) != 0 ||
		       !same_list(&is->aliases, &me->aliases));
}

static int register_it(const struct aero_check *check, const struct aero_check_doc *d,
	struct aero_store *store, char ret_hostname[static AERO_HOSTNAME_SIZE],
	struct aero_err *err)
{
	struct aero_session session = {.conf = check->conf,
		.store = store,
		.lock_fd = -1,
		.deadline = aero_clock_ms() + REGISTER_MS,
		.ends = quicker};
	struct aero_occupant me = d->slot.who; /* lent, but for the aliases */
	struct aero_actor actor = {0};
	int rc = still_nameless(d, store, err);

	me.aliases = (struct aero_list){0};
	if (rc == AERO_OK && !own_aliases(check, d, &me.aliases))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK) {
		aero_actor_begin(&actor, AERO_ACT_REGISTER, store, d->slot.service,
			aero_slot_masterful(&d->slot), &me, aero_session_random, NULL);
		actor.asked = false; /* it may be released or declared dead meanwhile */
		rc = aero_session_drive(&session, &actor, err);
	}
	if (rc == AERO_OK) {
		(void)snprintf(ret_hostname, AERO_HOSTNAME_SIZE, "%s", actor.hostname);
		rc = drop_left(d, store, err);
	}
	aero_actor_clear(&actor);
	aero_list_clear(&me.aliases);
	return rc;
}

/* ---- the others ---- */

static int insert(const bson_t *doc, struct aero_store *store, struct aero_err *err)
{
	struct aero_slot slot = {0};
	int rc = AERO_OK;

	if (!aero_slot_of_bson(doc, &slot, NULL))
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	rc = aero_store_slots_insert(store, &slot, 1, err);
	aero_slot_clear(&slot);
	return rc;
}

static void note(const struct aero_finding *finding, struct aero_store *store,
	const char *hostname)
{
	static char none[] = "";
	const struct aero_slot *slot = finding->doc != NULL ? &finding->doc->slot : NULL;
	char *name = strdup(*hostname != '\0' ? hostname : finding->name);
	/* one of its own for each step: a document may be mended twice */
	struct aero_tenure who = {.hostname = name,
		.instance_id = slot != NULL ? slot->who.instance_id : none,
		.service = slot != NULL ? slot->service : none,
		.reg = (int64_t)(aero_random() >> 1)};
	struct aero_err err = {"out of memory"};

	if (name == NULL ||
		aero_history_write(store, AERO_EVENT_REPAIRED, &who,
			aero_mend_words(finding->mend), aero_unix_ms(), &err) != AERO_OK)
		aero_log(AERO_WARNING, "history: %s", err.msg);
	free(name);
}

int aero_mend(const struct aero_check *check, const struct aero_finding *finding,
	struct aero_store *store, char ret_hostname[static AERO_HOSTNAME_SIZE],
	struct aero_err *err)
{
	int rc = AERO_OK;

	*ret_hostname = '\0';
	switch (finding->mend) {
	case AERO_MEND_DELETE:
		rc = aero_store_slot_mend(store, finding->doc->doc, NULL, err);
		break;
	case AERO_MEND_BLANK:
	case AERO_MEND_UNNAME:
	case AERO_MEND_SET:
		rc = aero_store_slot_mend(store, finding->doc->doc, finding->set, err);
		break;
	case AERO_MEND_INDEXES:
		rc = aero_store_indexes_create(store, err);
		break;
	case AERO_MEND_INSERT:
		rc = insert(finding->set, store, err);
		break;
	case AERO_MEND_REGISTER:
		rc = register_it(check, finding->doc, store, ret_hostname, err);
		break;
	case AERO_MEND_NONE:
	case AERO_N_MENDS:
		return AERO_MISS;
	}
	if (rc == AERO_OK)
		note(finding, store, ret_hostname);
	/* Because of what is there by now, or of what the store cannot do with this
	 * document (an index on a Symbol): the others are mended all the same. */
	if (rc == AERO_DUP_HOSTNAME || rc == AERO_DUP_INSTANCE || rc == AERO_REFUSED ||
		rc == AERO_AGAIN || rc == AERO_DB || rc == AERO_CONFIG)
		rc = AERO_MISS;
	return rc;
}
