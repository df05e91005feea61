#!/bin/bash
# SPDX-License-Identifier: MIT
# The module in hostile processes and odd places: the rows of tests/hostile, then those
# that need a place prepared, by the real chain with the real mirror's path.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
nm -D "$top_builddir/nss/.libs/libnss_aerostat.so.2" | grep -E ' __(asan|ubsan|tsan)_' >/dev/null &&
	skip "a build with sanitizers"
private_ns

db=/var/lib/aerostat/hosts.mdb
sed -i 's/^hosts:.*/hosts: aerostat/' /etc/nsswitch.conf
bin=/run/hostile
mkdir "$bin"
for name in hostile publish_tool chain_probe; do
	built=$top_builddir/tests/.libs/$name
	[ -x "$built" ] || built=$top_builddir/tests/$name
	cp "$built" "$bin/"
done
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
publish() { "$bin/hostile" -m -o "${1:-1}" | "$bin/publish_tool" -z cluster.internal "$db"; }
failed=
missing= # what some rows could not have: told at the end, so that it hides no failure
lacks()
{
	echo "left out: $*"
	missing="$missing${missing:+; }$*"
}
# hostile [COMMAND... --] ARGUMENT...: a run of the program; a row that is wrong is told.
hostile()
{
	local run=()
	while [ "$1" != -- ]; do
		run+=("$1")
		shift
	done
	shift
	${run[@]+"${run[@]}"} "$bin/hostile" "$@" || failed=1
}

publish
hostile -- -l "nothing against us" plain
hostile --
hostile "${nobody[@]}" -- -l "as another user" plain

note "set-user-ID programs"
mkdir /run/setuid
mount -t tmpfs -o mode=755,suid none /run/setuid
install -m 4755 "$bin/hostile" /run/setuid/root
install -m 4755 -o 65534 "$bin/hostile" /run/setuid/nobody
"${nobody[@]}" /run/setuid/root -l "set-user-ID root, run by nobody" secure || failed=1
/run/setuid/nobody -l "set-user-ID nobody, run by root" secure || failed=1

note "a read-only root"
read_only()
{
	unshare -m --propagation private "$BASH" -euc '
		awk "{ print \$2 }" /proc/self/mounts | grep -v "^/proc" | while read -r dir; do
			mount -o remount,bind,ro "$dir" 2>/dev/null || :
		done
		for dir in / /etc /var/lib /var/lib/aerostat /run /tmp; do
			! touch "$dir/.can-write" 2>/dev/null || { echo "$dir is writable"; exit 1; }
		done
		exec "$@"' read_only "$@"
}
hostile read_only -- -l "every file system read-only" plain

note "rootless user namespaces"
if "${nobody[@]}" unshare -U -r true 2>/dev/null; then
	owner='[ "$(stat -c %u /var/lib/aerostat/hosts.mdb)" = 65534 ] || exit 1; exec "$@"'
	hostile "${nobody[@]}" unshare -U -r -m sh -c "$owner" sh -- -l "user namespace, root in it" plain
	hostile "${nobody[@]}" unshare -U sh -c "$owner" sh -- -l "user namespace, nobody in it" plain
else
	lacks "no rootless user namespaces here"
fi

note "the mirror bind-mounted into a container: its folder, and the file alone"
for kind in folder file; do
	mkdir -p "/run/box-$kind"
	spawn "box-$kind" unshare -m --propagation private "$BASH" -euc '
		mkdir -p /run/outer
		mount --bind /var/lib/aerostat /run/outer
		mount -t tmpfs none /var/lib/aerostat
		if [ "$1" = folder ]; then
			mount --bind /run/outer /var/lib/aerostat
		else
			: >/var/lib/aerostat/hosts.mdb
			mount --bind /run/outer/hosts.mdb /var/lib/aerostat/hosts.mdb
		fi
		umount /run/outer
		: >"/run/box-$1/ready"
		exec sleep infinity' box "$kind"
	wait_until 15 "the container with the $kind" test -e "/run/box-$kind/ready"
done
inside() { nsenter -t "$(pid_of "box-$1")" -m -- "${@:2}"; }
hostile inside folder -- -l "bind mount of the folder" plain
hostile inside file -- -l "bind mount of the file" plain
publish 2
hostile -- -o 2 -l "outside, after a publish" plain
hostile inside folder -- -o 2 -l "folder, after a publish: the new one" plain
hostile inside file -- -o 1 -l "file, after a publish: still the old" plain
stop box-folder KILL
stop box-file KILL

note "file systems"
on()
{
	mount "$@" /var/lib/aerostat
	publish 3
	equal "file system" "$2" "$(findmnt -n -o FSTYPE -T "$db")"
	hostile -- -o 3 -l "mirror on $2" plain
	umount /var/lib/aerostat
}
on -t tmpfs none
mkdir -p /run/over/lower /run/over/upper /run/over/work
publish 4
cp "$db" /run/over/lower/
overlay=lowerdir=/run/over/lower,upperdir=/run/over/upper,workdir=/run/over/work
if mount -t overlay -o "$overlay" none /var/lib/aerostat 2>/dev/null; then
	hostile -- -o 4 -l "mirror on overlay, lower layer" plain
	umount /var/lib/aerostat
	on -t overlay -o "$overlay" none
else
	lacks "no overlay file system here"
fi
truncate -s 64M "$test_dir/ext4"
if ! command -v mkfs.ext4 >/dev/null; then
	lacks "no mkfs.ext4: apt-get install e2fsprogs"
elif mkfs.ext4 -q "$test_dir/ext4" && mount -o loop "$test_dir/ext4" /mnt 2>"$test_dir/mount.err"; then
	umount /mnt
	on -t ext4 -o loop "$test_dir/ext4"
else
	lacks "no loop device here: $(cat "$test_dir/mount.err")"
fi
publish

note "each pread is interrupted once"
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
	hostile strace -f -qq -o /dev/null -P "$db" -e trace=pread64 \
		-e inject=pread64:error=EINTR:when=1+2 -- -l "EINTR from every other pread" few
else
	lacks "no strace here"
fi

note "a static program"
cc=${CC:-cc}
# shellcheck disable=SC2086 # CC may be words
if $cc -static -w -D_GNU_SOURCE -I"$top_builddir" -I"$top_srcdir" -o "$bin/static" \
	"$top_srcdir/tests/chain_probe.c" 2>"$test_dir/static.log"; then
	for ((i = 0; i < $(by_length 20 1000); i++)); do
		equal "static, hit" "web-$i 10.1.0.$i" "$("$bin/static" gai 4 web-$i)"
		equal "static, miss" HOST_NOT_FOUND "$("$bin/static" byname no-$i || :)"
		((i < 255)) || break
	done
	echo "static program: $((2 * i)) processes: ok"
else
	lacks "no static C library here: $(tail -n 1 "$test_dir/static.log")"
fi

[ -z "$failed" ] || fail "see the rows that say WRONG"
[ -z "$missing" ] || skip "$missing"
pass
