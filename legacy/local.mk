# The /etc/hosts writer and the legacy updater.
noinst_LTLIBRARIES += legacy/libaero_legacy.la
legacy_libaero_legacy_la_SOURCES = \
	legacy/block.c legacy/block.h \
	legacy/diff.c legacy/diff.h \
	legacy/hosts.c legacy/hosts.h \
	legacy/paths.c legacy/paths.h \
	legacy/recover.c legacy/recover.h \
	legacy/target.c legacy/target.h \
	legacy/updater.c legacy/updater.h \
	legacy/writer.c legacy/writer.h

if HAVE_CMOCKA
legacy_tests = tests/test_diff tests/test_hosts tests/test_updater tests/test_writer \
	tests/test_writer_faults tests/test_writer_history
UNIT_TESTS += $(legacy_tests)
check_PROGRAMS += $(legacy_tests)
endif
legacy_writer_support = tests/writer_support.c tests/writer_support.h
tests_test_writer_SOURCES = tests/test_writer.c $(legacy_writer_support)
tests_test_writer_faults_SOURCES = tests/test_writer_faults.c $(legacy_writer_support)
tests_test_writer_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=write -Wl,--wrap=rename \
	-Wl,--wrap=fsync -Wl,--wrap=ftruncate -Wl,--wrap=fchmod -Wl,--wrap=unlink
tests_test_writer_history_SOURCES = tests/test_writer_history.c $(legacy_writer_support)
tests_test_writer_history_LDFLAGS = $(tests_test_writer_faults_LDFLAGS)

LONG_TESTS += tests/test_writer_history

# The writer in namespaces of its own.
check_PROGRAMS += tests/hosts_tool
tests_hosts_tool_SOURCES = tests/hosts_tool.c
tests_hosts_tool_LDADD = legacy/libaero_legacy.la lib/libaero.la
E2E_TESTS += tests/e2e/hosts_bind.sh tests/e2e/hosts_multi.sh
