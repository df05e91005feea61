#!/bin/bash
# SPDX-License-Identifier: MIT
# Legacy data wins in the real resolver, with Debian's `multi on` and without: glibc then
# merges the addresses of all lines of a name, so a name may stand in one place only.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns

tool=$top_builddir/tests/hosts_tool
[ -x "$tool" ] || fail "$tool is missing: make check-e2e builds it"

addresses()
{
	getent -s hosts:files "$1" "$2" | awk '{ print $1 }' | sort -u | xargs
}

cat >/etc/hosts.legacy <<'HOSTS'
127.0.0.1 localhost
10.9.9.9 legacy-1 Web-0
2001:db8::99 db-master
HOSTS
rows=(db-master=10.0.0.3 "web-0=10.0.0.1,2001:db8::1"
	"web-1=10.0.0.2,10.0.0.22,2001:db8::2")

for multi in on off none; do
	note "multi $multi"
	echo "multi $multi" >/etc/host.conf
	[ "$multi" != none ] || : >/etc/host.conf

	# What the rule is for: with both lines in the file, both addresses come (or, but
	# for multi, the first line's).
	printf '10.9.9.9 web-0\n10.0.0.1 web-0\n' >/etc/hosts
	both=10.9.9.9
	[ "$multi" != on ] || both="10.0.0.1 10.9.9.9"
	equal "two lines" "$both" "$(addresses ahostsv4 web-0)"

	printf '192.0.2.7 user\n' >/etc/hosts
	rm -f /etc/hosts.before-aerostat
	"$tool" --legacy=/etc/hosts.legacy "${rows[@]}" >"$test_dir/out"
	equal "how" "renamed
shadowed db-master line 3
shadowed web-0 line 2" "$(cat "$test_dir/out")"
	equal "saved" "192.0.2.7 user" "$(cat /etc/hosts.before-aerostat)"

	equal "legacy wins" 10.9.9.9 "$(addresses ahostsv4 web-0)"
	equal "in both families" 10.9.9.9 "$(addresses ahosts web-0)"
	equal "and for any other case" 10.9.9.9 "$(addresses ahosts WEB-0)"
	equal "IPv6 legacy" 2001:db8::99 "$(addresses ahosts db-master)"
	equal "reverse" "10.9.9.9 legacy-1 Web-0" "$(getent -s hosts:files hosts 10.9.9.9 | xargs)"
	refuses 2 getent -s hosts:files hosts 10.0.0.1

	# Of a host of ours with several addresses, all come with multi, else the first.
	ours="10.0.0.2 10.0.0.22"
	[ "$multi" = on ] || ours=10.0.0.2
	equal "a host of ours" "$ours" "$(addresses ahostsv4 web-1)"
	equal "localhost" 127.0.0.1 "$(addresses ahostsv4 localhost)"

	# Without an updater the same holds for the user's own lines.
	printf '# mine\n10.8.8.8 web-1\n' >/etc/hosts
	"$tool" "${rows[@]}" >"$test_dir/out"
	equal "shadowed" "shadowed web-1 line 2" "$(tail -n 1 "$test_dir/out")"
	equal "the user's line wins" 10.8.8.8 "$(addresses ahosts web-1)"
	equal "others are ours" 10.0.0.1 "$(addresses ahostsv4 web-0)"
done
pass
