/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "server/ec2_answer.h"
#include "tests/support.h"

#define HEAD \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
	"<DescribeInstancesResponse " \
	"xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n" \
	"  <requestId>8f7724cf-496f-496e-8fe3-example</requestId>\n  <reservationSet>\n" \
	"    <item>\n      <reservationId>r-1234567890abcdef0</reservationId>\n" \
	"      <groupSet/>\n      <instancesSet>\n"
#define TAIL "      </instancesSet>\n    </item>\n  </reservationSet>\n"
#define END "</DescribeInstancesResponse>\n"
/* An instance has fields of the same names further down. */
#define INSTANCE(id, state, ip) \
	"<item><instanceId>" id "</instanceId><imageId>ami-bff32ccc</imageId>" \
	"<instanceState><code>16</code><name>" state "</name></instanceState>" \
	"<privateDnsName>ip-192-168-1-88.eu-west-1.compute.internal</privateDnsName>" \
	"<reason/><privateIpAddress>" ip "</privateIpAddress>" \
	"<tagSet><item><key>Name</key><value>a &lt;b&gt; &amp; " \
	"c</value></item></tagSet>" \
	"<networkInterfaceSet><item><networkInterfaceId>eni-551ba033" \
	"</networkInterfaceId><privateIpAddress>10.9.9.9</privateIpAddress>" \
	"<privateIpAddressesSet><item><privateIpAddress>10.9.9.9</privateIpAddress>" \
	"</item></privateIpAddressesSet></item></networkInterfaceSet></item>\n"
#define ONE INSTANCE("i-1234567890abcdef0", "running", "192.168.1.88")

static int parse(
	const char *xml, size_t step, struct aero_ec2_answer *ret, struct aero_err *err)
{
	struct aero_ec2_parser *p = aero_ec2_parser_new();
	size_t len = strlen(xml), at;
	int rc = AERO_OK;

	assert_non_null(p);
	for (at = 0; at < len && rc == AERO_OK; at += step)
		rc = aero_ec2_parser_feed(
			p, xml + at, len - at < step ? len - at : step, err);
	if (rc == AERO_OK)
		rc = aero_ec2_parser_end(p, ret, err);
	else /* for good */
		assert_int_equal(aero_ec2_parser_end(p, ret, err), rc);
	aero_ec2_parser_free(p);
	return rc;
}

/* However the bytes arrive. */
static void instances_are_read_at_their_full_path(void **state)
{
	static const char xml[] = HEAD ONE INSTANCE("i-0abc", "terminated",
		"") "<item>\n <instanceId>\n i-0def\n </instanceId>\n "
		    "<instanceState><name>pending"
		    "</name></instanceState><ipv6Address>2001:db8::1</ipv6Address></"
		    "item>" TAIL "  <nextToken>abc+/=&#61;</nextToken>\n" END;
	static const size_t steps[] = {1, 2, 7, 1000, sizeof(xml)};
	struct aero_ec2_answer answer;
	struct aero_err err;
	size_t i;

	(void)state;
	for (i = 0; i < AERO_COUNT(steps); i++) {
		assert_int_equal(parse(xml, steps[i], &answer, &err), AERO_OK);
		assert_int_equal(answer.n, 3);
		assert_string_equal(answer.v[0].id, "i-1234567890abcdef0");
		assert_string_equal(answer.v[0].state, "running");
		assert_string_equal(answer.v[0].ip, "192.168.1.88");
		assert_string_equal(answer.v[0].ip6, "");
		assert_string_equal(answer.v[1].id, "i-0abc");
		assert_string_equal(answer.v[1].state, "terminated");
		assert_string_equal(answer.v[1].ip, "");
		assert_string_equal(answer.v[2].id, "i-0def");
		assert_string_equal(answer.v[2].ip6, "2001:db8::1");
		assert_string_equal(answer.next_token, "abc+/==");
		assert_string_equal(answer.code, "");
		aero_ec2_answer_clear(&answer);
	}
}

static void an_empty_page_is_an_answer(void **state)
{
	struct aero_ec2_answer answer;
	struct aero_err err;

	(void)state;
	assert_int_equal(parse("<DescribeInstancesResponse><requestId>x</requestId>"
			       "<reservationSet/></DescribeInstancesResponse>",
				 10, &answer, &err),
		AERO_OK);
	assert_int_equal(answer.n, 0);
	assert_string_equal(answer.next_token, "");
	aero_ec2_answer_clear(&answer);
}

static void many_instances_are_read(void **state)
{
	struct aero_ec2_parser *p = aero_ec2_parser_new();
	struct aero_ec2_answer answer;
	struct aero_err err;
	char item[256];
	int i, len;

	(void)state;
	assert_int_equal(aero_ec2_parser_feed(p, HEAD, strlen(HEAD), &err), AERO_OK);
	for (i = 0; i < 3000; i++) {
		len = snprintf(item, sizeof(item),
			"<item><instanceId>i-%08x</"
			"instanceId><instanceState><name>running"
			"</name></instanceState></item>",
			(unsigned)i);
		assert_int_equal(
			aero_ec2_parser_feed(p, item, (size_t)len, &err), AERO_OK);
	}
	assert_int_equal(
		aero_ec2_parser_feed(p, TAIL END, strlen(TAIL END), &err), AERO_OK);
	assert_int_equal(aero_ec2_parser_end(p, &answer, &err), AERO_OK);
	assert_int_equal(answer.n, 3000);
	assert_string_equal(answer.v[2999].id, "i-00000bb7");
	aero_ec2_answer_clear(&answer);
	aero_ec2_parser_free(p);
}

static void both_shapes_of_an_error_are_read(void **state)
{
	static const struct {
		const char *xml, *code, *message;
	} rows[] = {
		{"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>"
		 "<Code>RequestLimitExceeded</Code><Message>Request limit exceeded."
		 "</Message></Error></Errors><RequestID>r</RequestID></Response>",
			"RequestLimitExceeded", "Request limit exceeded."},
		{"<ErrorResponse><Error><Type>Sender</Type><Code>AuthFailure</Code>"
		 "<Message>AWS was not \xc3\xa4 able</Message></Error></ErrorResponse>",
			"AuthFailure", "AWS was not ?? able"},
		{"<ErrorResponse><Errors><Error><Code>AuthFailure</Code><Message>no"
		 "</Message><Type>Sender</Type></Error></Errors></ErrorResponse>",
			"AuthFailure", "no"},
		{"<Response><Errors><Error><Code>A</Code></Error><Error><Code>B</Code>"
		 "</Error></Errors></Response>",
			"A", ""},
	};
	struct aero_ec2_answer answer;
	struct aero_err err;
	size_t i;

	(void)state;
	for (i = 0; i < AERO_COUNT(rows); i++) {
		assert_int_equal(parse(rows[i].xml, 5, &answer, &err), AERO_OK);
		assert_string_equal(answer.code, rows[i].code);
		assert_string_equal(answer.message, rows[i].message);
		assert_int_equal(answer.n, 0);
		aero_ec2_answer_clear(&answer);
	}
}

static void what_is_doubtful_is_no_answer(void **state)
{
	static const struct {
		const char *xml, *words;
	} rows[] = {
		{"", "no element found"},
		{"<html><body>502</body></html>", "not an answer to DescribeInstances"},
		{"<html/>", "not an answer to DescribeInstances"},
		{"<!DOCTYPE x [<!ENTITY a \"b\">]><Response/>", "a DOCTYPE"},
		{"<Response/>", "an error without a code"},
		{HEAD ONE TAIL END "<x/>", "junk after document element"},
		{HEAD ONE TAIL, "no element found"},
		{HEAD "<item><instanceId>i-1</instanceId><instanceId>i-2</instanceId>",
			"a field twice"},
		{HEAD "<item><instanceId>i-1</instanceId></item>" TAIL END,
			"an instance without an id or a state"},
		{HEAD "<item/>" TAIL END, "an instance without an id or a state"},
		{HEAD "<item><instanceId>i-<b>1</b></instanceId>",
			"an element where text is expected"},
		{HEAD "<item><instanceId>i-1234567890123456789012345678901</instanceId>",
			"a text is too long"},
		{HEAD "<item><instanceId>i-\x01</instanceId>", "not well-formed"},
		{HEAD "<item><instanceId>i-\xc3\xa4</instanceId>",
			"a text that is not printable"},
		{HEAD "<item><instanceId>i 1&#9;2</instanceId>",
			"a text that is not printable"},
		{HEAD "<item><instanceId>&unknown;</instanceId>", "undefined entity"},
		{"<DescribeInstancesResponse><nextToken>a</nextToken><nextToken/>",
			"a field twice"},
		{"<Response><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>"
		 "<a><a><a><a><a><a><a><a><a><a><a><a><a><a>",
			"too deep"},
	};
	struct aero_ec2_answer answer = {0};
	struct aero_err err;
	size_t i;

	(void)state;
	for (i = 0; i < AERO_COUNT(rows); i++) {
		err.msg[0] = '\0';
		assert_int_equal(parse(rows[i].xml, 64, &answer, &err), AERO_BAD);
		if (strstr(err.msg, rows[i].words) == NULL)
			fail_msg("row %zu: %s", i, err.msg);
		assert_null(answer.v);
	}
}

/* Cut anywhere, an answer is none. */
static void a_cut_answer_is_none(void **state)
{
	static const char xml[] = HEAD ONE TAIL END;
	struct aero_ec2_answer answer = {0};
	struct aero_err err;
	char *copy = strdup(xml);
	size_t len = strlen(xml) - 1; /* the last byte is a newline */

	(void)state;
	while (len > 0) {
		copy[--len] = '\0';
		assert_int_equal(parse(copy, 4096, &answer, &err), AERO_BAD);
		assert_null(answer.v);
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instances_are_read_at_their_full_path),
		cmocka_unit_test(an_empty_page_is_an_answer),
		cmocka_unit_test(many_instances_are_read),
		cmocka_unit_test(both_shapes_of_an_error_are_read),
		cmocka_unit_test(what_is_doubtful_is_no_answer),
		cmocka_unit_test(a_cut_answer_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
