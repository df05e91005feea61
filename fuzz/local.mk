# Fuzz targets, a row each: fuzz/fuzz_<x>.c with LLVMFuzzerTestOneInput, seeds in
# fuzz/corpus/<x>/. `make check` replays the seeds with any compiler (replay_main.c);
# `make fuzz` builds them again with clang's libFuzzer and runs each FUZZ_SECONDS.
FUZZ_TARGETS = \
	fuzz/fuzz_answer \
	fuzz/fuzz_answers \
	fuzz/fuzz_check \
	fuzz/fuzz_cloud \
	fuzz/fuzz_conf \
	fuzz/fuzz_credentials \
	fuzz/fuzz_ec2 \
	fuzz/fuzz_event \
	fuzz/fuzz_files \
	fuzz/fuzz_hosts \
	fuzz/fuzz_identity \
	fuzz/fuzz_import \
	fuzz/fuzz_info \
	fuzz/fuzz_meta \
	fuzz/fuzz_metadata \
	fuzz/fuzz_names \
	fuzz/fuzz_nsswitch \
	fuzz/fuzz_reader \
	fuzz/fuzz_record \
	fuzz/fuzz_server \
	fuzz/fuzz_slot
# Code of the module, which is in no library.
fuzz_fuzz_answer_SOURCES = fuzz/fuzz_answer.c nss/answer.c

if FUZZERS
# Nothing else is linked in such a build: libFuzzer brings a main of its own.
AM_LDFLAGS += -fsanitize=fuzzer
FUZZ_ENGINE =
EXTRA_PROGRAMS += $(FUZZ_TARGETS)
else
FUZZ_ENGINE = fuzz/libreplay.la
check_LTLIBRARIES += fuzz/libreplay.la
check_PROGRAMS += $(FUZZ_TARGETS)
UNIT_TESTS += $(FUZZ_TARGETS)
endif
fuzz_libreplay_la_SOURCES = fuzz/replay_main.c

FUZZ_SECONDS = 60
fuzz-targets: $(FUZZ_TARGETS)
fuzz:
	'$(abs_top_srcdir)/scripts/fuzz' '$(abs_top_srcdir)' $(FUZZ_SECONDS) $(FUZZ_TARGETS)
.PHONY: fuzz fuzz-targets
