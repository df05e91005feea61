# Samples for service managers and administrators; installed as examples, never to /etc.
examplesdir = $(docdir)/examples
dist_examples_DATA = dist/aerostat.conf dist/aerostat-syncd.service dist/supervisord.conf \
	dist/aerostatd.service dist/supervisord-aerostatd.conf dist/ask.c

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = dist/aerostat.pc

E2E_TESTS += tests/e2e/supervisord.sh tests/e2e/supervisord_server.sh
