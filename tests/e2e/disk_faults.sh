#!/bin/bash
# SPDX-License-Identifier: MIT
# Every system call of the programs that touches a file of ours: killed before it, killed
# after it, failing with each errno, cut short. Afterwards each file is old or new, and the
# next run mends all (disk_walk.py says how that is checked). Then the daemon, one of whose
# calls fails.
#
#	disk_faults.sh [PART...]    only these: a scene of disk_lib.py, or "daemon"
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns

[ "$(uname -m)" = x86_64 ] || skip "walk_syscalls is for x86-64"
for tool in walk_syscalls publish_tool state_tool; do
	[ -x "$top_builddir/tests/$tool" ] || fail "$tool is missing: make check-e2e builds it"
done

parts=" $* "
roots="first update takeover register changeover release import"
mounts="hosts-mount hostname-mount"
for part; do
	[[ " $roots hostname $mounts daemon " == *" $part "* ]] || fail "no part $part"
done

# wanted PART...: those of them that this run is to do.
wanted()
{
	local part
	for part; do
		[ -n "${parts// /}" ] && [[ $parts != *" $part "* ]] || echo "$part"
	done
}

# walk WHAT SECONDS SCENE...: SECONDS of the quick form, all in the long one.
walk()
{
	local scenes what=$1 seconds=$2
	scenes=$(wanted "${@:3}")
	[ -n "$scenes" ] || return 0
	note "$what"
	mkdir -p "$test_dir/memory"
	mountpoint -q "$test_dir/memory" || mount -t tmpfs none "$test_dir/memory"
	# shellcheck disable=SC2086 # words
	/usr/bin/python3 -B "$e2e_dir/disk_walk.py" "$test_dir/memory" \
		"$(by_length "$seconds" 0)" $scenes
}

# shellcheck disable=SC2086 # words
walk "roots of their own" 30 $roots
walk "the real path of the hostname" 8 hostname
mkdir "$test_dir/real"
: >"$test_dir/real/hosts"
: >"$test_dir/real/hostname"
mount --bind "$test_dir/real/hosts" /etc/hosts
mount --bind "$test_dir/real/hostname" /etc/hostname
# shellcheck disable=SC2086 # words
walk "files that are mounts" 14 $mounts
umount /etc/hosts /etc/hostname
# the last fault may have been that it cannot be removed
rm -f /etc/hosts.* /etc/hostname.tmp
[ -n "$(wanted daemon)" ] || pass

note "the daemon: one call fails, at its start or at a change"
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"
server=lmdb:$test_dir/store
RANDOM=${AEROSTAT_TEST_SEED-$$}
echo '127.0.0.1 localhost' >/etc/hosts
up=0 ended=0 hits=

# The daemon itself is a child of walk_syscalls, which would take it along.
traced()
{
	cat "/proc/$(pid_of syncd)/task/$(pid_of syncd)/children" 2>/dev/null
}

started_or_gone()
{
	gone syncd || grep -q ' INFO started' "$test_dir/syncd.log"
}

for ((turn = 1; turn <= $(by_length 5 150); turn++)); do
	rm -rf "${state_dir:?}"/* /etc/hosts.* "$test_dir/store"* "$test_dir/syncd.log"
	slots 1 2 | aerostat --server="$server" import - >/dev/null
	aerostat-syncd --server="$server" --once 2>/dev/null
	at=$((1 + RANDOM % 150))
	errors=(5 28 24) # EIO ENOSPC EMFILE
	error=${errors[RANDOM % 3]}
	spawn syncd "$top_builddir/tests/walk_syscalls" -r "$state_dir/" -r /etc/hosts -x /etc \
		-c "$test_dir/hit" -e "$at:$error" aerostat-syncd --server="$server"
	wait_until 30 "call $at failing with $error: a start, or an end" started_or_gone
	slots 3 3 | aerostat --server="$server" import - >/dev/null
	if ! gone syncd; then
		wait_until 60 "call $at failing with $error: the name" resolves web-3 10.0.0.3
		wait_until 60 "call $at failing with $error: /etc/hosts" in_hosts web-3 10.0.0.3
		pid=$(traced)
		[ -n "$pid" ] || fail "call $at failing with $error: the daemon ended"
		# shellcheck disable=SC2086 # one number with a blank
		kill -TERM $pid
		up=$((up + 1))
	else
		ended=$((ended + 1))
	fi
	e2e_await_end "$(pid_of syncd)" || fail "call $at failing with $error: no end"
	stop syncd
	case $exit_code in
	0 | 75) ;;
	*) fail "call $at failing with $error: exit $exit_code" ;;
	esac
	aerostat-syncd --server="$server" --once 2>/dev/null ||
		fail "call $at failing with $error: the next run"
	resolves web-3 10.0.0.3 || fail "call $at failing with $error: the next run's name"
	equal "call $at failing with $error: left over" "" \
		"$(find /etc "$state_dir" -maxdepth 1 -name '*.tmp')"
	hits+=$(cut -d ' ' -f 2 "$test_dir/hit" | tr '\n' ' ')
done
note "$((turn - 1)) faults: $up times it went on, $ended times its start failed; hit: $hits"
[ "$up" -gt 0 ] || fail "it never went on"
pass
