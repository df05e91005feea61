# aerostat-syncd.
noinst_LTLIBRARIES += syncd/libaero_syncd.la
syncd_libaero_syncd_la_SOURCES = \
	syncd/answers.c syncd/answers.h \
	syncd/document.c syncd/document.h \
	syncd/mirror.c syncd/mirror.h \
	syncd/pace.c syncd/pace.h \
	syncd/report.c syncd/report.h \
	syncd/rows.c syncd/rows.h \
	syncd/state.c syncd/state.h \
	syncd/state_ops.c syncd/state_ops.h \
	syncd/table.c syncd/table.h \
	syncd/watcher.c syncd/watcher.h
syncd_libaero_syncd_la_CFLAGS = $(AM_CFLAGS) $(MONGOC_CFLAGS) $(LMDB_CFLAGS) $(CRYPTO_CFLAGS)
syncd_libaero_syncd_la_LIBADD = $(LMDB_LIBS) $(CRYPTO_LIBS) $(MONGOC_LIBS)
