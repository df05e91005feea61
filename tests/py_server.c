/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/py_server.h"
#include "tests/support.h"

#define PYTHON "/usr/bin/python3"

void test_server_start(struct test_server *server, const char *script, const char *word,
	const char *word2, const char *word3)
{
	const char *srcdir = getenv("top_srcdir");
	char path[512], line[32] = "";
	FILE *out;
	int fds[2];

	(void)snprintf(
		path, sizeof(path), "%s/tests/%s", srcdir != NULL ? srcdir : ".", script);
	assert_int_equal(0, pipe(fds));
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (server->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)close(fds[0]);
		(void)execl(PYTHON, "python3", path, word, word2, word3, (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	out = fdopen(fds[0], "r");
	assert_non_null(out);
	assert_non_null(fgets(line, sizeof(line), out));
	(void)fclose(out);
	line[strcspn(line, "\n")] = '\0';
	(void)snprintf(
		server->endpoint, sizeof(server->endpoint), "http://127.0.0.1:%s", line);
}

void test_server_stop(struct test_server *server)
{
	if (server->pid > 0) {
		(void)kill(server->pid, SIGKILL);
		(void)waitpid(server->pid, NULL, 0);
	}
	server->pid = 0;
}

void test_server_need(void)
{
	if (access(PYTHON, X_OK) != 0)
		test_skip("no " PYTHON ": apt-get install python3");
}
