/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "register/pick.h"
#include "server/meta.h"
#include "server/repo.h"

#define META ".meta"
#define META_MAX 65536
#define ENTRIES_MAX 100000

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "configs: out of memory");
}

/* The entries of an open folder but . and .., sorted; fd is then closed. */
static int list_dir(int fd, const char *path, struct aero_list *ret, struct aero_err *err)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int rc = AERO_OK;

	if (dir == NULL) {
		(void)close(fd);
		return aero_err_set(err, aero_rc_of_errno(errno), "read '%s': %s", path,
			strerror(errno));
	}
	while (rc == AERO_OK && (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (ret->n == ENTRIES_MAX)
			rc = aero_err_set(err, AERO_REFUSED,
				"'%s' has more than %d entries", path, ENTRIES_MAX);
		else if (!aero_list_add(ret, name))
			rc = no_memory(err);
	}
	(void)closedir(dir);
	return rc;
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static void sort(struct aero_list *list)
{
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(*list->v), by_name);
}

static void refuse(
	struct aero_repo_service *service, const char *file, const struct aero_err *why)
{
	service->refused++;
	aero_log(AERO_WARNING, "configs: left out: %s/%s: %s", service->name, file,
		why->msg);
}

/* Read a file of the folder; no link is followed. */
static int read_file(int dir, const char *name, size_t max, char **ret, size_t *ret_len,
	struct aero_err *err)
{
	int rc, fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return aero_err_set(err, AERO_MISS, "no '%s'", name);
	if (fd < 0)
		return aero_err_set(err, AERO_BAD, "%s",
			errno == ELOOP ? "a symbolic link" : strerror(errno));
	rc = aero_file_read_fd(fd, name, max, ret, ret_len, err);
	(void)close(fd);
	return rc;
}

/* AERO_BAD and the like: this file alone is left out. */
static int read_config(
	int dir, const char *file, struct aero_config *ret, struct aero_err *err)
{
	struct aero_config config = {.name = strdup(file),
		.owner = strdup("root"),
		.group = strdup("root"),
		.mode = 0644};
	char *meta_name = NULL, *meta = NULL;
	size_t meta_len = 0;
	int rc =
		read_file(dir, file, AERO_CONFIG_MAX, &config.contents, &config.len, err);

	if (asprintf(&meta_name, "%s" META, file) < 0)
		meta_name = NULL;
	if (rc == AERO_OK && (config.name == NULL || config.owner == NULL ||
				     config.group == NULL || meta_name == NULL))
		rc = no_memory(err);
	if (rc == AERO_OK) {
		rc = read_file(dir, meta_name, META_MAX, &meta, &meta_len, err);
		if (rc == AERO_OK)
			rc = aero_meta_parse(meta, meta_len, &config, err);
		if (rc == AERO_MISS)
			rc = AERO_OK;
		else if (rc != AERO_OK)
			rc = aero_err_prefix(err, rc, "%s", meta_name);
	}
	if (rc == AERO_OK && config.path == NULL &&
		asprintf(&config.path, "/etc/%s", config.name) < 0) {
		config.path = NULL;
		rc = no_memory(err);
	}
	if (rc == AERO_OK)
		rc = aero_config_check(&config, err);
	if (rc == AERO_OK) {
		*ret = config;
		config = (struct aero_config){0}; /* now the caller's */
	}
	aero_config_clear(&config);
	free(meta_name);
	free(meta);
	return rc;
}

/* One name, or one path, twice in a service: the first in order stays. */
static bool twice(const struct aero_repo_service *service,
	const struct aero_config *config, struct aero_err *err)
{
	for (size_t i = 0; i < service->n; i++)
		if (strcmp(service->v[i].name, config->name) == 0 ||
			strcmp(service->v[i].path, config->path) == 0) {
			(void)aero_err_set(err, AERO_BAD,
				"name '%s' or path '%s' is another file's already",
				config->name, config->path);
			return true;
		}
	return false;
}

static int add_file(struct aero_repo_service *service, int dir, const char *file,
	struct aero_err *err)
{
	struct aero_config config = {0}, *grown;
	struct aero_err why = {""};
	int rc = read_config(dir, file, &config, &why);

	if (rc == AERO_NOMEM)
		return no_memory(err);
	if (rc != AERO_OK || twice(service, &config, &why)) {
		refuse(service, file, &why);
		aero_config_clear(&config);
		return AERO_OK;
	}
	grown = reallocarray(service->v, service->n + 1, sizeof(*grown));
	if (grown == NULL) {
		aero_config_clear(&config);
		return no_memory(err);
	}
	service->v = grown;
	service->v[service->n++] = config;
	return AERO_OK;
}

/* `x.meta` belongs to x, which must be there. */
static bool is_meta(const struct aero_list *names, const char *name, bool *ret_alone)
{
	size_t len = strlen(name), tail = sizeof(META) - 1;
	char *of;

	if (len <= tail || strcmp(name + len - tail, META) != 0)
		return false;
	of = strndup(name, len - tail);
	*ret_alone = of != NULL && !aero_list_has(names, of);
	free(of);
	return true;
}

static int add_service(
	struct aero_repo *repo, int root, const char *name, struct aero_err *err)
{
	struct aero_repo_service *grown, *service;
	struct aero_list names = {0};
	int rc, fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		dir = -1;

	if (fd < 0)
		return aero_err_set(err, aero_rc_of_errno(errno), "open '%s': %s", name,
			strerror(errno));
	grown = reallocarray(repo->v, repo->n + 1, sizeof(*grown));
	if (grown == NULL) {
		(void)close(fd);
		return no_memory(err);
	}
	repo->v = grown;
	service = &repo->v[repo->n++];
	*service = (struct aero_repo_service){.name = strdup(name)};
	dir = dup(fd);
	rc = list_dir(fd, name, &names, err);
	if (rc == AERO_OK && (service->name == NULL || dir < 0))
		rc = no_memory(err);
	sort(&names);
	for (size_t i = 0; rc == AERO_OK && i < names.n; i++) {
		static const struct aero_err no_file = {"there is no file for it"};
		bool alone = false;

		if (strncmp(names.v[i], ".git", 4) == 0)
			continue;
		if (!is_meta(&names, names.v[i], &alone))
			rc = add_file(service, dir, names.v[i], err);
		else if (alone)
			refuse(service, names.v[i], &no_file);
	}
	repo->files += service->n;
	repo->refused += service->refused;
	if (dir >= 0)
		(void)close(dir);
	aero_list_clear(&names);
	return rc;
}

int aero_repo_read(const char *dir, struct aero_repo *ret, struct aero_err *err)
{
	int rc, root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct aero_list names = {0};

	*ret = (struct aero_repo){0};
	if (root >= 0)
		fd = dup(root);
	if (root < 0 || fd < 0) {
		rc = aero_err_set(err, aero_rc_of_errno(errno), "open '%s': %s", dir,
			strerror(errno));
		goto out;
	}
	rc = list_dir(fd, dir, &names, err);
	sort(&names);
	for (size_t i = 0; rc == AERO_OK && i < names.n; i++) {
		const char *name = names.v[i], *why = aero_pick_service_refuse(name);
		struct stat st;

		/* .git; README and the like */
		if (name[0] == '.' || fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			S_ISREG(st.st_mode))
			continue;
		if (!S_ISDIR(st.st_mode))
			why = "a symbolic link";
		if (why == NULL) {
			rc = add_service(ret, root, name, err);
			continue;
		}
		ret->refused++;
		ret->folders_refused++;
		aero_log(AERO_WARNING, "configs: left out: folder '%s': %s", name, why);
	}
out:
	aero_list_clear(&names);
	if (root >= 0)
		(void)close(root);
	return rc;
}

void aero_repo_clear(struct aero_repo *repo)
{
	for (size_t i = 0; i < repo->n; i++) {
		for (size_t j = 0; j < repo->v[i].n; j++)
			aero_config_clear(&repo->v[i].v[j]);
		free(repo->v[i].v);
		free(repo->v[i].name);
	}
	free(repo->v);
	*repo = (struct aero_repo){0};
}
