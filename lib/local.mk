# What the programs share.
noinst_LTLIBRARIES += lib/libaero.la
lib_libaero_la_SOURCES = \
	lib/err.c lib/err.h \
	lib/list.c lib/list.h \
	lib/names.c lib/names.h \
	lib/slot.c lib/slot.h
lib_libaero_la_CFLAGS = $(AM_CFLAGS) $(MONGOC_CFLAGS)
lib_libaero_la_LIBADD = $(MONGOC_LIBS) $(YAML_LIBS) $(CURL_LIBS) $(LMDB_LIBS)
