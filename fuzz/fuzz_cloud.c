/* SPDX-License-Identifier: MIT */
/* What cloud_command prints, and reap.json: (u8 which) text. Whatever is taken is whole,
 * and the file's text reads back as itself. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/cloud.h"
#include "server/tenure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

static void listing(const char *text, size_t len)
{
	struct aero_listing found = {0};
	struct aero_err err = {{0}};
	int rc = aero_cloud_parse(text, len, &found, &err);

	must(rc == AERO_OK || (err.msg[0] != '\0' && found.n == 0));
	for (size_t i = 0; i < found.n; i++) {
		const struct aero_listed *one = aero_listing_find(&found, found.v[i].id);

		must(one != NULL && one->sight == AERO_SIGHT_RUNS && *one->id != '\0' &&
			strchr(one->id, ' ') == NULL);
	}
	aero_listing_clear(&found);
}

static void tenures(const char *text, size_t len)
{
	struct aero_tenures one = {0}, two = {0};
	struct aero_err err = {{0}};
	int rc = aero_tenures_parse(text, len, "b", 1000, &one, &err);
	char *again;

	must(rc == AERO_OK || (err.msg[0] != '\0' && one.n == 0));
	if (rc != AERO_OK)
		return;
	again = aero_tenures_text(&one, "b");
	must(again != NULL &&
		aero_tenures_parse(again, strlen(again), "b", 1000, &two, &err) ==
			AERO_OK &&
		one.n == two.n);
	for (size_t i = 0; i < one.n; i++)
		must(one.v[i].reg == two.v[i].reg &&
			one.v[i].tally.since_ms == two.v[i].tally.since_ms &&
			one.v[i].tally.since_ms <= 1000 &&
			one.v[i].tally.absent == two.v[i].tally.absent);
	free(again);
	aero_tenures_clear(&one);
	aero_tenures_clear(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0)
		listing((const char *)data + 1, size - 1);
	else
		tenures((const char *)data + 1, size - 1);
	return 0;
}
