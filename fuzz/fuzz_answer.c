/* SPDX-License-Identifier: MIT */
/* u8 start, u8 family, u16 length of the buffer, then a record's value (its checksum and
 * total are made right): packed into a buffer of just that length. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "nss/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read every byte that was given. */
static size_t touch(const struct hostent *h)
{
	size_t sum = strlen(h->h_name);
	char **p;
	int i;

	for (p = h->h_aliases; *p != NULL; p++)
		sum += strlen(*p);
	for (p = h->h_addr_list; *p != NULL; p++)
		for (i = 0; i < h->h_length; i++)
			sum += (unsigned char)(*p)[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char key[2] = {AERO_KEY_NAME, 'x'};
	unsigned char val[AERO_REC_MAX];
	struct gaih_addrtuple mine, *pat = NULL, *t;
	size_t sum = 0;
	struct hostent h;
	struct aero_rec rec;
	size_t start, len, room;
	uint32_t crc;
	unsigned i;
	char *buf;

	if (size < 4 + AERO_REC_HEADER || size - 4 > AERO_REC_MAX)
		return 0;
	start = data[0] % 16;
	room = (data[2] | (size_t)data[3] << 8) % 4096;
	len = size - 4;
	memcpy(val, data + 4, len);
	val[4] = AERO_FORMAT_VERSION;
	val[5] &= AERO_REC_ALIAS;
	val[10] = (unsigned char)len;
	val[11] = (unsigned char)(len >> 8);
	crc = aero_crc32c(aero_crc32c(0, key, 2), val + 4, len - 4);
	for (i = 0; i < 4; i++)
		val[i] = (unsigned char)(crc >> 8 * i);
	if (!aero_rec_decode(key, 2, val, len, &rec))
		return 0;
	buf = malloc(start + room + 1);
	if (buf == NULL)
		return 0;
	/* The sanitizer guards the end; with start the alignment varies. */
	if (aero_answer_host(&rec, data[1] & 1 ? AF_INET : AF_INET6,
		    data[1] & 2 ? val : NULL, &h, buf + 1 + start, room))
		sum += touch(&h);
	if (data[1] & 4)
		pat = &mine;
	if (rec.n4 + rec.n6 > 0 && aero_answer_tuples(&rec, &pat, buf + 1 + start, room))
		for (t = pat; t != NULL; t = t->next)
			sum += strlen(t->name) + t->addr[0];
	free(buf);
	return sum == SIZE_MAX; /* so that the reads stay */
}
