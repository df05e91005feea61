/* SPDX-License-Identifier: MIT */
/* Findings that several documents make together: aliases, addresses, the slots of a
 * service; nodes and change-overs. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/array.h"
#include "lib/log.h"
#include "lib/names.h"
#include "register/pick.h"
#include "server/check.h"

#define HOLES_MAX 64 /* of a service: with more, its numbers mean something else */

/* The slots that stay as they are; others are looked at again when they are mended. */
static bool stays(const struct aero_check_doc *d)
{
	return aero_check_has_name(d) && d->mend == AERO_MEND_NONE;
}

/* ---- aliases and addresses ---- */

/* A document and one thing that others may want too. */
struct claim {
	const struct aero_check_doc *doc;
	const char *alias; /* or: */
	struct aero_addr addr;
};

struct claims {
	struct claim *v;
	size_t n;
};

static void claim(struct aero_check *check, struct claims *claims, struct claim claim)
{
	struct claim *v = aero_array_room(claims->v, claims->n, sizeof(*v));

	if (v == NULL) {
		check->no_memory = true;
		return;
	}
	claims->v = v;
	v[claims->n++] = claim;
}

static int by_document(const struct claim *x, const struct claim *y)
{
	/* they lie in the order of their names */
	return (x->doc > y->doc) - (x->doc < y->doc);
}

/* Who has it first: as the mirrors decide (CONTRACTS 4). */
static int by_right(const struct claim *x, const struct claim *y)
{
	int64_t a = x->doc->slot.registered_at, b = y->doc->slot.registered_at;

	return a != b ? (a < b) - (a > b) : by_document(x, y);
}

static int by_alias(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = strcasecmp(x->alias, y->alias);

	return order != 0 ? order : by_right(x, y);
}

static int same_address(const struct claim *x, const struct claim *y)
{
	return x->addr.family != y->addr.family
		       ? x->addr.family - y->addr.family
		       : memcmp(x->addr.bytes, y->addr.bytes, aero_addr_len(&x->addr));
}

static int by_address(const void *a, const void *b)
{
	int order = same_address(a, b);

	return order != 0 ? order : by_right(a, b);
}

/* Leave out of a document's aliases the one that is another's. */
static void mend_alias(struct aero_finding *f, const char *alias)
{
	const struct aero_list *list = &f->doc->slot.who.aliases;
	struct aero_list left = {0};
	bool whole = true;

	for (size_t i = 0; i < list->n; i++)
		if (strcasecmp(list->v[i], alias) != 0)
			whole = whole && aero_list_add(&left, list->v[i]);
	if (whole) {
		f->mend = AERO_MEND_SET;
		f->set = bson_new();
		aero_list_to_bson(&left, f->set, "aliases");
	}
	aero_list_clear(&left);
}

static void alias_twice(
	struct aero_check *check, const struct claim *has, const struct claim *wants)
{
	char alias[200], other[200];
	struct aero_finding *f;

	if (wants->doc == has->doc) /* written twice */
		return;
	f = aero_check_add(check, AERO_FOUND_ALIAS, wants->doc, NULL,
		"%s is an alias of %s, too, which answers",
		aero_show(wants->alias, alias, sizeof(alias)),
		aero_show(has->doc->slot.hostname, other, sizeof(other)));
	if (f != NULL)
		mend_alias(f, wants->alias);
}

static void check_alias(struct aero_check *check, const struct claim *c)
{
	const char *why = aero_name_refuse(
		c->alias, true, check->conf->domain, &check->conf->zones);
	char shown[200];

	if (*c->alias == '\0')
		return;
	if (why != NULL)
		(void)aero_check_add(check, AERO_FOUND_ALIAS_REFUSED, c->doc, NULL,
			"%s: %s", aero_show(c->alias, shown, sizeof(shown)), why);
	else if (aero_check_named(check, c->alias) != NULL)
		(void)aero_check_add(check, AERO_FOUND_ALIAS_HIDDEN, c->doc, NULL,
			"%s is a hostname, too, which answers",
			aero_show(c->alias, shown, sizeof(shown)));
}

static void claim_address(struct aero_check *check, struct claims *claims,
	const struct aero_check_doc *d, const char *text)
{
	struct claim c = {.doc = d};

	if (*text != '\0' &&
		aero_addr_refuse(text, check->conf->offline, &c.addr) == NULL)
		claim(check, claims, c);
}

void aero_check_shared(struct aero_check *check)
{
	struct claims aliases = {0}, addresses = {0};
	char other[200];

	for (size_t i = 0; i < check->n_docs; i++) {
		const struct aero_check_doc *d = &check->docs[i];

		if (!stays(d) || !d->answers)
			continue;
		for (size_t k = 0; k < d->slot.who.aliases.n; k++)
			claim(check, &aliases,
				(struct claim){
					.doc = d, .alias = d->slot.who.aliases.v[k]});
		claim_address(check, &addresses, d, d->slot.who.ip);
		claim_address(check, &addresses, d, d->slot.who.ip6);
	}
	for (size_t i = 0; i < aliases.n; i++)
		check_alias(check, &aliases.v[i]);
	if (aliases.n > 1)
		qsort(aliases.v, aliases.n, sizeof(*aliases.v), by_alias);
	for (size_t i = 1, has = 0; i < aliases.n; i++) {
		if (strcasecmp(aliases.v[has].alias, aliases.v[i].alias) != 0)
			has = i;
		else
			alias_twice(check, &aliases.v[has], &aliases.v[i]);
	}
	if (addresses.n > 1)
		qsort(addresses.v, addresses.n, sizeof(*addresses.v), by_address);
	for (size_t i = 1, has = 0; i < addresses.n; i++) {
		if (same_address(&addresses.v[has], &addresses.v[i]) != 0)
			has = i;
		else if (addresses.v[has].doc != addresses.v[i].doc)
			(void)aero_check_add(check, AERO_FOUND_SAME_ADDRESS,
				addresses.v[i].doc, NULL,
				"%s has it, too, and the address leads to that",
				aero_show(addresses.v[has].doc->slot.hostname, other,
					sizeof(other)));
	}
	free(aliases.v);
	free(addresses.v);
}

/* ---- services ---- */

static int by_service(const void *a, const void *b)
{
	const struct aero_check_doc *x = *(struct aero_check_doc *const *)a;
	const struct aero_check_doc *y = *(struct aero_check_doc *const *)b;
	int order = strcmp(x->slot.service, y->slot.service);

	return order != 0 ? order : (x > y) - (x < y);
}

static void put_hole(struct aero_check *check, const struct aero_slot *like,
	bool masterful, int64_t number)
{
	char hostname[AERO_HOSTNAME_SIZE + 32];
	struct aero_slot gap = {.hostname = hostname,
		.service = like->service,
		.service_type = like->service_type};
	struct aero_finding *f;

	(void)snprintf(hostname, sizeof(hostname), "%.*s%s-%lld", AERO_HOSTNAME_SIZE,
		like->service, masterful ? "-slave" : "", (long long)number);
	if (strlen(hostname) >= AERO_HOSTNAME_SIZE ||
		aero_check_named(check, hostname) != NULL)
		return; /* that one says for itself what is wrong with it */
	f = aero_check_add(check, AERO_FOUND_HOLE, NULL, hostname,
		"no slot of this number: the original may take a live node's name for a "
		"new one");
	if (f == NULL)
		return;
	f->mend = AERO_MEND_INSERT;
	f->set = bson_new();
	aero_slot_to_bson(&gap, f->set);
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* v: the slots of one service; like: one of them, of the service's type. */
static void check_holes(struct aero_check *check, struct aero_check_doc *const *v,
	size_t n, const struct aero_slot *like, bool masterful)
{
	int64_t *numbers = calloc(n, sizeof(*numbers)), next = masterful ? 1 : 0;
	size_t n_numbers = 0;
	bool many;

	if (numbers == NULL) {
		check->no_memory = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		int64_t number =
			aero_pick_number(v[i]->slot.hostname, like->service, masterful);

		if (number >= 0)
			numbers[n_numbers++] = number;
	}
	qsort(numbers, n_numbers, sizeof(*numbers), by_number);
	many = n_numbers > 0 &&
	       numbers[n_numbers - 1] + 1 - next > (int64_t)n_numbers + HOLES_MAX;
	if (many)
		(void)aero_check_add(check, AERO_FOUND_HOLE, NULL, like->service,
			"%zu slots, numbers up to %lld", n_numbers,
			(long long)numbers[n_numbers - 1]);
	for (size_t i = 0; !many && i < n_numbers; i++) {
		for (; next < numbers[i]; next++)
			put_hole(check, like, masterful, next);
		next = numbers[i] + 1;
	}
	free(numbers);
}

static void check_service(
	struct aero_check *check, struct aero_check_doc *const *v, size_t n)
{
	const struct aero_slot *like = &v[0]->slot;
	size_t masterful = 0, slaves = 0;
	char master[AERO_HOSTNAME_SIZE], shown[200];
	bool has_master = false;

	aero_pick_master(like->service, master);
	for (size_t i = 0; i < n; i++) {
		const struct aero_slot *slot = &v[i]->slot;

		if (aero_slot_masterful(slot)) {
			masterful++;
			like = slot;
		}
		if (aero_slot_blank(slot))
			continue;
		if (strcmp(slot->hostname, master) == 0)
			has_master = true;
		else if (aero_pick_number(slot->hostname, slot->service, true) > 0)
			slaves++;
	}
	if (masterful > 0 && masterful < n)
		(void)aero_check_add(check, AERO_FOUND_TYPES, NULL, like->service,
			"%zu of %zu slots of %s are masterful", masterful, n,
			aero_show(like->service, shown, sizeof(shown)));
	if (masterful > 0 && slaves > 0 && !has_master)
		(void)aero_check_add(check, AERO_FOUND_NO_MASTER, NULL, master,
			"nobody, and %zu slaves", slaves);
	if (aero_pick_service_refuse(like->service) == NULL)
		check_holes(check, v, n, like, masterful > 0);
}

static void check_certificates(struct aero_check *check)
{
	for (size_t i = 0; i < check->view.n_nodes; i++)
		if (check->view.nodes[i].node.odd)
			(void)aero_check_add(check, AERO_FOUND_NODE, NULL,
				check->view.nodes[i].id, "no whole number");
	for (size_t i = 0; i < check->n_controls; i++) {
		const struct aero_check_control *c = &check->controls[i];

		if (c->odd)
			(void)aero_check_add(check, AERO_FOUND_CONTROL, NULL, c->service,
				"epoch is no whole number, or op no document");
		else if (c->open)
			(void)aero_check_add(check, AERO_FOUND_OPEN, NULL, c->service,
				"change-over %lld is open", (long long)c->epoch);
	}
}

void aero_check_services(struct aero_check *check)
{
	struct aero_check_doc **v = calloc(check->n_docs + 1, sizeof(*v));
	size_t n = 0, end;

	if (v == NULL) {
		check->no_memory = true;
		return;
	}
	for (size_t i = 0; i < check->n_docs; i++)
		if (aero_check_has_name(&check->docs[i]) &&
			*check->docs[i].slot.service != '\0')
			v[n++] = &check->docs[i];
	if (n > 1)
		qsort(v, n, sizeof(struct aero_check_doc *), by_service);
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1;
			end < n && strcmp(v[i]->slot.service, v[end]->slot.service) == 0;)
			end++;
		check_service(check, &v[i], end - i);
	}
	free(v);
	check_certificates(check);
}
