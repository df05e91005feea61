#!/bin/bash
# SPDX-License-Identifier: MIT
# What a look-up costs through glibc, side by side in one run: the module; /etc/hosts with
# all names; a module that answers at once; dnsmasq and systemd-resolved as Debian ships
# them. Then the goals. Needs root (private namespaces); what cannot be had is skipped by
# name.
#
# bench/lookup.sh [SIZE...]     numbers of names; AERO_BENCH_MS=300 a measurement
set -uo pipefail
top_builddir=${top_builddir:-$PWD}
export top_builddir
ms=${AERO_BENCH_MS:-300}
[ $# -gt 0 ] || set -- 10 1000 10000 100000 1000000

# --- outside: the peers, unpacked into a cache; never installed

cache=${XDG_CACHE_HOME:-$HOME/.cache}/aerostat/peers
fetch() # FILE PACKAGE...
{
	local file=$1
	shift
	[ ! -e "$cache/root/$file" ] || return 0
	command -v apt-get >/dev/null || return 1
	mkdir -p "$cache" && cd "$cache" && apt-get -qq download "$@" 2>/dev/null &&
		for deb in *.deb; do dpkg -x "$deb" root; done
}
if [ -z "${AERO_INSIDE-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "SKIP: needs root"; exit 77; }
	command -v dnsmasq >/dev/null || (fetch usr/sbin/dnsmasq dnsmasq-base) || :
	(fetch lib/systemd/systemd-resolved systemd-resolved libnss-resolve) || :
	AERO_INSIDE=1 exec unshare -m -n -p -f --kill-child --mount-proc \
		--propagation private "$BASH" "$0" "$@"
fi

# --- inside: /etc, /run and /var/lib are our own

dir=$(mktemp -d)
mount -t tmpfs -o mode=755 tmpfs "$dir" || exit 99
mkdir "$dir/etc" "$dir/mods" && cp -a /etc/. "$dir/etc/" || exit 99
rm -f "$dir"/etc/{hosts,nsswitch.conf,resolv.conf}
# A peer's own user, where its package is not installed.
grep -q '^systemd-resolve:' /etc/passwd ||
	echo 'systemd-resolve:x:65533:65533::/:/bin/false' >>"$dir/etc/passwd"
grep -q '^systemd-resolve:' /etc/group ||
	echo 'systemd-resolve:x:65533:' >>"$dir/etc/group"
mkdir -p "$dir/etc/systemd"
printf '[Resolve]\nDNS=\nFallbackDNS=\nLLMNR=no\nMulticastDNS=no\nDNSStubListener=no\n' \
	>"$dir/etc/systemd/resolved.conf"
echo 'nameserver 127.0.0.1' >"$dir/etc/resolv.conf"
mount --bind "$dir/etc" /etc || exit 99
mount -t tmpfs -o mode=755 tmpfs /var/lib && mkdir /var/lib/aerostat || exit 99
mount -t tmpfs -o mode=755 tmpfs /run || exit 99
ip link set lo up || exit 99
for name in nss/.libs/libnss_aerostat bench/.libs/libnss_aeronull; do
	cp -L "$top_builddir/$name.so.2" "$dir/mods/" || exit 99
done
cp "$top_builddir/bench/lookup" "$dir/" || exit 99
cp "$cache"/root/usr/lib/*/libnss_resolve.so.2 "$dir/mods/" 2>/dev/null
export LD_LIBRARY_PATH=$dir/mods

dnsmasq=$(PATH=$PATH:/usr/sbin command -v dnsmasq || echo "$cache/root/usr/sbin/dnsmasq")
resolved=$cache/root/lib/systemd/systemd-resolved
daemon=
declare -A got # SOURCE,KIND,SIZE -> microseconds
skipped=()

measure() # SIZE KIND; of rss the median of nine processes
{
	local i
	if [ "$2" = rss ]; then
		for i in 1 2 3 4 5 6 7 8 9; do
			"$dir/lookup" "$1" 0 rss || return
		done | sort -n | sed -n 5p
	else
		"$dir/lookup" "$1" "$ms" "$2"
	fi
}
found() { timeout 5 "$dir/lookup" "$1" 0 once; }
await() # SIZE: until the daemon answers for the middle of its names
{
	local end=$((SECONDS + 120))
	until found "$1" 2>/dev/null; do
		kill -0 "$daemon" 2>/dev/null && ((SECONDS < end)) || return 1
		sleep 0.2
	done
}
few_hosts() { echo '127.0.0.1 localhost' >/etc/hosts; }
many_hosts() { { few_hosts && cat /etc/hosts "$dir/hosts"; } >"$dir/all" && cat "$dir/all" >/etc/hosts; }

use() # SOURCE SIZE: make it the source of hosts; false: it cannot be had
{
	few_hosts
	case $1 in
	files) many_hosts && echo 'hosts: files' >/etc/nsswitch.conf ;;
	null) echo 'hosts: aeronull' >/etc/nsswitch.conf ;;
	ours) echo 'hosts: aerostat' >/etc/nsswitch.conf ;;
	dnsmasq)
		echo 'hosts: dns' >/etc/nsswitch.conf
		[ -x "$dnsmasq" ] || { why="no dnsmasq"; return 1; }
		"$dnsmasq" --keep-in-foreground --no-resolv --no-hosts --conf-file=/dev/null \
			--addn-hosts="$dir/hosts" --listen-address=127.0.0.1 --bind-interfaces \
			--local=// --user=root --pid-file= 2>"$dir/dnsmasq.log" &
		daemon=$!
		await "$2" || { why="dnsmasq does not answer in 120 s: $(tail -n 1 "$dir/dnsmasq.log")"; return 1; }
		;;
	resolved)
		many_hosts
		echo 'hosts: resolve' >/etc/nsswitch.conf
		[ -x "$resolved" ] || { why="no systemd-resolved could be fetched"; return 1; }
		! ldd "$resolved" | grep 'not found' >/dev/null || { why="a library of systemd-resolved is missing"; return 1; }
		mkdir -p /run/systemd/resolve
		chown systemd-resolve:systemd-resolve /run/systemd/resolve
		"$resolved" 2>"$dir/resolved.log" &
		daemon=$!
		await "$2" || { why="systemd-resolved does not answer in 120 s: $(tail -n 1 "$dir/resolved.log")"; return 1; }
		;;
	esac
}
drop()
{
	[ -z "$daemon" ] || { kill "$daemon"; wait "$daemon"; } 2>/dev/null
	daemon=
}

printf '%-9s %-8s %9s %9s %9s %9s %9s %7s\n' source names hit miss reverse 2threads cold 'rss kB'
"$dir/lookup" 1 "$ms" nothing >"$dir/nothing"
got[nothing,cold,0]=$(cat "$dir/nothing")
for n; do
	awk -v n="$n" 'BEGIN { for (i = 0; i < n; i++)
		printf "web-%d 10.%d.%d.%d www%d app%d\n", i, i / 65536, i / 256 % 256, i % 256, i, i }' \
		>"$dir/lines"
	"$top_builddir/tests/publish_tool" /var/lib/aerostat/hosts.mdb <"$dir/lines" || exit 99
	awk '{ print $2, $1, $3, $4 }' "$dir/lines" >"$dir/hosts"
	for source in files null ours dnsmasq resolved; do
		why=
		if use "$source" "$n"; then
			for kind in hit miss reverse threads cold rss; do
				got[$source,$kind,$n]=-
				[ "$source $kind" != "null miss" ] || continue # it knows all names
				value=$(measure "$n" "$kind") ||
					why="$kind: not every look-up ended as it should"
				got[$source,$kind,$n]=${value:--}
			done
			printf '%-9s %-8s %9s %9s %9s %9s %9s %7s\n' "$source" "$n" \
				"${got[$source,hit,$n]}" "${got[$source,miss,$n]}" \
				"${got[$source,reverse,$n]}" "${got[$source,threads,$n]}" \
				"${got[$source,cold,$n]}" "${got[$source,rss,$n]}"
		fi
		[ -z "$why" ] || { echo "SKIP $source, $n names: $why"; skipped+=("$source"); }
		drop
	done
done
echo "microseconds; cold: a process with one look-up; with none: ${got[nothing,cold,0]}"

# --- the goals

echo
printf '%-44s %10s %10s  %s\n' goal wanted got verdict
goal() # WHAT <=|>= NUMBER KEY OP KEY
{
	local a=${got[$4]:--} b=${got[$6]:--}
	[ "$a" != - ] && [ "$b" != - ] || return 0
	awk -v what="$1" -v sign="$2" -v want="$3" -v a="$a" -v b="$b" -v op="$5" 'BEGIN {
		got = op == "/" ? a / b : a - b
		met = sign == "<=" ? got <= want : got >= want
		printf "%-44s %10s %10.2f  %s\n", what, sign " " want, got, met ? "met" : "MISSED" }'
}
declare -A over_files=([10]=1 [1000]=25 [10000]=250 [100000]=2000)
for n; do
	[ "$n" != 10000 ] || goal "ours / null, $n names" '<=' 3.6 "ours,hit,$n" / "null,hit,$n"
	[ -z "${over_files[$n]-}" ] ||
		goal "files / ours, $n names" '>=' "${over_files[$n]}" "files,hit,$n" / "ours,hit,$n"
	goal "dnsmasq / ours, $n names" '>=' 12 "dnsmasq,hit,$n" / "ours,hit,$n"
	goal "resolved / ours, $n names" '>=' 20 "resolved,hit,$n" / "ours,hit,$n"
	goal "miss / hit, $n names" '<=' 1.1 "ours,miss,$n" / "ours,hit,$n"
	goal "reverse / hit, $n names" '<=' 1.1 "ours,reverse,$n" / "ours,hit,$n"
	goal "two threads / one, throughput, $n names" '>=' 1.7 "ours,hit,$n" / "ours,threads,$n"
	goal "cold process / files with 10, $n names" '<=' 1.15 "ours,cold,$n" / "files,cold,10"
	goal "memory over null's, kB, $n names" '<=' 64 "ours,rss,$n" - "null,rss,$n"
done
goal "hit, 1000000 names / 1000" '<=' 1.6 "ours,hit,1000000" / "ours,hit,1000"
