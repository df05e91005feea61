/* SPDX-License-Identifier: MIT */
/* The key of an _id, which orders as the ids do, and the id in words. */
#include "config.h"

#include <endian.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "syncd/document.h"

static size_t number_key(int64_t number, unsigned char *key)
{
	/* sign flipped, big-endian: orders as numbers do */
	uint64_t order = htobe64((uint64_t)number ^ (uint64_t)1 << 63);

	memcpy(key, &order, sizeof(order));
	return sizeof(order);
}

/* What tells apart the values of one type. one is used for what has no text of its own.
 */
static const void *value_of(const bson_iter_t *it, bson_t *one, size_t *ret_len)
{
	const size_t head = 4 + 1 + sizeof("_id"); /* length, type and name */
	uint32_t text_len;
	const char *text;

	if (BSON_ITER_HOLDS_OID(it)) {
		*ret_len = sizeof(bson_oid_t);
		return bson_iter_oid(it)->bytes;
	}
	if (BSON_ITER_HOLDS_UTF8(it)) {
		text = bson_iter_utf8(it, &text_len);
		*ret_len = text_len;
		return text;
	}
	if (!bson_append_iter(one, "_id", -1, it))
		return NULL;
	*ret_len = one->len - head - 1;
	return bson_get_data(one) + head;
}

size_t aero_document_key(
	const bson_t *doc, unsigned char key[static AERO_DOCUMENT_KEY_MAX])
{
	bson_t one = BSON_INITIALIZER;
	unsigned digest_len = 0;
	size_t len = 0, ret = 0;
	const void *value;
	bson_iter_t it;

	if (!bson_iter_init_find(&it, doc, "_id"))
		goto out;
	key[0] = (unsigned char)bson_iter_type(&it);
	if (BSON_ITER_HOLDS_INT(&it)) {
		key[0] = BSON_TYPE_INT64;
		ret = 1 + number_key(bson_iter_as_int64(&it), key + 1);
		goto out;
	}
	value = value_of(&it, &one, &len);
	if (value == NULL)
		goto out;
	if (len < AERO_DOCUMENT_KEY_MAX - 1) {
		memcpy(key + 1, value, len);
		ret = 1 + len;
		goto out;
	}
	/* long ones are only told apart */
	key[0] |= 0x80;
	if (EVP_Digest(value, len, key + 1, &digest_len, EVP_sha256(), NULL) == 1)
		ret = 1 + digest_len;
out:
	bson_destroy(&one);
	return ret;
}

const char *aero_document_id(const struct aero_document *doc, char *buf, size_t size)
{
	unsigned type = doc->id_len == 0 ? 0 : doc->id[0];
	const unsigned char *at = doc->id + 1;
	size_t len = doc->id_len == 0 ? 0 : doc->id_len - 1, n = 0;
	uint64_t number;

	if (type == BSON_TYPE_UTF8) {
		(void)snprintf(buf, size, "%.*s", (int)len, (const char *)at);
		return buf;
	}
	if (type == BSON_TYPE_INT64 && len == sizeof(number)) {
		memcpy(&number, at, sizeof(number));
		number = be64toh(number) ^ (uint64_t)1 << 63;
		(void)snprintf(buf, size, "%lld", (long long)number);
		return buf;
	}
	if (type != BSON_TYPE_OID)
		n = (size_t)snprintf(buf, size,
			"%s of type 0x%02x: ", type & 0x80 ? "digest" : "value",
			type & 0x7f);
	for (size_t i = 0; i < len && i < 16 && n + 2 < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%02x", at[i]);
	return buf;
}
