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
[ "$(grep -c 'refused: name=' "$test_dir/stream.log")" -gt 10 ] || fail "no line of refusals"
equal "lines twice" '' "$(sed -n 's/^[^ ]* WARNING //p' "$test_dir/stream.log" | sort |
	uniq -d | sed '/this minute/d')"
note "$SECONDS s so far"

# --- large, and many -------------------------------------------------------------------

hostile "$test_dir/stream" "$mongo_uri" big "$(pid_of stream)"
hostile "$test_dir/stream" "$mongo_uri" flood "$(by_length 10000 100000)"
lines=$(grep -c 'refused\|ignored' "$test_dir/stream.log")
note "lines logged about all these refusals in $SECONDS s: $lines"
[ "$lines" -le $((101 * (SECONDS / 60 + 2))) ] || fail "$lines lines"
check_log stream
stop stream

note "$SECONDS s so far"

# --- all at once: a snapshot, a restart, polling ---------------------------------------

hostile - "$mongo_uri" all
# Whoever checks it gets plain lines, and an end; repair mends what it can, and ends too.
for action in "--check" "--repair --dryrun" "--repair --force"; do
	code=0
	# shellcheck disable=SC2086 # words
	timeout 120 aerostatd --server="$mongo_uri" --root="$test_dir/check" $action \
		>"$test_dir/lines" 2>"$test_dir/checked.log" || code=$?
	equal "$action: $(cat "$test_dir/checked.log")" 1 "$code"
	! LC_ALL=C grep -nP '[\x00-\x08\x0b-\x1f\x7f]' "$test_dir/lines" || fail "control in $action"
	check_log checked
	note "$action: $(tail -n 1 "$test_dir/lines")"
done
hostile - "$mongo_uri" all
mkdir -p "$test_dir/full/etc"
aerostat-syncd --server="$mongo_uri" --root="$test_dir/full" --once \
	--prometheus-file="$test_dir/full/aerostat.prom" 2>"$test_dir/full.log"
hostile "$test_dir/full" "$mongo_uri" expect outputs
check_log full
daemon full
hostile "$test_dir/full" "$mongo_uri" expect
stop full
for i in 0 1 2; do
	kill_member "$i"
done
start_standalone >/dev/null
hostile - "$mongo_uri" all
daemon poll
hostile "$test_dir/poll" "$mongo_uri" expect
check_log poll
stop poll
pass
