#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writers on a set of MongoDB, and an observer of what a node resolves meanwhile.

weather.py writers URI DIR          until SIGTERM; DIR/acks, DIR/written
weather.py check URI DIR            is all that was acknowledged there? DIR/written
weather.py observe DIR NAME...      until SIGTERM; DIR/seen; the NAMEs must never resolve
weather.py flood URI MB              write that much elsewhere
weather.py ahead URI SECONDS          the set's time that far ahead; name ahead-SECONDS
weather.py gap FILE FROM TO         longest time between two lines, s since the epoch
weather.py same URI DUMP            are the documents of DUMP (hex) those of the set?
"""
import collections
import json
import os
import random
import signal
import socket
import sys
import threading
import time

import bson
import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

ERRORS = (pymongo.errors.PyMongoError,)
N_SLOTS = 40
N_WRITERS = 2
MAJORITY = WriteConcern(w="majority", j=True, wtimeout=10000)

stop = threading.Event()


def connect(uri, **more):
    return pymongo.MongoClient(uri, serverSelectionTimeoutMS=5000, connectTimeoutMS=2000,
                               socketTimeoutMS=5000, **more)


def servers(client, **more):
    return client["aerostat"].get_collection("servers", **more)


def address(number):
    """10.0.0.0 to 10.255.255.255, so that a name tells which write it shows."""
    return "10.%d.%d.%d" % (number >> 16 & 255, number >> 8 & 255, number & 255)


def number(text):
    a, b, c, d = (int(x) for x in text.split("."))
    return a == 10 and (b << 16 | c << 8 | d)


def slot(name, ip):
    return {"hostname": name, "service": name.split("-")[0], "service_type": "",
            "instance_id": "i-" + name, "ip": ip, "aliases": None}


class Log:
    """One line for each event: when, and which."""

    def __init__(self, path):
        self.file = open(path, "a", buffering=1, encoding="ascii")

    def add(self, what):
        self.file.write("%.4f %s\n" % (time.time(), what))


class Writer(threading.Thread):
    """Writes its own slots, one after the other. may[name]: the values that it may have at
    the end: the last one acknowledged, and what got no clear answer after that."""

    def __init__(self, uri, prefix, concern, pause):
        super().__init__(daemon=True)
        self.coll = servers(connect(uri), write_concern=concern)
        self.prefix, self.pause = prefix, pause
        self.may = collections.defaultdict(lambda: [None])
        self.done = self.errors = 0
        self.random = random.Random(prefix)

    def turn(self, count):
        name = "%s-%d" % (self.prefix, self.random.randrange(N_SLOTS))
        value = address(count)
        if self.random.randrange(8) == 0:
            value = None
            act = lambda: self.coll.delete_one({"hostname": name})
        elif self.random.randrange(3) == 0:
            act = lambda: self.coll.replace_one({"hostname": name}, slot(name, value),
                                                upsert=True)
        else:
            act = lambda: self.coll.update_one(
                {"hostname": name}, {"$set": slot(name, value)}, upsert=True)
        try:
            act()
        except ERRORS:
            self.errors += 1
            self.may[name].append(value)
            return
        self.done += 1
        self.may[name] = [value]

    def run(self):
        count = 0
        while not stop.is_set():
            count += 1
            self.turn(count)
            time.sleep(self.pause)


class Beat(Writer):
    """One name whose address counts up: each acknowledged write is a line of acks."""

    def __init__(self, uri, log):
        super().__init__(uri, "beat", MAJORITY, 0.02)
        self.log = log

    def turn(self, count):
        try:
            self.coll.update_one({"hostname": "beat"},
                                 {"$set": slot("beat", address(count))}, upsert=True)
        except ERRORS:
            self.errors += 1
            self.may["beat"].append(address(count))
            return
        self.done += 1
        self.may["beat"] = [address(count)]
        self.log.add(count)


class Swapper(threading.Thread):
    """A change-over after the other: two nodes exchange their slots in a transaction."""

    def __init__(self, uri):
        super().__init__(daemon=True)
        self.client = connect(uri)
        self.coll = servers(self.client, write_concern=MAJORITY)
        for i in range(2):
            self.coll.replace_one({"hostname": "swap-%d" % i},
                                  slot("swap-%d" % i, "10.99.0.%d" % i), upsert=True)
        self.done = self.errors = 0

    def swap(self, session):
        docs = [self.coll.find_one({"hostname": "swap-%d" % i}, session=session)
                for i in range(2)]
        for i in range(2):
            self.coll.update_one({"hostname": "swap-%d" % i}, {"$set": {"ip": ""}},
                                 session=session)
        for i in range(2):
            self.coll.update_one({"hostname": "swap-%d" % i},
                                 {"$set": {"ip": docs[1 - i]["ip"]}}, session=session)

    def run(self):
        while not stop.is_set():
            try:
                with self.client.start_session() as session:
                    with session.start_transaction(write_concern=MAJORITY):
                        self.swap(session)
                self.done += 1
            except ERRORS:
                self.errors += 1
                time.sleep(0.1)
            time.sleep(0.05)


def writers(uri, folder):
    beat = Beat(uri, Log(os.path.join(folder, "acks")))
    majority = [Writer(uri, "maj%d" % i, MAJORITY, 0.02) for i in range(N_WRITERS)]
    fast = Writer(uri, "fast", WriteConcern(w=1), 0.005)
    swapper = Swapper(uri)
    everyone = [beat, fast, swapper] + majority
    for thread in everyone:
        thread.start()
    while not stop.is_set():
        stop.wait(0.2)
    for thread in everyone:
        thread.join(30)
    may = dict(beat.may)
    for thread in majority:
        may.update(thread.may)
    with open(os.path.join(folder, "written"), "w", encoding="ascii") as file:
        json.dump(may, file)
    print("%d majority writes (%d failed), %d with w:1 (%d failed), %d change-overs "
          "(%d failed)" % (sum(t.done for t in majority + [beat]),
                           sum(t.errors for t in majority + [beat]), fast.done,
                           fast.errors, swapper.done, swapper.errors))


def check(uri, folder):
    with open(os.path.join(folder, "written"), encoding="ascii") as file:
        may = json.load(file)
    coll = servers(connect(uri), read_concern=ReadConcern("majority"))
    have = {doc["hostname"]: doc["ip"] for doc in coll.find()}
    lost = {n: (v, have.get(n)) for n, v in may.items() if have.get(n) not in v}
    if lost:
        sys.exit("lost: %r" % lost)
    if sorted(have["swap-%d" % i] for i in range(2)) != ["10.99.0.0", "10.99.0.1"]:
        sys.exit("half a change-over: %r" % have)
    print("%d names as they were acknowledged" % len(may))


def resolve(name):
    try:
        return socket.gethostbyname(name)
    except OSError:
        return None


def observe(folder, *never):
    """beat must never go back; a swapped pair, read twice around the other, never shows
    one address under both names or none; the names of never are never there."""
    log = Log(os.path.join(folder, "seen"))
    last = n = swaps = 0
    both = False
    while not stop.is_set():
        n += 1
        for name in never:
            found = resolve(name.split("=")[0])
            if found and (("=" not in name) or found == name.split("=")[1]):
                sys.exit("%s was seen: %s" % (name, found))
        seen = resolve("beat")
        if seen:
            now = number(seen)
            if now < last:
                sys.exit("beat went back from %d to %d" % (last, now))
            if now > last:
                log.add(now)
            last = now
        elif last:
            sys.exit("beat went")
        a, b, again = resolve("swap-0"), resolve("swap-1"), resolve("swap-0")
        both = both or bool(a and b)
        if both and not (a and b and again):
            sys.exit("a change-over was seen half done: %s %s %s" % (a, b, again))
        if both and a == again:
            swaps += 1
            if a == b:
                sys.exit("half a change-over was seen: %s %s" % (a, b))
        time.sleep(0.002)
    print("%d rounds of look-ups, %d pairs compared" % (n, swaps))


def flood(uri, count):
    """So many MB through the oplog."""
    coll = connect(uri).other.get_collection("big", write_concern=MAJORITY)
    for i in range(int(count)):
        coll.replace_one({"_id": i % 10}, {"x": "a" * 1000000}, upsert=True)


def ahead(uri, seconds):
    """The set's time goes that far, as if a member's clock had been there; a name then.
    Without authentication anyone may say what time it is."""
    client = connect(uri)
    with client.start_session() as session:
        now = bson.Timestamp(int(time.time()) + int(seconds), 1)
        session.advance_cluster_time({"clusterTime": now, "signature": {
            "hash": bytes(20), "keyId": bson.Int64(0)}})
        servers(client, write_concern=MAJORITY).insert_one(
            slot("ahead-" + seconds, "10.7.3.1"), session=session)
        if session.operation_time < now:
            sys.exit("the set's time is %r, not %r" % (session.operation_time, now))


def gap(path, start, end):
    start, end = float(start), float(end)
    times = [float(line.split()[0]) for line in open(path, encoding="ascii")]
    times = [start] + [t for t in times if start < t < end]
    longest = max((b - a for a, b in zip(times, times[1:])), default=end - start)
    print("%d" % (longest * 1000))


def same(uri, dump):
    coll = servers(connect(uri, document_class=RawBSONDocument),
                   codec_options=CodecOptions(document_class=RawBSONDocument),
                   read_concern=ReadConcern("majority"))
    want = sorted(doc.raw.hex() for doc in coll.find())
    have = sorted(line.strip() for line in open(dump, encoding="ascii"))
    if want != have:
        sys.exit("%d documents in the set, %d in the mirror, %d of them the same" %
                 (len(want), len(have), len(set(want) & set(have))))
    print("%d documents, byte for byte" % len(want))


def main(argv):
    commands = {f.__name__: f for f in (ahead, writers, check, observe, flood, gap, same)}
    if len(argv) < 3 or argv[1] not in commands:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    commands[argv[1]](*argv[2:])


if __name__ == "__main__":
    main(sys.argv)
