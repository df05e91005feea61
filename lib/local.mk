# What the programs share.
noinst_LTLIBRARIES += lib/libaero.la
lib_libaero_la_SOURCES = \
	lib/child.c lib/child.h \
	lib/conf.c lib/conf.h lib/conf_parse.h \
	lib/conf_args.c \
	lib/conf_help.c \
	lib/conf_set.c \
	lib/conf_table.c \
	lib/conf_yaml.c \
	lib/config_file.c lib/config_file.h \
	lib/config_store.c lib/config_store.h \
	lib/docs.c lib/docs.h \
	lib/err.c lib/err.h \
	lib/file.c lib/file.h \
	lib/identity.c lib/identity.h \
	lib/identity_command.c lib/identity_command.h \
	lib/identity_file.c \
	lib/array.h \
	lib/list.c lib/list.h \
	lib/log.c lib/log.h \
	lib/loop.c lib/loop.h \
	lib/lmdb.c lib/lmdb.h \
	lib/lmdb_err.c \
	lib/lmdb_gate.c lib/lmdb_gate.h \
	lib/lmdb_slots.c lib/lmdb_slots.h \
	lib/mapped.c lib/mapped.h \
	lib/masters.c lib/masters.h \
	lib/metadata.c lib/metadata.h \
	lib/metadata_answer.c \
	lib/names.c lib/names.h \
	lib/program.c lib/program.h \
	lib/resolve.c lib/resolve.h \
	lib/server.c lib/server.h \
	lib/slot.c lib/slot.h \
	lib/imds.c lib/imds.h \
	lib/json.c lib/json.h \
	lib/status.c lib/status.h lib/status_bson.h \
	lib/store.c lib/store.h lib/store_ops.h \
	lib/store_change.c \
	lib/store_doc.c lib/store_doc.h \
	lib/store_lmdb.c lib/store_lmdb.h \
	lib/store_lmdb_table.c \
	lib/store_lmdb_write.c \
	lib/watch.c lib/watch.h \
	lib/watch_lmdb.c \
	lib/store_mongo.c lib/store_mongo.h \
	lib/store_mongo_err.c \
	lib/store_mongo_index.c \
	lib/store_mongo_mend.c \
	lib/store_mongo_node.c \
	lib/store_mongo_table.c \
	lib/store_mongo_txn.c \
	lib/store_mongo_uri.c \
	lib/store_mongo_write.c \
	lib/watch_mongo.c lib/watch_mongo.h \
	lib/watch_mongo_event.c lib/watch_mongo_event.h \
	lib/watch_mongo_full.c \
	lib/watch_mongo_hosts.c \
	lib/watch_mongo_meet.c \
	lib/watch_mongo_stream.c
lib_libaero_la_LIBADD = $(MONGOC_LIBS) $(YAML_LIBS) $(CURL_LIBS) $(LMDB_LIBS)

# The public library: the same code, of which it shows aerostat_* alone. (lib/resolve.c is
# for programs: hidden, it resolves for nobody.)
lib_LTLIBRARIES += lib/libaerostat.la
include_HEADERS += lib/aerostat.h
lib_libaerostat_la_SOURCES = lib/libaerostat.c
lib_libaerostat_la_LIBADD = lib/libaero.la
lib_libaerostat_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 \
	-Wl,--version-script=$(srcdir)/lib/libaerostat.map
EXTRA_lib_libaerostat_la_DEPENDENCIES = lib/libaerostat.map
E2E_TESTS += tests/e2e/library.sh

if HAVE_CMOCKA
lib_tests = tests/test_file tests/test_log tests/test_loop tests/test_conf \
	tests/test_conf_server \
	tests/test_status tests/test_store_lmdb tests/test_server tests/test_watch \
	tests/test_names tests/test_slot tests/test_store_doc tests/test_mongo \
	tests/test_resolve
UNIT_TESTS += $(lib_tests)
check_PROGRAMS += $(lib_tests)
endif

# The suite that every store runs.
suite_sources = tests/store_suite.c tests/store_suite.h tests/store_suite_ops.c \
	tests/store_suite_change.c tests/store_suite_watch.c
tests_test_store_lmdb_SOURCES = tests/test_store_lmdb.c $(suite_sources)
tests_test_slot_SOURCES = tests/test_slot.c $(suite_sources)

# On real servers: tests/e2e/ starts them.
if HAVE_CMOCKA
check_PROGRAMS += tests/test_store_mongo tests/test_watch_mongo tests/test_auth_mongo
endif
mongo_env = tests/mongo_env.c tests/mongo_env.h
tests_test_store_mongo_SOURCES = tests/test_store_mongo.c $(mongo_env) $(suite_sources)
tests_test_watch_mongo_SOURCES = tests/test_watch_mongo.c $(mongo_env) $(suite_sources)
tests_test_auth_mongo_SOURCES = tests/test_auth_mongo.c $(mongo_env) $(suite_sources)
E2E_TESTS += tests/e2e/store_mongo.sh tests/e2e/watch_mongo.sh tests/e2e/auth_mongo.sh
weather_net = tests/e2e/weather_auth.sh tests/e2e/weather_dns.sh tests/e2e/weather_net.sh \
	tests/e2e/weather_tls.sh
E2E_TESTS += $(weather_net)
LONG_TESTS += $(weather_net)
