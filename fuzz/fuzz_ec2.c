/* SPDX-License-Identifier: MIT */
/* Answers to DescribeInstances: in one piece or in two (u8 where), the same comes out,
 * and it is whole. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/ec2_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

static int read_in_two(
	const char *xml, size_t len, size_t first, struct aero_ec2_answer *ret)
{
	struct aero_ec2_parser *p = aero_ec2_parser_new();
	struct aero_err err = {{0}};
	int rc;

	must(p != NULL);
	rc = aero_ec2_parser_feed(p, xml, first, &err);
	if (rc == AERO_OK)
		rc = aero_ec2_parser_feed(p, xml + first, len - first, &err);
	if (rc == AERO_OK)
		rc = aero_ec2_parser_end(p, ret, &err);
	must(rc == AERO_OK || err.msg[0] != '\0');
	aero_ec2_parser_free(p);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_ec2_answer one = {0}, two = {0};
	const char *xml = (const char *)data + 1;
	int rc;

	if (size < 1)
		return 0;
	size--;
	rc = read_in_two(xml, size, 0, &one);
	must(rc == read_in_two(xml, size, size * data[0] / 256, &two));
	if (rc == AERO_OK) {
		must(one.n == two.n && strcmp(one.code, two.code) == 0 &&
			strcmp(one.next_token, two.next_token) == 0);
		for (size_t i = 0; i < one.n; i++)
			must(memcmp(&one.v[i], &two.v[i], sizeof(one.v[i])) == 0 &&
				one.v[i].id[0] != '\0' && one.v[i].state[0] != '\0');
		must(one.code[0] == '\0' || one.n == 0);
	}
	aero_ec2_answer_clear(&one);
	aero_ec2_answer_clear(&two);
	return 0;
}
