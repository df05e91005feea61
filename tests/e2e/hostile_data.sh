#!/bin/bash
# SPDX-License-Identifier: MIT
# Documents from hell, raw, into a real MongoDB: each is refused or has its odd field
# ignored, is counted and shown; nothing of it reaches a file, the log or a terminal; its
# neighbours answer; mended, it answers too.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns net

hostile()
{
	/usr/bin/python3 "$e2e_dir/hostile.py" "$@" || fail "hostile.py ${*:3}"
}

# daemon NAME [OPTION...]: below $test_dir/NAME; ready when it has published.
daemon()
{
	local name=$1
	mkdir -p "$test_dir/$name/etc"
	printf '127.0.0.1 localhost\n' >"$test_dir/$name/etc/hosts"
	spawn "$name" aerostat-syncd --server="$mongo_uri" --root="$test_dir/$name" \
		--prometheus-file="$test_dir/$name/aerostat.prom" --poll-interval=1 "${@:2}"
	wait_until 20 "$name" test -e "$test_dir/$name/var/lib/aerostat/hosts.mdb"
}

# The log is ASCII or clean UTF-8, a line an event, and not many.
check_log()
{
	! LC_ALL=C grep -nP '[\x00-\x08\x0b-\x1f\x7f]' "$test_dir/$1.log" || fail "control in $1.log"
	iconv -f UTF-8 -t UTF-8 "$test_dir/$1.log" >/dev/null || fail "$1.log is no UTF-8"
	! grep -vE '^[0-9T:.-]+Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) ' "$test_dir/$1.log" ||
		fail "a faked line in $1.log"
}

start_replica_set
daemon stream
hostile "$test_dir/stream" "$mongo_uri" stream
check_log stream
note "log lines of refusals: $(grep -c refused: "$test_dir/stream.log")"
stop stream
pass
