#!/bin/bash
# SPDX-License-Identifier: MIT
# Sourced after lib.sh by tests that hold for every kind of naming store:
#
#	each_store "$@"         # without a word: the test again for each kind
#	private_ns net
#	open_store              # $kind is lmdb, set or standalone; sets $uri
# shellcheck shell=bash disable=SC2034,SC2154 # variables of the tests and of lib.sh

# each_store [KIND]: $kind, or run the test for each kind (of $store_kinds, if that is set),
# side by side, and end.
each_store()
{
	local code failed='' skipped=''
	kind=${1-}
	case $kind in
	lmdb | set | standalone) return 0 ;;
	'') ;;
	*) fail "'$kind' is no kind of store: lmdb, set, standalone" ;;
	esac
	store_kinds=${store_kinds:-lmdb set standalone}
	# Each has a folder and a last act of its own.
	at_exit()
	{
		for kind in $store_kinds; do
			stop "on-$kind"
		done
	}
	for kind in $store_kinds; do
		AERO_STAGE=$stage spawn "on-$kind" "$BASH" "$test_script" "$kind"
	done
	for kind in $store_kinds; do
		code=0
		wait "$(pid_of "on-$kind")" || code=$?
		cat "$test_dir/on-$kind.log"
		mv "$test_dir/on-$kind.log" "$test_dir/shown-$kind"
		case $code in
		0) ;;
		77 | 99) skipped="$skipped $kind" ;;
		*) failed="$failed $kind" ;;
		esac
	done
	[ -z "$failed" ] || fail "with the stores:$failed (again: $test_script KIND)"
	[ -z "$skipped" ] || skip "not seen with the stores:$skipped"
	pass
}

open_store()
{
	case $kind in
	lmdb)
		mkdir -p "$test_dir/store"
		uri=lmdb:$test_dir/store/names.mdb
		;;
	set)
		start_replica_set >/dev/null
		uri=$mongo_uri
		;;
	standalone)
		start_standalone >/dev/null
		uri=$mongo_uri
		;;
	esac
	note "store: $kind"
}

# The store goes away, without a word to anyone, and comes back with its data.
take_store_away()
{
	case $kind in
	lmdb) mv "$test_dir/store" "$test_dir/store.away" ;;
	set) for member in 0 1 2; do kill_member "$member"; done ;;
	standalone) kill_member 0 ;;
	esac
}

bring_store_back()
{
	case $kind in
	lmdb) mv "$test_dir/store.away" "$test_dir/store" ;;
	set)
		for member in 0 1 2; do start_member "$member"; done
		mongo primary >/dev/null
		;;
	standalone) start_member 0 ;;
	esac
}

# put_document JSON: by a client that is not ours, where there is one.
put_document()
{
	if [ "$kind" = lmdb ]; then
		aerostat --root="$test_dir/writer" --server="$uri" import - <<<"$1" >/dev/null
	else
		mongo replace servers "$(document_key "$1")" "$1"
	fi
}

document_key()
{
	/usr/bin/python3 -c 'import json, sys
print(json.dumps({"hostname": json.loads(sys.argv[1])["hostname"]}))' "$1"
}

# slot HOSTNAME ID ADDRESS: the document of an iterative service, as the original writes it.
slot()
{
	printf '{"hostname":"%s","service":"%s","service_type":"iterative",' "$1" "${1%-*}"
	printf '"instance_id":"%s","ip":"%s","aliases":null}\n' "$2" "$3"
}

# prints WANT COMMAND...: exit 0 and exactly that on standard output.
prints()
{
	local want=$1 got code=0
	shift
	got=$("$@" 2>"$test_dir/stderr") || code=$?
	[ "$code" = 0 ] || fail "$*: exit $code: $got $(cat "$test_dir/stderr")"
	equal "$*" "$want" "$got"
}

# says PATTERN: in the output of the last `refuses` (an extended regular expression).
says()
{
	grep -qE -e "$1" "$test_dir/refused" ||
		fail "it should say '$1': $(cat "$test_dir/refused")"
}

says_not()
{
	! grep -qE -e "$1" "$test_dir/refused" ||
		fail "it should not say '$1': $(cat "$test_dir/refused")"
}
