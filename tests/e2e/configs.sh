#!/bin/bash
# SPDX-License-Identifier: MIT
# Configuration files: documents of another client, as the Python program wrote them, become
# files of a node, whole, with owner and mode; what could do harm does not. And from a git
# repository into such documents.
# shellcheck source=tests/e2e/lib.sh
. "${0%/*}/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root: owners"
private_ns net
start_standalone
root=$test_dir/root
mkdir -p "$root/etc"
printf 'root:x:0:0::/:/bin/sh\napp:x:4321:4322::/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\napp:x:4322:\n' >"$root/etc/group"
echo 'web iterative' >"$root/etc/aerostat_info"

u()
{
	aerostat --root="$root" --server="$mongo_uri" --update-configs "$@"
}

config()
{
	MONGO_DB=configs mongo insert "$@"
}

# has FILE TEXT OWNER MODE
has()
{
	equal "$1" "$2" "$(cat "$root$1")"
	equal "owner and mode of $1" "$3 $4" "$(stat -c '%u:%g %a' "$root$1")"
}

note "nothing there"
equal "no files" "0 files of web, 0 written, 0 refused" "$(u)"

note "files"
config web '{"name": "web.conf", "contents": "one\n"}' \
	'{"name": "key", "contents": "k\n", "path": "/etc/app/d/key", "owner": "app",
	  "group": "app", "mode": "0600"}' \
	'{"name": "blob", "contents": {"$binary": {"base64": "AP8K", "subType": "00"}}}'
config db '{"name": "db.conf", "contents": "not ours\n"}'
rm -r "$root/run"
u --dryrun >"$test_dir/dry"
grep -qx '+one' "$test_dir/dry" || fail "$(cat "$test_dir/dry")"
equal "dry run" "dry run: 3 files of web, 3 to write, 0 refused, nothing written" \
	"$(tail -n 1 "$test_dir/dry")"
[ ! -e "$root/etc/web.conf" ] && [ ! -e "$root/etc/app" ] || fail "a dry run wrote"
[ ! -e "$root/run" ] || fail "a dry run took a lock"
equal "first" "wrote /etc/app/d/key app:app 0600 (new)
wrote /etc/blob root:root 0644 (new)
wrote /etc/web.conf root:root 0644 (new)
3 files of web, 3 written, 0 refused" "$(u)"
has /etc/web.conf one 0:0 644
has /etc/app/d/key k 4321:4322 600
equal "bytes" 00ff0a "$(od -An -tx1 "$root/etc/blob" | tr -d ' ')"
before=$(stat -c '%i %Y %Z' "$root/etc/web.conf")
equal "again" "3 files of web, 0 written, 0 refused" "$(u)"
equal "untouched" "$before" "$(stat -c '%i %Y %Z' "$root/etc/web.conf")"
echo two >"$root/etc/web.conf"
chmod 644 "$root/etc/app/d/key"
equal "one of two" "wrote /etc/web.conf root:root 0644 (changed)
1 file of web, 1 written, 0 refused" "$(u --configs "web.conf")"
equal "the other" "wrote /etc/app/d/key app:app 0600 (owner or mode)
2 files of web, 1 written, 0 refused" "$(u --configs "key blob")"
refuses 1 u --configs "web.conf nosuch"
grep -q "web has no file 'nosuch'" "$test_dir/refused" || fail "$(cat "$test_dir/refused")"

note "what could do harm"
mkdir "$test_dir/outside"
ln -s "$test_dir/outside" "$root/etc/link"
config web '{"name": "up", "contents": "x", "path": "/etc/../up"}' \
	'{"name": "../up", "contents": "x"}' \
	'{"name": "through", "contents": "x", "path": "/etc/link/x"}' \
	'{"name": "over", "contents": "x", "path": "/etc/link"}' \
	'{"name": "suid", "contents": "x", "mode": "4755"}' \
	'{"name": "all", "contents": "x", "mode": "0666"}' \
	'{"name": "who", "contents": "x", "owner": "nobody-here"}' \
	'{"name": "twin", "contents": "x", "path": "/etc/web.conf"}' \
	'{"name": "template", "contents": "{{ hostname }}", "keywords": ["hostname"]}' \
	'{"name": "last", "contents": "last\n"}' '{"contents": 1}'
refuses 1 u
equal "harm" 10 "$(grep -c 'left alone: ' "$test_dir/refused")"
grep -q '10 left alone, the first: ' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
has /etc/last last 0:0 644
equal "outside" "" "$(ls "$test_dir/outside")"
equal "files" "aerostat_info app blob group last link passwd web.conf" \
	"$(find "$root/etc" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs)"
[ -L "$root/etc/link" ] || fail "the link was replaced"
[ ! -e "$root/up" ] || fail "a path led upwards"

note "stores"
refuses 78 aerostat --root="$root" --server="lmdb:$test_dir/x" --update-configs
grep -q 'through MongoDB' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
[ ! -e "$test_dir/x" ] || fail "a store was made"
refuses 69 aerostat --root="$root" --server=127.0.0.1:1 --update-configs
rm "$root/etc/aerostat_info"
refuses 78 u
equal "by flag" "wrote /etc/db.conf root:root 0644 (new)
1 file of db, 1 written, 0 refused" "$(u --service=db)"

note "from git to the node"
command -v git >/dev/null || skip "no git: apt-get install git"
tool=$top_builddir/tests/configs_tool
[ -x "$tool" ] || make -s -C "$top_builddir" tests/configs_tool
work=$test_dir/work
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.com GIT_COMMITTER_NAME=t \
	GIT_COMMITTER_EMAIL=t@example.com GIT_CONFIG_GLOBAL=/dev/null
pull()
{
	"$tool" --root="$test_dir/server" --server="$mongo_uri" --repo-path="$test_dir/clone" \
		--remote-repo-url="file://$test_dir/repo.git" "$@" 2>"$test_dir/pull.err"
}
push()
{
	git -C "$work" add -A
	git -C "$work" commit -qm "$1"
	git -C "$work" push -q origin HEAD:master 2>"$test_dir/push.err" ||
		fail "$(cat "$test_dir/push.err")"
}
refuses 78 "$tool" --server="$mongo_uri" --repo-path="$test_dir/clone" \
	--remote-repo-url="file://$test_dir/repo.git"
grep -q "does not appear to be a git repository" "$test_dir/refused" ||
	fail "$(cat "$test_dir/refused")"
git init -q --bare -b master "$test_dir/repo.git"
git init -q -b master "$work"
git -C "$work" remote add origin "$test_dir/repo.git"
mkdir "$work/site" "$work/other"
echo one >"$work/site/site.conf"
printf '\0\377' >"$work/site/bytes"
echo secret >"$work/site/secret"
printf "path: /etc/site/secret\nowner: app\ngroup: app\nmode: '0600'\n" \
	>"$work/site/secret.meta"
echo gone >"$work/other/gone"
echo text >"$work/README"
push first
# What another client put there stays; what it shares with the repository is taken over.
config site '{"name": "byhand", "contents": "h\n"}' \
	'{"name": "site.conf", "contents": "old\n", "note": "kept"}'
equal "first pull" "4 files, 4 written, 0 deleted, 0 refused" "$(pull)"
equal "mode of the clone" 700 "$(stat -c %a "$test_dir/clone")"
equal "again" "4 files, 0 written, 0 deleted, 0 refused" "$(pull)"
equal "taken over" "one kept" "$(MONGO_DB=configs mongo find site '{"name": "site.conf"}' |
	python3 -c 'import json, sys
d = json.load(sys.stdin); d = d[0] if isinstance(d, list) else d
print(d["contents"].strip(), d["note"])')"
u --service=site >"$test_dir/out"
equal "on the node" "4 files of site, 4 written, 0 refused" "$(tail -n 1 "$test_dir/out")"
has /etc/site.conf one 0:0 644
has /etc/site/secret secret 4321:4322 600
cmp "$root/etc/bytes" "$work/site/bytes"

echo two >"$work/site/site.conf"
rm -r "$work/site/bytes" "$work/other"
push second
equal "dry run" "4 files, 0 written, 0 deleted, 0 refused" "$(pull --dryrun)"
equal "a change and two deletions" "2 files, 1 written, 2 deleted, 0 refused" "$(pull)"
equal "left of other" 0 "$(MONGO_DB=configs mongo count other)"
equal "left of site" 3 "$(MONGO_DB=configs mongo count site)"
u --service=site >/dev/null
has /etc/site.conf two 0:0 644

note "what is in the clone and not in the repository"
echo mine >"$test_dir/clone/site/intruder"
echo mine >"$test_dir/clone/site/site.conf"
touch "$test_dir/clone/.git/index.lock" "$test_dir/clone/.git/shallow.lock"
equal "swept" "2 files, 0 written, 0 deleted, 0 refused" "$(pull)"

note "a file that is left out deletes nothing"
rm "$work/site/secret" "$work/site/secret.meta"
ln -s /etc/shadow "$work/site/link"
push third
equal "link" "1 files, 0 written, 0 deleted, 1 refused" "$(pull)"
grep -q 'left out: site/link: a symbolic link' "$test_dir/pull.err" ||
	fail "$(cat "$test_dir/pull.err")"
rm "$work/site/link"
push fourth
equal "without it" "1 files, 0 written, 1 deleted, 0 refused" "$(pull)"
git -C "$work" rm -qr site
push empty
refuses 1 "$tool" --root="$test_dir/server" --server="$mongo_uri" \
	--repo-path="$test_dir/clone" --remote-repo-url="file://$test_dir/repo.git"
grep -q 'nothing is deleted' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
equal "left of site" 2 "$(MONGO_DB=configs mongo count site)"

note "a history that was rewritten, a dead server, a URL with a password"
rm -rf "$work/.git"
git init -q -b master "$work"
git -C "$work" remote add origin "$test_dir/repo.git"
mkdir "$work/site"
echo anew >"$work/site/site.conf"
git -C "$work" add -A
git -C "$work" commit -qm anew
git -C "$work" push -qf origin HEAD:master 2>/dev/null
equal "rewritten" "1 files, 1 written, 0 deleted, 0 refused" "$(pull)"
refuses 78 "$tool" --server="$mongo_uri" --repo-path="$test_dir/clone" \
	--remote-repo-url=http://me:s3cret@127.0.0.1:1/x.git
! grep -q s3cret "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
grep -q 'unable to access' "$test_dir/refused" || fail "$(cat "$test_dir/refused")"
refuses 69 "$tool" --server=127.0.0.1:1 --repo-path="$test_dir/clone" \
	--remote-repo-url="file://$test_dir/repo.git"

note "by ssh, with the key"
# An ssh that notes what it was asked and runs the command here.
mkdir "$test_dir/bin"
cat >"$test_dir/bin/ssh" <<SH
#!/bin/sh
printf '%s\n' "\$*" >>"$test_dir/ssh.args"
for word; do :; done
eval "\$word"
SH
chmod +x "$test_dir/bin/ssh"
install -m 600 /dev/null "$test_dir/the key"
equal "by ssh" "1 files, 0 written, 0 deleted, 0 refused" "$(PATH=$test_dir/bin:$PATH \
	pull --remote-repo-url="ssh://git@dev.example.com$test_dir/repo.git" \
	--git-cert="$test_dir/the key")"
grep -q -- "-o BatchMode=yes .*-i $test_dir/the key .*git@dev.example.com git-upload-pack" \
	"$test_dir/ssh.args" || fail "$(cat "$test_dir/ssh.args")"

note "a reader sees old or new, whole, under writers and kills"
for text in a b; do
	head -c 3000000 /dev/zero | tr '\0' "$text" >"$test_dir/big-$text"
	/usr/bin/python3 - "$mongo_uri" "$test_dir/big-$text" "$text" <<'PY'
import sys
import pymongo
pymongo.MongoClient(sys.argv[1])["configs"][sys.argv[3]].insert_one(
    {"name": "big", "contents": open(sys.argv[2]).read()})
PY
done
u --service=a >/dev/null
for i in $(seq "$(by_length 5 200)"); do
	spawn writer-a aerostat --root="$root" --server="$mongo_uri" --update-configs --service=a
	spawn writer-b aerostat --root="$root" --server="$mongo_uri" --update-configs --service=b
	[ $((i % 2)) = 0 ] || stop writer-b KILL
	sum=$(cat "$root/etc/big" | md5sum)
	[ "$sum" = "$(md5sum <"$test_dir/big-a")" ] || [ "$sum" = "$(md5sum <"$test_dir/big-b")" ] ||
		fail "half a file"
	stop writer-a CONT
	stop writer-b CONT
done
u --service=b >/dev/null
cmp "$root/etc/big" "$test_dir/big-b"
equal "left-overs" "" "$(find "$root/etc" -name '.*.aerostat')"
pass
