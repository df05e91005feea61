# What things cost: `make bench` runs all, `make bench-lookup` the first.
EXTRA_PROGRAMS += bench/lookup
bench_lookup_SOURCES = bench/lookup.c
bench_lookup_LDADD =
EXTRA_LTLIBRARIES = bench/libnss_aeronull.la
bench_libnss_aeronull_la_SOURCES = bench/null_nss.c
bench_libnss_aeronull_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-shrext .so.2 -rpath /nowhere -Wl,-soname,libnss_aeronull.so.2
CLEANFILES += bench/lookup bench/libnss_aeronull.la

bench-lookup: all bench/lookup bench/libnss_aeronull.la tests/publish_tool
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/bench/lookup.sh
.PHONY: bench-lookup
EXTRA_PROGRAMS += bench/propagation
bench_propagation_SOURCES = bench/propagation.c
bench_propagation_LDADD = $(SYNCD_LIBS)
bench-propagation: stage bench/propagation
	$(AM_TESTS_ENVIRONMENT) AERO_STAGE='$(abs_builddir)/stage' \
	$(srcdir)/bench/propagation.sh
.PHONY: bench-propagation
EXTRA_PROGRAMS += bench/publish
BENCHES += bench/publish
bench_publish_SOURCES = bench/publish.c
bench_publish_LDADD = $(SYNCD_LIBS)
EXTRA_PROGRAMS += bench/register_crowd
bench_register_crowd_SOURCES = bench/register_crowd.c
bench_register_crowd_LDADD = register/libaero_register.la lib/libaero.la
bench-register-crowd: all bench/register_crowd
	$(AM_TESTS_ENVIRONMENT) $(srcdir)/bench/register_crowd.sh
.PHONY: bench-register-crowd
