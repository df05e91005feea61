/* SPDX-License-Identifier: MIT */
/* The metadata service's answers: what is accepted is one printable word. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *word)
{
	for (; *word != '\0'; word++)
		if (*word <= ' ' || *word > '~')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_metadata metadata = {0};
	struct aero_list lines = {0};
	char *word = aero_metadata_word((const char *)data, size);

	if (word != NULL)
		check(word);
	free(word);
	if (aero_metadata_document((const char *)data, size, &metadata, NULL) ==
		AERO_OK) {
		check(metadata.instance_id);
		check(metadata.ip);
	}
	aero_metadata_clear(&metadata);
	if (aero_metadata_lines((const char *)data, size, &lines))
		for (size_t i = 0; i < lines.n; i++)
			check(lines.v[i]);
	else if (lines.n > 0)
		abort();
	aero_list_clear(&lines);
	return 0;
}
