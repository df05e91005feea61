# aerostat.
noinst_LTLIBRARIES += cli/libaero_cli.la
cli_libaero_cli_la_SOURCES = \
	cli/actions.c \
	cli/cli.c cli/cli.h \
	cli/configs.c cli/configs.h \
	cli/configs_update.c \
	cli/format.c cli/format.h \
	cli/format_export.c \
	cli/history.c cli/history.h \
	cli/hosts.c cli/hosts.h \
	cli/import.c cli/import.h \
	cli/import_read.c \
	cli/json.c cli/json.h \
	cli/list.c \
	cli/lookup.c \
	cli/master.c \
	cli/mirror.c cli/mirror.h \
	cli/nsswitch.c cli/nsswitch.h \
	cli/nsswitch_file.c \
	cli/owners.c cli/owners.h \
	cli/status.c cli/status.h \
	cli/why.c

bin_PROGRAMS += aerostat
aerostat_SOURCES = cli/main.c
aerostat_LDADD = cli/libaero_cli.la server/libaero_server.la register/libaero_register.la \
	$(SYNCD_LIBS)

E2E_TESTS += tests/e2e/cli.sh tests/e2e/configs.sh

if HAVE_CMOCKA
cli_tests = tests/test_cli tests/test_cli_format tests/test_cli_import tests/test_configs \
	tests/test_cli_status tests/test_nsswitch
UNIT_TESTS += $(cli_tests)
check_PROGRAMS += $(cli_tests)
endif
# It brings recorders of its own in the place of register/ and syncd/.
tests_test_cli_SOURCES = tests/test_cli.c tests/mirror_set.c tests/mirror_set.h
tests_test_cli_LDADD = tests/libsupport.la cli/libaero_cli.la server/libaero_server.la \
	legacy/libaero_legacy.la mirror/libaero_mirror.la lib/libaero.la

