/* SPDX-License-Identifier: MIT */
/* A collection of any documents, one after the other: checking it does no harm, its lines
 * are fit for a terminal, and what is mended by its findings comes to an end. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/store_ops.h"
#include "server/check.h"

#define DOCS_MAX 64
#define ROUNDS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct collection {
	bson_t *docs[DOCS_MAX + 1024];
	size_t n;
};

/* A store's document is whole; a damaged one ends the run. */
static void read_all(struct collection *all, const uint8_t *data, size_t size)
{
	struct aero_slot slot = {0};
	bson_t doc;
	uint32_t len;

	for (; size >= 5 && all->n < DOCS_MAX; data += len, size -= len) {
		memcpy(&len, data, sizeof(len));
		len = BSON_UINT32_FROM_LE(len);
		if (len > size || !bson_init_static(&doc, data, len) ||
			!bson_validate(&doc, BSON_VALIDATE_NONE, NULL) ||
			!aero_slot_of_bson(&doc, &slot, NULL))
			return;
		aero_slot_clear(&slot);
		all->docs[all->n++] = bson_copy(&doc);
	}
}

static void check(const struct collection *all, struct aero_check *ret)
{
	static const struct aero_conf conf;
	struct aero_err err;

	ret->conf = &conf;
	ret->reg = 7;
	for (size_t i = 0; i < all->n; i++) {
		if (aero_check_take_doc(ret, all->docs[i], &err) != AERO_OK)
			abort();
		/* whatever is no control document of ours is left alone */
		(void)aero_check_take_control(ret, all->docs[i], &err);
	}
	if (aero_check_run(ret, &err) != AERO_OK)
		abort();
}

/* As JSON it is whole, too. */
static void print_json(const struct aero_check *check)
{
	char *json;

	for (size_t i = 0; i < check->n; i++) {
		bson_t doc = BSON_INITIALIZER;

		if (!aero_finding_append(&doc, &check->v[i]))
			abort();
		json = aero_json_of_bson(&doc, NULL);
		if (json == NULL)
			abort();
		free(json);
		bson_destroy(&doc);
	}
}

static void print(const struct aero_check *check)
{
	char *text = NULL;
	size_t len = 0, lines = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return;
	for (size_t i = 0; i < check->n; i++)
		aero_finding_print(out, &check->v[i], "will");
	(void)fclose(out);
	for (size_t i = 0; i < len; i++) {
		const unsigned char c = (unsigned char)text[i];

		lines += c == '\n';
		if (c != '\n' && (c < 0x20 || c == 0x7f))
			abort();
	}
	if (lines != check->n || !bson_utf8_validate(text, len, false))
		abort();
	free(text);
}

/* The place of the document that a finding is about. */
static bson_t **place(struct collection *all, const struct aero_finding *finding)
{
	for (size_t i = 0; i < all->n; i++)
		if (finding->doc != NULL && bson_equal(all->docs[i], finding->doc->doc))
			return &all->docs[i];
	return NULL;
}

static void drop(struct collection *all, bson_t **at)
{
	bson_destroy(*at);
	*at = all->docs[--all->n];
}

/* As server/mend.c does; who registers leaves with the name that it gets. */
static bool mend(struct collection *all, const struct aero_finding *finding)
{
	struct aero_change change = {.set = finding->set};
	bson_t **at = place(all, finding), *mended;
	bool gone;

	if (finding->mend == AERO_MEND_INSERT &&
		all->n < sizeof(all->docs) / sizeof(all->docs[0])) {
		all->docs[all->n++] = bson_copy(finding->set);
		return true;
	}
	if (finding->mend == AERO_MEND_NONE || at == NULL)
		return false;
	if (finding->set == NULL) {
		drop(all, at);
		return true;
	}
	mended = aero_change_apply(*at, &change, &gone);
	if (mended == NULL) {
		drop(all, at);
	} else {
		bson_destroy(*at);
		*at = mended;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct collection all; /* too large for a stack */
	bool moved = true;

	all.n = 0;
	read_all(&all, data, size);
	for (int i = 0; moved; i++) {
		struct aero_check found = {0};

		if (i == ROUNDS)
			abort();
		check(&all, &found);
		print(&found);
		print_json(&found);
		moved = false;
		for (size_t k = 0; k < found.n; k++)
			moved = mend(&all, &found.v[k]) || moved;
		aero_check_clear(&found);
	}
	for (size_t i = 0; i < all.n; i++)
		bson_destroy(all.docs[i]);
	return 0;
}
