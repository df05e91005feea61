/* SPDX-License-Identifier: MIT */
/* Configuration files: what a document may ask for, and what comes of it on a node. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/configs.h"
#include "tests/support.h"

static char root[300];
static struct aero_conf conf = {.root = root};
static char *out_text;

static int with_root(void **state)
{
	(void)state;
	(void)snprintf(root, sizeof(root), "%s/root", test_dir());
	assert_int_equal(mkdir(root, 0755), 0);
	assert_int_equal(mkdir(test_path("root/etc"), 0755), 0);
	test_write(test_path("root/etc/passwd"),
		"broken line\nroot:x:0:0::/:/bin/sh\napp:x:1234:1235::/:/bin/sh\n");
	test_write(test_path("root/etc/group"), "root:x:0:\nappgroup:x:1236:app\n");
	conf.dryrun = false;
	return 0;
}

static int without_root(void **state)
{
	(void)state;
	test_dir_remove();
	free(out_text);
	out_text = NULL;
	return 0;
}

/* ---- documents ---- */

static int of_json(const char *json, struct aero_config *ret, struct aero_err *err)
{
	bson_error_t error;
	bson_t *doc = bson_new_from_json((const uint8_t *)json, -1, &error);
	int rc;

	assert_non_null(doc);
	rc = aero_config_of_bson(doc, ret, err);
	bson_destroy(doc);
	return rc;
}

static void a_document_has_the_defaults_of_the_original(void **state)
{
	static const struct {
		const char *json, *path, *owner, *group;
		mode_t mode;
		const char *contents;
		bool is_template;
	} rows[] = {
		{"{\"name\": \"a.conf\", \"contents\": \"x\\n\"}", "/etc/a.conf", "root",
			"root", 0644, "x\n", false},
		{"{\"name\": \"a\", \"contents\": \"\", \"path\": \"/opt/b/c\", "
		 "\"owner\": "
		 "\"app\", \"group\": \"g\", \"mode\": \"0600\"}",
			"/opt/b/c", "app", "g", 0600, "", false},
		{"{\"name\": \"a\", \"contents\": \"\", \"path\": null, \"mode\": 420}",
			"/etc/a", "root", "root", 0644, "", false},
		{"{\"name\": \"a\", \"contents\": \"\", \"mode\": \"755\", \"keywords\": "
		 "[]}",
			"/etc/a", "root", "root", 0755, "", false},
		{"{\"name\": \"a\", \"contents\": {\"$binary\": {\"base64\": \"/w==\", "
		 "\"subType\": \"00\"}}, \"keywords\": [\"hostname\"]}",
			"/etc/a", "root", "root", 0644, "\xff", true},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_config config = {0};
		struct aero_err err = {""};

		print_message("row %zu\n", i);
		assert_int_equal(of_json(rows[i].json, &config, &err), AERO_OK);
		assert_string_equal(config.path, rows[i].path);
		assert_string_equal(config.owner, rows[i].owner);
		assert_string_equal(config.group, rows[i].group);
		assert_int_equal(config.mode, rows[i].mode);
		assert_string_equal(config.contents, rows[i].contents);
		assert_int_equal(config.is_template, rows[i].is_template);
		aero_config_clear(&config);
	}
}

#define DOC(fields) "{\"contents\": \"x\", " fields "}"

static void a_document_that_could_do_harm_is_refused(void **state)
{
	static const struct {
		const char *json, *words;
	} rows[] = {
		{"{\"contents\": \"x\"}", "no name"},
		{"{\"name\": \"a\"}", "\"a\": it has no contents"},
		{"{\"name\": \"a\", \"contents\": 1}", "neither text nor binary"},
		{DOC("\"name\": 1"), "name is no string"},
		{DOC("\"name\": \"\""), "no file name"},
		{DOC("\"name\": \"..\""), "no file name"},
		{DOC("\"name\": \"../x\""), "no file name"},
		{DOC("\"name\": \"a/b\""), "no file name"},
		{DOC("\"name\": \"a\\u0000b\""), "NUL byte"},
		{DOC("\"name\": \"a\\nb\""), "control character"},
		{DOC("\"name\": \"a\", \"path\": \"etc/x\""), "is not absolute"},
		{DOC("\"name\": \"a\", \"path\": \"\""), "is not absolute"},
		{DOC("\"name\": \"a\", \"path\": \"/\""), "is not absolute"},
		{DOC("\"name\": \"a\", \"path\": \"/etc/\""), "is not absolute"},
		{DOC("\"name\": \"a\", \"path\": \"/etc/../x\""), "is not absolute"},
		{DOC("\"name\": \"a\", \"path\": \"/etc/./x\""), "is not absolute"},
		{DOC("\"name\": \"a\", \"path\": \"/etc//x\""), "is not absolute"},
		{DOC("\"name\": \"a\", \"path\": \"/etc/..\""), "is not absolute"},
		{DOC("\"name\": \"a\", \"path\": \"/etc/a\\u001bb\""), "control"},
		{DOC("\"name\": \"a\", \"mode\": \"4755\""), "more than rwx"},
		{DOC("\"name\": \"a\", \"mode\": \"02755\""), "more than rwx"},
		{DOC("\"name\": \"a\", \"mode\": \"1777\""), "more than rwx"},
		/* 644 without its quotes is 01204. */
		{DOC("\"name\": \"a\", \"mode\": 644"), "quote it"},
		{DOC("\"name\": \"a\", \"mode\": -1"), "out of range"},
		{DOC("\"name\": \"a\", \"mode\": 1.5"), "mode is no string"},
		{DOC("\"name\": \"a\", \"mode\": \"0666\""), "everybody write"},
		{DOC("\"name\": \"a\", \"mode\": \"0648\""), "is not octal"},
		{DOC("\"name\": \"a\", \"mode\": \"\""), "is not octal"},
		{DOC("\"name\": \"a\", \"mode\": \"u+s\""), "is not octal"},
		{DOC("\"name\": \"a\", \"owner\": \"\""), "no user name"},
		{DOC("\"name\": \"a\", \"owner\": \"a:b\""), "no user name"},
		{DOC("\"name\": \"a\", \"group\": \"a:b\""), "no group name"},
	};

	(void)state;
	for (size_t i = 0; i < AERO_COUNT(rows); i++) {
		struct aero_config config = {0};
		struct aero_err err = {""};

		print_message("row %zu\n", i);
		assert_int_equal(of_json(rows[i].json, &config, &err), AERO_BAD);
		if (strstr(err.msg, rows[i].words) == NULL)
			fail_msg("'%s' is not in '%s'", rows[i].words, err.msg);
		assert_null(config.name);
	}
}

static void what_is_written_is_read_again(void **state)
{
	static char name[] = "a", path[] = "/etc/a", owner[] = "app", text[] = "x\xff\n",
		    utf8[] = "h\xc3\xa9";
	struct aero_config config = {
		name, path, owner, owner, 0640, text, 3, false, {NULL, 0}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct aero_config back = {0};
		bson_t doc = BSON_INITIALIZER;

		aero_config_to_bson(&config, &doc);
		assert_int_equal(aero_config_of_bson(&doc, &back, NULL), AERO_OK);
		assert_int_equal(back.mode, 0640);
		assert_int_equal(back.len, config.len);
		assert_memory_equal(back.contents, config.contents, config.len);
		bson_destroy(&doc);
		aero_config_clear(&back);
		config.contents = utf8;
	}
}

/* ---- files ---- */

static int apply(const char *path, const char *owner, mode_t mode, const char *contents,
	bool *ret_written, struct aero_err *err)
{
	struct aero_config config = {strdup("x"), strdup(path), strdup(owner),
		strdup(strcmp(owner, "root") == 0 ? "root" : "appgroup"), mode,
		strdup(contents), strlen(contents), false, {NULL, 0}};
	size_t len = 0;
	FILE *out;
	int rc;

	free(out_text);
	out = open_memstream(&out_text, &len);
	*ret_written = false;
	rc = aero_config_apply(&conf, &config, out, ret_written, err);
	(void)fclose(out);
	aero_config_clear(&config);
	return rc;
}

static void assert_file(const char *path, const char *text, mode_t mode)
{
	char *got = test_read(path);
	struct stat st;

	assert_string_equal(got, text);
	free(got);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void a_file_is_written_once_and_only_if_it_differs(void **state)
{
	struct aero_err err = {""};
	struct stat before, after;
	bool written;
	mode_t was = umask(077);

	(void)state;
	assert_int_equal(apply("/etc/app/x", "root", 0644, "one\n", &written, &err), 0);
	(void)umask(was);
	assert_true(written);
	assert_string_equal(out_text, "wrote /etc/app/x root:root 0644 (new)\n");
	assert_file(test_path("root/etc/app/x"), "one\n", 0644);
	assert_int_equal(stat(test_path("root/etc/app/x"), &before), 0);
	assert_int_equal(apply("/etc/app/x", "root", 0644, "one\n", &written, &err), 0);
	assert_false(written);
	assert_string_equal(out_text, "");
	assert_int_equal(stat(test_path("root/etc/app/x"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(apply("/etc/app/x", "root", 0600, "one\n", &written, &err), 0);
	assert_string_equal(
		out_text, "wrote /etc/app/x root:root 0600 (owner or mode)\n");
	assert_file(test_path("root/etc/app/x"), "one\n", 0600);
	assert_int_equal(apply("/etc/app/x", "root", 0600, "two\n", &written, &err), 0);
	assert_string_equal(out_text, "wrote /etc/app/x root:root 0600 (changed)\n");
	assert_file(test_path("root/etc/app/x"), "two\n", 0600);
	assert_int_not_equal(0, access(test_path("root/etc/app/.x.aerostat"), F_OK));
}

static void owners_are_those_of_the_root(void **state)
{
	struct aero_err err = {""};
	struct stat st;
	bool written;

	(void)state;
	assert_int_equal(
		apply("/etc/x", "nobody", 0644, "", &written, &err), AERO_REFUSED);
	assert_non_null(strstr(err.msg, "no user 'nobody' here"));
	assert_int_not_equal(0, access(test_path("root/etc/x"), F_OK));
	if (geteuid() != 0)
		skip();
	assert_int_equal(apply("/etc/x", "app", 0640, "", &written, &err), 0);
	assert_int_equal(stat(test_path("root/etc/x"), &st), 0);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 1236);
}

static void no_link_is_followed_and_no_odd_file_replaced(void **state)
{
	struct aero_err err = {""};
	char *target = strdup(test_path("outside"));
	bool written;

	(void)state;
	assert_int_equal(mkdir(target, 0755), 0);
	test_write(test_path("outside/file"), "mine\n");
	assert_int_equal(symlink(target, test_path("root/etc/dir")), 0);
	assert_int_equal(
		symlink(test_path("outside/file"), test_path("root/etc/link")), 0);
	assert_int_equal(symlink("nowhere", test_path("root/etc/dangling")), 0);
	assert_int_equal(mkfifo(test_path("root/etc/fifo"), 0644), 0);
	assert_int_equal(mkdir(test_path("root/etc/folder"), 0755), 0);
	for (int dry = 0; dry < 2; dry++) {
		static const char *const paths[] = {"/etc/dir/file", "/etc/dir/new",
			"/etc/link", "/etc/dangling", "/etc/fifo", "/etc/folder",
			"/etc/passwd/x"};

		conf.dryrun = dry != 0;
		for (size_t i = 0; i < AERO_COUNT(paths); i++) {
			print_message("%s\n", paths[i]);
			assert_int_equal(
				apply(paths[i], "root", 0644, "theirs\n", &written, &err),
				AERO_REFUSED);
		}
	}
	assert_file(test_path("outside/file"), "mine\n", 0644);
	assert_int_not_equal(0, access(test_path("outside/new"), F_OK));
	assert_int_not_equal(0, access(test_path("root/etc/nowhere"), F_OK));
	/* A link in the place of the file to come is not written through. */
	conf.dryrun = false;
	assert_int_equal(
		symlink(test_path("outside/file"), test_path("root/etc/.y.aerostat")), 0);
	assert_int_equal(apply("/etc/y", "root", 0644, "y\n", &written, &err), 0);
	assert_file(test_path("outside/file"), "mine\n", 0644);
	assert_file(test_path("root/etc/y"), "y\n", 0644);
	free(target);
}

static void a_dry_run_shows_the_difference_and_writes_nothing(void **state)
{
	struct aero_err err = {""};
	bool written;

	(void)state;
	conf.dryrun = true;
	assert_int_equal(apply("/new/dir/x", "root", 0644, "a\n", &written, &err), 0);
	assert_true(written);
	assert_non_null(strstr(out_text, "--- /new/dir/x\n+++ /new/dir/x.new\n@@ "));
	assert_non_null(strstr(out_text,
		"\n+a\ndry run: would write /new/dir/x root:root 0644 (new)\n"));
	assert_int_not_equal(0, access(test_path("root/new"), F_OK));
	test_write(test_path("root/etc/x"), "a\033[2Jb\n");
	assert_int_equal(apply("/etc/x", "root", 0644, "b\n", &written, &err), 0);
	assert_non_null(strstr(out_text, "/etc/x differs: not shown, it is no text\n"));
	assert_null(strchr(out_text, '\033'));
	assert_file(test_path("root/etc/x"), "a\033[2Jb\n", 0644);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_has_the_defaults_of_the_original),
		cmocka_unit_test(a_document_that_could_do_harm_is_refused),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test_setup_teardown(
			a_file_is_written_once_and_only_if_it_differs, with_root,
			without_root),
		cmocka_unit_test_setup_teardown(
			owners_are_those_of_the_root, with_root, without_root),
		cmocka_unit_test_setup_teardown(
			no_link_is_followed_and_no_odd_file_replaced, with_root,
			without_root),
		cmocka_unit_test_setup_teardown(
			a_dry_run_shows_the_difference_and_writes_nothing, with_root,
			without_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
