/* SPDX-License-Identifier: MIT */
/* Any documents -> answers that the mirror takes: no key twice, every record encodes,
 * every row of /etc/hosts can stand there. The first byte chooses the options, the rest
 * is BSON documents back to back. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "legacy/hosts.h"
#include "mirror/encode.h"
#include "syncd/answers.h"
#include "syncd/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static int compare(const unsigned char *a, size_t alen, const struct aero_entry *b)
{
	int diff = memcmp(a, b->key, alen < b->keylen ? alen : b->keylen);

	return diff != 0 ? diff : (alen > b->keylen) - (alen < b->keylen);
}

static void check(const struct aero_answer_set *set)
{
	unsigned char out[AERO_REC_MAX], last[AERO_KEY_MAX];
	struct aero_answers_walk walk;
	struct aero_rec rec, back;
	struct aero_entry e;
	size_t last_len = 0, len;

	aero_answers_walk(set->answers, false, &walk);
	while (aero_answers_next(&walk, &e)) {
		must(last_len == 0 || compare(last, last_len, &e) < 0);
		memcpy(last, e.key, e.keylen);
		last_len = e.keylen;
		rec = *e.rec;
		/* aliases are cut until it fits */
		while ((len = aero_rec_encode(e.key, e.keylen, &rec, out)) == 0 &&
			rec.n_alias > 0)
			rec.n_alias--;
		must(len > 0 && aero_rec_decode(e.key, e.keylen, out, len, &back));
	}
}

static void check_rows(const struct aero_answer_set *set)
{
	struct aero_hosts_out out;
	struct aero_rows rows;
	struct aero_err err;
	struct aero_hosts_in in = {.old = ""};

	must(aero_rows_make(set, AERO_HOSTS_FULL, "", &rows, &err) == AERO_OK);
	in.rows = rows.v;
	in.n_rows = rows.n;
	must(aero_hosts_merge(&in, &out, &err) == AERO_OK);
	aero_hosts_out_clear(&out);
	aero_rows_clear(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dot[] = ".", *dots[] = {dot};
	const struct aero_list none = {0}, all = {.v = dots, .n = 1};
	uint8_t choice = size > 0 ? data[0] : 0;
	const struct aero_answers_opts opts = {
		.domain = (choice & 1) != 0 ? "cluster.internal" : "",
		.zones = (choice & 2) != 0 ? &all : &none,
		.service_names = (choice & 4) != 0,
		.loopback = (choice & 8) != 0};
	unsigned char key[AERO_DOCUMENT_KEY_MAX];
	struct aero_answers *answers = NULL;
	struct aero_answer_set set;
	bson_reader_t *reader;
	const bson_t *doc;
	struct aero_err err;

	must(aero_answers_new(&opts, &answers, &err) == AERO_OK);
	reader = bson_reader_new_from_data(data + (size > 0), size - (size > 0));
	while ((doc = bson_reader_read(reader, NULL)) != NULL) {
		size_t len = aero_document_key(doc, key);

		if (len > 0)
			must(aero_answers_put(answers, key, len, doc, &err) == AERO_OK);
	}
	must(aero_answers_make(answers, &set, &err) == AERO_OK);
	check(&set);
	check_rows(&set);
	bson_reader_destroy(reader);
	aero_answers_free(answers);
	return 0;
}
