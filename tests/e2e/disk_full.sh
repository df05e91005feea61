#!/bin/bash
# SPDX-License-Identifier: MIT
# Disks that are really full or read-only, and a process that really has no descriptors
# left. The daemon says so, keeps the last good files, costs nothing, and goes on by itself
# when the trouble is over.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"

store=$test_dir/store
server=lmdb:$store
last=0
seconds=$(by_length 6 80) # of each trouble

at_exit()
{
	umount -l "$state_dir" 2>/dev/null || :
}

# next: one more node; its name in $name, its address in $address.
next()
{
	last=$((last + 1))
	name=web-$last
	address=10.0.0.$last
	slots "$last" "$last" | aerostat --server="$server" import - >/dev/null
}

# said WORDS: in the daemon's log since mark.
mark()
{
	marked=$(wc -l <"$test_dir/syncd.log")
}

said()
{
	tail -n "+$((marked + 1))" "$test_dir/syncd.log" | grep -- "$1" >/dev/null
}

# trouble WHAT WORDS: while it lasts: words, the old names, hardly any CPU time.
trouble()
{
	local kept before ticks lines known=$name
	kept=$(cat /etc/hosts)
	next
	wait_until 30 "words about $1" said "$2"
	before=$(cpu_ticks syncd)
	sleep "$seconds"
	ticks=$(($(cpu_ticks syncd) - before))
	lines=$(($(wc -l <"$test_dir/syncd.log") - marked))
	note "$1: in $seconds s: ${ticks}0 ms of CPU time, $lines lines logged"
	[ "$ticks" -lt $((10 * seconds)) ] || fail "$1: the daemon spins: $ticks ticks"
	[ "$lines" -lt $((10 * seconds)) ] || fail "$1: it floods the log"
	alive syncd || fail "$1: the daemon ended"
	resolves "$known" "10.0.0.$((last - 1))" || fail "$1: the old names are gone"
	[ "$kept" = "$(cat /etc/hosts)" ] || in_hosts "$name" "$address" ||
		fail "$1: /etc/hosts is neither old nor new: $(cat /etc/hosts)"
}

# over WHAT: it mends itself.
over()
{
	wait_until 40 "$1 is over: the name" resolves "$name" "$address"
	wait_until 40 "$1 is over: /etc/hosts" in_hosts "$name" "$address"
	wait_until 40 "$1 is over: the status" status_is names "$last"
	equal "$1: left over" "" "$(find /etc /var/lib/aerostat -maxdepth 1 -name '*.tmp')"
	equal "$1: the daemon" "$pid" "$(pid_of syncd)"
	alive syncd || fail "$1: the daemon ended"
	mark
}

# fill FOLDER: to the last byte.
fill()
{
	dd if=/dev/zero of="$1/filler" bs=4k status=none 2>/dev/null || :
	dd if=/dev/zero of="$1/filler" bs=1 oflag=append conv=notrunc status=none count=4096 2>/dev/null || :
	! (echo more >"$1/more" && [ -s "$1/more" ]) 2>/dev/null || fail "$1 is not full"
	rm -f "$1/more"
}

# Its own disks for what we write: /var/lib/aerostat on ext4, /etc on a small tmpfs.
truncate -s 4M "$test_dir/image"
mkfs.ext4 -q -O ^has_journal -m 0 "$test_dir/image" 2>"$test_dir/mkfs" ||
	skip "no ext4: $(cat "$test_dir/mkfs")"
mount -o loop "$test_dir/image" "$state_dir" 2>"$test_dir/loop" ||
	skip "no loop mounts here: $(cat "$test_dir/loop")"
chmod 0755 "$state_dir"
next
daemon
pid=$(pid_of syncd)
mark
over "the start"

# --- the disk of /var/lib/aerostat -----------------------------------------------------

fill "$state_dir"
trouble "a full ext4" "No space left on device; make room"
rm "$state_dir/filler"
over "a full ext4"

# (The daemon has state.mdb open for writing, so that the mount itself cannot be made
# read-only: one on top of it can.)
mount --bind "$state_dir" "$state_dir"
mount -o remount,bind,ro "$state_dir"
trouble "a read-only ext4" "publish.*Read-only file system; mount it writable"
umount "$state_dir"
over "a read-only ext4"

# --- the disk of /etc ------------------------------------------------------------------

private=$test_dir/private
used=$(df --output=used -k "$private" | tail -n 1)
mount -o "remount,size=$((used + 64))k" "$private"
fill "$private"
trouble "a full /etc" "hosts.tmp.*No space left on device; make room"
rm "$private/filler"
over "a full /etc"
mount -o remount,size=50% "$private"

mount -o remount,bind,ro /etc
trouble "a read-only /etc" "hosts_file: off"
mount -o remount,bind,rw /etc
over "a read-only /etc"

# --- descriptors -----------------------------------------------------------------------

# Those that it has stay open; the next does not fit.
prlimit --pid "$pid" --nofile=6:1024
trouble "no descriptors" "Too many open files; raise the limit"
prlimit --pid "$pid" --nofile=1024:1024
over "no descriptors"
stop syncd
equal "exit" 0 "$exit_code"

# From none to enough: nothing by halves, and words each time.
kept=$(cat /etc/hosts)
known=$name
next
few=0
for ((limit = 3; limit < 40; limit++)); do
	code=0
	(ulimit -n "$limit" && exec aerostat-syncd --server="$server" --once) \
		>"$test_dir/once" 2>&1 || code=$?
	resolves "$known" "10.0.0.$((last - 1))" || fail "with $limit descriptors: the old name"
	[ "$code" != 0 ] || break
	few=$((few + 1))
	# the dynamic linker's own words, before main
	[ "$code" = 127 ] || grep -q 'Too many open files' "$test_dir/once" ||
		fail "with $limit descriptors: exit $code: $(cat "$test_dir/once")"
	[ "$kept" = "$(cat /etc/hosts)" ] || in_hosts "$name" "$address" ||
		fail "with $limit descriptors: /etc/hosts"
done
[ "$few" -ge 3 ] || fail "only $few limits were too low"
note "an update needs $limit descriptors; with fewer, $few times, it said so"
resolves "$name" "$address" || fail "with $limit descriptors: the new name"
in_hosts "$name" "$address" || fail "with $limit descriptors: /etc/hosts"
pass
