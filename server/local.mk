# aerostatd: who is dead, and configuration files from git.
noinst_LTLIBRARIES += server/libaero_server.la
server_libaero_server_la_SOURCES = \
	server/configs.c server/configs.h \
	server/git.c server/git.h \
	server/mend.c server/mend.h \
	server/meta.c server/meta.h \
	server/repo.c server/repo.h \
	server/credentials.c server/credentials.h \
	server/credentials_parse.c server/credentials_parts.h \
	server/credentials_service.c \
	server/ec2.c server/ec2.h server/ec2_parts.h \
	server/ec2_request.c \
	server/ec2_answer.c server/ec2_answer.h \
	server/ec2_error.c server/ec2_error.h \
	server/check.c server/check.h \
	server/check_documents.c server/check_fleet.c server/check_keep.c \
	server/cloud.c server/cloud.h \
	server/daemon.c server/daemon.h \
	server/history.c server/history.h \
	server/lease.c server/lease.h \
	server/pass.c server/pass.h \
	server/repair.c server/repair.h \
	server/rules.c server/rules.h \
	server/tenure.c server/tenure.h \
	server/view.c server/view.h
server_libaero_server_la_CFLAGS = $(AM_CFLAGS) $(EXPAT_CFLAGS)
server_libaero_server_la_LIBADD = $(EXPAT_LIBS)

sbin_PROGRAMS += aerostatd
aerostatd_SOURCES = server/main.c
aerostatd_LDADD = server/libaero_server.la register/libaero_register.la lib/libaero.la

if HAVE_CMOCKA
server_tests = tests/test_check tests/test_credentials tests/test_ec2 tests/test_ec2_answer \
	tests/test_lease tests/test_pass tests/test_repair tests/test_repo tests/test_rules
LONG_TESTS += tests/test_lease tests/test_rules
UNIT_TESTS += $(server_tests)
check_PROGRAMS += $(server_tests)
endif
E2E_TESTS += tests/e2e/aerostatd.sh tests/e2e/aerostatd_faults.sh \
	tests/e2e/aerostatd_keys.sh tests/e2e/fakes_boto3.sh tests/e2e/fleet.sh \
	tests/e2e/lease.sh tests/e2e/repair.sh

# Configuration files from git to a node, without the daemon.
check_PROGRAMS += tests/configs_tool
tests_configs_tool_SOURCES = tests/configs_tool.c
tests_configs_tool_LDADD = server/libaero_server.la register/libaero_register.la lib/libaero.la

tests_test_lease_SOURCES = tests/test_lease.c tests/fake_store.c tests/fake_store.h \
	tests/fake_store_change.c
tests_test_pass_SOURCES = tests/test_pass.c tests/fake_store.c tests/fake_store.h \
	tests/fake_store_change.c
tests_test_repair_SOURCES = tests/test_repair.c tests/fake_store.c tests/fake_store.h \
	tests/fake_store_change.c
