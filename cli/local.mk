# aerostat. main.c links register/ and syncd/ beside this library.
noinst_LTLIBRARIES += cli/libaero_cli.la
cli_libaero_cli_la_SOURCES = \
	cli/cli.c cli/cli.h \
	cli/format.c cli/format.h \
	cli/format_export.c \
	cli/hosts.c cli/hosts.h \
	cli/import.c cli/import.h \
	cli/import_read.c \
	cli/json.c cli/json.h \
	cli/list.c \
	cli/lookup.c \
	cli/mirror.c cli/mirror.h \
	cli/status.c cli/status.h
cli_libaero_cli_la_CFLAGS = $(AM_CFLAGS) $(MONGOC_CFLAGS)

if HAVE_CMOCKA
UNIT_TESTS += tests/test_cli_format tests/test_cli_import tests/test_cli_status
check_PROGRAMS += tests/test_cli_format tests/test_cli_import tests/test_cli_status
endif
tests_test_cli_format_SOURCES = tests/test_cli_format.c tests/no_mongo.c
tests_test_cli_format_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_cli_format_LDADD = tests/libsupport.la cli/libaero_cli.la \
	mirror/libaero_mirror.la lib/libaero.la
tests_test_cli_import_SOURCES = tests/test_cli_import.c
tests_test_cli_import_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_cli_import_LDADD = tests/libsupport.la cli/libaero_cli.la lib/libaero.la
tests_test_cli_status_SOURCES = tests/test_cli_status.c
tests_test_cli_status_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_cli_status_LDADD = tests/libsupport.la cli/libaero_cli.la \
	mirror/libaero_mirror.la lib/libaero.la
