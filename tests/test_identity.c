/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/identity.h"
#include "lib/loop.h"
#include "tests/support.h"

static void load(struct aero_conf *conf, const char *const *flags)
{
	char *argv[16] = {strdup("aerostat-register")};
	struct aero_err err = {""};
	int argc = 1;

	for (; *flags != NULL; flags++)
		argv[argc++] = strdup(*flags);
	assert_int_equal(
		AERO_OK, aero_conf_load(AERO_PROG_REGISTER, argc, argv, conf, &err));
	while (argc > 0)
		free(argv[--argc]);
}

static void flags_and_offline_need_no_request(void **state)
{
	static const struct {
		const char *flags[6];
		int rc;
		const char *id, *ip,
			*ip6; /* "*": any; refused: id is part of the words */
	} rows[] = {
		{{"--instance-id=i-1", "--ip=10.0.0.1", NULL}, AERO_OK, "i-1", "10.0.0.1",
			""},
		{{"--instance-id=i-1", "--ip=10.0.0.1", "--ip6=2001:DB8:0::1", NULL},
			AERO_OK, "i-1", "10.0.0.1", "2001:db8::1"},
		{{"--instance-id=i-1", "--ip=2001:DB8::1", NULL}, AERO_OK, "i-1",
			"2001:db8::1", ""},
		{{"--instance-id=i-1", "--ip6=2001:db8::1", NULL}, AERO_OK, "i-1", "",
			"2001:db8::1"},
		{{"--offline", NULL}, AERO_OK, "test-instance", "*", ""},
		{{"--offline", "--instance-id=i-2", "--ip=127.0.0.5", NULL}, AERO_OK,
			"i-2", "127.0.0.5", ""},
		{{"--offline", "--interface=lo", NULL}, AERO_OK, "test-instance",
			"127.0.0.1", "*"},
		{{"--instance-id=i-1", "--interface=lo", NULL}, AERO_BAD,
			"no usable address", NULL, NULL},
		{{"--instance-id=i-1", "--ip=127.0.0.1", NULL}, AERO_BAD,
			"--ip '127.0.0.1': loopback", NULL, NULL},
		{{"--instance-id=i-1", "--ip=10.0.0", NULL}, AERO_BAD, "not an address",
			NULL, NULL},
		{{"--instance-id=i-1", "--ip6=10.0.0.1", NULL}, AERO_BAD,
			"--ip6 '10.0.0.1': not an IPv6", NULL, NULL},
		{{"--instance-id=i-1", "--ip=fd00::1", "--ip6=fd00::2", NULL}, AERO_BAD,
			"both IPv6", NULL, NULL},
		{{"--instance-id=i 1", "--ip=10.0.0.1", NULL}, AERO_BAD, "--instance-id",
			NULL, NULL},
		{{"--identity-command=/bin/id", NULL}, AERO_CONFIG,
			"identity_command '/bin/id': not a JSON object", NULL, NULL},
		{{"--identity-command=/bin/false", NULL}, AERO_NET,
			"identity_command '/bin/false'", NULL, NULL},
		{{"--identity-command=/no/such", NULL}, AERO_CONFIG, "/no/such", NULL,
			NULL},
		{{"--identity-command=id", NULL}, AERO_CONFIG, "not an absolute path",
			NULL, NULL},
		{{"--identity-command=/bin/false", "--instance-id=i-1", "--ip=10.0.0.1",
			 NULL},
			AERO_OK, "i-1", "10.0.0.1", ""},
		{{"--identity-command=/bin/false", "--offline", "--ip=10.0.0.1", NULL},
			AERO_OK, "test-instance", "10.0.0.1", ""},
		{{"--ip=10.0.0.1", "--dryrun", "--metadata-endpoint=http://127.0.0.1:1",
			 NULL},
			AERO_NET, "metadata service http://127.0.0.1:1", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_conf conf;
		struct aero_asked asked = {0};
		struct aero_occupant who = {0};
		struct aero_err err = {""};
		int rc;

		print_message("row %zu\n", i);
		load(&conf, rows[i].flags);
		asked.deadline_ms = aero_clock_ms() + 1000;
		rc = aero_identity_find(&conf, &asked, &who, &err);
		assert_int_equal(rows[i].rc, rc);
		if (rc != AERO_OK) {
			print_message("  %s\n", err.msg);
			assert_non_null(strstr(err.msg, rows[i].id));
			assert_null(who.instance_id);
		} else {
			assert_string_equal(rows[i].id, who.instance_id);
			if (strcmp(rows[i].ip, "*") != 0)
				assert_string_equal(rows[i].ip, who.ip);
			else
				assert_true(*who.ip != '\0');
			if (strcmp(rows[i].ip6, "*") != 0)
				assert_string_equal(rows[i].ip6, who.ip6);
		}
		aero_asked_clear(&asked);
		aero_occupant_clear(&who);
		aero_conf_clear(&conf);
	}
}

static void command_is_taken_by_its_word(void **state)
{
	static const struct {
		const char *print;
		const char *flag; /* or NULL */
		int rc;
		const char *id, *ip, *ip6; /* refused: id is part of the words */
	} rows[] = {
		{"echo '{\"instance_id\":\"vm-1\",\"ip\":\"10.0.0.7\"}'", NULL, AERO_OK,
			"vm-1", "10.0.0.7", ""},
		{"echo '{\"instance_id\":\"vm-1\",\"ip6\":\"FD00:0::7\",\"zone\":1}'",
			NULL, AERO_OK, "vm-1", "", "fd00::7"},
		{"echo '{\"instance_id\":\"vm-1\",\"ip\":\"10.0.0.7\"}'",
			"--instance-id=i-9", AERO_OK, "i-9", "10.0.0.7", ""},
		{"echo "
		 "'{\"instance_id\":\"vm-1\",\"ip\":\"10.0.0.7\",\"ip6\":\"fd00::7\"}'",
			"--ip=10.0.0.9", AERO_OK, "vm-1", "10.0.0.9", ""},
		{"echo '{\"instance_id\":\"vm-1\",\"ip\":\"127.0.0.1\"}'", NULL,
			AERO_CONFIG, "identity_command: ip '127.0.0.1': loopback", NULL,
			NULL},
		{"echo '{\"instance_id\":\"vm 1\",\"ip\":\"10.0.0.7\"}'", NULL,
			AERO_CONFIG, "instance_id 'vm 1'", NULL, NULL},
		{"echo '{\"instance_id\":\"v\",\"ip\":\"fd00::1\",\"ip6\":\"fd00::2\"}'",
			NULL, AERO_CONFIG, "both IPv6", NULL, NULL},
		{"echo '{\"instance_id\":7,\"ip\":\"10.0.0.7\"}'", NULL, AERO_CONFIG,
			"instance_id is not a text", NULL, NULL},
		{"echo '{\"instance_id\":\"v\",\"ip\":\"10.0.0.7\",\"ip\":\"10.0.0.8\"}'",
			NULL, AERO_CONFIG, "ip is there twice", NULL, NULL},
		{"echo '{\"instance_id\":\"v\"}'", NULL, AERO_CONFIG,
			"neither ip nor ip6", NULL, NULL},
		{"echo '{\"ip\":\"10.0.0.7\"}'", NULL, AERO_CONFIG, "no instance_id",
			NULL, NULL},
		{"echo '{\"instance_id\":\"v\",\"ip\":\"10.0.0.7\"}{}'", NULL,
			AERO_CONFIG, "more than one JSON object", NULL, NULL},
		{"echo '[\"v\"]'", NULL, AERO_CONFIG, "not a JSON object", NULL, NULL},
		{":", NULL, AERO_CONFIG, "not a JSON object", NULL, NULL},
		{"echo '{\"instance_id\":\"v\",\"ip\":\"10.0.0.7\"}'; head -c 17000 "
		 "/dev/zero | tr '\\0' ' '",
			NULL, AERO_CONFIG, "bytes of output", NULL, NULL},
		{"echo '{\"instance_id\":\"v\",\"ip\":\"10.0.0.7\"}'; exit 3", NULL,
			AERO_NET, "identity_command '", NULL, NULL},
		{"sleep 600", "--register-deadline=1", AERO_NET, "identity_command '",
			NULL, NULL},
	};
	char script[4096], command[400];

	(void)state;
	(void)snprintf(
		command, sizeof(command), "--identity-command=%s", test_path("who"));
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		const char *flags[] = {command, rows[i].flag, NULL};
		struct aero_conf conf;
		struct aero_asked asked = {0};
		struct aero_occupant who = {0};
		struct aero_err err = {""};

		print_message("row %zu\n", i);
		(void)snprintf(script, sizeof(script), "#!/bin/sh\n%s\n", rows[i].print);
		test_write(test_path("who"), script);
		assert_int_equal(0, chmod(test_path("who"), 0700));
		load(&conf, flags);
		asked.deadline_ms =
			aero_clock_ms() + (int64_t)conf.register_deadline * 1000;
		assert_int_equal(
			rows[i].rc, aero_identity_find(&conf, &asked, &who, &err));
		if (rows[i].rc == AERO_OK) {
			assert_string_equal(rows[i].id, who.instance_id);
			assert_string_equal(rows[i].ip, who.ip);
			assert_string_equal(rows[i].ip6, who.ip6);
		} else {
			print_message("  %s\n", err.msg);
			assert_non_null(strstr(err.msg, rows[i].id));
			assert_null(who.instance_id);
		}
		aero_asked_clear(&asked);
		aero_occupant_clear(&who);
		aero_conf_clear(&conf);
	}
}

/* What one printed, which is a whole identity but for this. */
static void the_command_may_say_what_the_node_runs(void **state)
{
	static const struct {
		const char *more;
		const char *service, *type, *aliases; /* refused: service is NULL, */
		const char *words;                    /* part of the words */
	} rows[] = {
		{"\"service\":\"Db\",\"type\":\"masterful\",\"aliases\":[\"SQL\",\"b "
		 "c\"]",
			"Db", "masterful", "SQL|b c|", NULL},
		{"\"service\":\"db\"", "db", "", "", NULL},
		{"\"service\":\"\",\"type\":\"\",\"aliases\":[]", "", "", "", NULL},
		{"\"Service\":\"db\"", "", "", "", NULL},
		{"\"type\":\"masterful\"", NULL, NULL, NULL, "but no service"},
		{"\"aliases\":[\"a\"]", NULL, NULL, NULL, "but no service"},
		{"\"service\":7", NULL, NULL, NULL, "service is not a text"},
		{"\"service\":\"a\\u0000b\"", NULL, NULL, NULL, "service has a NUL"},
		{"\"service\":\"a\",\"service\":\"a\"", NULL, NULL, NULL,
			"service is there twice"},
		{"\"service\":\"a\",\"aliases\":\"b\"", NULL, NULL, NULL,
			"aliases is not a list"},
		{"\"service\":\"a\",\"aliases\":{\"0\":\"b\"}", NULL, NULL, NULL,
			"aliases is not a list"},
		{"\"service\":\"a\",\"aliases\":[\"b\",[]]", NULL, NULL, NULL,
			"one of aliases is not a text"},
		{"\"service\":\"a\",\"aliases\":[],\"aliases\":[]", NULL, NULL, NULL,
			"aliases is there twice"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_identity_said said = {0};
		struct aero_err err = {""};
		char text[256], joined[64] = "";
		int rc;

		(void)snprintf(text, sizeof(text),
			"{\"instance_id\":\"v\",\"ip\":\"10.0.0.7\",%s}", rows[i].more);
		rc = aero_identity_command_parse(text, strlen(text), &said, &err);
		print_message("%s\n  %s\n", text, err.msg);
		if (rows[i].service == NULL) {
			assert_int_equal(AERO_CONFIG, rc);
			assert_non_null(strstr(err.msg, rows[i].words));
			continue;
		}
		assert_int_equal(AERO_OK, rc);
		assert_string_equal(rows[i].service, said.service);
		assert_string_equal(rows[i].type, said.type);
		for (size_t j = 0; j < said.aliases.n; j++) {
			size_t len = strlen(joined);

			(void)snprintf(joined + len, sizeof(joined) - len, "%s|",
				said.aliases.v[j]);
		}
		assert_string_equal(rows[i].aliases, joined);
		aero_identity_said_clear(&said);
	}
}

static void identity_json_keeps_what_registered(void **state)
{
	const char *flags[] = {NULL, NULL};
	char root[300], machine[400], hostname[] = "web-0", service[] = "web",
				      type[] = "iterative",
				      from[] = "tag aerostat-service";
	struct aero_conf conf;
	struct aero_err err = {""};
	struct aero_identity mine = {.hostname = hostname,
		.service = service,
		.type = type,
		.service_from = from};
	struct aero_identity found = {0};
	bool foreign = true;
	struct stat st;
	char *text;

	(void)state;
	(void)snprintf(root, sizeof(root), "--root=%s", test_path("root"));
	flags[0] = root;
	load(&conf, flags);
	assert_int_equal(AERO_MISS, aero_identity_load(&conf, &found, &foreign, &err));
	assert_int_equal(AERO_OK, aero_identity_remove(&conf, &err));
	(void)snprintf(machine, sizeof(machine), "%s", test_path("root/etc"));
	assert_int_equal(AERO_OK, aero_dir_make(machine, &err));
	test_write(test_path("root/etc/machine-id"), "0123abcd\n");
	mine.who.instance_id = strdup("i-\"1\"");
	mine.who.ip = strdup("10.0.0.1");
	mine.who.ip6 = strdup("");
	assert_true(aero_list_add(&mine.who.aliases, "a"));
	assert_true(aero_list_add(&mine.who.aliases, "b"));
	assert_int_equal(AERO_OK, aero_identity_save(&conf, &mine, &err));
	assert_int_equal(0, stat(test_path("root/var/lib/aerostat/identity.json"), &st));
	assert_int_equal(0644, st.st_mode & 07777);
	assert_int_equal(AERO_OK, aero_identity_load(&conf, &found, &foreign, &err));
	assert_false(foreign);
	assert_string_equal("i-\"1\"", found.who.instance_id);
	assert_string_equal("10.0.0.1", found.who.ip);
	assert_string_equal("web-0", found.hostname);
	assert_string_equal("web", found.service);
	assert_string_equal("iterative", found.type);
	assert_string_equal("tag aerostat-service", found.service_from);
	assert_string_equal("0123abcd", found.machine_id);
	assert_int_equal(2, found.who.aliases.n);
	aero_identity_clear(&found);
	/* An image made from a registered node. */
	test_write(test_path("root/etc/machine-id"), "ffff0000\n");
	assert_int_equal(AERO_OK, aero_identity_load(&conf, &found, &foreign, &err));
	assert_true(foreign);
	aero_identity_clear(&found);
	text = test_read(test_path("root/var/lib/aerostat/identity.json"));
	text[strlen(text) / 2] = '\0';
	test_write(test_path("root/var/lib/aerostat/identity.json"), text);
	free(text);
	assert_int_equal(AERO_BAD, aero_identity_load(&conf, &found, &foreign, &err));
	assert_non_null(strstr(err.msg, "identity.json"));
	assert_int_equal(AERO_OK, aero_identity_remove(&conf, &err));
	assert_int_equal(AERO_MISS, aero_identity_load(&conf, &found, &foreign, &err));
	aero_occupant_clear(&mine.who);
	aero_conf_clear(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_and_offline_need_no_request),
		cmocka_unit_test(command_is_taken_by_its_word),
		cmocka_unit_test(the_command_may_say_what_the_node_runs),
		cmocka_unit_test(identity_json_keeps_what_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
