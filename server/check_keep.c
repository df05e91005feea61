/* SPDX-License-Identifier: MIT */
/* Of documents that want one hostname or one instance: who keeps it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/names.h"
#include "register/pick.h"
#include "server/check.h"

/* 1: a before b; -1: after; 0: neither. */
static int prefer(bool a, bool b)
{
	return a - b;
}

static int newest(const struct aero_check_doc *a, const struct aero_check_doc *b)
{
	return prefer(a->slot.registered_at > b->slot.registered_at,
		b->slot.registered_at > a->slot.registered_at);
}

/* Does a keep the hostname before b? As the mirrors decide between those that answer. */
static bool keeps_name(const struct aero_check_doc *a, const struct aero_check_doc *b)
{
	int order = prefer(a->answers, b->answers);

	if (order == 0)
		order = prefer(!aero_slot_blank(&a->slot), !aero_slot_blank(&b->slot));
	if (order == 0)
		order = newest(a, b);
	return order != 0 ? order > 0 : strcmp(a->id, b->id) < 0;
}

bool aero_check_master(const struct aero_check_doc *d)
{
	char name[AERO_HOSTNAME_SIZE];

	aero_pick_master(d->slot.service, name);
	return strcmp(d->slot.hostname, name) == 0;
}

bool aero_check_has_name(const struct aero_check_doc *d)
{
	return !d->strange && *d->slot.hostname != '\0' && d->name_of == NULL;
}

static bool keeps_instance(const struct aero_check_doc *a, const struct aero_check_doc *b)
{
	int order = prefer(aero_check_has_name(a), aero_check_has_name(b));

	if (order == 0)
		order = prefer(aero_check_master(a), aero_check_master(b));
	if (order == 0)
		order = prefer(a->answers, b->answers);
	if (order == 0)
		order = newest(a, b);
	return order != 0 ? order > 0 : a < b; /* they are in the order of their names */
}

static int by_hostname(const void *a, const void *b)
{
	return strcmp((*(struct aero_check_doc *const *)a)->slot.hostname,
		(*(struct aero_check_doc *const *)b)->slot.hostname);
}

static int by_instance(const void *a, const void *b)
{
	return strcmp((*(struct aero_check_doc *const *)a)->slot.who.instance_id,
		(*(struct aero_check_doc *const *)b)->slot.who.instance_id);
}

/* In v, those that are next to each other and equal want the same: who keeps it? */
static void settle(struct aero_check_doc **v, size_t n,
	int (*order)(const void *, const void *),
	bool (*keeps)(const struct aero_check_doc *, const struct aero_check_doc *),
	size_t member)
{
	if (n > 1)
		qsort(v, n, sizeof(struct aero_check_doc *), order);
	for (size_t i = 0, end; i < n; i = end) {
		struct aero_check_doc *best = v[i];

		for (end = i + 1; end < n && order(&v[i], &v[end]) == 0; end++)
			if (keeps(v[end], best))
				best = v[end];
		for (size_t k = i; k < end; k++) {
			void *at = (char *)v[k] + member;

			if (v[k] != best)
				*(const struct aero_check_doc **)at = best;
		}
	}
}

bool aero_check_settle(struct aero_check *check)
{
	struct aero_check_doc **v = calloc(check->n_docs + 1, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return false;
	for (size_t i = 0; i < check->n_docs; i++)
		if (!check->docs[i].strange && *check->docs[i].slot.hostname != '\0')
			v[n++] = &check->docs[i];
	settle(v, n, by_hostname, keeps_name, offsetof(struct aero_check_doc, name_of));
	n = 0;
	for (size_t i = 0; i < check->n_docs; i++)
		if (!check->docs[i].strange && !aero_slot_blank(&check->docs[i].slot))
			v[n++] = &check->docs[i];
	settle(v, n, by_instance, keeps_instance,
		offsetof(struct aero_check_doc, instance_of));
	free(v);
	return true;
}

const struct aero_check_doc *aero_check_named(
	const struct aero_check *check, const char *hostname)
{
	for (size_t low = 0, high = check->n_docs; low < high;) {
		size_t mid = low + (high - low) / 2;
		const struct aero_check_doc *d = &check->docs[mid];
		int order = aero_natural_cmp(d->slot.hostname, hostname);

		if (order == 0)
			return d->name_of != NULL ? d->name_of : d;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
