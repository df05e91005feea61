/* SPDX-License-Identifier: MIT */
/* aerostat --update-configs: all documents are read before the first file is touched. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/configs.h"
#include "lib/config_store.h"
#include "lib/file.h"
#include "lib/log.h"
#include "register/session.h"

#define LOCK "/run/aerostat/configs.lock"

struct update {
	const struct aero_conf *conf;
	bool *found; /* per name of --configs */
	struct aero_config *v;
	size_t n;
	size_t n_written, n_refused;
	int rc; /* of the first that failed, with its words */
	struct aero_err first;
};

/* One is left alone, the others go on. */
static void refuse(struct update *u, int rc, const struct aero_err *why)
{
	aero_log(AERO_ERROR, "update-configs: left alone: %s", why->msg);
	if (u->n_refused++ == 0) {
		u->rc = rc == AERO_BAD ? AERO_REFUSED : rc;
		u->first = *why;
	}
}

static bool wants(struct update *u, const bson_t *doc)
{
	const char *name = "";
	bool wanted = u->conf->configs.n == 0;
	bson_iter_t it;

	if (bson_iter_init_find(&it, doc, "name") && BSON_ITER_HOLDS_UTF8(&it))
		name = bson_iter_utf8(&it, NULL);
	for (size_t i = 0; i < u->conf->configs.n; i++)
		if (strcmp(u->conf->configs.v[i], name) == 0)
			wanted = u->found[i] = true;
	return wanted;
}

static int take(const bson_t *doc, void *arg, struct aero_err *err)
{
	struct update *u = arg;
	struct aero_config config = {0}, *grown;
	struct aero_err why = {""};
	int rc;

	if (!wants(u, doc))
		return AERO_OK;
	rc = aero_config_of_bson(doc, &config, &why);
	if (rc == AERO_OK && config.is_template)
		rc = aero_err_set(&why, AERO_REFUSED,
			"'%s' is a template (it has keywords), which is not rendered",
			config.name);
	if (rc != AERO_OK) {
		refuse(u, rc, &why);
		aero_config_clear(&config);
		return AERO_OK;
	}
	grown = reallocarray(u->v, u->n + 1, sizeof(*u->v));
	if (grown == NULL) {
		aero_config_clear(&config);
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	}
	u->v = grown;
	u->v[u->n++] = config;
	return AERO_OK;
}

static int by_path(const void *left, const void *right)
{
	const struct aero_config *a = left, *b = right;
	int cmp = strcmp(a->path, b->path);

	return cmp != 0 ? cmp : strcmp(a->name, b->name);
}

static void apply_all(struct update *u, FILE *out)
{
	for (size_t i = 0; i < u->n; i++) {
		bool written = false,
		     twice = i > 0 && strcmp(u->v[i - 1].path, u->v[i].path) == 0;
		struct aero_err why = {""};
		int rc;

		if (twice)
			rc = aero_err_set(&why, AERO_REFUSED,
				"'%s': '%s' has the path %s already", u->v[i].name,
				u->v[i - 1].name, u->v[i].path);
		else
			rc = aero_config_apply(u->conf, &u->v[i], out, &written, &why);
		if (rc != AERO_OK)
			refuse(u, rc, &why);
		else if (written)
			u->n_written++;
	}
}

static int read_all(struct update *u, const char *service, struct aero_err *err)
{
	struct aero_store *store = NULL;
	int rc = aero_config_store_open(u->conf, "configs", &store, err);

	if (rc == AERO_OK)
		rc = aero_config_store_read(store, service, take, u, err);
	aero_store_close(store);
	if (u->n > 1)
		qsort(u->v, u->n, sizeof(*u->v), by_path);
	for (size_t i = 0; rc == AERO_OK && i < u->conf->configs.n; i++) {
		struct aero_err why = {""};

		if (u->found[i])
			continue;
		(void)aero_err_set(&why, AERO_REFUSED, "%s has no file '%.100s'", service,
			u->conf->configs.v[i]);
		refuse(u, AERO_REFUSED, &why);
	}
	return rc;
}

static int take_lock(const struct aero_conf *conf, int *ret, struct aero_err *err)
{
	char *path = aero_conf_path(conf, LOCK);
	int rc = path == NULL ? aero_err_set(err, AERO_NOMEM, "out of memory")
			      : aero_lock_take(path, ret, NULL, err);

	free(path);
	return rc == AERO_PERM ? aero_err_prefix(err, rc,
					 "this needs root, or --dryrun to look only")
			       : rc;
}

int aero_configs_update(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	struct aero_session session;
	struct update u = {.conf = conf};
	int rc, lock = -1;

	aero_session_look(conf, &session);
	aero_session_brief(&session);
	rc = aero_session_info(&session, err);
	u.found = calloc(conf->configs.n + 1, sizeof(*u.found));
	if (rc == AERO_OK && u.found == NULL)
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	if (rc == AERO_OK && !conf->dryrun)
		rc = take_lock(conf, &lock, err);
	if (rc == AERO_OK)
		rc = read_all(&u, session.info.service, err);
	if (rc != AERO_OK)
		goto out;
	apply_all(&u, out);
	(void)fprintf(out, "%s%zu file%s of %s, %zu %s, %zu refused%s\n",
		conf->dryrun ? "dry run: " : "", u.n, u.n == 1 ? "" : "s",
		session.info.service, u.n_written, conf->dryrun ? "to write" : "written",
		u.n_refused, conf->dryrun ? ", nothing written" : "");
	if (u.n_refused > 0)
		rc = aero_err_set(err, u.rc, "%zu left alone, the first: %s", u.n_refused,
			u.first.msg);
out:
	for (size_t i = 0; i < u.n; i++)
		aero_config_clear(&u.v[i]);
	free(u.v);
	free(u.found);
	aero_session_close(&session);
	if (lock >= 0)
		(void)close(lock);
	return rc;
}
