/* SPDX-License-Identifier: MIT */
/* One request to EC2: its keys, its options, and what came of it. */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/ec2_parts.h"

#define CONNECT_MS 3000L
#define TOTAL_MS 30000L
#define HTTP_OK 200

/* One request. */
struct exchange {
	struct aero_ec2 *ec2;
	struct aero_ec2_parser *parser;
	struct aero_err err; /* of the parser */
	int rc;
	int64_t date_s;              /* of its Date header; 0 = none */
	char words[CURL_ERROR_SIZE]; /* of libcurl, of what failed */
};

bool aero_ec2_stopped(const struct aero_ec2 *ec2)
{
	struct pollfd fd = {.fd = ec2->stop_fd, .events = POLLIN};

	return ec2->stop_fd >= 0 && poll(&fd, 1, 0) > 0;
}

int aero_ec2_no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "EC2: out of memory");
}

/* Keys of a service last longer than a listing. */
static int load_keys(struct aero_ec2 *ec2, struct aero_err *err)
{
	static struct aero_credentials kept;
	const struct aero_conf *conf = ec2->conf;
	bool asked = aero_conf_from(conf, "credentials_file") > AERO_FROM_DEFAULT;
	char *built_in = asked ? NULL : aero_conf_path(conf, conf->credentials_file);
	struct aero_credentials_opts opts = {
		.file = asked ? conf->credentials_file : built_in,
		.file_asked = asked,
		.metadata = {.endpoint = conf->metadata_endpoint,
			.v1 = conf->metadata_v1,
			.instead = "a credentials_file"},
		.rnd = ec2->world.rnd(),
		.kept = &kept,
		.refused = ec2->renewed && ec2->keys.key_id == NULL};
	struct aero_credentials keys = {0};
	int rc;

	rc = opts.file == NULL ? aero_ec2_no_memory(err)
			       : aero_credentials_load(&opts, &keys, err);
	free(built_in);
	if (rc != AERO_OK)
		return rc;
	aero_credentials_clear(&ec2->keys);
	ec2->keys = keys;
	return AERO_OK;
}

/* Old keys are good until they end, whatever becomes of new ones. */
static int need_keys(struct aero_ec2 *ec2, struct aero_err *err)
{
	int64_t now = ec2->world.unix_ms();
	int rc = AERO_OK;

	if (ec2->keys.key_id == NULL || now >= ec2->keys.due_ms) {
		rc = load_keys(ec2, err);
		if (rc != AERO_OK && ec2->keys.key_id != NULL &&
			now < ec2->keys.expires_ms)
			rc = AERO_OK;
	}
	return rc;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;

	x->rc = aero_ec2_parser_feed(x->parser, data, size * n, &x->err);
	return x->rc == AERO_OK ? size * n : 0;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	static const char name[] = "date:";
	struct exchange *x = arg;
	size_t len = size * n, at = strlen(name);
	char text[64];

	if (len > at && len - at < sizeof(text) && strncasecmp(data, name, at) == 0) {
		time_t date;

		memcpy(text, data + at, len - at);
		text[len - at] = '\0';
		date = curl_getdate(text, NULL);
		x->date_s = date < 0 ? 0 : (int64_t)date;
	}
	return len;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return aero_ec2_stopped(((struct exchange *)arg)->ec2);
}

static void set_request(struct exchange *x, const char *region, const char *form,
	struct curl_slist *headers)
{
	struct aero_ec2 *ec2 = x->ec2;
	CURL *curl = ec2->curl;
	int64_t left = ec2->deadline_ms - ec2->world.clock_ms();
	char url[512], sigv4[64];

	left = left < TOTAL_MS ? left : TOTAL_MS;
	if (*ec2->endpoint != '\0')
		(void)snprintf(url, sizeof(url), "%s", ec2->endpoint);
	else
		(void)snprintf(url, sizeof(url), "https://ec2.%s.amazonaws.com%s/",
			region, strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
	(void)snprintf(sigv4, sizeof(sigv4), "aws:amz:%s:ec2", region);
	curl_easy_reset(curl); /* connections stay */
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, form);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, sigv4);
	curl_easy_setopt(curl, CURLOPT_USERNAME, ec2->keys.key_id);
	curl_easy_setopt(curl, CURLOPT_PASSWORD, ec2->keys.secret);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "aerostat/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left > 0 ? (long)left : 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 100L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 10L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, x->words);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, x);
}

/* A certificate that does not hold will not hold the next time. */
static enum aero_ec2_act transport(
	const struct exchange *x, CURLcode code, int *ret_rc, struct aero_err *err)
{
	bool tls = code == CURLE_PEER_FAILED_VERIFICATION ||
		   code == CURLE_SSL_CACERT_BADFILE;

	*ret_rc = aero_err_set(err, tls ? AERO_CONFIG : AERO_NET, "%.160s%s",
		*x->words != '\0' ? x->words : curl_easy_strerror(code),
		tls ? "; is `endpoint` right, are the certificates of this machine new?"
		: code == CURLE_COULDNT_RESOLVE_HOST ? "; is it a region that exists?"
						     : "");
	return tls ? AERO_EC2_FAIL : AERO_EC2_RETRY;
}

/* What came: a page in *ret (AERO_OK), or what to do. */
static enum aero_ec2_act judge(struct exchange *x, CURLcode code,
	struct aero_ec2_answer *ret, int *ret_rc, struct aero_err *err)
{
	struct aero_ec2_fault fault = {.code = ""};

	curl_easy_getinfo(x->ec2->curl, CURLINFO_RESPONSE_CODE, &fault.status);
	if (code != CURLE_OK && code != CURLE_WRITE_ERROR)
		return transport(x, code, ret_rc, err);
	if (x->rc == AERO_OK)
		x->rc = aero_ec2_parser_end(x->parser, ret, &x->err);
	if (fault.status == HTTP_OK && x->rc != AERO_OK) {
		*ret_rc = x->rc == AERO_NOMEM ? x->rc : AERO_NET;
		*err = x->err;
		return AERO_EC2_RETRY;
	}
	if (fault.status == HTTP_OK && ret->code[0] == '\0') {
		*ret_rc = AERO_OK;
		return AERO_EC2_FAIL; /* not looked at */
	}
	fault.code = x->rc == AERO_OK ? ret->code : "";
	fault.ours_s = x->ec2->world.unix_ms() / 1000;
	fault.theirs_s = x->date_s;
	return aero_ec2_fault(&fault, ret_rc, err);
}

enum aero_ec2_act aero_ec2_request(struct aero_ec2 *ec2, const char *region,
	const char *form, struct aero_ec2_answer *ret, int *ret_rc, struct aero_err *err)
{
	struct exchange x = {.ec2 = ec2};
	struct curl_slist *headers = curl_slist_append(
		NULL, "Content-Type: application/x-www-form-urlencoded; charset=utf-8");
	enum aero_ec2_act act = AERO_EC2_FAIL;
	char *token = NULL;
	bool whole = headers != NULL;

	*ret_rc = need_keys(ec2, err);
	if (*ret_rc != AERO_OK) {
		act = *ret_rc == AERO_NET ? AERO_EC2_RETRY : AERO_EC2_FAIL;
		goto out;
	}
	if (*ec2->keys.token != '\0') {
		struct curl_slist *more = NULL;

		if (asprintf(&token, "X-Amz-Security-Token: %s", ec2->keys.token) > 0)
			more = curl_slist_append(headers, token);
		whole = whole && more != NULL;
	}
	x.parser = aero_ec2_parser_new();
	if (x.parser == NULL || !whole) {
		*ret_rc = aero_ec2_no_memory(err);
		goto out;
	}
	set_request(&x, region, form, headers);
	act = judge(&x, curl_easy_perform(ec2->curl), ret, ret_rc, err);
	curl_easy_reset(ec2->curl); /* it holds copies of the keys, and our headers */
out:
	aero_ec2_parser_free(x.parser);
	for (struct curl_slist *at = headers; at != NULL; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(headers);
	if (token != NULL)
		explicit_bzero(token, strlen(token));
	free(token);
	return act;
}
