#!/bin/bash
# SPDX-License-Identifier: MIT
# TLS: authorities, certificates and names that are right and wrong, X.509 users as
# doc/mongodb.md makes them, certificates renewed under a daemon.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/e2e/net_lib.sh
. "${0%/*}/net_lib.sh"
need_mongod
command -v openssl >/dev/null || skip "no openssl: apt-get install openssl"
private_ns net
# shellcheck source=tests/e2e/syncd_lib.sh
. "$e2e_dir/syncd_lib.sh"

authority ca
authority other
servers=/O=aerostat/OU=servers/CN=db
certificate db ca $servers "DNS:db.example,IP:127.0.0.2,IP:127.0.0.6" 2
certificate expired ca $servers IP:127.0.0.3 -1
certificate node ca /O=aerostat/OU=nodes/CN=node "" 2
certificate stranger ca /O=aerostat/OU=nodes/CN=stranger "" 2
certificate late ca /O=aerostat/OU=nodes/CN=node "" -1
certificate foreign other /O=aerostat/OU=nodes/CN=node "" 2
cat "$pki/node.crt" "$pki/stranger.key" >"$pki/mixed.pem"
(
	umask 077
	head -c 48 /dev/urandom | base64 -w 0 >"$test_dir/key"
)

# --- servers: with TLS, without, one with an expired certificate -----------------------

echo '127.0.0.2 db.example' >>/etc/hosts
tls=(--tlsMode requireTLS --tlsCertificateKeyFile "$pki/db.pem" --tlsCAFile "$pki/ca.pem"
	--replSet aero --keyFile "$test_dir/key")
db db 127.0.0.2,127.0.0.4 "${tls[@]}" --tlsAllowConnectionsWithoutCertificates
db plain 127.0.0.5
db strict 127.0.0.6 "${tls[@]:0:6}"
spawn expired openssl s_server -accept 127.0.0.3:27017 -cert "$pki/expired.crt" \
	-key "$pki/expired.key" -quiet
mongo_uri="mongodb://127.0.0.2/?directConnection=true&tls=true&tlsCAFile=$pki/ca.pem"
mongo command '{"replSetInitiate": {"_id": "aero", "members": [{"_id": 0, "host": "db.example:27017"}]}}' >/dev/null
mongo primary >/dev/null
wait_until 20 "the first user" mongo command '{"createUser": "root", "pwd": "secret", "roles": ["root"]}'
mongo_uri="mongodb://root:secret@127.0.0.2/?directConnection=true&authSource=admin&tls=true&tlsCAFile=$pki/ca.pem"
documented()
{
	/usr/bin/python3 "$e2e_dir/doc_commands.py" "$top_srcdir/doc/mongodb.md" "$mongo_uri" \
		aerostat "$@" >>"$test_dir/made"
}
documented
documented 'CN=node'
equal "the documented X.509 user" 1 "$(grep -c 'createUser CN=node,OU=nodes,O=aerostat' "$test_dir/made")"
equal "its subject, as openssl prints it" "subject=CN=node,OU=nodes,O=aerostat" \
	"$(openssl x509 -in "$pki/node.pem" -noout -subject -nameopt RFC2253)"
mongo insert servers '{"hostname": "web-0", "ip": "10.1.0.1"}'

# --- what can be wrong -----------------------------------------------------------------

cases=0
# says CODE WORDS HOST OPTION...: side by side; an option is one of the URI.
says()
{
	local code=$1 words=$2 uri="mongodb://$3/aerostat?serverSelectionTimeoutMS=4000&connectTimeoutMS=1500"
	shift 3
	cases=$((cases + 1))
	for option; do
		uri+="&$option"
	done
	printf '%s\n' "$code" "$words" >"$test_dir/case-$cases"
	(
		umask 077
		echo "$uri" >"$test_dir/uri-$cases"
	)
	spawn "said-$cases" aerostat list --server-file="$test_dir/uri-$cases"
}
judge()
{
	local i code words uri got begun=$EPOCHREALTIME
	for ((i = 1; i <= cases; i++)); do
		{ read -r code && read -r words; } <"$test_dir/case-$i"
		uri="case $i, $(sed 's/.*@//' "$test_dir/uri-$i")"
		got=0
		wait "$(pid_of "said-$i")" || got=$?
		rm -f "$test_dir/.pids/said-$i"
		equal "$uri: exit; $(cat "$test_dir/said-$i.log")" "$code" "$got"
		grep -qF -- "$words" "$test_dir/said-$i.log" ||
			fail "$uri: no '$words' in: $(cat "$test_dir/said-$i.log")"
		[ "$code" = 0 ] || equal "$uri: lines" 1 "$(wc -l <"$test_dir/said-$i.log")"
		! grep -q change-me "$test_dir/said-$i.log" || fail "a password: $(cat "$test_dir/said-$i.log")"
	done
	note "$cases cases of TLS judged within $(ms_since "$begun") ms"
}
ca="tls=true tlsCAFile=$pki/ca.pem"
x509="$ca authMechanism=MONGODB-X509 authSource=\$external"
user=aero-sync:change-me-sync@
# shellcheck disable=SC2086 # words
{
	says 0 web-0 "${user}127.0.0.2" $ca
	says 0 web-0 "${user}db.example" $ca replicaSet=aero
	says 69 "tlsCAFile must hold the authority" "${user}127.0.0.2" tls=true "tlsCAFile=$pki/other.pem"
	says 69 "tlsCAFile must hold the authority" "${user}127.0.0.2" tls=true
	says 69 "must hold the address by which it is called" "${user}127.0.0.4" $ca
	says 69 "certificate has expired]; the server needs a new certificate" 127.0.0.3 $ca
	says 69 "does this server speak TLS" 127.0.0.5 $ca
	says 69 "wants TLS (tls=true)" 127.0.0.2
	says 78 "tlsCAFile: '$pki/none.pem' does not exist" 127.0.0.2 tls=true "tlsCAFile=$pki/none.pem"
	says 78 "'/etc/passwd': no PEM file with a certificate" 127.0.0.2 tls=true tlsCAFile=/etc/passwd
	says 78 "tlsCertificateKeyFile: '$pki/none.pem' does not exist" 127.0.0.2 $ca "tlsCertificateKeyFile=$pki/none.pem"
	says 78 "no PEM file with a certificate and its key" 127.0.0.2 $ca "tlsCertificateKeyFile=$pki/node.crt"
	says 69 "the key that of the certificate" 127.0.0.2 $ca "tlsCertificateKeyFile=$pki/mixed.pem"
	# a server that wants a certificate from all
	says 69 "refuses our certificate" 127.0.0.6 $ca
	says 0 "" 127.0.0.6 $ca "tlsCertificateKeyFile=$pki/node.pem"
	# certificates as users
	says 0 web-0 127.0.0.2 $x509 "tlsCertificateKeyFile=$pki/node.pem"
	says 0 web-0 CN=node,OU=nodes,O=aerostat@127.0.0.2 $x509 "tlsCertificateKeyFile=$pki/node.pem"
	says 77 "authentication failed" 127.0.0.2 $x509 "tlsCertificateKeyFile=$pki/stranger.pem"
	says 77 "authentication failed" 127.0.0.2 $x509
	says 69 "refuses our certificate" 127.0.0.2 $x509 "tlsCertificateKeyFile=$pki/late.pem"
	says 69 "refuses our certificate" 127.0.0.2 $x509 "tlsCertificateKeyFile=$pki/foreign.pem"
}
judge

# --- renewed under the daemon ----------------------------------------------------------

server="mongodb://db.example/aerostat?replicaSet=aero&$(tr ' ' '&' <<<"$x509")&tlsCertificateKeyFile=$pki/node.pem"
daemon
wait_until 20 "the stream" status_is mode stream
equal "by its certificate" 10.1.0.1 "$(address_of web-0)"
# Everything is new: authority, the server's certificate, the node's. The server first:
# until the node's files follow, it is refused, serves what it has, and rests.
mv "$pki/ca.pem" "$pki/ca-old.pem"
cp "$pki/node.pem" "$pki/node-old.pem"
authority new
certificate db new $servers "DNS:db.example,IP:127.0.0.2,IP:127.0.0.6" 2
cp "$pki/new.pem" "$pki/ca-server.pem"
tls[5]=$pki/ca-server.pem
stop db
cp "$pki/ca-old.pem" "$pki/ca.pem"
db db 127.0.0.2,127.0.0.4 "${tls[@]}" --tlsAllowConnectionsWithoutCertificates
wait_until 40 "the refusal" grep -q 'tlsCAFile must hold the authority' "$test_dir/syncd.log"
cpu=$(cpu_ticks syncd)
lines=$(log_lines syncd)
before=$(status_of reconnects)
seconds=$(by_length 5 60)
sleep "$seconds"
quiet_since syncd "$cpu" "refused for its old authority" "$seconds"
note "attempts in $seconds s: $(($(status_of reconnects) - before)), lines: $(($(log_lines syncd) - lines))"
[ $(($(log_lines syncd) - lines)) -le 6 ] || fail "too many lines"
equal "served" 10.1.0.1 "$(address_of web-0)"
certificate node new /O=aerostat/OU=nodes/CN=node "" 2
cp "$pki/new.pem" "$pki/ca.new"
mv "$pki/ca.new" "$pki/ca.pem"
begun=$EPOCHREALTIME
mongo insert servers '{"hostname": "web-1", "ip": "10.1.0.2"}'
wait_until 60 "the stream by new certificates" resolves web-1 10.1.0.2
note "new authority and certificates in place: followed after $(ms_since "$begun") ms, no restart"
took=$(ms_of stop syncd)
[ "$took" -lt 4000 ] || fail "SIGTERM took $took ms"
pass
