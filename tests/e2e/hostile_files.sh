#!/bin/bash
# SPDX-License-Identifier: MIT
# Configurations, aerostat_info, imports, words, environments, damaged files of our own and
# legacy updaters from hell.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

command -v prlimit >/dev/null || skip "no prlimit: apt-get install util-linux"
/usr/bin/python3 "$e2e_dir/hostile_files.py" "$test_dir/files" || fail "hostile_files.py"
pass
