#!/bin/bash
# SPDX-License-Identifier: MIT
# A collection as the original leaves it: --check says what is wrong with it.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/stores.sh
. "${0%/*}/stores.sh"
each_store "$@"
private_ns net
open_store

server=(aerostatd "--server=$uri" "--root=$test_dir/server" --loglevel=ERROR)

# check CODE: --check ends so; its lines are in $test_dir/check.
check()
{
	local code=0
	"${server[@]}" --check >"$test_dir/check" 2>"$test_dir/stderr" || code=$?
	[ "$code" = "$1" ] || fail "--check: $code, not $1: $(cat "$test_dir/check" "$test_dir/stderr")"
}

check "$([ "$kind" = lmdb ] && echo 0 || echo 1)"
if [ "$kind" != lmdb ]; then
	mongo insert servers - <"$top_srcdir/tests/data/original.json"
	check 1
	for line in \
		'wrong - 500000000000000000000007 hostname: no hostname for i-00000007; to mend: ' \
		'wrong db-master 50000000000000000000000b hostname: 500000000000000000000005 has it' \
		'wrong db-slave-3 50000000000000000000000a hostname: .*; to mend: delete the document' \
		'wrong old-2 50000000000000000000000e ip: none: .*; by hand: ' \
		'wrong test-1 500000000000000000000016 instance_id: test-instance is in test-0, too' \
		'said db-slave-2 - hostname: no slot of this number' \
		'wrong - - indexes: .* lacks the indexes aero_hostname, aero_instance, aero_gap'; do
		grep -q "^$line" "$test_dir/check" || fail "no '$line': $(cat "$test_dir/check")"
	done
	equal "the total" "34 documents: 15 wrong, 16 worth knowing" "$(tail -n 1 "$test_dir/check")"
	code=0
	"${server[@]}" --check --json >"$test_dir/json" 2>/dev/null || code=$?
	equal "JSON" "1 31" "$code $(/usr/bin/python3 -c 'import json, sys
print(len(json.load(open(sys.argv[1]))))' "$test_dir/json")"
fi
pass "$test_name $kind"
