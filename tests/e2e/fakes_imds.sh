#!/bin/bash
# SPDX-License-Identifier: MIT
# Our scripted metadata service is read by AWS's own client.
. "${0%/*}/lib.sh"

python=$("$top_srcdir/scripts/moto" ${AEROSTAT_TEST_NO_DOWNLOAD:+--cached} \
	2>"$test_dir/need") || skip "no boto3: $(tail -n 1 "$test_dir/need")"
for variable in "${!AWS_@}"; do
	unset "$variable"
done
"$python" "$e2e_dir/fakes_imds.py" "$top_srcdir/tests" || fail "a fake is not what it should be"

pass
