#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Files, words and environments from hell: each refused with the code and in words, soon,
in little memory, and with nothing of it on the terminal.

hostile_files.py FOLDER
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
SECONDS, MIB = 20, 120  # of one run
folder = None
worst = {"s": 0.0, "MiB": 0}
bad = []
waiting = []


def run(what, code, said, words, environment=None, stdin=b""):
    """Run it; said is an expression for what it says (stdout when code is 0)."""
    began = time.monotonic()
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env={**os.environ, **(environment or {})})
    try:
        out, err = child.communicate(stdin, timeout=120)
    except subprocess.TimeoutExpired:
        child.kill()
        bad.append("%s: does not end" % what)
        return ""
    took = time.monotonic() - began
    worst["s"] = max(worst["s"], took)
    text = (out if code == 0 else err).decode(errors="surrogateescape")
    shown = (out + err).decode(errors="surrogateescape")
    found = UNSEEN.search(shown) or re.search("[\ud800-\udfff]", shown)
    if child.returncode != code or not re.search(said, text) or found or took > SECONDS or \
            "SECRET" in shown or err.count(b"\n") > 3:
        bad.append("%s: exit %d wanted %d, '%s', %.1f s: %r" % (
            what, child.returncode, code, said, took, shown[:400]))
    return out.decode(errors="replace")


def later(*arguments, **named):
    waiting.append((arguments, named))


def all_now():
    """The runs that were put off, some at a time."""
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda one: run(*one[0], **one[1]), waiting))
    waiting.clear()


def limited(*words):
    """With so little memory that reading what is large would fail."""
    return ["prlimit", "--data=%d" % (MIB << 20), *words]


def root(name, **files):
    path = os.path.join(folder, re.sub(r"\W", "_", name)[:40] + str(len(os.listdir(folder))))
    os.makedirs(path + "/etc")
    os.makedirs(path + "/var/lib/aerostat")
    for file, content in files.items():
        place(path + {"conf": "/etc/aerostat.conf", "info": "/etc/aerostat_info"}[file], content)
    return path


def place(path, content):
    """bytes, or what a file may be besides."""
    if isinstance(content, bytes):
        with open(path, "wb") as f:
            f.write(content)
    elif content == "fifo":
        os.mkfifo(path)
    elif content == "folder":
        os.mkdir(path)
    elif content == "loop":
        os.symlink(path, path)
    elif content == "dangling":
        os.symlink("nowhere", path)
    elif content == "socket":
        s = socket.socket(socket.AF_UNIX)
        place_dir = os.getcwd()
        os.chdir(os.path.dirname(path))  # the name of a socket is short
        s.bind(os.path.basename(path))
        os.chdir(place_dir)
    elif content.startswith("/"):
        os.symlink(content, path)
    else:
        with open(path, "wb") as f:
            f.truncate(int(content))


STRANGE = ["fifo", "folder", "loop", "socket", "/dev/zero", "/dev/random", "1073741824",
           "104857600"]


def configs():
    bomb = b"".join(b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 9) if i else b"x")
                    for i in range(9))
    rows = [
        (b"portt: 1\n", r"aerostat.conf:1:1: unknown key \"portt\"; did you mean 'port'"),
        (b"# c\n\n  pol_interval: 1\n", r"conf:3:3: .*did you mean 'poll_interval'"),
        (b"zzzzzzzzz: 1\n", r"conf:1:1: unknown key"),
        (b"accept_shrink: true\n", "command line only"),
        (b"port: x\n", "1:7: port: .*whole number"), (b"port: 1.5\n", "whole number"),
        (b"port: 99999999999999999999\n", "out of range"), (b"port: -1\n", "out of range"),
        (b"port: 0x10\n", "whole number"), (b"port: [1]\n", "not a list"),
        (b"port: {a: 1}\n", "plain value"), (b"zones: {a: b}\n", "a list"),
        (b"zones: [[a]]\n", "list of plain"), (b"poll_interval: 0\n", "out of range"),
        (b"poll_interval: 3601\n", "out of range"), (b"loglevel: loud\n", "none of"),
        (b"hosts_file: some\n", "none of"), (b"set_hostname: perhaps\n", "none of"),
        (b"port: 1\nport: 2\n", r"conf:2:1: 'port' stands in line 1 already"),
        (bomb, "unknown key"), (b"zones: &a [x, *a]\n", "list of plain"),
        (b"server: &x h\ndomain: *x\n", "plain value"), (b"<<: *x\n", "unknown key|undefined"),
        (b"port: 1\n---\nport: 2\n", "second document"), (b"\tport: 1\n", "conf:1:"),
        (b"port:\t1\n\tserver: h\n", "conf:"), (b"port: 1\n  server: h\n", "whole number"),
        (b"port: \xff\n", "no UTF-8"), (b"\xff\xfe\xff", "conf:1:"), (b"domain: \x00\n", "conf:"),
        (b'domain: "\\0"\n', "NUL"), (b'domain: "a\\nb"\n', "control characters"),
        (b'domain: "\\e[31m"\n', "control characters"), (b"\x1b[31m: 1\n", "conf:1:"),
        (b'"\\e[31m": 1\n', "unknown key"), (b'"\xe2\x80\xaeport": 1\n', "unknown key"),
        (b"? [a]\n: 1\n", "one plain word"), (b"[" * 100000, "conf:1:"), (b"{" * 100000, "conf:1:"),
        (b"port: " + b"[" * 100000, "conf:1:"), (b"- a\n- b\n", "key: value"),
        (b"just words\n", "key: value"), (b"a" * 900000 + b": 1\n", "conf:1:"),
        (b"port: !!python/object/apply:os.system ['x']\n", "not a list"),
        (b"port: !!python/object/apply:os.system\n  - x\n", "not a list"),
        (b"domain: example..com\n", "empty label"), (b"domain: localhost\n", "reserved"),
        (b"zones: ['a b']\n", "zone"), (b"zones: [\"\xc2\x9b\"]\n", "control"),
        (b"server:mongodb://u:SECRET@h/\n", "."),
        (b"serverr: mongodb://u:SECRET@h/\n", "unknown key"),
        (b"mongodb://u:SECRET@h/: 1\n", "."), (b"server: 'mongodb://u:SECRET@h/\n", "conf:"),
        (b"server: ''\nport: mongodb://u:SECRET@h\n", "whole number"),
        (b"root: /elsewhere\n", "--root"),
    ]
    for content, said in rows:
        later("config %r" % content[:60], 78, said, limited(
            "aerostat", "--root=" + root("conf", conf=content), "--check-config"))
    for content in b"", b"# nothing\n", b"\xef\xbb\xbfport: 27017\n", b"---\n...\n", b"port: ~\n", \
            b"port: 27017\r\nzones: []\r\n":
        later("config %r" % content, 0, "right", [
            "aerostat", "--root=" + root("conf", conf=content), "--check-config"])
    for content in STRANGE:
        later("config is " + content, 78, "configuration", limited(
            "aerostat", "--root=" + root("conf", conf=content), "--check-config"))
    later("no config behind a link", 0, "right", [
        "aerostat", "--root=" + root("conf", conf="dangling"), "--check-config"])
    for content in STRANGE:
        where = root("server", conf=b"server_file: /nowhere\n")
        place(where + "/server", content)
        later("server_file is " + content, 78, "server_file", limited(
            "aerostat", "--root=" + where, "--server-file=" + where + "/server",
            "--check-config"))
    return len(rows) + 6 + 2 * len(STRANGE) + 1


def words():
    """Environment and command line."""
    here = root("words")
    for key, value, code in [
            ("AEROSTAT_PORT", b"\x1b[31m1", 78), ("AEROSTAT_PORT", b"1\n2", 78),
            ("AEROSTAT_LOGLEVEL", b"\xff", 78), ("AEROSTAT_DOMAIN", b"\x1b[2J", 78),
            ("AEROSTAT_DOMAIN", b"a\nb", 78), ("AEROSTAT_ZONES", b"a\x9bb", 78),
            ("AEROSTAT_SERVER_FILE", b"/no\x1b[31m", 78), ("AEROSTAT_SERVER_FILE", b"/dev/zero", 78),
            ("AEROSTAT_PORT", b"9" * 100000, 78), ("AEROSTAT_SET_HOSTNAME", b"\xe2\x80\xae", 78)]:
        later("%s=%r" % (key, value[:40]), code, ".", limited(
            "aerostat", "--root=" + here, "--check-config"), {key: value.decode(
                errors="surrogateescape")})
    for server in (b"mongodb://u:SECRET@h:port/", b"mongodb://u:SECRET@h/?x=\xff",
                   b"mongodb://u:SECRET@", b"mongodb+srv://u:SECRET@"):
        for how in ({"AEROSTAT_SERVER": server.decode(errors="surrogateescape")}, None):
            later("%r %s" % (server, "environment" if how else "file"), 78, ".", [
                "aerostat", "list", "--root=" + (here if how else root(
                    "uri", conf=b"server: '" + server.replace(b"\x1b", b"%1b")
                    .replace(b"\xff", b"%ff") + b"'\n"))], how)
    for flags, code in [
            ([b"--port=1\n2"], 64), ([b"--port=\x1b[31m"], 64), ([b"--\x1b[31m=1"], 64),
            ([b"--nosuch\xff"], 64), ([b"--loglevel", b"\xe2\x80\xae"], 64), ([b"-\x07"], 64),
            ([b"\x1b[2J"], 64), ([b"\xff\xfe"], 64), ([b"lookup"], 64), ([b"lookup", b"a", b"b"], 64),
            ([b"list", b"--format=\x1b[31m"], 64), ([b"x" * 100000], 64),
            ([b"mongodb://u:SECRET@h/"], 64), ([b"--serverr=mongodb://u:SECRET@h/"], 64),
            ([b"--root=\x1b[31m/no", b"status"], 64), ([b"--root=/\xff", b"status"], 69),
            ([b"--root=/\xff", b"status", b"--json"], 69),
            ([b"import", b"/no/\x1b[31m"], 1), ([b"import", b"/\xff"], 1)]:
        later(repr(flags)[:80], code, "", limited(
            "aerostat", "--root=" + here, *flags))
    return 8 + 12 + 19 - 2


def infos():
    rows = [
        (b"", "1: no service"), (b"# only\n#comments\n\n", "no service"), (b"\n" * 60000, "no service"),
        (b"\x00", "NUL"), (b"web\x00 masterful", "NUL"), (bytes(range(256)) * 10, "NUL"),
        (bytes(range(1, 256)), "info:"), (b"\xef\xbb\xbfweb\n", "info:1: service"),
        (b"\xff\xfew\x00e\x00b\x00", "NUL"), ("w\u0435b".encode(), "service"),
        ("web\u00a0masterful".encode(), "service"), ("web-\u0661".encode(), "service"),
        (b"\x1b[31mweb", "service"), (b"web masterful a\x1b[2J", "alias"),
        (b"web\x0bmasterful", "service"), (b"a" * 60000, "longer than 51"), (b"web_1", "service"),
        (b"web x " + b"a" * 60000, "alias"), (b"web x a b c -d", "alias '-d'"), (b"-web", "service"),
        (b"web masterful localhost", "reserved"), (b"web masterful 1.2.3.4", "reads as an address"),
        (b"web masterful a_b", "alias"), (b"db-slave", "-slave"), (b"# x\n\n!!\n", "info:3: service"),
        (b"web i " + b" ".join(b"a%d" % i for i in range(100000)), "larger than 65536"),
        *((s, "info") for s in STRANGE),
    ]
    for content, said in rows:
        later("aerostat_info %r" % content[:40], 78, said, limited(
            "aerostat-register", "--root=" + root("info", info=content), "--dryrun",
            "--server=lmdb:" + folder + "/none.mdb", "--instance-id=i-1", "--ip=10.0.0.1"))
    good = [(b"web\r\n", ""), (b"WEB Masterful\n", ""), (b" \t\n#x\n\tweb\tx\ty\r\n", "aliases y"),
            (b"web i " + b" ".join(b"a%d" % i for i in range(9000)), "aliases a0,"),
            (b"web i " + b"same " * 12000, "aliases same$")]
    for content, said in good:
        later("aerostat_info %r" % content[:40], 0, "would register web-(0|master) .new. .*" +
              said, limited(
            "aerostat-register", "--root=" + root("info", info=content), "--dryrun",
            "--server=lmdb:" + folder + "/none.mdb", "--instance-id=i-1", "--ip=10.0.0.1"))
    return len(rows) + len(good)


def imports():
    """All of a file or nothing of it."""
    store = "--server=lmdb:%s/import.mdb" % folder
    here = root("import")
    good = b'{"hostname":"good-0","service":"good","instance_id":"","ip":"10.3.0.1"}\n'
    run("good", 0, "imported 1", ["aerostat", "--root=" + here, store, "import", "-"], stdin=good)

    def doc(**fields):
        return json.dumps({"hostname": "bad-0", "ip": "10.3.0.2", **fields}).encode()
    rows = [
        b"x", b"[]", b"null", b"{", b"}", b"{}", b'{"a":' * 10000, b"[" * 10000, b"{}}", b"{} {}",
        b"\xff", b"\x00", b'{"hostname":"a\x00b"}', b"\xef\xbb\xbf" + doc(), b"\x1b[31m",
        b'{"hostname":"\\u0000"}', b'{"hostname":"\\ud800"}', b"a" * (2 << 20),
        b'{"x":"' + b"y" * (2 << 20) + b'"}', doc(hostname="\x1b[31m"), doc(hostname="a\nb"),
        doc(hostname="web-0\n10.6.6.6 bank.example"), doc(hostname="\u202e"), doc(hostname=5),
        doc(hostname=""), doc(hostname=None), doc(hostname=["a"]), doc(hostname="localhost"),
        doc(hostname="example.com"), doc(hostname="1234"), doc(hostname="a" * 64), doc(ip="x"),
        doc(ip=5), doc(ip="127.0.0.1"), doc(ip="10.0.0.1 bank"), doc(ip="255.255.255.255"),
        doc(ip6="fe80::1%eth0"), doc(ip="1" * 100000), doc(aliases="x"), doc(aliases=["a b"]),
        doc(aliases=[5]), doc(aliases=["\x1b[2J"]), doc(aliases={}), doc(service=5),
        doc(instance_id={"$oid": "500000000000000000000001"}), doc(reg="x"),
        doc(reg={"$numberDecimal": "1"}), doc(registered_at={"$date": "x"}), good[:-1],
        doc(hostname={"$code": "x"}), doc(hostname={"$regex": "x"}), doc(ip={"$binary": "x"}),
    ]
    for line in rows:
        # among good lines, at the end, and with one line alone
        for content, said in ((good + line + b"\n" + doc(hostname="later"), "-:2"),
                              (good + line, "-:2"), (line, "-:1")):
            if line == good[:-1] and said == "-:1":
                continue
            if len(line) > 1 << 20:
                said = "line [12] is longer"
            later("import %r" % line[:60], 65, said, limited(
                "aerostat", "--root=" + here, store, "import", "-"), stdin=content)
    for content in "/dev/zero", "/dev/urandom", "folder", "1073741824":
        place(folder + "/file", content)
        run("import " + content, 65, "aerostat|file", limited(
            "aerostat", "--root=" + here, store, "import", folder + "/file"))
        shutil.rmtree(folder + "/file") if content == "folder" else os.remove(folder + "/file")
    all_now()
    listed = json.loads(run("list", 0, "", ["aerostat", "--root=" + here, store, "list", "--json"]))
    if [h["name"] for h in listed] != ["good-0"]:
        bad.append("imported: %r" % listed)
    return 3 * len(rows) + 4


def left_by_others():
    """A mirror, and around it what others damaged: look-ups and status go on."""
    store = "--server=lmdb:%s/import.mdb" % folder
    n = 0
    clean = root("clean")
    run("update", 0, "", ["aerostat", "--root=" + clean, store, "--update", "--loglevel=ERROR"])
    for file in "status.json", "identity.json":
        for content in [b"", b"\x00", b"x", b"[]", b"{", b"{" * 100000, b"[" * 100000, b"\xff" * 99,
                        b'{"pid":"x","mode":5,"refused":{"a":1},"shadowed":[[]]}',
                        b'{"mode":"\\u001b[31m","error":"\\u202e","server":"\x1b",'
                        b'"hostname":"\\n","refused":[{"name":"\\u009b","why":"\\r"}],"n_refused":1}',
                        b'{"instance_id":5,"service":["x"],"aliases":"x"}',
                        b'{"hostname":"' + b"x" * 900000 + b'"}', b'{"n_refused":1e308,"pid":-1}',
                        *STRANGE]:
            here = root("left")
            shutil.rmtree(here)
            shutil.copytree(clean, here)
            path = here + "/var/lib/aerostat/" + file
            if os.path.exists(path):
                os.remove(path)
            place(path, content)
            what = "%s is %r" % (file, content[:40])
            run(what, 0, "mirror    1 names", limited("aerostat", "--root=" + here, "status"))
            json.loads(run(what, 0, "", limited("aerostat", "--root=" + here, "status", "--json")))
            run(what, 0, "10.3.0.1 good-0", limited("aerostat", "--root=" + here, "lookup", "good-0"))
            n += 3
            if content in (b"\x00", b"{" * 100000, "/dev/zero", "fifo"):
                run(what + ", update", 0, "", limited("aerostat", "--root=" + here, store,
                                                      "--update", "--loglevel=CRITICAL"))
                n += 1
    here = root("lookup")
    run("update", 0, "", ["aerostat", "--root=" + here, store, "--update", "--loglevel=ERROR"])
    for word in [b"", b" ", b"\x1b[31m", b"\xff", b"a\nb", b"\xe2\x80\xae", b"a" * 100000, b"..",
                 b"*", b"good-0 x", b"$(x)", b"1234", b"10.0.0.1/8", b"fe80::1%lo", b"#", b"%s%n"]:
        later("lookup %r" % word[:40], 1, "", ["aerostat", "--root=" + here, "lookup", word])
        later("list %r" % word[:40], 1, "", ["aerostat", "--root=" + here, "list", word])
        n += 2
    return n


def legacy():
    """An updater that floods, and hostile lines that define our names."""
    store = "--server=lmdb:%s/import.mdb" % folder
    here = root("legacy")
    updater = folder + "/updater"
    hosts = b"10.5.0.1 good-0\n\x1b[31m evil\n10.5.0.2 \x1b[31m\n\xff\xff\n" + \
        b"10.5.0.3 " + b"a" * 100000 + b"\n" + b"10.5.0.4" + b" x" * 100000 + b"\n"
    with open(folder + "/legacy", "wb") as f:
        f.write(hosts)
    with open(updater, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nyes '' | head -n 1000000\nhead -c 3000000 /dev/urandom\n"
                "yes '\033[31mEVIL' | head -n 1000000 >&2\ncp %s/legacy %s/etc/hosts.legacy\n" %
                (folder, here))
    os.chmod(updater, 0o755)
    done = subprocess.run(["aerostat", "--root=" + here, store, "--update",
                           "--legacy-updater=" + updater], capture_output=True, check=False)
    shown = done.stderr.decode(errors="surrogateescape")
    if done.returncode != 0 or shown.count("\n") > 120 or \
            re.search("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", shown):
        bad.append("legacy: exit %d, %d lines, %r" % (done.returncode, shown.count("\n"),
                                                     shown[-300:]))
    with open(here + "/etc/hosts", "rb") as f:
        if not f.read().startswith(hosts):
            bad.append("the legacy lines are not there as they were")
    run("shadowed", 0, "shadowed  1, .*\n +\"good-0\": line 1", ["aerostat", "--root=" + here,
                                                               "status"])
    # 150 names of ours in /etc/hosts already: the status stays small.
    lines = "".join('{"hostname":"many-%d","service":"many","ip":"10.4.%d.%d","aliases":null}\n' %
                    (i, i >> 8, i & 255) for i in range(150))
    many = "--server=lmdb:%s/many.mdb" % folder
    run("import", 0, "imported 150", ["aerostat", "--root=" + here, many, "import", "-"],
        stdin=lines.encode())
    here = root("shadows")
    place(here + "/etc/hosts", b"".join(b"10.5.0.1 MANY-%d\n" % i for i in range(150)))
    done = subprocess.run(["aerostat", "--root=" + here, many, "--update"], capture_output=True,
                          check=False)
    if done.returncode != 0 or done.stderr.count(b"\n") > 25:
        bad.append("shadows: exit %d, %d lines" % (done.returncode, done.stderr.count(b"\n")))
    if os.path.getsize(here + "/var/lib/aerostat/status.json") > 20000:
        bad.append("status.json is large")
    run("shadows", 0, "shadowed  150.*(\n.*){100}\n +and 50 more", ["aerostat", "--root=" + here,
                                                                  "status"])
    return 6


def main(where):
    global folder
    folder = where
    os.makedirs(folder)
    counts = [(part.__name__, part()) for part in (configs, words, infos, imports,
                                                   left_by_others, legacy)]
    all_now()
    if bad:
        sys.exit("\n".join(bad[:25] + ["%d bad" % len(bad)]))
    print("# %s; slowest %.1f s, each within %d MiB" % (
        ", ".join("%s: %d" % c for c in counts), worst["s"], MIB))


if __name__ == "__main__":
    main(*sys.argv[1:])
