#!/bin/bash
# SPDX-License-Identifier: MIT
# Every system call of the programs that touches a file of ours: killed before it, killed
# after it, failing with each errno, cut short. Afterwards each file is old or new, and the
# next run mends all (disk_walk.py says how that is checked). Then the daemon on a disk that
# is really full, really read-only, and with too few descriptors.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns

[ "$(uname -m)" = x86_64 ] || skip "walk_syscalls is for x86-64"
for tool in walk_syscalls publish_tool; do
	[ -x "$top_builddir/tests/$tool" ] || fail "$tool is missing: make check-e2e builds it"
done

walk()
{
	mkdir -p "$test_dir/memory"
	mountpoint -q "$test_dir/memory" || mount -t tmpfs none "$test_dir/memory"
	/usr/bin/python3 -B "$e2e_dir/disk_walk.py" "$test_dir/memory" "$@"
}

note "roots of their own"
walk "$(by_length 30 0)" first update takeover register changeover release import

note "the real paths: the hostname, and files that are mounts"
walk "$(by_length 8 0)" hostname
touch /etc/hosts.real /etc/hostname.real
mkdir "$test_dir/real"
: >"$test_dir/real/hosts"
: >"$test_dir/real/hostname"
rm /etc/hosts.real /etc/hostname.real
mount --bind "$test_dir/real/hosts" /etc/hosts
mount --bind "$test_dir/real/hostname" /etc/hostname
walk "$(by_length 16 0)" hosts-mount hostname-mount
umount /etc/hosts /etc/hostname
pass
