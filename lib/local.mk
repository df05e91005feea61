# What the programs share.
noinst_LTLIBRARIES += lib/libaero.la
lib_libaero_la_SOURCES = \
	lib/conf.c lib/conf.h lib/conf_parse.h \
	lib/conf_args.c \
	lib/conf_help.c \
	lib/conf_set.c \
	lib/conf_table.c \
	lib/conf_yaml.c \
	lib/err.c lib/err.h \
	lib/file.c lib/file.h \
	lib/identity.c lib/identity.h \
	lib/identity_file.c \
	lib/list.c lib/list.h \
	lib/log.c lib/log.h \
	lib/loop.c lib/loop.h \
	lib/lmdb.c lib/lmdb.h \
	lib/lmdb_slots.c lib/lmdb_slots.h \
	lib/metadata.c lib/metadata.h \
	lib/names.c lib/names.h \
	lib/program.c lib/program.h \
	lib/server.c lib/server.h \
	lib/slot.c lib/slot.h \
	lib/status.c lib/status.h lib/status_bson.h \
	lib/store.c lib/store.h lib/store_ops.h \
	lib/store_doc.c lib/store_doc.h \
	lib/store_lmdb.c lib/store_lmdb.h \
	lib/store_lmdb_write.c \
	lib/watch.c lib/watch.h \
	lib/watch_lmdb.c \
	lib/store_mongo.c lib/store_mongo.h \
	lib/store_mongo_err.c \
	lib/store_mongo_index.c \
	lib/store_mongo_node.c \
	lib/store_mongo_uri.c \
	lib/store_mongo_write.c \
	lib/watch_mongo.c lib/watch_mongo.h \
	lib/watch_mongo_event.c lib/watch_mongo_event.h \
	lib/watch_mongo_full.c \
	lib/watch_mongo_stream.c
lib_libaero_la_CFLAGS = $(AM_CFLAGS) $(MONGOC_CFLAGS)
lib_libaero_la_LIBADD = $(MONGOC_LIBS) $(YAML_LIBS) $(CURL_LIBS) $(LMDB_LIBS)

if HAVE_CMOCKA
UNIT_TESTS += tests/test_file
check_PROGRAMS += tests/test_file
endif
tests_test_file_SOURCES = tests/test_file.c
tests_test_file_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_file_LDADD = tests/libsupport.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_log
check_PROGRAMS += tests/test_log
endif
tests_test_log_SOURCES = tests/test_log.c
tests_test_log_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_log_LDADD = tests/libsupport.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_loop
check_PROGRAMS += tests/test_loop
endif
tests_test_loop_SOURCES = tests/test_loop.c
tests_test_loop_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_loop_LDADD = tests/libsupport.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_conf
check_PROGRAMS += tests/test_conf
endif
tests_test_conf_SOURCES = tests/test_conf.c
tests_test_conf_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_conf_LDADD = tests/libsupport.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_status
check_PROGRAMS += tests/test_status
endif
tests_test_status_SOURCES = tests/test_status.c
tests_test_status_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_status_LDADD = tests/libsupport.la lib/libaero.la
# The suite that every store runs.
suite_sources = tests/store_suite.c tests/store_suite.h tests/store_suite_ops.c \
	tests/store_suite_watch.c
EXTRA_DIST += tests/data/original.json
if HAVE_CMOCKA
UNIT_TESTS += tests/test_store_lmdb
check_PROGRAMS += tests/test_store_lmdb
endif
tests_test_store_lmdb_SOURCES = tests/test_store_lmdb.c $(suite_sources)
tests_test_store_lmdb_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_store_lmdb_LDADD = tests/libsupport.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_server
check_PROGRAMS += tests/test_server
endif
tests_test_server_SOURCES = tests/test_server.c
tests_test_server_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_server_LDADD = tests/libsupport.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_watch
check_PROGRAMS += tests/test_watch
endif
tests_test_watch_SOURCES = tests/test_watch.c
tests_test_watch_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_watch_LDADD = tests/libsupport.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_names
check_PROGRAMS += tests/test_names
endif
tests_test_names_SOURCES = tests/test_names.c
tests_test_names_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_names_LDADD = tests/libsupport.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_slot
check_PROGRAMS += tests/test_slot
endif
tests_test_slot_SOURCES = tests/test_slot.c $(suite_sources)
tests_test_slot_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_slot_LDADD = tests/libsupport.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_store_doc
check_PROGRAMS += tests/test_store_doc
endif
tests_test_store_doc_SOURCES = tests/test_store_doc.c
tests_test_store_doc_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_store_doc_LDADD = tests/libsupport.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_mongo
check_PROGRAMS += tests/test_mongo
endif
tests_test_mongo_SOURCES = tests/test_mongo.c
tests_test_mongo_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_mongo_LDADD = tests/libsupport.la lib/libaero.la $(MONGOC_LIBS)

# On real servers.
E2E_TESTS += tests/e2e/store_mongo.sh tests/e2e/watch_mongo.sh tests/e2e/auth_mongo.sh
if HAVE_CMOCKA
check_PROGRAMS += tests/test_store_mongo
endif
tests_test_store_mongo_SOURCES = tests/test_store_mongo.c tests/mongo_env.c \
	tests/mongo_env.h $(suite_sources)
tests_test_store_mongo_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_store_mongo_LDADD = tests/libsupport.la lib/libaero.la $(MONGOC_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/test_watch_mongo
endif
tests_test_watch_mongo_SOURCES = tests/test_watch_mongo.c tests/mongo_env.c \
	tests/mongo_env.h $(suite_sources)
tests_test_watch_mongo_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_watch_mongo_LDADD = tests/libsupport.la lib/libaero.la $(MONGOC_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/test_auth_mongo
endif
tests_test_auth_mongo_SOURCES = tests/test_auth_mongo.c tests/mongo_env.c \
	tests/mongo_env.h $(suite_sources)
tests_test_auth_mongo_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_auth_mongo_LDADD = tests/libsupport.la lib/libaero.la $(MONGOC_LIBS)
