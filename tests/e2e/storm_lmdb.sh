#!/bin/bash
# SPDX-License-Identifier: MIT
# The same storm on the store of one file: registrars killed and frozen at any moment.
# Then scripts/storm.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/storm_lib.sh
. "$e2e_dir/storm_lib.sh"

# shellcheck disable=SC2046 # words
storm_lmdb $(by_length "--nodes=24 --services=3 --each=4 --seconds=8 --width=5" \
	"--nodes=200 --services=20 --each=20 --seconds=300 --width=16")

# --- the same, as users run it ---------------------------------------------------------

AEROSTAT_STORM_BUILD=$top_builddir TMPDIR=$test_dir "$top_srcdir/scripts/storm" --lmdb \
	--nodes=8 --seconds=2 >"$test_dir/script.log" 2>&1 || fail "scripts/storm"
grep -q '^Verdict: no invariant was broken.$' "$test_dir/script.log" || fail "no verdict"
refuses 64 "$top_srcdir/scripts/storm" --nodes=many
pass
