#!/bin/bash
# SPDX-License-Identifier: MIT
# `aerostat --change-master` ends by SIGKILL as it sends, or takes in, its n-th message, for
# every n: whoever comes next, the old master or a newcomer, finds or makes one master, and
# a place for everybody. A service of its own for each n. (On lmdb: a change-over is one
# commit; disk_faults.sh kills it at each call.)
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/stores.sh
. "${0%/*}/stores.sh"
command -v strace >/dev/null || skip "no strace: apt-get install strace"
store_kinds=${store_kinds:-standalone set}
each_store "$@"
case $kind in
standalone) start_standalone >/dev/null ;;
# What a killed client has locked is free again after this, 60 s by default.
set) start_replica_set --setParameter transactionLifetimeLimitSeconds=2 >/dev/null ;;
esac
most=120 step=$(by_length 3 1)

# act N ID ARG...: as node ID, of service dbN.
act()
{
	"${before[@]}" aerostat --server="$mongo_uri" --root="$test_dir/root-$2" --offline \
		--loglevel=ERROR --service="db$1" --type=masterful --instance-id="$2" \
		--ip="10.$((${2##*-} % 3 + 1)).0.$1" --register-deadline=60 "${@:3}"
}

# fine N ID...: one master, dense numbers, each of them in one slot.
fine()
{
	aerostat list "db$1" --json --server="$mongo_uri" | /usr/bin/python3 -c '
import json, sys
service, ids = sys.argv[1], sorted(sys.argv[2:])
slots = json.load(sys.stdin)
names = sorted(s.get("hostname", s.get("name")) for s in slots)
want = sorted([service + "-master"] + [service + "-slave-%d" % (i + 1) for i in range(len(ids) - 1)])
assert names == want, names
assert sorted(s["instance_id"] for s in slots) == ids, slots
print(*[s["instance_id"] for s in slots if s.get("hostname", s.get("name")) == service + "-master"])
' "db$1" "${@:2}"
}

for ((n = 0; n < 250; n++)); do
	for i in master slave-1; do
		printf '{"hostname":"db%d-%s","service":"db%d","service_type":"masterful",' "$n" "$i" "$n"
		[ "$i" = master ] && id=m-0 || id=s-1
		printf '"instance_id":"%d-%s","ip":"10.9.%d.%d","aliases":null}\n' "$n" "$id" \
			"$((${#i} % 2))" "$n"
	done
done >"$test_dir/slots"
aerostat --server="$mongo_uri" import "$test_dir/slots" >/dev/null

n=0 opened=0 changed=0 kept=0
for call in sendmsg recvfrom; do
	[ "$call" = sendmsg ] && by=1 || by=$step
	for ((at = 2; at < most; at += by)); do
		code=0
		before=(strace -f -qq -o /dev/null -e "trace=$call"
			-e "inject=$call:signal=SIGKILL:when=$at")
		act "$n" "$n-s-1" --change-master >"$test_dir/out" 2>&1 || code=$?
		[ "$code" != 0 ] || break
		[ "$code" = 137 ] || fail "$call $at: exit $code: $(cat "$test_dir/out")"
		op=$("$top_builddir/tests/store_tool" op "$mongo_uri" "db$n")
		before=()
		ids=("$n-m-0" "$n-s-1")
		if ((n % 2 == 0)); then
			ids+=("$n-x-2")
			act "$n" "$n-x-2" --register >/dev/null
		else
			act "$n" "$n-m-0" --register >/dev/null
		fi
		master=$(fine "$n" "${ids[@]}") || fail "$call $at (op $op): see above"
		[[ $op != *open ]] || equal "$call $at: the master of an open change-over" "$n-s-1" "$master"
		case $("$top_builddir/tests/store_tool" op "$mongo_uri" "db$n") in
		*closed) ;;
		*) fail "$call $at: the change-over is still open" ;;
		esac
		[[ $op != *open ]] || opened=$((opened + 1))
		[ "$master" != "$n-s-1" ] || changed=$((changed + 1))
		[ "$master" = "$n-s-1" ] || kept=$((kept + 1))
		n=$((n + 1))
	done
	[ "$code" = 0 ] || fail "more than $at messages"
	note "$call: whole with $at"
	n=$((n + 1))
done
note "$kind: $((kept + changed)) kills: $opened left it open, $changed changed the master, $kept did not"
[ "$kept" -gt 2 ] || fail "it came too far"
[ "$changed" -gt 2 ] || fail "it never came far enough"
[ "$kind" = set ] || [ "$opened" -gt 2 ] || fail "never left open"
pass
