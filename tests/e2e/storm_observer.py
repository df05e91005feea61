#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Watches a naming store through a storm and ends with a verdict (storm_check.py).

storm_observer.py mongo URI DIR         every version, by a change stream of the database,
                                        and snapshot reads that have to agree with it
storm_observer.py lmdb TOOL PATH DIR    every version that TOOL (tests/store_tool) catches

DIR/journal is read as it grows. DIR/observing is there once it watches; DIR/rest asks for
the end: all must be at rest. Exit 0, and figures as words; or 1, and what was broken with
the way to it (all of it in DIR/trace).
"""
import collections
import json
import os
import subprocess
import sys
import threading
import time

from storm_check import Broken, Checker, State

LAG = 0.5           # so long an event waits for the journal to be written
SNAPSHOT_PAUSE = 0.2
COLLECTIONS = {"servers": "slots", "control": "control", "nodes": "nodes"}


class Journal:
    """Its lines, as far as they are whole."""

    def __init__(self, folder):
        self.path, self.at = os.path.join(folder, "journal"), 0

    def read(self, checker):
        with open(self.path, "rb") as file:
            file.seek(self.at)
            text = file.read()
        text = text[:text.rfind(b"\n") + 1]
        self.at += len(text)
        for line in text.decode("ascii").splitlines():
            checker.line(line)


def verdict(checker, folder, more):
    """At rest: the last word. more: figures of the kind of store."""
    Journal.read(checker.journal, checker)
    checker.rest()
    figures = {"versions": checker.versions, "snapshots": checker.counts["snapshot"],
               "acknowledged": checker.counts["told"],
               "changeovers": checker.counts["master"],
               "registrars": checker.counts["begin"],
               "deaths": checker.counts["ending"],
               "nodes": len(checker.promised), **more}
    with open(os.path.join(folder, "figures"), "w", encoding="ascii") as file:
        json.dump(figures, file)
    print(", ".join("%s %s" % (v, k) for k, v in figures.items()))


# ---- MongoDB ----

def apply_path(doc, path, value, remove=False):
    """A dotted path of a change event's updateDescription, on a copy."""
    head, _, rest = path.partition(".")
    copy = list(doc) if isinstance(doc, list) else dict(doc)
    key = int(head) if isinstance(doc, list) else head
    if rest:
        copy[key] = apply_path(copy[key], rest, value, remove)
    elif remove:
        copy.pop(key, None)
    elif isinstance(doc, list) and key == len(copy):
        copy.append(value)
    else:
        copy[key] = value
    return copy


def apply(state, event):
    """One event of the database's stream."""
    kind = event["operationType"]
    if kind not in ("insert", "replace", "update", "delete"):
        raise Broken("I4: somebody did a %s" % kind)
    name = event["ns"]["coll"]
    if name not in COLLECTIONS:
        return
    docs, key = getattr(state, COLLECTIONS[name]), event["documentKey"]["_id"]
    if kind == "delete":
        docs.pop(key, None)
    elif kind != "update":
        docs[key] = event["fullDocument"]
    else:
        change, doc = event["updateDescription"], docs[key]
        for cut in change.get("truncatedArrays") or ():
            doc = apply_path(doc, cut["field"], doc[cut["field"]][:cut["newSize"]])
        for path, value in change["updatedFields"].items():
            doc = apply_path(doc, path, value)
        for path in change["removedFields"]:
            doc = apply_path(doc, path, None, remove=True)
        docs[key] = doc


def read_snapshot(database):
    """All three collections at one time of the set: (State, time)."""
    state, when = State(), None
    for name, part in COLLECTIONS.items():
        concern = {"level": "snapshot"}
        if when is not None:
            concern["atClusterTime"] = when
        cursor = database.command("find", name, codec_options=database.codec_options,
                                  batchSize=100000, readConcern=concern)["cursor"]
        if cursor["id"]:
            raise RuntimeError("%s is too large for one batch" % name)
        when = cursor["atClusterTime"]
        getattr(state, part).update((doc["_id"], doc) for doc in cursor["firstBatch"])
    return state, when


def same(what, read, replayed):
    """All of a collection, read at one time, is what its versions have come to."""
    for key in set(read) | set(replayed):
        if read.get(key) != replayed.get(key):
            raise Broken("I3: in %s stands %r, and the stream says %r" % (
                what, read.get(key), replayed.get(key)))


class Reader(threading.Thread):
    """Snapshot reads, at the primary and at secondaries in turn."""

    def __init__(self, connect):
        super().__init__(daemon=True)
        self.connect, self.found, self.failed = connect, collections.deque(), 0

    def run(self):
        from pymongo import ReadPreference
        from pymongo.errors import PyMongoError
        kinds = [self.connect().get_database("aerostat", read_preference=p)
                 for p in (ReadPreference.PRIMARY, ReadPreference.SECONDARY)]
        turn = 0
        while True:
            turn += 1
            try:
                self.found.append(read_snapshot(kinds[turn % 2]))
            except PyMongoError:
                self.failed += 1
            time.sleep(SNAPSHOT_PAUSE)


class Replay:
    """The change stream, event by event, as the versions of the database."""

    def __init__(self, uri):
        from pymongo import MongoClient
        from pymongo.errors import PyMongoError
        self.error = PyMongoError
        self.connect = lambda: MongoClient(
            uri, serverSelectionTimeoutMS=5000, connectTimeoutMS=2000,
            socketTimeoutMS=4000, appname="storm-observer", tz_aware=True)
        self.database = self.connect()["aerostat"]
        # A snapshot read of a collection that is not there has no time.
        for name in set(COLLECTIONS) - set(self.database.list_collection_names()):
            self.database.create_collection(name)
        self.state, self.position = self.again(lambda: read_snapshot(self.database))
        self.start, self.stream, self.token = self.position, None, None
        self.reader = Reader(self.connect)
        self.waiting = collections.deque()
        self.agreed = self.reopened = 0

    def again(self, act):
        end = time.monotonic() + 30
        while True:
            try:
                return act()
            except self.error:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def fetch(self):
        """Wait a little for events."""
        try:
            if self.stream is None:
                self.reopened += 1
                where = ({"resume_after": self.token} if self.token else
                         {"start_at_operation_time": self.start})
                self.stream = self.database.watch(max_await_time_ms=100, **where)
            event = self.stream.try_next()
            while event is not None:
                self.token = event["_id"]
                if event["clusterTime"] > self.start:
                    self.waiting.append(event)
                event = self.stream.try_next() if len(self.waiting) < 5000 else None
            self.token = self.stream.resume_token or self.token
        except self.error:
            if self.stream is not None:
                self.stream.close()
            self.stream = None
            time.sleep(0.1)

    def snapshots(self, before, checker):
        """Those that were taken before this time are what was replayed."""
        found = self.reader.found
        while found and (before is None or found[0][1] < before):
            state, when = found.popleft()
            checker.snapshot(state, checker.promised if when >= self.position else ())
            if when < self.position:
                continue  # it came too late to be compared
            self.agreed += 1
            for part in COLLECTIONS.values():
                same("a snapshot at %s" % when, getattr(state, part),
                     getattr(self.state, part))

    def step(self, checker, before=None):
        """Whole transactions and events whose time has come: those of one cluster time."""
        while self.waiting:
            first = self.waiting[0]
            wall = first["wallTime"].timestamp()
            group = [e for e in self.waiting if e["clusterTime"] == first["clusterTime"]]
            if before is not None and wall > before:
                return
            self.snapshots(first["clusterTime"], checker)
            self.state = self.state.copy()
            for event in group:
                self.waiting.popleft()
                apply(self.state, event)
            self.position = first["clusterTime"]
            checker.version(wall, self.state, True)


def observe_mongo(checker, folder, uri):
    replay = Replay(uri)
    checker.version(time.time(), replay.state, False)
    replay.fetch()
    replay.reader.start()
    ready(folder)
    while not os.path.exists(os.path.join(folder, "rest")):
        replay.fetch()
        checker.journal.read(checker)
        replay.step(checker, time.time() - LAG)
    # What the set has now is the end: as of a majority read that is newer than all.
    last, when = replay.again(lambda: read_snapshot(replay.database))
    replay.reader.found.append((last, when))
    end = time.monotonic() + 30
    while replay.state.slots != last.slots or replay.waiting:
        if time.monotonic() > end:
            raise Broken("I3: the stream does not come to what the set holds")
        replay.fetch()
        checker.journal.read(checker)
        replay.step(checker)
    replay.snapshots(None, checker)
    verdict(checker, folder, {"agreed": replay.agreed, "opened": replay.reopened})


# ---- LMDB ----

def observe_lmdb(checker, folder, tool, path):
    with subprocess.Popen([tool, "watch", path], stdout=subprocess.PIPE) as child:
        try:
            os.set_blocking(child.stdout.fileno(), False)
            follow_lmdb(checker, folder, child)
        finally:
            child.kill()


def follow_lmdb(checker, folder, child):
    last, at, every, rest, text = None, 0.0, 0, 0.0, b""
    ready(folder)
    while True:
        more = child.stdout.read()
        if not more:
            if child.poll() is not None:
                raise RuntimeError("store_tool ended with %s" % child.returncode)
            # Idle for a second after all came to rest: that was the last version.
            if os.path.exists(os.path.join(folder, "rest")):
                rest = rest or time.monotonic()
                if time.monotonic() > rest + 1:
                    break
            time.sleep(0.002)
            continue
        rest = 0.0
        *lines, text = (text + more).split(b"\n")
        for line in lines:
            found = json.loads(line)
            checker.journal.read(checker)
            state = State(found["slots"], found["control"], found["nodes"])
            next_one = last is not None and found["version"] == last + 1
            every += next_one
            last = found["version"]
            checker.version(found["at"], state, next_one, at, found["until"])
            at = found["at"]
    verdict(checker, folder, {"successive": every})


def ready(folder):
    with open(os.path.join(folder, "observing"), "w", encoding="ascii"):
        pass


def main(argv):
    kinds = {"mongo": (observe_mongo, 4), "lmdb": (observe_lmdb, 5)}
    if len(argv) < 2 or argv[1] not in kinds or len(argv) != kinds[argv[1]][1]:
        sys.exit(__doc__)
    folder, checker = argv[-1], Checker()
    checker.journal = Journal(folder)
    open(checker.journal.path, "a", encoding="ascii").close()
    try:
        kinds[argv[1]][0](checker, folder, *argv[2:-1])
    except Broken as broken:
        with open(os.path.join(folder, "trace"), "w", encoding="ascii") as file:
            file.write("\n".join("%.3f %s" % e for e in checker.recent))
        print("\n".join(checker.trace(str(broken)) + ["BROKEN: %s" % broken]), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv)
    sys.stdout.flush()
    os._exit(code)  # pymongo's threads would take ten seconds to end
