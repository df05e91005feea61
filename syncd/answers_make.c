/* SPDX-License-Identifier: MIT */
/* Who has which name and address, and the records of that. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "mirror/record.h"
#include "syncd/answers_parts.h"

/* A service that answers with its members' addresses. */
struct aero_service {
	const struct aero_label *label;
	const char *canon;
	char fqdn[AERO_NAME_MAX + 1];
	struct aero_rec rec;
	unsigned char addr4[AERO_ADDR_MAX][4], addr6[AERO_ADDR_MAX][16];
};

/* ---- making: who has which key ---- */

struct make {
	struct aero_document **docs; /* in natural order */
	size_t n;
	struct aero_keys keys;
	struct aero_answer_set set;
	size_t n_services, n_entries; /* room needed */
};

static void refuse(struct make *m, const struct aero_document *doc, const char *name,
	const char *why)
{
	struct aero_answer_set *set = &m->set;

	if (set->n_listed < AERO_REFUSED_LISTED)
		set->refused[set->n_listed++] = (struct aero_refused){name, why, doc};
	set->n_refused++;
}

static void say_odd(struct make *m, const struct aero_document *doc)
{
	struct aero_answer_set *set = &m->set;

	if (set->n_odd_listed < AERO_REFUSED_LISTED)
		set->odd[set->n_odd_listed++] =
			(struct aero_refused){doc->name.text, doc->odd, doc};
	set->n_odd++;
}

/* Is a the one that wins a clash of hostnames? */
static bool better_id(const struct aero_document *a, const struct aero_document *b)
{
	size_t len = a->id_len < b->id_len ? a->id_len : b->id_len;
	int diff = memcmp(a->id, b->id, len);

	if (a->registered_at != b->registered_at)
		return a->registered_at > b->registered_at;
	return diff < 0 || (diff == 0 && a->id_len < b->id_len);
}

/* The key goes to doc; *won says so, for as long as it does. */
static void take(
	struct aero_key *key, enum aero_claim claim, struct aero_document *doc, bool *won)
{
	if (key->won != NULL)
		*key->won = false;
	key->claim = (uint8_t)claim;
	key->doc = doc;
	key->won = won;
	*won = true;
}

static void claim_names(struct make *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct aero_document *doc = m->docs[i];
		struct aero_key *key;

		doc->name.won = false;
		if (!doc->answers && !doc->gap)
			continue;
		key = aero_keys_at(&m->keys, doc->name.key, doc->name.len);
		if (key->claim == AERO_CLAIM_NONE ||
			(doc->answers && (key->claim == AERO_CLAIM_GAP ||
						 better_id(doc, key->doc))))
			take(key, doc->answers ? AERO_CLAIM_HOST : AERO_CLAIM_GAP, doc,
				&doc->name.won);
	}
}

static bool is_host(const struct aero_document *doc)
{
	return doc->answers && doc->name.won;
}

/* Newest registration, else natural order, in which the documents come. */
static void claim_newest(struct make *m, const unsigned char *at, size_t len,
	enum aero_claim claim, struct aero_document *doc, bool *won)
{
	struct aero_key *key = aero_keys_at(&m->keys, at, len);

	*won = false;
	if (key->claim == AERO_CLAIM_NONE ||
		(key->claim == claim && doc->registered_at > key->doc->registered_at))
		take(key, claim, doc, won);
}

static void claim_rest(struct make *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct aero_document *doc = m->docs[i];

		if (!is_host(doc))
			continue;
		for (size_t j = 0; j < doc->n_aliases; j++)
			claim_newest(m, doc->aliases[j].key, doc->aliases[j].len,
				AERO_CLAIM_ALIAS, doc, &doc->aliases[j].won);
		for (size_t j = 0; j < (size_t)doc->n4 + doc->n6; j++)
			claim_newest(m, doc->addr_key[j], j < doc->n4 ? 5 : 17,
				AERO_CLAIM_ADDRESS, doc, &doc->addr_won[j]);
	}
}

/* Last, so that every name beats it. */
static void claim_services(struct make *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct aero_document *doc = m->docs[i];
		struct aero_key *key;

		if (!is_host(doc) || *doc->service.text == '\0')
			continue;
		key = aero_keys_at(&m->keys, doc->service.key, doc->service.len);
		if (key->claim == AERO_CLAIM_NONE) {
			take(key, AERO_CLAIM_SERVICE, doc, &doc->service.won);
			key->index = (uint32_t)m->n_services++;
		}
	}
}

/* ---- making: records and entries ---- */

static void add_entry(struct make *m, const unsigned char *key, size_t len,
	const struct aero_rec *rec, bool is_alias)
{
	m->set.entries[m->set.n_entries++] = (struct aero_entry){
		.key = key, .keylen = len, .rec = rec, .is_alias = is_alias};
}

static char *add_text(char *at, const char *text)
{
	size_t size = strlen(text) + 1;

	memcpy(at, text, size);
	return at + size;
}

/* The record of a host, its aliases from *blob and *texts on. */
static void add_host(
	struct make *m, struct aero_document *doc, char **blob, const char ***texts)
{
	struct aero_host *host = &m->set.hosts[m->set.n_hosts++];

	doc->host = host;
	*host = (struct aero_host){.doc = doc, .aliases = *texts};
	host->rec = (struct aero_rec){.n4 = doc->n4,
		.n6 = doc->n6,
		.addr4 = doc->addr4[0],
		.addr6 = doc->addr6[0],
		.canon = doc->fqdn != NULL ? doc->fqdn : doc->name.text,
		.aliases = *blob};
	if (doc->fqdn != NULL) {
		*blob = add_text(*blob, doc->name.text);
		host->rec.n_alias++;
	}
	for (size_t i = 0; i < doc->n_aliases; i++) {
		const struct aero_label *alias = &doc->aliases[i];

		if (!alias->won) {
			struct aero_key *key =
				aero_keys_at(&m->keys, alias->key, alias->len);

			refuse(m, doc, alias->text,
				key->claim == AERO_CLAIM_ALIAS
					? "alias of another node"
					: "alias that is a hostname");
			continue;
		}
		*blob = add_text(*blob, alias->text);
		*(*texts)++ = alias->text;
		host->rec.n_alias++;
		host->n_aliases++;
	}
}

/* Its first eight members of each family. */
static void add_member(struct make *m, const struct aero_document *doc)
{
	struct aero_service *service;
	struct aero_rec *rec;
	struct aero_key *key;

	if (*doc->service.text == '\0')
		return;
	key = aero_keys_at(&m->keys, doc->service.key, doc->service.len);
	if (key->claim != AERO_CLAIM_SERVICE)
		return;
	service = &m->set.services[key->index];
	rec = &service->rec;
	if (service->label == NULL) {
		service->label = &doc->service;
		*rec = (struct aero_rec){.addr4 = service->addr4[0],
			.addr6 = service->addr6[0],
			.canon = doc->service.text,
			.aliases = ""};
		if (doc->service.full > 0) {
			memcpy(service->fqdn, doc->service.key + 1,
				doc->service.full - 1U);
			rec->canon = service->fqdn;
		}
	}
	for (uint8_t i = 0; i < doc->n4 && rec->n4 < AERO_ADDR_MAX; i++)
		memcpy(service->addr4[rec->n4++], doc->addr4[i], 4);
	for (uint8_t i = 0; i < doc->n6 && rec->n6 < AERO_ADDR_MAX; i++)
		memcpy(service->addr6[rec->n6++], doc->addr6[i], 16);
}

static void add_document(
	struct make *m, struct aero_document *doc, char **blob, const char ***texts)
{
	m->set.n_gaps += doc->gap;
	m->set.n_cut += doc->n_cut;
	for (size_t i = 0; i < doc->n_listed; i++)
		refuse(m, doc, doc->refused[i].name, doc->refused[i].why);
	m->set.n_refused += doc->n_refused - doc->n_listed;
	if (doc->odd != NULL)
		say_odd(m, doc);
	if (!doc->answers)
		return;
	if (!is_host(doc)) {
		refuse(m, doc, doc->name.text, "hostname of another document");
		return;
	}
	add_host(m, doc, blob, texts);
	add_member(m, doc);
}

/* The keys that were won, in the order of the file. */
static void add_entries(struct make *m, const struct aero_order *order)
{
	for (size_t i = 0; i < order->n; i++) {
		const struct aero_candidate *c = &order->v[i];

		if (c->doc->name.won && *c->won)
			add_entry(m, c->key, c->len, &c->doc->host->rec, c->is_alias);
	}
	/* services are no nodes of their own: enumeration skips them */
	for (size_t i = 0; i < m->n_services; i++) {
		const struct aero_service *service = &m->set.services[i];
		const struct aero_label *label = service->label;

		add_entry(m, label->key, label->len, &service->rec, true);
		if (label->full > 0)
			add_entry(m, label->key, label->full, &service->rec, true);
	}
}

/* Room for all that could answer. */
static bool set_room(struct make *m)
{
	size_t n_aliases = 0, blob = 0, hosts = 0, entries = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct aero_document *doc = m->docs[i];

		if (!doc->answers)
			continue;
		hosts++;
		n_aliases += doc->n_aliases;
		blob += doc->name.len;
		for (size_t j = 0; j < doc->n_aliases; j++)
			blob += doc->aliases[j].len;
		entries += 2 * (1 + doc->n_aliases) + doc->n4 + doc->n6;
	}
	entries += 2 * m->n_services;
	m->set.hosts = calloc(hosts + 1, sizeof(*m->set.hosts));
	m->set.entries = calloc(entries + 1, sizeof(*m->set.entries));
	m->set.alias_texts = calloc(n_aliases + 1, sizeof(char *));
	m->set.alias_blob = calloc(blob + 1, 1);
	m->set.services = calloc(m->n_services + 1, sizeof(*m->set.services));
	m->set.refused = calloc(AERO_REFUSED_LISTED, sizeof(*m->set.refused));
	m->set.odd = calloc(AERO_REFUSED_LISTED, sizeof(*m->set.odd));
	return m->set.hosts != NULL && m->set.entries != NULL &&
	       m->set.alias_texts != NULL && m->set.alias_blob != NULL &&
	       m->set.services != NULL && m->set.refused != NULL && m->set.odd != NULL;
}

static bool keys_room(struct make *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += 2 + m->docs[i]->n_aliases + m->docs[i]->n4 + m->docs[i]->n6;
	return aero_keys_init(&m->keys, n);
}

int aero_answers_make(
	struct aero_answers *answers, struct aero_answer_set *ret, struct aero_err *err)
{
	struct aero_table *table = &answers->table;
	struct make m = {0};
	const char **texts;
	char *blob;
	int rc = AERO_OK;

	/* first the order, which looks at documents that go with the sort */
	if (table->n > 0 &&
		(!aero_order_update(&answers->order, table->v + table->n_sorted,
			 table->n - table->n_sorted) ||
			!aero_table_sort(table)))
		goto no_memory;
	m.docs = table->v;
	m.n = table->n;
	if (!keys_room(&m))
		goto no_memory;
	claim_names(&m);
	claim_rest(&m);
	if (answers->opts.service_names)
		claim_services(&m);
	if (!set_room(&m))
		goto no_memory;
	texts = m.set.alias_texts;
	blob = m.set.alias_blob;
	for (size_t i = 0; i < m.n; i++)
		add_document(&m, m.docs[i], &blob, &texts);
	add_entries(&m, &answers->order);
	m.set.n_documents = m.n;
	m.set.zones = answers->zones_text;
	m.set.n_zones = answers->n_zones;
	*ret = m.set;
	m.set = (struct aero_answer_set){0}; /* now the caller's */
	goto out;
no_memory:
	rc = aero_err_set(err, AERO_NOMEM, "names: out of memory");
out:
	aero_answer_set_clear(&m.set);
	aero_keys_clear(&m.keys);
	return rc;
}

void aero_answer_set_clear(struct aero_answer_set *set)
{
	free(set->hosts);
	free(set->entries);
	free(set->alias_texts);
	free(set->alias_blob);
	free(set->services);
	free(set->refused);
	free(set->odd);
	*set = (struct aero_answer_set){0};
}

const struct aero_host *aero_answer_of_instance(
	const struct aero_answer_set *set, const char *instance_id)
{
	for (size_t i = 0; *instance_id != '\0' && i < set->n_hosts; i++)
		if (strcmp(set->hosts[i].doc->instance_id, instance_id) == 0)
			return &set->hosts[i];
	return NULL;
}
