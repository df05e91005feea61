#!/bin/bash
# SPDX-License-Identifier: MIT
# The switches that leave out a rule of the protocol (register/mutant.h) are in the build
# of the tests alone: nothing of them is in the objects that are shipped.
set -euo pipefail

top=${top_builddir:-.}
symbols()
{
	nm "$@" | grep -c ' aero_mutant$'
}

shipped=$(find "$top/register" -path '*/.libs/libaero_register.a')
[ -n "$shipped" ] || { echo "no library of register/ in $top"; exit 1; }
if found=$(symbols "$shipped"); then
	echo "$shipped: $found references to aero_mutant"
	exit 1
fi
# And this looks for the right thing.
if ! symbols "$top"/register/tests_test_search_mutants-claim.o >/dev/null; then
	echo "no aero_mutant in the test build of register/"
	exit 1
fi
