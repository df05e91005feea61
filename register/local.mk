# aerostat-register: the naming steps and the program.
noinst_LTLIBRARIES += register/libaero_register.la
register_libaero_register_la_SOURCES = \
	register/actor.c register/actor.h \
	register/claim.c \
	register/heal.c register/heal.h \
	register/help.c \
	register/hostname.c register/hostname.h \
	register/info.c register/info.h \
	register/mark.c register/mark.h \
	register/master.c \
	register/mutant.h \
	register/pick.c register/pick.h \
	register/plan.c register/plan.h \
	register/reap.c register/reap.h \
	register/register.c register/register.h \
	register/release.c \
	register/report.c register/report.h \
	register/session.c register/session.h \
	register/session_info.c \
	register/steps.h

sbin_PROGRAMS += aerostat-register
aerostat_register_SOURCES = register/main.c
aerostat_register_LDADD = register/libaero_register.la lib/libaero.la

if HAVE_CMOCKA
register_tests = tests/test_info tests/test_pick tests/test_claim tests/test_master \
	tests/test_release tests/test_register tests/test_session tests/test_session_info \
	tests/test_metadata \
	tests/test_identity tests/test_heal tests/test_search \
	tests/test_search_mutants tests/test_search_store tests/test_reap
LONG_TESTS += tests/test_search
NO_VALGRIND += tests/test_search # millions of states; test_search_mutants walks the same
UNIT_TESTS += $(register_tests)
check_PROGRAMS += $(register_tests)
endif

actor_sources = tests/actors.c tests/actors.h tests/fake_store.c tests/fake_store.h \
	tests/fake_store_change.c
tests_test_claim_SOURCES = tests/test_claim.c $(actor_sources)
tests_test_master_SOURCES = tests/test_master.c $(actor_sources)
tests_test_reap_SOURCES = tests/test_reap.c tests/fake_store.c tests/fake_store.h \
	tests/fake_store_change.c
tests_test_release_SOURCES = tests/test_release.c $(actor_sources)
tests_test_heal_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=nanosleep
tests_test_session_SOURCES = tests/test_session.c $(actor_sources)

# The search of the naming steps: over the shipped objects, and over the steps compiled
# again with switches that leave a rule out each.
search_sources = tests/search.c tests/search.h tests/search_actor.c \
	tests/search_begin.c tests/search_check.c tests/search_model.h \
	tests/search_moves.c tests/search_other.c tests/search_print.c \
	tests/search_setups.c tests/search_setups.h tests/search_store.c \
	tests/search_store.h tests/search_world.c tests/search_world.h
tests_test_search_SOURCES = tests/test_search.c $(search_sources)
tests_test_search_mutants_SOURCES = tests/test_search_mutants.c $(search_sources) \
	register/actor.c register/claim.c register/help.c register/master.c \
	register/pick.c register/reap.c register/release.c
tests_test_search_mutants_CPPFLAGS = $(AM_CPPFLAGS) -DAERO_MUTANTS
tests_test_search_mutants_LDADD = $(TEST_SUPPORT) lib/libaero.la
tests_test_search_store_SOURCES = tests/test_search_store.c tests/search_store.c \
	tests/search_store.h tests/search_world.c tests/search_world.h \
	tests/fake_store.c tests/fake_store.h \
	tests/fake_store_change.c

SCRIPT_TESTS += tests/check_mutants.sh
E2E_TESTS += tests/e2e/register.sh tests/e2e/register_mongo.sh
E2E_TESTS += tests/e2e/metadata_mock.sh
