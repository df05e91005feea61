/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/loop.h"
#include "server/check.h"
#include "server/repair.h"

static int take_doc(const bson_t *doc, void *arg, struct aero_err *err)
{
	return aero_check_take_doc(arg, doc, err);
}

static int take_control(const bson_t *doc, void *arg, struct aero_err *err)
{
	return aero_check_take_control(arg, doc, err);
}

static int read_once(const struct aero_conf *conf, struct aero_store *store,
	struct aero_check *ret, struct aero_err *err)
{
	int rc;

	ret->conf = conf;
	ret->reg = (int64_t)(aero_random() >> 1) | 1;
	rc = aero_store_walk(store, AERO_TABLE_SLOTS, take_doc, ret, err);
	if (rc == AERO_OK)
		rc = aero_view_nodes(store, &ret->view, err);
	if (rc == AERO_OK)
		rc = aero_store_walk(store, AERO_TABLE_CONTROL, take_control, ret, err);
	if (rc != AERO_OK)
		return rc;
	ret->indexes = aero_store_indexes_check(store, &ret->indexes_words);
	if (ret->indexes != AERO_OK && ret->indexes != AERO_MISS &&
		ret->indexes != AERO_PERM) {
		*err = ret->indexes_words;
		return ret->indexes;
	}
	return aero_check_run(ret, err);
}

static size_t count(const struct aero_check *check, bool wrong)
{
	size_t n = 0;

	for (size_t i = 0; i < check->n; i++)
		n += aero_found_wrong(check->v[i].what) == wrong;
	return n;
}

/* What two reads show, where the first shows anything: see aero_check_has. */
static int read_check(const struct aero_conf *conf, struct aero_store *store,
	struct aero_check *ret, struct aero_err *err)
{
	struct aero_check first = {0};
	int rc = read_once(conf, store, &first, err);

	if (rc == AERO_OK && first.n == 0) {
		*ret = first;
		return AERO_OK;
	}
	if (rc == AERO_OK)
		rc = read_once(conf, store, ret, err);
	if (rc == AERO_OK)
		rc = aero_check_keep(ret, &first, err);
	aero_check_clear(&first);
	return rc;
}

/* ---- shown ---- */

static int print_json(FILE *out, const struct aero_check *check, struct aero_err *err)
{
	int rc = AERO_OK;

	(void)fputc('[', out);
	for (size_t i = 0; rc == AERO_OK && i < check->n; i++) {
		bson_t doc = BSON_INITIALIZER;
		char *json = aero_finding_append(&doc, &check->v[i])
				     ? aero_json_of_bson(&doc, NULL)
				     : NULL;

		if (json == NULL)
			rc = aero_err_set(err, AERO_NOMEM, "JSON: out of memory");
		else
			(void)fprintf(out, "%s%s", i == 0 ? "" : ", ", json);
		free(json);
		bson_destroy(&doc);
	}
	(void)fputs("]\n", out);
	return rc;
}

static int print(const struct aero_conf *conf, FILE *out, const struct aero_check *check,
	struct aero_err *err)
{
	if (conf->json)
		return print_json(out, check, err);
	for (size_t i = 0; i < check->n; i++)
		aero_finding_print(out, &check->v[i], "to mend");
	(void)fprintf(out, "%zu documents: %zu wrong, %zu worth knowing\n", check->n_docs,
		count(check, true), count(check, false));
	return AERO_OK;
}

static int wrong(const struct aero_check *check, struct aero_err *err)
{
	size_t n = count(check, true);

	if (n == 0)
		return AERO_OK;
	return aero_err_set(err, AERO_REFUSED,
		"%zu of what is in the collection %s wrong; `aerostatd --repair "
		"--dryrun` "
		"shows what --repair would do",
		n, n == 1 ? "is" : "are");
}

int aero_repair_run(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	struct aero_check check = {0};
	struct aero_store *store = NULL;
	int rc = AERO_OK;

	if (conf->repair)
		rc = aero_err_set(err, AERO_USAGE,
			"--repair is not part of version " PACKAGE_VERSION " yet");
	if (rc == AERO_OK)
		rc = aero_store_open_conf(conf, "check", true, &store, err);
	if (rc == AERO_OK)
		rc = read_check(conf, store, &check, err);
	if (rc == AERO_OK)
		rc = print(conf, out, &check, err);
	if (rc == AERO_OK)
		rc = wrong(&check, err);
	aero_check_clear(&check);
	aero_store_close(store);
	return rc;
}
