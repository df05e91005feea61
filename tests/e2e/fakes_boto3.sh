#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/ec2_server.py and tests/imds_server.py, read by boto3: each fault is to a real client
# what it is to ours.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"

moto_python=$("$top_srcdir/scripts/moto" ${AEROSTAT_TEST_NO_DOWNLOAD:+--cached} \
	2>"$test_dir/need") || skip "no boto3: $(tail -n 1 "$test_dir/need")"
command -v openssl >/dev/null || skip "no openssl: apt-get install openssl"
authority self
cat "$pki/self.key" >>"$pki/self.pem"
"$moto_python" "$e2e_dir/fakes_boto3.py" "$test_dir" "$top_srcdir/tests" || fail "see above"
pass
