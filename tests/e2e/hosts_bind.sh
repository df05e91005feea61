#!/bin/bash
# SPDX-License-Identifier: MIT
# /etc/hosts as containers have it: a mount of its own, which rename cannot replace; and
# on a read-only file system. All in a mount namespace of the test's own.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
private_ns

tool=$top_builddir/tests/hosts_tool
[ -x "$tool" ] || fail "$tool is missing: make check-e2e builds it"

note "a plain file is renamed over"
equal "how" renamed "$("$tool" web-0=10.0.0.1)"
equal "again" same "$("$tool" web-0=10.0.0.1)"

note "a mount is written in place, and shows in what is mounted"
printf '192.0.2.7 printer # mine\n' >"$test_dir/mounted"
chmod 0640 "$test_dir/mounted"
mount --bind "$test_dir/mounted" /etc/hosts
inode=$(stat -c %i "$test_dir/mounted")
equal "how" "in place" "$("$tool" web-0=10.0.0.1 web-1=10.0.0.2,2001:db8::2)"
equal "inode" "$inode" "$(stat -c %i "$test_dir/mounted")"
equal "mode" 640 "$(stat -c %a "$test_dir/mounted")"
equal "the user's line" "192.0.2.7 printer # mine" "$(head -n 1 "$test_dir/mounted")"
equal "the previous file" "192.0.2.7 printer # mine" "$(cat /etc/hosts.bak)"
equal "getent" "10.0.0.1 web-0" "$(getent -s hosts:files ahostsv4 web-0 | awk '{ print $1, $3; exit }')"
[ ! -e /etc/hosts.tmp ] || fail "/etc/hosts.tmp is left"

note "shorter than before: nothing is left behind the end"
equal "how" "in place" "$("$tool" web-0=10.0.0.1)"
equal "last line" "# /AEROSTAT" "$(tail -n 1 /etc/hosts)"
equal "again" same "$("$tool" web-0=10.0.0.1)"

note "one that a crash left half written is finished"
cp -p /etc/hosts /etc/hosts.tmp
chmod +t /etc/hosts.tmp
wanted=$(cat /etc/hosts)
done=$(($(stat -c %s /etc/hosts) - 5))
(head -c "$done" /etc/hosts && tail -c "+$((done + 1))" /etc/hosts.bak) >"$test_dir/half"
cat "$test_dir/half" >/etc/hosts
[ "$wanted" != "$(cat /etc/hosts)" ] || fail "not half written"
equal "how" "recovered, same" "$("$tool" web-0=10.0.0.1)"
equal "content" "$wanted" "$(cat /etc/hosts)"
[ ! -e /etc/hosts.tmp ] || fail "/etc/hosts.tmp is left"

note "killed at random moments, it is right in the end"
for _ in {1..20}; do
	"$tool" web-0=10.0.0.3 web-1=10.0.0.4 >/dev/null 2>&1 &
	sleep "0.00$((RANDOM % 8))"
	kill -KILL "$!" 2>/dev/null || :
	wait "$!" 2>/dev/null || :
	"$tool" web-0=10.0.0.1 >/dev/null
	equal "content" "$wanted" "$(cat /etc/hosts)"
done

note "a read-only mount is told in words, and left as it is"
mount -o remount,bind,ro /etc/hosts
refuses 77 "$tool" web-0=10.0.0.9
grep -q 'read-only file system' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
grep -q 'hosts_file: off' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
equal "content" "$wanted" "$(cat /etc/hosts)"
[ ! -e /etc/hosts.tmp ] || fail "/etc/hosts.tmp is left"
equal "equal content needs no writing" same "$("$tool" web-0=10.0.0.1)"
umount /etc/hosts

note "so is a read-only /etc"
mount -o remount,bind,ro /etc
wanted=$(cat /etc/hosts)
refuses 77 "$tool" web-0=10.0.0.9
grep -q 'hosts_file: off' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
equal "content" "$wanted" "$(cat /etc/hosts)"
"$tool" --dryrun web-0=10.0.0.9 | grep '^+10.0.0.9 web-0$' >/dev/null || fail "no difference shown"
pass
