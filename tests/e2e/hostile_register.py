#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A registrar among documents from hell: the right name, or a clear refusal, soon.

hostile_register.py URI FOLDER

Each row is a service of its own, S in its texts: what stands in the collections, what is
asked for, the exit code, and what is printed or said.
"""
import datetime
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pymongo
from bson import Code, Decimal128, Int64, MinKey, ObjectId, Regex, Timestamp

DEADLINE = 25  # seconds; what comes near it went round in circles
ME = "i-me-S"
DAMAGED = "is damaged"
NAN, HUGE = float("nan"), 1e300
DATE = datetime.datetime(2020, 1, 1)
NO_TEXT = [5, 5.5, NAN, True, {"a": 1}, [], ["x"], [["x"]], ObjectId(), Decimal128("5"), DATE,
           Regex("^S"), Code("x"), b"S-0", MinKey(), Timestamp(1, 1)]


def slot(hostname, instance_id="", **more):
    return {"hostname": hostname, "service": "S", "service_type": "", "ip": "",
            "instance_id": instance_id, "aliases": None, **more}


def rows():
    # A blank slot that is none of ours beside it: the first name all the same.
    for name in NO_TEXT[:5] + NO_TEXT[8:] + [
            None, "", " ", "S-00", "S-01", "S--1", "S-99999999999999999999", "S-1 ", " S-1", "S-1\n",
            "S-1\x00", "S-+1", "S-1.", "S-0x1", "S-1e5", "S-", "S", "S-slave-", "S-slave-01",
            "S-master ", "S-Master", "S-0\n10.6.6.6 bank.example", "bank.example", "localhost",
            "S-\uff11", "\u202eS-1", "$(reboot)-0", "T-0", "printer"]:
        yield "blank %r" % (name,), {"servers": [slot(name)]}, "register", 0, "^S-0 .new. "
        yield ("blank with an address %r" % (name,), {"servers": [slot(name, ip="10.1.1.1")]},
               "register", 0, "^S-0 .new. ")
    # The name that is needed stands within an array.
    yield "the next name in an array", {"servers": [slot(["S-0"])]}, "register", 1, DAMAGED
    yield "largest number", {"servers": [slot("S-" + "9" * 17)]}, "register", 0, "^S-9+ .gap."
    yield ("beyond the largest number", {"servers": [slot("S-" + "9" * 17, "i-other-S")]},
           "register", 0, "^S-0 .gap.")
    # Somebody's, whoever it is.
    for who in NO_TEXT:
        yield ("held by %r" % (who,), {"servers": [slot("S-0", who)]}, "register", 0,
               "^S-1 .new. ")
        yield ("master held by %r" % (who,), {"servers": [slot("S-master", who)]},
               "register masterful", 1, DAMAGED)
    for who in "", None:
        yield "blank by %r" % (who,), {"servers": [slot("S-0", who)]}, "register", 0, "^S-0 .gap."
    # A static entry: instance_id '' is a gap, whatever its address.
    yield ("a static entry", {"servers": [slot("S-0", ip="10.1.1.1", service_type="x")]},
           "register", 0, "^S-0 .gap. ")
    yield ("a static entry of another name", {"servers": [slot("gw-S", ip="10.1.1.1")]},
           "register", 0, "^S-0 .new. ")
    yield ("a static entry without a service",
           {"servers": [slot("gw-S", ip="10.1.1.1", service="")]}, "register", 0, "^S-0 .new. ")
    # My own slot.
    for name in NO_TEXT[:5] + NO_TEXT[7:]:
        yield ("mine is called %r" % (name,), {"servers": [slot(name, ME)]}, "register", 1,
               DAMAGED)
        yield ("release of %r" % (name,), {"servers": [slot(name, ME)]}, "release", 1, DAMAGED)
    for name in "S 0", "S-0\n", "S-0\x1b[31m", "localhost", "1.2.3.4", "-S", "S" * 70, "S..x":
        yield ("mine is called %r" % name, {"servers": [slot(name, ME)]}, "register", 1,
               "may not answer")
    for key in "reg", "epoch":
        for number in [5], 1.5, NAN, HUGE, Decimal128("5"), DATE:
            yield ("my %s is %r" % (key, number), {"servers": [slot("S-0", ME, **{key: number})]},
                   "register", 1, DAMAGED)
            yield ("my %s is %r" % (key, number), {"servers": [slot("S-0", ME, **{key: number})]},
                   "release", 1, DAMAGED)
        for number in None, "x", 0, -1, 5, 5.0, Int64(2**63 - 1), {"a": 1}, True, Timestamp(1, 1):
            yield ("my %s is %r" % (key, number), {"servers": [slot("S-0", ME, **{key: number})]},
                   "register", 0, "^S-0 .held.")
    yield "my id in an array", {"servers": [slot("S-0", [ME])]}, "register", 1, DAMAGED
    for what in NO_TEXT:
        yield ("my ip and aliases are %r" % (what,),
               {"servers": [slot("S-0", ME, ip=what, ip6=what, aliases=what)]}, "register", 0,
               "^S-0 .held.")
        yield ("my service is %r" % (what,), {"servers": [slot("S-0", ME, service=what)]},
               "register", 0, "^S-0 .held.")
    # The other two collections.
    for number in [1], 1.5, NAN, HUGE, Decimal128("5"), DATE:
        yield ("gen %r" % (number,), {"nodes": [{"_id": ME, "gen": number}]}, "register", 1,
               DAMAGED)
        yield ("control's epoch %r" % (number,), {"control": [{"_id": "S", "epoch": number}]},
               "register masterful", 1, DAMAGED)
    for number in None, "x", {}, 3, 3.0:
        yield ("gen %r" % (number,), {"nodes": [{"_id": ME, "gen": number}]}, "register", 0,
               "^S-0 ")
        yield ("control's epoch %r" % (number,), {"control": [{"_id": "S", "epoch": number}]},
               "register masterful", 0, "^S-master ")
    for dead in {}, "x", 5, [], DATE:
        yield "dead %r" % (dead,), {"nodes": [{"_id": ME, "dead": dead}]}, "register", 75, "dead"
    for left in True, "x", 5, []:
        yield "left %r" % (left,), {"nodes": [{"_id": ME, "left": left}]}, "register", 0, "^S-0 "
    for op in [], [{}], [{"p": ME}]:
        yield ("op %r" % (op,), {"control": [{"_id": "S", "epoch": 1, "op": op}]},
               "register masterful", 1, DAMAGED)
    for op in {}, {"p": 5}, {"p": ""}, {"p": ["x"]}, {"p": None, "m": "x"}:
        yield ("op %r" % (op,), {"control": [{"_id": "S", "epoch": 1, "op": op}]},
               "register masterful", 78, "names no instance")
    for op in None, "x", 5, True, DATE:
        yield ("op %r" % (op,), {"control": [{"_id": "S", "epoch": 1, "op": op}]},
               "register masterful", 0, "^S-master ")
    for m in None, 5, {}, "nobody":
        yield ("op m %r, ips odd" % (m,), {"control": [
            {"_id": "S", "epoch": 1, "op": {"p": "i-p-S", "m": m, "ips": 5}}]},
            "register masterful", 0, "^S-slave-")
    # Change-over.
    mine = slot("S-slave-1", ME, service_type="masterful", ip="10.1.1.2")
    for master in (slot(["S-master"], "i-m-S"), slot("S-master", 5), slot("S-master", ["i-m-S"]),
                   slot("S-master", "i-mS", epoch=[9]), slot("S-master", "i-mS", epoch=NAN),
                   slot("S-master", "i-mS", epoch=9.5)):
        yield ("master %r" % (master,), {"servers": [mine, master]}, "change", 1, DAMAGED)
    for master in (slot("S-master", "i-mS", ip=5, aliases=7, registered_at="x"),
                   slot("S-master", "i-mS", service_type=["x"], epoch="x"),
                   slot("S-master", None, epoch=None)):
        yield ("master %r" % (master,), {"servers": [mine, master]}, "change", 0, "^S-master ")
    for bad in slot(5, ME), slot(["S-slave-1"], ME), slot("S-slave-1", ME, reg=[5]):
        yield ("caller %r" % (bad,), {"servers": [bad, slot("S-master", "i-mS")]}, "change", 1,
               DAMAGED)
    yield ("caller without a name", {"servers": [slot("", ME), slot("S-master", "i-mS")]},
           "change", 1, "register it first")


def deep(value, service):
    if type(value) is str:  # Code is one, too
        return value.replace("S", service)
    if isinstance(value, dict):
        return {k: deep(v, service) for k, v in value.items()}
    if isinstance(value, list):
        return [deep(v, service) for v in value]
    return value


def command(what, uri, root, service):
    words = ["--server=" + uri, "--root=" + root, "--register-deadline=%d" % DEADLINE,
             "--instance-id=" + deep(ME, service), "--loglevel=ERROR"]
    if what == "release":
        return ["aerostat", "release", *words]
    words += ["--service=" + service, "--ip=10.2.2.2"]
    if what.endswith("masterful") or what == "change":
        words.append("--type=masterful")
    return ["aerostat-register", *words] + (["--change-master"] if what == "change" else [])


def put(collection, docs):
    """Names that are no service's own (localhost) stand in one row at a time."""
    end = time.monotonic() + 60
    while True:
        try:
            return collection.insert_many(docs).inserted_ids
        except pymongo.errors.BulkWriteError:
            collection.delete_many({"_id": {"$in": [d["_id"] for d in docs if "_id" in d]}})
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def try_row(database, uri, folder, n, row):
    """The time that it took, and what is wrong or None."""
    what, docs, act, code, said = row
    service = "s%d" % n
    ids = {name: put(database[name], [deep(d, service) for d in some])
           for name, some in docs.items()}
    began = time.monotonic()
    done = subprocess.run(command(act, uri, "%s/%s" % (folder, service), service),
                          capture_output=True)
    took = time.monotonic() - began
    text = (done.stdout if code == 0 else done.stderr).decode()
    for name, some in ids.items():
        database[name].delete_many({"_id": {"$in": some}})
    if done.returncode == code and re.search(deep(said, service), text) and \
            took < DEADLINE / 2 and not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text):
        return took, None
    return took, "%s, %s: %.1f s, exit %d, wanted %d and '%s': %r %r" % (
        what, act, took, done.returncode, code, said, done.stdout, done.stderr)


def main(uri, folder):
    database = pymongo.MongoClient(uri, w="majority")["aerostat"]
    # The indexes, as they are where others registered before.
    subprocess.run(command("register", uri, folder + "/first", "first"), check=True,
                   capture_output=True)
    with ThreadPoolExecutor(8) as pool:
        all_rows = list(rows())
        tried = list(pool.map(lambda nr: try_row(database, uri, folder, *nr),
                              enumerate(all_rows)))
    bad = [wrong for _, wrong in tried if wrong]
    if bad:
        sys.exit("\n".join(bad[:20] + ["%d of %d" % (len(bad), len(tried))]))
    codes = Counter(row[3] for row in all_rows)
    print("# %d runs of the registrar among documents from hell, 8 at a time: %s; slowest "
          "%.2f s" % (len(tried), ", ".join("%d ended with %d" % (v, k)
                                            for k, v in sorted(codes.items())),
                      max(took for took, _ in tried)))


if __name__ == "__main__":
    main(*sys.argv[1:])
