# The module. Its objects are its own (compiled with hidden visibility) and it links
# nothing but libc: what enters foreign processes is this list.
NSS_CODE = \
	mirror/layout.h \
	mirror/reader.c mirror/reader.h \
	mirror/record.c mirror/record.h \
	nss/answer.c nss/answer.h \
	nss/nss_aerostat.c
NSS_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden
NSS_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -shrext .so.2

nss_LTLIBRARIES = nss/libnss_aerostat.la
nss_libnss_aerostat_la_SOURCES = $(NSS_CODE) nss/path.c
nss_libnss_aerostat_la_CFLAGS = $(NSS_CFLAGS)
nss_libnss_aerostat_la_LDFLAGS = $(NSS_LDFLAGS) -Wl,-soname,libnss_aerostat.so.2 \
	-Wl,--version-script=$(srcdir)/nss/libnss_aerostat.map
EXTRA_nss_libnss_aerostat_la_DEPENDENCIES = nss/libnss_aerostat.map

# Nobody links against a module.
install-data-hook: remove-nss-la
remove-nss-la: install-nssLTLIBRARIES
	rm -f '$(DESTDIR)$(nssdir)/libnss_aerostat.la'
uninstall-local: uninstall-nss-module
uninstall-nss-module:
	rm -f '$(DESTDIR)$(nssdir)/libnss_aerostat.so.2'
.PHONY: remove-nss-la uninstall-nss-module

# The same objects with another path, which the test sets; -rpath makes it shared.
check_LTLIBRARIES += tests/libnss_aerostat_test.la
tests_libnss_aerostat_test_la_SOURCES = $(NSS_CODE) tests/path_test.c
tests_libnss_aerostat_test_la_CFLAGS = $(NSS_CFLAGS)
tests_libnss_aerostat_test_la_LDFLAGS = $(NSS_LDFLAGS) -rpath /nowhere \
	-Wl,-soname,libnss_aerostat_test.so.2

SCRIPT_TESTS += tests/check_size.sh
if !SANITIZERS
# (Sanitizers add libraries and symbols of their own.)
SCRIPT_TESTS += tests/check_abi.sh tests/check_instructions.sh
endif
if HAVE_CMOCKA
nss_tests = tests/test_answer tests/test_nss
UNIT_TESTS += $(nss_tests)
check_PROGRAMS += $(nss_tests)
endif
tests_test_answer_SOURCES = tests/test_answer.c nss/answer.c nss/answer.h
tests_test_nss_SOURCES = tests/test_nss.c tests/mirror_set.c tests/mirror_set.h

# One look-up through glibc's own chain, and what uses it.
check_PROGRAMS += tests/chain_probe
tests_chain_probe_SOURCES = tests/chain_probe.c
tests_chain_probe_LDADD =
E2E_TESTS += tests/e2e/nss_chain.sh

check_PROGRAMS += tests/hammer
tests_hammer_SOURCES = tests/hammer.c
tests_hammer_LDADD = mirror/libaero_mirror.la
E2E_TESTS += tests/e2e/nss_hammer.sh

check_PROGRAMS += tests/hostile
tests_hostile_SOURCES = tests/hostile.c tests/hostile.h tests/hostile_ask.c \
	tests/hostile_async.c tests/hostile_globals.c tests/hostile_limits.c
tests_hostile_LDADD =
E2E_TESTS += tests/e2e/nss_hostile.sh
LONG_TESTS += tests/e2e/nss_hostile.sh

# The instructions of a look-up.
check_PROGRAMS += tests/instructions
tests_instructions_SOURCES = tests/instructions.c
tests_instructions_LDADD =
update-instructions: tests/instructions tests/publish_tool tests/libnss_aerostat_test.la
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/tests/check_instructions.sh --update
.PHONY: update-instructions
