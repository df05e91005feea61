# The file that every process reads: its format, its reader (libc only), its writer.
noinst_LTLIBRARIES += mirror/libaero_mirror.la
mirror_libaero_mirror_la_SOURCES = \
	mirror/build.c mirror/build.h \
	mirror/encode.c mirror/encode.h \
	mirror/layout.h \
	mirror/pages.c mirror/pages.h \
	mirror/publish.c mirror/publish.h \
	mirror/reader.c mirror/reader.h \
	mirror/record.c mirror/record.h
mirror_libaero_mirror_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LMDB_CFLAGS)
mirror_libaero_mirror_la_LIBADD = $(LMDB_LIBS) $(CRYPTO_LIBS)

# Mirrors for the tests of every folder.
check_PROGRAMS += tests/publish_tool
tests_publish_tool_SOURCES = tests/publish_tool.c tests/mirror_set.c tests/mirror_set.h
tests_publish_tool_LDADD = mirror/libaero_mirror.la

if HAVE_CMOCKA
mirror_tests = tests/test_record tests/test_reader tests/test_publish tests/test_mutants
UNIT_TESTS += $(mirror_tests)
check_PROGRAMS += $(mirror_tests)
endif
tests_test_reader_SOURCES = tests/test_reader.c tests/mirror_set.c tests/mirror_set.h
tests_test_publish_SOURCES = tests/test_publish.c tests/mirror_set.c tests/mirror_set.h
tests_test_publish_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pwrite
tests_test_mutants_SOURCES = tests/test_mutants.c tests/mutants.c tests/mutants.h \
	tests/mirror_set.c tests/mirror_set.h
LONG_TESTS += tests/test_mutants
