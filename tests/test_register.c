/* SPDX-License-Identifier: MIT */
/* The three actions over the embedded store: lines, exit codes, files, and many
 * registrars at once, killed and not. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/store.h"
#include "register/pick.h"
#include "register/register.h"
#include "tests/support.h"

typedef int action(const struct aero_conf *conf, FILE *out, struct aero_err *err);

static char names[300]; /* the store */
static char said[4096];
static struct aero_err said_err;

/* Run an action as `flags`, words separated by blanks; server and root are ours. It runs
 * in children too, so it must not assert: cmocka would go on with the tests there. */
static int run(action *act, const char *root, const char *flags)
{
	char line[1024], *save = NULL, *argv[32];
	struct aero_conf conf;
	FILE *out = fmemopen(said, sizeof(said), "w");
	int argc = 0, rc;

	if (out == NULL)
		return AERO_NOMEM;
	said[0] = '\0';
	said_err.msg[0] = '\0';
	(void)snprintf(line, sizeof(line),
		"aerostat-register --server=lmdb:%s --root=%s --loglevel=CRITICAL %s",
		names, root, flags);
	for (char *word = strtok_r(line, " ", &save); word != NULL && argc < 31;
		word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	rc = aero_conf_load(AERO_PROG_REGISTER, argc, argv, &conf, &said_err);
	if (rc == AERO_OK)
		rc = act(&conf, out, &said_err);
	aero_conf_clear(&conf);
	(void)fclose(out);
	return rc;
}

static void line_by_line(void **state)
{
	static const struct {
		action *act;
		const char *flags;
		int rc;
		const char *words; /* the line; of an error, part of it */
	} rows[] = {
#define WEB(id) "--service web --instance-id " id " --ip 10.0.0.1 "
#define DB(id) "--service db --type masterful --instance-id " id " --ip 10.0.0.2 "
		{aero_register_run, WEB("i-a") "--dryrun --alias x --alias y", AERO_OK,
			"dry run: would register web-0 (new) i-a 10.0.0.1 aliases x,y\n"},
		{aero_register_run, WEB("i-a") "--alias x", AERO_OK,
			"web-0 (new) i-a 10.0.0.1\n"},
		{aero_register_run, WEB("i-a"), AERO_OK, "web-0 (held) i-a 10.0.0.1\n"},
		{aero_register_run, WEB("i-b") "--ip6 2001:db8::1", AERO_OK,
			"web-1 (new) i-b 10.0.0.1 2001:db8::1\n"},
		{aero_register_run, WEB("i-a") "--dryrun", AERO_OK,
			"dry run: would register web-0 (held) i-a 10.0.0.1\n"},
		{aero_register_run, DB("i-a"), AERO_REFUSED,
			"this node is web-0; release it"},
		{aero_register_run, DB("i-a") "--dryrun", AERO_REFUSED,
			"this node is web-0; release it"},
		{aero_release_run, "--instance-id i-a --dryrun", AERO_OK,
			"dry run: would release web-0 i-a\n"},
		{aero_release_run, "--instance-id i-a", AERO_OK, "released web-0 i-a\n"},
		{aero_release_run, "--instance-id i-a", AERO_OK,
			"released nothing i-a\n"},
		{aero_register_run, WEB("i-c") "--dryrun", AERO_OK,
			"dry run: would register web-0 (gap) i-c 10.0.0.1\n"},
		{aero_register_run, WEB("i-c"), AERO_OK, "web-0 (gap) i-c 10.0.0.1\n"},
		{aero_register_run, WEB("i-a"), AERO_OK, "web-2 (new) i-a 10.0.0.1\n"},
		{aero_register_run, DB("i-d") "--dryrun", AERO_OK,
			"dry run: would register db-master (new) i-d 10.0.0.2\n"},
		{aero_register_run, DB("i-d"), AERO_OK, "db-master (new) i-d 10.0.0.2\n"},
		{aero_register_run, DB("i-e"), AERO_OK,
			"db-slave-1 (new) i-e 10.0.0.2\n"},
		{aero_register_run, DB("i-d"), AERO_OK,
			"db-master (held) i-d 10.0.0.2\n"},
		{aero_change_master_run, DB("i-e") "--dryrun", AERO_OK,
			"dry run: would make i-e db-master (now i-d), i-d db-slave-1\n"},
		{aero_change_master_run, DB("i-e"), AERO_OK, "db-master i-e\n"},
		{aero_change_master_run, DB("i-e"), AERO_OK, "db-master i-e\n"},
		{aero_change_master_run, DB("i-e") "--dryrun", AERO_OK,
			"dry run: i-e is db-master already\n"},
		{aero_change_master_run, WEB("i-c"), AERO_REFUSED,
			"web is not masterful"},
		{aero_change_master_run, DB("i-x"), AERO_REFUSED, "register it first"},
		{aero_release_run, "--instance-id i-e", AERO_OK,
			"released db-master i-e\n"},
		{aero_change_master_run, DB("i-d") "--dryrun", AERO_OK,
			"dry run: would make i-d db-master (now nobody)\n"},
		{aero_register_run, DB("i-f"), AERO_OK, "db-master (gap) i-f 10.0.0.2\n"},
		{aero_register_run, "--service a_b --instance-id i --ip 10.0.0.1",
			AERO_CONFIG, "--service: service 'a_b'"},
		{aero_register_run, "--service web --instance-id i --ip 999", AERO_BAD,
			"--ip '999'"},
		{aero_register_run, "--instance-id i --ip 10.0.0.1", AERO_CONFIG,
			"/etc/aerostat_info: no such file"},
		{aero_register_run, WEB("i") "--info-source tags", AERO_OK,
			"web-3 (new) i 10.0.0.1\n"},
		{aero_register_run, "--info-source tags --offline", AERO_CONFIG,
			"info_source: tags"},
		{aero_register_run, WEB("i-g") "--dryrun --json", AERO_OK,
			"{ \"dryrun\" : true, \"hostname\" : \"web-4\", \"instance_id\" "
			": \"i-g\", \"how\" : \"new\", \"ip\" : \"10.0.0.1\", \"ip6\" : "
			"\"\", \"aliases\" : [  ], \"service\" : \"web\", "
			"\"service_type\" : \"iterative\", \"service_from\" : \"the "
			"command line\" }\n"},
	};
	const char *root = test_path("root");

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		int rc = run(rows[i].act, root, rows[i].flags);

		print_message("%s\n  %s%s\n", rows[i].flags, said, said_err.msg);
		assert_int_equal(rows[i].rc, rc);
		if (rows[i].rc == AERO_OK) {
			assert_string_equal(rows[i].words, said);
		} else {
			assert_string_equal("", said);
			assert_non_null(strstr(said_err.msg, rows[i].words));
		}
	}
}

static void info_file_is_read_where_it_may_be(void **state)
{
	struct aero_err err = {""};
	char root[300];

	(void)state;
	(void)snprintf(root, sizeof(root), "%s", test_path("inforoot"));
	assert_int_equal(AERO_OK, aero_dir_make(test_path("inforoot/etc"), &err));
	/* The spelling of the original's README, when only that exists. */
	test_write(test_path("inforoot/etc/aerosat_info"), "doc iterative x\n");
	assert_int_equal(AERO_OK,
		run(aero_register_run, root, "--instance-id i-1 --ip 10.0.0.1 --dryrun"));
	assert_string_equal(
		"dry run: would register doc-0 (new) i-1 10.0.0.1 aliases x\n", said);
	/* An empty value is the default, so the root counts for it. */
	assert_int_equal(AERO_OK, run(aero_register_run, root,
					  "--instance-id i-1 --ip 10.0.0.1 --dryrun "
					  "--info="));
	assert_string_equal(
		"dry run: would register doc-0 (new) i-1 10.0.0.1 aliases x\n", said);
	test_write(test_path("inforoot/etc/aerostat_info"), "# comment\napp\n");
	assert_int_equal(AERO_OK,
		run(aero_register_run, root, "--instance-id i-1 --ip 10.0.0.1 --dryrun"));
	assert_string_equal("dry run: would register app-0 (new) i-1 10.0.0.1\n", said);
	assert_int_equal(AERO_OK,
		run(aero_register_run, root,
			"--instance-id i-1 --ip 10.0.0.1 --dryrun --type masterful"));
	assert_string_equal(
		"dry run: would register app-master (new) i-1 10.0.0.1\n", said);
	test_write(test_path("inforoot/etc/aerostat_info"), "# comment\na.b\n");
	assert_int_equal(AERO_CONFIG,
		run(aero_register_run, root, "--instance-id i-1 --ip 10.0.0.1 --dryrun"));
	assert_non_null(strstr(said_err.msg, "/etc/aerostat_info:2: service 'a.b'"));
}

static void releasing_another_id_keeps_the_mark_of_this_node(void **state)
{
	const char *mark = test_path("mark/var/lib/aerostat/identity.json");
	char root[300];
	struct stat st;

	(void)state;
	(void)snprintf(root, sizeof(root), "%s", test_path("mark"));
	assert_int_equal(
		AERO_OK, run(aero_register_run, root,
				 "--service mark --instance-id i-m --ip 10.0.0.1"));
	assert_int_equal(AERO_OK, run(aero_release_run, root, "--offline"));
	assert_string_equal("released nothing test-instance\n", said);
	assert_int_equal(0, stat(mark, &st));
	assert_int_equal(AERO_OK, run(aero_release_run, root, "--instance-id i-another"));
	assert_int_equal(0, stat(mark, &st));
	assert_int_equal(AERO_OK, run(aero_release_run, root, ""));
	assert_string_equal("released mark-0 i-m\n", said);
	assert_int_not_equal(0, stat(mark, &st));
	/* Registered as test-instance, it is test-instance's. */
	assert_int_equal(
		AERO_OK, run(aero_register_run, root, "--service mark --offline"));
	assert_int_equal(0, stat(mark, &st));
	assert_int_equal(AERO_OK, run(aero_release_run, root, "--offline"));
	assert_int_not_equal(0, stat(mark, &st));
}

static void dry_run_writes_nothing(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(AERO_OK,
		run(aero_register_run, test_path("dryroot"),
			"--service dry --instance-id i-1 --ip 10.0.0.1 --dryrun"));
	assert_int_not_equal(0, stat(test_path("dryroot"), &st));
}

/* With this slot in the store, i-t's registration in service taken is refused, as a dry
 * run says. */
static void expect_refused(const char *hostname, const char *service,
	const char *instance_id, const char *why)
{
	static const char *const flags[] = {"--dryrun", ""};
	char server[320], texts[3][64], words[64], none[] = "";
	struct aero_store_opts opts = {.server = server, .port = 1};
	struct aero_slot slot = {.hostname = texts[0],
		.service = texts[1],
		.service_type = none,
		.who = {.instance_id = texts[2], .ip = none, .ip6 = none}};
	struct aero_store *store = NULL;
	struct aero_err err = {""};

	(void)snprintf(server, sizeof(server), "lmdb:%s", names);
	(void)snprintf(texts[0], sizeof(texts[0]), "%s", hostname);
	(void)snprintf(texts[1], sizeof(texts[1]), "%s", service);
	(void)snprintf(texts[2], sizeof(texts[2]), "%s", instance_id);
	assert_int_equal(AERO_OK, aero_store_open(&opts, &store, &err));
	assert_int_equal(AERO_OK, aero_store_slot_import(store, &slot, &err));
	aero_store_close(store);
	for (size_t i = 0; i < AERO_COUNT(flags); i++) {
		(void)snprintf(words, sizeof(words),
			"--service taken --instance-id i-t --ip 10.0.0.1 %s", flags[i]);
		assert_int_equal(
			AERO_REFUSED, run(aero_register_run, test_path("taken"), words));
		assert_non_null(strstr(said_err.msg, why));
	}
}

static void name_of_another_service_is_refused_and_a_dry_run_says_so(void **state)
{
	(void)state;
	expect_refused("taken-0", "other", "", "taken-0 that service taken needs");
}

static void held_name_that_is_none_is_refused_and_a_dry_run_says_so(void **state)
{
	(void)state;
	expect_refused("localhost", "taken", "i-t", "which may not answer");
}

static void second_registrar_names_the_first(void **state)
{
	struct aero_err err = {""};
	char root[300], words[32];
	int fd;

	(void)state;
	(void)snprintf(root, sizeof(root), "%s", test_path("lockroot"));
	assert_int_equal(
		AERO_OK, aero_lock_take(test_path("lockroot/run/aerostat/register.lock"),
				 &fd, NULL, &err));
	assert_int_equal(
		AERO_AGAIN, run(aero_register_run, root,
				    "--service l --instance-id i-l --ip 10.0.0.1"));
	(void)snprintf(words, sizeof(words), "(pid %ld", (long)getpid());
	assert_non_null(strstr(said_err.msg, words));
	(void)close(fd);
	assert_int_equal(AERO_OK, run(aero_register_run, root,
					  "--service l --instance-id i-l --ip 10.0.0.1"));
}

static void not_root_is_told_what_to_do(void **state)
{
	char root[300];
	int status;
	pid_t pid;

	(void)state;
	if (getuid() != 0)
		skip();
	(void)snprintf(root, sizeof(root), "%s", test_path("closed"));
	assert_int_equal(0, mkdir(root, 0755));
	assert_int_equal(0, chmod(test_dir(), 0755));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int rc = setuid(65534) == 0
				 ? run(aero_register_run, root,
					   "--service p --instance-id i --ip 10.0.0.1")
				 : 0;

		if (rc != AERO_PERM || strstr(said_err.msg, "needs root") == NULL)
			(void)fprintf(stderr, "%d %s\n", rc, said_err.msg);
		_exit(rc == AERO_PERM && strstr(said_err.msg, "needs root") != NULL ? 0
										    : 1);
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
}

#define CROWD 24

/* One registrar of many: its own root, its own connection. */
static pid_t one_of_many(size_t i, const char *service, const char *type)
{
	char root[300], flags[200], name[32];
	pid_t pid;
	int rc;

	(void)snprintf(name, sizeof(name), "many-%zu", i);
	(void)snprintf(root, sizeof(root), "%s", test_path(name));
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(flags, sizeof(flags),
		"--service %s --type %s --instance-id i-%zu --ip 10.0.1.%zu", service,
		type, i, i + 1);
	rc = run(aero_register_run, root, flags);
	if (rc != AERO_OK)
		(void)fprintf(stderr, "%s\n", said_err.msg);
	_exit(rc == AERO_OK ? 0 : 1);
}

static void check_crowd(const char *service, bool masterful, size_t held)
{
	struct aero_slots slots = {0};
	struct aero_store *store = NULL;
	struct aero_err err = {""};
	char server[320], name[AERO_HOSTNAME_SIZE];
	struct aero_store_opts opts = {.server = server, .port = 1, .read_only = true};
	size_t n = 0;
	bool hole;

	(void)snprintf(server, sizeof(server), "lmdb:%s", names);
	assert_int_equal(AERO_OK, aero_store_open(&opts, &store, &err));
	assert_int_equal(AERO_OK, aero_store_slots(store, service, &slots, &err));
	for (size_t i = 0; i < slots.n; i++) {
		if (aero_slot_blank(&slots.v[i]))
			continue;
		n++;
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
				slots.v[i].who.instance_id, slots.v[j].who.instance_id);
	}
	assert_int_equal(held, n);
	assert_true(aero_pick_append(&slots, service, masterful, name, &hole));
	assert_false(hole);
	if (masterful) {
		aero_pick_master(service, name);
		assert_false(aero_slot_blank(aero_pick_named(&slots, name)));
	}
	aero_slots_clear(&slots);
	aero_store_close(store);
}

static void crowd_at_once_gets_dense_names(void **state)
{
	static const char *const types[] = {"iterative", "masterful"};

	(void)state;
	for (size_t t = 0; t < AERO_COUNT(types); t++) {
		char service[16];
		pid_t pids[CROWD];
		int status;

		(void)snprintf(service, sizeof(service), "crowd%zu", t);
		for (size_t i = 0; i < CROWD; i++)
			pids[i] = one_of_many(i + t * CROWD, service, types[t]);
		for (size_t i = 0; i < CROWD; i++) {
			assert_int_equal(pids[i], waitpid(pids[i], &status, 0));
			assert_int_equal(0, status);
		}
		check_crowd(service, t == 1, CROWD);
	}
}

/* Each is killed after a while of its own, then comes again: nobody is in twice. */
static void killed_registrars_come_back_to_one_slot(void **state)
{
	pid_t pids[CROWD];
	unsigned killed = 0;
	int status;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < CROWD; i++)
			pids[i] = one_of_many(i + 100, "killed", "masterful");
		for (size_t i = 0; i < CROWD; i++) {
			if (round < 2) {
				(void)usleep((useconds_t)(aero_random() % 4000));
				(void)kill(pids[i], SIGKILL);
			}
			assert_int_equal(pids[i], waitpid(pids[i], &status, 0));
			killed += WIFSIGNALED(status);
			assert_true(round < 2 || status == 0);
		}
	}
	print_message("%u killed\n", killed);
	check_crowd("killed", true, CROWD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_by_line),
		cmocka_unit_test(info_file_is_read_where_it_may_be),
		cmocka_unit_test(releasing_another_id_keeps_the_mark_of_this_node),
		cmocka_unit_test(dry_run_writes_nothing),
		cmocka_unit_test(
			name_of_another_service_is_refused_and_a_dry_run_says_so),
		cmocka_unit_test(held_name_that_is_none_is_refused_and_a_dry_run_says_so),
		cmocka_unit_test(second_registrar_names_the_first),
		cmocka_unit_test(not_root_is_told_what_to_do),
		cmocka_unit_test(crowd_at_once_gets_dense_names),
		cmocka_unit_test(killed_registrars_come_back_to_one_slot),
	};

	aero_log_level(AERO_CRITICAL);
	(void)snprintf(names, sizeof(names), "%s", test_path("names.mdb"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
