# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the storms, after lib.sh, and by scripts/storm.

storm_dir=$test_dir/storm

# Registrars outlive a storm that failed, and would write on.
at_exit()
{
	[ ! -e "$test_dir/.pids/storm" ] ||
		kill -KILL -- "-$(pid_of storm)" 2>/dev/null || :
}

# storm_figure NAME: of the observer's figures.
storm_figure()
{
	sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$storm_dir/figures"
}

# storm_begin OBSERVER-ARGUMENT... -- STORM-OPTION...: both run.
storm_begin()
{
	local watch=() tool=$top_builddir/tests/store_tool
	mkdir "$storm_dir"
	while [ "$1" != -- ]; do
		watch+=("$1")
		shift
	done
	shift
	spawn observer /usr/bin/python3 "$e2e_dir/storm_observer.py" "${watch[@]}" "$storm_dir"
	wait_until 30 "the observer" test -e "$storm_dir/observing"
	spawn storm /usr/bin/python3 "$e2e_dir/storm.py" --dir="$storm_dir" --tool="$tool" "$@"
}

# For scripts/storm, which shows how it goes.
storm_progress()
{
	:
}

# storm_on: does it still go on? Ends the test when one of the two has failed.
storm_on()
{
	storm_progress
	alive observer || storm_failed observer
	alive storm || [ -e "$storm_dir/rest" ] || storm_failed storm
	[ ! -e "$storm_dir/over" ]
}

storm_failed()
{
	cat "$test_dir/$1.log"
	fail "the $1 has ended"
}

# storm_end: the weather is over; the verdict.
storm_end()
{
	: >"$storm_dir/calm"
	until [ -e "$storm_dir/rest" ]; do
		storm_on || :
		sleep 0.1
	done
	wait_until 120 "the observer's verdict" gone observer
	stop storm
	equal "the storm" 0 "$exit_code"
	stop observer
	[ "$exit_code" = 0 ] || storm_failed observer
	sed 's/^/# /' "$test_dir/storm.log"
	note "$(tail -n 1 "$test_dir/observer.log"), $storm_faults faults"
	[ "$(storm_figure acknowledged)" -gt 0 ] && [ "$(storm_figure versions)" -gt 100 ] ||
		fail "too little was seen"
}

# --- MongoDB's weather -----------------------------------------------------------------

storm_faults=0

# storm_fail_point MODE DATA [POINT]: on all three; who is down does not matter.
storm_fail_point()
{
	local i pids=()
	for i in 0 1 2; do
		mongo_at="mongodb://127.0.0.1:$(head -n 1 "$test_dir/mongod-$i.args")/?directConnection=true&serverSelectionTimeoutMS=500" \
			mongo command "{\"configureFailPoint\": \"${3:-failCommand}\", \"mode\": $1
			${2:+, \"data\": $2}}" >/dev/null 2>&1 &
		pids+=("$!")
	done
	wait "${pids[@]}" || :
}

# storm_fault KIND
storm_fault()
{
	local victim some='"failCommands": ["insert", "update", "findAndModify", "find"],
		"appName": "aerostat-register"'
	storm_faults=$((storm_faults + 1))
	case $1 in
	kill)
		victim=$(primary_member)
		kill_member "$victim" 2>/dev/null
		sleep 3
		start_member "$victim"
		;;
	freeze)
		victim=$(primary_member)
		signal "mongod-$victim" STOP
		sleep 5
		signal "mongod-$victim" CONT
		;;
	stepdown)
		mongo command '{"replSetStepDown": 3, "secondaryCatchUpPeriodSecs": 3}' \
			>/dev/null 2>&1 || :
		;;
	lost) # not applied, and nobody says so
		storm_fail_point '{"activationProbability": 0.1}' "{$some, \"closeConnection\": true}"
		sleep 3
		;;
	landed) # applied, and the answer lost, and the driver's second try with it
		storm_fail_point '{"activationProbability": 0.1}' '{"closeConnection": true}' \
			onPrimaryTransactionalWrite
		storm_fail_point '{"activationProbability": 0.2}' "{$some, \"closeConnection\": true}"
		sleep 3
		;;
	unsure) # applied, but who knows by whom
		storm_fail_point '{"activationProbability": 0.1}' \
			"{$some, \"writeConcernError\": {\"code\": 64, \"errmsg\": \"a storm\"}}"
		sleep 3
		;;
	late) # applied after the registrar has given up
		storm_fail_point '{"activationProbability": 0.03}' \
			"{$some, \"blockConnection\": true, \"blockTimeMS\": 7000}"
		sleep 4
		;;
	esac
	case $1 in
	lost | unsure | late) storm_fail_point '"off"' '' ;;
	landed)
		storm_fail_point '"off"' '' onPrimaryTransactionalWrite
		storm_fail_point '"off"' ''
		;;
	esac
}

# storm_mongo OPTION...: a set of three, and all of it.
storm_mongo()
{
	local kinds=(kill landed stepdown lost freeze unsure late) i=0
	# The transaction of a killed registrar keeps others waiting for so long; 60 s if unset.
	start_replica_set \
		${storm_lifetime:+--setParameter "transactionLifetimeLimitSeconds=$storm_lifetime"} \
		>/dev/null
	storm_begin mongo "$mongo_uri" -- --server="$mongo_uri" "$@"
	sleep 1
	while storm_on; do
		storm_fault "${kinds[i % ${#kinds[@]}]}"
		i=$((i + 1))
		sleep 0.5
	done
	mongo primary >/dev/null
	storm_end
}

# storm_lmdb OPTION...: one file; the registrars' own deaths are its weather.
storm_lmdb()
{
	local path=$test_dir/names.mdb
	storm_begin lmdb "$top_builddir/tests/store_tool" "$path" -- --server="lmdb:$path" "$@"
	while storm_on; do
		sleep 0.2
	done
	storm_end
}
