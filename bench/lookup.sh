#!/bin/sh
# What a look-up costs: the module against glibc's files and against a module that
# answers at once, in one run. Needs root (a private mount namespace).
# bench/lookup.sh [SIZE...]
top_builddir=${top_builddir:-$PWD}
export top_builddir
if [ -z "$AERO_INSIDE" ]; then
	AERO_INSIDE=1 exec unshare -m "$0" "$@"
fi
[ $# -gt 0 ] || set -- 10 1000 10000 100000
mount -t tmpfs -o mode=755 tmpfs /var/lib && mkdir /var/lib/aerostat /var/lib/mods || exit 99
for name in nsswitch.conf hosts; do
	: >"/var/lib/$name"
	mount --bind "/var/lib/$name" "$(readlink -f /etc/$name)" || exit 99
done
for name in nss/.libs/libnss_aerostat bench/.libs/libnss_aeronull; do
	cp -L "$top_builddir/$name.so.2" /var/lib/mods/ || exit 99
done
cp "$top_builddir/bench/lookup" /var/lib/ || exit 99
LD_LIBRARY_PATH=/var/lib/mods
export LD_LIBRARY_PATH
measure() { # SOURCE N CALLS KIND
	echo "hosts: $1" >/etc/nsswitch.conf
	/var/lib/lookup "$2" "$3" "$4"
}
printf '%-9s %8s %8s %8s %8s %8s %8s %8s %8s\n' hosts files null hit miss reverse \
	2threads hit/null files/hit
for n in "$@"; do
	awk -v n="$n" 'BEGIN { for (i = 0; i < n; i++)
		printf "web-%d 10.%d.%d.%d www%d app%d\n", i, i / 65536, i / 256 % 256, i % 256, i, i }' \
		>/var/lib/lines
	"$top_builddir/tests/publish_tool" /var/lib/aerostat/hosts.mdb </var/lib/lines || exit 99
	awk '{ print $2, $1, $3, $4 }' /var/lib/lines >/etc/hosts
	files=$(measure files "$n" $((200000 / n + 10)) hit)
	: >/etc/hosts
	null=$(measure aeronull "$n" 50000 hit)
	hit=$(measure aerostat "$n" 20000 hit)
	miss=$(measure aerostat "$n" 20000 miss)
	reverse=$(measure aerostat "$n" 20000 reverse)
	two=$(measure aerostat "$n" 20000 threads)
	echo "$n $files $null $hit $miss $reverse $two" | awk '{
		printf "%-9s %8s %8s %8s %8s %8s %8s %8.2f %8.1f\n",
			$1, $2, $3, $4, $5, $6, $7, $4 / $3, $2 / $4 }'
done
