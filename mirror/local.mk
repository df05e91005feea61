# The file that every process reads: its format, its reader (libc only), its writer.
noinst_LTLIBRARIES += mirror/libaero_mirror.la
mirror_libaero_mirror_la_SOURCES = \
	mirror/encode.c \
	mirror/layout.h \
	mirror/publish.c mirror/publish.h \
	mirror/reader.c mirror/reader.h \
	mirror/record.c mirror/record.h
mirror_libaero_mirror_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(LMDB_CFLAGS)
mirror_libaero_mirror_la_LIBADD = $(LMDB_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += tests/publish_tool
tests_publish_tool_SOURCES = tests/publish_tool.c
tests_publish_tool_LDADD = mirror/libaero_mirror.la
