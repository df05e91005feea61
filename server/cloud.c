/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/child.h"
#include "lib/identity.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "server/cloud.h"
#include "server/ec2.h"

#define COMMAND_MS 30000
#define COMMAND_OUTPUT (16 << 20)

/* ---- listings ---- */

int aero_listing_add(struct aero_listing *listing, const char *id, enum aero_sight sight,
	const char *state, struct aero_err *err)
{
	struct aero_listed *v, *one;
	char shown[80];

	if (*id == '\0' || strlen(id) >= AERO_CLOUD_ID_SIZE)
		return aero_err_set(err, AERO_BAD, "%s is no id of an instance",
			aero_quote(id, shown, sizeof(shown)));
	v = aero_array_room(listing->v, listing->n, sizeof(*v));
	if (v == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	listing->v = v;
	one = &v[listing->n++];
	one->sight = sight;
	(void)snprintf(one->id, sizeof(one->id), "%s", id);
	(void)snprintf(one->state, sizeof(one->state), "%s", state == NULL ? "" : state);
	return AERO_OK;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(
		((const struct aero_listed *)a)->id, ((const struct aero_listed *)b)->id);
}

void aero_listing_sort(struct aero_listing *listing)
{
	if (listing->n > 1)
		qsort(listing->v, listing->n, sizeof(*listing->v), by_id);
}

const struct aero_listed *aero_listing_find(
	const struct aero_listing *listing, const char *id)
{
	struct aero_listed key = {.sight = AERO_SIGHT_ABSENT};

	if (listing->n == 0 || strlen(id) >= sizeof(key.id))
		return NULL;
	(void)snprintf(key.id, sizeof(key.id), "%s", id);
	return bsearch(&key, listing->v, listing->n, sizeof(*listing->v), by_id);
}

void aero_listing_clear(struct aero_listing *listing)
{
	free(listing->v);
	*listing = (struct aero_listing){0};
}

/* ---- cloud: command ---- */

/* The n bytes at id are an id: printable, and no blank among them. */
static bool id_is_fit(const char *id, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isgraph((unsigned char)id[i]))
			return false;
	return n < AERO_CLOUD_ID_SIZE;
}

int aero_cloud_parse(
	const char *text, size_t len, struct aero_listing *ret, struct aero_err *err)
{
	struct aero_listing listing = {0};
	char id[AERO_CLOUD_ID_SIZE];
	size_t n, line = 1;
	int rc = AERO_OK;

	for (size_t at = 0; rc == AERO_OK && at < len; at += n + 1, line++) {
		const char *end = memchr(text + at, '\n', len - at);

		n = end == NULL ? len - at : (size_t)(end - (text + at));
		if (n == 0)
			continue;
		if (!id_is_fit(text + at, n)) {
			rc = aero_err_set(err, AERO_REFUSED,
				"line %zu is not one id of an instance, as each line has "
				"to be",
				line);
			break;
		}
		memcpy(id, text + at, n);
		id[n] = '\0';
		rc = aero_listing_add(&listing, id, AERO_SIGHT_RUNS, "listed", err);
	}
	if (rc == AERO_OK) {
		aero_listing_sort(&listing);
		*ret = listing;
		listing = (struct aero_listing){0}; /* now owned by the caller */
	}
	aero_listing_clear(&listing);
	return rc;
}

static int list_command(const struct aero_conf *conf, int stop_fd,
	struct aero_listing *ret, struct aero_err *err)
{
	char *argv[] = {conf->cloud_command, NULL};
	struct aero_list env = {0};
	struct aero_child_opts opts = {.what = "cloud_command",
		.argv = argv,
		.env = &env,
		.timeout_ms = COMMAND_MS,
		.output_max = COMMAND_OUTPUT};
	struct aero_child_output output;
	struct aero_child *child = NULL;
	int rc;

	if (*conf->cloud_command != '/')
		return aero_err_set(err, AERO_CONFIG,
			"cloud: command needs cloud_command: the path of a program that "
			"prints the ids of all that lives, one a line");
	rc = aero_child_start(&opts, aero_clock_ms(), &child, err);
	if (rc != AERO_OK)
		return rc;
	rc = aero_child_wait_or_stop(child, stop_fd, err);
	if (rc == AERO_OK)
		rc = aero_child_check(child, err);
	aero_child_output(child, &output);
	if (rc == AERO_OK && output.cut)
		rc = aero_err_set(err, AERO_REFUSED, "more than %d MiB of output",
			COMMAND_OUTPUT >> 20);
	if (rc == AERO_OK)
		rc = aero_cloud_parse(output.text, output.len, ret, err);
	if (rc != AERO_OK)
		rc = aero_err_prefix(err, rc, "cloud_command '%s'", conf->cloud_command);
	aero_child_free(child);
	return rc;
}

static bool any_id(const char *id, const struct aero_node *node)
{
	(void)node;
	return strcmp(id, AERO_TEST_INSTANCE) != 0;
}

/* ---- cloud: ec2 ---- */

/* A state that is none of these is a new one: it does not say that it has ended. */
static const char *const ended[] = {"shutting-down", "terminated", "stopping", "stopped"};

static enum aero_sight sight_of(const char *state)
{
	for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++)
		if (strcmp(state, ended[i]) == 0)
			return AERO_SIGHT_DEAD;
	return AERO_SIGHT_RUNS;
}

static int list_ec2(const struct aero_conf *conf, int stop_fd, struct aero_listing *ret,
	struct aero_err *err)
{
	struct aero_ec2_listing found = {0};
	struct aero_listing listing = {0};
	struct aero_ec2 *ec2 = NULL;
	int rc = aero_ec2_new(conf, stop_fd, NULL, &ec2, err);

	if (rc == AERO_OK)
		rc = aero_ec2_describe(ec2, &found, err);
	for (size_t i = 0; rc == AERO_OK && i < found.n; i++)
		rc = aero_listing_add(&listing, found.v[i].id, sight_of(found.v[i].state),
			found.v[i].state, err);
	if (rc == AERO_OK) {
		aero_listing_sort(&listing);
		*ret = listing;
		listing = (struct aero_listing){0}; /* now owned by the caller */
	}
	aero_listing_clear(&listing);
	aero_ec2_listing_clear(&found);
	aero_ec2_free(ec2);
	return rc;
}

/* i- and 8 or 17 hexadecimal digits. */
static bool ec2_id(const char *id, const struct aero_node *node)
{
	size_t n;

	(void)node;
	if (strncmp(id, "i-", 2) != 0)
		return false;
	n = strspn(id + 2, "0123456789abcdef");
	return id[2 + n] == '\0' && (n == 8 || n == 17);
}

/* ---- the kinds ---- */

static bool seen(const char *id, const struct aero_node *node)
{
	return node->seen_at != 0 && *id != '\0' && strlen(id) < AERO_CLOUD_ID_SIZE;
}

static const struct {
	bool (*knows)(const char *id, const struct aero_node *node);
	int (*list)(const struct aero_conf *conf, int stop_fd, struct aero_listing *ret,
		struct aero_err *err);
} kinds[] = {
	[AERO_CLOUD_EC2] = {ec2_id, list_ec2},
	[AERO_CLOUD_LEASE] = {seen, NULL},
	[AERO_CLOUD_COMMAND] = {any_id, list_command},
};

bool aero_cloud_knows(
	const struct aero_conf *conf, const char *id, const struct aero_node *node)
{
	return kinds[conf->cloud].knows(id, node);
}

int aero_cloud_list(const struct aero_conf *conf, int stop_fd, struct aero_listing *ret,
	struct aero_err *err)
{
	return kinds[conf->cloud].list(conf, stop_fd, ret, err);
}
