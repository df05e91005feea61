# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced after lib.sh by the tests of the network: parts that run side by side, each in
# a network of its own, and servers at addresses of it.

# in_parts PART...: run this test once for each, side by side, and show what they say.
in_parts()
{
	local part skipped="" failed="" code start=$SECONDS
	export AERO_STAGE=$stage
	for part; do
		spawn "part-$part" "$BASH" "$test_script" "$part"
	done
	for part; do
		code=0
		wait "$(pid_of "part-$part")" || code=$?
		rm -f "$test_dir/.pids/part-$part"
		sed "s/^/[$part] /" "$test_dir/part-$part.log"
		case $code in
		0) ;;
		77 | 99) skipped="$part" ;;
		*) failed="$failed $part" ;;
		esac
		rm -f "$test_dir/part-$part.log"
		note "$part: at $((SECONDS - start)) s"
	done
	[ -z "$failed" ] || fail "parts:$failed"
	[ -z "$skipped" ] || skip "$skipped, see above"
	pass
}

# addresses ADDRESS...: of this network's own.
addresses()
{
	local address
	for address; do
		ip address add "$address/32" dev lo
	done
}

# db NAME ADDRESS[,ADDRESS] [OPTION...]: a mongod there, port 27017; in node $db_on.
db()
{
	local name=$1 address=$2
	shift 2
	mkdir -p "$test_dir/$name"
	spawn "$name" ${db_on:+nsenter -t "$(pid_of "node-$db_on")" -m -u -r --} \
		"$mongod" --quiet --bind_ip "$address" --port 27017 --nounixsocket \
		--dbpath "$test_dir/$name" --wiredTigerCacheSizeGB 0.25 --oplogSize 64 \
		--setParameter enableTestCommands=1 \
		--setParameter diagnosticDataCollectionEnabled=false "$@"
	wait_until 60 "$name" accepts_or_gone "$name" "${address%%,*}"
	alive "$name" || fail "$name did not start"
}

accepts_or_gone()
{
	gone "$1" || accepts "$2" 27017
}

accepts()
{
	bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null
}

# initiate SET ADDRESS HOST...: one set of the members HOST (:27017), asked at ADDRESS.
initiate()
{
	local set=$1 at=$2 members="" host i=0
	shift 2
	for host; do
		members+=",{\"_id\": $i, \"host\": \"$host:27017\"}"
		i=$((i + 1))
	done
	mongo_at="mongodb://$at/?directConnection=true" mongo command \
		"{\"replSetInitiate\": {\"_id\": \"$set\", \"members\": [${members#,}], \"settings\": {\"electionTimeoutMillis\": 2000, \"heartbeatIntervalMillis\": 300}}}" >/dev/null
}

# log_lines NAME: how many lines its log has.
log_lines()
{
	wc -l <"$test_dir/$1.log"
}

# quiet_since NAME TICKS WHAT SECONDS: it used less than 2 % of a core in that time.
quiet_since()
{
	local ticks
	ticks=$(($(cpu_ticks "$1") - $2))
	note "$3: $1 used $((ticks * 10)) ms of CPU in $4 s"
	[ "$ticks" -le $(($4 * 2 + 3)) ] || fail "$1 spins: $((ticks * 10)) ms in $4 s"
}

# ms_since START: of $EPOCHREALTIME.
ms_since()
{
	echo $(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 1000))
}
