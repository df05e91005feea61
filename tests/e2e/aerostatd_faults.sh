#!/bin/bash
# SPDX-License-Identifier: MIT
# aerostatd and an EC2 in trouble, each fault by itself: no name goes, the operator reads
# what it is, and the next good pass does its work. The rows are in aerostatd_faults.py.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
need_mongod
command -v openssl >/dev/null || skip "no openssl: apt-get install openssl"
private_ns

authority ca
authority self
for name in good:IP:127.0.0.1:2 other:DNS:ec2.example:2 late:IP:127.0.0.1:-1; do
	names=${name#*:}
	certificate "${name%%:*}" ca /O=aerostat/CN=ec2 "${names%:*}" "${name##*:}"
done
cat "$pki/self.key" >>"$pki/self.pem"
mkdir -p /etc/ssl/certs
cat "$pki/ca.pem" >>/etc/ssl/certs/ca-certificates.crt

start_replica_set >/dev/null
/usr/bin/python3 "$e2e_dir/aerostatd_faults.py" "$mongo_uri" "$test_dir" \
	"$top_srcdir/tests/ec2_server.py" "$(by_length quick long)" "$@" || fail "see above"
pass
