/* SPDX-License-Identifier: MIT */
/* Events of a change stream and the tokens of positions: any bytes. */
#include "config.h"

#include <stdlib.h>

#include "lib/watch_mongo_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_event(const bson_t *doc)
{
	struct aero_mongo_event event;

	if (!aero_mongo_event_of(doc, &event))
		return;
	/* A change of nothing would be taken for a deletion. */
	if (event.token == NULL ||
		(event.change.id == NULL) != (event.kind == AERO_MONGO_IGNORED ||
						     event.kind == AERO_MONGO_END) ||
		(event.kind == AERO_MONGO_REREAD &&
			(event.change.set != NULL || event.change.unset.n > 0)))
		abort();
	(void)aero_mongo_token_time(event.token);
	aero_mongo_event_clear(&event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_position position = {0};
	bson_t doc, view;

	if (bson_init_static(&doc, data, size)) {
		check_event(&doc);
		(void)aero_mongo_token_time(&doc);
	}
	/* A position that comes from a file is as strange as that. */
	position.token = malloc(size == 0 ? 1 : size);
	if (position.token == NULL)
		return 0;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)position.token)[i] = data[i];
	position.token_len = size;
	if (aero_mongo_token_unpack(&position, "s", "d", &view))
		(void)aero_mongo_token_time(&view);
	free(position.token);
	return 0;
}
