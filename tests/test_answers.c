/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/support.h"
#include "mirror/encode.h"
#include "syncd/answers.h"
#include "syncd/rows.h"

static struct aero_err err;

/* Documents and options -> the answers, printed: a line per key of the mirror in order,
 * `key = canon addresses [aliases]`, `~` before a key that enumeration skips. */
struct fixture {
	struct aero_answers *answers;
	struct aero_answer_set set;
	char *text;
};

#define TEXT_MAX 16384

static void list_of(const char *words, struct aero_list *list)
{
	char copy[256], *save = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (char *w = strtok_r(copy, " ", &save); w != NULL;
		w = strtok_r(NULL, " ", &save))
		assert_true(aero_list_add(list, w));
}

static void put_json(struct aero_answers *answers, const char *json)
{
	unsigned char key[AERO_DOCUMENT_KEY_MAX];
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)json, -1, &error);
	size_t len;

	if (doc == NULL)
		fail_msg("%s: %s", json, error.message);
	len = aero_document_key(doc, key);
	assert_true(len > 0);
	assert_int_equal(aero_answers_put(answers, key, len, doc, &err), AERO_OK);
	bson_destroy(doc);
}

__attribute__((format(printf, 2, 3))) static void add_text(
	struct fixture *f, const char *format, ...)
{
	size_t len = strlen(f->text);
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(f->text + len, TEXT_MAX - len, format, ap);
	va_end(ap);
}

static void print_entry(struct fixture *f, const struct aero_entry *entry)
{
	const struct aero_rec *rec = entry->rec;
	const char *alias = rec->aliases;
	char addr[INET6_ADDRSTRLEN];

	if (entry->is_alias)
		add_text(f, "~");
	if (entry->key[0] == 'a')
		add_text(f, "%s = ",
			inet_ntop(entry->keylen == 5 ? AF_INET : AF_INET6, entry->key + 1,
				addr, sizeof(addr)));
	else
		add_text(f, "%.*s = ", (int)entry->keylen - 1,
			(const char *)entry->key + 1);
	add_text(f, "%s", rec->canon);
	for (unsigned i = 0; i < rec->n4; i++)
		add_text(f, " %s",
			inet_ntop(
				AF_INET, rec->addr4 + (size_t)4 * i, addr, sizeof(addr)));
	for (unsigned i = 0; i < rec->n6; i++)
		add_text(f, " %s",
			inet_ntop(AF_INET6, rec->addr6 + (size_t)16 * i, addr,
				sizeof(addr)));
	for (unsigned i = 0; i < rec->n_alias; i++, alias += strlen(alias) + 1)
		add_text(f, " %s", alias);
	add_text(f, "\n");
}

/* The record must be one that the mirror takes, and come in order. */
static void check_entry(const struct aero_entry *e, unsigned char *last, size_t *last_len)
{
	unsigned char out[AERO_REC_MAX];
	struct aero_rec rec;
	size_t len = aero_rec_encode(e->key, e->keylen, e->rec, out);

	assert_true(len > 0);
	assert_true(aero_rec_decode(e->key, e->keylen, out, len, &rec));
	if (*last_len > 0) {
		size_t least = *last_len < e->keylen ? *last_len : e->keylen;
		int diff = memcmp(last, e->key, least);

		assert_true(diff < 0 || (diff == 0 && *last_len < e->keylen));
	}
	memcpy(last, e->key, e->keylen);
	*last_len = e->keylen;
}

static void make(struct fixture *f)
{
	unsigned char last[AERO_KEY_MAX];
	struct aero_answers_walk walk;
	struct aero_entry entry;
	size_t last_len = 0;

	assert_int_equal(aero_answers_make(f->answers, &f->set, &err), AERO_OK);
	f->text[0] = '\0';
	aero_answers_walk(f->answers, false, &walk);
	while (aero_answers_next(&walk, &entry)) {
		check_entry(&entry, last, &last_len);
		print_entry(f, &entry);
	}
	for (size_t i = 0; i < f->set.n_listed; i++)
		add_text(f, "! %s: %s\n", f->set.refused[i].name, f->set.refused[i].why);
	/* These answer, or are gaps: they are not refused. */
	for (size_t i = 0; i < f->set.n_odd_listed; i++)
		add_text(f, "? %s: %s\n", f->set.odd[i].name, f->set.odd[i].why);
}

static void begin(struct fixture *f, const char *domain, const char *zones,
	bool service_names, bool loopback)
{
	struct aero_list list = {0};
	const struct aero_answers_opts opts = {.domain = domain,
		.zones = &list,
		.service_names = service_names,
		.loopback = loopback};

	memset(f, 0, sizeof(*f));
	f->text = calloc(1, TEXT_MAX);
	assert_non_null(f->text);
	list_of(zones, &list);
	assert_int_equal(aero_answers_new(&opts, &f->answers, &err), AERO_OK);
	aero_list_clear(&list);
}

static void end(struct fixture *f)
{
	aero_answers_free(f->answers);
	free(f->text);
}

struct row {
	const char *what;
	const char *docs[6];
	const char *want;
	const char *domain, *zones;
	bool service_names, loopback;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *domain = rows[i].domain == NULL ? "" : rows[i].domain;
		const char *zones = rows[i].zones == NULL ? "" : rows[i].zones;
		struct fixture f;

		/* the order in which documents come must not matter */
		for (int turn = 0; turn < 2; turn++) {
			begin(&f, domain, zones, rows[i].service_names, rows[i].loopback);
			for (size_t j = 0; j < AERO_COUNT(rows[i].docs); j++) {
				const char *doc = rows[i].docs[turn == 0 ? j : 5 - j];

				if (doc != NULL)
					put_json(f.answers, doc);
			}
			make(&f);
			if (strcmp(f.text, rows[i].want) != 0)
				fail_msg("%s (turn %d):\n%swanted:\n%s", rows[i].what,
					turn, f.text, rows[i].want);
			end(&f);
		}
	}
}

#define HOST(id, name, ip) "{\"_id\":" #id ",\"hostname\":\"" name "\",\"ip\":\"" ip "\"}"
#define HOST_AT(id, name, ip, at) \
	"{\"_id\":" #id ",\"hostname\":\"" name "\",\"ip\":\"" ip \
	"\",\"registered_at\":" #at "}"
#define ALIASES(id, name, ip, aliases) \
	"{\"_id\":" #id ",\"hostname\":\"" name "\",\"ip\":\"" ip \
	"\",\"aliases\":[" aliases "]}"
#define ALIASES_AT(id, name, ip, aliases, at) \
	"{\"_id\":" #id ",\"hostname\":\"" name "\",\"ip\":\"" ip \
	"\",\"aliases\":[" aliases "],\"registered_at\":" #at "}"

static void a_document_answers_if_its_name_and_an_address_are_valid(void **state)
{
	static const struct row rows[] = {
		{"plain", {HOST(1, "web-0", "10.0.0.1")},
			.want = "10.0.0.1 = web-0 10.0.0.1\nweb-0 = web-0 10.0.0.1\n"},
		{"without an instance",
			{"{\"_id\":1,\"hostname\":\"web-0\",\"instance_id\":\"\",\"ip\":"
			 "\"10.0.0.1\"}"},
			.want = "10.0.0.1 = web-0 10.0.0.1\nweb-0 = web-0 10.0.0.1\n"},
		{"a gap", {HOST(1, "web-0", "")}, .want = ""},
		{"a gap with null", {"{\"_id\":1,\"hostname\":\"web-0\",\"ip\":null}"},
			.want = ""},
		{"a nameless blank of the original", {HOST(1, "", "")}, .want = ""},
		{"nameless", {HOST(1, "", "10.0.0.1")}, .want = "! : empty name\n"},
		{"IPv6 in ip", {HOST(1, "web-0", "fd00::1")},
			.want = "fd00::1 = web-0 fd00::1\nweb-0 = web-0 fd00::1\n"},
		{"both",
			{"{\"_id\":1,\"hostname\":\"w\",\"ip\":\"10.0.0.1\",\"ip6\":"
			 "\"fd00::1\"}"},
			.want = "10.0.0.1 = w 10.0.0.1 fd00::1\nfd00::1 = w 10.0.0.1 "
				"fd00::1\n"
				"w = w 10.0.0.1 fd00::1\n"},
		{"the other way round",
			{"{\"_id\":1,\"hostname\":\"w\",\"ip\":\"fd00::1\",\"ip6\":\"10."
			 "0.0.1\"}"},
			.want = "10.0.0.1 = w 10.0.0.1 fd00::1\nfd00::1 = w 10.0.0.1 "
				"fd00::1\n"
				"w = w 10.0.0.1 fd00::1\n"},
		{"one address twice",
			{"{\"_id\":1,\"hostname\":\"w\",\"ip\":\"fd00::1\",\"ip6\":"
			 "\"fd00:0::1\"}"},
			.want = "fd00::1 = w fd00::1\nw = w fd00::1\n"},
		{"two of one family",
			{"{\"_id\":1,\"hostname\":\"w\",\"ip\":\"10.0.0.1\",\"ip6\":\"10."
			 "0.0.2\"}"},
			.want = "10.0.0.1 = w 10.0.0.1 10.0.0.2\n10.0.0.2 = w 10.0.0.1 "
				"10.0.0.2\n"
				"w = w 10.0.0.1 10.0.0.2\n"},
		{"one of them bad",
			{"{\"_id\":1,\"hostname\":\"w\",\"ip\":\"10.0.0.999\",\"ip6\":"
			 "\"fd00::1\"}"},
			.want = "fd00::1 = w fd00::1\nw = w fd00::1\n? w: not an "
				"address\n"},
		{"a bad address", {HOST(1, "w", "junk")},
			.want = "! w: not an address\n"},
		{"unspecified", {HOST(1, "w", "0.0.0.0")},
			.want = "! w: unspecified address\n"},
		{"multicast", {HOST(1, "w", "ff02::1")},
			.want = "! w: multicast address\n"},
		{"link-local", {HOST(1, "w", "169.254.1.1")},
			.want = "! w: link-local address\n"},
		{"loopback", {HOST(1, "w", "127.0.0.1")},
			.want = "! w: loopback address\n"},
		{.what = "loopback, offline",
			.docs = {HOST(1, "w", "127.0.0.1")},
			.want = "127.0.0.1 = w 127.0.0.1\nw = w 127.0.0.1\n",
			.loopback = true},
		{"a number", {"{\"_id\":1,\"hostname\":\"w\",\"ip\":5}"},
			.want = "! w: ip is no string of clean UTF-8\n"},
		{"an address for a name", {HOST(1, "1234", "10.0.0.1")},
			.want = "! 1234: name that reads as an address\n"},
		{"reserved",
			{HOST(1, "localhost", "10.0.0.1"), HOST(2, "ip6-x", "10.0.0.2")},
			.want = "! localhost: reserved name\n! ip6-x: reserved name\n"},
		{"a line break", {HOST(1, "a\\nb", "10.0.0.1")},
			.want = "! a\nb: character that is no letter, digit or hyphen\n"},
		{"old underscore", {HOST(1, "a_b", "10.0.0.1")},
			.want = "10.0.0.1 = a_b 10.0.0.1\na_b = a_b 10.0.0.1\n"},
		{"hijack", {HOST(1, "example.com", "10.0.0.1")},
			.want = "! example.com: dotted name outside domain and zones\n"},
		{.what = "zone",
			.docs = {HOST(1, "a.example.com", "10.0.0.1")},
			.want = "10.0.0.1 = a.example.com 10.0.0.1\n"
				"a.example.com = a.example.com 10.0.0.1\n",
			.zones = "example.com"},
		{.what = "all zones",
			.docs = {HOST(1, "a.example.com", "10.0.0.1")},
			.want = "10.0.0.1 = a.example.com 10.0.0.1\n"
				"a.example.com = a.example.com 10.0.0.1\n",
			.zones = "."},
		{"case is kept, not minded", {HOST(1, "Web-0", "10.0.0.1")},
			.want = "10.0.0.1 = Web-0 10.0.0.1\nweb-0 = Web-0 10.0.0.1\n"},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void clashes_are_settled_as_written(void **state)
{
	static const struct row rows[] = {
		{"one hostname twice: smallest id",
			{HOST(2, "w", "10.0.0.2"), HOST(1, "w", "10.0.0.1")},
			.want = "10.0.0.1 = w 10.0.0.1\nw = w 10.0.0.1\n"
				"! w: hostname of another document\n"},
		{"ids order as numbers",
			{HOST(256, "w", "10.0.0.2"), HOST(255, "w", "10.0.0.1")},
			.want = "10.0.0.1 = w 10.0.0.1\nw = w 10.0.0.1\n"
				"! w: hostname of another document\n"},
		{"newest first",
			{HOST(1, "w", "10.0.0.1"), HOST_AT(2, "w", "10.0.0.2", 5)},
			.want = "10.0.0.2 = w 10.0.0.2\nw = w 10.0.0.2\n"
				"! w: hostname of another document\n"},
		{"in another case",
			{HOST_AT(1, "W", "10.0.0.1", 4), HOST_AT(2, "w", "10.0.0.2", 5)},
			.want = "10.0.0.2 = w 10.0.0.2\nw = w 10.0.0.2\n"
				"! W: hostname of another document\n"},
		{"a blank twin is no clash",
			{HOST_AT(1, "w", "", 9), HOST(2, "w", "10.0.0.2")},
			.want = "10.0.0.2 = w 10.0.0.2\nw = w 10.0.0.2\n"},
		{"one alias twice: natural order",
			{ALIASES(1, "w-10", "10.0.0.10", "\"a\""),
				ALIASES(2, "w-2", "10.0.0.2", "\"a\",\"b\"")},
			.want = "10.0.0.2 = w-2 10.0.0.2 a b\n10.0.0.10 = w-10 "
				"10.0.0.10\n"
				"~a = w-2 10.0.0.2 a b\n~b = w-2 10.0.0.2 a b\n"
				"w-10 = w-10 10.0.0.10\nw-2 = w-2 10.0.0.2 a b\n"
				"! a: alias of another node\n"},
		{"newest registration",
			{ALIASES_AT(1, "w-10", "10.0.0.10", "\"a\"", 7),
				ALIASES_AT(2, "w-2", "10.0.0.2", "\"a\",\"b\"", 6)},
			.want = "10.0.0.2 = w-2 10.0.0.2 b\n10.0.0.10 = w-10 10.0.0.10 "
				"a\n"
				"~a = w-10 10.0.0.10 a\n~b = w-2 10.0.0.2 b\n"
				"w-10 = w-10 10.0.0.10 a\nw-2 = w-2 10.0.0.2 b\n"
				"! a: alias of another node\n"},
		{"a hostname beats an alias, and so does a gap's",
			{ALIASES_AT(1, "w-0", "10.0.0.1", "\"W-1\",\"w-2\",\"x\"", 9),
				HOST(2, "w-1", "10.0.0.2"), HOST(3, "w-2", "")},
			.want = "10.0.0.1 = w-0 10.0.0.1 x\n10.0.0.2 = w-1 10.0.0.2\n"
				"w-0 = w-0 10.0.0.1 x\nw-1 = w-1 10.0.0.2\n~x = w-0 "
				"10.0.0.1 x\n"
				"! W-1: alias that is a hostname\n! w-2: alias that is a "
				"hostname\n"},
		{"bad aliases go, the name stays; said twice is no matter",
			{ALIASES(1, "w", "10.0.0.1", "\"a b\",\"ok\",\"OK\",\"w\",\"\"")},
			.want = "10.0.0.1 = w 10.0.0.1 ok\n~ok = w 10.0.0.1 ok\nw = w "
				"10.0.0.1 ok\n"
				"! a b: character that is no letter, digit or hyphen\n! "
				": empty name\n"},
		{"aliases that are none",
			{"{\"_id\":1,\"hostname\":\"w\",\"ip\":\"10.0.0.1\",\"aliases\":"
			 "\"x\"}"},
			.want = "10.0.0.1 = w 10.0.0.1\nw = w 10.0.0.1\n"
				"? w: aliases is neither null nor an array of strings\n"},
		{"a loser's aliases go with it",
			{ALIASES(2, "w", "10.0.0.2", "\"a\""), HOST(1, "w", "10.0.0.1")},
			.want = "10.0.0.1 = w 10.0.0.1\nw = w 10.0.0.1\n"
				"! w: hostname of another document\n"},
		{"one address twice: natural order",
			{HOST(1, "w-10", "10.0.0.1"), HOST(2, "w-2", "10.0.0.1")},
			.want = "10.0.0.1 = w-2 10.0.0.1\nw-10 = w-10 10.0.0.1\nw-2 = "
				"w-2 10.0.0.1\n"},
		{"one address twice: newest",
			{HOST_AT(1, "w-10", "10.0.0.1", 2),
				HOST_AT(2, "w-2", "10.0.0.1", 1)},
			.want = "10.0.0.1 = w-10 10.0.0.1\nw-10 = w-10 10.0.0.1\nw-2 = "
				"w-2 10.0.0.1\n"},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void with_a_domain_each_name_answers_twice(void **state)
{
	static const struct row rows[] = {
		{.what = "full name is canonical",
			.domain = "x.internal",
			.docs = {ALIASES(1, "w", "10.0.0.1", "\"a\"")},
			.want = "10.0.0.1 = w.x.internal 10.0.0.1 w a\n"
				"~a = w.x.internal 10.0.0.1 w a\n"
				"~a.x.internal = w.x.internal 10.0.0.1 w a\n"
				"~w = w.x.internal 10.0.0.1 w a\n"
				"w.x.internal = w.x.internal 10.0.0.1 w a\n"},
		{.what = "dots and case of the domain",
			.domain = ".X.Internal.",
			.docs = {HOST(1, "W", "10.0.0.1")},
			.want = "10.0.0.1 = W.X.Internal 10.0.0.1 W\n"
				"~w = W.X.Internal 10.0.0.1 W\n"
				"w.x.internal = W.X.Internal 10.0.0.1 W\n"},
		{.what = "a full name in the collection is the same name",
			.domain = "x.internal",
			.docs = {HOST(1, "w.x.internal", "10.0.0.1"),
				HOST(2, "w", "10.0.0.2")},
			.want = "10.0.0.1 = w.x.internal 10.0.0.1 w\n"
				"~w = w.x.internal 10.0.0.1 w\n"
				"w.x.internal = w.x.internal 10.0.0.1 w\n"
				"! w: hostname of another document\n"},
		{.what = "deeper ones are full already",
			.domain = "x.internal",
			.docs = {HOST(1, "a.b.x.internal", "10.0.0.1")},
			.want = "10.0.0.1 = a.b.x.internal 10.0.0.1\n"
				"a.b.x.internal = a.b.x.internal 10.0.0.1\n"},
		{.what = "the rest must be a name too",
			.domain = "x.internal",
			.docs = {HOST(1, "1234.x.internal", "10.0.0.1")},
			.want = "! 1234.x.internal: name that reads as an address\n"},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

#define MEMBER(id, name, service, ip) \
	"{\"_id\":" #id ",\"hostname\":\"" name "\",\"ip\":\"" ip \
	"\",\"service\":\"" service "\"}"

static void service_names_answer_with_their_members(void **state)
{
	static const struct row rows[] = {
		{.what = "members in order",
			.service_names = true,
			.docs = {MEMBER(1, "w-10", "w", "10.0.0.10"),
				MEMBER(2, "w-2", "w", "10.0.0.2"),
				MEMBER(3, "w-3", "w", "")},
			.want = "10.0.0.2 = w-2 10.0.0.2\n10.0.0.10 = w-10 10.0.0.10\n"
				"~w = w 10.0.0.2 10.0.0.10\n"
				"w-10 = w-10 10.0.0.10\nw-2 = w-2 10.0.0.2\n"},
		{.what = "off by default",
			.docs = {MEMBER(1, "w-1", "w", "10.0.0.1")},
			.want = "10.0.0.1 = w-1 10.0.0.1\nw-1 = w-1 10.0.0.1\n"},
		{.what = "a hostname and an alias beat a service name",
			.service_names = true,
			.docs = {MEMBER(1, "w", "w", "10.0.0.1"),
				"{\"_id\":2,\"hostname\":\"x\",\"ip\":\"10.0.0.2\","
				"\"service\":\"db\",\"aliases\":[\"db\"]}"},
			.want = "10.0.0.1 = w 10.0.0.1\n10.0.0.2 = x 10.0.0.2 db\n"
				"~db = x 10.0.0.2 db\nw = w 10.0.0.1\nx = x 10.0.0.2 "
				"db\n"},
		{.what = "with a domain",
			.service_names = true,
			.domain = "d",
			.docs = {MEMBER(1, "w-1", "w", "10.0.0.1")},
			.want = "10.0.0.1 = w-1.d 10.0.0.1 w-1\n~w = w.d 10.0.0.1\n"
				"~w-1 = w-1.d 10.0.0.1 w-1\nw-1.d = w-1.d 10.0.0.1 w-1\n"
				"~w.d = w.d 10.0.0.1\n"},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void limits_cut_from_the_end_and_are_counted(void **state)
{
	struct aero_rows rows;
	struct fixture f;
	char json[2048] =
		"{\"_id\":1,\"hostname\":\"w\",\"ip\":\"10.0.0.1\",\"aliases\":[";

	(void)state;
	for (int i = 0; i < 40; i++)
		(void)snprintf(json + strlen(json), sizeof(json) - strlen(json),
			"%s\"a%d\"", i == 0 ? "" : ",", i);
	(void)strncat(json, "]}", 3);
	for (int domain = 0; domain < 2; domain++) {
		size_t most = domain == 0 ? 32 : 31; /* the short name takes one place */

		begin(&f, domain == 0 ? "" : "d", "", false, false);
		put_json(f.answers, json);
		make(&f);
		assert_int_equal(f.set.n_cut, 40 - most);
		assert_int_equal(aero_rows_make(&f.set, AERO_HOSTS_FULL, "", &rows, &err),
			AERO_OK);
		assert_int_equal(rows.v[0].n_aliases, most);
		assert_string_equal(rows.v[0].aliases[0], "a0");
		aero_rows_clear(&rows);
		assert_int_equal(f.set.n_refused, 0);
		end(&f);
	}
	begin(&f, "", "", true, false);
	for (int i = 0; i < 20; i++) {
		(void)snprintf(json, sizeof(json),
			"{\"_id\":%d,\"hostname\":\"w-%d\",\"service\":\"w\",\"ip\":\"10."
			"0.0.%d\"}",
			i, i, i + 1);
		put_json(f.answers, json);
	}
	make(&f);
	assert_non_null(
		strstr(f.text, "~w = w 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 "
			       "10.0.0.6 10.0.0.7 10.0.0.8\n"));
	end(&f);
}

static void counts_say_what_is_in_the_collection(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "", "", false, false);
	put_json(f.answers, HOST(1, "w-1", "10.0.0.1"));
	put_json(f.answers, HOST(2, "w-2", ""));
	put_json(f.answers, HOST(3, "bad name", "10.0.0.3"));
	put_json(f.answers, ALIASES(4, "w-4", "10.0.0.4",
				    "\"!\",\"!\",\"!\",\"!\",\"!\",\"!\",\"!\""));
	make(&f);
	assert_int_equal(f.set.n_documents, 4);
	assert_int_equal(f.set.n_hosts, 2);
	assert_int_equal(f.set.n_gaps, 1);
	assert_int_equal(f.set.n_refused, 8); /* more than are listed */
	assert_int_equal(f.set.n_listed, 1 + AERO_DOCUMENT_REFUSED);
	end(&f);
}

/* A changing collection gives the same answers as one read afresh. */
static void changes_add_up(void **state)
{
	struct fixture f, g;
	static char docs[32][160];
	unsigned char key[AERO_DOCUMENT_KEY_MAX];

	(void)state;
	srandom(5);
	memset(docs, 0, sizeof(docs));
	begin(&f, "d", "", true, false);
	for (int turn = 0; turn < 300; turn++) {
		for (int n = (int)(random() % 6); n >= 0; n--) {
			int id = (int)(random() % 32);
			bson_t one = BSON_INITIALIZER;

			BSON_APPEND_INT32(&one, "_id", id);
			(void)snprintf(docs[id], sizeof(docs[id]),
				"{\"_id\":%d,\"hostname\":\"w-%d\",\"service\":\"w\","
				"\"ip\":"
				"\"10.0.0.%d\",\"aliases\":[\"a%d\",\"w-%d\"],"
				"\"registered_at\":%d}",
				id, (int)(random() % 24), (int)(random() % 20 + 1),
				(int)(random() % 10), (int)(random() % 40),
				(int)(random() % 4));
			if (random() % 4 == 0) {
				docs[id][0] = '\0';
				assert_int_equal(
					aero_answers_put(f.answers, key,
						aero_document_key(&one, key), NULL, &err),
					AERO_OK);
			} else {
				put_json(f.answers, docs[id]);
			}
			bson_destroy(&one);
		}
		make(&f);
		begin(&g, "d", "", true, false);
		for (int id = 31; id >= 0; id--)
			if (docs[id][0] != '\0')
				put_json(g.answers, docs[id]);
		make(&g);
		assert_string_equal(f.text, g.text);
		end(&g);
	}
	end(&f);
}

/* It lost before and it loses now, but to another. */
static void a_lost_alias_says_to_whom(void **state)
{
	unsigned char key[AERO_DOCUMENT_KEY_MAX];
	bson_t id = BSON_INITIALIZER;
	struct fixture f;

	(void)state;
	BSON_APPEND_INT32(&id, "_id", 2);
	begin(&f, "", "", false, false);
	put_json(f.answers, ALIASES(1, "w-9", "10.0.0.1", "\"x\""));
	put_json(f.answers, HOST(2, "x", "10.0.0.2"));
	make(&f);
	assert_non_null(strstr(f.text, "! x: alias that is a hostname\n"));
	put_json(f.answers, ALIASES(3, "w-1", "10.0.0.3", "\"x\""));
	assert_int_equal(
		aero_answers_put(f.answers, key, aero_document_key(&id, key), NULL, &err),
		AERO_OK);
	make(&f);
	assert_non_null(strstr(f.text, "~x = w-1 10.0.0.3 x\n"));
	assert_non_null(strstr(f.text, "! x: alias of another node\n"));
	put_json(f.answers, HOST(2, "x", "10.0.0.2"));
	put_json(f.answers, HOST(3, "w-1", "10.0.0.3"));
	make(&f);
	assert_non_null(strstr(f.text, "! x: alias that is a hostname\n"));
	bson_destroy(&id);
	end(&f);
}

static void keys_of_ids_differ_as_the_ids_do(void **state)
{
	static const char *const ids[] = {"1", "2", "-1", "1.5", "\"1\"", "\"\"", "null",
		"true", "false", "{}", "{\"a\":1}", "{\"a\":2}",
		"{\"$oid\":\"0123456789abcdef01234567\"}",
		"{\"$oid\":\"0123456789abcdef01234568\"}", "{\"$date\":1}",
		"{\"$minKey\":1}"};
	unsigned char keys[AERO_COUNT(ids) + 2][AERO_DOCUMENT_KEY_MAX];
	size_t lens[AERO_COUNT(ids) + 2], n = AERO_COUNT(ids);
	char json[1024];

	(void)state;
	for (size_t i = 0; i < n + 2; i++) {
		bson_error_t error;
		bson_t *doc;

		if (i < n)
			(void)snprintf(
				json, sizeof(json), "{\"x\":0,\"_id\":%s}", ids[i]);
		else
			(void)snprintf(
				json, sizeof(json), "{\"_id\":\"%0600d\"}", (int)i);
		doc = bson_new_from_json((const uint8_t *)json, -1, &error);
		assert_non_null(doc);
		lens[i] = aero_document_key(doc, keys[i]);
		assert_true(lens[i] > 0);
		for (size_t j = 0; j < i; j++)
			assert_false(lens[i] == lens[j] &&
				     memcmp(keys[i], keys[j], lens[i]) == 0);
		bson_destroy(doc);
	}
}

static void a_domain_or_zone_that_is_no_name_is_refused(void **state)
{
	static const struct {
		const char *domain, *zone;
	} rows[] = {{"a b", NULL}, {"", "a..b"}, {"", "-x"}, {"", ".."}};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_list zones = {0};
		struct aero_answers *answers = NULL;
		const struct aero_answers_opts opts = {
			.domain = rows[i].domain, .zones = &zones};

		if (rows[i].zone != NULL)
			assert_true(aero_list_add(&zones, rows[i].zone));
		assert_int_equal(aero_answers_new(&opts, &answers, &err), AERO_CONFIG);
		assert_null(answers);
		aero_list_clear(&zones);
	}
}

static void rows_of_the_hosts_file_are_in_natural_order(void **state)
{
	struct aero_rows rows;
	struct fixture f;

	(void)state;
	begin(&f, "d", "", false, false);
	put_json(f.answers, "{\"_id\":1,\"hostname\":\"w-10\",\"ip\":\"10.0.0.10\","
			    "\"instance_id\":\"i-10\"}");
	put_json(f.answers, "{\"_id\":2,\"hostname\":\"w-2\",\"ip\":\"10.0.0.2\","
			    "\"ip6\":\"fd00::2\",\"aliases\":[\"z\",\"a\"]}");
	make(&f);
	assert_int_equal(
		aero_rows_make(&f.set, AERO_HOSTS_FULL, "", &rows, &err), AERO_OK);
	assert_int_equal(rows.n, 2);
	assert_string_equal(rows.v[0].host, "w-2");
	assert_string_equal(rows.v[0].fqdn, "w-2.d");
	assert_int_equal(rows.v[0].n_aliases, 2);
	assert_string_equal(rows.v[0].aliases[0], "z");
	assert_int_equal(rows.v[0].n_addrs, 2);
	assert_string_equal(rows.v[0].addrs[1], "fd00::2");
	assert_string_equal(rows.v[1].host, "w-10");
	aero_rows_clear(&rows);
	assert_int_equal(
		aero_rows_make(&f.set, AERO_HOSTS_SELF, "i-10", &rows, &err), AERO_OK);
	assert_int_equal(rows.n, 1);
	assert_string_equal(rows.v[0].host, "w-10");
	aero_rows_clear(&rows);
	assert_int_equal(
		aero_rows_make(&f.set, AERO_HOSTS_SELF, "", &rows, &err), AERO_OK);
	assert_int_equal(rows.n, 0);
	aero_rows_clear(&rows);
	end(&f);
}

static void hundred_thousand_documents_take_no_time(void **state)
{
	struct timespec a, b;
	struct fixture f;
	bson_t doc = BSON_INITIALIZER;
	double seconds;
	char text[64];

	(void)state;
	begin(&f, "cluster.internal", "", false, false);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 100000; i++) {
		bson_reinit(&doc);
		(void)snprintf(text, sizeof(text), "web-%d", (i * 7919) % 100000);
		BSON_APPEND_UTF8(&doc, "hostname", text);
		(void)snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16, i >> 8 & 255,
			i & 255);
		BSON_APPEND_UTF8(&doc, "ip", text);
		assert_int_equal(
			aero_answers_put(f.answers, &i, sizeof(i), &doc, &err), AERO_OK);
	}
	assert_int_equal(aero_answers_make(f.answers, &f.set, &err), AERO_OK);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	assert_int_equal(f.set.n_hosts, 100000);
	seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	print_message("100k documents: %.0f ms\n", seconds * 1000);
	assert_true(seconds < 20); /* quadratic would take minutes, also under valgrind */
	bson_destroy(&doc);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_answers_if_its_name_and_an_address_are_valid),
		cmocka_unit_test(clashes_are_settled_as_written),
		cmocka_unit_test(with_a_domain_each_name_answers_twice),
		cmocka_unit_test(service_names_answer_with_their_members),
		cmocka_unit_test(limits_cut_from_the_end_and_are_counted),
		cmocka_unit_test(counts_say_what_is_in_the_collection),
		cmocka_unit_test(changes_add_up),
		cmocka_unit_test(a_lost_alias_says_to_whom),
		cmocka_unit_test(keys_of_ids_differ_as_the_ids_do),
		cmocka_unit_test(a_domain_or_zone_that_is_no_name_is_refused),
		cmocka_unit_test(rows_of_the_hosts_file_are_in_natural_order),
		cmocka_unit_test(hundred_thousand_documents_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
