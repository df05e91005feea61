#!/bin/sh
# A million look-ups from threads and processes under a hundred publications a second.
top_builddir=${top_builddir:-$PWD}
export top_builddir

skip() {
	echo "SKIP: $*"
	[ "$AEROSTAT_TEST_STRICT" = 1 ] && exit 99
	exit 77
}

if [ -z "$AERO_INSIDE" ]; then
	[ "$(id -u)" = 0 ] || skip "needs root"
	unshare -m true 2>/dev/null || skip "no namespaces here"
	nm -D "$top_builddir/nss/.libs/libnss_aerostat.so.2" | grep -E ' __(asan|ubsan|tsan)_' >/dev/null &&
		skip "a build with sanitizers"
	AERO_INSIDE=1 exec unshare -m "$0" "$@"
fi
# The whole /var/lib of this namespace is a scratch folder.
mount -t tmpfs -o mode=755 tmpfs /var/lib && mkdir /var/lib/aerostat || exit 99
mkdir /var/lib/etc && cp -a /etc/. /var/lib/etc/ && rm -f /var/lib/etc/nsswitch.conf || exit 99
echo 'hosts: aerostat' >/var/lib/etc/nsswitch.conf
mount --bind /var/lib/etc /etc || exit 99
mkdir /var/lib/mods
cp -L "$top_builddir/nss/.libs/libnss_aerostat.so.2" /var/lib/mods/ || exit 99
LD_LIBRARY_PATH=/var/lib/mods "$top_builddir/tests/hammer" /var/lib/aerostat/hosts.mdb "$@"
