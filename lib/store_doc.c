/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store_doc.h"

bool aero_slot_matches(const struct aero_slot *slot, const struct aero_slot_match *match)
{
	const char *const *occupant = match->occupant;
	bool any = occupant[0] == NULL && occupant[1] == NULL;

	if (strcmp(slot->hostname, match->hostname) != 0)
		return false;
	for (size_t i = 0; i < 2; i++)
		if (occupant[i] != NULL && strcmp(slot->who.instance_id, occupant[i]) == 0)
			any = true;
	return any && (!match->match_reg || slot->reg == match->reg) &&
		(match->epoch_below == 0 || slot->epoch < match->epoch_below);
}

static void put_text(bson_t *doc, const char *key, const char *text)
{
	BSON_APPEND_UTF8(doc, key, text == NULL ? "" : text);
}

void aero_doc_slot_change(
	const struct aero_slot_change *change, bson_t *set, bool *ret_clock)
{
	const struct aero_occupant *who = change->who;

	*ret_clock = who != NULL;
	if (who != NULL) {
		if (!change->renew)
			put_text(set, "instance_id", who->instance_id);
		put_text(set, "ip", who->ip);
		put_text(set, "ip6", who->ip6);
		aero_list_to_bson(&who->aliases, set, "aliases");
		BSON_APPEND_INT64(set, "reg", change->reg);
	} else if (change->blank) {
		put_text(set, "instance_id", "");
		put_text(set, "ip", "");
		put_text(set, "ip6", "");
	}
	if (change->epoch != 0)
		BSON_APPEND_INT64(set, "epoch", change->epoch);
	if (change->service_type != NULL)
		put_text(set, "service_type", change->service_type);
}

void aero_doc_slot_import(const struct aero_slot *slot, bson_t *set, bool *ret_clock)
{
	aero_slot_to_bson(slot, set);
	if (!bson_has_field(set, "ip6"))
		put_text(set, "ip6", "");
	*ret_clock = slot->registered_at == 0;
}

void aero_doc_node_set(
	int64_t gen, bool left, bool dead, const char *why, int64_t now, bson_t *set)
{
	bson_t sub;

	BSON_APPEND_INT64(set, "gen", gen);
	BSON_APPEND_BOOL(set, "left", left);
	if (!dead) {
		BSON_APPEND_NULL(set, "dead");
		return;
	}
	BSON_APPEND_DOCUMENT_BEGIN(set, "dead", &sub);
	put_text(&sub, "why", why);
	BSON_APPEND_DATE_TIME(&sub, "at", now);
	bson_append_document_end(set, &sub);
}

static int64_t number_of(const bson_t *doc, const char *key)
{
	bson_iter_t it;

	return bson_iter_init_find(&it, doc, key) && BSON_ITER_HOLDS_NUMBER(&it)
		? bson_iter_as_int64(&it)
		: 0;
}

/* A text below a subdocument, or NULL. */
static const char *text_below(bson_iter_t *it, const char *key)
{
	bson_iter_t sub;

	return bson_iter_recurse(it, &sub) && bson_iter_find(&sub, key) &&
			BSON_ITER_HOLDS_UTF8(&sub)
		? bson_iter_utf8(&sub, NULL)
		: NULL;
}

void aero_doc_node_of_bson(const bson_t *doc, struct aero_node *ret)
{
	struct aero_node node = {.exists = true, .gen = number_of(doc, "gen")};
	const char *why = NULL;
	bson_iter_t it;

	node.left = bson_iter_init_find(&it, doc, "left") && bson_iter_as_bool(&it);
	if (bson_iter_init_find(&it, doc, "dead") && !BSON_ITER_HOLDS_NULL(&it)) {
		/* Whatever else stands there, somebody wanted to say dead, except false. */
		node.dead = !BSON_ITER_HOLDS_BOOL(&it) || bson_iter_bool(&it);
		if (BSON_ITER_HOLDS_DOCUMENT(&it))
			why = text_below(&it, "why");
		if (node.dead)
			(void)snprintf(node.why, sizeof(node.why), "%s", why == NULL ? "" : why);
	}
	*ret = node;
}

void aero_doc_control_open(int64_t epoch, const char *promote, const char *master,
	int64_t now, bson_t *set)
{
	bson_t op;

	BSON_APPEND_INT64(set, "epoch", epoch);
	BSON_APPEND_DOCUMENT_BEGIN(set, "op", &op);
	put_text(&op, "p", promote);
	put_text(&op, "m", master);
	BSON_APPEND_DATE_TIME(&op, "at", now);
	bson_append_document_end(set, &op);
}

void aero_doc_control_close(bson_t *set)
{
	BSON_APPEND_NULL(set, "op");
}

bool aero_doc_control_of_bson(const bson_t *doc, struct aero_control *ret)
{
	struct aero_control control = {.epoch = number_of(doc, "epoch")};
	const char *promote, *master;
	bson_iter_t it;

	if (bson_iter_init_find(&it, doc, "op") && BSON_ITER_HOLDS_DOCUMENT(&it)) {
		promote = text_below(&it, "p");
		master = text_below(&it, "m");
		control.open = true;
		control.promote = strdup(promote == NULL ? "" : promote);
		control.master = strdup(master == NULL ? "" : master);
		if (control.promote == NULL || control.master == NULL) {
			aero_control_clear(&control);
			return false;
		}
	}
	*ret = control;
	return true;
}
