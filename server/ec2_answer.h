/* SPDX-License-Identifier: MIT */
/*
 * What EC2 answers to DescribeInstances: its instances, or its error. Streaming and
 * strict: an element counts only at its full path, since the same names occur elsewhere;
 * anything doubtful (cut off, a DOCTYPE, a field twice, too deep, too long, too many)
 * fails the whole answer, for what is not seen in it would be taken for dead.
 */
#ifndef AERO_SERVER_EC2_ANSWER_H
#define AERO_SERVER_EC2_ANSWER_H

#include <stddef.h>

#include "lib/err.h"

#define AERO_EC2_INSTANCES_MAX 100000
#define AERO_EC2_BYTES_MAX ((size_t)256 << 20)

/* Printable ASCII; address '' = none. */
struct aero_ec2_instance {
	char id[32], state[32], ip[48], ip6[48];
};

struct aero_ec2_answer {
	struct aero_ec2_instance *v;
	size_t n;
	char next_token[2048];         /* '' = this was the last page */
	char code[128], message[1024]; /* code '' = no error: the answer is good */
};

struct aero_ec2_parser;

struct aero_ec2_parser *aero_ec2_parser_new(void);
void aero_ec2_parser_free(struct aero_ec2_parser *parser);

/* The next bytes. Once it failed it fails for good, with the same words. */
int aero_ec2_parser_feed(struct aero_ec2_parser *parser, const char *data, size_t len,
	struct aero_err *err);

/* The end of the answer: AERO_OK and *ret (to be cleared), or AERO_BAD. */
int aero_ec2_parser_end(struct aero_ec2_parser *parser, struct aero_ec2_answer *ret,
	struct aero_err *err);

void aero_ec2_answer_clear(struct aero_ec2_answer *answer);

#endif
