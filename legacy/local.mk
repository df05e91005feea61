# The /etc/hosts writer and the legacy updater.
noinst_LTLIBRARIES += legacy/libaero_legacy.la
legacy_libaero_legacy_la_SOURCES = \
	legacy/block.c legacy/block.h \
	legacy/diff.c legacy/diff.h \
	legacy/hosts.c legacy/hosts.h \
	legacy/paths.c legacy/paths.h \
	legacy/target.c legacy/target.h \
	legacy/updater.c legacy/updater.h \
	legacy/writer.c legacy/writer.h

if HAVE_CMOCKA
UNIT_TESTS += tests/test_hosts tests/test_updater tests/test_writer
check_PROGRAMS += tests/test_hosts tests/test_updater tests/test_writer
endif
legacy_test_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
legacy_test_ldadd = tests/libsupport.la legacy/libaero_legacy.la lib/libaero.la \
	$(CMOCKA_LIBS)
tests_test_hosts_SOURCES = tests/test_hosts.c
tests_test_hosts_CFLAGS = $(legacy_test_cflags)
tests_test_hosts_LDADD = $(legacy_test_ldadd)
tests_test_updater_SOURCES = tests/test_updater.c
tests_test_updater_CFLAGS = $(legacy_test_cflags)
tests_test_updater_LDADD = $(legacy_test_ldadd)
tests_test_writer_SOURCES = tests/test_writer.c
tests_test_writer_CFLAGS = $(legacy_test_cflags)
tests_test_writer_LDADD = $(legacy_test_ldadd)
tests_test_writer_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=write -Wl,--wrap=rename \
	-Wl,--wrap=fsync -Wl,--wrap=ftruncate -Wl,--wrap=fchmod -Wl,--wrap=unlink

# The writer in namespaces of its own.
check_PROGRAMS += tests/hosts_tool
tests_hosts_tool_SOURCES = tests/hosts_tool.c
tests_hosts_tool_LDADD = legacy/libaero_legacy.la lib/libaero.la
E2E_TESTS += tests/e2e/hosts_bind.sh tests/e2e/hosts_multi.sh
EXTRA_DIST += tests/e2e/hosts_bind.sh tests/e2e/hosts_multi.sh
