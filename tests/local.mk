# What all tests share, and the tests that belong to no folder.
if HAVE_CMOCKA
check_LTLIBRARIES += tests/libsupport.la
endif
tests_libsupport_la_SOURCES = tests/support.c tests/support.h
tests_libsupport_la_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_libsupport_la_LIBADD = $(CMOCKA_LIBS)

SCRIPT_TESTS += tests/check_layers.sh
E2E_TESTS += tests/e2e/harness.sh
E2E_TESTS += tests/e2e/demo.sh tests/check_install.sh
