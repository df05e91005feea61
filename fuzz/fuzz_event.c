/* SPDX-License-Identifier: MIT */
/* Events of a change stream as they come from a server: any BSON. What is read of one can
 * be applied to a document, and its token survives being kept. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/watch_mongo_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void apply(const struct aero_change *change)
{
	bson_t *old = BCON_NEW("_id", BCON_INT32(1), "ip", "10.0.0.1"), *now;
	bool gone = false;

	now = aero_change_apply(old, change, &gone);
	must(now == NULL || !gone);
	bson_destroy(now);
	bson_destroy(old);
}

static void keep(const bson_t *token)
{
	struct aero_mongo_origin here = {"server", "aerostat", {{{0}}, 0}};
	struct aero_mongo_origin other = {"other", "aerostat", {{{0}}, 0}};
	struct aero_position position = {0};
	bson_t view;

	aero_mongo_known_add(&here.known, (const unsigned char *)"0123456789ab");
	must(aero_mongo_token_pack(token, NULL, &here, 1, &position));
	must(!aero_mongo_token_unpack(&position, &other, &view, NULL));
	if (aero_mongo_token_unpack(&position, &here, &view, NULL))
		must(bson_equal(&view, token));
	aero_position_clear(&position);
	(void)aero_mongo_token_time(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_mongo_origin here = {"server", "aerostat", {{{0}}, 0}};
	struct aero_mongo_event event;
	struct aero_position any = {.token_len = size};
	bson_t view;

	any.token = malloc(size + 1);
	must(any.token != NULL);
	memcpy(any.token, data, size);
	(void)aero_mongo_token_unpack(&any, &here, &view, NULL);
	aero_position_clear(&any);
	if (!bson_init_static(&view, data, size) || !aero_mongo_event_of(&view, &event))
		return 0;
	if (event.kind == AERO_MONGO_CHANGE) {
		must(event.change.id != NULL);
		apply(&event.change);
	}
	if (event.token != NULL)
		keep(event.token);
	aero_mongo_event_clear(&event);
	return 0;
}
