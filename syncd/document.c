/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "lib/names.h"
#include "lib/slot.h"
#include "mirror/record.h"
#include "syncd/document.h"

#define SHOWN_MAX 128 /* bytes of a refused name that are kept */

/* ---- reading ---- */

/* What a document comes to, before it is laid out. Texts point into slot. */
struct draft {
	const struct aero_answers_opts *opts;
	struct aero_slot slot;
	const char *name, *service;
	size_t name_len, service_len;
	const char *alias[AERO_ALIAS_MAX];
	size_t alias_len[AERO_ALIAS_MAX], n_aliases;
	struct aero_refused refused[AERO_DOCUMENT_REFUSED];
	const char
		*odd; /* why a field was ignored that cost no answer; NULL = none was */
	unsigned char addr4[AERO_DOCUMENT_ADDRS][4], addr6[AERO_DOCUMENT_ADDRS][16];
	struct aero_document doc; /* its plain members */
};

static void refuse(struct draft *d, const char *name, const char *why)
{
	if (d->doc.n_listed < AERO_DOCUMENT_REFUSED)
		d->refused[d->doc.n_listed++] =
			(struct aero_refused){.name = name, .why = why};
	d->doc.n_refused++;
}

/* The length of a name without the domain: `web-0.domain` is the same name as `web-0`. */
static size_t short_len(const char *name, const char *domain)
{
	size_t n = strlen(name), m = strlen(domain), len;

	if (m == 0 || n < m + 2)
		return n;
	len = n - m - 1;
	if (name[len] != '.' || strcasecmp(name + len + 1, domain) != 0 ||
		memchr(name, '.', len) != NULL)
		return n;
	return len;
}

/* Why a name may not answer, NULL with its length if it may. */
static const char *check_name(const struct draft *d, const char *name, size_t *ret_len)
{
	const char *why = aero_name_refuse(name, true, d->opts->domain, d->opts->zones);
	char text[AERO_NAME_MAX + 1];
	size_t len;

	if (why != NULL)
		return why;
	len = short_len(name, d->opts->domain);
	if (name[len] != '\0') {
		memcpy(text, name, len);
		text[len] = '\0';
		why = aero_name_refuse(text, true, NULL, NULL);
	}
	if (why == NULL)
		*ret_len = len;
	return why;
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

static void read_aliases(struct draft *d)
{
	const struct aero_list *list = &d->slot.who.aliases;
	/* with a domain the short name takes a place in the record */
	size_t max = AERO_ALIAS_MAX - (*d->opts->domain != '\0');

	for (size_t i = 0; i < list->n; i++) {
		const char *alias = list->v[i];
		const char *why;
		size_t len = 0, j = 0;

		why = check_name(d, alias, &len);
		if (why != NULL) {
			refuse(d, alias, why);
			continue;
		}
		while (j < d->n_aliases &&
			!same(d->alias[j], d->alias_len[j], alias, len))
			j++;
		if (j < d->n_aliases || same(d->name, d->name_len, alias, len))
			continue; /* said twice */
		if (d->n_aliases == max) {
			d->doc.n_cut++;
			continue;
		}
		d->alias[d->n_aliases] = alias;
		d->alias_len[d->n_aliases++] = len;
	}
}

static void add_address(struct draft *d, const struct aero_addr *addr)
{
	unsigned char *v4 = d->addr4[d->doc.n4], *v6 = d->addr6[d->doc.n6];

	if (addr->family == AF_INET) {
		if (d->doc.n4 > 0 && memcmp(d->addr4[0], addr->bytes, 4) == 0)
			return; /* said twice */
		memcpy(v4, addr->bytes, 4);
		d->doc.n4++;
	} else {
		if (d->doc.n6 > 0 && memcmp(d->addr6[0], addr->bytes, 16) == 0)
			return;
		memcpy(v6, addr->bytes, 16);
		d->doc.n6++;
	}
}

/* Both fields take either family; IPv4 goes first whatever their order. A bad one costs
 * the answer only when there is no other. */
static void read_addresses(struct draft *d)
{
	const char *texts[AERO_DOCUMENT_ADDRS] = {d->slot.who.ip, d->slot.who.ip6};
	struct aero_addr addrs[AERO_DOCUMENT_ADDRS] = {{0}};
	const char *bad = NULL;

	for (size_t i = 0; i < AERO_DOCUMENT_ADDRS; i++) {
		const char *why = *texts[i] == '\0'
					  ? NULL
					  : aero_addr_refuse(texts[i], d->opts->loopback,
						    &addrs[i]);

		if (bad == NULL)
			bad = why;
	}
	for (size_t i = 0; i < AERO_DOCUMENT_ADDRS; i++)
		if (addrs[i].family != 0)
			add_address(d, &addrs[i]);
	d->doc.answers = d->doc.n4 + d->doc.n6 > 0;
	if (bad != NULL && d->doc.answers)
		d->odd = bad;
	else if (bad != NULL)
		refuse(d, d->slot.hostname, bad);
}

/* odd: what aero_slot_of_bson said. */
static void read_slot(struct draft *d, const char *odd)
{
	bool blank = *d->slot.who.ip == '\0' && *d->slot.who.ip6 == '\0';
	const char *why = check_name(d, d->slot.hostname, &d->name_len);

	d->name = d->service = "";
	d->doc.registered_at = d->slot.registered_at;
	d->doc.epoch = d->slot.epoch;
	if (why != NULL) {
		/* old data has nameless blanks: nobody misses those */
		if ((!blank || *d->slot.hostname != '\0') &&
			(odd == NULL || *d->slot.hostname != '\0'))
			refuse(d, d->slot.hostname, why);
		d->name_len = 0;
		return;
	}
	d->name = d->slot.hostname;
	read_addresses(d);
	d->doc.gap = blank;
	if (!d->doc.answers)
		return;
	read_aliases(d);
	if (d->opts->service_names &&
		check_name(d, d->slot.service, &d->service_len) == NULL)
		d->service = d->slot.service;
}

/* An odd field counts as absent; who wonders why is told. */
static void say_odd(struct draft *d, const char *odd, bool read)
{
	if (!read || (!d->doc.answers && d->doc.n_refused == 0 &&
			     (aero_slot_odd_costs(odd) || !d->doc.gap)))
		refuse(d, d->slot.hostname, odd);
	else if (d->odd == NULL && (d->doc.answers || d->doc.gap))
		d->odd = odd;
}

/* ---- laying out: one block of memory for all ---- */

/* A dotted name is a full one already. */
static bool has_full(const struct draft *d, const char *text, size_t len)
{
	size_t domain = strlen(d->opts->domain);

	return len > 0 && domain > 0 && memchr(text, '.', len) == NULL &&
	       len + 1 + domain <= AERO_NAME_MAX;
}

static bool is_lower(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			return false;
	return true;
}

/* The text of a lower-case name stands in its key, unless the domain follows there. */
static bool shares(const struct draft *d, const char *text, size_t len)
{
	return !has_full(d, text, len) && is_lower(text, len);
}

static size_t label_size(const struct draft *d, const char *text, size_t len)
{
	size_t size = 1 + len + 1;

	if (has_full(d, text, len))
		size += 1 + strlen(d->opts->domain);
	return shares(d, text, len) ? size : size + len + 1;
}

static char *put_text(char **at, const char *text, size_t len)
{
	char *to = *at;

	memcpy(to, text, len);
	to[len] = '\0';
	*at += len + 1;
	return to;
}

/* text.domain */
static size_t join(const struct draft *d, const char *text, size_t len,
	char name[static AERO_NAME_MAX + 1])
{
	size_t domain = strlen(d->opts->domain);

	memcpy(name, text, len);
	name[len] = '.';
	memcpy(name + len + 1, d->opts->domain, domain + 1);
	return len + 1 + domain;
}

static struct aero_label put_label(
	const struct draft *d, char **at, const char *text, size_t len)
{
	unsigned char key[AERO_KEY_MAX];
	char name[AERO_NAME_MAX + 1];
	struct aero_label label = {0};
	size_t key_len = 0;
	char *to;

	memcpy(name, text, len);
	name[len] = '\0';
	if (len > 0)
		key_len = label.len = (uint16_t)aero_name_key(name, key);
	if (has_full(d, text, len)) {
		(void)join(d, text, len, name);
		label.full = (uint16_t)aero_name_key(name, key);
		if (label.full > 0)
			key_len = label.full;
	}
	to = put_text(at, (const char *)key, key_len);
	label.key = (unsigned char *)to;
	label.text =
		key_len > 0 && shares(d, text, len) ? to + 1 : put_text(at, text, len);
	return label;
}

static size_t shown_len(const char *name)
{
	return strnlen(name, SHOWN_MAX);
}

static size_t layout_size(const struct draft *d, size_t id_len)
{
	const struct aero_document *doc = &d->doc;
	size_t size = sizeof(*doc) + d->n_aliases * sizeof(*doc->aliases) +
		      (size_t)(doc->n_listed + (d->odd != NULL)) * sizeof(*doc->refused) +
		      id_len;

	if (d->service_len > 0)
		size += sizeof(*doc->service) + label_size(d, d->service, d->service_len);
	size += label_size(d, d->name, d->name_len);
	if (has_full(d, d->name, d->name_len))
		size += d->name_len + 1 + strlen(d->opts->domain) + 1;
	for (size_t i = 0; i < d->n_aliases; i++)
		size += label_size(d, d->alias[i], d->alias_len[i]);
	for (size_t i = 0; i < doc->n_listed; i++)
		size += shown_len(d->refused[i].name) + 1;
	size += (size_t)(4 + 5) * doc->n4 + (size_t)(16 + 17) * doc->n6;
	return size + strlen(d->slot.who.instance_id) + 1;
}

static void put_addrs(const struct draft *d, struct aero_document *doc, char **at)
{
	unsigned char *to = (unsigned char *)*at;

	doc->addrs = to;
	for (size_t i = 0; i < doc->n4; i++, to += 4)
		memcpy(to, d->addr4[i], 4);
	for (size_t i = 0; i < doc->n6; i++, to += 16)
		memcpy(to, d->addr6[i], 16);
	for (size_t i = 0; i < doc->n4; i++, to += 4) {
		*to++ = AERO_KEY_ADDRESS;
		memcpy(to, d->addr4[i], 4);
	}
	for (size_t i = 0; i < doc->n6; i++, to += 16) {
		*to++ = AERO_KEY_ADDRESS;
		memcpy(to, d->addr6[i], 16);
	}
	*at = (char *)to;
}

static struct aero_document *lay_out(struct draft *d, const void *id, size_t id_len)
{
	const char *instance_id = d->slot.who.instance_id;
	struct aero_document *doc = malloc(layout_size(d, id_len));
	char full[AERO_NAME_MAX + 1], *at;
	size_t len;

	if (doc == NULL)
		return NULL;
	*doc = d->doc;
	doc->refused = (struct aero_refused *)(doc + 1);
	doc->odd = d->odd != NULL;
	doc->aliases = (struct aero_label *)(doc->refused + doc->n_listed + doc->odd);
	doc->n_aliases = (uint8_t)d->n_aliases;
	at = (char *)(doc->aliases + d->n_aliases);
	if (d->service_len > 0) {
		doc->service = doc->aliases + d->n_aliases;
		at = (char *)(doc->service + 1);
		*doc->service = put_label(d, &at, d->service, d->service_len);
	}
	memcpy(at, id, id_len);
	doc->id = (unsigned char *)at;
	doc->id_len = (uint16_t)id_len;
	at += id_len;
	doc->name = put_label(d, &at, d->name, d->name_len);
	if (doc->name.full > 0) {
		len = join(d, d->name, d->name_len, full);
		doc->fqdn = put_text(&at, full, len);
	}
	put_addrs(d, doc, &at);
	doc->instance_id = put_text(&at, instance_id, strlen(instance_id));
	for (size_t i = 0; i < d->n_aliases; i++)
		doc->aliases[i] = put_label(d, &at, d->alias[i], d->alias_len[i]);
	for (size_t i = 0; i < doc->n_listed; i++) {
		const char *name = d->refused[i].name;

		doc->refused[i] = (struct aero_refused){
			put_text(&at, name, shown_len(name)), d->refused[i].why, doc};
	}
	if (doc->odd)
		doc->refused[doc->n_listed] =
			(struct aero_refused){doc->name.text, d->odd, doc};
	return doc;
}

int aero_document_cmp(const struct aero_document *a, const struct aero_document *b)
{
	size_t len = a->id_len < b->id_len ? a->id_len : b->id_len;
	int diff = aero_natural_cmp(a->name.text, b->name.text);

	if (diff == 0)
		diff = (a->registered_at < b->registered_at) -
		       (a->registered_at > b->registered_at);
	if (diff == 0)
		diff = memcmp(a->id, b->id, len);
	return diff != 0 ? diff : (a->id_len > b->id_len) - (a->id_len < b->id_len);
}

struct aero_document *aero_document_read(const struct aero_answers_opts *opts,
	const void *id, size_t id_len, const bson_t *bson)
{
	static char none[] = "";
	struct draft d = {.opts = opts, .name = "", .service = ""};
	struct aero_document *doc;
	const char *odd = NULL;
	bool read = aero_slot_of_bson(bson, &d.slot, &odd);

	if (read) {
		read_slot(&d, odd);
	} else {
		d.slot.hostname = d.slot.who.instance_id = none;
	}
	if (odd != NULL)
		say_odd(&d, odd, read);
	doc = lay_out(&d, id, id_len);
	if (read)
		aero_slot_clear(&d.slot);
	return doc;
}
