/* SPDX-License-Identifier: MIT */
/* What is found in a collection: rows of documents, and the lines that come of them. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store_doc.h"
#include "server/check.h"
#include "tests/support.h"

#define MAX_DOCS 6

/* A document: {_id: <its number>, ...}. */
#define SLOT(name, service, type, id, ip, more) \
	"\"hostname\": \"" name "\", \"service\": \"" service \
	"\", \"service_type\": \"" type "\", \"instance_id\": \"" id "\", \"ip\": \"" ip \
	"\", \"aliases\": null" more
#define WEB(name, id, ip) SLOT(name, "web", "iterative", id, ip, "")
#define WEB_WITH(name, id, ip, more) SLOT(name, "web", "iterative", id, ip, ", " more)
#define DB(name, id, ip) SLOT(name, "db", "masterful", id, ip, "")
#define DB_WITH(name, id, ip, more) SLOT(name, "db", "masterful", id, ip, ", " more)

struct row {
	const char *docs[MAX_DOCS];
	const char *node;    /* with the certificate dead */
	const char *control; /* of db */
	const char *want;    /* lines */
};

static struct aero_conf conf;

static void take(struct aero_check *check, const struct row *row)
{
	char json[1024];
	struct aero_err err;
	bson_t *doc;

	check->conf = &conf;
	check->reg = 77;
	for (size_t i = 0; i < MAX_DOCS && row->docs[i] != NULL; i++) {
		(void)snprintf(json, sizeof(json), "{\"_id\": %zu, %s}", i, row->docs[i]);
		doc = bson_new_from_json((const uint8_t *)json, -1, NULL);
		assert_non_null(doc);
		assert_int_equal(aero_check_take_doc(check, doc, &err), AERO_OK);
		bson_destroy(doc);
	}
	if (row->control != NULL) {
		doc = bson_new_from_json((const uint8_t *)row->control, -1, NULL);
		assert_non_null(doc);
		assert_int_equal(aero_check_take_control(check, doc, &err), AERO_OK);
		bson_destroy(doc);
	}
	if (row->node != NULL) {
		check->view.nodes = calloc(1, sizeof(*check->view.nodes));
		assert_non_null(check->view.nodes);
		check->view.nodes[0].id = strdup(row->node);
		check->view.nodes[0].node =
			(struct aero_node){.exists = true, .gen = 2, .dead = true};
		check->view.n_nodes = 1;
	}
	assert_int_equal(aero_check_run(check, &err), AERO_OK);
}

/* The lines, and behind each what would be set. */
static char *lines_of(const struct aero_check *check)
{
	char *text = NULL, *json;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	for (size_t i = 0; i < check->n; i++) {
		aero_finding_print(out, &check->v[i], "to mend");
		if (check->v[i].set == NULL)
			continue;
		json = bson_as_relaxed_extended_json(check->v[i].set, NULL);
		assert_non_null(json);
		(void)fprintf(out, "  %s\n", json);
		bson_free(json);
	}
	assert_int_equal(fclose(out), 0);
	return text;
}

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct aero_check check = {0};
		char *text;

		take(&check, &rows[i]);
		text = lines_of(&check);
		assert_string_equal(text, rows[i].want);
		free(text);
		aero_check_clear(&check);
	}
}

static void a_fleet_of_ours_has_no_findings(void **state)
{
	static const struct row rows[] = {
		{.want = ""},
		{.docs = {WEB("web-0", "i-a", "10.0.0.1"), WEB("web-1", "", ""),
			 DB("db-master", "i-m", "10.0.0.3"),
			 DB("db-slave-1", "i-s", "10.0.0.4")},
			.want = ""},
		/* a static entry is nobody's slot */
		{.docs = {SLOT("printer", "office", "", "", "10.0.0.9", "")}, .want = ""},
		{.docs = {DB_WITH("db-master", "i-m", "10.0.0.3", "\"epoch\": 4")},
			.control = "{\"_id\": \"db\", \"epoch\": 4, \"op\": null}",
			.want = ""},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void of_a_hostname_the_one_that_answers_stays(void **state)
{
	static const struct row rows[] = {
		/* a copy that is a gap goes; who has an address stays, even as the later
		 */
		{.docs = {WEB("web-0", "", ""), WEB("web-0", "i-a", "10.0.0.1")},
			.want = "wrong web-0 0 hostname: 1 has it too, and answers; to "
				"mend: delete the document\n"},
		/* somebody else is in it */
		{.docs = {WEB("web-0", "i-a", "10.0.0.1"),
			 WEB("web-0", "i-b", "10.0.0.2")},
			.want = "wrong web-0 1 hostname: 0 has it too, and answers; to "
				"mend: take the hostname off: the instance registers as "
				"a newcomer\n"
				"  { \"hostname\" : \"\" }\n"},
		/* the newest registration, as the mirrors say */
		{.docs = {WEB("web-0", "i-a", "10.0.0.1"),
			 WEB_WITH("web-0", "i-b", "10.0.0.2",
				 "\"registered_at\": {\"$date\": 1000}")},
			.want = "wrong web-0 0 hostname: 1 has it too, and answers; to "
				"mend: take the hostname off: the instance registers as "
				"a newcomer\n"
				"  { \"hostname\" : \"\" }\n"},
		/* its instance has another slot, or is dead */
		{.docs = {WEB("web-0", "i-a", "10.0.0.1"),
			 WEB("web-0", "i-b", "10.0.0.2"),
			 WEB("web-1", "i-b", "10.0.0.2")},
			.want = "wrong web-0 1 hostname: 0 has it too, and answers; to "
				"mend: delete the document\n"},
		{.docs = {WEB("web-0", "i-a", "10.0.0.1"),
			 WEB("web-0", "i-b", "10.0.0.2")},
			.node = "i-b",
			.want = "wrong web-0 1 hostname: 0 has it too, and answers; to "
				"mend: delete the document\n"},
		/* a field that is not ours is not thrown away */
		{.docs = {WEB_WITH("web-0", "", "", "\"note\": 1"),
			 WEB("web-0", "i-a", "10.0.0.1")},
			.want = "wrong web-0 0 hostname: 1 has it too, and answers; by "
				"hand: correct it: it has a field that none of ours "
				"would write\n"},
		/* two masters */
		{.docs = {DB("db-master", "i-a", "10.0.0.1"),
			 DB("db-master", "i-b", "10.0.0.2")},
			.want = "wrong db-master 1 hostname: 0 has it too, and answers; "
				"to mend: take the hostname off: the instance registers "
				"as a newcomer\n"
				"  { \"hostname\" : \"\" }\n"},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void of_an_instance_one_slot_stays(void **state)
{
	static const struct row rows[] = {
		{.docs = {WEB("web-0", "i-a", "10.0.0.1"),
			 WEB_WITH("web-1", "i-a", "10.0.0.1",
				 "\"registered_at\": {\"$date\": 1000}")},
			.want = "wrong web-0 0 instance_id: i-a is in web-1, too; to "
				"mend: make this slot a gap: the instance keeps the "
				"other\n"
				"  { \"instance_id\" : \"\", \"ip\" : \"\", \"ip6\" : "
				"\"\" }\n"},
		/* the master's is never the one that goes */
		{.docs = {DB("db-master", "i-a", "10.0.0.1"),
			 DB_WITH("db-slave-1", "i-a", "10.0.0.1",
				 "\"registered_at\": {\"$date\": 1000}")},
			.want = "wrong db-slave-1 1 instance_id: i-a is in db-master, "
				"too; to mend: make this slot a gap: the instance keeps "
				"the other\n"
				"  { \"instance_id\" : \"\", \"ip\" : \"\", \"ip6\" : "
				"\"\" }\n"},
		/* a nameless one goes before any other */
		{.docs = {WEB_WITH("", "i-a", "10.0.0.1",
				  "\"registered_at\": {\"$date\": 1000}"),
			 WEB("web-0", "i-a", "10.0.0.1")},
			.want = "wrong - 0 hostname: no hostname for i-a; to mend: "
				"delete the document\n"},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void what_has_no_name_gets_one_or_goes(void **state)
{
	static const struct row rows[] = {
		{.docs = {WEB("", "i-a", "10.0.0.1")},
			.want = "wrong - 0 hostname: no hostname for i-a; to mend: "
				"register the instance as a newcomer\n"},
		{.docs = {WEB("", "i-a", "10.0.0.1")},
			.node = "i-a",
			.want = "wrong - 0 hostname: no hostname for i-a; to mend: "
				"delete the document\n"},
		{.docs = {SLOT("", "", "", "i-a", "10.0.0.1", "")},
			.want = "wrong - 0 hostname: no hostname for i-a; by hand: "
				"correct it: no registration could be made of it\n"},
		{.docs = {WEB("", "", "")},
			.want = "said - 0 hostname: a gap without a hostname hides the "
				"others from the original; to mend: delete the "
				"document\n"},
		{.docs = {"\"lock\": true"},
			.want = "said - 0 hostname: a gap without a hostname hides the "
				"others from the original; by hand: delete it, if nobody "
				"needs its other fields\n"},
		/* an id that is no text is not nobody's */
		{.docs = {"\"hostname\": null, \"instance_id\": 12"},
			.want = "wrong - 0 -: instance_id is no string of clean UTF-8; "
				"by hand: correct it\n"},
		{.docs = {"\"hostname\": [\"web-0\"], \"service\": \"web\""},
			.want = "wrong - 0 -: hostname is no string of clean UTF-8; by "
				"hand: correct it\n"},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void fields_are_looked_at(void **state)
{
	static const struct row rows[] = {
		{.docs = {WEB("web-0", "i-a", "")},
			.want = "wrong web-0 0 ip: none: its name does not answer; by "
				"hand: let the node register again, or take it away\n"},
		{.docs = {WEB("web-0", "i-a", "test_local_ip")},
			.want = "wrong web-0 0 ip: test_local_ip: not an address; by "
				"hand: let the node register again, or take it away\n"},
		{.docs = {WEB_WITH("web-0", "i-a", "x", "\"ip6\": \"fd00::1\"")},
			.want = "said web-0 0 ip: x: not an address; by hand: let the "
				"node register again\n"},
		{.docs = {"\"hostname\": \"web-0\", \"service\": \"web\", "
			  "\"instance_id\": "
			  "\"i-a\", \"ip\": 5"},
			.want = "wrong web-0 0 ip: ip is no string of clean UTF-8: its "
				"name does not answer; by hand: let the node register "
				"again, or take it away\n"},
		{.docs = {"\"hostname\": \"web-0\", \"service\": \"web\", "
			  "\"instance_id\": "
			  "\"i-a\", \"ip\": \"10.0.0.1\", \"aliases\": \"x\""},
			.want = "said web-0 0 -: aliases is neither null nor an array of "
				"strings: it does not count; by hand: let the node "
				"register again\n"},
		{.docs = {WEB_WITH("web-0", "i-a", "10.0.0.1", "\"reg\": 1.5")},
			.want = "wrong web-0 0 reg: no whole number: no write could name "
				"this tenure; to mend: set the field right\n"
				"  { \"reg\" : 77 }\n"},
		{.docs = {SLOT("api.example.com", "api", "", "i-a", "10.0.0.1", "")},
			.want = "wrong api.example.com 0 hostname: it does not answer: "
				"dotted name outside domain and zones; by hand: take the "
				"node away, or allow the name (domain, zones)\n"},
		{.docs = {SLOT("web-1", "", "", "i-a", "10.0.0.1", ""),
			 WEB("web-0", "i-b", "10.0.0.2")},
			.want = "wrong web-1 0 service: none; to mend: set the field "
				"right\n"
				"  { \"service\" : \"web\" }\n"},
		/* of db or of db-slave? */
		{.docs = {SLOT("db-slave-1", "", "", "i-a", "10.0.0.1", ""),
			 SLOT("db-slave-0", "db-slave", "", "i-b", "10.0.0.2", ""),
			 DB("db-master", "i-c", "10.0.0.3")},
			.want = "wrong db-slave-1 0 service: none; by hand: set it\n"},
		{.docs = {WEB_WITH("web-0", "i-a", "10.0.0.1",
			 "\"ip6\": \"fd00::1\", \"ip6_of\": \"i-b\"")},
			.want = "said web-0 0 ip6: of another occupant (ip6_of): it does "
				"not count; to mend: set the field right\n"
				"  { \"ip6\" : \"\" }\n"},
		{.docs = {WEB("web-0", "i-a", "10.0.0.1")},
			.node = "i-a",
			.want = "said web-0 0 instance_id: declared dead; by hand: the "
				"next pass of aerostatd frees it\n"},
		{.docs = {WEB("web-0", "", "10.0.0.1")},
			.want = "said web-0 0 ip: a gap that answers; by hand: the next "
				"newcomer of the service takes it, with its own "
				"address\n"},
		{.docs = {WEB("web01", "", "")},
			.want = "said web01 0 hostname: a gap, but no name of a slot of "
				"its service; by hand: no newcomer takes it\n"},
		/* nothing of a document gets to the terminal as it is */
		{.docs = {WEB("web-0\\u001b[2J", "i-a", "10.0.0.1")},
			.want = "wrong \"web-0\\x1b[2J\" 0 hostname: it does not answer: "
				"character that is no letter, digit or hyphen; by hand: "
				"take the node away, or allow the name (domain, "
				"zones)\n"},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void an_epoch_is_set_back_only_while_nobody_changes(void **state)
{
#define EPOCH(epoch) \
	{ \
		DB_WITH("db-master", "i-a", "10.0.0.1", "\"epoch\": " epoch) \
	}
	static const struct row rows[] = {
		{.docs = EPOCH("5"),
			.want = "wrong db-master 0 epoch: 5, and the service's "
				"change-overs have come to 0 only; to mend: set the "
				"field right\n"
				"  { \"epoch\" : 0 }\n"},
		{.docs = EPOCH("5.5"),
			.control = "{\"_id\": \"db\", \"epoch\": 7, \"op\": null}",
			.want = "wrong db-master 0 epoch: no whole number; to mend: set "
				"the field right\n"
				"  { \"epoch\" : 7 }\n"},
		{.docs = EPOCH("5"),
			.control = "{\"_id\": \"db\", \"epoch\": 3, \"op\": {\"p\": "
				   "\"i-b\"}}",
			.want = "wrong db-master 0 epoch: 5, and the service's "
				"change-overs have come to 3 only; by hand: see to its "
				"change-over first: `aerostatd --once`\n"
				"said db - op: change-over 3 is open; by hand: the next "
				"pass of aerostatd finishes it\n"},
		{.docs = EPOCH("2"),
			.control = "{\"_id\": \"db\", \"epoch\": 2.5, \"op\": null}",
			.want = "wrong db - epoch: epoch is no whole number, or op no "
				"document; by hand: correct it: no change-over is "
				"possible\n"},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void what_several_want_is_seen(void **state)
{
#define ALIASES(name, id, ip, list) \
	"\"hostname\": \"" name "\", \"service\": \"web\", \"instance_id\": \"" id \
	"\", \"ip\": \"" ip "\", \"aliases\": [" list "]"
	static const struct row rows[] = {
		{.docs = {ALIASES("web-0", "i-a", "10.0.0.1", "\"x\", \"y\""),
			 ALIASES("web-1", "i-b", "10.0.0.2", "\"X\", \"z\"")},
			.want = "wrong web-1 1 aliases: X is an alias of web-0, too, "
				"which answers; to mend: set the field right\n"
				"  { \"aliases\" : [ \"z\" ] }\n"},
		/* a gap does not answer: the alias is free */
		{.docs = {ALIASES("web-0", "", "", "\"x\""),
			 ALIASES("web-1", "i-b", "10.0.0.2", "\"x\"")},
			.want = ""},
		{.docs = {ALIASES("web-0", "i-a", "10.0.0.1", "\"web-1\""),
			 ALIASES("web-1", "i-b", "10.0.0.2", "\"localhost\"")},
			.want = "said web-0 0 aliases: web-1 is a hostname, too, which "
				"answers; by hand: let the node register again without "
				"it\n"
				"said web-1 1 aliases: localhost: reserved name; by "
				"hand: let the node register again without it\n"},
		{.docs = {WEB("web-0", "i-a", "10.0.0.1"),
			 WEB("web-1", "i-b", "10.0.0.1")},
			.want = "said web-1 1 ip: web-0 has it, too, and the address "
				"leads to that; by hand: let the node register again "
				"whose address it is not\n"},
		{.docs = {DB("db-slave-1", "i-a", "10.0.0.1"), DB("db-master", "", "")},
			.want = "said db-master - hostname: nobody, and 1 slaves; by "
				"hand: the next newcomer takes it, or a slave by "
				"--change-master\n"},
		{.docs = {WEB("web-0", "i-a", "10.0.0.1"),
			 SLOT("web-1", "web", "masterful", "i-b", "10.0.0.2", "")},
			.want = "said web - service_type: 1 of 2 slots of web are "
				"masterful; by hand: let those nodes register again "
				"whose type is not meant\n"},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void holes_are_filled_if_they_are_few(void **state)
{
	static const struct row rows[] = {
		{.docs = {WEB("web-1", "i-a", "10.0.0.1")},
			.want = "said web-0 - hostname: no slot of this number: the "
				"original may take a live node's name for a new one; to "
				"mend: put a gap there\n"
				"  { \"hostname\" : \"web-0\", \"service\" : \"web\", "
				"\"service_type\" : \"iterative\", \"instance_id\" : "
				"\"\", \"ip\" : \"\", \"aliases\" : [  ] }\n"},
		{.docs = {DB("db-slave-2", "i-a", "10.0.0.1"),
			 DB("db-master", "i-b", "10.0.0.2")},
			.want = "said db-slave-1 - hostname: no slot of this number: the "
				"original may take a live node's name for a new one; to "
				"mend: put a gap there\n"
				"  { \"hostname\" : \"db-slave-1\", \"service\" : "
				"\"db\", \"service_type\" : \"masterful\", "
				"\"instance_id\" : \"\", \"ip\" : \"\", \"aliases\" : [  "
				"] }\n"},
		/* a number that means something else */
		{.docs = {WEB("web-0", "i-a", "10.0.0.1"),
			 WEB("web-2026", "i-b", "10.0.0.2")},
			.want = "said web - hostname: 2 slots, numbers up to 2026; by "
				"hand: newcomers fill them\n"},
		/* the name is there, in a document of another service */
		{.docs = {WEB("web-1", "i-a", "10.0.0.1"),
			 SLOT("web-0", "shop", "", "i-b", "10.0.0.2", "")},
			.want = ""},
	};

	(void)state;
	check_rows(rows, AERO_COUNT(rows));
}

static void only_what_two_reads_show_is_so(void **state)
{
	static const struct row first = {
		.docs = {WEB("web-0", "i-a", "10.0.0.1"), WEB("web-1", "i-a", "10.0.0.1"),
			WEB("web-2", "i-b", "")}};
	static const struct row second = {
		.docs = {WEB("web-0", "i-a", "10.0.0.1"), WEB("web-1", "i-c", "10.0.0.3"),
			WEB("web-2", "i-b", ""), WEB("web-3", "i-d", "")}};
	struct aero_check a = {0}, b = {0};
	struct aero_err err;

	(void)state;
	take(&a, &first);
	take(&b, &second);
	assert_int_equal(aero_check_keep(&b, &a, &err), AERO_OK);
	assert_int_equal(b.n, 1);
	assert_string_equal(b.v[0].name, "web-2");
	aero_check_clear(&a);
	aero_check_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fleet_of_ours_has_no_findings),
		cmocka_unit_test(of_a_hostname_the_one_that_answers_stays),
		cmocka_unit_test(of_an_instance_one_slot_stays),
		cmocka_unit_test(what_has_no_name_gets_one_or_goes),
		cmocka_unit_test(fields_are_looked_at),
		cmocka_unit_test(an_epoch_is_set_back_only_while_nobody_changes),
		cmocka_unit_test(what_several_want_is_seen),
		cmocka_unit_test(holes_are_filled_if_they_are_few),
		cmocka_unit_test(only_what_two_reads_show_is_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
