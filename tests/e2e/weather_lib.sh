# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the tests of MongoDB's weather, after lib.sh, private_ns and syncd_lib.sh.

weather()
{
	/usr/bin/python3 "$e2e_dir/weather.py" "$@"
}

insert()
{
	mongo insert servers "{\"hostname\": \"$1\", \"ip\": \"$2\"}"
}

# agree: what is published is what the collection holds, name by name.
agree()
{
	aerostat-syncd --server="$server" --dryrun --accept-shrink --hosts-file=off \
		>"$test_dir/dry" 2>&1 || return 1
	grep -q '+0 -0 ~0' "$test_dir/dry"
}

# agree_within SECONDS: and within what time, in $took.
agree_within()
{
	local start=$EPOCHREALTIME
	wait_until "$1" "the mirror and the collection to agree" agree
	took=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
}

# exact: after stop syncd: state.mdb is the collection, byte for byte.
exact()
{
	cp "$state_dir/state.mdb" "$test_dir/state.copy"
	rm -f "$test_dir/state.copy-lock"
	"$top_builddir/tests/state_tool" --hex "$test_dir/state.copy" \
		"$(status_of server) aerostat" >"$test_dir/dump" ||
		fail "state.mdb cannot be read"
	note "state.mdb: $(weather same "$mongo_uri" "$test_dir/dump")" ||
		fail "the mirror is not the collection"
}

# fail_point MEMBER NAME MODE [DATA]: on that member alone.
fail_point()
{
	local port
	port=$(head -n 1 "$test_dir/mongod-$1.args")
	mongo_at="mongodb://127.0.0.1:$port/?directConnection=true" mongo command \
		"{\"configureFailPoint\": \"$2\", \"mode\": $3${4:+, \"data\": $4}}" >/dev/null
}

# milliseconds since the time $1 of $EPOCHREALTIME
since()
{
	echo $(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 1000))
}

# mongo_at_secondary MEMBER: is it one?
mongo_at_secondary()
{
	local port
	port=$(head -n 1 "$test_dir/mongod-$1.args")
	mongo_at="mongodb://127.0.0.1:$port/?directConnection=true" mongo command \
		'{"hello": 1}' | grep '"secondary": true' >/dev/null
}

# becomes WHAT SECONDS NAME ADDRESS OLD...: NAME resolves in time, and OLD no longer.
becomes()
{
	local what=$1 seconds=$2 name=$3 ip=$4 start=$EPOCHREALTIME old
	shift 4
	wait_until "$seconds" "$what: $name" resolves "$name" "$ip"
	for old; do
		wait_until 5 "$what: $old to go" unknown "$old"
	done
	note "$what: seen after $(since "$start") ms, mode $(status_of mode)"
}

admin()
{
	mongo command "$@" >/dev/null
}

# members ACTION...: for each of the three
members()
{
	local i
	for i in 0 1 2; do
		"$@" "$i"
	done 2>/dev/null
}
