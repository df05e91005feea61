/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <expat.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "server/ec2_answer.h"

#define DEPTH_MAX 32
#define PATH_SIZE 512
#define LIST "DescribeInstancesResponse/reservationSet/item/instancesSet/item"

struct aero_ec2_parser {
	XML_Parser xml;
	struct aero_ec2_answer answer;
	struct aero_ec2_instance *instance; /* the one that is being read */
	unsigned seen;                      /* its fields, a bit each */
	bool token_seen, done, is_error;
	int rc;
	struct aero_err err;
	size_t bytes;
	/* where we are */
	char path[PATH_SIZE];
	size_t ends[DEPTH_MAX]; /* the length of path at each depth */
	unsigned depth;
	/* the text of the field that is being read */
	char *text;
	size_t len, size;
};

/* The fields of an instance. */
static const struct {
	const char *path;
	size_t offset, size;
} fields[] = {
#define FIELD(path, member) \
	{ \
		LIST "/" path, offsetof(struct aero_ec2_instance, member), \
			sizeof(((struct aero_ec2_instance *)0)->member) \
	}
	FIELD("instanceId", id),
	FIELD("instanceState/name", state),
	FIELD("privateIpAddress", ip),
	FIELD("ipv6Address", ip6),
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* The shapes of an error: EC2's, that of other services, moto's. */
static const char *const codes[] = {"Response/Errors/Error/Code",
	"ErrorResponse/Error/Code", "ErrorResponse/Errors/Error/Code"};
static const char *const messages[] = {"Response/Errors/Error/Message",
	"ErrorResponse/Error/Message", "ErrorResponse/Errors/Error/Message"};
static const char *const roots[] = {
	"DescribeInstancesResponse", "Response", "ErrorResponse"};

static bool one_of(const char *const *list, size_t n, const char *word)
{
	while (n > 0 && strcmp(list[n - 1], word) != 0)
		n--;
	return n > 0;
}

static void stop(struct aero_ec2_parser *p, int rc, const char *why)
{
	if (p->rc == AERO_OK)
		p->rc = aero_err_set(&p->err, rc, "EC2's answer: line %lu: %s",
			(unsigned long)XML_GetCurrentLineNumber(p->xml), why);
	(void)XML_StopParser(p->xml, XML_FALSE);
}

static void begin_text(struct aero_ec2_parser *p, char *text, size_t size)
{
	p->text = text;
	p->size = size;
	p->len = 0;
}

static void begin_instance(struct aero_ec2_parser *p)
{
	struct aero_ec2_answer *a = &p->answer;
	void *grown;

	if (a->n == AERO_EC2_INSTANCES_MAX) {
		stop(p, AERO_BAD, "too many instances");
		return;
	}
	grown = aero_array_room(a->v, a->n, sizeof(*a->v));
	if (grown == NULL) {
		stop(p, AERO_NOMEM, "out of memory");
		return;
	}
	a->v = grown;
	p->instance = &a->v[a->n++];
	memset(p->instance, 0, sizeof(*p->instance));
	p->seen = 0;
}

static void begin_field(struct aero_ec2_parser *p)
{
	struct aero_ec2_answer *a = &p->answer;
	size_t i;

	for (i = 0; p->instance != NULL && i < N_FIELDS; i++)
		if (strcmp(p->path, fields[i].path) == 0) {
			if ((p->seen & 1U << i) != 0)
				stop(p, AERO_BAD, "a field twice");
			p->seen |= 1U << i;
			begin_text(p, (char *)p->instance + fields[i].offset,
				fields[i].size);
		}
	if (strcmp(p->path, "DescribeInstancesResponse/nextToken") == 0) {
		if (p->token_seen)
			stop(p, AERO_BAD, "a field twice");
		p->token_seen = true;
		begin_text(p, a->next_token, sizeof(a->next_token));
	}
	/* of several errors the first counts */
	if (one_of(codes, 3, p->path) && a->code[0] == '\0')
		begin_text(p, a->code, sizeof(a->code));
	else if (one_of(messages, 3, p->path) && a->message[0] == '\0')
		begin_text(p, a->message, sizeof(a->message));
}

static void XMLCALL on_start(void *arg, const char *name, const char **attributes)
{
	struct aero_ec2_parser *p = arg;
	size_t at = p->depth == 0 ? 0 : p->ends[p->depth - 1], len = strlen(name);

	(void)attributes;
	if (p->rc != AERO_OK)
		return; /* expat may end what it began */
	if (p->text != NULL) {
		stop(p, AERO_BAD, "an element where text is expected");
		return;
	}
	if (p->depth == DEPTH_MAX || at + 1 + len >= PATH_SIZE) {
		stop(p, AERO_BAD, "too deep");
		return;
	}
	if (p->depth == 0 && !one_of(roots, 3, name)) {
		stop(p, AERO_BAD, "not an answer to DescribeInstances");
		return;
	}
	p->is_error |= p->depth == 0 && strcmp(name, roots[0]) != 0;
	if (at > 0)
		p->path[at++] = '/';
	memcpy(p->path + at, name, len + 1);
	p->ends[p->depth++] = at + len;
	if (strcmp(p->path, LIST) == 0)
		begin_instance(p);
	else
		begin_field(p);
}

static void XMLCALL on_text(void *arg, const char *text, int n)
{
	struct aero_ec2_parser *p = arg;
	size_t len = (size_t)n;

	if (p->text == NULL || p->rc != AERO_OK)
		return;
	if (len >= p->size - p->len) {
		stop(p, AERO_BAD, "a text is too long");
		return;
	}
	memcpy(p->text + p->len, text, len);
	p->len += len;
	p->text[p->len] = '\0';
}

/* Blanks around a text are layout; within it there is printable ASCII only. A message is
 * for people: what is not printable becomes a question mark. */
static void end_text(struct aero_ec2_parser *p)
{
	char *text = p->text, *c;
	size_t blanks;

	p->text = NULL;
	while (p->len > 0 && strchr(" \t\r\n", text[p->len - 1]) != NULL)
		p->len--;
	text[p->len] = '\0';
	blanks = strspn(text, " \t\r\n");
	memmove(text, text + blanks, p->len - blanks + 1);
	for (c = text; *c != '\0'; c++) {
		if (*c >= ' ' && *c <= '~')
			continue;
		if (text != p->answer.message) {
			stop(p, AERO_BAD, "a text that is not printable");
			return;
		}
		*c = '?';
	}
}

static void XMLCALL on_end(void *arg, const char *name)
{
	struct aero_ec2_parser *p = arg;

	(void)name;
	if (p->rc != AERO_OK)
		return;
	if (p->text != NULL)
		end_text(p);
	if (strcmp(p->path, LIST) == 0) {
		if (p->instance->id[0] == '\0' || p->instance->state[0] == '\0')
			stop(p, AERO_BAD, "an instance without an id or a state");
		p->instance = NULL;
	}
	p->depth--;
	p->path[p->depth == 0 ? 0 : p->ends[p->depth - 1]] = '\0';
}

static void XMLCALL on_doctype(
	void *arg, const char *name, const char *sysid, const char *pubid, int internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	stop(arg, AERO_BAD, "a DOCTYPE");
}

struct aero_ec2_parser *aero_ec2_parser_new(void)
{
	struct aero_ec2_parser *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->xml = XML_ParserCreate("UTF-8");
	if (p->xml == NULL) {
		free(p);
		return NULL;
	}
	XML_SetUserData(p->xml, p);
	XML_SetElementHandler(p->xml, on_start, on_end);
	XML_SetCharacterDataHandler(p->xml, on_text);
	XML_SetStartDoctypeDeclHandler(p->xml, on_doctype);
	return p;
}

void aero_ec2_parser_free(struct aero_ec2_parser *p)
{
	if (p == NULL)
		return;
	XML_ParserFree(p->xml);
	aero_ec2_answer_clear(&p->answer);
	free(p);
}

static int parse(struct aero_ec2_parser *p, const char *data, int len, bool last,
	struct aero_err *err)
{
	if (p->rc == AERO_OK && p->done)
		stop(p, AERO_BAD, "something behind the end");
	if (p->rc == AERO_OK && XML_Parse(p->xml, data, len, last) != XML_STATUS_OK &&
		p->rc == AERO_OK)
		stop(p, AERO_BAD, XML_ErrorString(XML_GetErrorCode(p->xml)));
	if (p->rc != AERO_OK && err != NULL)
		*err = p->err;
	return p->rc;
}

int aero_ec2_parser_feed(
	struct aero_ec2_parser *p, const char *data, size_t len, struct aero_err *err)
{
	const size_t most = 1 << 20;
	int rc = AERO_OK;

	if (len > AERO_EC2_BYTES_MAX - p->bytes) {
		stop(p, AERO_BAD, "too long");
		len = 0;
	}
	p->bytes += len;
	do {
		size_t n = len < most ? len : most;

		rc = parse(p, data, (int)n, false, err);
		data += n;
		len -= n;
	} while (rc == AERO_OK && len > 0);
	return rc;
}

int aero_ec2_parser_end(
	struct aero_ec2_parser *p, struct aero_ec2_answer *ret, struct aero_err *err)
{
	int rc = parse(p, "", 0, true, err);

	if (rc == AERO_OK && p->is_error && p->answer.code[0] == '\0')
		rc = aero_err_set(err, AERO_BAD, "EC2's answer: an error without a code");
	if (rc != AERO_OK)
		return rc;
	p->done = true;
	*ret = p->answer;
	p->answer = (struct aero_ec2_answer){0}; /* now the caller's */
	return AERO_OK;
}

void aero_ec2_answer_clear(struct aero_ec2_answer *answer)
{
	free(answer->v);
	*answer = (struct aero_ec2_answer){0};
}
