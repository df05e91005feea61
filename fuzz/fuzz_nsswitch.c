/* SPDX-License-Identifier: MIT */
/* nsswitch.conf: twice is once, disabling undoes what enabling did, and only the word
 * `aerostat` comes and goes. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/nsswitch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

static int same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

static void twice_is_once(const char *text, size_t len, bool enable)
{
	char *again = NULL;
	size_t again_len = 0;

	check(aero_nsswitch_edit(text, len, enable, &again, &again_len, NULL) == 0);
	check(same(text, len, again, again_len));
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t on_len = 0, off_len = 0, back_len = 0;
	char *on = NULL, *off = NULL, *back = NULL;
	int rc = aero_nsswitch_edit(text, size, true, &on, &on_len, NULL);

	check(aero_nsswitch_edit(text, size, false, &off, &off_len, NULL) == rc);
	if (rc != 0)
		return 0;
	check(memmem(on, on_len, "aerostat", 8) != NULL);
	check(off_len <= size && on_len >= size);
	twice_is_once(on, on_len, true);
	twice_is_once(off, off_len, false);
	/* off has no `aerostat` on any line that counts */
	free(on);
	check(aero_nsswitch_edit(off, off_len, true, &on, &on_len, NULL) == 0);
	check(!same(on, on_len, off, off_len));
	check(aero_nsswitch_edit(on, on_len, false, &back, &back_len, NULL) == 0);
	/* unless it becomes the very line that enabling adds */
	check(same(back, back_len, off, off_len) ||
		memmem(off, off_len, "# added by aerostat", 19) != NULL);
	free(on);
	free(off);
	free(back);
	return 0;
}
