#!/bin/bash
# SPDX-License-Identifier: MIT
# What a disk or a stray write does to hosts.mdb is found without a look-up, published
# anew and counted.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"

store=$test_dir/store
server=lmdb:$store
mirror=$state_dir/hosts.mdb

register i-01 10.0.0.1
register i-02 10.0.0.2
# every ten seconds, not minutes
daemon --poll-interval=1
wait_until 5 "the names" resolves web-1 10.0.0.2
equal "repairs of a whole file" 0 "$(status_of repairs)"

# damage WHAT COMMAND...
damage()
{
	local what=$1 before start
	shift
	before=$(status_of repairs)
	"$@"
	start=$SECONDS
	wait_until 60 "$what: found" status_over repairs "$before"
	wait_until 5 "$what: mended" resolves web-1 10.0.0.2
	"$top_builddir/tests/publish_tool" -v "$mirror" || fail "$what: still damaged"
	note "$what: mended after $((SECONDS - start)) s"
}

byte()
{
	printf '\377' | dd of="$mirror" bs=1 seek="$1" conv=notrunc status=none
}

# within the first leaf's last bytes: a record's value
damage "a byte" byte $((3 * 4096 - 20))
damage "a truncated file" truncate -s 5000 "$mirror"
damage "a missing file" rm "$mirror"
