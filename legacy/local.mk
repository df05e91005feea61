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
UNIT_TESTS += tests/test_hosts
check_PROGRAMS += tests/test_hosts
endif
tests_test_hosts_SOURCES = tests/test_hosts.c
tests_test_hosts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_hosts_LDADD = tests/libsupport.la legacy/libaero_legacy.la lib/libaero.la \
	$(CMOCKA_LIBS)
