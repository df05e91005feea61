#!/bin/sh
# The module inside the real glibc chain: every row of DESIGN 5's table, what other
# sources are asked, and programs of the system. In its own mount and network
# namespace, so that nothing of this machine changes.
top_builddir=${top_builddir:-$PWD}
top_srcdir=${top_srcdir:-$(dirname "$0")/../..}
export top_builddir top_srcdir

skip() {
	echo "SKIP: $*"
	[ "$AEROSTAT_TEST_STRICT" = 1 ] && exit 99
	exit 77
}

if [ -z "$AERO_INSIDE" ]; then
	[ "$(id -u)" = 0 ] || skip "needs root"
	unshare -m -n -u true 2>/dev/null || skip "no namespaces here"
	nm -D "$top_builddir/nss/.libs/libnss_aerostat.so.2" | grep -E ' __(asan|ubsan|tsan)_' >/dev/null &&
		skip "a build with sanitizers"
	AERO_INSIDE=1 exec unshare -m -n -u "$0" "$@"
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/aerostat-chain-XXXXXX") || exit 99
pids=
trap 'kill $pids 2>/dev/null; umount -l "$dir" 2>/dev/null; rmdir "$dir"' EXIT
mount -t tmpfs tmpfs "$dir" && chmod 755 "$dir" || exit 99
mkdir "$dir/mods"
cp -L "$top_builddir/nss/.libs/libnss_aerostat.so.2" "$dir/mods/" || exit 99
probe=$dir/chain_probe
tool=$dir/publish_tool
for name in chain_probe publish_tool; do
	bin=$top_builddir/tests/.libs/$name
	[ -x "$bin" ] || bin=$top_builddir/tests/$name
	cp "$bin" "$dir/" || exit 99
done

# The system that this test shows its processes: a copy of /etc, as a small one lacks hosts.
etc=$dir/etc
mkdir "$etc" && cp -a /etc/. "$etc/" || exit 99
rm -f "$etc/nsswitch.conf" "$etc/hosts" "$etc/resolv.conf"
echo 'hosts: aerostat' >"$etc/nsswitch.conf"
printf '127.0.0.1 localhost\n10.77.0.1 from-files\n' >"$etc/hosts"
printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >"$etc/resolv.conf"
mount --bind "$etc" /etc || exit 99
mount -t tmpfs -o mode=755 tmpfs /var/lib && mkdir /var/lib/aerostat || exit 99
ip link set lo up 2>/dev/null || python3 -c '
import fcntl, socket, struct
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))' || skip "no loopback"
libdir=$(readlink -f "$(ldd "$probe" | awk '/libc\.so/ {print $3}')")
libdir=${libdir%/*}
# Into the library folder, where set-user-ID programs look too.
if mount -t overlay overlay -o "lowerdir=$dir/mods:$libdir" "$libdir" 2>/dev/null; then
	remove_module() { umount -l "$libdir"; }
else
	LD_LIBRARY_PATH=$dir/mods
	export LD_LIBRARY_PATH
	remove_module() { unset LD_LIBRARY_PATH; }
fi

db=/var/lib/aerostat/hosts.mdb
L63=$(printf '%063d' 0 | tr 0 a)
publish() { "$tool" -z cluster.internal "$db"; }
standard() {
	publish <<-END
		web-0 10.0.0.1 www web-0.cluster.internal
		web-1 10.0.0.2,fd00::2
		six fd00::6 sechs
		lo-1 127.0.0.9 loop
	END
}
order() { echo "hosts: $*" >/etc/nsswitch.conf; }

fails=0
n=0
expect=pass # or: fail, when the module is gone
check() { # WHAT WANT COMMAND...
	what=$1 want=$2
	shift 2
	got=$("$@" 2>/dev/null)
	n=$((n + 1))
	if [ "$got" = "$want" ]; then result=pass; else result=fail; fi
	[ "$result" = "$expect" ] && return
	echo "FAILED: $what"
	echo "  command: $*"
	echo "  want: $want"
	echo "  got:  $got"
	fails=$((fails + 1))
}
asked() { # WANT COMMAND...: its answer, then how often dns was asked
	: >"$dir/dns.log"
	"$@"
	[ -s "$dir/dns.log" ] && echo "dns asked"
}
unasked='EAI_NONAME'
by_dns='192.0.2.53
dns asked'

# The damaged and forbidden mirrors of the table, each put in place by name.
mirror() {
	rm -rf "$db"
	case $1 in
	good) standard ;;
	absent) ;;
	empty) : >"$db" ;;
	short) standard && truncate -s 9000 "$db" ;;
	noise) head -c 50000 /dev/urandom >"$db" ;;
	version) standard && printf '\002' | dd of="$db" bs=1 seek=20 conv=notrunc 2>/dev/null ;;
	damaged) standard && dd if=/dev/zero of="$db" bs=1 seek=8192 count=64 conv=notrunc 2>/dev/null ;;
	directory) mkdir "$db" ;;
	fifo) mkfifo -m 644 "$db" ;;
	group) standard && chmod 664 "$db" ;;
	others) standard && chmod 646 "$db" ;;
	loop) ln -s hosts.mdb "$db" ;;
	esac
}
broken='absent empty short noise version damaged directory fifo group others loop'

hits() {
	check "AF_UNSPEC" "web-0 10.0.0.1" "$probe" gai 0 web-0
	check "AF_INET" "web-0 10.0.0.1" "$probe" gai 4 web-0
	check "without canonical name" "10.0.0.1" "$probe" plain 0 web-0
	check "alias" "web-0 10.0.0.1" "$probe" gai 0 www
	check "alias, one family" "10.0.0.1" "$probe" plain 4 www
	check "qualified" "web-0 10.0.0.1" "$probe" gai 0 web-0.cluster.internal
	check "upper case" "web-0 10.0.0.1" "$probe" gai 0 WEB-0
	check "trailing dot" "web-0 10.0.0.1" "$probe" gai 0 web-0.
	check "AF_INET6" "web-1 fd00::2" "$probe" gai 6 web-1
	check "IPv6 only" "six fd00::6" "$probe" gai 0 sechs
	check "gethostbyname" "web-0 www web-0.cluster.internal 10.0.0.1" "$probe" byname www
	check "gethostbyname_r" "web-0 www web-0.cluster.internal 10.0.0.1" "$probe" byname_r Www.
	check "gethostbyname2_r" "web-1 fd00::2" "$probe" byname2 6 web-1
	check "reverse" "web-1 10.0.0.2" "$probe" byaddr 10.0.0.2
	check "reverse IPv6" "six sechs fd00::6" "$probe" byaddr fd00::6
	check "reverse v4-mapped" "web-1 10.0.0.2" "$probe" byaddr ::ffff:10.0.0.2
	check "getnameinfo" "web-1" "$probe" nameinfo fd00::2
	check "getnameinfo, v4-mapped" "web-1" "$probe" nameinfo ::ffff:10.0.0.2
	check "as another user" "web-0 10.0.0.1" \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$probe" gai 0 web-0
	check "the list" 'lo-1 loop 127.0.0.9
six sechs fd00::6
web-0 www web-0.cluster.internal 10.0.0.1
web-1 10.0.0.2
web-1 fd00::2' "$probe" ents
}

mirror good
hits

# --- the table, through glibc, with nothing behind us
check "miss" EAI_NONAME "$probe" gai 0 nope
check "miss, IPv4" EAI_NONAME "$probe" gai 4 nope
check "miss, gethostbyname" HOST_NOT_FOUND "$probe" byname nope
check "miss, address" HOST_NOT_FOUND "$probe" byaddr 10.9.9.9
check "miss, getnameinfo" EAI_NONAME "$probe" nameinfo 10.9.9.9
check "other family" EAI_NODATA "$probe" gai 6 web-0
check "other family, IPv4" EAI_NODATA "$probe" gai 4 six
check "other family, gethostbyname2" NO_DATA "$probe" byname2 6 web-0
check "other family, gethostbyname" NO_DATA "$probe" byname six
check "outside our zones" NO_RECOVERY "$probe" byname www.example.com
check "inside our zones" HOST_NOT_FOUND "$probe" byname nope.cluster.internal
check "empty label" HOST_NOT_FOUND "$probe" byname a..b
check "two dots at the end" HOST_NOT_FOUND "$probe" byname web-0..
check "empty name" HOST_NOT_FOUND "$probe" byname ''
check "label of 64" HOST_NOT_FOUND "$probe" byname "${L63}a"
check "label of 63" HOST_NOT_FOUND "$probe" byname "$L63"
check "254 bytes" HOST_NOT_FOUND "$probe" byname "$L63.$L63.$L63.${L63#a}"
check "253 bytes" NO_RECOVERY "$probe" byname "$L63.$L63.$L63.${L63#aa}"
check "no descriptor left" EAI_AGAIN "$probe" -l gai 0 web-0
check "no descriptor left, gethostbyname2" TRY_AGAIN "$probe" -l byname2 4 web-0
check "no descriptor left, address" TRY_AGAIN "$probe" -l byaddr 10.0.0.1
for state in $broken; do
	mirror "$state"
	check "$state" EAI_NONAME "$probe" gai 0 web-0
	check "$state, one family" EAI_NONAME "$probe" gai 6 web-0
	check "$state, gethostbyname" NO_RECOVERY "$probe" byname web-0
	check "$state, gethostbyname2" NO_RECOVERY "$probe" byname2 6 web-0
	check "$state, address" NO_RECOVERY "$probe" byaddr 10.0.0.1
	check "$state, list" "" "$probe" ents
	# The sources behind us are asked in every way of asking.
	order aerostat files
	for kind in gai plain; do
		for af in 0 4; do
			want=10.77.0.1
			[ $kind = gai ] && want="from-files 10.77.0.1"
			check "$state, files behind, $kind $af" "$want" "$probe" $kind $af from-files
		done
	done
	check "$state, files behind, byname" "from-files 10.77.0.1" "$probe" byname from-files
	check "$state, files behind, address" "from-files 10.77.0.1" "$probe" byaddr 10.77.0.1
	order aerostat
done
mirror good
chmod 600 "$db"
check "unreadable" NO_RECOVERY \
	setpriv --reuid 65534 --regid 65534 --clear-groups "$probe" byname web-0
mirror good

# --- with dns behind us: who is asked
python3 "$(dirname "$0")/tiny_dns.py" 127.0.0.1 53 "$dir/dns.log" >"$dir/dns.out" 2>&1 &
pids=$!
i=0
while ! grep -qs ready "$dir/dns.out" && [ $i -lt 100 ]; do
	sleep 0.05
	i=$((i + 1))
done
grep -q ready "$dir/dns.out" || skip "no python3 for the name server"
order aerostat dns
check "plain chain: a miss goes on" "$by_dns" asked "$probe" plain 4 nope
check "plain chain: a hit does not" "10.0.0.1" asked "$probe" plain 4 web-0
for action in '[NOTFOUND=return]' '[!UNAVAIL=return]'; do
	order "aerostat $action dns"
	check "$action hit" "10.0.0.1" asked "$probe" plain 0 web-0
	check "$action miss" "$unasked" asked "$probe" plain 0 nope
	check "$action miss, IPv4" "$unasked" asked "$probe" plain 4 nope
	check "$action other family" EAI_NODATA asked "$probe" plain 6 web-0
	check "$action inside our zones" "$unasked" asked "$probe" plain 4 nope.cluster.internal
	check "$action outside" "$by_dns" asked "$probe" plain 4 www.example.com
	check "$action outside, AF_UNSPEC" "$by_dns" asked "$probe" plain 0 www.example.com
	check "$action empty label" "$unasked" asked "$probe" plain 4 a..b
	for state in $broken; do
		mirror "$state"
		check "$action $state" "$by_dns" asked "$probe" plain 4 web-0
		check "$action $state, AF_UNSPEC" "$by_dns" asked "$probe" plain 0 web-0
	done
	mirror good
done
check "[!UNAVAIL=return] no descriptor" EAI_AGAIN asked "$probe" -l plain 4 web-0

# --- a list in the middle of which a generation is published
order aerostat
cat >"$dir/change" <<END
#!/bin/sh
printf 'lo-1 127.0.0.9\nweb-0 10.0.1.1\nweb-00 10.0.1.3\nweb-2 10.0.1.2\n' |
	"$tool" "$db"
END
chmod +x "$dir/change"
check "a list over a publish" 'lo-1 loop 127.0.0.9
six sechs fd00::6
web-0 10.0.1.1
web-00 10.0.1.3
web-2 10.0.1.2' "$probe" ents 2 "$dir/change"
mirror good

# --- programs of the system
order files aerostat
program() { # NAME WHAT WANT COMMAND...
	name=$1
	shift
	if command -v "$name" >/dev/null; then
		check "$@"
	else
		echo "SKIP: no $name"
	fi
}
program getent "getent hosts" "10.0.0.1        web-0 www web-0.cluster.internal" getent hosts www
program getent "getent, IPv6 first" "fd00::2         web-1" getent hosts web-1
program getent "getent, an address" "fd00::6         six sechs" getent hosts fd00::6
program getent "getent, a miss" 2 sh -c 'getent hosts nope; echo $?'
program python3 "python3 socket" "('web-0', ['www', 'web-0.cluster.internal'], ['10.0.0.1'])" \
	python3 -c 'import socket; print(socket.gethostbyname_ex("www"))'
program python3 "python3 getfqdn" "web-0" \
	python3 -c 'import socket; print(socket.gethostbyaddr("10.0.0.1")[0])'
program ping "ping" "PING lo-1 (127.0.0.9) 56(84) bytes of data." \
	sh -c 'ping -c1 -W1 loop | head -1'
if command -v curl >/dev/null; then
	python3 -m http.server --bind 127.0.0.9 --directory "$dir/mods" 8099 >/dev/null 2>&1 &
	pids="$pids $!"
	check "curl" 200 curl -s --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null \
		-w '%{http_code}' http://loop:8099/
else
	echo "SKIP: no curl"
fi
program ssh "ssh" "debug1: Connecting to loop [127.0.0.9] port 2." \
	sh -c 'ssh -F none -v -o BatchMode=yes -p 2 loop 2>&1 | tr -d "\r" | grep Connecting'

# --- and without the module none of the hits hits
remove_module
order aerostat
expect=fail
before=$n
hits
echo "without the module: $((n - before)) checks, each must fail"

[ "$fails" = 0 ] && echo "ok: $n checks"
[ "$fails" = 0 ]
