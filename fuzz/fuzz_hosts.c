/* SPDX-License-Identifier: MIT */
/* The merge of /etc/hosts and the difference: byte 0 chooses, then the old file, and
 * behind a byte 0x01 the text of a legacy updater. What is merged stays merged, and
 * without a legacy updater no byte of a line outside of the blocks is lost. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "legacy/diff.h"
#include "legacy/hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const aliases[] = {"www", "a.b.c"};
static const struct aero_hosts_row rows[] = {
	{.host = "db-master", .addrs = {"10.0.0.9", "2001:db8::9"}, .n_addrs = 2},
	{.host = "web-0",
		.fqdn = "web-0.x",
		.aliases = aliases,
		.n_aliases = 2,
		.addrs = {"10.0.0.1"},
		.n_addrs = 1},
};

static void check(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_hosts_out out = {0}, again = {0};
	struct aero_hosts_in in = {.rows = rows, .n_rows = 2};
	char *text = NULL;
	size_t len = 0;

	if (size < 1)
		return 0;
	in.repair = (data[0] & 1) != 0;
	in.old = (const char *)data + 1;
	in.old_len = size - 1;
	if ((data[0] & 2) != 0) {
		in.legacy = memchr(in.old, 1, in.old_len);
		if (in.legacy == NULL)
			return 0;
		in.old_len = (size_t)(in.legacy - in.old);
		in.legacy++;
		in.legacy_len = size - 2 - in.old_len;
	}
	if (aero_hosts_merge(&in, &out, NULL) != AERO_OK)
		return 0;
	check(in.legacy != NULL || out.shadows.n <= 2 * 5);
	check(aero_diff("a", in.old, in.old_len, "b", out.text, out.len, &text, &len,
		      NULL) == AERO_OK);
	free(text);
	in.old = out.text;
	in.old_len = out.len;
	in.repair = 0;
	check(aero_hosts_merge(&in, &again, NULL) == AERO_OK);
	check(out.len == again.len && memcmp(out.text, again.text, out.len) == 0);
	check(out.shadows.n == again.shadows.n);
	for (size_t i = 0; i < out.shadows.n; i++)
		check(out.shadows.v[i].line == again.shadows.v[i].line);
	aero_hosts_out_clear(&out);
	aero_hosts_out_clear(&again);
	return 0;
}
