/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "legacy/diff.h"
#include "tests/support.h"

static void equal_texts_have_no_difference(void **state)
{
	char *text = NULL;
	size_t len = 9;

	(void)state;
	assert_int_equal(aero_diff("a", "x\n", 2, "b", "x\n", 2, &text, &len, NULL), 0);
	assert_string_equal(text, "");
	assert_int_equal(len, 0);
	free(text);
}

static void a_difference_reads_as_usual(void **state)
{
	static const char old[] = "1\n2\n3\n4\n5\n6\n7\n8\n9";
	static const char now[] = "1\n2\n3\n4\nfive\nand\n6\n7\n8\n9\n";
	char *text = NULL;
	size_t len;

	(void)state;
	assert_int_equal(aero_diff("/etc/hosts", old, sizeof(old) - 1, "/etc/hosts.new",
				 now, sizeof(now) - 1, &text, &len, NULL),
		0);
	assert_string_equal(text, "--- /etc/hosts\n+++ /etc/hosts.new\n"
				  "@@ -2,8 +2,9 @@\n 2\n 3\n 4\n-5\n+five\n+and\n"
				  " 6\n 7\n 8\n-9\n\\ No newline at end of file\n+9\n");
	free(text);
	assert_int_equal(aero_diff("a", "", 0, "b", "1\n", 2, &text, &len, NULL), 0);
	assert_string_equal(text, "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+1\n");
	free(text);
	assert_int_equal(aero_diff("a", "1\n", 2, "b", "", 0, &text, &len, NULL), 0);
	assert_string_equal(text, "--- a\n+++ b\n@@ -1,1 +0,0 @@\n-1\n");
	free(text);
}

static unsigned long rnd(unsigned long *seed)
{
	*seed = *seed * 6364136223846793005ul + 1442695040888963407ul;
	return *seed >> 33;
}

/* A text of up to n lines out of few, so that many are the same. */
static void random_text(unsigned long *seed, char *text, size_t n)
{
	n = rnd(seed) % (n + 1);
	*text = '\0';
	for (size_t i = 0; i < n; i++) {
		*text++ = (char)('1' + rnd(seed) % 9);
		*text++ = '\n';
		*text = '\0';
	}
	if (n > 0 && rnd(seed) % 3 == 0)
		text[-1] = '\0';
}

static void patch_makes_the_new_of_the_old(void **state)
{
	char old[512], now[512], command[2048];
	unsigned long seed = 7;

	(void)state;
	if (system("patch --version >/dev/null 2>&1") != 0)
		test_skip("patch is missing: apt-get install patch");
	for (int i = 0; i < 200; i++) {
		char *text = NULL, *patched;
		size_t len = 0;

		random_text(&seed, old, i % 2 == 0 ? 6 : 60);
		/* half of them are edits of the old, as in life */
		random_text(&seed, now, 30);
		if (rnd(&seed) % 2 == 0)
			(void)snprintf(now, sizeof(now), "%.*s0\n%s",
				(int)(rnd(&seed) % 40) * 2, old,
				old + strlen(old) / 4 * 2);
		assert_int_equal(aero_diff("f", old, strlen(old), "f", now, strlen(now),
					 &text, &len, NULL),
			0);
		test_write(test_path("f"), old);
		test_write(test_path("f.diff"), text);
		(void)snprintf(command, sizeof(command),
			"patch -s --posix -F0 '%s' '%s' >'%s' 2>&1", test_path("f"),
			test_path("f.diff"), test_path("patch.out"));
		if (*text != '\0' && system(command) != 0)
			fail_msg("patch refuses of '%s' to '%s':\n%s", old, now, text);
		patched = access(test_path("f"), F_OK) == 0 ? test_read(test_path("f"))
							    : strdup("");
		assert_string_equal(patched, now);
		free(patched);
		free(text);
	}
}

static void far_changes_and_large_texts_are_right_too(void **state)
{
	const size_t n = 20000;
	char *old = calloc(n, 16), *now = calloc(n, 16), *text = NULL;
	size_t a = 0, b = 0, len = 0, minus = 0, plus = 0;

	(void)state;
	assert_non_null(old);
	assert_non_null(now);
	for (size_t i = 0; i < n; i++) {
		a += (size_t)snprintf(old + a, 16, "old %zu\n", i);
		b += (size_t)snprintf(
			now + b, 16, i % 100 == 0 ? "old %zu\n" : "new %zu\n", i);
	}
	assert_int_equal(aero_diff("a", old, a, "b", now, b, &text, &len, NULL), 0);
	for (const char *at = text; at < text + len; at = strchr(at, '\n') + 1) {
		minus += *at == '-';
		plus += *at == '+';
	}
	assert_int_equal(minus, plus);
	assert_true(minus >= n - n / 100);
	free(old);
	free(now);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_texts_have_no_difference),
		cmocka_unit_test(a_difference_reads_as_usual),
		cmocka_unit_test(patch_makes_the_new_of_the_old),
		cmocka_unit_test(far_changes_and_large_texts_are_right_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
