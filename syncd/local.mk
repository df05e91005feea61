# aerostat-syncd: the mirror kept up to date.
noinst_LTLIBRARIES += syncd/libaero_syncd.la
syncd_libaero_syncd_la_SOURCES = \
	syncd/answers.c syncd/answers.h syncd/answers_parts.h \
	syncd/answers_make.c \
	syncd/answers_walk.c \
	syncd/beater.c syncd/beater.h \
	syncd/daemon.c syncd/daemon.h \
	syncd/daemon_beat.c \
	syncd/daemon_heal.c \
	syncd/daemon_hooks.c \
	syncd/daemon_legacy.c \
	syncd/document.c syncd/document.h \
	syncd/document_key.c \
	syncd/dryrun.c \
	syncd/guard.c syncd/guard.h \
	syncd/healer.c syncd/healer.h \
	syncd/hooks.c syncd/hooks.h \
	syncd/masters.c \
	syncd/mirror.c syncd/mirror.h \
	syncd/nscd.c syncd/nscd.h \
	syncd/once.c \
	syncd/order.c syncd/order.h \
	syncd/pace.c syncd/pace.h \
	syncd/parts.h \
	syncd/reload.c syncd/reload.h \
	syncd/report.c syncd/report.h \
	syncd/rows.c syncd/rows.h \
	syncd/scrub.c syncd/scrub.h \
	syncd/self.c \
	syncd/sorted.c syncd/sorted.h \
	syncd/state.c syncd/state.h \
	syncd/state_meta.c syncd/state_meta.h \
	syncd/state_ops.c syncd/state_ops.h \
	syncd/syncd.c syncd/syncd.h \
	syncd/task.c syncd/task.h \
	syncd/table.c syncd/table.h \
	syncd/watcher.c syncd/watcher.h
syncd_libaero_syncd_la_CFLAGS = $(AM_CFLAGS) $(MONGOC_CFLAGS) $(LMDB_CFLAGS) $(CRYPTO_CFLAGS)
syncd_libaero_syncd_la_LIBADD = $(LMDB_LIBS) $(CRYPTO_LIBS) $(MONGOC_LIBS)

# What syncd/ and all that it stands on link with.
SYNCD_LIBS = syncd/libaero_syncd.la register/libaero_register.la \
	legacy/libaero_legacy.la mirror/libaero_mirror.la lib/libaero.la

sbin_PROGRAMS += aerostat-syncd
aerostat_syncd_SOURCES = syncd/main.c
aerostat_syncd_LDADD = $(SYNCD_LIBS)

if HAVE_CMOCKA
syncd_tests = tests/test_answers tests/test_beat tests/test_delta tests/test_guard tests/test_hooks \
	tests/test_pace tests/test_state
LONG_TESTS += tests/test_delta
UNIT_TESTS += $(syncd_tests)
check_PROGRAMS += $(syncd_tests)
endif
tests_test_guard_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=aero_unix_ms

E2E_TESTS += tests/e2e/heal.sh
E2E_TESTS += tests/e2e/syncd_guard.sh tests/e2e/syncd_lmdb.sh tests/e2e/syncd_mongo.sh \
	tests/e2e/syncd_scrub.sh tests/e2e/size.sh
LONG_TESTS += tests/e2e/size.sh

# MongoDB's weather.
E2E_TESTS += tests/e2e/weather_anew.sh tests/e2e/weather_clock.sh \
	tests/e2e/weather_ends.sh tests/e2e/weather_errors.sh tests/e2e/weather_set.sh
LONG_TESTS += tests/e2e/weather_anew.sh tests/e2e/weather_ends.sh \
	tests/e2e/weather_errors.sh tests/e2e/weather_set.sh
