#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does storm_check.py find what it is there for? Each row is a history that is right but
for its last step, which breaks one invariant; the histories without it have to pass."""
import sys

from storm_check import INVARIANTS, Broken, Checker, State


def slot(name, who="", reg=None, epoch=None, kind="masterful", ip=None):
    service = name.split("-")[0]
    doc = {"hostname": name, "service": service, "service_type": kind,
           "instance_id": who, "ip": "10.0.0." + who[-1] if who else "", "aliases": None}
    if ip is not None:
        doc["ip"] = ip
    if reg is not None:
        doc["reg"] = reg
    if epoch is not None:
        doc["epoch"] = epoch
    return doc


class History:
    """One second a step."""

    def __init__(self):
        self.checker, self.now, self.state = Checker(), 100.0, State()

    def say(self, word, who, *more):
        self.checker.line(" ".join(["%.3f" % self.now, word, who, "db", *more]))

    def begin(self, *ids):
        for who in ids:
            self.say("begin", who, "10.0.0." + who[-1], "masterful")

    def told(self, who, name, word="told"):
        self.say(word, who, name, "%.3f" % (self.now - 1))
        self.now += 1

    def put(self, *slots, op=None, epoch=None, left=(), every=True, gone=()):
        """The next version: these slots as given, the others as they are."""
        self.now += 1
        self.state = self.state.copy()
        for doc in slots:
            self.state.slots[doc.pop("_key", doc["hostname"])] = doc
        for key in gone:
            del self.state.slots[key]
        if epoch is not None:
            self.state.control["db"] = {"epoch": epoch, "op": op}
        for who in left:
            self.state.nodes[who] = {"gen": 2, "left": True, "dead": None}
        self.checker.version(self.now, self.state, every)
        self.now += 1


def three():
    """i-a is the master, i-b and i-c are slaves; all were told so. Epoch 1."""
    h = History()
    h.begin("i-1", "i-2", "i-3")
    h.put(slot("db-master"), epoch=0)
    h.put(op={"p": "i-1", "m": ""}, epoch=1)
    h.put(slot("db-master", "i-1", 1, 1))
    h.put(op=None, epoch=1)
    h.told("i-1", "db-master")
    for n in (2, 3):
        h.put(slot("db-slave-%d" % (n - 1)))
        h.put(slot("db-slave-%d" % (n - 1), "i-%d" % n, n))
        h.told("i-%d" % n, "db-slave-%d" % (n - 1))
    return h


def promotion(h, until):
    """i-2 becomes the master, in so many of its five writes."""
    steps = [lambda: h.put(op={"p": "i-2", "m": "i-1"}, epoch=2),
             lambda: h.put(slot("db-slave-1", "", 2)),
             lambda: h.put(slot("db-master", "i-2", 4, 2)),
             lambda: h.put(slot("db-slave-1", "i-1", 5)),
             lambda: h.put(op=None, epoch=2)]
    h.begin("i-2")
    for step in steps[:until]:
        step()
    if until == len(steps):
        h.told("i-2", "db-master", "master")
    return h


def in_one(h):
    """i-2 becomes the master, in one version."""
    h.begin("i-2")
    h.put(slot("db-master", "i-2", 4, 2), slot("db-slave-1", "i-1", 5), epoch=2)
    h.told("i-2", "db-master", "master")
    return h


def released(h, who, name):
    """That node leaves, and its slot is blank."""
    h.say("ending", who)
    h.put(left=(who,))
    doc = next(s for s in h.state.slots.values() if s["hostname"] == name)
    h.put(slot(name, "", doc["reg"], doc.get("epoch")))
    return h


def fill(h, who, name, reg):
    h.put(slot(name, who, reg))
    h.told(who, name)


def newcomer(h, name, *blank):
    """i-4 begins, and takes that name; those in blank are blank before."""
    for who, gap in blank:
        released(h, who, gap)
    h.begin("i-4")
    return lambda: h.put(slot(name, "i-4", 9))


def rest(h):
    h.put()
    h.checker.rest()


def dead_stays():
    h = three()
    h.say("ending", "i-3")
    h.put(left=("i-3",))
    return h


def appended(h):
    h.begin("i-4")
    h.put(slot("db-slave-3"))
    return h


# What breaks, what it is, the history, its last step.
ROWS = [
    ("I1", "two slots of one name", three,
     lambda h: h.put(dict(slot("db-slave-1", "i-4", 9), _key="x"))),
    ("I1", "a slot renamed", three,
     lambda h: h.put(dict(slot("db-slave-3", "i-2", 2), _key="db-slave-1"))),
    ("I2", "a node in two slots", three,
     lambda h: h.put(slot("db-slave-3"), slot("db-slave-1", "i-3", 9))),
    ("I3", "the master blanked by a change-over", lambda: promotion(three(), 2),
     lambda h: h.put(slot("db-master", "", 1, 1))),
    ("I3", "the master gone", three, lambda h: h.put(gone=["db-master"])),
    ("I3", "the master blank, seen in a snapshot", three,
     lambda h: h.put(slot("db-master", "", 1, 1), every=False)),
    ("I4", "a hole", three, lambda h: h.put(slot("db-slave-4"))),
    ("I4", "a slot deleted", three, lambda h: h.put(gone=["db-slave-2"])),
    ("I4", "not the lowest gap",
     lambda: released(released(three(), "i-2", "db-slave-1"), "i-3", "db-slave-2"),
     lambda h: newcomer(h, "db-slave-2")()),
    ("I4", "appended, and there was a gap",
     lambda: released(three(), "i-2", "db-slave-1"),
     lambda h: (appended(h), h.put(slot("db-slave-3", "i-4", 9)))),
    ("I5", "a master that no op made", three,
     lambda h: h.put(slot("db-master", "i-4", 9, 1), slot("db-slave-3"))),
    ("I5", "the master of a closed op", lambda: promotion(three(), 5),
     lambda h: h.put(slot("db-master", "i-3", 9, 2), slot("db-slave-2", "", 3))),
    ("I5", "a transaction that promotes another", three,
     lambda h: h.put(slot("db-master", "i-4", 4, 2), slot("db-slave-1", "", 2), epoch=2)),
    ("I7", "a transaction that forgets the old master", three,
     lambda h: h.put(slot("db-master", "i-2", 4, 2), slot("db-slave-1", "", 2), epoch=2)),
    ("I5", "a transaction beside an open op", lambda: promotion(three(), 1),
     lambda h: h.put(slot("db-master", "i-3", 4, 3), slot("db-slave-2", "i-1", 5),
                     epoch=3)),
    ("I5", "the epoch goes down", lambda: promotion(three(), 5),
     lambda h: h.put(slot("db-master", "i-2", 4, 1))),
    ("I5", "an epoch above control's", three,
     lambda h: h.put(slot("db-master", "i-1", 1, 7))),
    ("I5", "a slave's slot goes over directly", three,
     lambda h: h.put(slot("db-slave-1", "i-4", 9))),
    ("I5", "told to be the master, and it is not", three,
     lambda h: (h.begin("i-2"), h.told("i-2", "db-master", "master"), h.put())),
    ("I6", "the address of another", three,
     lambda h: h.put(slot("db-slave-1", "i-2", 2, ip="10.0.0.3"))),
    ("I6", "a blank slot that answers", lambda: released(three(), "i-2", "db-slave-1"),
     lambda h: h.put(slot("db-slave-1", "", 2, ip="10.0.0.2"))),
    ("I6", "an op is open at rest", lambda: promotion(three(), 4), rest),
    ("I6", "a released node has a slot at rest", dead_stays, rest),
    ("I6", "a slot of one who never was told", three,
     lambda h: (appended(h), h.put(slot("db-slave-3", "i-4", 9)), rest(h))),
    ("I7", "an acknowledged name is blanked", three,
     lambda h: (h.put(left=("i-2",)), h.put(slot("db-slave-1", "", 2)))),
    ("I7", "the old master gets no place", lambda: promotion(three(), 3),
     lambda h: h.put(op=None, epoch=2)),
    ("I7", "told a name that it never had", three,
     lambda h: (h.begin("i-2"), h.told("i-2", "db-slave-2"), h.put())),
    ("I7", "lost in a rollback, seen in a snapshot", three,
     lambda h: h.put(slot("db-slave-2", "", None), every=False)),
]

# These are right to their end.
RIGHT = [
    ("a change-over", lambda: promotion(three(), 5)),
    ("a change-over in one transaction", lambda: in_one(three())),
    ("a release", lambda: released(three(), "i-2", "db-slave-1")),
    ("a gap is filled", lambda: fill_gap(three())),
    ("two gaps are filled by two", lambda: both_gaps(three())),
    ("one left a moment ago, below what is claimed", lambda: late_gap(three())),
    ("the master dies", lambda: released(three(), "i-1", "db-master")),
]


def fill_gap(h):
    newcomer(h, "db-slave-1", ("i-2", "db-slave-1"))()
    h.told("i-4", "db-slave-1")
    return h


def both_gaps(h):
    newcomer(h, "db-slave-1", ("i-2", "db-slave-1"), ("i-3", "db-slave-2"))()
    h.told("i-4", "db-slave-1")
    h.begin("i-5")
    h.put(slot("db-slave-2", "i-5", 10))
    h.told("i-5", "db-slave-2")
    return h


def late_gap(h):
    released(h, "i-3", "db-slave-2")
    h.begin("i-4")
    released(h, "i-2", "db-slave-1")
    fill(h, "i-4", "db-slave-2", 9)
    return h


def main():
    faults, found = [], set()
    for words, history in RIGHT:
        try:
            rest(history())
        except Broken as broken:
            faults.append("%s: is right, and was called %s" % (words, broken))
    for which, words, history, last in ROWS:
        h = history()
        try:
            last(h)
            faults.append("%s, %s: was not found" % (which, words))
        except Broken as broken:
            if which + ":" not in str(broken):
                faults.append("%s, %s: was called %s" % (which, words, broken))
            elif not h.checker.trace(str(broken)):
                faults.append("%s, %s: no trace" % (which, words))
            found.add(which)
    faults += ["%s has no row" % which for which in INVARIANTS if which not in found]
    print("\n".join(faults + ["%d faults found of %d, %d right histories passed" % (
        len(ROWS) - len(faults), len(ROWS), len(RIGHT))]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
