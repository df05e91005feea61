#!/bin/bash
# SPDX-License-Identifier: MIT
# A node and AWS's own mock of the metadata service: tokens, identity document, tags, IPv6.
. "${0%/*}/lib.sh"

mock=$("$top_srcdir/scripts/ec2-metadata-mock" ${AEROSTAT_TEST_NO_DOWNLOAD:+--cached} \
	2>"$test_dir/need") || skip_go "no ec2-metadata-mock: $(tail -n 1 "$test_dir/need")"

# serve NAME HOST CONFIG [OPTION...]: the mock's configuration is merged into its defaults
serve()
{
	local name=$1 host=$2 config=$3
	shift 3
	port=$(free_ports 1)
	endpoint=http://$host:$port
	echo "$config" >"$test_dir/$name.json"
	HOME=$test_dir spawn "$name" "$mock" -n "$host" -p "$port" -c "$test_dir/$name.json" "$@"
	wait_until 20 "$name on port $port" curl -sg -o "$test_dir/curl.out" "$endpoint/latest/meta-data/"
}

# would OPTION...: the line of a dry run
would()
{
	aerostat-register --server="lmdb:$test_dir/names.mdb" --root="$test_dir/root" --dryrun \
		--loglevel=ERROR --metadata-endpoint="$endpoint" "$@" | sed 's/^dry run: would register //'
}

# refused_with CODE WORDS OPTION...
refused_with()
{
	local code=$1 words=$2
	shift 2
	refuses "$code" would "$@"
	grep -qF -- "$words" "$test_dir/refused" || fail "$words: $(cat "$test_dir/refused")"
}

# Its two tags may be called anything, and stand anywhere.
tags='{"metadata": {
	"paths": {"tags-instance-name": "/latest/meta-data/tags/instance/aerostat-service",
		"tags-instance-test": "/latest/meta-data/tags/instance/aerostat-aliases"},
	"values": {"tags-instance-name": "web", "tags-instance-test": "www, Api"}}}'

serve required 127.0.0.1 "$tags" --imdsv2
equal "without a token" 401 \
	"$(curl -s -o "$test_dir/curl.out" -w '%{http_code}' "$endpoint/latest/meta-data/instance-id")"
equal "identity document" "app-0 (new) i-1234567890abcdef0 10.0.7.10" "$(would --service=app)"
equal "tags" "web-0 (new) i-1234567890abcdef0 10.0.7.10 aliases www,api" \
	"$(would --info-source=tags)"
equal "version 1 allowed" "web-0 (new) i-1234567890abcdef0 10.0.7.10 aliases www,api" \
	"$(would --info-source=tags --metadata-v1)"

# Both versions, and no privateIp in the document: the paths that the original asks.
serve paths '[::1]' '{"dynamic": {"values": {"instance-identity-document": {
	"instanceId": "i-1234567890abcdef0", "privateIp": ""}}}}'
equal "paths, by IPv6" "app-0 (new) i-1234567890abcdef0 172.16.34.43" "$(would --service=app)"
refused_with 78 "no tag aerostat-service: aws ec2 create-tags" --info-source=tags

serve untagged 127.0.0.1 '{"metadata": {"paths": {"tags-instance-name": "/latest/meta-data/a",
	"tags-instance-test": "/latest/meta-data/b"}}}' --imdsv2
refused_with 78 "--instance-metadata-tags enabled" --info-source=tags

pass
