#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every class of error that MongoDB can answer with, to the daemon and to the registrar.

weather_errors.py URI DIR syncd|register|all

Each row is a fail point and what it may lead to. The daemon's rows: the mode it shows
meanwhile, whether it reads everything again, the time until a name that was written under
the fault resolves; each row starts the daemon anew, from the position of the last one,
which was killed. The registrar's rows: the exit code, and that there is exactly one slot
with the name that was printed, also a while later.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pymongo

LONG = os.environ.get("AEROSTAT_TEST_LONG") == "1"
STATUS = "/var/lib/aerostat/status.json"
LIMIT = 60 # seconds; a loaded machine

uri, folder, what = sys.argv[1:4]
admin = pymongo.MongoClient(uri, w="majority", serverSelectionTimeoutMS=30000)
servers = admin.aerostat.servers
primary = None


def fail(words):
    sys.exit("FAIL: %s" % words)


def until(limit, words, ask):
    end = time.monotonic() + limit
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            fail("waited in vain for: %s; status %s" % (words, status()))
        time.sleep(0.02)


def status():
    try:
        with open(STATUS, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def resolve(name):
    try:
        return socket.gethostbyname(name)
    except OSError:
        return None


def point(name, mode, **data):
    command = {"configureFailPoint": name, "mode": mode}
    if data:
        command["data"] = data
    primary.admin.command(command)


def off():
    for name in "failCommand", "onPrimaryTransactionalWrite":
        point(name, "off")


# --- the daemon ------------------------------------------------------------------------

# (commands, what they answer, how often, what for). How often 0: until it has its effect.
# What for: "resume" goes on from its position; "again" reads everything once more; "poll"
# polls, and streams again afterwards; "refused" serves what it has, and asks slowly.
RESUMABLE = [43, 11600, 13436]
REOPENING = [189, 10107]
LOST = [286, 50811]
NONE = [40324, 238]
AUTH = [13, 18]
if LONG:
    RESUMABLE = REOPENING = [6, 7, 43, 50, 63, 64, 89, 91, 94, 112, 133, 134, 150, 175, 189,
                             202, 234, 262, 9001, 10058, 10107, 11600, 11601, 11602, 13435,
                             13436] # not 13388: a fail point answers 40671 instead
    LOST = [136, 260, 280, 286, 10334, 40647, 40649, 50811]
    NONE = [40573, 40324, 238, 115]
    AUTH = [11, 13, 18, 8000]

ROWS = [(["getMore"], {"errorCode": c}, 2, "resume") for c in RESUMABLE]
ROWS += [(["getMore", "aggregate"], {"errorCode": c}, 3, "resume") for c in REOPENING]
ROWS += [(["getMore"], {"errorCode": c}, 1, "again") for c in LOST]
ROWS += [
    (["getMore"], {"errorCode": 286, "errorLabels": ["NonResumableChangeStreamError"]}, 1,
     "again"),
    (["getMore"], {"errorCode": 1234, "errorLabels": ["NonResumableChangeStreamError"]}, 1,
     "again"),
    (["getMore"], {"errorCode": 8}, 2, "resume"), # of no class
    (["getMore"], {"closeConnection": True}, 3, "resume"),
    (["getMore", "aggregate"], {"closeConnection": True}, 4, "resume"),
    (["hello", "isMaster", "getMore"], {"closeConnection": True}, 6, "resume"),
    (["getMore"], {"blockConnection": True, "blockTimeMS": 4500}, 1, "resume"),
    (["aggregate", "getMore"], {"blockConnection": True, "blockTimeMS": 4500}, 2, "resume"),
    (["find"], {"errorCode": 189}, 3, "snapshot"),
    (["find"], {"closeConnection": True}, 3, "snapshot"),
    (["find"], {"errorCode": 286}, 1, "snapshot"),
    (["find"], {"blockConnection": True, "blockTimeMS": 4500}, 1, "snapshot"),
]
if not LONG: # every other one of these
    ROWS = ROWS[:7] + ROWS[7::2]
ROWS += [(["aggregate"], {"errorCode": c}, 0, "poll") for c in NONE]
ROWS += [([c], {"errorCode": e}, 0, "refused") for c in ("getMore", "aggregate")
         for e in AUTH if LONG or c == "getMore"]

turn = 0
daemon = None


def start_daemon():
    global daemon
    before = status().get("started", 0)
    with open(os.path.join(folder, "syncd.log"), "ab") as log:
        daemon = subprocess.Popen(
            ["aerostat-syncd", "--server=" + uri, "--hosts-file=off", "--poll-interval=1",
             "--loglevel=DEBUG"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    until(LIMIT, "the daemon", lambda: status().get("started", 0) > before)
    until(LIMIT, "the stream", lambda: status().get("mode") == "stream")


def end_daemon():
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()


def seen(words):
    """A name is written; the time until it resolves, in ms."""
    global turn
    turn += 1
    name, ip = "name-%d" % turn, "10.1.%d.%d" % (turn >> 8, turn & 255)
    began = time.monotonic()
    servers.insert_one({"hostname": name, "ip": ip})
    until(LIMIT, "%s under %s" % (name, words), lambda: resolve(name) == ip)
    return (time.monotonic() - began) * 1000


def is_mode(mode):
    return lambda: status().get("mode") == mode


def syncd_row(commands, data, times, kind):
    words = "%s %s" % ("+".join(commands), " ".join(
        "%s" % (v if k == "errorCode" else k) for k, v in data.items()
        if k != "blockTimeMS"))
    start_daemon()
    if turn and resolve("name-%d" % turn) is None:
        fail("a name went with the last daemon")
    before = status()
    point("failCommand", {"times": times} if times else "alwaysOn",
          failCommands=commands, appName="aerostat-syncd", **data)
    if kind == "snapshot":
        daemon.send_signal(signal.SIGUSR1)
    if kind == "poll": # it has a stream: make it open another
        point("failCommand", {"times": 1}, failCommands=["getMore"],
              appName="aerostat-syncd", errorCode=43)
        until(LIMIT, "the end of the stream", is_mode("backoff"))
        point("failCommand", "alwaysOn", failCommands=commands, appName="aerostat-syncd",
              **data)
        until(LIMIT, "polling", is_mode("poll"))
    if kind in ("resume", "again"): # it has met the error before the name is written
        until(LIMIT, words, lambda: status().get("reconnects", 0) > 0)
    if kind == "refused":
        if commands == ["aggregate"]:
            daemon.send_signal(signal.SIGUSR1)
        until(LIMIT, "a refusal", is_mode("backoff"))
        time.sleep(3)
        now = status()
        if now["reconnects"] - before["reconnects"] > 1:
            fail("%s: asked %d times in 3 s" % (words, now["reconnects"]))
        if resolve("name-%d" % turn) is None:
            fail("%s: a name went" % words)
        off()
        if not LONG:
            daemon.send_signal(signal.SIGUSR1)
        until(90, "the stream again", is_mode("stream"))
    ms = seen(words)
    if kind == "poll":
        off()
    until(LIMIT, "the stream again", is_mode("stream"))
    if kind in ("again", "snapshot"):
        until(LIMIT, "a resync",
              lambda: status()["sync_count"] - before["sync_count"] == 1)
    elif kind == "resume" and status()["sync_count"] != before["sync_count"]:
        fail("%s: read everything again" % words)
    off()
    if daemon.poll() is not None:
        fail("%s: the daemon ended" % words)
    end_daemon()
    return words, ms


def syncd():
    times = {}
    servers.insert_one({"hostname": "name-0", "ip": "10.1.0.0"})
    for row in ROWS:
        began = time.monotonic()
        words, ms = syncd_row(*row)
        times.setdefault(row[3], []).append(ms)
        took = time.monotonic() - began
        if LONG or took > 8:
            print("# %s: %s, %d ms, %d ms in all" % (words, row[3], ms, took * 1000),
                  flush=True)
    start_daemon()
    for n in range(turn):
        if resolve("name-%d" % (n + 1)) is None:
            fail("name-%d was lost" % (n + 1))
    if servers.count_documents({}) != turn + 1 or status()["documents"] != turn + 1:
        fail("%d documents are mirrored" % status()["documents"])
    daemon.send_signal(signal.SIGTERM)
    daemon.wait()
    for kind, ms in times.items():
        print("# daemon, %d errors -> %s: a name resolves after %d ms, at most %d ms" %
              (len(ms), kind, sorted(ms)[len(ms) // 2], max(ms)))


# --- the registrar ---------------------------------------------------------------------

# (words, commands, what they answer, mode, exit code, more of the URI)
WRITES = ["findAndModify", "insert", "update"]
TRANSIENT = [91, 189, 10107, 11600, 11602, 13435, 9001, 89] if LONG else [10107]
REGISTER = [(["find"], {"errorCode": c}, {"times": 3}, 0, "")
            for c in TRANSIENT + ([] if LONG else [91])]
REGISTER += [([w], {"errorCode": c}, {"times": 3}, 0, "")
             for w in WRITES for c in TRANSIENT]
REGISTER += [([w], {"closeConnection": True}, {"times": 3}, 0, "") for w in WRITES]
REGISTER += [([w], {"writeConcernError": {"code": 64, "errmsg": "waiting"}}, {"times": 1},
              0, "") for w in WRITES]
# The driver waits for its monitor to see again who only says that it shuts down: 2 s.
REGISTER += [([w], {"writeConcernError": {"code": 91, "errmsg": "shutdown"}}, {"times": 1},
              0, "") for w in WRITES if LONG]
# C: no retry by the driver, and the first try lands after it was given up
REGISTER += [([w], {"blockConnection": True, "blockTimeMS": 1500}, {"times": 1}, 0,
              "&socketTimeoutMS=500&retryWrites=false") for w in WRITES]
# past the time-out that we set
REGISTER += [([w], {"blockConnection": True, "blockTimeMS": 7000}, {"times": 1}, 0, "")
             for w in (WRITES if LONG else WRITES[:1])]
REGISTER += [
    (["find", "listIndexes"], {"errorCode": 13}, "alwaysOn", 77, ""),
    (["find", "listIndexes"], {"errorCode": 18}, "alwaysOn", 77, ""),
    (["findAndModify", "insert", "update"], {"errorCode": 13}, "alwaysOn", 77, ""),
    (["findAndModify", "insert", "update"], {"closeConnection": True}, "alwaysOn", 69, ""),
]
if LONG:
    REGISTER += [
        (["find", "listIndexes"], {"errorCode": 8000}, "alwaysOn", 77, ""),
        (["find"], {"errorCode": 189}, "alwaysOn", 69, ""),
        (["ping", "listIndexes", "find"], {"closeConnection": True}, {"times": 4}, 0, ""),
        (["hello", "isMaster"], {"closeConnection": True}, {"times": 2}, 0, ""),
        (["listIndexes"], {"errorCode": 189}, {"times": 3}, 0, ""),
    ]
APPLIED = "applied, then the answer and the driver's second try are lost"


def register(node, deadline, more):
    command = ["aerostat-register", "--server=" + uri + more, "--service=web", "--offline",
               "--instance-id=" + node, "--ip=10.2.0.1", "--loglevel=CRITICAL",
               "--root=" + os.path.join(folder, node),
               "--register-deadline=%d" % deadline]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", check=False, timeout=120)


def one_slot(node, done, words, code):
    slots = list(servers.find({"instance_id": node}))
    if done.returncode != code:
        fail("%s: exit %d, not %d: %s" % (words, done.returncode, code, done.stderr))
    if len(slots) > 1 or (code == 0 and not slots):
        fail("%s: %d slots" % (words, len(slots)))
    if code == 0 and (done.stdout.count("\n") != 1 or
                      done.stdout.split()[0] != slots[0]["hostname"]):
        fail("%s: printed %r, holds %s" % (words, done.stdout, slots[0]["hostname"]))
    if code == 77 and slots:
        fail("%s: a slot without permission" % words)


def gap():
    """A blank slot, so that findAndModify claims one; without, insert makes one."""
    servers.update_one({"hostname": "web-0"}, {"$set": {
        "service": "web", "service_type": "iterative", "instance_id": "", "ip": "",
        "aliases": None}}, upsert=True)


def register_row(number, row):
    commands, data, mode, code, more = row
    node = "i-row-%d" % number
    words = "%s %s %s" % ("+".join(commands), data, mode)
    if "insert" not in commands:
        gap()
    point("failCommand", mode, failCommands=commands, appName="aerostat-register", **data)
    began = time.monotonic()
    done = register(node, 60 if code == 0 else 3, more)
    took = time.monotonic() - began
    off()
    if LONG or took > 5:
        print("# %s: exit %d after %d ms" % (words, code, took * 1000), flush=True)
    one_slot(node, done, words, code)
    if "blockConnection" in data:
        time.sleep(1.5) # a late first try has landed by now
        one_slot(node, done, words, code)
    if code == 0 and took > 20:
        fail("%s: done only after %d s" % (words, took))
    if code == 69 and took > 30:
        fail("%s: %d s over a deadline of 3 s" % (words, took))
    if code != 0: # and without the fault it is registered, once
        again = register(node, 60, "")
        one_slot(node, again, words, 0)
    return took


def applied_row(number):
    """A) of research: the write lands, its answer does not, nor the second try's."""
    node = "i-applied-%d" % number
    gap()
    point("onPrimaryTransactionalWrite", {"times": 1}, closeConnection=True)
    point("failCommand", {"skip": 1}, failCommands=[WRITES[number % 3]],
          appName="aerostat-register", closeConnection=True)
    timer = threading.Timer(2, off)
    timer.start()
    done = register(node, 60, "")
    timer.join()
    off()
    one_slot(node, done, APPLIED, 0)


def unique():
    names = [s["hostname"] for s in servers.find({"service": "web"})]
    ids = [s["instance_id"] for s in servers.find({"service": "web"}) if s["instance_id"]]
    if len(names) != len(set(names)) or len(ids) != len(set(ids)):
        fail("a name or an instance is there twice")
    if sorted(int(n[4:]) for n in names) != list(range(len(names))):
        fail("numbers are missing: %r" % sorted(names))
    return len(ids)


def registrar():
    times = [register_row(n, row) for n, row in enumerate(REGISTER)]
    for n in range(9 if LONG else 3):
        applied_row(n)
    print("# registrar, %d errors: %d nodes, one slot each; median %d ms, at most %d ms" %
          (len(times), unique(), sorted(times)[len(times) // 2] * 1000, max(times) * 1000))


def main():
    global primary
    admin.admin.command("ping")
    host = until(30, "a primary", lambda: admin.primary)
    primary = pymongo.MongoClient(host[0], host[1], directConnection=True)
    if what in ("syncd", "all"):
        syncd()
        servers.delete_many({})
    if what in ("register", "all"):
        registrar()


try:
    main()
finally:
    if daemon and daemon.poll() is None:
        daemon.kill()
