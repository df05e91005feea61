# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the tests of the sync daemon, after lib.sh and private_ns.

state_dir=/var/lib/aerostat

# status_of KEY: from status.json.
status_of()
{
	/usr/bin/python3 -c 'import json, sys
print(json.load(open("/var/lib/aerostat/status.json"))[sys.argv[1]])' "$1"
}

status_is()
{
	[ "$(status_of "$1")" = "$2" ]
}

status_over()
{
	[ "$(status_of "$1")" -gt "$2" ]
}

# address_of NAME: as the module alone answers; '' = not found.
address_of()
{
	getent -s hosts:aerostat ahosts "$1" | awk 'NR == 1 {print $1}'
}

resolves()
{
	[ "$(address_of "$1")" = "$2" ]
}

unknown()
{
	[ -z "$(address_of "$1")" ]
}

in_hosts()
{
	grep -qE "^$2( [^ ]+)* $1( |\$)" /etc/hosts
}

# register ID ADDRESS [OPTION...]: with $server.
register()
{
	aerostat-register --server="$server" --service=web --instance-id="$1" --ip="$2" \
		--offline --loglevel=ERROR "${@:3}" >/dev/null
}

# slots FROM TO: JSON lines of slots web-FROM to web-TO, for `aerostat import`.
slots()
{
	local i
	for ((i = $1; i <= $2; i++)); do
		printf '{"hostname":"web-%d","service":"web","service_type":"iterative","instance_id":"i-%08x","ip":"10.%d.%d.%d","aliases":null}\n' \
			"$i" "$i" $((i >> 16 & 255)) $((i >> 8 & 255)) $((i & 255))
	done
}

# daemon [OPTION...]: start it and wait until it is ready.
daemon()
{
	local before=0
	[ ! -e "$state_dir/status.json" ] || before=$(status_of started)
	spawn syncd aerostat-syncd --server="$server" --loglevel=DEBUG "$@"
	wait_until 20 "the daemon's status" status_over started "$before"
	wait_until 20 "a first publish" test -e "$state_dir/hosts.mdb"
}

# ms_of COMMAND...: how long it takes.
ms_of()
{
	local start=$EPOCHREALTIME
	"$@"
	echo $(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
}

# within MS COMMAND...: asked without pause until it succeeds; the time in $took.
within()
{
	local start=$EPOCHREALTIME ms=$1
	shift
	until "$@"; do
		took=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
		[ "$took" -le "$ms" ] || fail "not within $ms ms: $*"
	done
	took=$(((${EPOCHREALTIME/[.,]/} - ${start/[.,]/}) / 1000))
}

# cpu_ticks NAME: user and system time so far, in 1/100 s.
cpu_ticks()
{
	awk '{print $14 + $15}' "/proc/$(pid_of "$1")/stat"
}
