/* SPDX-License-Identifier: MIT */
/* The table of findings, what was read, and how a finding is shown. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/store_doc.h"
#include "server/check.h"

#define N_FIELDS_MAX 16 /* more than there are fields of ours */

static const struct {
	bool takes;
	const char *words;
} mends[] = {
#define AERO_X(mend, takes, words) [AERO_MEND_##mend] = {takes, words},
	AERO_MEND_MAP(AERO_X)
#undef AERO_X
};

static const struct {
	bool wrong;
	const char *name, *field, *by_hand;
} founds[] = {
#define AERO_X(what, wrong, name, field, by_hand) \
	[AERO_FOUND_##what] = {wrong, name, field, by_hand},
	AERO_FOUND_MAP(AERO_X)
#undef AERO_X
};

bool aero_mend_takes(enum aero_mend mend)
{
	return mends[mend].takes;
}

const char *aero_mend_words(enum aero_mend mend)
{
	return mends[mend].words;
}

bool aero_found_wrong(enum aero_found what)
{
	return founds[what].wrong;
}

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

/* ---- what was read ---- */

static bool plain(const char *text)
{
	while (*text >= 0x20 && *text < 0x7f) /* char may be signed: ASCII alone */
		text++;
	return *text == '\0';
}

static void id_words(const bson_t *doc, char ret[static AERO_CHECK_ID])
{
	bson_t one = BSON_INITIALIZER;
	bson_iter_t it;
	char *json;

	(void)snprintf(ret, AERO_CHECK_ID, "-");
	if (!bson_iter_init_find(&it, doc, "_id"))
		return;
	if (BSON_ITER_HOLDS_OID(&it)) {
		bson_oid_to_string(bson_iter_oid(&it), ret);
		return;
	}
	if (BSON_ITER_HOLDS_UTF8(&it) && plain(bson_iter_utf8(&it, NULL))) {
		(void)snprintf(ret, AERO_CHECK_ID, "%s", bson_iter_utf8(&it, NULL));
	} else if (BSON_ITER_HOLDS_INT(&it)) {
		(void)snprintf(
			ret, AERO_CHECK_ID, "%lld", (long long)bson_iter_as_int64(&it));
	} else if (bson_append_iter(&one, "_id", -1, &it)) {
		json = aero_json_of_bson(&one, NULL);
		(void)snprintf(ret, AERO_CHECK_ID, "%s", json != NULL ? json : "-");
		free(json);
	}
	bson_destroy(&one);
}

/* Is a text field there that cannot be read as one? */
static bool no_text(const bson_t *doc, const char *key, const char *read)
{
	bson_iter_t it;
	uint32_t len = 0;

	if (!bson_iter_init_find(&it, doc, key) || BSON_ITER_HOLDS_NULL(&it))
		return false;
	if (BSON_ITER_HOLDS_UTF8(&it))
		(void)bson_iter_utf8(&it, &len);
	return *read == '\0' && (!BSON_ITER_HOLDS_UTF8(&it) || len > 0);
}

/* Is a field that we read there twice? What is read and what is written then differ. */
static bool has_twice(const bson_t *doc)
{
	bson_iter_t it, first;
	size_t n = 0;

	if (!bson_iter_init(&it, doc))
		return true;
	while (bson_iter_next(&it)) {
		if (!aero_slot_field(bson_iter_key(&it)))
			continue;
		if (++n > N_FIELDS_MAX ||
			!bson_iter_init_find(&first, doc, bson_iter_key(&it)) ||
			bson_iter_offset(&first) != bson_iter_offset(&it))
			return true;
	}
	return false;
}

static bool has_foreign(const bson_t *doc)
{
	bson_iter_t it;
	const char *key;

	if (!bson_iter_init(&it, doc))
		return true;
	while (bson_iter_next(&it)) {
		key = bson_iter_key(&it);
		if (strcmp(key, "_id") != 0 && !aero_slot_field(key))
			return true;
	}
	return false;
}

static bool valid_address(const struct aero_check *check, const char *text)
{
	struct aero_addr addr;

	return *text != '\0' &&
	       aero_addr_refuse(text, check->conf->offline, &addr) == NULL;
}

int aero_check_take_doc(struct aero_check *check, const bson_t *doc, struct aero_err *err)
{
	struct aero_check_doc *v =
		aero_array_room(check->docs, check->n_docs, sizeof(*v));
	struct aero_check_doc d = {0};

	if (v == NULL)
		return no_memory(err);
	check->docs = v;
	if (!aero_slot_of_bson(doc, &d.slot, &d.odd))
		return aero_err_set(err, AERO_DB, "a document of the slots: %s", d.odd);
	d.doc = bson_copy(doc);
	id_words(doc, d.id);
	d.strange = d.slot.odd_id || has_twice(doc) ||
		    no_text(doc, "hostname", d.slot.hostname);
	d.foreign = has_foreign(doc);
	d.answers = *d.slot.hostname != '\0' &&
		    aero_name_refuse(d.slot.hostname, true, check->conf->domain,
			    &check->conf->zones) == NULL &&
		    (valid_address(check, d.slot.who.ip) ||
			    valid_address(check, d.slot.who.ip6));
	v[check->n_docs++] = d;
	return AERO_OK;
}

int aero_check_take_control(
	struct aero_check *check, const bson_t *doc, struct aero_err *err)
{
	struct aero_check_control *v =
		aero_array_room(check->controls, check->n_controls, sizeof(*v));
	struct aero_control control = {0};
	bson_iter_t it;
	int rc = AERO_OK;

	if (v == NULL)
		return no_memory(err);
	check->controls = v;
	if (!bson_iter_init_find(&it, doc, "_id") || !BSON_ITER_HOLDS_UTF8(&it))
		return AERO_OK; /* none of ours */
	if (!aero_doc_control_of_bson(doc, &control))
		return no_memory(err);
	v += check->n_controls;
	*v = (struct aero_check_control){.service = strdup(bson_iter_utf8(&it, NULL)),
		.epoch = control.epoch,
		.open = control.open,
		.odd = control.odd};
	if (v->service == NULL)
		rc = no_memory(err);
	else
		check->n_controls++;
	aero_control_clear(&control);
	return rc;
}

static void finding_clear(struct aero_finding *finding)
{
	free(finding->name);
	bson_destroy(finding->set);
}

void aero_check_clear(struct aero_check *check)
{
	for (size_t i = 0; i < check->n_docs; i++) {
		bson_destroy(check->docs[i].doc);
		aero_slot_clear(&check->docs[i].slot);
	}
	for (size_t i = 0; i < check->n_controls; i++)
		free(check->controls[i].service);
	for (size_t i = 0; i < check->n; i++)
		finding_clear(&check->v[i]);
	free(check->docs);
	free(check->controls);
	free(check->services);
	free(check->v);
	aero_view_clear(&check->view);
	*check = (struct aero_check){0};
}

/* ---- findings ---- */

struct aero_finding *aero_check_add(struct aero_check *check, enum aero_found what,
	const struct aero_check_doc *doc, const char *name, const char *fmt, ...)
{
	struct aero_finding *v = aero_array_room(check->v, check->n, sizeof(*v));
	struct aero_finding finding = {.what = what,
		.doc = doc,
		.field = founds[what].field,
		.name = strdup(doc != NULL ? doc->slot.hostname : name)};
	va_list ap;

	if (v != NULL)
		check->v = v;
	if (v == NULL || finding.name == NULL) {
		check->no_memory = true;
		finding_clear(&finding);
		return NULL;
	}
	va_start(ap, fmt);
	(void)vsnprintf(finding.there, sizeof(finding.there), fmt, ap);
	va_end(ap);
	v[check->n] = finding;
	return &v[check->n++];
}

static int by_name(const void *a, const void *b)
{
	const struct aero_check_doc *x = a, *y = b;
	int order = aero_natural_cmp(x->slot.hostname, y->slot.hostname);

	return order != 0 ? order : strcmp(x->id, y->id);
}

int aero_check_run(struct aero_check *check, struct aero_err *err)
{
	if (check->n_docs > 1)
		qsort(check->docs, check->n_docs, sizeof(*check->docs), by_name);
	aero_check_documents(check);
	aero_check_shared(check);
	aero_check_services(check);
	if (check->indexes == AERO_MISS)
		(void)aero_check_add(check, AERO_FOUND_INDEXES, NULL, "", "%s",
			check->indexes_words.msg);
	else if (check->indexes == AERO_PERM)
		(void)aero_check_add(check, AERO_FOUND_INDEXES_UNSEEN, NULL, "", "%s",
			check->indexes_words.msg);
	for (size_t i = 0; i < check->n; i++)
		if (check->v[i].what == AERO_FOUND_INDEXES)
			check->v[i].mend = AERO_MEND_INDEXES;
	return check->no_memory ? no_memory(err) : AERO_OK;
}

static const char *id_of(const struct aero_finding *finding)
{
	return finding->doc != NULL ? finding->doc->id : "-";
}

static int by_finding(const void *a, const void *b)
{
	const struct aero_finding *x = *(struct aero_finding *const *)a;
	const struct aero_finding *y = *(struct aero_finding *const *)b;
	int order = (x->what > y->what) - (x->what < y->what);

	if (order == 0)
		order = strcmp(x->name, y->name);
	return order != 0 ? order : strcmp(id_of(x), id_of(y));
}

int aero_check_keep(
	struct aero_check *check, const struct aero_check *too, struct aero_err *err)
{
	struct aero_finding **sorted = calloc(too->n + 1, sizeof(*sorted));
	size_t n = 0;

	if (sorted == NULL)
		return no_memory(err);
	for (size_t i = 0; i < too->n; i++)
		sorted[i] = &too->v[i];
	qsort(sorted, too->n, sizeof(struct aero_finding *), by_finding);
	for (size_t i = 0; i < check->n; i++) {
		struct aero_finding *f = &check->v[i];

		if (bsearch(&f, sorted, too->n, sizeof(struct aero_finding *),
			    by_finding) != NULL)
			check->v[n++] = *f;
		else
			finding_clear(f);
	}
	check->n = n;
	free(sorted);
	return AERO_OK;
}

/* ---- shown ---- */

static const char *remedy(const struct aero_finding *finding)
{
	return finding->mend != AERO_MEND_NONE ? aero_mend_words(finding->mend)
					       : founds[finding->what].by_hand;
}

void aero_finding_print(FILE *out, const struct aero_finding *finding, const char *word)
{
	char name[300], id[300];

	(void)fprintf(out, "%s %s %s %s: %s; %s: %s\n",
		aero_found_wrong(finding->what) ? "wrong" : "said",
		*finding->name == '\0' ? "-"
				       : aero_show(finding->name, name, sizeof(name)),
		aero_show(id_of(finding), id, sizeof(id)),
		*finding->field == '\0' ? "-" : finding->field, finding->there,
		finding->mend != AERO_MEND_NONE ? word : "by hand", remedy(finding));
}

bool aero_finding_append(bson_t *doc, const struct aero_finding *finding)
{
	return BSON_APPEND_UTF8(
		       doc, "kind", aero_found_wrong(finding->what) ? "wrong" : "said") &&
	       BSON_APPEND_UTF8(doc, "what", founds[finding->what].name) &&
	       BSON_APPEND_UTF8(doc, "name", finding->name) &&
	       BSON_APPEND_UTF8(doc, "id", id_of(finding)) &&
	       BSON_APPEND_UTF8(doc, "field", finding->field) &&
	       BSON_APPEND_UTF8(doc, "there", finding->there) &&
	       BSON_APPEND_BOOL(doc, "mendable", finding->mend != AERO_MEND_NONE) &&
	       BSON_APPEND_UTF8(doc, "remedy", remedy(finding));
}
