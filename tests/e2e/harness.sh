#!/bin/bash
# SPDX-License-Identifier: MIT
# The harness itself: a replica set starts, survives its primary, and leaves nothing.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

if [ "${1-}" = inner ]; then
	note "in $test_dir"
	start=$EPOCHREALTIME
	start_replica_set --quiet
	note "a primary after $(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000)) ms"
	mongo insert servers '{"hostname": "web-0", "ip": "10.0.0.1"}'
	first=$(primary_member)
	kill_member "$first"
	start=$EPOCHREALTIME
	mongo insert servers '{"hostname": "web-1", "ip": "10.0.0.2"}'
	note "the next write after $(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000)) ms"
	second=$(primary_member)
	[ "$first" != "$second" ] || fail "the dead member is still primary"
	equal documents 2 "$(mongo count servers)"
	start_member "$first"
	mongo drop
	equal "documents after drop" 0 "$(mongo count servers)"
	for name in mongod-0 mongod-1 mongod-2; do
		pid_of "$name" >>"$2/pids"
	done
	echo "$test_dir" >"$2/dir"
	[ "$3" = good ] || fail "as asked for"
	pass inner
fi

# Children of ours that outlive their test would be seen here; also after a failure.
for end in good bad; do
	rm -f "$test_dir/pids"
	code=0
	"$BASH" "$test_script" inner "$test_dir" "$end" || code=$?
	[ "$end" = bad ] || [ "$code" = 0 ] || exit "$code"
	equal "exit of a $end test" "$([ "$end" = good ] && echo 0 || echo 1)" "$code"
	[ ! -e "$(cat "$test_dir/dir")" ] || fail "$(cat "$test_dir/dir") is left"
	equal "members started" 3 "$(wc -l <"$test_dir/pids")"
	while read -r pid; do
		! pid_alive "$pid" || fail "mongod $pid is left"
	done <"$test_dir/pids"
done
pass
