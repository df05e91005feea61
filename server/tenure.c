/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <bson/bson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/array.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "server/tenure.h"

#define REAP "/var/lib/aerostat/reap.json"
#define REAP_MAX (128 << 20)
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

int64_t aero_boot_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tenure_clear(struct aero_tenure *tenure)
{
	free(tenure->hostname);
	free(tenure->instance_id);
	free(tenure->service);
}

bool aero_tenures_add(struct aero_tenures *tenures, const struct aero_tenure *tenure)
{
	struct aero_tenure *v = aero_array_room(tenures->v, tenures->n, sizeof(*v));
	struct aero_tenure copy = *tenure;

	if (v == NULL)
		return false;
	tenures->v = v;
	copy.hostname = strdup(tenure->hostname);
	copy.instance_id = strdup(tenure->instance_id);
	copy.service = strdup(tenure->service);
	if (copy.hostname == NULL || copy.instance_id == NULL || copy.service == NULL) {
		tenure_clear(&copy);
		return false;
	}
	v[tenures->n++] = copy;
	return true;
}

static int by_hostname(const void *a, const void *b)
{
	return strcmp(((const struct aero_tenure *)a)->hostname,
		((const struct aero_tenure *)b)->hostname);
}

void aero_tenures_sort(struct aero_tenures *tenures)
{
	if (tenures->n > 1)
		qsort(tenures->v, tenures->n, sizeof(*tenures->v), by_hostname);
}

struct aero_tenure *aero_tenures_find(
	const struct aero_tenures *tenures, const char *hostname)
{
	union {
		const char *in;
		char *out;
	} cast = {.in = hostname}; /* only compared */
	struct aero_tenure key = {.hostname = cast.out};

	if (tenures->n == 0)
		return NULL;
	return bsearch(&key, tenures->v, tenures->n, sizeof(*tenures->v), by_hostname);
}

void aero_tenures_clear(struct aero_tenures *tenures)
{
	for (size_t i = 0; i < tenures->n; i++)
		tenure_clear(&tenures->v[i]);
	free(tenures->v);
	*tenures = (struct aero_tenures){0};
}

/* ---- the text ---- */

char *aero_tenures_text(const struct aero_tenures *tenures, const char *boot)
{
	bson_t doc = BSON_INITIALIZER, array, sub;
	char index[16], *text;
	const char *key;

	BSON_APPEND_UTF8(&doc, "boot", boot);
	BSON_APPEND_ARRAY_BEGIN(&doc, "slots", &array);
	for (size_t i = 0; i < tenures->n; i++) {
		const struct aero_tenure *t = &tenures->v[i];

		bson_uint32_to_string((uint32_t)i, &key, index, sizeof(index));
		BSON_APPEND_DOCUMENT_BEGIN(&array, key, &sub);
		BSON_APPEND_UTF8(&sub, "hostname", t->hostname);
		BSON_APPEND_UTF8(&sub, "instance_id", t->instance_id);
		BSON_APPEND_UTF8(&sub, "service", t->service);
		BSON_APPEND_INT64(&sub, "reg", t->reg);
		BSON_APPEND_INT64(&sub, "epoch", t->epoch);
		BSON_APPEND_INT64(&sub, "since", t->tally.since_ms);
		BSON_APPEND_INT64(&sub, "absent", t->tally.absent);
		BSON_APPEND_INT64(&sub, "absent_since", t->tally.absent_ms);
		BSON_APPEND_INT64(&sub, "dead", t->tally.dead);
		bson_append_document_end(&array, &sub);
	}
	bson_append_array_end(&doc, &array);
	if (tenures->lease.boot_ms != 0) {
		BSON_APPEND_DOCUMENT_BEGIN(&doc, "lease", &sub);
		BSON_APPEND_INT64(&sub, "store", tenures->lease.store_ms);
		BSON_APPEND_INT64(&sub, "at", tenures->lease.boot_ms);
		BSON_APPEND_INT64(&sub, "quiet", tenures->lease.quiet_ms);
		BSON_APPEND_INT64(&sub, "sum", tenures->lease.sum);
		BSON_APPEND_INT64(&sub, "changed", tenures->lease.sum_ms);
		bson_append_document_end(&doc, &sub);
	}
	text = aero_json_of_bson(&doc, NULL);
	bson_destroy(&doc);
	return text;
}

/* A text of it, or NULL. */
static char *text_of(const bson_iter_t *doc, const char *key)
{
	bson_iter_t it;

	return bson_iter_recurse(doc, &it) && bson_iter_find(&it, key) &&
			       BSON_ITER_HOLDS_UTF8(&it)
		       ? (char *)(uintptr_t)bson_iter_utf8(&it, NULL)
		       : NULL;
}

/* A whole number from 0 to max; -1: it is none. */
static int64_t number_of(const bson_iter_t *doc, const char *key, int64_t max)
{
	bson_iter_t it;
	int64_t n;

	if (!bson_iter_recurse(doc, &it) || !bson_iter_find(&it, key) ||
		!BSON_ITER_HOLDS_INT(&it))
		return -1;
	n = bson_iter_as_int64(&it);
	return n >= 0 && n <= max ? n : -1;
}

static int take(const bson_iter_t *doc, bool same_boot, int64_t now_ms,
	struct aero_tenures *tenures, struct aero_err *err)
{
	struct aero_tenure t = {
		.hostname = text_of(doc, "hostname"), /* lent */
		.instance_id = text_of(doc, "instance_id"),
		.service = text_of(doc, "service"),
		.reg = number_of(doc, "reg", INT64_MAX),
		.epoch = number_of(doc, "epoch", INT64_MAX),
		.tally.since_ms = number_of(doc, "since", INT64_MAX),
	};
	int64_t absent = number_of(doc, "absent", INT32_MAX),
		dead = number_of(doc, "dead", INT32_MAX);

	if (t.hostname == NULL || t.instance_id == NULL || t.service == NULL ||
		t.reg < 0 || t.epoch < 0 || t.tally.since_ms < 0 || absent < 0 ||
		dead < 0)
		return aero_err_set(err, AERO_BAD, "entry %zu is damaged", tenures->n);
	if (!same_boot || t.tally.since_ms > now_ms)
		t.tally.since_ms = now_ms;
	t.tally.absent_ms = number_of(doc, "absent_since", now_ms);
	if (!same_boot || t.tally.absent_ms < 0)
		t.tally.absent_ms = now_ms;
	t.tally.absent = (unsigned)absent;
	t.tally.dead = (unsigned)dead;
	if (!aero_tenures_add(tenures, &t))
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	return AERO_OK;
}

/* All or nothing: what is not whole begins anew. */
static struct aero_lease lease_of(const bson_t *doc, int64_t now_ms)
{
	struct aero_lease lease = {0};
	bson_iter_t it;

	if (!bson_iter_init_find(&it, doc, "lease"))
		return lease;
	lease.store_ms = number_of(&it, "store", INT64_MAX);
	lease.boot_ms = number_of(&it, "at", now_ms);
	lease.quiet_ms = number_of(&it, "quiet", lease.boot_ms);
	lease.sum = number_of(&it, "sum", INT64_MAX);
	lease.sum_ms = number_of(&it, "changed", lease.boot_ms);
	return lease.store_ms < 0 || lease.boot_ms < 0 || lease.quiet_ms < 0 ||
			       lease.sum < 0 || lease.sum_ms < 0
		       ? (struct aero_lease){0}
		       : lease;
}

int aero_tenures_parse(const char *text, size_t len, const char *boot, int64_t now_ms,
	struct aero_tenures *ret, struct aero_err *err)
{
	struct aero_tenures tenures = {.known = true};
	bson_error_t error = {0};
	bson_iter_t it, slots;
	bson_t *doc = NULL;
	bool same_boot;
	int rc = AERO_OK;

	if (len > 0)
		doc = bson_new_from_json((const uint8_t *)text, (ssize_t)len, &error);
	if (doc == NULL)
		return aero_err_set(
			err, AERO_BAD, "%s", len > 0 ? error.message : "empty");
	same_boot = bson_iter_init_find(&it, doc, "boot") && BSON_ITER_HOLDS_UTF8(&it) &&
		    strcmp(bson_iter_utf8(&it, NULL), boot) == 0;
	if (!bson_iter_init_find(&it, doc, "slots") || !BSON_ITER_HOLDS_ARRAY(&it) ||
		!bson_iter_recurse(&it, &slots))
		rc = aero_err_set(err, AERO_BAD, "it has no slots");
	while (rc == AERO_OK && bson_iter_next(&slots))
		rc = BSON_ITER_HOLDS_DOCUMENT(&slots)
			     ? take(&slots, same_boot, now_ms, &tenures, err)
			     : aero_err_set(err, AERO_BAD, "an entry is no document");
	if (rc == AERO_OK) {
		if (same_boot)
			tenures.lease = lease_of(doc, now_ms);
		aero_tenures_sort(&tenures);
		*ret = tenures;
		tenures = (struct aero_tenures){0}; /* now owned by the caller */
	}
	aero_tenures_clear(&tenures);
	bson_destroy(doc);
	return rc;
}

/* ---- the file ---- */

static void boot_id(char ret[static 64])
{
	FILE *f = fopen(BOOT_ID, "re");

	ret[0] = '\0';
	if (f != NULL) {
		if (fgets(ret, 64, f) == NULL)
			ret[0] = '\0';
		ret[strcspn(ret, "\n")] = '\0';
		(void)fclose(f);
	}
}

int aero_tenures_load(const struct aero_conf *conf, int64_t now_ms,
	struct aero_tenures *ret, struct aero_err *err)
{
	char *path = aero_conf_path(conf, REAP), *text = NULL, boot[64];
	size_t len = 0;
	int rc = path == NULL ? aero_err_set(err, AERO_NOMEM, "out of memory")
			      : aero_file_read(path, REAP_MAX, &text, &len, err);

	boot_id(boot);
	if (rc == AERO_OK)
		rc = aero_tenures_parse(text, len, boot, now_ms, ret, err);
	if (rc == AERO_MISS) {
		rc = AERO_OK;
	} else if (rc == AERO_BAD) {
		aero_log(AERO_WARNING, "%s: %s: counting of absences begins anew", path,
			err->msg);
		rc = AERO_OK;
	}
	free(text);
	free(path);
	return rc;
}

int aero_tenures_save(const struct aero_conf *conf, const struct aero_tenures *tenures,
	struct aero_err *err)
{
	char *path = aero_conf_path(conf, REAP), *text, *end, boot[64];
	int rc = AERO_OK;

	boot_id(boot);
	text = aero_tenures_text(tenures, boot);
	if (path == NULL || text == NULL)
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK) {
		end = strrchr(path, '/');
		*end = '\0';
		rc = aero_dir_make(path, err);
		*end = '/';
	}
	if (rc == AERO_OK)
		rc = aero_file_replace(path, text, strlen(text), 0644, err);
	free(text);
	free(path);
	return rc;
}
