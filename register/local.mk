# aerostat-register: the naming steps and the program.
noinst_LTLIBRARIES += register/libaero_register.la
register_libaero_register_la_SOURCES = \
	register/actor.c register/actor.h \
	register/claim.c \
	register/help.c \
	register/hostname.c register/hostname.h \
	register/info.c register/info.h \
	register/master.c \
	register/pick.c register/pick.h \
	register/plan.c register/plan.h \
	register/register.c register/register.h \
	register/release.c \
	register/report.c register/report.h \
	register/session.c register/session.h \
	register/steps.h
register_libaero_register_la_CFLAGS = $(AM_CFLAGS) $(MONGOC_CFLAGS)

sbin_PROGRAMS += aerostat-register
aerostat_register_SOURCES = register/main.c
aerostat_register_CFLAGS = $(AM_CFLAGS) $(MONGOC_CFLAGS)
aerostat_register_LDADD = register/libaero_register.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_info
check_PROGRAMS += tests/test_info
endif
tests_test_info_SOURCES = tests/test_info.c
tests_test_info_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_info_LDADD = tests/libsupport.la register/libaero_register.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_pick
check_PROGRAMS += tests/test_pick
endif
tests_test_pick_SOURCES = tests/test_pick.c
tests_test_pick_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_pick_LDADD = tests/libsupport.la register/libaero_register.la lib/libaero.la

actor_sources = tests/actors.c tests/actors.h tests/fake_store.c tests/fake_store.h

if HAVE_CMOCKA
UNIT_TESTS += tests/test_claim
check_PROGRAMS += tests/test_claim
endif
tests_test_claim_SOURCES = tests/test_claim.c $(actor_sources)
tests_test_claim_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_claim_LDADD = tests/libsupport.la register/libaero_register.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_master
check_PROGRAMS += tests/test_master
endif
tests_test_master_SOURCES = tests/test_master.c $(actor_sources)
tests_test_master_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_master_LDADD = tests/libsupport.la register/libaero_register.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_release
check_PROGRAMS += tests/test_release
endif
tests_test_release_SOURCES = tests/test_release.c $(actor_sources)
tests_test_release_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_release_LDADD = tests/libsupport.la register/libaero_register.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_register
check_PROGRAMS += tests/test_register
endif
tests_test_register_SOURCES = tests/test_register.c
tests_test_register_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_register_LDADD = tests/libsupport.la register/libaero_register.la lib/libaero.la

if HAVE_CMOCKA
UNIT_TESTS += tests/test_session
check_PROGRAMS += tests/test_session
endif
tests_test_session_SOURCES = tests/test_session.c $(actor_sources)
tests_test_session_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_session_LDADD = tests/libsupport.la register/libaero_register.la lib/libaero.la

# lib/identity and lib/metadata, which the registrar alone uses.
if HAVE_CMOCKA
UNIT_TESTS += tests/test_metadata
check_PROGRAMS += tests/test_metadata
endif
tests_test_metadata_SOURCES = tests/test_metadata.c
tests_test_metadata_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_metadata_LDADD = tests/libsupport.la lib/libaero.la
EXTRA_DIST += tests/imds_server.py

if HAVE_CMOCKA
UNIT_TESTS += tests/test_identity
check_PROGRAMS += tests/test_identity
endif
tests_test_identity_SOURCES = tests/test_identity.c
tests_test_identity_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(MONGOC_CFLAGS)
tests_test_identity_LDADD = tests/libsupport.la lib/libaero.la

E2E_TESTS += tests/e2e/register.sh tests/e2e/register_mongo.sh
EXTRA_DIST += tests/e2e/register.sh tests/e2e/register_mongo.sh
