/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

#include "cli/format.h"
#include "tests/support.h"

static struct aero_conf conf;
static struct aero_err err;

struct row {
	const char *name, *service, *type, *id, *ip, *ip6, *alias[3];
};

/* What a fleet of an old collection may hold. */
static const struct row fleet[] = {
	{"web-10", "web", "iterative", "i-10", "10.0.0.10", "", {NULL}},
	{"web-2", "web", "iterative", "i-2", "10.0.0.2", "fd00::2", {"www", "bad alias"}},
	{"web-3", "web", "iterative", "", "", "", {"gone"}},
	{"db-master", "my db]", "masterful", "i-m", "fd00::1", "",
		{"a.cluster.internal"}},
	{"db-slave-1", "my db]", "masterful", "i-s", "not an address", "", {NULL}},
	{"", "web", "", "i-n", "10.0.0.9", "", {NULL}},
	{"x\n1.2.3.4 evil", "web", "", "i-x", "10.0.0.8", "", {NULL}},
	{"printer", "", "", "", "10.0.0.77", "", {NULL}},
};

static char *copy(const char *text)
{
	char *twin = strdup(text);

	assert_non_null(twin);
	return twin;
}

static struct aero_cli_hosts hosts_of(const struct row *rows, size_t n, bool from_store)
{
	struct aero_cli_hosts hosts = {.from_store = from_store};

	for (size_t i = 0; i < n; i++) {
		struct aero_slot slot = {
			.hostname = copy(rows[i].name),
			.service = copy(rows[i].service),
			.service_type = copy(rows[i].type),
			.who = {.instance_id = copy(rows[i].id),
				.ip = copy(rows[i].ip),
				.ip6 = copy(rows[i].ip6)},
		};

		for (size_t j = 0; j < 3 && rows[i].alias[j] != NULL; j++)
			assert_true(aero_list_add(&slot.who.aliases, rows[i].alias[j]));
		assert_true(aero_cli_hosts_add_slot(&hosts, &slot));
		aero_slot_clear(&slot);
	}
	aero_cli_hosts_sort(&hosts);
	return hosts;
}

/* What a format prints of the hosts, malloc'd; the hosts are cleared. */
static char *printed(struct aero_cli_hosts hosts, const char *name, const char *group)
{
	const struct aero_cli_listing listing = {&hosts, group};
	const struct aero_cli_format *format;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(aero_cli_format_find(name, &format, &err), AERO_OK);
	if (format->answering)
		assert_int_equal(aero_cli_hosts_answering(&conf, &hosts, &err), AERO_OK);
	assert_int_equal(format->print(out, &listing, &err), AERO_OK);
	assert_int_equal(fclose(out), 0);
	aero_cli_hosts_clear(&hosts);
	return text;
}

static void assert_printed(
	const char *format, bool from_store, const char *group, const char *wanted)
{
	char *text =
		printed(hosts_of(fleet, AERO_COUNT(fleet), from_store), format, group);

	assert_string_equal(text, wanted);
	free(text);
}

static void the_table_shows_everything_harmlessly(void **state)
{
	(void)state;
	assert_printed("", true, "",
		"NAME            SERVICE  TYPE       INSTANCE  ADDRESS           "
		"ALIASES\n"
		"-               web      -          i-n       10.0.0.9          -\n"
		"db-master       my?db]   masterful  i-m       fd00::1           "
		"a.cluster.internal\n"
		"db-slave-1      my?db]   masterful  i-s       not?an?address    -\n"
		"printer         -        -          -         10.0.0.77         -\n"
		"web-2           web      iterative  i-2       10.0.0.2,fd00::2  "
		"www,bad?alias\n"
		"web-3           web      iterative  (gap)     -                 gone\n"
		"web-10          web      iterative  i-10      10.0.0.10         -\n"
		"x?1.2.3.4?evil  web      -          i-x       10.0.0.8          -\n");
}

static void the_table_of_the_mirror_has_no_services(void **state)
{
	char *text = printed(hosts_of(fleet, 2, false), "table", "");

	(void)state;
	assert_string_equal(text, "NAME    ADDRESS           ALIASES\n"
				  "web-2   10.0.0.2,fd00::2  www,bad?alias\n"
				  "web-10  10.0.0.10         -\n");
	free(text);
}

static void json_is_an_array_of_everything(void **state)
{
	char *text = printed(hosts_of(fleet, AERO_COUNT(fleet), true), "json", "");
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)text, -1, &error);
	bson_iter_t iter, at;

	(void)state;
	assert_non_null(doc);
	assert_int_equal(bson_count_keys(doc), AERO_COUNT(fleet));
	assert_true(bson_iter_init(&iter, doc) &&
		    bson_iter_find_descendant(&iter, "4.aliases.1", &at));
	assert_string_equal(bson_iter_utf8(&at, NULL), "bad alias");
	assert_true(bson_iter_init(&iter, doc) &&
		    bson_iter_find_descendant(&iter, "7.name", &at));
	assert_string_equal(bson_iter_utf8(&at, NULL), "x\n1.2.3.4 evil");
	assert_true(bson_iter_init(&iter, doc) &&
		    bson_iter_find_descendant(&iter, "5.gap", &at));
	assert_true(bson_iter_bool(&at));
	bson_destroy(doc);
	free(text);
	text = printed((struct aero_cli_hosts){0}, "json", "");
	assert_string_equal(text, "[]\n");
	free(text);
	text = printed(hosts_of(fleet, 1, false), "json", "");
	assert_null(strstr(text, "service"));
	free(text);
}

static void hosts_lines_hold_only_what_may_answer(void **state)
{
	(void)state;
	assert_printed("hosts", true, "",
		"fd00::1 db-master\n"
		"10.0.0.77 printer\n"
		"10.0.0.2 web-2 www\n"
		"fd00::2 web-2 www\n"
		"10.0.0.10 web-10\n");
}

static void a_domain_makes_full_names(void **state)
{
	(void)state;
	free(conf.domain);
	conf.domain = copy("cluster.internal");
	assert_printed("hosts", true, "",
		"fd00::1 db-master.cluster.internal db-master a.cluster.internal\n"
		"10.0.0.77 printer.cluster.internal printer\n"
		"10.0.0.2 web-2.cluster.internal web-2 www\n"
		"fd00::2 web-2.cluster.internal web-2 www\n"
		"10.0.0.10 web-10.cluster.internal web-10\n");
	free(conf.domain);
	conf.domain = copy("");
}

static void prometheus_gets_targets_and_labels(void **state)
{
	char *text = printed(hosts_of(fleet, 4, true), "prometheus-sd", "");

	(void)state;
	assert_string_equal(text,
		"[\n{ \"targets\" : [ \"[fd00::1]\" ], \"labels\" : { \"instance\" : "
		"\"db-master\", \"service\" : \"my db]\", \"service_type\" : "
		"\"masterful\", \"instance_id\" : \"i-m\" } },\n"
		"{ \"targets\" : [ \"10.0.0.2\" ], \"labels\" : { \"instance\" : "
		"\"web-2\", \"service\" : \"web\", \"service_type\" : \"iterative\", "
		"\"instance_id\" : \"i-2\" } },\n"
		"{ \"targets\" : [ \"10.0.0.10\" ], \"labels\" : { \"instance\" : "
		"\"web-10\", \"service\" : \"web\", \"service_type\" : \"iterative\", "
		"\"instance_id\" : \"i-10\" } }\n]\n");
	free(text);
}

static void ansible_groups_by_service(void **state)
{
	static const struct row asked = {"web-0", "", "", "", "10.0.0.1", "", {NULL}};
	char *text;

	(void)state;
	assert_printed("ansible", true, "",
		"printer ansible_host=10.0.0.77\n\n"
		"[my_db_]\ndb-master ansible_host=fd00::1\n\n"
		"[web]\nweb-2 ansible_host=10.0.0.2\nweb-10 ansible_host=10.0.0.10\n");
	text = printed(hosts_of(&asked, 1, false), "ansible", "2-x");
	assert_string_equal(text, "[_2_x]\nweb-0 ansible_host=10.0.0.1\n");
	free(text);
}

static void ssh_gets_hosts_with_their_aliases(void **state)
{
	(void)state;
	assert_printed("ssh", true, "",
		"Host db-master\n\tHostName fd00::1\n\n"
		"Host printer\n\tHostName 10.0.0.77\n\n"
		"Host web-2 www\n\tHostName 10.0.0.2\n\n"
		"Host web-10\n\tHostName 10.0.0.10\n");
}

static void an_unknown_format_is_refused_with_the_nearest(void **state)
{
	const struct aero_cli_format *format;

	(void)state;
	assert_int_equal(aero_cli_format_find("ansibel", &format, &err), AERO_USAGE);
	assert_non_null(strstr(err.msg, "did you mean 'ansible'?"));
}

static void slots_of_a_service_are_told_by_their_form(void **state)
{
	static const struct {
		const char *name, *service;
		bool is;
	} rows[] = {{"web-0", "web", true}, {"web-10.cluster.internal", "web", true},
		{"db-master", "db", true}, {"DB-Slave-12", "db", true},
		{"web", "web", false}, {"web-", "web", false}, {"web-a", "web", false},
		{"web-1a", "web", false}, {"web-0", "we", false},
		{"web-api-0", "web", false}, {"web-api-0", "web-api", true},
		{"db-slave-", "db", false}, {"db-slave", "db", false},
		{"db-masters", "db", false}, {"-0", "", true}, {"web-.1", "web", false}};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++)
		if (aero_cli_is_slot_of(rows[i].name, rows[i].service) != rows[i].is)
			fail_msg("%s of %s", rows[i].name, rows[i].service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_shows_everything_harmlessly),
		cmocka_unit_test(the_table_of_the_mirror_has_no_services),
		cmocka_unit_test(json_is_an_array_of_everything),
		cmocka_unit_test(hosts_lines_hold_only_what_may_answer),
		cmocka_unit_test(a_domain_makes_full_names),
		cmocka_unit_test(prometheus_gets_targets_and_labels),
		cmocka_unit_test(ansible_groups_by_service),
		cmocka_unit_test(ssh_gets_hosts_with_their_aliases),
		cmocka_unit_test(an_unknown_format_is_refused_with_the_nearest),
		cmocka_unit_test(slots_of_a_service_are_told_by_their_form),
	};
	int failed;

	conf.domain = copy("");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(conf.domain);
	return failed;
}
