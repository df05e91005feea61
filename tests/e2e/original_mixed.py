#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Clients of the original beside ours.

original_mixed.py URI FOLDER HEAL_TOOL RUNS

A row: what it shows, the documents (`name=node`, `name=` blank, `=node` nameless), the
steps, and what is there in the end. Nodes a-h are ours, p-z run the original. Steps:

    r:a r:a+www  our registration, with an alias; r:a!78: it ends with 78; r:a~: --no-indexes
    c:a l:a      our change-over, our release
    o:x o:x+www  the original's registration
    m:x          the original's change-over
    k:xy         the original's reaper, which finds all but x and y running
    o:x@2        only to its second stop: a read or write that others may come before; or
                 o:x@look, o:x@pick: to the stop of that name; o:x>: the rest
    heal         all of ours heal themselves, until there is nothing to heal
    op:a,x       an op of ours stands open, as a crash leaves it: a instead of x
    drop:NAME=x  the operator deletes this document
    all:r:a/o:x  these steps at once

After each step no name and no live node is there twice (I1, I2), from the first of our
registrations on, which makes the indexes; after each heal and in the end each node of ours
that is registered is in one slot, and no op is open (I6); in the end each name
answers with the addresses of who has it. RUNS more rows are made at random.
"""
import json
import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pymongo
from original_client import Original, connect, run

OURS = "abcdefgh"
THREADS = 8  # they wait, mostly

DB = "db-master=x db-slave-1=y "
ROWS = [
    # --- old data ---
    ("a nameless document of a node that is ours now", DB + "=a", "r:a",
     DB + "db-slave-2=a ="),
    ("its blank hides the gaps from the original, not from us", "web-0=x web-1= =",
     "o:y r:a", "web-0=x web-1=a web-2=y ="),
    ("a name twice: refused until one is gone", "web-0=x web-0=y",
     "r:a!78 drop:web-0=y r:a", "web-0=x web-1=a"),
    ("a node twice: the same", "web-0=x web-1=x", "r:a!78 drop:web-1=x r:a",
     "web-0=x web-1=a"),
    ("a name twice, without indexes", "web-0=x web-0=y web-1=", "r:a~ r:b~ drop:web-0=y r:c",
     "web-0=x web-1=a web-2=b web-3=c"),
    ("holes", "web-0=x web-3=y", "r:a r:b r:c", "web-0=x web-1=a web-2=b web-3=y web-4=c"),
    ("a hole: the original counts to a name that we hold", "web-0=x web-2=",
     "r:a o:y heal", "web-0=x web-1=a web-2=y"),
    ("gaps in string order", "web-0=x web-10= web-2=", "o:y r:a", "web-0=x web-10=y web-2=a"),
    # --- registrations ---
    ("originals first", "", "o:x o:y r:a r:b", "web-0=x web-1=y web-2=a web-3=b"),
    ("ours first", "", "r:a r:b o:x o:y", "web-0=a web-1=b web-2=x web-3=y"),
    ("turn by turn, masterful", "db", "o:x r:a o:y r:b",
     "db-master=x db-slave-1=a db-slave-2=y db-slave-3=b"),
    ("ours is the first master", "db", "r:a o:x o:x r:a", "db-master=a db-slave-1=x"),
    ("its $set on a name that became ours", "", "r:a o:x@look r:b o:x> heal",
     "web-0=a web-1=x web-2=b"),
    ("its insert of such a name is refused; it never knows, and asks again at boot", "",
     "r:a o:x@2 r:b o:x> heal o:x", "web-0=a web-1=b web-2=x"),
    ("a gap for two", "web-0=x web-1=", "o:y@2 r:a o:y> heal", "web-0=x web-1=y web-2=a"),
    ("a blank master for two", "db-master= db-slave-1=x", "o:y@2 r:a o:y> heal",
     "db-master=y db-slave-1=x db-slave-2=a"),
    ("two originals want one name", "web-0=x", "r:a o:y@2 o:z@2 o:y> o:z> o:z",
     "web-0=x web-1=a web-2=y web-3=z"),
    ("the same without indexes: found when ours comes", "", "o:x@2 o:y@2 o:x> o:y> r:a!78",
     "web-0=x web-0=y"),
    ("its nameless document keeps its node from any other",
     DB + "=z", "r:a o:z r:b", DB + "db-slave-2=a =z db-slave-3=b"),
    ("its registration while our change-over stands open", "db",
     "o:x r:a op:a,x o:y heal", "db-master=a db-slave-1=x db-slave-2=y"),
    ("a crowd of both", "", "r:a all:r:b/o:x/r:c/o:y/r:d/o:z heal", None),
    ("a crowd of both in the gaps, masterful", "db-master=x db-slave-1= db-slave-2= db-slave-3=",
     "r:a all:r:b/o:p/r:c/o:q/r:d/c:a/o:r heal", None),
    # --- aliases ---
    ("an alias that goes to ours takes only itself", "", "o:x+www+static r:a+www",
     "web-0=x+static web-1=a+www"),
    ("one that goes to the original takes all; a boot brings the others back", "",
     "r:a+www+api o:x+www r:a+api", "web-0=a+api web-1=x+www"),
    # --- change-overs ---
    ("the original's, of two", "db", "r:a o:x m:x heal", "db-master=x db-slave-1=a"),
    ("there and back", "db", "r:a o:x m:x c:a heal", "db-master=a db-slave-1=x"),
    ("its old master is refused a name that is held", "db", "r:a o:x o:y m:x heal",
     "db-master=x db-slave-1=a = db-slave-2=y"),
    ("of three, the last calls", "db", "r:a o:x o:y m:y heal",
     "db-master=y db-slave-1=x db-slave-2=a"),
    ("its old master was an original's: it stays nameless", "db", "o:x o:y r:a m:y heal",
     "db-master=y =x db-slave-2=a"),
    ("over our open one", "db", "o:x r:a r:b op:a,x m:x m:y heal",
     "=x db-master=a db-slave-1= db-slave-2=b"),
    ("ours in the middle of its", "db", "r:a r:b o:x m:x@2 c:b m:x> heal",
     "= =x db-master=b db-slave-1=a"),
    ("it picks no name for whom has healed: null", "db", "r:a o:x m:x@pick heal m:x> heal",
     "= = db-master=x db-slave-1=a"),
    ("we go on where it died", "db", "r:a o:x r:b m:x@3 heal",
     "= =x db-master=a db-slave-2=b"),
    # --- its reaper ---
    ("takes a node of ours that is pending", "", "r:a r:b k:a heal", "web-0=a web-1=b"),
    ("and gives its name away", "", "r:a r:b k:a o:x heal", "web-0=x web-1=b web-2=a"),
    ("the master's", "db", "r:a r:b k:a heal", "db-master=a db-slave-1=b"),
    ("the master's, and an original takes it", "db", "r:a r:b k:a o:x heal",
     "db-master=x db-slave-1=b db-slave-2=a"),
    ("what we release it fills", "", "r:a r:b l:a o:x heal", "web-0=x web-1=b"),
    ("it blanks one without an address that was left", "web-0=x web-1=/10.9.9.9", "r:a k:",
     "web-0=x web-1=a"),
] + [("healed at stop %d of its change-over" % n, "db",
      "r:a r:b o:x m:x@%d heal m:x> heal" % n, want) for n, want in (
          (1, "db-master=x db-slave-1=b db-slave-2=a"),
          (2, "= = =x db-master=a db-slave-1=b"),
          (3, "= = =x db-master=a db-slave-1=b"),
          (4, "= = db-master=x db-slave-1=b db-slave-2=a"),
          (5, "= db-master=x db-slave-1=b db-slave-2=a"))]


class Broken(Exception):
    pass


def at_random(seed):
    """Everybody does anything, each of the original's actions in two pieces."""
    rng = random.Random(seed)
    steps = ["r:a"]
    for _ in range(14):
        ours, other = rng.choice("abc"), rng.choice("xyz")
        steps += rng.choice([["r:" + ours], ["r:" + ours], ["c:" + ours], ["l:" + ours], ["heal"],
                             ["o:" + other], ["o:%s@%d" % (other, rng.randint(1, 2))],
                             ["m:%s@%d" % (other, rng.randint(1, 5))], ["m:" + other],
                             ["k:" + ours], ["k:" + other]])
    return "at random, %d" % seed, "db", " ".join(steps + ["heal"]), None


class World:
    """One row: a database of its own, and its nodes."""

    def __init__(self, number, row):
        self.shows, self.docs, self.steps, self.want = row
        self.database = "mixed%d" % number
        self.service = "db" if self.docs.startswith("db") else "web"
        self.kind = "masterful" if self.service == "db" else "iterative"
        self.db = client[self.database]
        self.theirs = connect(*primary)
        self.begun = {}  # actions of the original that are under way
        self.lax = True  # no indexes yet: no promise

    # --- nodes ---

    def ip(self, node):
        return "10.0.0.%d" % ord(node)

    def root(self, node):
        return os.path.join(folder, self.database, node)

    def original(self, node, aliases=None):
        return Original(self.theirs[self.database].servers, "i-" + node, self.ip(node),
                        self.service, self.kind, aliases)

    def put(self):
        for text in self.docs.split():
            if "=" not in text:
                continue
            name, node = text.split("=")
            node, _, ip = node.partition("/")
            self.db.servers.insert_one({
                "hostname": name, "service": self.service, "service_type": self.kind,
                "instance_id": "i-" + node if node else "", "aliases": None,
                "ip": ip or (self.ip(node) if node else "")})

    def settle(self):
        """Whatever the originals sent has been taken or refused, and a majority has it."""
        self.theirs[self.database].servers.find_one({"_id": 0})
        self.db.settled.insert_one({})

    # --- steps ---

    def ours(self, action, node, more=(), code=0):
        done = subprocess.run(
            [action[0], "--server=" + uri, "--database=" + self.database,
             "--root=" + self.root(node), "--loglevel=ERROR", "--register-deadline=30",
             "--instance-id=i-" + node, *action[1:], *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=60, check=False, text=True)
        if code is not None and done.returncode != code:
            raise Broken("%s ended with %d: %s" % (node, done.returncode, done.stdout))

    def step_r(self, text):
        node, aliases = text[0], re.findall(r"\+(\w+)", text)
        code = int(text.split("!")[1]) if "!" in text else 0
        more = ["--no-indexes"] if "~" in text else []
        self.lax = code == 78 or "~" in text
        self.ours(["aerostat-register"], node,
                  ["--service=" + self.service, "--type=" + self.kind, "--ip=" + self.ip(node),
                   "--ip6=fd00::%d" % ord(node), *more, *["--alias=" + a for a in aliases]], code)

    def step_c(self, text):
        # Refused where it has no name at the moment, or the others' data is not in order.
        self.ours(["aerostat-register", "--change-master"], text[0],
                  ["--service=" + self.service, "--type=" + self.kind, "--ip=" + self.ip(text[0])],
                  None)

    def step_l(self, text):
        self.ours(["aerostat", "release"], text[0],
                  ["--service=" + self.service, "--type=" + self.kind, "--ip=" + self.ip(text[0])])

    def go(self, key, action, text):
        """On with an action of the original, to the stop that text names."""
        stop = re.search(r"@(\w+)", text)
        stop = stop.group(1) if stop else None
        for n, kind in enumerate(action, 1):
            if stop in (kind, str(n)):
                self.begun[key] = action
                break
        self.settle()

    def step_o(self, text):
        key = "o" + text[0]
        action = self.begun.pop(key, None)
        if action is None or ">" not in text:
            action = self.original(text[0], re.findall(r"\+(\w+)", text) or None).register()
        self.go(key, action, text)

    def step_m(self, text):
        key = "m" + text[0]
        action = self.begun.pop(key, None)
        if action is None or ">" not in text:
            action = self.original(text[0]).change_master()
        self.go(key, action, text)

    def step_k(self, text):
        known = self.db.servers.distinct("instance_id")
        run(self.original("z").reap([i for i in known if i and i[2:] not in text]))
        self.settle()

    def step_op(self, text):
        p, m = text.split(",")
        empty = {"ip": "", "ip6": "", "aliases": []}
        self.db.control.update_one({"_id": self.service}, {
            "$inc": {"epoch": 1},
            "$set": {"op": {"p": "i-" + p, "m": "i-" + m, "ips": {
                "p": {**empty, "ip": self.ip(p), "ip6": "fd00::%d" % ord(p)},
                "m": {**empty, "ip": self.ip(m)}}}}}, upsert=True)

    def step_all(self, text):
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self.step, text.split("/")))

    def step_drop(self, text):
        name, node = text.split("=")
        if self.db.servers.delete_many({"hostname": name, "instance_id": "i-" + node}
                                       ).deleted_count != 1:
            raise Broken("nothing to drop: " + text)

    def step_heal(self, _=""):
        roots = [self.root(n) for n in OURS if os.path.exists(
            os.path.join(self.root(n), "var/lib/aerostat/identity.json"))]
        for _ in range(6 if roots else 0):
            done = subprocess.run([heal_tool, uri, self.database, *roots], timeout=120,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False, text=True)
            if done.returncode:
                raise Broken("heal: " + done.stdout)
            if " done " not in done.stdout:
                break
        else:
            if roots:
                raise Broken("heals without end: " + done.stdout)
        self.check_rest()

    def step(self, text):
        word, _, rest = text.partition(":")
        getattr(self, "step_" + word)(rest)

    # --- what must hold ---

    def check_always(self):
        if self.lax:
            return
        for key in "hostname", "instance_id":
            values = [d[key] for d in self.db.servers.find() if d[key]]
            twice = {v for v in values if values.count(v) > 1}
            if twice:
                raise Broken("%s twice: %s" % (key, twice))

    def check_rest(self):
        """I6 of ours."""
        if self.db.control.find_one({"op": {"$type": "object"}}):
            raise Broken("an op is open")
        for node in OURS:
            docs = list(self.db.servers.find({"instance_id": "i-" + node}))
            left = (self.db.nodes.find_one({"_id": "i-" + node}) or {"left": True})["left"]
            if left and not docs:
                continue
            if left or len(docs) != 1 or not docs[0]["hostname"]:
                raise Broken("%s has %s" % (node, docs or "no slot"))

    def check_answers(self):
        """What our programs read: nobody has another's address (the original leaves ip6)."""
        done = subprocess.run(["aerostat", "--server=" + uri, "--database=" + self.database,
                               "--root=" + folder, "--json", "list"], timeout=60, check=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for doc in json.loads(done.stdout):
            node = doc["instance_id"][2:]
            mine = [self.ip(node)] if node else []
            if node and node in OURS:
                mine.append("fd00::%d" % ord(node))
            if doc["addresses"] != mine:
                raise Broken("%s answers %s" % (doc["name"], doc["addresses"]))

    def shown(self):
        def one(doc):
            return "%s=%s%s" % (doc["hostname"] or "", doc["instance_id"][2:],
                                "".join("+" + a for a in sorted(doc["aliases"] or [])))
        return sorted(map(one, self.db.servers.find()))

    def play(self):
        done = []
        try:
            self.put()
            for step in self.steps.split():
                done.append(step)
                self.step(step)
                self.check_always()
            if self.want is None:
                for action in self.begun.values():
                    run(action)
                self.settle()
                self.step_heal()
            self.check_rest()
            self.check_answers()
            if self.want is not None and self.shown() != sorted(self.want.split()):
                raise Broken("wanted " + self.want)
        except (Broken, subprocess.TimeoutExpired) as err:
            return "%s: after %s: %s\n  there is %s" % (
                self.shows, " ".join(done), err, " ".join(self.shown()))
        finally:
            self.theirs.close()
        return None


def main():
    rows = ROWS + [at_random(seed) for seed in range(runs)]
    with ThreadPoolExecutor(THREADS) as pool:
        broken = list(pool.map(lambda row: World(*row).play(), enumerate(rows)))
    for text in filter(None, broken):
        print(text)
    print("# %d rows, %d broken" % (len(rows), len(rows) - broken.count(None)))
    return 1 if any(broken) else 0


if __name__ == "__main__":
    uri, folder, heal_tool, runs = sys.argv[1:4] + [int(sys.argv[4])]
    client = pymongo.MongoClient(uri, w="majority", readConcernLevel="majority")
    client.admin.command("ping")
    primary = client.address
    sys.exit(main())
