/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/file.h"
#include "lib/status.h"
#include "tests/support.h"

static struct aero_conf conf;
static struct aero_err err;
static struct aero_refusal refused[] = {
	{(char[]){"a b"}, (char[]){"a \"blank\"\n"}, (char[]){"5f00"}},
	{(char[]){"\xff"}, (char[]){"no UTF-8 \xff"}, (char[]){"\x1b[31m"}}};
static struct aero_refusal odd[] = {
	{(char[]){"web-7"}, (char[]){"reg"}, (char[]){"\u202e"}}};
static struct aero_shadow shadowed[] = {{(char[]){"web-0"}, 12}, {(char[]){"web-1"}, 7}};

static struct aero_master masters[] = {
	{(char[]){"db-master"}, (char[]){"db"}, (char[]){"i-9"}, 5000000001}};

static const struct aero_status full = {
	.pid = 4242,
	.mode = (char[]){"stream"},
	.server = (char[]){"mongodb://h"},
	.error = (char[]){""},
	.started = 1700000000123,
	.updated = 1700000001000,
	.last_contact = 1700000000999,
	.sync_count = 3,
	.sync_started = 1700000000500,
	.generation = 5000000000,
	.hosts_generation = 4999999999,
	.source_time = (int64_t)1700000000 << 32 | 7,
	.published = 1700000000123456789,
	.documents = 12,
	.names = 10,
	.aliases = 4,
	.addresses = 11,
	.gaps = 2,
	.n_refused = 250,
	.n_cut = 1,
	.reconnects = 6,
	.publishes = 9,
	.publish_us = 1500,
	.propagation_us = 25000,
	.shrink_held_since = 1700000000001,
	.heartbeat = 1700000000002,
	.hostname = (char[]){"web-3"},
	.heartbeat_error = (char[]){"no primary"},
	.n_odd = 8,
	.n_shadowed = 7,
	.refused = {refused, 2},
	.odd = {odd, 1},
	.shadowed = shadowed,
	.n_shadowed_listed = 2,
	.masters = {masters, 1},
};

static void what_is_written_is_read_back(void **state)
{
	struct aero_status s;
	struct stat st;
	char *text;

	(void)state;
	assert_int_equal(aero_status_write(&conf, &full, &err), AERO_OK);
	assert_int_equal(stat(test_path("var/lib/aerostat/status.json"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	text = test_read(test_path("var/lib/aerostat/status.json"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_non_null(strstr(text, "\"generation\" : 5000000000,"));
	/* Who reads it on a terminal gets ASCII. */
	for (const char *p = text; *p != '\0'; p++)
		assert_true((*p >= ' ' && *p < 0x7f) || *p == '\n');
	free(text);
	assert_int_equal(aero_status_read(&conf, &s, &err), AERO_OK);
	/* Every number lies between pid and the lists. */
	assert_int_equal(s.pid, full.pid);
	assert_memory_equal(&s.started, &full.started,
		offsetof(struct aero_status, hostname) -
			offsetof(struct aero_status, started));
	assert_string_equal(s.mode, "stream");
	assert_string_equal(s.server, "mongodb://h");
	assert_string_equal(s.error, "");
	assert_string_equal(s.hostname, "web-3");
	assert_string_equal(s.heartbeat_error, "no primary");
	assert_int_equal(s.refused.n, 2);
	assert_string_equal(s.refused.v[0].name, "a b");
	assert_string_equal(s.refused.v[0].why, "a \"blank\"\n");
	assert_string_equal(s.refused.v[0].id, "5f00");
	assert_string_equal(s.refused.v[1].why, "no UTF-8 ?");
	assert_string_equal(s.refused.v[1].id, "\x1b[31m");
	assert_int_equal(s.odd.n, 1);
	assert_string_equal(s.odd.v[0].id, "\u202e");
	assert_int_equal(s.n_shadowed_listed, 2);
	assert_string_equal(s.shadowed[1].name, "web-1");
	assert_int_equal(s.shadowed[1].line, 7);
	assert_int_equal(s.masters.n, 1);
	assert_null(aero_masters_find(&s.masters, "db"));
	assert_string_equal(aero_masters_find(&s.masters, "db-master")->service, "db");
	assert_string_equal(s.masters.v[0].instance_id, "i-9");
	assert_int_equal(s.masters.v[0].epoch, 5000000001);
	aero_status_clear(&s);
}

static void an_empty_status_reads_as_empty_strings(void **state)
{
	struct aero_status s;

	(void)state;
	assert_int_equal(
		aero_status_write(&conf, &(struct aero_status){0}, &err), AERO_OK);
	assert_int_equal(aero_status_read(&conf, &s, &err), AERO_OK);
	assert_string_equal(s.mode, "");
	assert_int_equal(s.n_shadowed, 0);
	aero_status_clear(&s);
}

static void a_missing_or_damaged_file_is_told_apart(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {{NULL, AERO_MISS}, {"", AERO_BAD}, {"{", AERO_BAD},
		{"noise", AERO_BAD}, {"{}", AERO_OK},
		{"{\"pid\": \"x\", \"mode\": 3, \"refused\": 1}", AERO_OK},
		{"{\"shadowed\": [1, {}, {\"line\": \"x\"}]}", AERO_OK},
		{"{\"masters\": [1, {}, {\"hostname\": \"a\", \"service\": 1}]}",
			AERO_OK}};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_status s = {0};

		(void)remove(test_path("var/lib/aerostat/status.json"));
		if (rows[i].text != NULL)
			test_write(
				test_path("var/lib/aerostat/status.json"), rows[i].text);
		assert_int_equal(aero_status_read(&conf, &s, &err), rows[i].rc);
		if (rows[i].rc == AERO_OK)
			assert_int_equal(s.pid, 0);
		aero_status_clear(&s);
	}
}

static void prometheus_text_follows_the_exporter_rules(void **state)
{
	static const char *const lines[] = {
		"# HELP aerostat_names Host names published.\n# TYPE aerostat_names ",
		"# TYPE aerostat_names gauge\naerostat_names 10\n",
		"\naerostat_mode{mode=\"stream\"} 1\n",
		"\naerostat_connected 1\n",
		"\naerostat_shadowed 7\n",
		"\n# TYPE aerostat_reconnects_total counter\n",
		"\naerostat_reconnects_total 6\n",
		"\naerostat_start_time_seconds 1700000000.123\n",
		"\naerostat_published_timestamp_seconds 1700000000.123456789\n",
		"\naerostat_source_timestamp_seconds 1700000000\n",
		"\naerostat_publish_duration_seconds 0.001500\n",
		"\naerostat_propagation_seconds 0.025000\n",
	};
	struct stat st;
	char *text;

	(void)state;
	assert_int_equal(aero_status_write_prometheus(&conf, &full, &err), AERO_OK);
	assert_int_equal(stat(test_path("a.prom"), &st), -1);
	free(conf.prometheus_file);
	conf.prometheus_file = strdup(test_path("a.prom"));
	assert_int_equal(aero_status_write_prometheus(&conf, &full, &err), AERO_OK);
	assert_int_equal(stat(test_path("a.prom"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	text = test_read(test_path("a.prom"));
	for (size_t i = 0; i < AERO_COUNT(lines); i++)
		if (strstr(text, lines[i]) == NULL)
			fail_msg("no '%s' in:\n%s", lines[i], text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(an_empty_status_reads_as_empty_strings),
		cmocka_unit_test(a_missing_or_damaged_file_is_told_apart),
		cmocka_unit_test(prometheus_text_follows_the_exporter_rules),
	};
	int failed;

	conf.root = strdup(test_dir());
	conf.prometheus_file = strdup("");
	if (aero_dir_make(test_path("var/lib/aerostat"), &err) != AERO_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(conf.root);
	free(conf.prometheus_file);
	return failed;
}
