/* SPDX-License-Identifier: MIT */
/* A user who edits /etc/hosts at will, and the writer in between: no byte is lost. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/writer_support.h"

static bool mount; /* /etc/hosts cannot be renamed over */

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);

int __wrap_rename(const char *from, const char *to)
{
	if (!mount || strcmp(to, writer_paths.hosts) != 0)
		return __real_rename(from, to);
	errno = EBUSY;
	return -1;
}

static unsigned long seed = 42;

static size_t rnd(size_t below)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (seed >> 33) % below;
}

/* What stands outside of blocks, cut out with string functions; *ret_blocks: how many. */
static void outside(const char *text, char *ret, int *ret_blocks)
{
	const char *at = text;

	*ret = '\0';
	*ret_blocks = 0;
	for (;;) {
		const char *begin = at, *end;

		while (begin != NULL && (strncmp(begin, B, strlen(B)) != 0 ||
						(begin > text && begin[-1] != '\n')))
			begin = strstr(
				begin + (*begin != '\0'), *begin != '\0' ? B : "\1");
		if (begin == NULL)
			break;
		(void)snprintf(ret + strlen(ret), 8192 - strlen(ret), "%.*s",
			(int)(begin - at), at);
		end = strstr(begin, "\n" E);
		assert_non_null(end);
		at = end + 1 + strlen(E);
		++*ret_blocks;
	}
	(void)snprintf(ret + strlen(ret), 8192 - strlen(ret), "%s", at);
}

static const char *random_line(void)
{
	static const char *const lines[] = {"\n", "# note\n", "192.0.2.1\tone  two\n",
		" 192.0.2.2 web-1 # wins\n", "\r\n", "#AEROSTAT\n",
		"2001:db8::7 WEB-0\r\n", "rubbish \xfe\x80\n", "127.0.1.1 me\n",
		"# AEROSTAT?\n", "\t\n", "::1 localhost\n"};

	return lines[rnd(AERO_COUNT(lines))];
}

/* The start of some line that is not within a block; the end of the text is one too. */
static char *random_place(char *text)
{
	char *places[512], *at = text;
	size_t n = 0;

	for (;;) {
		places[n++] = at;
		if (*at == '\0' || n == AERO_COUNT(places))
			return places[rnd(n)];
		if (strncmp(at, B, strlen(B)) == 0) {
			at = strstr(at, "\n" E) + 1 + strlen(E);
		} else {
			at += strcspn(at, "\n");
			at += *at == '\n';
		}
	}
}

/* A user's edit of the text: insert a line, delete a line or a block, take away the last
 * LF where that ends no block, or paste a second block. */
static void edit(char *text)
{
	static char rest[8192];
	size_t len = strlen(text), cut = 0, kind = rnd(8);
	char *at = random_place(text);
	const char *put = "";

	if (kind == 0 && *at != '\0') {
		cut = strcspn(at, "\n");
		if (strncmp(at, B, strlen(B)) == 0)
			cut = (size_t)(strstr(at, "\n" E) - at) + strlen(E);
		cut += at[cut] == '\n';
	} else if (kind == 1 && len > 12 && strcmp(text + len - strlen(E), E) != 0) {
		text[len - (text[len - 1] == '\n')] = '\0';
		return;
	} else {
		put = kind == 2 ? B "192.0.2.6 pasted\n" E : random_line();
	}
	/* behind a last line without LF, an insertion makes that line another one */
	(void)snprintf(rest, sizeof(rest), "%s", at + cut);
	(void)snprintf(at, sizeof(rest) - (size_t)(at - text), "%s%s%s",
		at > text && at[-1] != '\n' ? "\n" : "", put, rest);
}

static void the_users_lines_live_through_any_history(void **state)
{
	static char text[8192], mine[8192], after[8192];
	int blocks;

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct aero_hosts_result result = {0};
		struct aero_err err;
		char *now;

		if (i % 25 == 0)
			(void)snprintf(text, sizeof(text), "%s", rnd(2) == 0 ? "" : USER);
		for (size_t n = rnd(4); n > 0; n--)
			edit(text);
		outside(text, mine, &blocks);
		test_write(writer_paths.hosts, text);
		mount = rnd(3) == 0;
		if (writer_update(rnd(3), NULL, false, &result, &err) != AERO_OK)
			fail_msg("step %d: %s of '%s'", i, err.msg, text);
		aero_hosts_result_clear(&result);
		now = test_read(writer_paths.hosts);
		/* a first block begins on a line of its own */
		if (blocks == 0 && *mine != '\0' && mine[strlen(mine) - 1] != '\n')
			(void)snprintf(mine + strlen(mine), 2, "\n");
		outside(now, after, &blocks);
		assert_string_equal(after, mine);
		assert_int_equal(blocks, 1);
		(void)snprintf(text, sizeof(text), "%s", now);
		free(now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WRITER_TEST(the_users_lines_live_through_any_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
