/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "server/check.h"
#include "server/mend.h"
#include "server/repair.h"
#include "server/rules.h"

/* Takes names off, registers who has none by that, and looks once more; and some, for
 * what others write meanwhile. */
#define ROUNDS 8

struct repair {
	const struct aero_conf *conf;
	struct aero_store *store;
	FILE *out;
	struct aero_check check; /* of the last look */
	size_t cap, held;        /* the guard's: so many may go, so many stay */
	size_t done;
	bool moved;  /* something was done in this round */
	bool missed; /* something was not */
};

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

/* ---- the guard ---- */

static bool is_held(const struct repair *repair, const struct aero_finding *finding)
{
	return repair->held > 0 && aero_mend_takes(finding->mend);
}

static size_t n_mends(const struct repair *repair)
{
	size_t n = 0;

	for (size_t i = 0; i < repair->check.n; i++)
		n += repair->check.v[i].mend != AERO_MEND_NONE;
	return n;
}

/* More than may go at once: nothing goes. */
static void guard(struct repair *repair)
{
	const struct aero_rules rules = {
		.cap_percent = (unsigned)repair->conf->reap_cap_percent,
		.cap_min = (unsigned)repair->conf->reap_cap_min};
	size_t takes = 0;

	for (size_t i = 0; i < repair->check.n; i++)
		takes += aero_mend_takes(repair->check.v[i].mend);
	repair->cap = aero_rules_cap(&rules, repair->check.n_docs);
	repair->held = takes > repair->cap && !repair->conf->force ? takes : 0;
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

/* The word before what --repair does with it. */
static const char *word(const struct repair *repair, const struct aero_finding *finding)
{
	if (!repair->conf->repair)
		return "to mend";
	if (is_held(repair, finding))
		return "held";
	return repair->conf->dryrun ? "would" : "will";
}

static int print(const struct repair *repair, struct aero_err *err)
{
	const struct aero_check *check = &repair->check;

	if (repair->conf->json)
		return print_json(repair->out, check, err);
	for (size_t i = 0; i < check->n; i++)
		aero_finding_print(repair->out, &check->v[i], word(repair, &check->v[i]));
	return AERO_OK;
}

static void print_done(const struct repair *repair, const struct aero_finding *finding,
	const char *hostname)
{
	char name[300];

	if (repair->conf->json)
		return;
	(void)fprintf(repair->out, "done %s %s: %s%s%s\n",
		*finding->name == '\0' ? "-"
				       : aero_show(finding->name, name, sizeof(name)),
		finding->doc != NULL ? finding->doc->id : "-",
		aero_mend_words(finding->mend), *hostname == '\0' ? "" : ": ", hostname);
	(void)fflush(repair->out);
}

static void print_total(const struct repair *repair)
{
	const struct aero_check *check = &repair->check;

	if (repair->conf->json)
		return;
	(void)fprintf(repair->out, "%s%zu documents: %zu wrong, %zu worth knowing",
		repair->conf->repair && repair->conf->dryrun ? "dry run: " : "",
		check->n_docs, count(check, true), count(check, false));
	if (repair->conf->repair && repair->conf->dryrun)
		(void)fprintf(repair->out,
			"; %zu would be mended, %zu held, nothing written",
			n_mends(repair) - repair->held, repair->held);
	else if (repair->conf->repair)
		(void)fprintf(repair->out, "; %zu mended, %zu held", repair->done,
			repair->held);
	(void)fputc('\n', repair->out);
}

/* ---- the steps ---- */

/* Without the unique indexes a newcomer may get a name that another has. */
static bool needs_indexes(enum aero_mend mend)
{
	return mend == AERO_MEND_INSERT || mend == AERO_MEND_REGISTER;
}

static int mend_kind(struct repair *repair, enum aero_mend mend, struct aero_err *err)
{
	const struct aero_check *check = &repair->check;
	char hostname[AERO_HOSTNAME_SIZE], name[300];
	int rc = AERO_OK;

	if (needs_indexes(mend) && check->indexes == AERO_MISS)
		return AERO_OK;
	for (size_t i = 0; rc == AERO_OK && i < check->n; i++) {
		const struct aero_finding *f = &check->v[i];

		if (f->mend != mend || is_held(repair, f))
			continue;
		rc = aero_mend(check, f, repair->store, hostname, err);
		if (rc == AERO_OK) {
			repair->done++;
			repair->moved = true;
			print_done(repair, f, hostname);
		} else if (rc == AERO_MISS) {
			aero_log(AERO_WARNING, "repair: %s: not done: %s",
				aero_quote(f->name, name, sizeof(name)), err->msg);
			repair->missed = true;
			rc = AERO_OK;
		}
	}
	return rc;
}

/* One look, and what is to be done by it. What is done may uncover more. */
static int round_of(struct repair *repair, bool first, struct aero_err *err)
{
	int rc;

	aero_check_clear(&repair->check);
	rc = read_check(repair->conf, repair->store, &repair->check, err);
	if (rc == AERO_OK)
		guard(repair);
	if (rc == AERO_OK && first)
		rc = print(repair, err);
	(void)fflush(repair->out);
	repair->moved = repair->missed = false;
	if (!repair->conf->repair || repair->conf->dryrun)
		return rc;
	for (int mend = AERO_MEND_NONE + 1; rc == AERO_OK && mend < AERO_N_MENDS; mend++)
		rc = mend_kind(repair, (enum aero_mend)mend, err);
	return rc;
}

/* What is left, in words. */
static int verdict(const struct repair *repair, struct aero_err *err)
{
	size_t n = count(&repair->check, true), left = 0;

	if (repair->held > 0)
		return aero_err_set(err, AERO_REFUSED,
			"%zu names and documents of %zu would go at once, the guard lets "
			"%zu (reap_cap_percent, reap_cap_min): all held; look at the "
			"plan, "
			"and give --force if it is right",
			repair->held, repair->check.n_docs, repair->cap);
	for (size_t i = 0; i < repair->check.n; i++)
		left += aero_found_wrong(repair->check.v[i].what) &&
			repair->check.v[i].mend == AERO_MEND_NONE;
	if (repair->conf->repair && repair->conf->dryrun)
		n = left;
	if (n == 0)
		return AERO_OK;
	return aero_err_set(err, AERO_REFUSED,
		"%zu of what is in the collection %s wrong%s", n, n == 1 ? "is" : "are",
		left == n ? ", and to be corrected by hand"
			  : "; `aerostatd --repair --dryrun` shows what can be done");
}

int aero_repair_store(const struct aero_conf *conf, struct aero_store *store, FILE *out,
	struct aero_err *err)
{
	struct repair repair = {.conf = conf, .store = store, .out = out};
	int rc = AERO_OK, idle = 0;

	/* The last look finds nothing to do; what was not done is looked at once more. */
	for (int i = 0; rc == AERO_OK && i < ROUNDS && idle < 2; i++) {
		rc = round_of(&repair, i == 0, err);
		idle = repair.moved ? 0 : idle + (repair.missed ? 1 : 2);
	}
	if (rc == AERO_OK)
		print_total(&repair);
	if (rc == AERO_OK)
		rc = verdict(&repair, err);
	aero_check_clear(&repair.check);
	return rc;
}

int aero_repair_run(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	struct aero_store *store = NULL;
	int rc = AERO_OK;

	if (conf->check && conf->repair)
		return aero_err_set(err, AERO_USAGE,
			"either --check or --repair: --repair checks, too");
	rc = aero_store_open_conf(
		conf, "repair", conf->check || conf->dryrun, &store, err);
	if (rc == AERO_OK)
		rc = aero_repair_store(conf, store, out, err);
	aero_store_close(store);
	return rc;
}
