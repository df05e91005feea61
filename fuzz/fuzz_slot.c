/* SPDX-License-Identifier: MIT */
/* Documents as they come from a server: any bytes. Reading them does no harm, and what is
 * read of a slot survives being written and read again. */
#include "config.h"

#include <stdlib.h>

#include "lib/store_doc.h"
#include "lib/store_ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_slot(const bson_t *doc)
{
	struct aero_slot slot = {0}, again = {0};
	bson_t first = BSON_INITIALIZER, second = BSON_INITIALIZER;
	const char *odd;

	if (aero_slot_of_bson(doc, &slot, &odd)) {
		aero_slot_to_bson(&slot, &first);
		if (!aero_slot_of_bson(&first, &again, &odd) || odd != NULL)
			abort();
		aero_slot_to_bson(&again, &second);
		if (!bson_equal(&first, &second))
			abort();
	}
	aero_slot_clear(&slot);
	aero_slot_clear(&again);
	bson_destroy(&first);
	bson_destroy(&second);
}

/* The document as a delta on itself is itself, if it can be read at all and has no field
 * twice. */
static void check_change(bson_t *doc)
{
	struct aero_change change = {.set = doc};
	bool gone;
	bson_t *after = aero_change_apply(doc, &change, &gone);

	if (gone || (after != NULL && bson_count_keys(after) != bson_count_keys(doc)))
		abort();
	bson_destroy(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aero_node node;
	struct aero_control control;
	bson_t doc;

	if (!bson_init_static(&doc, data, size))
		return 0;
	check_slot(&doc);
	check_change(&doc);
	aero_doc_node_of_bson(&doc, &node);
	if (aero_doc_control_of_bson(&doc, &control))
		aero_control_clear(&control);
	return 0;
}
