/* SPDX-License-Identifier: MIT */
/* aerostat lookup: one name or address, answered as the NSS module answers it. */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/mirror.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/masters.h"
#include "lib/status.h"

/* The key of an address or a name; 0 if the word is neither. A v4-mapped IPv6 address is
 * looked up as IPv4. */
static size_t key_of(const char *word, unsigned char key[static AERO_KEY_MAX])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	unsigned char bytes[16];

	key[0] = AERO_KEY_ADDRESS;
	if (inet_pton(AF_INET, word, bytes) == 1) {
		memcpy(key + 1, bytes, 4);
		return 5;
	}
	if (inet_pton(AF_INET6, word, bytes) == 1) {
		bool is_mapped = memcmp(bytes, mapped, sizeof(mapped)) == 0;
		size_t len = is_mapped ? 4 : 16;

		memcpy(key + 1, bytes + 16 - len, len);
		return 1 + len;
	}
	return aero_name_key(word, key);
}

/* The lower-case name of a key (without its kind) ends in `.zone`. */
static bool below(const unsigned char *name, size_t len, const char *zone)
{
	size_t zlen;

	zone += strspn(zone, ".");
	zlen = strlen(zone);
	if (zlen == 0)
		return true;
	return len > zlen && name[len - zlen - 1] == '.' &&
	       strncasecmp((const char *)name + len - zlen, zone, zlen) == 0;
}

/* Not found: a dotted name that is not ours at all is somebody else's to answer. */
static int miss(const char *word, const unsigned char *key, size_t keylen,
	const struct aero_meta *meta, struct aero_err *err)
{
	const char *zone = meta->zones;
	char shown[300];

	(void)aero_quote(word, shown, sizeof(shown));
	if (key[0] == AERO_KEY_ADDRESS)
		return aero_err_set(err, AERO_MISS, "no node has the address %s", word);
	if (memchr(key + 1, '.', keylen - 1) == NULL)
		return aero_err_set(err, AERO_MISS, "no node is called %s", shown);
	for (size_t i = 0; i < meta->n_zones; i++, zone += strlen(zone) + 1)
		if (below(key + 1, keylen - 1, zone))
			return aero_err_set(
				err, AERO_MISS, "no node is called %s", shown);
	return aero_err_set(err, AERO_MISS,
		"%s is below neither `domain` nor `zones`, so other sources (dns) are "
		"asked "
		"for it",
		shown);
}

static void print_lines(FILE *out, const struct aero_rec *rec)
{
	char address[INET6_ADDRSTRLEN];

	for (size_t i = 0; aero_cli_address(rec, i, address); i++) {
		const char *alias = rec->aliases;

		(void)fprintf(out, "%s %s", address, rec->canon);
		for (size_t j = 0; j < rec->n_alias; j++, alias += strlen(alias) + 1)
			(void)fprintf(out, " %s", alias);
		(void)fputc('\n', out);
	}
}

static bool append_record(bson_t *doc, const struct aero_rec *rec)
{
	char address[INET6_ADDRSTRLEN], buf[16];
	const char *key, *alias = rec->aliases;
	bson_t array;
	bool ok = BSON_APPEND_UTF8(doc, "canonical", rec->canon) &&
		  BSON_APPEND_ARRAY_BEGIN(doc, "addresses", &array);

	for (uint32_t i = 0; ok && aero_cli_address(rec, i, address); i++) {
		(void)bson_uint32_to_string(i, &key, buf, sizeof(buf));
		ok = BSON_APPEND_UTF8(&array, key, address);
	}
	ok = ok && bson_append_array_end(doc, &array) &&
	     BSON_APPEND_ARRAY_BEGIN(doc, "aliases", &array);
	for (uint32_t i = 0; ok && i < rec->n_alias; i++, alias += strlen(alias) + 1) {
		(void)bson_uint32_to_string(i, &key, buf, sizeof(buf));
		ok = BSON_APPEND_UTF8(&array, key, alias);
	}
	return ok && bson_append_array_end(doc, &array);
}

/* Of a master: by which change-over, where the daemon's status tells. */
static bool append_epoch(bson_t *doc, const struct aero_conf *conf, const char *canon)
{
	size_t len = strlen(canon), suffix = strlen(conf->domain);
	struct aero_status status = {0};
	const struct aero_master *m = NULL;
	char name[256];
	bool ok = true;

	/* With `domain` the canonical name has it. */
	if (suffix > 0 && len > suffix + 1 && canon[len - suffix - 1] == '.' &&
		strcasecmp(canon + len - suffix, conf->domain) == 0)
		len -= suffix + 1;
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, canon);

	if (aero_status_read(conf, &status, NULL) == AERO_OK)
		m = aero_masters_find(&status.masters, name);
	if (m != NULL)
		ok = BSON_APPEND_INT64(doc, "epoch", m->epoch);
	aero_status_clear(&status);
	return ok;
}

static int print_object(FILE *out, const struct aero_conf *conf, const char *word,
	const struct aero_rec *rec, const struct aero_meta *meta, int64_t now_ms,
	struct aero_err *err)
{
	bson_t doc = BSON_INITIALIZER;
	int rc;

	if (!BSON_APPEND_UTF8(&doc, "name", word) || !append_record(&doc, rec) ||
		!BSON_APPEND_INT64(&doc, "generation", (int64_t)meta->generation) ||
		!BSON_APPEND_INT64(&doc, "source_time", (int64_t)meta->source_time) ||
		!BSON_APPEND_INT64(&doc, "age",
			now_ms / 1000 - (int64_t)(meta->published / 1000000000)) ||
		!append_epoch(&doc, conf, rec->canon))
		rc = aero_err_set(err, AERO_NOMEM, "out of memory");
	else
		rc = aero_cli_print_json_line(out, &doc, err);
	bson_destroy(&doc);
	return rc;
}

int aero_cli_lookup(const struct aero_cli *cli, struct aero_err *err)
{
	unsigned char key[AERO_KEY_MAX];
	const char *word = cli->words[0];
	struct aero_reader reader;
	struct aero_rec rec;
	struct aero_meta meta;
	enum aero_read result;
	size_t keylen = key_of(word, key);
	char shown[300];
	int rc = aero_cli_mirror_open(cli->conf, &reader, err);

	if (rc != AERO_OK)
		return rc;
	if (keylen == 0) {
		rc = aero_err_set(err, AERO_MISS, "%s is neither a name nor an address",
			aero_quote(word, shown, sizeof(shown)));
		goto out;
	}
	result = aero_reader_meta(&reader, &meta);
	if (result == AERO_READ_OK)
		result = aero_reader_get(&reader, key, keylen, &rec);
	/* The zones point into the page that the look-up went over: read them again. */
	if (result == AERO_READ_MISS && aero_reader_meta(&reader, &meta) == AERO_READ_OK)
		rc = miss(word, key, keylen, &meta, err);
	else if (result != AERO_READ_OK)
		rc = aero_cli_mirror_fail(cli->conf, result, reader.err, err);
	else if (cli->conf->json)
		rc = print_object(
			cli->out, cli->conf, word, &rec, &meta, aero_unix_ms(), err);
	else
		print_lines(cli->out, &rec);
out:
	aero_reader_close(&reader);
	return rc;
}
