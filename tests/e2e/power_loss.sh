#!/bin/bash
# SPDX-License-Identifier: MIT
# Power cut after each write of the programs: whatever part of what was not synced is then
# on the disk, each file is old or new, and the next run mends all (power_loss.py says how).
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns

[ "$(uname -m)" = x86_64 ] || skip "walk_syscalls is for x86-64"
for tool in walk_syscalls publish_tool state_tool; do
	[ -x "$top_builddir/tests/$tool" ] || fail "$tool is missing: make check-e2e builds it"
done
mkdir "$test_dir/memory"
mount -t tmpfs none "$test_dir/memory"

replay()
{
	/usr/bin/python3 -B "$e2e_dir/power_loss.py" "$test_dir/memory" "$@"
}

replay "$(by_length 30 0)" self first update takeover register release
replay "$(by_length 4 0)" hostname
mkdir "$test_dir/real"
: >"$test_dir/real/hosts"
: >"$test_dir/real/hostname"
mount --bind "$test_dir/real/hosts" /etc/hosts
mount --bind "$test_dir/real/hostname" /etc/hostname
replay "$(by_length 8 0)" hosts-mount
pass
