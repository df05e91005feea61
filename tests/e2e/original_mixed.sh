#!/bin/bash
# SPDX-License-Identifier: MIT
# Clients of the original beside ours, on its old data, step by step and at random.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/stores.sh
. "${0%/*}/stores.sh"
store_kinds="set standalone"
each_store "$@"
open_store
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$e2e_dir/original_mixed.py" "$uri" "$test_dir" \
	"$top_builddir/tests/heal_tool" "$(by_length 4 60)" || fail "original_mixed.py"
pass "$test_name $kind"
