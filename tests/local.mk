# What all tests share, and the tests that belong to no folder.
if HAVE_CMOCKA
check_LTLIBRARIES += tests/libsupport.la
TEST_SUPPORT = tests/libsupport.la
endif
tests_libsupport_la_SOURCES = tests/support.c tests/support.h tests/py_server.c \
	tests/py_server.h
tests_libsupport_la_LIBADD = $(CMOCKA_LIBS)

# What a test or a fuzz target links with unless it names libraries of its own, dependents
# first. Archives: what is not called is not linked, nor is the fuzz engine's main beside
# a test's.
LDADD = $(TEST_SUPPORT) $(FUZZ_ENGINE) cli/libaero_cli.la syncd/libaero_syncd.la \
	server/libaero_server.la \
	register/libaero_register.la legacy/libaero_legacy.la mirror/libaero_mirror.la \
	lib/libaero.la

# Disks and crashes.
check_PROGRAMS += tests/walk_syscalls
tests_walk_syscalls_SOURCES = tests/walk_syscalls.c
tests_walk_syscalls_LDADD =
check_PROGRAMS += tests/state_tool
tests_state_tool_SOURCES = tests/state_tool.c
tests_state_tool_LDADD = $(SYNCD_LIBS)
E2E_TESTS += tests/e2e/disk_faults.sh tests/e2e/power_loss.sh tests/e2e/disk_full.sh
LONG_TESTS += tests/e2e/disk_faults.sh tests/e2e/power_loss.sh tests/e2e/disk_full.sh

# The original's answers, and its clients beside ours.
if HAVE_CMOCKA
UNIT_TESTS += tests/test_original
check_PROGRAMS += tests/test_original
endif
tests_test_original_SOURCES = tests/test_original.c tests/actors.c tests/actors.h \
	tests/fake_store.c tests/fake_store.h tests/fake_store_change.c
check_PROGRAMS += tests/heal_tool
tests_heal_tool_SOURCES = tests/heal_tool.c
tests_heal_tool_LDADD = register/libaero_register.la lib/libaero.la
tests_heal_tool_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=nanosleep
E2E_TESTS += tests/e2e/original_mixed.sh tests/e2e/migration.sh
LONG_TESTS += tests/e2e/original_mixed.sh

SCRIPT_TESTS += tests/check_layers.sh tests/check_architecture.sh
E2E_TESTS += tests/e2e/fakes_imds.sh tests/e2e/harness.sh tests/e2e/demo.sh tests/check_install.sh \
	tests/e2e/spine.sh tests/e2e/contracts_exit.sh tests/e2e/original_data.sh \
	tests/e2e/programs.sh \
	tests/e2e/hostile_data.sh tests/e2e/hostile_register.sh tests/e2e/hostile_files.sh
LONG_TESTS += tests/e2e/hostile_data.sh

# Storms: many at once, and an observer (scripts/storm is the same for users).
check_PROGRAMS += tests/store_tool
tests_store_tool_SOURCES = tests/store_tool.c
tests_store_tool_LDADD = register/libaero_register.la lib/libaero.la
SCRIPT_TESTS += tests/check_storm.sh
E2E_TESTS += tests/e2e/storm_mongo.sh tests/e2e/storm_lmdb.sh tests/e2e/change_killed.sh
LONG_TESTS += tests/e2e/storm_mongo.sh tests/e2e/storm_lmdb.sh tests/e2e/change_killed.sh
