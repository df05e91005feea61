#!/bin/bash
# SPDX-License-Identifier: MIT
# scripts/demo holds what it claims, on each kind of store, and leaves nothing behind.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

[ "$(id -u)" = 0 ] || skip "the demo needs root"
unshare -m -u -n -p -f --mount-proc true 2>/dev/null || skip "no private namespaces here"
command -v ping >/dev/null || skip "no ping: apt-get install iputils-ping"

traces()
{
	ls -d /var/lib/aerostat /run/aerostat /etc/aerostat* /etc/hosts.* 2>/dev/null || :
	cat /etc/hosts /etc/nsswitch.conf /etc/hostname 2>/dev/null || :
	hostname
}

demo()
{
	local kind=${1-}
	TMPDIR=$test_dir AEROSTAT_DEMO_BUILD=$top_builddir "$top_srcdir/scripts/demo" "$@" \
		>"$test_dir/demo.log" 2>&1 </dev/null || fail "scripts/demo $*"
	grep -q 'Everything was as claimed' "$test_dir/demo.log" || fail "it ended early"
	grep 'The program got' "$test_dir/demo.log"
	# A second is what is promised where changes are followed, and not polled.
	grep -o 'The program saw it.*' "$test_dir/demo.log" >"$test_dir/saw"
	cat "$test_dir/saw"
	[ "$kind" != "${kind#--server}" ] || grep -q before "$test_dir/saw" ||
		awk '{ for (i = 1; i < NF; i++) if ($(i + 1) == "ms") exit $i > 1000 }' \
			FS='[ \033]+' "$test_dir/saw" || fail "a promoted slave took over a second"
	! ls -d "$test_dir"/aerostat-e2e-* 2>/dev/null || fail "the demo left its folder"
	equal "what it left" "$before" "$(traces)"
}

before=$(traces)
demo
if [ "${1-}" != quick ]; then
	start_standalone >/dev/null
	demo "--server=$mongo_uri"
	mongo command '{"listDatabases": 1, "nameOnly": true}' >"$test_dir/left"
	! grep -o 'aerostat_demo[a-z0-9_]*' "$test_dir/left" || fail "the database is left"
	stop mongod-0
	demo --mongodb
fi
pass
