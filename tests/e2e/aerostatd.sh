#!/bin/bash
# SPDX-License-Identifier: MIT
# aerostatd on a real replica set, with a program that says who lives: names of the dead
# are free and filled again, and no error takes one from who lives.
# shellcheck disable=SC2086 # $register and $server are several words
. "${0%/*}/lib.sh"

start_replica_set >/dev/null
register="aerostat-register --server=$mongo_uri --loglevel=CRITICAL --service=web"
cat >"$test_dir/living" <<'SH'
#!/bin/sh
[ ! -e "${0%/*}/fails" ] || { echo "no answer" >&2; exit 3; }
[ ! -e "${0%/*}/hangs" ] || exec sleep 59.0117
cat "${0%/*}/ids"
SH
chmod 755 "$test_dir/living"
server="aerostatd --server=$mongo_uri --root=$test_dir/server --cloud=command
	--cloud-command=$test_dir/living --grace=0"

# living ID...: of these, i-ID each, it says that they live
living()
{
	printf 'i-%s\n' "$@" >"$test_dir/ids"
}

# names: how many slots have an occupant
names()
{
	mongo count servers '{"instance_id": {"$gt": ""}}'
}

# once CODE [OPTION...]: one pass that ends so
once()
{
	local want=$1 code=0
	shift
	$server --once "$@" >"$test_dir/out" 2>"$test_dir/log" || code=$?
	[ "$code" = "$want" ] || fail "a pass ended with $code, not $want: $(cat "$test_dir/log")"
}

for i in 0 1 2 3 4 5 6 7 8 9; do
	$register --root="$test_dir/r$i" --instance-id="i-$i" --ip="10.0.0.$i" >/dev/null
done

# --- who is gone is gone after three passes, and the name is filled again ------------------

living 0 1 2 3 4 6 7 8
once 0
once 0
equal "not before the third pass" 10 "$(names)"
once 0 --dryrun
equal "the plan" "reap web-5 i-5: the cloud does not know it any more (not listed any more)
reap web-9 i-9: the cloud does not know it any more (not listed any more)
dry run: 10 names, 2 would go, 0 held, nothing written" "$(cat "$test_dir/out")"
equal "a plan changes nothing" 10 "$(names)"
once 0
equal "after it" 8 "$(names)"
equal "certified" 2 "$(mongo count nodes '{"dead.why": "not listed any more"}')"
equal "in the history" 2 "$(mongo count history '{"event": "reaped"}')"
equal "the first gap" "web-5 (gap) i-new 10.0.1.1" \
	"$($register --root="$test_dir/n" --instance-id=i-new --ip=10.0.1.1)"
code=0
$register --root="$test_dir/r9" --instance-id=i-9 --ip=10.0.0.9 2>/dev/null || code=$?
equal "who is declared dead waits" 75 "$code"
living 0 1 2 3 4 6 7 8 9 new
once 0
equal "until it is seen to run" "web-9 (gap) i-9 10.0.0.9" \
	"$($register --root="$test_dir/r9" --instance-id=i-9 --ip=10.0.0.9)"

# --- errors: nobody dies --------------------------------------------------------------------

: >"$test_dir/fails"
for _ in 1 2 3; do once 1; done
grep -q 'nobody is judged dead.*exited with 3' "$test_dir/log" ||
	fail "no reason: $(cat "$test_dir/log")"
rm "$test_dir/fails"
echo >"$test_dir/ids"
for _ in 1 2 3; do once 0; done
echo "i-0 and more" >"$test_dir/ids"
for _ in 1 2 3; do once 1; done
living other-1 other-2
for _ in 1 2 3; do once 0; done
equal "no name went" 10 "$(names)"

# --- too many at once: held, until told ------------------------------------------------------

living 0 1 2 3
once 0
once 0
for _ in 1 2 3; do once 1; done
grep -q '6 of 10 names would go at once, the guard lets 3' "$test_dir/log" ||
	fail "no reason: $(cat "$test_dir/log")"
equal "held" 10 "$(names)"
once 0 --force
equal "forced" 4 "$(names)"

# --- what the registrar left open ------------------------------------------------------------

$register --root="$test_dir/l" --instance-id=i-left --ip=10.0.2.1 >/dev/null
mongo update nodes '{"_id": "i-left"}' '{"$set": {"left": true}, "$inc": {"gen": 1}}' >/dev/null
living 0 1 2 3 left
once 0
equal "a release that was cut off" 4 "$(names)"

# --- what people are told --------------------------------------------------------------------

tell="aerostat --server=$mongo_uri --root=$test_dir/server"
$tell history web-9 >"$test_dir/history"
grep -q '^[0-9TZ:-]* web-9 i-9 was found dead: the cloud does not know it any more (not' \
	"$test_dir/history" || fail "no such event: $(cat "$test_dir/history")"
refuses 1 $tell history web-77
grep -q 'nothing is known of "web-77"' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
$tell why web-0 >"$test_dir/why"
for line in '^web-0: i-0$' 'answers      10.0.0.0$' 'certificate  none: it counts as alive' \
	'server       absent in 0 passes, called dead in 0; known for'; do
	grep -q "$line" "$test_dir/why" || fail "no '$line': $(cat "$test_dir/why")"
done
$tell why web-5 >"$test_dir/why"
grep -q '^web-5: a gap' "$test_dir/why" || fail "$(cat "$test_dir/why")"
grep -q ' web-5 i-new was found dead: the cloud does not know it any more' "$test_dir/why" ||
	fail "no reason: $(cat "$test_dir/why")"
equal "the instance" "web-0" "$($tell why i-0 --json |
	sed 's/.*"hostname" : "\([^"]*\)", "service".*/\1/')"
refuses 1 $tell why nobody


# --- the daemon ------------------------------------------------------------------------------

once 69 --server=mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500
: >"$test_dir/hangs"
spawn aerostatd $server --poll=3600
wait_until 20 "a pass that hangs" pgrep -f "sleep 59.0117"
pid=$(pid_of aerostatd)
start=$(date +%s%N)
stop aerostatd
took=$((($(date +%s%N) - start) / 1000000))
[ "$took" -lt 8000 ] || fail "it took $took ms to stop"
! pgrep -f "sleep 59.0117" >/dev/null || fail "what it ran lives on"
! pid_alive "$pid" || fail "it lives on"
rm "$test_dir/hangs"
spawn aerostatd $server --poll=3600
wait_until 20 "its first pass" grep -q 'pass: done' "$test_dir/aerostatd.log"
$register --root="$test_dir/l" --instance-id=i-left2 --ip=10.0.2.1 >/dev/null
mongo update nodes '{"_id": "i-left2"}' '{"$set": {"left": true}, "$inc": {"gen": 1}}' >/dev/null
equal "poll is far off" 5 "$(names)"
signal aerostatd HUP
four_names() { [ "$(names)" = 4 ]; }
wait_until 20 "a pass when asked" four_names
stop aerostatd
pass
