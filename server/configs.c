/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/config_store.h"
#include "lib/log.h"
#include "server/configs.h"
#include "server/git.h"
#include "server/repo.h"

/* A document of a service, by its name: how it stands to the repository. */
struct known {
	bson_value_t id;
	char *name; /* '' = none that we could read */
	bool ours;
	bool same; /* as in the repository */
};

struct service {
	const struct aero_repo_service *repo; /* NULL: it is not in the repository */
	struct known *v;
	size_t n;
};

static struct aero_git git_of(const struct aero_conf *conf, int stop_fd)
{
	return (struct aero_git){.url = conf->remote_repo_url,
		.dir = conf->repo_path,
		.cert = conf->git_cert,
		.stop_fd = stop_fd};
}

int aero_configs_check(const struct aero_conf *conf, int stop_fd, struct aero_err *err)
{
	struct aero_git git = git_of(conf, stop_fd);
	int rc;

	if (*conf->remote_repo_url == '\0')
		return AERO_OK;
	rc = aero_git_check(&git, err);
	return rc == AERO_OK ? rc : aero_err_prefix(err, rc, "remote_repo_url");
}

static const struct aero_config *in_repo(
	const struct aero_repo_service *repo, const char *name)
{
	for (size_t i = 0; repo != NULL && i < repo->n; i++)
		if (strcmp(repo->v[i].name, name) == 0)
			return &repo->v[i];
	return NULL;
}

static const char *utf8_of(const bson_t *doc, const char *key)
{
	bson_iter_t it;

	return bson_iter_init_find(&it, doc, key) && BSON_ITER_HOLDS_UTF8(&it)
		       ? bson_iter_utf8(&it, NULL)
		       : "";
}

/* Contents are not kept: one document is in memory at a time. */
static int take(const bson_t *doc, void *arg, struct aero_err *err)
{
	struct service *service = arg;
	struct known *known, *grown;
	struct aero_config config = {0};
	const struct aero_config *wanted;
	bson_iter_t it;

	if (!bson_iter_init_find(&it, doc, "_id"))
		return AERO_OK;
	grown = reallocarray(service->v, service->n + 1, sizeof(*grown));
	if (grown == NULL)
		return aero_err_set(err, AERO_NOMEM, "configs: out of memory");
	service->v = grown;
	known = &service->v[service->n++];
	*known = (struct known){.name = strdup(utf8_of(doc, "name"))};
	bson_value_copy(bson_iter_value(&it), &known->id);
	if (known->name == NULL)
		return aero_err_set(err, AERO_NOMEM, "configs: out of memory");
	known->ours = strcmp(utf8_of(doc, AERO_CONFIG_SOURCE), AERO_CONFIG_GIT) == 0;
	wanted = in_repo(service->repo, known->name);
	if (wanted != NULL && aero_config_of_bson(doc, &config, NULL) == AERO_OK)
		known->same = known->ours && aero_config_equal(&config, wanted);
	aero_config_clear(&config);
	return AERO_OK;
}

static void service_clear(struct service *service)
{
	for (size_t i = 0; i < service->n; i++) {
		bson_value_destroy(&service->v[i].id);
		free(service->v[i].name);
	}
	free(service->v);
}

static void say(const struct aero_conf *conf, const char *what, const char *service,
	const char *name)
{
	aero_log(AERO_INFO, "configs: %s%s %s/%s", conf->dryrun ? "dry run: would " : "",
		what, service, name);
}

/* Bring the documents with this name to wanted: the first is it. */
static int write_one(const struct aero_conf *conf, struct aero_store *store,
	const struct service *service, const struct aero_config *wanted,
	struct aero_configs_report *report, struct aero_err *err)
{
	const struct known *known = NULL;
	int rc = AERO_OK;

	for (size_t i = 0; known == NULL && i < service->n; i++)
		if (strcmp(service->v[i].name, wanted->name) == 0)
			known = &service->v[i];
	if (known != NULL && known->same)
		return AERO_OK;
	if (!conf->dryrun)
		rc = aero_config_store_put(store, service->repo->name,
			known == NULL ? NULL : &known->id, wanted, err);
	if (rc != AERO_OK)
		return rc;
	report->written++;
	say(conf, "write", service->repo->name, wanted->name);
	return AERO_OK;
}

static int delete_gone(const struct aero_conf *conf, struct aero_store *store,
	const char *name, const struct service *service,
	struct aero_configs_report *report, struct aero_err *err)
{
	int rc = AERO_OK;

	for (size_t i = 0; rc == AERO_OK && i < service->n; i++) {
		const struct known *known = &service->v[i];

		if (!known->ours || in_repo(service->repo, known->name) != NULL)
			continue;
		if (!conf->dryrun)
			rc = aero_config_store_delete(store, name, &known->id, err);
		if (rc == AERO_OK) {
			report->deleted++;
			say(conf, "delete", name, known->name);
		}
	}
	return rc;
}

static int sync_service(const struct aero_conf *conf, struct aero_store *store,
	const char *name, const struct aero_repo_service *repo,
	struct aero_configs_report *report, struct aero_err *err)
{
	struct service service = {.repo = repo};
	int rc = aero_config_store_read(store, name, take, &service, err);

	for (size_t i = 0; rc == AERO_OK && repo != NULL && i < repo->n; i++)
		rc = write_one(conf, store, &service, &repo->v[i], report, err);
	/* A file that was left out may be what a document came from. */
	if (rc == AERO_OK && (repo == NULL || repo->refused == 0))
		rc = delete_gone(conf, store, name, &service, report, err);
	service_clear(&service);
	return rc;
}

static const struct aero_repo_service *service_in(
	const struct aero_repo *repo, const char *name)
{
	for (size_t i = 0; i < repo->n; i++)
		if (strcmp(repo->v[i].name, name) == 0)
			return &repo->v[i];
	return NULL;
}

static int sync_all(const struct aero_conf *conf, const struct aero_repo *repo,
	struct aero_configs_report *report, struct aero_err *err)
{
	struct aero_list there = {0};
	struct aero_store *store = NULL;
	int rc = aero_config_store_open(conf, "aerostatd", &store, err);

	for (size_t i = 0; rc == AERO_OK && i < repo->n; i++)
		rc = sync_service(conf, store, repo->v[i].name, &repo->v[i], report, err);
	if (rc == AERO_OK && repo->folders_refused == 0)
		rc = aero_config_store_services(store, &there, err);
	for (size_t i = 0; rc == AERO_OK && i < there.n; i++)
		if (service_in(repo, there.v[i]) == NULL &&
			strncmp(there.v[i], "system.", 7) != 0)
			rc = sync_service(conf, store, there.v[i], NULL, report, err);
	aero_list_clear(&there);
	aero_store_close(store);
	return rc;
}

int aero_configs_run(const struct aero_conf *conf, int stop_fd,
	struct aero_configs_report *ret, struct aero_err *err)
{
	struct aero_git git = git_of(conf, stop_fd);
	struct aero_configs_report report = {0};
	struct aero_repo repo = {0};
	int rc = AERO_OK;

	*ret = report;
	if (*conf->remote_repo_url == '\0')
		return AERO_OK;
	if (!conf->dryrun)
		rc = aero_git_pull(&git, err);
	if (rc == AERO_OK)
		rc = aero_repo_read(conf->repo_path, &repo, err);
	report.files = repo.files;
	report.refused = repo.refused;
	if (rc == AERO_OK && repo.files == 0)
		rc = aero_err_set(err, AERO_REFUSED,
			"the repository has no <service>/<file> that can be distributed: "
			"nothing is deleted");
	if (rc == AERO_OK)
		rc = sync_all(conf, &repo, &report, err);
	aero_repo_clear(&repo);
	if (rc != AERO_OK)
		return aero_err_prefix(err, rc, "configs");
	*ret = report;
	return AERO_OK;
}
