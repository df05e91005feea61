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
		if (occupant[i] != NULL &&
			strcmp(slot->who.instance_id, occupant[i]) == 0)
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
		aero_ip6_of_to_bson(who, set);
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

static int64_t number_of(const bson_t *doc, const char *key, bool *ret_odd)
{
	int64_t number = 0;
	bson_iter_t it;

	if (bson_iter_init_find(&it, doc, key)) {
		(void)aero_number_of_bson(&it, &number);
		*ret_odd = aero_number_odd(&it);
	}
	return number;
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
	struct aero_node node = {.exists = true};
	const char *why = NULL;
	bson_iter_t it;

	node.gen = number_of(doc, "gen", &node.odd);
	node.left = bson_iter_init_find(&it, doc, "left") && bson_iter_as_bool(&it);
	if (bson_iter_init_find(&it, doc, "dead") && !BSON_ITER_HOLDS_NULL(&it)) {
		/* Whatever else stands there, somebody wanted to say dead, except false.
		 */
		node.dead = !BSON_ITER_HOLDS_BOOL(&it) || bson_iter_bool(&it);
		if (BSON_ITER_HOLDS_DOCUMENT(&it))
			why = text_below(&it, "why");
		if (node.dead)
			(void)snprintf(
				node.why, sizeof(node.why), "%s", why == NULL ? "" : why);
	}
	if (bson_iter_init_find(&it, doc, "seen_at") && BSON_ITER_HOLDS_DATE_TIME(&it) &&
		bson_iter_date_time(&it) > 0)
		node.seen_at = bson_iter_date_time(&it);
	*ret = node;
}

static const struct aero_occupant nobody;

static void put_ips(bson_t *ips, const char *key, const struct aero_occupant *who)
{
	bson_t sub;

	BSON_APPEND_DOCUMENT_BEGIN(ips, key, &sub);
	put_text(&sub, "ip", who->ip);
	put_text(&sub, "ip6", who->ip6);
	aero_list_to_bson(&who->aliases, &sub, "aliases");
	bson_append_document_end(ips, &sub);
}

void aero_doc_control_open(int64_t epoch, const struct aero_occupant *promote,
	const struct aero_occupant *master, int64_t now, bson_t *set)
{
	bson_t op, ips;

	if (master == NULL)
		master = &nobody;
	BSON_APPEND_INT64(set, "epoch", epoch);
	BSON_APPEND_DOCUMENT_BEGIN(set, "op", &op);
	put_text(&op, "p", promote->instance_id);
	put_text(&op, "m", master->instance_id);
	BSON_APPEND_DOCUMENT_BEGIN(&op, "ips", &ips);
	put_ips(&ips, "p", promote);
	put_ips(&ips, "m", master);
	bson_append_document_end(&op, &ips);
	BSON_APPEND_DATE_TIME(&op, "at", now);
	bson_append_document_end(set, &op);
}

void aero_doc_control_close(bson_t *set)
{
	BSON_APPEND_NULL(set, "op");
}

/* One occupant of an op: its id at op.KEY, the rest at op.ips.KEY. False: no memory. */
static bool read_occupant(
	const bson_iter_t *op, const char *key, struct aero_occupant *ret)
{
	bson_iter_t at = *op, ips, sub;
	struct aero_slot slot = {0};
	const char *id = text_below(&at, key);
	bson_t doc = BSON_INITIALIZER;
	uint32_t len;
	const uint8_t *data;
	bool ok;

	if (bson_iter_recurse(op, &sub) && bson_iter_find(&sub, "ips") &&
		bson_iter_recurse(&sub, &ips) && bson_iter_find(&ips, key) &&
		BSON_ITER_HOLDS_DOCUMENT(&ips)) {
		bson_iter_document(&ips, &len, &data);
		bson_destroy(&doc);
		if (!bson_init_static(&doc, data, len))
			bson_init(&doc);
	}
	ok = aero_slot_of_bson(&doc, &slot, NULL);
	bson_destroy(&doc);
	if (!ok)
		return false;
	*ret = slot.who;
	slot.who = (struct aero_occupant){0}; /* now owned by *ret */
	aero_slot_clear(&slot);
	free(ret->instance_id);
	ret->instance_id = strdup(id == NULL ? "" : id);
	return ret->instance_id != NULL;
}

bool aero_doc_control_of_bson(const bson_t *doc, struct aero_control *ret)
{
	struct aero_control control = {0};
	bson_iter_t it;

	control.epoch = number_of(doc, "epoch", &control.odd);
	if (bson_iter_init_find(&it, doc, "op") && BSON_ITER_HOLDS_ARRAY(&it))
		control.odd = true;
	if (bson_iter_init_find(&it, doc, "op") && BSON_ITER_HOLDS_DOCUMENT(&it)) {
		control.open = true;
		if (!read_occupant(&it, "p", &control.promote) ||
			!read_occupant(&it, "m", &control.master)) {
			aero_control_clear(&control);
			return false;
		}
	}
	*ret = control;
	return true;
}
