/* SPDX-License-Identifier: MIT */
/* identity.json: the mark of a registered node. */
#include "config.h"

#include <bson/bson.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/identity.h"

#define IDENTITY "/var/lib/aerostat/identity.json"
#define FILE_MAX 65536

static const struct {
	const char *key;
	size_t offset;
} texts[] = {
	{"instance_id", offsetof(struct aero_identity, who.instance_id)},
	{"hostname", offsetof(struct aero_identity, hostname)},
	{"service", offsetof(struct aero_identity, service)},
	{"type", offsetof(struct aero_identity, type)},
	{"service_from", offsetof(struct aero_identity, service_from)},
	{"ip", offsetof(struct aero_identity, who.ip)},
	{"ip6", offsetof(struct aero_identity, who.ip6)},
};

#define N_TEXTS (sizeof(texts) / sizeof(texts[0]))

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

/* The machine-id, or '' where there is none. */
static int machine_id(const struct aero_conf *conf, char ret[static 64])
{
	char *path = aero_conf_path(conf, "/etc/machine-id"), *text = NULL;
	size_t len = 0, n = 0;

	ret[0] = '\0';
	if (path == NULL)
		return AERO_NOMEM;
	if (aero_file_read(path, FILE_MAX, &text, &len, NULL) == AERO_OK) {
		while (n < len && n < 63 && isxdigit((unsigned char)text[n]))
			n++;
		memcpy(ret, text, n);
		ret[n] = '\0';
	}
	free(text);
	free(path);
	return AERO_OK;
}

static char *to_json(const struct aero_identity *identity, const char *machine)
{
	bson_t doc = BSON_INITIALIZER, array;
	const char *key;
	char index[16], *json, *line = NULL;

	for (size_t i = 0; i < N_TEXTS; i++) {
		const char *text = *(char *const *)(const void *)((const char *)identity +
								  texts[i].offset);

		BSON_APPEND_UTF8(&doc, texts[i].key, text == NULL ? "" : text);
	}
	BSON_APPEND_ARRAY_BEGIN(&doc, "aliases", &array);
	for (size_t i = 0; i < identity->who.aliases.n; i++) {
		bson_uint32_to_string((uint32_t)i, &key, index, sizeof(index));
		BSON_APPEND_UTF8(&array, key, identity->who.aliases.v[i]);
	}
	bson_append_array_end(&doc, &array);
	BSON_APPEND_UTF8(&doc, "machine_id", machine);
	json = bson_as_relaxed_extended_json(&doc, NULL);
	if (json != NULL && asprintf(&line, "%s\n", json) < 0)
		line = NULL;
	bson_free(json);
	bson_destroy(&doc);
	return line;
}

int aero_identity_save(const struct aero_conf *conf, const struct aero_identity *identity,
	struct aero_err *err)
{
	char *path = aero_conf_path(conf, IDENTITY), *json = NULL, machine[64];
	char *end;
	int rc = path == NULL ? no_memory(err) : AERO_OK;

	if (rc == AERO_OK && machine_id(conf, machine) != AERO_OK)
		rc = no_memory(err);
	if (rc == AERO_OK) {
		json = to_json(identity, machine);
		if (json == NULL)
			rc = no_memory(err);
	}
	if (rc == AERO_OK) {
		end = strrchr(path, '/');
		*end = '\0';
		rc = aero_dir_make(path, err);
		*end = '/';
	}
	if (rc == AERO_OK)
		rc = aero_file_replace(path, json, strlen(json), 0644, err);
	free(json);
	free(path);
	return rc;
}

static bool read_aliases(const bson_t *doc, struct aero_list *ret)
{
	bson_iter_t it, item;

	if (!bson_iter_init_find(&it, doc, "aliases") || !BSON_ITER_HOLDS_ARRAY(&it) ||
		!bson_iter_recurse(&it, &item))
		return true;
	while (bson_iter_next(&item))
		if (BSON_ITER_HOLDS_UTF8(&item) &&
			!aero_list_add(ret, bson_iter_utf8(&item, NULL)))
			return false;
	return true;
}

static int of_json(const char *text, size_t len, const char *path,
	struct aero_identity *identity, struct aero_err *err)
{
	bson_error_t error = {0};
	bson_iter_t it;
	bson_t *doc = NULL;
	int rc = AERO_OK;

	if (len > 0)
		doc = bson_new_from_json((const uint8_t *)text, (ssize_t)len, &error);
	if (doc == NULL)
		return aero_err_set(err, AERO_BAD, "%s: %s: remove it and register again",
			path, len > 0 ? error.message : "empty");
	for (size_t i = 0; i < N_TEXTS; i++) {
		char **to = (char **)(void *)((char *)identity + texts[i].offset);
		bool there = bson_iter_init_find(&it, doc, texts[i].key) &&
			     BSON_ITER_HOLDS_UTF8(&it);

		*to = strdup(there ? bson_iter_utf8(&it, NULL) : "");
		if (*to == NULL)
			rc = no_memory(err);
	}
	if (bson_iter_init_find(&it, doc, "machine_id") && BSON_ITER_HOLDS_UTF8(&it))
		(void)snprintf(identity->machine_id, sizeof(identity->machine_id), "%s",
			bson_iter_utf8(&it, NULL));
	if (!read_aliases(doc, &identity->who.aliases))
		rc = no_memory(err);
	bson_destroy(doc);
	if (rc == AERO_OK && *identity->who.instance_id == '\0')
		rc = aero_err_set(err, AERO_BAD,
			"%s: no instance_id in it: remove it and register again", path);
	return rc;
}

int aero_identity_load(const struct aero_conf *conf, struct aero_identity *ret,
	bool *ret_foreign, struct aero_err *err)
{
	struct aero_identity identity = {0};
	char *path = aero_conf_path(conf, IDENTITY), *text = NULL, machine[64];
	size_t len;
	int rc = path == NULL ? no_memory(err) : AERO_OK;

	if (rc == AERO_OK && machine_id(conf, machine) != AERO_OK)
		rc = no_memory(err);
	if (rc == AERO_OK)
		rc = aero_file_read(path, FILE_MAX, &text, &len, err);
	if (rc == AERO_OK)
		rc = of_json(text, len, path, &identity, err);
	if (rc == AERO_OK) {
		*ret_foreign = *identity.machine_id != '\0' && *machine != '\0' &&
			       strcmp(identity.machine_id, machine) != 0;
		*ret = identity;
		identity = (struct aero_identity){0}; /* now owned by the caller */
	}
	aero_identity_clear(&identity);
	free(text);
	free(path);
	return rc;
}

int aero_identity_own(
	const struct aero_conf *conf, struct aero_identity *ret, struct aero_err *err)
{
	struct aero_identity identity = {0};
	bool foreign = false;
	int rc = aero_identity_load(conf, &identity, &foreign, err);

	if (rc == AERO_OK && foreign)
		rc = aero_err_set(err, AERO_MISS, "identity.json is of another machine");
	else if (rc == AERO_OK &&
		 strcmp(identity.who.instance_id, AERO_TEST_INSTANCE) == 0)
		rc = aero_err_set(err, AERO_MISS, "%s is nobody", AERO_TEST_INSTANCE);
	if (rc == AERO_OK) {
		*ret = identity;
		identity = (struct aero_identity){0}; /* now owned by the caller */
	}
	aero_identity_clear(&identity);
	return rc;
}

int aero_identity_remove(const struct aero_conf *conf, struct aero_err *err)
{
	char *path = aero_conf_path(conf, IDENTITY);
	int rc = AERO_OK;

	if (path == NULL)
		return no_memory(err);
	if (unlink(path) == 0)
		rc = aero_file_sync_dir(path, err);
	else if (errno != ENOENT && errno != ENOTDIR)
		rc = aero_err_set(err, aero_rc_of_errno(errno), "remove '%s': %s", path,
			strerror(errno));
	free(path);
	return rc;
}

void aero_identity_clear(struct aero_identity *identity)
{
	aero_occupant_clear(&identity->who);
	free(identity->service);
	free(identity->type);
	free(identity->hostname);
	free(identity->service_from);
	*identity = (struct aero_identity){0};
}
