/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loop.h"
#include "server/ec2_parts.h"

#define REGION_MAX 32
#define ONCE_MS 30000
#define LEAST_MS 1000 /* a last try with less would hide what the others met */
#define TRIES 6
#define BACKOFF_MS 1000
#define BACKOFF_MAX_MS 60000
#define PAGES_MAX 2000

static void real_pause(int64_t ms, int stop_fd)
{
	struct pollfd fd = {.fd = stop_fd, .events = POLLIN};

	(void)poll(&fd, 1, (int)ms); /* one of -1 is not looked at */
}

/* ---- set up ---- */

static const char *variable(const char *a, const char *b)
{
	const char *value = getenv(a);

	if (value == NULL || *value == '\0')
		value = getenv(b);
	return value == NULL ? "" : value;
}

static int check_region(const char *region, struct aero_err *err)
{
	size_t len = strlen(region);

	if (len > 0 && len <= REGION_MAX &&
		strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == len)
		return AERO_OK;
	return aero_err_set(err, AERO_CONFIG,
		"regions: '%.40s' is no region of EC2 (such as eu-west-1)", region);
}

static int set_up(struct aero_ec2 *ec2, struct aero_err *err)
{
	const char *region = variable("AWS_REGION", "AWS_DEFAULT_REGION");
	int rc = AERO_OK;

	if (ec2->conf->regions.n > 0) {
		for (size_t i = 0; i < ec2->conf->regions.n; i++)
			if (!aero_list_has(&ec2->regions, ec2->conf->regions.v[i]) &&
				!aero_list_add(&ec2->regions, ec2->conf->regions.v[i]))
				return aero_ec2_no_memory(err);
	} else if (!aero_list_add(
			   &ec2->regions, *region != '\0' ? region : "us-east-1")) {
		return aero_ec2_no_memory(err);
	}
	for (size_t i = 0; rc == AERO_OK && i < ec2->regions.n; i++)
		rc = check_region(ec2->regions.v[i], err);
	ec2->endpoint = *ec2->conf->endpoint != '\0'
				? ec2->conf->endpoint
				: variable("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL");
	if (rc == AERO_OK && *ec2->endpoint != '\0' &&
		!aero_credentials_url_allowed(ec2->endpoint))
		rc = aero_err_set(err, AERO_CONFIG,
			"endpoint '%.200s': an https:// address is wanted, or http:// on "
			"this machine",
			ec2->endpoint);
	if (rc != AERO_OK)
		return rc;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		ec2->curl = curl_easy_init();
	return ec2->curl == NULL ? aero_ec2_no_memory(err) : AERO_OK;
}

int aero_ec2_new(const struct aero_conf *conf, int stop_fd,
	const struct aero_ec2_world *world, struct aero_ec2 **ret, struct aero_err *err)
{
	static const struct aero_ec2_world real = {
		aero_clock_ms, aero_unix_ms, aero_random, real_pause};
	struct aero_ec2 *ec2 = calloc(1, sizeof(*ec2));
	int rc;

	if (ec2 == NULL)
		return aero_ec2_no_memory(err);
	ec2->conf = conf;
	ec2->stop_fd = stop_fd;
	ec2->world = world != NULL ? *world : real;
	rc = set_up(ec2, err);
	if (rc == AERO_OK)
		*ret = ec2;
	else
		aero_ec2_free(ec2);
	return rc;
}

void aero_ec2_free(struct aero_ec2 *ec2)
{
	if (ec2 == NULL)
		return;
	curl_easy_cleanup(ec2->curl);
	aero_credentials_clear(&ec2->keys);
	aero_list_clear(&ec2->regions);
	free(ec2);
}

void aero_ec2_listing_clear(struct aero_ec2_listing *listing)
{
	free(listing->v);
	*listing = (struct aero_ec2_listing){0};
}

const char *aero_ec2_source(const struct aero_ec2 *ec2)
{
	return ec2->keys.source;
}

/* ---- a listing ---- */

/* One page, tried again as long as that is of use. */
static int get_page(struct aero_ec2 *ec2, const char *region, const char *form,
	struct aero_ec2_answer *ret, struct aero_err *err)
{
	for (unsigned attempt = 0;; attempt++) {
		enum aero_ec2_act act;
		int64_t wait, left;
		int rc = AERO_OK;

		aero_ec2_answer_clear(ret);
		act = aero_ec2_request(ec2, region, form, ret, &rc, err);
		if (rc == AERO_OK)
			return rc;
		if (aero_ec2_stopped(ec2))
			return aero_err_set(err, AERO_AGAIN, "stopped");
		if (act == AERO_EC2_RENEW && !ec2->renewed) {
			ec2->renewed = true;
			aero_credentials_clear(&ec2->keys);
			continue;
		}
		wait = aero_backoff_ms(
			attempt, BACKOFF_MS, BACKOFF_MAX_MS, ec2->world.rnd());
		left = ec2->deadline_ms - ec2->world.clock_ms();
		if (act != AERO_EC2_RETRY)
			return aero_err_prefix(err, rc, "EC2 %s", region);
		if (attempt + 1 >= TRIES || wait + LEAST_MS >= left)
			return aero_err_prefix(err, rc, "EC2 %s, tried %u time%s", region,
				attempt + 1, attempt > 0 ? "s" : "");
		ec2->world.pause(wait, ec2->stop_fd);
	}
}

static int append(struct aero_ec2_listing *to, const struct aero_ec2_answer *page,
	struct aero_err *err)
{
	struct aero_ec2_instance *v;

	if (page->n == 0)
		return AERO_OK;
	v = reallocarray(to->v, to->n + page->n, sizeof(*v));
	if (v == NULL)
		return aero_ec2_no_memory(err);
	memcpy(v + to->n, page->v, page->n * sizeof(*v));
	to->v = v;
	to->n += page->n;
	return AERO_OK;
}

/* The form of a request; malloc'd, NULL when out of memory. */
static char *make_form(CURL *curl, const char *token)
{
	char *escaped = curl_easy_escape(curl, token, 0), *form = NULL;

	if (escaped == NULL || asprintf(&form,
				       "Action=DescribeInstances&MaxResults=1000%s%s"
				       "&Version=2016-11-15",
				       *token != '\0' ? "&NextToken=" : "", escaped) < 0)
		form = NULL;
	curl_free(escaped);
	return form;
}

/* An empty page with a token goes on; a token that was there before never ends. */
static int list_region(struct aero_ec2 *ec2, const char *region,
	struct aero_ec2_listing *listing, struct aero_err *err)
{
	struct aero_ec2_answer page = {0};
	struct aero_list tokens = {0};
	int rc = AERO_OK;

	do {
		char *form = make_form(ec2->curl, page.next_token);

		rc = form == NULL ? aero_ec2_no_memory(err)
				  : get_page(ec2, region, form, &page, err);
		free(form);
		if (rc == AERO_OK)
			rc = append(listing, &page, err);
		if (rc != AERO_OK || page.next_token[0] == '\0')
			break;
		if (aero_list_has(&tokens, page.next_token) || tokens.n == PAGES_MAX)
			rc = aero_err_set(err, AERO_NET, "EC2 %s: its pages %s", region,
				tokens.n == PAGES_MAX ? "do not end" : "run in a circle");
		else if (!aero_list_add(&tokens, page.next_token))
			rc = aero_ec2_no_memory(err);
	} while (rc == AERO_OK);
	aero_list_clear(&tokens);
	aero_ec2_answer_clear(&page);
	return rc;
}

int aero_ec2_describe(
	struct aero_ec2 *ec2, struct aero_ec2_listing *ret, struct aero_err *err)
{
	struct aero_ec2_listing listing = {0};
	int rc = AERO_OK;

	ec2->renewed = false;
	ec2->deadline_ms = ec2->conf->once ? ec2->world.clock_ms() + ONCE_MS : INT64_MAX;
	for (size_t i = 0; rc == AERO_OK && i < ec2->regions.n; i++)
		rc = list_region(ec2, ec2->regions.v[i], &listing, err);
	if (rc == AERO_OK)
		*ret = listing;
	else
		aero_ec2_listing_clear(&listing);
	return rc;
}
