/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/imds.h"
#include "lib/loop.h"

#define CONNECT_MS 1000L
#define TOTAL_MS 2000L
#define TOKEN_TTL "21600"

#define HTTP_OK 200
#define HTTP_UNAUTHORIZED 401
#define HTTP_FORBIDDEN 403
#define HTTP_NOT_FOUND 404
#define HTTP_NOT_ALLOWED 405

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct aero_imds *imds = arg;
	size_t len = size * n;

	if (len > AERO_METADATA_MAX - imds->len)
		return 0;
	memcpy(imds->text + imds->len, data, len);
	imds->len += len;
	imds->text[imds->len] = '\0';
	return len;
}

/* One request; imds->status 0 and words when there was no whole answer. */
static void request(struct aero_imds *imds, const char *method, const char *path,
	const char *header, struct aero_err *err)
{
	struct curl_slist *headers =
		header == NULL ? NULL : curl_slist_append(NULL, header);
	char url[512], words[CURL_ERROR_SIZE] = "";
	curl_off_t connect_us = 0;
	CURL *curl = imds->curl;
	CURLcode code;

	(void)snprintf(url, sizeof(url), "%s%s", imds->endpoint, path);
	imds->status = 0;
	imds->len = 0;
	imds->text[0] = '\0';
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TOTAL_MS);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "aerostat/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, imds);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connect_us);
	imds->connected = connect_us > 0;
	if (code == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &imds->status);
	else
		aero_err_set(err, AERO_NET, "metadata service %.100s: %.200s",
			imds->endpoint,
			*words != '\0' ? words : curl_easy_strerror(code));
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
}

/* path NULL: the request for a token. */
static enum aero_imds_outcome refused(
	const struct aero_imds *imds, long status, const char *path, struct aero_err *err)
{
	const char *words = "try again later", *instead = "";
	bool final = status == HTTP_FORBIDDEN || status == HTTP_NOT_FOUND ||
		     status == HTTP_NOT_ALLOWED;

	if (status == HTTP_FORBIDDEN)
		words = "it is switched off for this instance (HttpEndpoint disabled); "
			"switch it on, or give ";
	else if (path != NULL && status == HTTP_NOT_FOUND)
		words = "is it the metadata service of an EC2 instance? Else give ";
	else if (final)
		words = "it knows version 1 only; allow that with metadata_v1: true, or "
			"give ";
	else if (status == HTTP_UNAUTHORIZED)
		words = "it asks for a version 2 token and takes none of ours";
	if (final)
		instead = imds->instead;
	aero_err_set(err, AERO_NET, "metadata service %.100s answered %ld to %s: %s%s",
		imds->endpoint, status, path == NULL ? "the request for a token" : path,
		words, instead);
	return final ? AERO_IMDS_FINAL : AERO_IMDS_AGAIN;
}

static enum aero_imds_outcome get_token(struct aero_imds *imds, struct aero_err *err)
{
	long status;

	free(imds->token);
	imds->token = NULL;
	request(imds, "PUT", "/latest/api/token",
		"X-aws-ec2-metadata-token-ttl-seconds: " TOKEN_TTL, err);
	status = imds->status;
	if (status == HTTP_OK) {
		imds->token = aero_metadata_word(imds->text, imds->len);
		if (imds->token != NULL)
			return AERO_IMDS_GOOD;
		aero_err_set(err, AERO_NET, "metadata service %.100s: its token is none",
			imds->endpoint);
		return AERO_IMDS_AGAIN;
	}
	if (imds->opts->v1 &&
		(status == 0 || status == HTTP_FORBIDDEN || status == HTTP_NOT_FOUND ||
			status == HTTP_NOT_ALLOWED)) {
		imds->token = strdup("");
		return imds->token == NULL ? AERO_IMDS_AGAIN : AERO_IMDS_GOOD;
	}
	if (status != 0)
		return refused(imds, status, NULL, err);
	if (imds->connected)
		aero_err_set(err, AERO_NET,
			"metadata service %.100s takes the request for a token but does "
			"not answer: its hop limit may be 1 behind a bridge or "
			"container; raise HttpPutResponseHopLimit, or give %s",
			imds->endpoint, imds->instead);
	return AERO_IMDS_AGAIN;
}

enum aero_imds_outcome aero_imds_get(
	struct aero_imds *imds, const char *path, struct aero_err *err)
{
	char header[512];
	enum aero_imds_outcome outcome;

	for (int turn = 0; turn < 2; turn++) {
		if (imds->token == NULL) {
			outcome = get_token(imds, err);
			if (outcome != AERO_IMDS_GOOD)
				return outcome;
		}
		(void)snprintf(header, sizeof(header), "X-aws-ec2-metadata-token: %s",
			imds->token);
		request(imds, "GET", path, *imds->token != '\0' ? header : NULL, err);
		if (imds->status != HTTP_UNAUTHORIZED)
			break;
		free(imds->token);
		imds->token = NULL;
	}
	if (imds->status == HTTP_OK)
		return AERO_IMDS_GOOD;
	if (imds->status == 0)
		return AERO_IMDS_AGAIN;
	outcome = refused(imds, imds->status, path, err);
	return imds->status == HTTP_NOT_FOUND ? AERO_IMDS_ABSENT : outcome;
}

static int set_endpoint(struct aero_imds *imds, struct aero_err *err)
{
	const char *disabled = getenv("AWS_EC2_METADATA_DISABLED");
	const char *mode = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	const char *endpoint = imds->opts->endpoint;
	size_t len;

	if (disabled != NULL && strcasecmp(disabled, "true") == 0)
		return aero_err_set(err, AERO_CONFIG,
			"AWS_EC2_METADATA_DISABLED switches the metadata service off: "
			"unset it, or give %s",
			imds->instead);
	if (*endpoint == '\0')
		endpoint = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	if (endpoint == NULL || *endpoint == '\0')
		endpoint = mode != NULL && strcasecmp(mode, "IPv6") == 0
				   ? "http://[fd00:ec2::254]"
				   : "http://169.254.169.254";
	len = strlen(endpoint);
	while (len > 0 && endpoint[len - 1] == '/')
		len--;
	if (len >= sizeof(imds->endpoint) ||
		(strncasecmp(endpoint, "http://", strlen("http://")) != 0 &&
			strncasecmp(endpoint, "https://", strlen("https://")) != 0))
		return aero_err_set(err, AERO_CONFIG,
			"metadata_endpoint '%.200s' is no http:// address", endpoint);
	memcpy(imds->endpoint, endpoint, len);
	imds->endpoint[len] = '\0';
	return AERO_OK;
}

static void pause_ms(int64_t ms)
{
	struct timespec time = {ms / 1000, (ms % 1000) * 1000000};

	(void)nanosleep(&time, NULL);
}

int aero_imds_try(struct aero_imds *imds,
	enum aero_imds_outcome (*ask)(
		struct aero_imds *imds, void *arg, struct aero_err *err),
	void *arg, struct aero_err *err)
{
	enum aero_imds_outcome outcome;
	int64_t left, wait;

	for (unsigned attempt = 0;; attempt++) {
		outcome = ask(imds, arg, err);
		if (outcome == AERO_IMDS_GOOD || outcome == AERO_IMDS_ABSENT)
			return outcome == AERO_IMDS_GOOD ? AERO_OK : AERO_MISS;
		left = imds->opts->deadline_ms - aero_clock_ms();
		if (outcome != AERO_IMDS_AGAIN || left <= 0)
			return AERO_NET;
		wait = 50 + aero_backoff_ms(
				    attempt < 8 ? attempt : 8, 200, 5000, aero_random());
		pause_ms(wait < left ? wait : left);
	}
}

enum aero_imds_outcome aero_imds_useless(
	const struct aero_imds *imds, const char *path, struct aero_err *err)
{
	aero_err_set(err, AERO_NET, "metadata service %.100s: no usable answer to %s",
		imds->endpoint, path);
	return AERO_IMDS_AGAIN;
}

int aero_imds_open(const struct aero_metadata_opts *opts, struct aero_imds **ret,
	struct aero_err *err)
{
	struct aero_imds *imds = calloc(1, sizeof(*imds));

	*ret = imds;
	if (imds == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	imds->opts = opts;
	imds->instead = opts->instead != NULL ? opts->instead : "--instance-id and --ip";
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		imds->curl = curl_easy_init();
	if (imds->curl == NULL)
		return aero_err_set(err, AERO_NOMEM, "out of memory");
	return set_endpoint(imds, err);
}

void aero_imds_close(struct aero_imds *imds)
{
	if (imds == NULL)
		return;
	free(imds->token);
	curl_easy_cleanup(imds->curl);
	explicit_bzero(imds, sizeof(*imds));
	free(imds);
}
