/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "cli/nsswitch.h"
#include "tests/support.h"

#define ADDED "hosts: files aerostat dns # added by aerostat nsswitch --enable"

static char *edit(const char *text, bool enable)
{
	struct aero_err err = {""};
	char *ret = NULL;
	size_t len = 0;

	if (aero_nsswitch_edit(text, strlen(text), enable, &ret, &len, &err) != AERO_OK)
		fail_msg("'%s': %s", text, err.msg);
	assert_int_equal(len, strlen(ret));
	return ret;
}

static void assert_edit(const char *text, bool enable, const char *want)
{
	char *got = edit(text, enable);

	assert_string_equal(got, want);
	free(got);
}

static void enabling_finds_the_place_and_disabling_undoes_it(void **state)
{
	static const struct {
		const char *off, *on;
	} rows[] = {
		{"hosts: files dns\n", "hosts: files aerostat dns\n"},
		/* Debian, with and without mDNS; the blanks are the user's. */
		{"passwd:  files\nhosts:          files dns\nnetworks: files\n",
			"passwd:  files\nhosts:          files aerostat dns\nnetworks: "
			"files\n"},
		{"hosts:\tfiles\tmdns4_minimal [NOTFOUND=return] dns\n",
			"hosts:\tfiles aerostat\tmdns4_minimal [NOTFOUND=return] dns\n"},
		/* Behind what ends the search nobody asks us. */
		{"hosts: files [NOTFOUND=return] dns\n",
			"hosts: aerostat files [NOTFOUND=return] dns\n"},
		{"hosts:\tfiles[NOTFOUND=return]dns\n",
			"hosts: aerostat\tfiles[NOTFOUND=return]dns\n"},
		{"hosts: mymachines resolve [!UNAVAIL=return] files dns\n",
			"hosts: mymachines aerostat resolve [!UNAVAIL=return] files "
			"dns\n"},
		{"hosts: files\t[SUCCESS=merge] [NOTFOUND=continue] dns\n",
			"hosts: aerostat files\t[SUCCESS=merge] [NOTFOUND=continue] "
			"dns\n"},
		/* No files; nothing at all. */
		{"hosts: dns myhostname\n", "hosts: aerostat dns myhostname\n"},
		{"hosts:dns\n", "hosts:aerostat dns\n"},
		{"hosts:\n", "hosts: aerostat\n"},
		{"hosts:\t # x", "hosts: aerostat\t # x"},
		{"hosts:files", "hosts:files aerostat"},
		{"hosts:db [x=return]", "hosts:aerostat db [x=return]"},
		/* As glibc reads them too. */
		{" \thosts  files dns\n", " \thosts  files aerostat dns\n"},
		{"hosts\tfiles[x] dns\n", "hosts\taerostat files[x] dns\n"},
		{"hosts: files dns\r\n", "hosts: files aerostat dns\r\n"},
		{"hosts: files\r\n", "hosts: files aerostat\r\n"},
		{"hosts: files files dns\n", "hosts: files aerostat files dns\n"},
		{"hosts: myfiles files2 files\n",
			"hosts: myfiles files2 files aerostat\n"},
		/* Comments. */
		{"hosts: files#aerostat\n", "hosts: files aerostat#aerostat\n"},
		{"hosts: dns # files [x\n", "hosts: aerostat dns # files [x\n"},
		{"#hosts: files\nhosts: files # c\n",
			"#hosts: files\nhosts: files aerostat # c\n"},
		/* Which one counts depends on the glibc. */
		{"hosts: files dns\nhosts: dns\n",
			"hosts: files aerostat dns\nhosts: aerostat dns\n"},
		/* A backslash continues nothing. */
		{"hosts: files \\\n dns\n", "hosts: files aerostat \\\n dns\n"},
		/* No line. */
		{"", ADDED "\n"},
		{"passwd: files\n", "passwd: files\n" ADDED "\n"},
		{"passwd: files", "passwd: files\n" ADDED},
		{"# hosts: files aerostat", "# hosts: files aerostat\n" ADDED},
		{"hosts", "hosts\n" ADDED},
		{"hostsx: files\nHosts: files\n",
			"hostsx: files\nHosts: files\n" ADDED "\n"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		print_message("row %zu\n", i);
		assert_edit(rows[i].off, true, rows[i].on);
		assert_edit(rows[i].on, true, rows[i].on);
		assert_edit(rows[i].on, false, rows[i].off);
		assert_edit(rows[i].off, false, rows[i].off);
	}
}

static void what_a_user_wrote_stays_or_goes_whole(void **state)
{
	static const struct {
		const char *on, *off;
	} rows[] = {
		{"hosts: aerostat files dns\n", "hosts: files dns\n"},
		{"hosts: dns [x] aerostat\n", "hosts: dns [x]\n"},
		{"hosts: files aerostat [NOTFOUND=return] dns\n", "hosts: files dns\n"},
		{"hosts: files aerostat[a=b] [c=d]dns\n", "hosts: files dns\n"},
		{"hosts: files [a=b]aerostat dns\n", "hosts: files [a=b]dns\n"},
		{"hosts:aerostat aerostat dns\n", "hosts: dns\n"},
		{"hosts: aerostat\n", "hosts:\n"},
		{"hosts: files aerostat dns # added by hand\n",
			"hosts: files dns # added by hand\n"},
		{ADDED "\npasswd: files\n", "passwd: files\n"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		print_message("row %zu\n", i);
		assert_edit(rows[i].on, true, rows[i].on);
		assert_edit(rows[i].on, false, rows[i].off);
	}
}

static void what_glibc_cannot_read_is_refused_by_line(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{"\nhosts: files [NOTFOUND=return\n", "line 2: a [ without its ]"},
		{"hosts: files [a # ]\n", "line 1: a [ without its ]"},
		{"hosts: [a=b] files\n", "line 1: an action in brackets behind no"},
	};
	struct aero_err err = {""};
	char *ret = NULL;
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++)
		for (int enable = 0; enable < 2; enable++) {
			assert_int_equal(
				aero_nsswitch_edit(rows[i].text, strlen(rows[i].text),
					enable != 0, &ret, &len, &err),
				AERO_CONFIG);
			assert_non_null(strstr(err.msg, rows[i].words));
		}
	assert_int_equal(
		aero_nsswitch_edit("a\0b", 3, true, &ret, &len, &err), AERO_CONFIG);
	assert_null(ret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enabling_finds_the_place_and_disabling_undoes_it),
		cmocka_unit_test(what_a_user_wrote_stays_or_goes_whole),
		cmocka_unit_test(what_glibc_cannot_read_is_refused_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
