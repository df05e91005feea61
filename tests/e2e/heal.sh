#!/bin/bash
# SPDX-License-Identifier: MIT
# A registered node whose slot is lost or taken has a name again by its daemon; one that
# was released or declared dead, or that only mirrors names, does nothing.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/stores.sh
. "${0%/*}/stores.sh"
store_kinds=${store_kinds:-lmdb set}
each_store "$@"
private_ns net
open_store

# boot NODE ADDRESS SERVICE [TYPE]: registered as i-NODE, with a daemon.
boot()
{
	node_new "$1" "$2"
	node "$1" chmod 644 /etc/hosts
	printf 'server: "%s"\npoll_interval: 1\n' "$uri" | node "$1" sh -c 'cat >/etc/aerostat.conf'
	mkdir "$test_dir/hooks-$1"
	cat >"$test_dir/hooks-$1/20-note" <<-SH
		#!/bin/sh
		echo "\$1 \$AEROSTAT_EVENT '\$AEROSTAT_HOSTNAME' '\$AEROSTAT_OLD_HOSTNAME'" \\
			"\$AEROSTAT_SERVICE\$AEROSTAT_EPOCH" \\
			"\$(hostname) \${AEROSTAT_GENERATION:+g}" >>$test_dir/told-$1
	SH
	cat >"$test_dir/hooks-$1/10-fails" <<-SH
		#!/bin/sh
		echo "this one does not work" >&2
		exit 7
	SH
	chmod 755 "$test_dir/hooks-$1"/*
	echo "echo no >>$test_dir/told-$1" >"$test_dir/hooks-$1/30-not-executable"
	echo "hooks_dir: $test_dir/hooks-$1" | node "$1" sh -c 'cat >>/etc/aerostat.conf'
	node "$1" aerostat-register --loglevel=ERROR --service="$3" --type="${4-}" \
		--instance-id="i-$1" --ip="$2"
	node_spawn "$1" "syncd-$1" aerostat-syncd
	wait_until 20 "the daemon of $1" resolves "$1" "$(hostname_of "$1")" "$2"
}

resolves()
{
	[ "$(node "$1" getent -s hosts:aerostat hosts "$2" | awk '{ print $1 }')" = "$3" ]
}

hostname_of()
{
	node "$1" hostname
}

# lose HOSTNAME [ID ADDRESS]: somebody blanks the slot, or puts another node in.
lose()
{
	put_document "$(slot "$1" "${2-}" "${3-}")"
}

# is NODE HOSTNAME ADDRESS: its host name, and what it resolves.
is()
{
	[ "$(hostname_of "$1")" = "$2" ] && resolves "$1" "$2" "$3"
}

store_tool()
{
	"$top_builddir/tests/store_tool" "$@"
}

said()
{
	grep -q "$2" "$test_dir/syncd-$1.log"
}

# tells NODE SUBCOMMAND WORD OUTPUT
tells()
{
	[ "$(node "$1" aerostat "$2" "$3")" = "$4" ]
}

boot a 10.77.0.1 web >/dev/null
boot b 10.77.0.2 web >/dev/null

note "a slot that is blanked is taken again"
lose web-0
wait_until 30 "a to say so" said a 'self-heal: registering i-a again: it has lost its slot'
wait_until 30 "a to have a name" is a web-0 10.77.0.1
wait_until 20 "b to see it" resolves b web-0 10.77.0.1

note "a slot that is given to another costs the name, not the node"
lose web-1 i-thief 10.77.0.9
wait_until 30 "b under another name" is b web-2 10.77.0.2
resolves b web-1 10.77.0.9 || fail "the other one lost its name"

note "the operator's programs are told, each failure is only logged"
wait_until 20 "b's programs" grep -qx "renamed renamed 'web-2' 'web-1'  web-2 g" "$test_dir/told-b"
wait_until 20 "of the names too" grep -qx "published published 'web-2' ''  web-2 g" "$test_dir/told-b"
wait_until 20 "the failure" said b "10-fails.*exited with 7"
! grep -x no "$test_dir/told-b" || fail "what is not executable was run"
: >"$test_dir/told-a"
lose web-7 i-other 10.77.0.7
wait_until 20 "a's programs" grep -qx "published published 'web-0' ''  web-0 g" "$test_dir/told-a"

note "and of what happened while no daemon ran, by a one-shot too"
stop syncd-b
lose web-2 i-another 10.77.0.8
node_spawn b syncd-b aerostat-syncd
wait_until 30 "b under a third name" is b web-3 10.77.0.2
wait_until 20 "b's programs" grep -qx "renamed renamed 'web-3' 'web-2'  web-3 g" "$test_dir/told-b"
stop syncd-b
lose web-3
lose web-4 i-b 10.77.0.2
node b aerostat --update --loglevel=ERROR
grep -qx "renamed renamed 'web-4' 'web-3'  web-4 g" "$test_dir/told-b" || fail "the one-shot told nobody"
node_spawn b syncd-b aerostat-syncd
wait_until 20 "the daemon of b" resolves b web-4 10.77.0.2

note "a change-over that was cut off is finished by who it names"
boot m 10.77.0.3 db masterful >/dev/null
boot s 10.77.0.4 db masterful >/dev/null
store_tool open "$uri" i-s
wait_until 40 "s to be the master" is s db-master 10.77.0.4
wait_until 20 "m to be the slave" is m db-slave-1 10.77.0.3
wait_until 20 "the epoch on another node" tells a master db "db-master i-s epoch 2 10.77.0.4"
equal "as the store has it" "db-master i-s epoch 2 10.77.0.4" "$(aerostat master db --server="$uri")"
node a aerostat lookup --json db-master | grep '"epoch" : 2' >/dev/null || fail "no epoch"
wait_until 20 "a's programs" grep -qx "master master 'db-master' '' db2 web-0 g" "$test_dir/told-a"
equal "in JSON" '{ "service" : "db", "hostname" : "db-master", "instance_id" : "i-s", "epoch" : 2, "addresses" : [ "10.77.0.4" ] }' \
	"$(node a aerostat master db --json)"
node a mv /var/lib/aerostat/status.json /var/lib/aerostat/status.away
equal "without a daemon's status" "db-master i-s epoch 2 10.77.0.4" "$(node a aerostat master db)"
node a mv /var/lib/aerostat/status.away /var/lib/aerostat/status.json
refuses 1 node a aerostat master web
equal "the op is closed" "2 closed" "$(store_tool op "$uri" db)"

if [ "$kind" = set ]; then
	note "who may not write says so once, and is healed when it may"
	on_primary="mongodb://$(mongo primary)/?directConnection=true"
	mongo_at=$on_primary mongo command '{"configureFailPoint": "failCommand",
		"mode": "alwaysOn", "data": {"failCommands": ["findAndModify", "insert", "update"],
		"appName": "aerostat-register", "errorCode": 13}}' >/dev/null
	lose web-0
	wait_until 30 "a to say so" said a 'WARNING self-heal: .*lacks a privilege'
	sleep 33 # it tries again every 8 to 12 s, and looks for 1 to 3 s each time
	off=$(mongo_at=$on_primary mongo command '{"configureFailPoint": "failCommand", "mode": "off"}')
	[[ $off =~ \"count\":\ *([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge 3 ] || fail "too few tries: $off"
	equal "warnings" "1 1" "$(grep -c 'WARNING self-heal: .*lacks a privilege' "$test_dir/syncd-a.log") $(
		grep -c 'WARNING self-heal: registering i-a again: it has lost' "$test_dir/syncd-a.log" |
			awk '{ print $1 - 1 }')"
	wait_until 30 "a to have a name" is a web-0 10.77.0.1
fi

note "who gave its name back stays without"
# 75 while the self-heal, whose name is seen already, comes to its end
wait_until 20 "the release" node a aerostat release
wait_until 20 "b to miss it" bash -c "! nsenter -t $(pid_of node-b) -m -u -r -- \
	getent -s hosts:aerostat hosts web-0"
note "who is declared dead stays without"
store_tool reap "$uri" i-b
wait_until 30 "b to say so" said b 'released or declared dead'
! aerostat list --json --server="$uri" | grep -E '"i-(a|b)"' || fail "it has a slot"
healed=1
[ "$kind" != set ] || healed=2
equal "a healed" "$healed" "$(grep -c 'registering i-a again' "$test_dir/syncd-a.log")"

for n in a b m s; do stop "syncd-$n"; done
pass
