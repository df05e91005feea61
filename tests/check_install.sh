#!/bin/bash
# SPDX-License-Identifier: MIT
# make install DESTDIR=D lays down the right files with the right modes, and writes
# nowhere else: everything outside D and the build is read-only meanwhile.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/e2e/lib.sh"

dest=$test_dir/dest
var()
{
	make -s --no-print-directory -C "$top_builddir" --eval="print-$1: ; @echo \$($1)" "print-$1"
}

# In a mount namespace: all read-only but the build and $test_dir.
install_readonly()
{
	local dir
	for dir in "$top_builddir" "$test_dir"; do
		mount --bind "$dir" "$dir"
	done
	while read -r _ _ _ _ dir _; do
		case $dir in
		/proc* | /sys* | /dev* | "$top_builddir" | "$test_dir") ;;
		*) mount -o remount,ro,bind "$dir" 2>/dev/null || : ;;
		esac
	done </proc/self/mountinfo
	if touch /usr/aerostat-probe 2>/dev/null; then
		rm -f /usr/aerostat-probe
		echo "/usr is writable: this proves nothing"
		return 1
	fi
	TMPDIR=$test_dir make -C "$top_builddir" install DESTDIR="$test_dir/dest"
}

make -s -C "$top_builddir" all >"$test_dir/make.log" 2>&1 || fail "make"
top_builddir=$(cd "$top_builddir" && pwd -P)
test_dir=$(cd "$test_dir" && pwd -P)
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	export test_dir
	unshare -m --propagation private "$BASH" -euc \
		"$(declare -f install_readonly); install_readonly" >"$test_dir/install.log" 2>&1 ||
		fail "make install, with all else read-only"
else
	note "no mount namespace here: that it writes nowhere else is not shown"
	make -C "$top_builddir" install DESTDIR="$dest" >"$test_dir/install.log" 2>&1
fi

bindir=$(var bindir) sbindir=$(var sbindir) nssdir=$(var nssdir) mandir=$(var mandir)
libdir=$(var libdir) datadir=$(var datadir) includedir=$(var includedir)
wanted="$nssdir/libnss_aerostat.so.2
$bindir/aerostat
$sbindir/aerostat-register
$sbindir/aerostat-syncd
$mandir/man8/aerostat.8
$mandir/man5/aerostat.conf.5"
while read -r path; do
	file=$dest$path
	case $path in
	"$sbindir"/*) [ -e "$file" ] || file=$dest$bindir/${path##*/} ;;
	esac
	[ -f "$file" ] || fail "$path is not installed"
	case $path in
	"$bindir"/* | "$sbindir"/*) equal "mode of $path" 755 "$(stat -c %a "$file")" ;;
	*.5 | *.8) equal "mode of $path" 644 "$(stat -c %a "$file")" ;;
	esac
done <<<"$wanted"

while read -r path; do
	case $path in
	"$bindir"/aerostat* | "$sbindir"/aerostat* | "$mandir"/man?/* | \
		"$nssdir"/libnss_aerostat.so.2 | "$libdir"/libaerostat.* | \
		"$libdir"/pkgconfig/* | "$datadir"/* | "$includedir"/aerostat.h | \
		*/systemd/system/*.service) ;;
	*) fail "$path is installed, but this test knows of no such file" ;;
	esac
done < <(cd "$dest" && find . \( -type f -o -type l \) -printf '/%P\n')
[ ! -e "$dest/etc" ] || fail "/etc is the administrator's"
! find "$dest" -perm /6022 ! -type l | grep . || fail "these are setuid or writable by others"
pass
