/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/imds.h"

#define TAGS "/latest/meta-data/tags/instance"

/* A path that answers with one word. */
static enum aero_imds_outcome get_word(
	struct aero_imds *imds, const char *path, char **ret, struct aero_err *err)
{
	enum aero_imds_outcome outcome = aero_imds_get(imds, path, err);

	if (outcome != AERO_IMDS_GOOD)
		return outcome;
	*ret = aero_metadata_word(imds->text, imds->len);
	if (*ret != NULL)
		return AERO_IMDS_GOOD;
	return aero_imds_useless(imds, path, err);
}

static enum aero_imds_outcome ask_identity(
	struct aero_imds *imds, void *ret, struct aero_err *err)
{
	struct aero_metadata *metadata = ret;
	enum aero_imds_outcome outcome;

	aero_metadata_clear(metadata);
	outcome = aero_imds_get(imds, "/latest/dynamic/instance-identity/document", err);
	if (outcome == AERO_IMDS_GOOD &&
		aero_metadata_document(imds->text, imds->len, metadata, err) == AERO_OK &&
		*metadata->ip != '\0')
		return AERO_IMDS_GOOD;
	if (outcome == AERO_IMDS_AGAIN || outcome == AERO_IMDS_FINAL)
		return outcome;
	/* The paths that the original asks. */
	aero_metadata_clear(metadata);
	outcome = get_word(
		imds, "/latest/meta-data/instance-id", &metadata->instance_id, err);
	if (outcome != AERO_IMDS_GOOD)
		return outcome;
	outcome = get_word(imds, "/latest/meta-data/local-ipv4", &metadata->ip, err);
	if (outcome == AERO_IMDS_ABSENT)
		outcome = get_word(imds, "/latest/meta-data/ipv6", &metadata->ip, err);
	return outcome;
}

int aero_metadata_get(const struct aero_metadata_opts *opts, const char *path, char **ret,
	size_t *ret_len, struct aero_err *err)
{
	struct aero_imds *imds = NULL;
	enum aero_imds_outcome outcome;
	char *text;
	int rc = aero_imds_open(opts, &imds, err);

	if (rc != AERO_OK)
		goto out;
	outcome = aero_imds_get(imds, path, err);
	if (outcome != AERO_IMDS_GOOD) {
		rc = outcome == AERO_IMDS_ABSENT ? AERO_MISS : AERO_NET;
		goto out;
	}
	text = malloc(imds->len + 1);
	if (text == NULL) {
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
		goto out;
	}
	memcpy(text, imds->text, imds->len + 1);
	*ret = text;
	*ret_len = imds->len;
out:
	aero_imds_close(imds);
	return rc;
}

int aero_metadata_fetch(const struct aero_metadata_opts *opts, struct aero_metadata *ret,
	struct aero_err *err)
{
	struct aero_metadata metadata = {0};
	struct aero_imds *imds = NULL;
	int rc = aero_imds_open(opts, &imds, err);

	if (rc == AERO_OK)
		rc = aero_imds_try(imds, ask_identity, &metadata, err);
	if (rc == AERO_MISS)
		rc = AERO_NET;
	if (rc == AERO_OK) {
		*ret = metadata;
		metadata = (struct aero_metadata){0}; /* now owned by the caller */
	}
	aero_metadata_clear(&metadata);
	aero_imds_close(imds);
	return rc;
}

/* ---- tags ---- */

struct tags {
	const char *const *keys;
	size_t n;
	char **values;
	struct aero_list all;
};

static void tags_clear(struct tags *tags)
{
	for (size_t i = 0; i < tags->n; i++) {
		free(tags->values[i]);
		tags->values[i] = NULL;
	}
	aero_list_clear(&tags->all);
}

/* The value of a tag that was listed; it may be gone by now. */
static enum aero_imds_outcome ask_tag(
	struct aero_imds *imds, const char *key, char **ret, struct aero_err *err)
{
	char path[256];
	enum aero_imds_outcome outcome;

	(void)snprintf(path, sizeof(path), TAGS "/%s", key);
	outcome = aero_imds_get(imds, path, err);
	if (outcome != AERO_IMDS_GOOD)
		return outcome == AERO_IMDS_ABSENT ? AERO_IMDS_GOOD : outcome;
	if (strlen(imds->text) == imds->len)
		*ret = strdup(imds->text);
	if (*ret != NULL)
		return AERO_IMDS_GOOD;
	return aero_imds_useless(imds, path, err);
}

static enum aero_imds_outcome ask_tags(
	struct aero_imds *imds, void *ret, struct aero_err *err)
{
	struct tags *tags = ret;
	enum aero_imds_outcome outcome;

	tags_clear(tags);
	outcome = aero_imds_get(imds, TAGS, err);
	if (outcome == AERO_IMDS_GOOD &&
		!aero_metadata_lines(imds->text, imds->len, &tags->all))
		outcome = aero_imds_useless(imds, TAGS, err);
	for (size_t i = 0; outcome == AERO_IMDS_GOOD && i < tags->n; i++)
		if (aero_list_has(&tags->all, tags->keys[i]))
			outcome = ask_tag(imds, tags->keys[i], &tags->values[i], err);
	return outcome;
}

int aero_metadata_tags(const struct aero_metadata_opts *opts, const char *const *keys,
	size_t n, char **ret, struct aero_list *ret_all, struct aero_err *err)
{
	struct tags tags = {.keys = keys, .n = n, .values = ret};
	struct aero_imds *imds = NULL;
	int rc;

	memset(ret, 0, n * sizeof(*ret));
	rc = aero_imds_open(opts, &imds, err);
	if (rc == AERO_OK)
		rc = aero_imds_try(imds, ask_tags, &tags, err);
	if (rc == AERO_MISS)
		rc = aero_err_set(err, AERO_CONFIG,
			"metadata service %.100s shows no tags of this instance (404): "
			"it has none, or they are not allowed there: aws ec2 "
			"modify-instance-metadata-options --instance-id ID "
			"--instance-metadata-tags enabled; or give %s",
			imds->endpoint, imds->instead);
	if (rc == AERO_OK) {
		*ret_all = tags.all;
		tags = (struct tags){0}; /* now owned by the caller */
	}
	tags_clear(&tags);
	aero_imds_close(imds);
	return rc;
}

void aero_metadata_clear(struct aero_metadata *metadata)
{
	free(metadata->instance_id);
	free(metadata->ip);
	*metadata = (struct aero_metadata){0};
}
