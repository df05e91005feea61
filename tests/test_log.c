/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/support.h"

/* Run with stderr in a file; its text is malloc'd. */
#define CAPTURE(statement) \
	do { \
		int saved = dup(STDERR_FILENO); \
		int fd = open(test_path("log"), O_CREAT | O_TRUNC | O_WRONLY, 0600); \
		(void)dup2(fd, STDERR_FILENO); \
		statement; \
		(void)dup2(saved, STDERR_FILENO); \
		(void)close(saved); \
		(void)close(fd); \
		text = test_read(test_path("log")); \
	} while (0)

static void assert_like(const char *text, const char *pattern)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&re, text, 0, NULL, 0) != 0)
		fail_msg("'%s' is not like '%s'", text, pattern);
	regfree(&re);
}

static void a_line_has_time_level_and_text(void **state)
{
	char *text;

	(void)state;
	(void)unsetenv("JOURNAL_STREAM");
	CAPTURE(aero_log(AERO_WARNING, "sync: lost key=%d", 7));
	assert_like(text, "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z WARNING "
			  "sync: lost key=7\n$");
	free(text);
}

static void under_journald_a_line_has_a_priority_and_no_time(void **state)
{
	char *text, stream[64];
	struct stat st;

	(void)state;
	test_write(test_path("log"), "");
	assert_int_equal(stat(test_path("log"), &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		(uintmax_t)st.st_ino);
	(void)setenv("JOURNAL_STREAM", stream, 1);
	CAPTURE(aero_log(AERO_ERROR, "x"));
	assert_string_equal(text, "<3>x\n");
	free(text);
	(void)setenv("JOURNAL_STREAM", "1:2", 1);
	CAPTURE(aero_log(AERO_ERROR, "x"));
	assert_like(text, "Z ERROR x\n$");
	free(text);
	(void)unsetenv("JOURNAL_STREAM");
}

static void lower_levels_are_not_logged(void **state)
{
	char *text;

	(void)state;
	aero_log_level(AERO_ERROR);
	CAPTURE(aero_log(AERO_WARNING, "x"));
	assert_string_equal(text, "");
	free(text);
	aero_log_level(AERO_INFO);
	CAPTURE(aero_log(AERO_DEBUG, "x"));
	assert_string_equal(text, "");
	free(text);
}

static void no_user_string_fakes_a_line(void **state)
{
	char *text, big[4000];

	(void)state;
	CAPTURE(aero_log(
		AERO_INFO, "%s", "a\nb\rc\td\x1b[2J\x7f\xc2\x9bz \\ \"q\" \xc3\xa9"));
	assert_like(text,
		"INFO a\\\\nb\\\\rc\\\\td\\\\x1b\\[2J\\\\x7f\\\\xc2\\\\x9bz \\\\ "
		"\"q\" \xc3\xa9\n$");
	free(text);
	memset(big, '\n', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	CAPTURE(aero_log(AERO_INFO, "%s", big));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	free(text);
}

static void quoting_escapes_and_fits(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		const char *quoted;
	} rows[] = {{"", 16, "\"\""}, {"web-0", 16, "\"web-0\""},
		{"a\"b\\c", 16, "\"a\\\"b\\\\c\""}, {"a\nb", 16, "\"a\\nb\""},
		{"\x01", 16, "\"\\x01\""}, {"abcdef", 6, "\"abc\""},
		{"ab\n", 5, "\"ab\""}, {"abc", 3, "\"\""}, {"abc", 2, ""}, {"abc", 1, ""},
		/* what turns or hides text, what is no UTF-8, and what is only foreign */
		{"a\xe2\x80\xaez", 32, "\"a\\xe2\\x80\\xaez\""},
		{"\xe2\x81\xa6", 16, "\"\\xe2\\x81\\xa6\""},
		{"\xef\xbb\xbfz", 16, "\"\\xef\\xbb\\xbfz\""},
		{"\x9b"
		 "1m",
			16, "\"\\x9b1m\""},
		{"\xc2\x9b", 16, "\"\\xc2\\x9b\""}, {"\xc0\xaf", 16, "\"\\xc0\\xaf\""},
		{"\xe0\x80\xaf", 16, "\"\\xe0\\x80\\xaf\""},
		{"\xed\xa0\x80", 16, "\"\\xed\\xa0\\x80\""},
		{"\xf4\x90", 16, "\"\\xf4\\x90\""}, {"\xe2\x82", 16, "\"\\xe2\\x82\""},
		{"\xe2\x82\xac", 16, "\"\xe2\x82\xac\""},
		{"\xf0\x9f\x98\x80", 16, "\"\xf0\x9f\x98\x80\""},
		/* a character is not cut */
		{"a\xe2\x82\xac", 6, "\"a\""}};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		char buf[32];

		assert_string_equal(
			aero_quote(rows[i].text, buf, rows[i].size), rows[i].quoted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_and_text),
		cmocka_unit_test(under_journald_a_line_has_a_priority_and_no_time),
		cmocka_unit_test(lower_levels_are_not_logged),
		cmocka_unit_test(no_user_string_fakes_a_line),
		cmocka_unit_test(quoting_escapes_and_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
