/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>
#include <sys/mman.h>

#include "lib/docs.h"

#define PIECE ((size_t)256 << 10)

struct aero_docs_piece {
	struct aero_docs_piece *next;
	size_t taken, n, size; /* size: of bytes */
	unsigned char bytes[];
};

/* Mapped, not allocated: one thread makes them, another lets them go, and malloc would
 * keep them for the first. */
static struct aero_docs_piece *piece_new(size_t need)
{
	const size_t head = sizeof(struct aero_docs_piece);
	size_t size = head + need > PIECE ? head + need : PIECE;
	void *map = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct aero_docs_piece *piece = map;

	if (map == MAP_FAILED)
		return NULL;
	piece->size = size - head;
	return piece;
}

static void piece_free(struct aero_docs_piece *piece)
{
	(void)munmap(piece, sizeof(*piece) + piece->size);
}

bool aero_docs_add(struct aero_docs *docs, const bson_t *doc)
{
	struct aero_docs_piece *piece = docs->last;

	if (piece == NULL || piece->size - piece->n < doc->len) {
		piece = piece_new(doc->len);
		if (piece == NULL)
			return false;
		if (docs->last == NULL)
			docs->first = piece;
		else
			docs->last->next = piece;
		docs->last = piece;
	}
	memcpy(piece->bytes + piece->n, bson_get_data(doc), doc->len);
	piece->n += doc->len;
	return true;
}

/* A document begins with its length. */
static size_t view(const unsigned char *at, bson_t *ret)
{
	uint32_t len;

	memcpy(&len, at, sizeof(len));
	len = BSON_UINT32_FROM_LE(len);
	(void)bson_init_static(ret, at, len);
	return len;
}

bool aero_docs_next(
	const struct aero_docs *docs, struct aero_docs_at *at, bson_t *ret_view)
{
	if (at->piece == NULL)
		*at = (struct aero_docs_at){
			docs->first, docs->first == NULL ? 0 : docs->first->taken};
	if (at->piece != NULL && at->at == at->piece->n && at->piece->next != NULL)
		*at = (struct aero_docs_at){at->piece->next, 0};
	if (at->piece == NULL || at->at == at->piece->n)
		return false;
	at->at += view(at->piece->bytes + at->at, ret_view);
	return true;
}

bool aero_docs_take(struct aero_docs *docs, bson_t *ret_view)
{
	struct aero_docs_piece *piece = docs->first;

	if (piece != NULL && piece->taken == piece->n) {
		docs->first = piece->next;
		if (docs->first == NULL)
			docs->last = NULL;
		piece_free(piece);
		piece = docs->first;
	}
	if (piece == NULL)
		return false;
	piece->taken += view(piece->bytes + piece->taken, ret_view);
	return true;
}

void aero_docs_clear(struct aero_docs *docs)
{
	struct aero_docs_piece *next;

	for (; docs->first != NULL; docs->first = next) {
		next = docs->first->next;
		piece_free(docs->first);
	}
	docs->last = NULL;
}
