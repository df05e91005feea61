#!/bin/bash
# SPDX-License-Identifier: MIT
# Many nodes at once on a set of three that is killed, frozen, stepped down and loses
# replies: an observer sees every version of the collections, and no invariant of
# doc/naming.md broken. Then two are broken by hand.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/storm_lib.sh
. "$e2e_dir/storm_lib.sh"

storm_lifetime=$(by_length 3 "")
# shellcheck disable=SC2046 # words
storm_mongo $(by_length "--nodes=24 --services=3 --each=4 --seconds=7 --width=5" \
	"--nodes=200 --services=20 --each=20 --seconds=600 --width=16")

# --- would it have been seen? ----------------------------------------------------------

# by_hand WHICH UPDATE: what somebody does to db-master, and what the observer calls it.
by_hand()
{
	storm_dir=$test_dir/by-hand-$1
	mkdir "$storm_dir"
	spawn "by-hand-$1" /usr/bin/python3 "$e2e_dir/storm_observer.py" mongo "$mongo_uri" \
		"$storm_dir"
	wait_until 30 "the observer" test -e "$storm_dir/observing"
	echo "$EPOCHREALTIME told $master db db-master $EPOCHREALTIME" >>"$storm_dir/journal"
	mongo update servers '{"hostname": "db-master"}' '{"$set": {"hand": 1}}' >/dev/null
	mongo update servers '{"hostname": "db-master"}' "$2" >/dev/null
	wait_until 30 "the observer to see it" gone "by-hand-$1"
	stop "by-hand-$1"
	equal "the observer of $1" 1 "$exit_code"
	grep -q "$1: " "$test_dir/by-hand-$1.log" ||
		fail "no $1 in: $(cat "$test_dir/by-hand-$1.log")"
}
master=$(mongo find servers '{"hostname": "db-master"}' |
	sed 's/.*"instance_id": "\([^"]*\)".*/\1/')
by_hand I5 '{"$inc": {"epoch": 1000}}'
mongo update servers '{"hostname": "db-master"}' '{"$inc": {"epoch": -1000}}' >/dev/null
by_hand I3 '{"$set": {"instance_id": "", "ip": ""}}'
pass
