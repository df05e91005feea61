/* SPDX-License-Identifier: MIT */
/* What an update would change: reads the store, hosts.mdb and /etc/hosts, writes nothing,
 * takes no lock and needs no root (CONTRACTS 3). */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "legacy/diff.h"
#include "legacy/updater.h"
#include "legacy/writer.h"
#include "lib/log.h"
#include "mirror/reader.h"
#include "syncd/mirror.h"
#include "syncd/pace.h"
#include "syncd/parts.h"
#include "syncd/rows.h"

struct diff {
	size_t added, removed, changed, published;
};

static int entry_cmp(const void *left, const void *right)
{
	const struct aero_entry *a = left, *b = right;
	int diff = memcmp(a->key, b->key, a->keylen < b->keylen ? a->keylen : b->keylen);

	return diff != 0 ? diff : (a->keylen > b->keylen) - (a->keylen < b->keylen);
}

/* The next host of the published mirror; false at its end. */
static bool next_host(struct aero_reader *r, unsigned char key[static AERO_KEY_MAX],
	size_t *keylen, struct aero_rec *rec, enum aero_read *why)
{
	do
		*why = aero_reader_next(r, AERO_KEY_NAME, key, keylen, rec);
	while (*why == AERO_READ_OK && rec->is_alias);
	return *why == AERO_READ_OK;
}

static size_t texts_len(const char *text, unsigned n)
{
	size_t len = 0;

	while (n-- > 0)
		len += strlen(text + len) + 1;
	return len;
}

static bool same(const struct aero_rec *a, const struct aero_rec *b)
{
	size_t len = texts_len(a->aliases, a->n_alias);

	return a->n4 == b->n4 && a->n6 == b->n6 && a->n_alias == b->n_alias &&
	       memcmp(a->addr4, b->addr4, (size_t)4 * a->n4) == 0 &&
	       memcmp(a->addr6, b->addr6, (size_t)16 * a->n6) == 0 &&
	       strcmp(a->canon, b->canon) == 0 &&
	       len == texts_len(b->aliases, b->n_alias) &&
	       memcmp(a->aliases, b->aliases, len) == 0;
}

/* The next host that would be in it; rec NULL at the end. */
static void next_answer(struct aero_answers_walk *walk, struct aero_entry *ret)
{
	do
		if (!aero_answers_next(walk, ret)) {
			ret->rec = NULL;
			return;
		}
	while (ret->is_alias || ret->key[0] != AERO_KEY_NAME);
}

/* Names of hosts.mdb against those that would be in it, both in the order of keys. */
static void compare(const char *path, const struct aero_answer_set *set, struct diff *ret)
{
	unsigned char key[AERO_KEY_MAX];
	struct aero_answers_walk walk;
	struct aero_entry entry;
	struct aero_reader r;
	struct aero_rec rec;
	enum aero_read why = aero_reader_open(&r, path);
	size_t keylen = 0;
	bool there = why == AERO_READ_OK && next_host(&r, key, &keylen, &rec, &why);

	aero_answers_walk(set->answers, false, &walk);
	next_answer(&walk, &entry);
	while (entry.rec != NULL || there) {
		const struct aero_entry old = {.key = key, .keylen = keylen};
		int order = entry.rec == NULL ? 1 : !there ? -1 : entry_cmp(&entry, &old);

		ret->added += order < 0;
		ret->removed += order > 0;
		ret->changed += order == 0 && !same(entry.rec, &rec);
		ret->published += order >= 0;
		if (order <= 0)
			next_answer(&walk, &entry);
		if (order >= 0)
			there = next_host(&r, key, &keylen, &rec, &why);
	}
	if (why != AERO_READ_MISS && why != AERO_READ_ABSENT)
		aero_log(AERO_WARNING,
			"dry run: '%s' cannot be read, it counts as absent", path);
	aero_reader_close(&r);
}

/* The answers to a whole collection. */
static int answer(const struct aero_conf *conf, const struct aero_batch *batch,
	struct aero_answers **ret, struct aero_answer_set *ret_set, struct aero_err *err)
{
	const struct aero_answers_opts opts = {.domain = conf->domain,
		.zones = &conf->zones,
		.service_names = conf->service_names,
		.loopback = conf->offline};
	unsigned char key[AERO_DOCUMENT_KEY_MAX];
	struct aero_docs_at at = {0};
	bson_t doc;
	int rc = aero_answers_new(&opts, ret, err);

	while (rc == AERO_OK && aero_docs_next(&batch->docs, &at, &doc)) {
		size_t len = aero_document_key(&doc, key);

		if (len > 0)
			rc = aero_answers_put(*ret, key, len, &doc, err);
	}
	return rc == AERO_OK ? aero_answers_make(*ret, ret_set, err) : rc;
}

static int show_hosts(const struct aero_conf *conf, const struct aero_answer_set *set,
	FILE *out, struct aero_err *err)
{
	struct aero_hosts_paths paths = {0};
	struct aero_hosts_job job = {
		.paths = &paths, .repair = conf->repair_hosts, .dryrun = true};
	struct aero_hosts_result result = {0};
	struct aero_rows rows = {0};
	char *legacy = NULL, *diff = NULL, self[256];
	size_t len = 0;
	int rc;

	if (conf->hosts_file == AERO_HOSTS_OFF)
		return AERO_OK;
	rc = aero_hosts_paths_make(conf->root, &paths, err);
	if (rc == AERO_OK && *conf->legacy_updater != '\0') {
		/* not run, so what it left last */
		rc = aero_legacy_read(paths.legacy, &legacy, &job.legacy_len, err);
		if (rc == AERO_MISS) {
			aero_log(AERO_WARNING,
				"dry run: the legacy updater is not run, and %s",
				err->msg);
			rc = AERO_OK;
		}
		job.legacy = legacy;
	}
	if (rc == AERO_OK)
		rc = aero_mirror_self(conf, self, sizeof(self), err);
	if (rc == AERO_OK)
		rc = aero_rows_make(
			set, (enum aero_hosts_file)conf->hosts_file, self, &rows, err);
	job.rows = rows.v;
	job.n_rows = rows.n;
	if (rc == AERO_OK)
		rc = aero_hosts_update(&job, &result, err);
	if (rc == AERO_OK)
		rc = aero_diff("/etc/hosts", result.old, result.old_len, "/etc/hosts.new",
			result.now.text, result.now.len, &diff, &len, err);
	if (rc == AERO_OK)
		(void)fwrite(diff, 1, len, out);
	free(diff);
	free(legacy);
	aero_rows_clear(&rows);
	aero_hosts_result_clear(&result);
	aero_hosts_paths_clear(&paths);
	return rc;
}

static int show(const struct aero_conf *conf, struct aero_answer_set *set, FILE *out,
	struct aero_err *err)
{
	char *path = aero_conf_path(conf, "/var/lib/aerostat/hosts.mdb");
	struct diff diff = {0};
	int rc;

	if (path == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	compare(path, set, &diff);
	free(path);
	if (!conf->accept_shrink && aero_shrink_holds(diff.published, set->n_hosts,
					    conf->shrink_min, conf->shrink_percent))
		return aero_err_set(err, AERO_REFUSED,
			"shrink guard: the store has %zu names, %zu are published; "
			"--accept-shrink takes them",
			set->n_hosts, diff.published);
	rc = show_hosts(conf, set, out, err);
	if (rc != AERO_OK)
		return rc;
	(void)fprintf(out, "dry run: %zu names, +%zu -%zu ~%zu, nothing written\n",
		set->n_hosts, diff.added, diff.removed, diff.changed);
	aero_log(AERO_INFO, "dry run: %zu names, +%zu -%zu ~%zu, nothing written",
		set->n_hosts, diff.added, diff.removed, diff.changed);
	return AERO_OK;
}

int aero_syncd_dryrun(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	struct aero_answers *answers = NULL;
	struct aero_answer_set set = {0};
	struct aero_store *store = NULL;
	struct aero_batch batch = {0};
	int rc = aero_syncd_store(conf, &store, err);

	if (rc == AERO_OK)
		rc = aero_syncd_fetch(conf, store, &batch, err);
	if (rc == AERO_OK)
		rc = answer(conf, &batch, &answers, &set, err);
	if (rc == AERO_OK)
		rc = show(conf, &set, out, err);
	aero_answers_free(answers);
	aero_batch_clear(&batch);
	aero_store_close(store);
	return rc;
}
