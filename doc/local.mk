# Manual pages; tests/check_manuals.sh holds them against the table of options.
dist_man_MANS += doc/aerostat.8 doc/aerostat-register.8 doc/aerostat-syncd.8 doc/aerostatd.8 \
	doc/nss_aerostat.8 doc/aerostat.conf.5 doc/libaerostat.3
SCRIPT_TESTS += tests/check_manuals.sh
