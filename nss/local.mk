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
EXTRA_DIST += nss/libnss_aerostat.map

# Nobody links against a module.
install-data-hook: remove-nss-la
remove-nss-la: install-nssLTLIBRARIES
	rm -f '$(DESTDIR)$(nssdir)/libnss_aerostat.la'
.PHONY: remove-nss-la

# The same objects with another path, which the test sets; -rpath makes it shared.
check_LTLIBRARIES += tests/libnss_aerostat_test.la
tests_libnss_aerostat_test_la_SOURCES = $(NSS_CODE) tests/path_test.c
tests_libnss_aerostat_test_la_CFLAGS = $(NSS_CFLAGS)
tests_libnss_aerostat_test_la_LDFLAGS = $(NSS_LDFLAGS) -rpath /nowhere \
	-Wl,-soname,libnss_aerostat_test.so.2
