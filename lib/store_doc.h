/* SPDX-License-Identifier: MIT */
/*
 * The documents that both stores write and read, so that export and import agree
 * (DESIGN 3). "set" functions append top-level fields with their new values: what
 * MongoDB's `$set` takes and what a struct aero_change has as set. Pure: the clock is a
 * parameter, Unix ms.
 */
#ifndef AERO_LIB_STORE_DOC_H
#define AERO_LIB_STORE_DOC_H

#include "lib/store.h"

/* Is this the slot that a conditional write may touch? */
bool aero_slot_matches(const struct aero_slot *slot, const struct aero_slot_match *match);

/* slots. registered_at is left out: *ret_clock says that the store has to write its own
 * clock there ($currentDate). ip6 is always written, so that an old one goes. */
void aero_doc_slot_change(
	const struct aero_slot_change *change, bson_t *set, bool *ret_clock);
/* Of an import; registered_at is written when the slot brings one. */
void aero_doc_slot_import(const struct aero_slot *slot, bson_t *set, bool *ret_clock);

/* nodes: {_id: instance_id, gen, left: bool, dead: null | {why, at}, seen_at: date} (and
 * what others keep in it); seen_at is a heartbeat's alone. of_bson reads any document,
 * odd fields count as absent; exists is set. */
void aero_doc_node_set(
	int64_t gen, bool left, bool dead, const char *why, int64_t now, bson_t *set);
void aero_doc_node_of_bson(const bson_t *doc, struct aero_node *ret);

/* control: {_id: service, epoch, op: null | {p, m, ips: {p: {ip, ip6, aliases}, m: {ip,
 * ip6, aliases}}, at}}. of_bson: false = no memory, *ret is then empty, as the occupants
 * are while no op is open. */
void aero_doc_control_open(int64_t epoch, const struct aero_occupant *promote,
	const struct aero_occupant *master, int64_t now, bson_t *set);
void aero_doc_control_close(bson_t *set);
bool aero_doc_control_of_bson(const bson_t *doc, struct aero_control *ret);

#endif
