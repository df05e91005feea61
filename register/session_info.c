/* SPDX-License-Identifier: MIT */
/* What this node runs: flags, identity_command, aerostat_info or the instance's tags. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/metadata.h"
#include "register/session.h"

#define INFO "/etc/aerostat_info"
#define INFO_DOCUMENTED "/etc/aerosat_info" /* as the original's README spells it */
#define INFO_MAX 65536

static const struct aero_info_from from_flags = {"--service", "--type", "--alias"};

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

/* The text of aerostat_info and the path that it was read from. */
static int read_info(const struct aero_conf *conf, char **ret_path, char **ret_text,
	size_t *ret_len, struct aero_err *err)
{
	bool given = *conf->info != '\0';
	char *path = given ? strdup(conf->info) : aero_conf_path(conf, INFO),
	     *other = NULL;
	int rc;

	if (path == NULL)
		return no_memory(err);
	rc = aero_file_read(path, INFO_MAX, ret_text, ret_len, err);
	if (rc == AERO_MISS && !given) {
		other = aero_conf_path(conf, INFO_DOCUMENTED);
		if (other != NULL)
			rc = aero_file_read(other, INFO_MAX, ret_text, ret_len, NULL);
	}
	if (rc == AERO_MISS)
		rc = aero_err_set(err, AERO_CONFIG,
			"%s: no such file: write `SERVICE [masterful|iterative] "
			"[ALIAS...]` there, or give --service",
			path);
	else if (rc == AERO_BAD || rc == AERO_IO)
		rc = AERO_CONFIG;
	*ret_path = path;
	if (rc == AERO_OK && other != NULL) {
		*ret_path = other;
		other = path;
	}
	free(other);
	return rc;
}

static int of_file(
	const struct aero_conf *conf, struct aero_info *ret, struct aero_err *err)
{
	char *path = NULL, *text = NULL;
	size_t len = 0;
	int rc = read_info(conf, &path, &text, &len, err);

	if (rc == AERO_OK)
		rc = aero_info_parse(text, len, path, ret, err);
	free(text);
	free(path);
	return rc;
}

/* AERO_MISS: there is none, or it says nothing of that. */
static int of_command(
	struct aero_session *session, struct aero_info *ret, struct aero_err *err)
{
	static const struct aero_info_from from = {
		"identity_command", "identity_command", "identity_command"};
	const struct aero_identity_said *said = &session->asked.said;
	int rc = aero_identity_ask(session->conf, &session->asked, err);

	if (rc == AERO_OK && *said->service == '\0')
		rc = AERO_MISS;
	if (rc != AERO_OK)
		return rc;
	return aero_info_words(
		said->service, said->type, &said->aliases, &from, ret, err);
}

/* ---- tags ---- */

enum {
	SERVICE,
	TYPE,
	ALIASES,
	N_TAGS,
};

static const char *const tag_keys[N_TAGS] = {
	"aerostat-service", "aerostat-type", "aerostat-aliases"};
static const struct aero_info_from from_tags = {
	"tag aerostat-service", "tag aerostat-type", "tag aerostat-aliases"};

static int no_service_tag(const struct aero_list *all, struct aero_err *err)
{
	const char *nearest =
		aero_nearest(tag_keys[SERVICE], (const char *const *)all->v, all->n);

	if (nearest != NULL)
		return aero_err_set(err, AERO_CONFIG,
			"this instance has no tag aerostat-service, but '%.128s': keys "
			"are compared letter by letter",
			nearest);
	return aero_err_set(err, AERO_CONFIG,
		"this instance has no tag aerostat-service: aws ec2 create-tags "
		"--resources ID --tags Key=aerostat-service,Value=SERVICE; or give "
		"--service");
}

static int of_tags(
	const struct aero_session *session, struct aero_info *ret, struct aero_err *err)
{
	const struct aero_conf *conf = session->conf;
	struct aero_metadata_opts opts = {.endpoint = conf->metadata_endpoint,
		.v1 = conf->metadata_v1,
		.deadline_ms = session->asked.deadline_ms,
		.instead = "--service"};
	char *values[N_TAGS] = {NULL};
	struct aero_list all = {0};
	int rc;

	if (conf->offline)
		return aero_err_set(err, AERO_CONFIG,
			"info_source: tags needs the metadata service, which --offline "
			"excludes: give --service, or info_source: file");
	rc = aero_metadata_tags(&opts, tag_keys, N_TAGS, values, &all, err);
	if (rc == AERO_OK && values[SERVICE] == NULL)
		rc = no_service_tag(&all, err);
	if (rc == AERO_OK)
		rc = aero_info_texts(values[SERVICE],
			values[TYPE] != NULL ? values[TYPE] : "",
			values[ALIASES] != NULL ? values[ALIASES] : "", &from_tags, ret,
			err);
	if (rc != AERO_OK)
		rc = aero_err_prefix(err, rc, "info_source: tags");
	for (size_t i = 0; i < N_TAGS; i++)
		free(values[i]);
	aero_list_clear(&all);
	return rc;
}

/* ---- all of them ---- */

/* Flags win, word by word. */
static int merge_flags(
	const struct aero_conf *conf, struct aero_info *info, struct aero_err *err)
{
	struct aero_info_from from = {info->from, from_flags.type, from_flags.alias};
	bool type = *conf->type != '\0';
	struct aero_info merged = {0};
	size_t len;
	int rc;

	if (!type && conf->alias.n == 0)
		return AERO_OK;
	rc = aero_info_words(info->service, type ? conf->type : aero_info_type(info),
		conf->alias.n > 0 ? &conf->alias : &info->aliases, &from, &merged, err);
	if (rc != AERO_OK)
		return rc;
	len = strlen(merged.from);
	if (type)
		(void)snprintf(merged.from + len, sizeof(merged.from) - len,
			", type from %s", aero_conf_from_words(conf, "type"));
	else /* its own type counts: so does its fault */
		memcpy(merged.warning, info->warning, sizeof(merged.warning));
	aero_info_clear(info);
	*info = merged;
	return AERO_OK;
}

static int of_flags(
	const struct aero_conf *conf, struct aero_info *ret, struct aero_err *err)
{
	int rc = aero_info_words(
		conf->service, conf->type, &conf->alias, &from_flags, ret, err);

	if (rc == AERO_OK)
		(void)snprintf(ret->from, sizeof(ret->from), "%s",
			aero_conf_from_words(conf, "service"));
	return rc;
}

int aero_session_info(struct aero_session *session, struct aero_err *err)
{
	const struct aero_conf *conf = session->conf;
	struct aero_info *info = &session->info;
	int rc;

	if (*conf->service != '\0') {
		rc = of_flags(conf, info, err);
	} else {
		rc = of_command(session, info, err);
		if (rc == AERO_MISS)
			rc = conf->info_source == AERO_INFO_TAGS
				     ? of_tags(session, info, err)
				     : of_file(conf, info, err);
		if (rc == AERO_OK)
			rc = merge_flags(conf, info, err);
	}
	if (rc == AERO_OK && *info->warning != '\0')
		aero_log(AERO_WARNING, "service: %s", info->warning);
	return rc;
}
