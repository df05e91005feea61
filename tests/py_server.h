/* SPDX-License-Identifier: MIT */
/* A scripted server (tests/NAME_server.py) for one test: it prints its port. */
#ifndef AERO_TESTS_PY_SERVER_H
#define AERO_TESTS_PY_SERVER_H

#include <sys/types.h>

struct test_server {
	pid_t pid; /* 0: none */
	char endpoint[64];
};

/* Start tests/SCRIPT with up to three words, of which a NULL is the end, and wait until
 * it listens. It ends with the test program. */
void test_server_start(struct test_server *server, const char *script, const char *word,
	const char *word2, const char *word3);
/* Nothing if there is none. */
void test_server_stop(struct test_server *server);
/* Leave the test program (test_skip) where none can be started. */
void test_server_need(void);

#endif
