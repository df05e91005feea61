#!/bin/sh
# The module as a binary: what it exports, needs and may write to.
so=${1:-${top_builddir:-.}/nss/.libs/libnss_aerostat.so.2}
fails=0

same() { # WHAT WANT GOT
	if [ "$2" = "$3" ]; then
		echo "ok: $1"
	else
		printf 'FAILED: %s\nwant: %s\ngot:  %s\n' "$1" "$2" "$3"
		fails=1
	fi
}

[ -f "$so" ] || { echo "SKIP: no $so"; exit 77; }
if nm -D --undefined-only "$so" | grep -E '__(asan|ubsan|tsan|msan|sanitizer|gcov|llvm)' >/dev/null; then
	echo "SKIP: a build with sanitizers or coverage"
	exit 77
fi

want="endhostent gethostbyaddr2_r gethostbyaddr_r gethostbyname2_r gethostbyname3_r"
want="$want gethostbyname4_r gethostbyname_r gethostent_r sethostent"
# shellcheck disable=SC2086 # words
want=$(printf '_nss_aerostat_%s ' $want)
same "exports the nine" "$want" \
	"$(nm -D --defined-only "$so" | awk '{print $3}' | LC_ALL=C sort | tr '\n' ' ')"
same "needs libc alone" "libc.so.6" \
	"$(readelf -d "$so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ' | sed 's/ $//')"
same "soname" "libnss_aerostat.so.2" \
	"$(readelf -d "$so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')"
same "no thread-local storage" "" "$(readelf -lW "$so" | grep -w TLS)"
same "no executable stack" "" "$(readelf -lW "$so" | grep GNU_STACK | grep RWE)"
# Symbols in .data and .bss: the enumeration's place; the rest is the linker's.
same "one writable object" "list" \
	"$(nm "$so" | awk '$2 ~ /^[bBdDgGsS]$/ {print $3}' |
		grep -Ev '^(_DYNAMIC|_GLOBAL_OFFSET_TABLE_|__dso_handle|completed\.[0-9]+|__TMC_END__|__(frame_dummy_init|do_global_dtors_aux_fini)_array_entry|__bss_start|_edata|_end)$' |
		LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')"
# What the libc gives it: a list to add to with thought.
allowed='__cxa_finalize __errno_location __gmon_start__ __stack_chk_fail _ITM_deregisterTMCloneTable
_ITM_registerTMCloneTable close fstat __fxstat memchr memcmp memcpy memset open open64 pread pread64
fstat64 pthread_setcancelstate strlen bcmp __memcpy_chk __memset_chk __pread_chk __pread64_chk
__open_2 __open64_2 __fdelt_chk __strlen_chk'
unknown=
for symbol in $(nm -D --undefined-only "$so" | awk '{print $2}' | sed 's/@.*//'); do
	case " $(echo "$allowed" | tr '\n' ' ') " in
	*" $symbol "*) ;;
	*) unknown="$unknown $symbol" ;;
	esac
done
same "no unknown function of libc" "" "$unknown"
size=$(stat -L -c %s "$so")
echo "size: $size bytes"
exit $fails
