#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Documents from hell, written as raw BSON, and what has to come of each.

hostile.py ROOT URI stream     every row, in batches: seen, refused, mended, forgotten
hostile.py ROOT URI all        put all rows at once, and leave them there
hostile.py ROOT URI expect [outputs]   what is published below ROOT is right for all of
                               them; and so are all formats, from the store too
hostile.py ROOT URI flood N    N documents that are refused
hostile.py ROOT URI big PID    documents of 16 MiB; PID is the daemon

Each row is one document; its _id is its number unless the row is about _id. A good
neighbour (ok-N) stands beside each batch and answers all the time.
"""
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time

import bson
import pymongo

BATCH = 90  # refusals listed one by one: 100
ESC = b"\x1b[31m"


# --- BSON, by hand ---------------------------------------------------------------------

def cstring(text):
    return (text if isinstance(text, bytes) else text.encode()) + b"\0"


def string(text):
    text = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<i", len(text) + 1) + text + b"\0"


def document(*elements):
    body = b"".join(elements)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def element(kind, key, value):
    return bytes([kind]) + cstring(key) + value


def text(key, value):
    return element(0x02, key, string(value))


def texts(key, values):
    return element(0x04, key, document(*(text(str(i), v) for i, v in enumerate(values))))


def nested(kind, deep):
    inner = document()
    for _ in range(deep):
        inner = document(element(kind, "0", inner))
    return inner


OID = bytes(range(12))
# Each type of BSON that is no string: (name, type, value).
TYPES = [
    ("double", 0x01, struct.pack("<d", 1.5)),
    ("NaN", 0x01, struct.pack("<d", float("nan"))),
    ("infinity", 0x01, struct.pack("<d", float("inf"))),
    ("document", 0x03, document(text("a", "b"))),
    ("operator", 0x03, document(text("x.y", "b"))),
    ("document 100 deep", 0x03, nested(0x03, 100)),
    ("array", 0x04, document(text("0", "web-0"))),
    ("empty array", 0x04, document()),
    ("array 100 deep", 0x04, nested(0x04, 100)),
    ("binary 0", 0x05, struct.pack("<iB", 3, 0) + b"a\0b"),
    ("binary 2", 0x05, struct.pack("<iBi", 7, 2, 3) + b"a\0b"),
    ("uuid", 0x05, struct.pack("<iB", 16, 4) + bytes(16)),
    ("binary 6", 0x05, struct.pack("<iB", 1, 6) + b"x"),
    ("binary 128", 0x05, struct.pack("<iB", 2, 128) + ESC[:2]),
    ("undefined", 0x06, b""),
    ("ObjectId", 0x07, OID),
    ("true", 0x08, b"\1"),
    ("date", 0x09, struct.pack("<q", 0)),
    ("last date", 0x09, struct.pack("<q", 2**63 - 1)),
    ("regex", 0x0B, cstring("^web") + cstring("i")),
    ("DBPointer", 0x0C, string("a.b") + OID),
    ("code", 0x0D, string("while (1);")),
    ("symbol", 0x0E, string("web-0")),
    ("code with scope", 0x0F, struct.pack("<i", 18) + string("x();") + document()),
    ("int32", 0x10, struct.pack("<i", 7)),
    ("timestamp", 0x11, struct.pack("<q", 2**63 - 1)),
    ("int64", 0x12, struct.pack("<q", -2**63)),
    ("Decimal128", 0x13, bytes(15) + b"\x30"),
    ("Decimal128 NaN", 0x13, bytes(15) + b"\x7c"),
    ("MaxKey", 0x7F, b""),
    ("MinKey", 0xFF, b""),
]
NUMBERS = {"double", "int32", "int64", "date", "last date"}

# Names that may not answer.
NAMES = [
    "", " ", "web 0", "web\t0", "web\n0", "web\r0", "a\x00b", "web-0\n10.6.6.6 bank.example",
    "\x1b[2J\x1b[31mEVIL", "\x07", "\x08\x08", "\x7f", "\u0085", "\u009b31m", "\u202eEVIL",
    "\u2066EVIL", "\ufeffEVIL", "\u2028EVIL", "\u200b", "w\u0435b-0", "m\u00fcnchen", "\u212a",
    b"\xff\xfe", b"web-\xff", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\xe2\x80", b"\x9b31m", "a" * 64, "a" * 254, ".".join(["a" * 63] * 4), "a" * 100000,
    "-a", "a-", "-", ".", "..", ".a", "a.", "a..b", "a.b", "example.com", "bank.example",
    "localhost", "LOCALHOST", "localhost.localdomain", "localhost4", "ip6-localhost",
    "ip6-x", "_gateway", "1234", "0x7f", "0x7F000001", "1.2.3.4", "1.2", "127.1", "0", "017",
    "4294967295", "::1", "fe80::1", "fe80::1%lo", "[::1]", "*", "*.web", "#", "#web", "web#",
    "web-0 evil.example", "10.6.6.6 bank", "$(reboot)", "`id`", "a;b", "a|b", "a&b", "a>b",
    "a'b", 'a"b', "a\\b", "a/b", "../etc", "a,b", "a=b", "a:b", "a@b", "a!b", "a?b", "{}",
    "<script>", "%s%n", "${PATH}", "null byte\x00", "# AEROSTAT", "# /AEROSTAT",
]
# Names that may, some against expectation: what answers is name -> itself, in lower case.
GOOD_NAMES = ["a" * 63, "xn--mnchen-3ya", "UPPER-0", "a_b", "a--b", "0a", "_x", "a1234", "0xg",
              "4294967296"]
# Bad addresses.
ADDRESSES = [
    "0.0.0.0", "255.255.255.255", "127.0.0.1", "127.9.9.9", "224.0.0.1", "239.255.255.255",
    "169.254.169.254", "10.0.0.1/8", "10.1", "010.0.0.1", "0x0a000001", "167772161", "10.0.0",
    "10.0.0.256", "10.0.0.1 ", " 10.0.0.1", "10.0.0.1\n10.6.6.6 bank.example", "10.0.0.1\t",
    "10.0.0.1\x00", "10.0.0.1 bank.example", "::", "::1", "fe80::1", "fe80::1%eth0", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:224.0.0.1", "::ffff:169.254.0.1",
    "2001:db8::1%1", "2001:db8::1/64", "[2001:db8::1]", "2001:db8:::1", "1:2:3:4:5:6:7:8:9",
    "localhost", "web-0", "1" * 1000, ":" * 1000, "\x1b[31m", "\u202e10.0.0.1", b"\xff",
    "\uff11\uff10.0.0.1", "10.0.0.1,10.0.0.2", "tcp://10.0.0.1",
]
GOOD_ADDRESSES = [("::ffff:10.250.0.1", "10.250.0.1"), ("240.0.0.1", "240.0.0.1"),
                  ("2001:DB8:0:0::0001", "2001:db8::1"), ("fd00::1", "fd00::1")]


class Row:
    """refused, odd: how many of each; answers: {name: [address]}; why: in its words."""

    def __init__(self, what, elements, refused=0, odd=0, answers=None, why="", cut=0,
                 key=None):
        self.what, self.elements, self.refused, self.odd = what, elements, refused, odd
        self.answers, self.why, self.cut, self.key = answers or {}, why, cut, key

    def number(self, n):
        self.n = n
        self.id = self.key if self.key is not None else element(0x10, "_id",
                                                                struct.pack("<i", n))
        self.answers = {k.replace("@", str(n)): [a.replace("@", at(n)) for a in v]
                        for k, v in self.answers.items()}
        return self

    def bson(self):
        return document(self.id, *(e(self.n) if callable(e) else e for e in self.elements))


def at(n):
    return "10.7.%d.%d" % (n >> 8, n & 255)


def host(n):
    return text("hostname", "c-%d" % n)


def ip(n):
    return text("ip", at(n))


HERE = {"c-@": ["@"]}


def type_rows():
    for what, kind, value in TYPES:
        yield Row("hostname " + what, [element(kind, "hostname", value), ip], 1,
                  why="hostname is no string")
        yield Row("ip " + what, [host, element(kind, "ip", value)], 1, why="ip is no string")
        yield Row("ip6 " + what, [host, element(kind, "ip6", value)], 1,
                  why="ip6 is no string")
        yield Row("ip beside a good ip6: " + what,
                  [host, element(kind, "ip", value), lambda n: text("ip6", at(n))], 0, 1,
                  HERE, "ip is no string")
        for field in ("service", "service_type", "instance_id"):
            yield Row(field + " " + what, [host, ip, element(kind, field, value)], 0, 1,
                      HERE, field + " is no string")
        odd = what not in NUMBERS
        for field in ("reg", "epoch", "registered_at"):
            yield Row(field + " " + what, [host, ip, element(kind, field, value)], 0,
                      int(odd), HERE, field + " is no number" if odd else "")
        if what not in ("array", "empty array"):
            yield Row("aliases " + what, [host, ip, element(kind, "aliases", value)], 0, 1,
                      HERE, "aliases is neither")
        yield Row("an alias " + what,
                  [host, ip, lambda n, k=kind, v=value: element(0x04, "aliases", document(
                      element(k, "0", v), text("1", "t%d" % n)))], 0, 1, HERE,
                  "aliases is neither")
        if kind not in (0x04, 0x06, 0x0B) and what != "Decimal128 NaN":  # equal to NaN
            yield Row("_id " + what, [lambda n: text("hostname", "c-%d" % n), ip],
                      answers=HERE, key=element(kind, "_id", value))


def is_odd(name):
    """No string to us: not UTF-8, or with a NUL."""
    name = name if isinstance(name, bytes) else name.encode()
    try:
        name.decode()
    except UnicodeDecodeError:
        return True
    return b"\0" in name


def name_rows():
    for name in NAMES:
        why = "hostname is no string" if is_odd(name) else ""
        yield Row("hostname %r" % name[:40], [text("hostname", name), ip], 1, why=why)
        if is_odd(name):
            yield Row("alias %r" % name[:40], [host, ip, texts("aliases", [name])], 0, 1, HERE,
                      "aliases is neither")
        else:
            yield Row("alias %r" % name[:40], [host, ip, texts("aliases", [name])], 1,
                      answers=HERE)
        odd = int(is_odd(name))
        for field in ("service", "instance_id", "service_type"):
            yield Row("%s %r" % (field, name[:40]), [host, ip, text(field, name)], 0, odd, HERE)
        yield Row("unknown field %r" % name[:40],
                  [host, ip, text(b"x" if is_odd(name) else name.replace("\0", "")
                                  .replace("_gateway", "g"), name)], answers=HERE)
        if not is_odd(name) and name:
            yield Row("_id %r" % name[:40], [host, ip], answers=HERE, key=text("_id", name))
    for name in GOOD_NAMES:
        yield Row("good name " + name, [text("hostname", name), ip], answers={name: ["@"]})


def address_rows():
    for address in ADDRESSES:
        odd = is_odd(address)
        why = "ip is no string" if odd else "address"
        yield Row("ip %r" % address[:40], [host, text("ip", address)], 1, why=why)
        yield Row("ip6 %r" % address[:40], [host, ip, text("ip6", address)], 0, 1, HERE,
                  "ip6 is no string" if odd else "address")
    for address, shown in GOOD_ADDRESSES:
        yield Row("good address " + address, [host, text("ip", address)],
                  answers={"c-@": [shown]})


def other_rows():
    many = ["x@-%d" % i for i in range(10000)]
    yield Row("10^4 aliases", [host, ip, lambda n: texts(
        "aliases", [a.replace("@", str(n)) for a in many])], answers=HERE, cut=10000 - 32)
    yield Row("10^4 bad aliases", [host, ip, texts("aliases", ["a b"] * 10000)], 10000,
              answers=HERE)
    yield Row("one alias 10^4 times", [host, ip, texts("aliases", ["once"] * 10000)],
              answers=HERE)
    yield Row("itself as an alias", [host, ip, lambda n: texts("aliases", ["c-%d" % n] * 3)],
              answers=HERE)
    yield Row("10^5 unknown fields", [host, ip, b"".join(
        element(0x10, "f%d" % i, b"\0\0\0\0") for i in range(100000))], answers=HERE)
    yield Row("an empty document", [])
    yield Row("hostname given twice", [text("hostname", "EVIL name"), host, ip], answers=HERE)
    yield Row("ip given twice", [host, text("ip", "127.0.0.1"), ip], answers=HERE)
    yield Row("aliases given twice", [host, ip, texts("aliases", ["a b"]), texts("aliases", [])],
              answers=HERE)
    yield Row("_id ObjectId of its own", [host, ip], answers=HERE,
              key=element(0x07, "_id", b"EVIL-EVIL-EV"))
    yield Row("a long _id", [host, ip], answers=HERE, key=text("_id", "EVIL\x1b" * 1000))
    yield Row("aliases in keys that are no numbers", [host, ip, element(
        0x04, "aliases", document(text("x", "k1"), text("\x1b[m", "k2")))], answers=HERE)
    yield Row("names of operators", [host, ip, element(0x03, "x", document(
        text("a.b", "c")))], answers=HERE)


def rows():
    made = []
    seen = set()
    for row in [*type_rows(), *name_rows(), *address_rows(), *other_rows()]:
        row.number(len(made) + 1)
        key = row.id
        if key in seen:  # _id 7 and _id 7.0 ... are one
            continue
        seen.add(key)
        made.append(row)
    return made


# --- the store -------------------------------------------------------------------------

class Store:
    """The primary, spoken to in bare messages: a driver would not send most of this."""

    def __init__(self, uri):
        client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=30000)
        client.admin.command("ping")
        self.socket = socket.create_connection(client.primary or client.address, 60)
        client.close()

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                fail("the server hung up")
            data += more
        return data

    def command(self, name, docs, collection="servers", *more):
        """OP_MSG: the body, and the documents as a sequence of their own."""
        body = document(text(name, collection), text("$db", "aerostat"), element(
            0x03, "writeConcern", document(text("w", "majority"))), *more)
        items = cstring({"insert": "documents"}.get(name, name + "s")) + b"".join(docs)
        message = struct.pack("<I", 0) + b"\0" + body
        if docs:
            message += b"\1" + struct.pack("<i", len(items) + 4) + items
        self.socket.sendall(struct.pack("<iiii", len(message) + 16, 1, 0, 2013) + message)
        size = struct.unpack("<i", self.read(4))[0]
        reply = bson.BSON(self.read(size - 4)[17:]).decode()
        if reply["ok"] != 1 or reply.get("writeErrors"):
            fail(name, str(reply)[:500])

    def put(self, docs):
        self.command("insert", docs)

    def replace(self, ids, docs):
        self.command("update", [
            document(element(0x03, "q", document(i)), element(0x03, "u", d))
            for i, d in zip(ids, docs)])

    def drop(self, ids):
        self.command("delete", [document(element(0x03, "q", document(i)),
                                         element(0x10, "limit", struct.pack("<i", 1)))
                                for i in ids])

    def drop_all(self):
        self.command("delete", [document(element(0x03, "q", document()),
                                         element(0x10, "limit", bytes(4)))])


# --- what is seen ----------------------------------------------------------------------

def fail(*words):
    sys.exit("FAIL: " + " ".join(str(w) for w in words))


def run(root, *words, code=0):
    done = subprocess.run(["aerostat", "--root=" + root, *words], capture_output=True)
    if code is not None and done.returncode != code:
        fail(words, "exit", done.returncode, done.stdout[-300:], done.stderr[-300:])
    harmless(words, done.stdout)
    harmless(words, done.stderr)
    return done.stdout.decode()


UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def harmless(where, data):
    """What a terminal or a log may get: UTF-8 without controls and what turns it round."""
    try:
        shown = data.decode()
    except UnicodeDecodeError as err:
        fail(where, "no UTF-8:", err, data[max(0, err.start - 40):err.start + 40])
    bad = UNSEEN.search(shown)
    if bad:
        fail(where, "holds", repr(bad.group()), repr(shown[max(0, bad.start() - 60):bad.end()]))


def wanted(good, of_rows):
    want = dict(good)
    for row in of_rows:
        for name, addresses in row.answers.items():
            want[name] = addresses
    return want


def published(root):
    return {h["name"]: h["addresses"] for h in json.loads(run(root, "list", "--json"))}


def block(root):
    """The lines of our block, which have to be lines of a hosts file and nothing else."""
    found = {}
    with open(root + "/etc/hosts", "rb") as f:
        lines = f.read().decode("ascii").split("# AEROSTAT\n")[1].split("# /AEROSTAT")[0]
    for line in lines.splitlines():
        if not re.fullmatch(r"[0-9a-f:.]+( [A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?)+", line):
            fail("/etc/hosts:", repr(line))
        words = line.split()
        found.setdefault(words[1], []).append(words[0])
    found.pop("localhost", None)
    return found


def compare(what, want, got):
    if want != got:
        for name in sorted(set(want) | set(got)):
            if want.get(name) != got.get(name):
                fail(what, name[:80], "wanted", want.get(name), "got", got.get(name))


def status(root):
    with open(root + "/var/lib/aerostat/status.json", "rb") as f:
        data = f.read()
    data.decode("ascii")
    harmless("status.json", data)
    if len(data) > 256 * 1024:
        fail("status.json has", len(data), "bytes")
    return json.loads(data)


def wait(what, seconds, question):
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            fail("waited in vain for", what)
        time.sleep(0.05)


def check_outputs(root, uri=None):
    """Every way out: valid, harmless, and without a line or a name of the hostile. uri:
    from the store as well."""
    for source in [[]] + ([["--server=" + uri]] if uri else []):
        for form in "table", "json", "hosts", "prometheus-sd", "ansible", "ssh":
            out = run(root, *source, "list", "--format=" + form)
            if form in ("json", "prometheus-sd"):
                json.loads(out)
            if form == "json" and source:
                continue  # raw data, as data
            for line in out.splitlines():
                if form in ("hosts", "ansible", "ssh") and re.search(
                        r"bank|evil|EVIL|10\.6\.6\.6", line) and not line.startswith("["):
                    fail("list --format=" + form, repr(line))
                if form == "table" and len(line) > 3000:
                    fail("a table line of", len(line))
    with open(root + "/var/lib/aerostat/hosts.mdb", "rb") as f:
        data = f.read()
    for word in b"evil", b"bank", b"\x1b[", b"\n10.":
        if word in data.lower():
            fail("hosts.mdb holds", word)
    with open(root + "/aerostat.prom", "rb") as f:
        for line in f.read().decode("ascii").splitlines():
            if not re.fullmatch(r'(# (HELP|TYPE) aerostat_\w+ .+|aerostat_\w+({mode="\w+"})? '
                                r'-?[0-9.]+)', line):
                fail("aerostat.prom:", line)


def shown_id(row):
    """The _id as the status has it, for those that it shows as text."""
    if row.id[0] == 0x10:
        return str(struct.unpack("<i", row.id[5:])[0])
    return None


def check_refusals(root, batch):
    """Each is listed by its _id, with a reason."""
    now = status(root)
    for kind, key in ("refused", "n_refused"), ("odd", "n_odd"):
        want = sum(getattr(r, kind) for r in batch)
        if now[key] != want:
            fail(key, "wanted", want, "got", now[key], [r.what for r in batch][:3])
        listed = {}
        for one in now[kind]:
            listed.setdefault(one["_id"], []).append(one)
        if want <= 100 and len(now[kind]) != want:
            fail(kind, "lists", len(now[kind]), "of", want)
        for row in batch:
            if want > 100 or not getattr(row, kind) or shown_id(row) is None:
                continue
            mine = listed.get(shown_id(row), [])
            if len(mine) != getattr(row, kind) or not mine[0]["why"]:
                fail(kind, row.what, "listed as", mine)
            if row.why and not any(row.why in one["why"] for one in mine):
                fail(kind, row.what, "for", mine, "wanted", row.why)
    if now["n_cut"] != sum(r.cut for r in batch):
        fail("n_cut", now["n_cut"])
    seen = run(root, "status")
    if batch and sum(r.refused for r in batch) > 100 and "more" not in seen:
        fail("status does not say how many more", seen[-300:])


def stream(root, uri):
    store, all_rows = Store(uri), rows()
    good, n, slowest = {}, 0, 0.0
    kinds = {"refused": 0, "odd": 0, "clean": 0}
    while n < len(all_rows):
        batch = []
        while n < len(all_rows) and sum(r.refused + r.odd for r in batch) < BATCH:
            batch.append(all_rows[n])
            n += 1
        beside, address = "ok-%d" % n, "10.8.%d.%d" % (n >> 8, n & 255)
        began = time.monotonic()
        store.put([r.bson() for r in batch])
        store.put([document(text("hostname", beside), text("ip", address))])
        good[beside] = [address]
        wait(beside, 20, lambda: published(root).get(beside) == [address])
        slowest = max(slowest, time.monotonic() - began)
        compare("published", wanted(good, batch), published(root))
        wait("the status", 10, lambda: status(root)["documents"] == len(batch) + len(good))
        wait("the block", 10, lambda: block(root) == wanted(good, batch))
        check_refusals(root, batch)
        check_outputs(root)
        for row in batch:
            kinds["refused" if row.refused else "odd" if row.odd else "clean"] += 1
        # Mended, each answers; nothing is counted any more.
        ids = [r.id for r in batch]
        store.replace(ids, [document(i, text("hostname", "m-%d" % r.n), text("ip", at(r.n)))
                            for i, r in zip(ids, batch)])
        mended = {"m-%d" % r.n: [at(r.n)] for r in batch}
        wait("mended", 20, lambda: published(root) == {**good, **mended})
        wait("the counts", 10, lambda: not any(
            status(root)[k] for k in ("n_refused", "n_odd", "n_cut")))
        if "refused" in run(root, "status"):
            fail("status still speaks of refusals")
        store.drop(ids)
        wait("dropped", 20, lambda: published(root) == good)
    print("# %d documents from hell by the stream: %d refused, %d with a field ignored, %d "
          "clean; slowest batch seen whole after %.0f ms" %
          (len(all_rows), kinds["refused"], kinds["odd"], kinds["clean"], slowest * 1000))


def put_all(root, uri):
    store, all_rows = Store(uri), rows()
    store.drop_all()
    store.put([document(text("hostname", "ok-0"), text("ip", "10.8.0.1"))])
    for at_row in range(0, len(all_rows), 200):
        store.put([r.bson() for r in all_rows[at_row:at_row + 200]])
    print("# %d documents at once" % (len(all_rows) + 1))


def expect(root, uri, outputs=""):
    all_rows = rows()
    want = wanted({"ok-0": ["10.8.0.1"]}, all_rows)
    wait("all", 30, lambda: len(published(root)) == len(want))
    compare("published", want, published(root))
    wait("the block", 10, lambda: os.path.exists(root + "/etc/hosts"))
    compare("the block", want, block(root))
    wait("the status", 10, lambda: status(root)["documents"] == len(all_rows) + 1)
    check_refusals(root, all_rows)
    if outputs:
        check_outputs(root, uri)


MAX = 16 * 1024 * 1024  # bytes of a document


def filled(*elements, kind=0x02, key="x", item=None):
    """A document of just the largest size."""
    room = MAX - len(document(*elements)) - len(cstring(key)) - 1
    if item is None:
        return document(*elements, element(kind, key, string(b"E" * (room - 5))))
    items, size, i = [], 5, 0
    while size + len(item) + len(str(i)) + 7 <= room:
        items.append(item)
        size += len(item) + len(str(i)) + 7
        i += 1
    return document(*elements, texts(key, items))


def big(root, uri, pid):
    """The largest documents that there can be, and events that are larger yet."""
    store = Store(uri)
    store.drop_all()
    cases = [
        ("16 MiB in an unknown field", element(0x10, "_id", struct.pack("<i", 1)),
         lambda i: filled(i, host(1), ip(1)), {"c-1": [at(1)]}),
        ("16 MiB of aliases", element(0x10, "_id", struct.pack("<i", 2)),
         lambda i: filled(i, host(2), ip(2), key="aliases", item=b"a b" * 8), {"c-2": [at(2)]}),
        ("a hostname of 16 MiB", element(0x10, "_id", struct.pack("<i", 3)),
         lambda i: filled(i, ip(3), key="hostname"), {}),
        # documentKey and token have the _id once more each: the event is beyond 16 MB
        ("an _id of 7 MiB", text("_id", b"I" * 7340032),
         lambda i: document(i, host(4), ip(4)), {"c-4": [at(4)]}),
    ]
    resyncs = status(root)["sync_count"]
    for n, (what, i, make, answers) in enumerate(cases):
        doc = make(i)
        before, began = memory(pid), time.monotonic()
        store.put([doc])
        store.put([document(text("hostname", "near-%d" % n), text("ip", "10.8.0.%d" % n))])
        wait(what, 60, lambda: "near-%d" % n in published(root))
        want = {"near-%d" % n: ["10.8.0.%d" % n], **answers}
        compare(what, want, {
            k: v for k, v in published(root).items() if k.startswith(("c-", "near-"))})
        took = time.monotonic() - began
        check_outputs(root)
        run(root, "--server=" + uri, "list")
        run(root, "lookup", "near-%d" % n)
        store.drop([i])
        store.replace([text("hostname", "near-%d" % n)],
                      [document(text("hostname", "gone-%d" % n), text("ip", "10.8.1.%d" % n))])
        wait(what + " is gone", 60, lambda: not any(
            k.startswith(("c-", "near-")) for k in published(root)))
        print("# %s: its neighbour answers after %.0f ms; memory %d -> %d MiB, peak %d MiB; "
              "resyncs so far %d" % (what, took * 1000, before[0], *memory(pid),
                                     status(root)["sync_count"] - resyncs))
    if status(root)["sync_count"] <= resyncs:
        fail("no event was too large: nothing was tried")
    if memory(pid)[1] > 400:
        fail("memory:", memory(pid))


def memory(pid):
    """Now and at most, in MiB."""
    with open("/proc/%s/status" % pid) as f:
        found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+)", f.read()))
    return int(found["VmRSS"]) // 1024, int(found["VmHWM"]) // 1024


def flood(root, uri, count):
    store = Store(uri)
    began = time.monotonic()
    for first in range(0, int(count), 1000):
        store.put([document(text("hostname", "EVIL\x1b[31m %d" % i), text("ip", "10.9.9.9"))
                   for i in range(first, first + 1000)])
    wait("the flood", 60, lambda: status(root)["n_refused"] == int(count))
    print("# %s refused documents seen after %.1f s" % (count, time.monotonic() - began))
    check_outputs(root)
    shown = run(root, "status")
    if "and %d more" % (int(count) - 100) not in shown:
        fail("status:", shown[-300:])


def main(argv):
    if len(argv) < 4:
        sys.exit(__doc__)
    root, uri, command = argv[1:4]
    {"stream": stream, "all": put_all, "expect": expect, "flood": flood,
     "big": big}[command](root, uri, *argv[4:])


if __name__ == "__main__":
    main(sys.argv)
