# AERO_PROBE_FLAGS(VARIABLE, FLAGS): append to VARIABLE each of FLAGS that the compiler
# takes without a warning, by compiling and linking a small program.
AC_DEFUN([AERO_PROBE_FLAGS], [
  for aero_flag in $2; do
    AC_MSG_CHECKING([whether $CC takes $aero_flag])
    aero_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $aero_flag"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
      [AC_MSG_RESULT([yes]); $1="$$1 $aero_flag"], [AC_MSG_RESULT([no])])
    CFLAGS=$aero_saved_CFLAGS
  done
])

# AERO_SYSTEM_INCLUDES(PREFIX): turn -I into -isystem in PREFIX_CFLAGS, so that our
# warnings judge our headers only.
AC_DEFUN([AERO_SYSTEM_INCLUDES], [
  $1_CFLAGS=`echo " $$1_CFLAGS" | sed 's/ -I/ -isystem /g'`
])
