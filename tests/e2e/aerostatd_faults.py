#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""aerostatd, a fleet of 20 in a real store, and an EC2 in trouble: nobody dies of it.

aerostatd_faults.py URI FOLDER EC2_SERVER quick|long [FAULT]

Each row is a store of its own. One instance of ours is not listed any more, and a first
good pass has counted that. Then come passes under the fault, with all that protects taken
away: --force, the first absence counts, no time of grace. Not one name may go, whatever
happens; the exit code and the one line that an operator sees are those of the row. Then
all is good again, another instance has ended, and nothing was counted wrongly: that one
goes at the first good pass, the other at the third of all good ones.

A fault of kind WHOLE is none: its passes see everything, and so count as good ones. They
list all of ours. The rows of DAEMONS are the same under a running daemon.
"""
import os
import re
import subprocess
import sys
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import pymongo

from ec2_lib import FLEET, Server, copy_fleet, expect, fake, put, register_fleet, table

GONE, ENDED = FLEET[7], FLEET[13]
KEYS = ["AKIAFAULTS", "s3cret/of+the+faults", "t0ken/of+the+faults=="]
BOLD = ["--force", "--absent-passes=1"]
WHOLE, ERROR = "whole", "error"
TIRED = r"tried \d+ times?: "
ONCE = 50  # seconds: 30 for the listing, and a loaded machine

Row = namedtuple("Row", "fault mode code words passes regions kind told env",
                 defaults=("us-east-1", ERROR, {}, {}))


def row(fault, mode, code, words="", **more):
    return Row(fault, mode, code, words, **{"passes": (1, 3), **more})


def fast(fault, mode, code, words="", **more):
    return row(fault, mode, code, words, **{"passes": (3, 20), **more})


ROWS = [
    # Too much, out of order, away
    row("throttled twice, then not", "throttle", 0, kind=WHOLE),
    row("throttled", "throttled", 69, TIRED + r"RequestLimitExceeded \(503\): too many requests"),
    row("throttled from the second page on", "later-throttled", 69,
        TIRED + "RequestLimitExceeded"),
    row("500 and a page of HTML", "busy", 69, TIRED + "it answered 500$"),
    row("InternalError", "internal", 69, TIRED + r"InternalError \(500\): EC2 is out of order"),
    row("Unavailable", "unavailable", 69, TIRED + r"Unavailable \(503\): EC2 is out of order"),
    row("connection refused", "good", 69, TIRED + "Failed to connect to 127.0.0.1 port 9 ", told={"endpoint": "closed"}),
    row("connection reset", "reset", 69, TIRED + "Recv failure: Connection reset"),
    row("connection reset at the border of a page", "later-reset", 69,
        TIRED + "Recv failure: Connection reset"),
    row("a byte a second", "slow", 69, TIRED + "Operation t"),
    row("400 bytes a second", "trickle", 69, "Operation t"),
    row("no answer", "silent", 69, TIRED + "Operation t"),
    row("no answer at the second page", "later-silent", 69, TIRED + "Operation t"),
    # No whole listing
    row("XML cut", "cut", 69, TIRED + "EC2's answer: line 2: "),
    row("XML cut behind a whole instance", "item", 69, TIRED + "EC2's answer: line 2: "),
    row("connection ends in the XML", "lost", 69, TIRED + "transfer closed with "),
    row("XML cut in the second page", "later-cut", 69, TIRED + "EC2's answer: line 2: "),
    row("connection ends in the second page", "later-lost", 69,
        TIRED + "transfer closed with "),
    row("an empty page with a token", "pages", 0, kind=WHOLE),
    fast("tokens in a circle", "circle", 69, "its pages run in a circle"),
    row("a new token each time", "endless", 69, "its pages do not end"),
    row("instances without end", "flood", 69,
        TIRED + "(EC2's answer: line 2: too many instances|Operation timed out after)"),
    row("HTML with 200", "html", 69, TIRED + "EC2's answer: line 1: not an answer to DescribeInstances"),
    row("HTML with 200 at the second page", "later-html", 69, TIRED + "EC2's answer: line 1: not an answer"),
    row("nothing with 200", "empty", 69, TIRED + "EC2's answer: line 1: no element found"),
    row("a text with 200", "text", 69, TIRED + "EC2's answer: line 1: "),
    row("gzip that is none", "gzip", 69, TIRED + "EC2's answer: line 1: "),
    row("gzip that nobody asked for", "gzip-whole", 69, TIRED + "EC2's answer: line 1: "),
    row("DOCTYPE and an entity", "doctype", 69, TIRED + "EC2's answer: line 2: a DOCTYPE"),
    row("a bomb of entities", "bomb", 69, TIRED + "EC2's answer: line 2: a DOCTYPE"),
    # Another listing than ours
    fast("a wrong region, empty", "good", 0, regions="us-west-2"),
    fast("a wrong region with 40 others", "good", 0, regions="eu-west-1",
         passes=(20, 20)),
    row("100,000 instances in 100 pages", "good", 0, kind=WHOLE, told={"count": 99980}),
    fast("no such instance, all at once", "unknown", 69, r"InvalidInstanceID.NotFound \(400\)"),
    # Keys, rights and clocks
    fast("a clock an hour behind EC2's", "skew", 75,
         r"RequestExpired \(400\): the clock of this machine says 20\S*Z, that of EC2 20\S*Z; "
         "set ours"),
    fast("a clock an hour before EC2's", "skew-auth", 75,
         r"AuthFailure \(401\): the clock of this machine says"),
    fast("its Date is wrong, and no more", "date", 0, kind=WHOLE),
    fast("session expired once", "expired", 0, kind=WHOLE, passes=(1, 1)),
    fast("session expired", "ended", 78, r"ExpiredToken \(400\): the keys have expired; look at"),
    fast("session expired at the second page", "later-ended", 78, "ExpiredToken"),
    fast("wrong secret key", "good", 78, r"SignatureDoesNotMatch \(401\): the secret key is not",
         env={"AWS_SECRET_ACCESS_KEY": KEYS[1] + "x"}),
    fast("unknown key id", "good", 78, r"AuthFailure \(401\): it knows these keys not",
         env={"AWS_ACCESS_KEY_ID": "AKIANOBODY"}),
    fast("no right to list", "denied", 77, r"UnauthorizedOperation \(403\): these keys lack the "
         r"permission ec2:DescribeInstances"),
    fast("no right at the second page", "later-denied", 77, "UnauthorizedOperation"),
    fast("account blocked", "blocked", 77, r"Blocked \(403\): this account is blocked"),
    fast("region not enabled", "opt-in", 78, "OptInRequired .*regions"),
    # Somebody else answers
    fast("301 elsewhere", "moved", 78, "it answered 301 and sends us elsewhere"),
    fast("307 elsewhere", "moved-307", 78, "it answered 307 and sends us elsewhere"),
    fast("TLS as it should be", "good", 0, kind=WHOLE, told={"endpoint": "tls-good"}),
    fast("a certificate signed by itself", "good", 78, "self.signed certificate",
         told={"endpoint": "tls-self"}),
    fast("a certificate of another host", "good", 78, "certificate subject name",
         told={"endpoint": "tls-other"}),
    fast("a certificate that has expired", "good", 78, "certificate has expired",
         told={"endpoint": "tls-late"}),
    row("no TLS where TLS is expected", "good", 69, TIRED + "OpenSSL",
        told={"endpoint": "no-tls"}),
]

# A daemon meets the fault in its second pass, and again at its start: then it lives on (0)
# or ends with the code; None: not tried.
DAEMONS = [
    row("throttled", "throttled", 0, "RequestLimitExceeded"),
    row("no answer", "silent", None, "Operation t"),
    row("XML cut in the second page", "later-cut", None, "EC2's answer"),
    row("a clock an hour behind EC2's", "skew", 0, "the clock of this machine"),
    row("session expired", "ended", 78, "ExpiredToken"),
    row("no right to list", "denied", 77, "UnauthorizedOperation"),
]


class Trial:
    """One row's store, folder and EC2."""

    def __init__(self, number, row):
        self.row = row
        self.name = f"faults{number}"
        self.root = os.path.join(folder, self.name)
        self.slots = copy_fleet(client, self.name)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.root, **dict(zip(
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), KEYS))}
        kind = row.told.get("endpoint", "http")
        self.argv = ["aerostatd", f"--server={uri}", f"--database={self.name}",
                     f"--root={self.root}", "--grace=0"]
        self.good_at = [f"--endpoint={ENDPOINTS['http']}/{self.name}", "--regions=us-east-1"]
        self.fault_at = [f"--endpoint={ENDPOINTS[kind]}/{self.name}",
                         f"--regions={row.regions}"]

    def tell(self, mode, *missing, ended=()):
        fleet = {one: "terminated" if one in ended else "running" for one in FLEET
                 if one not in missing}
        put(os.path.join(folder, "control", self.name + ".json"),
            {"mode": mode, "fleet": fleet, "count": self.row.told.get("count", 40),
             "keys": {KEYS[0]: KEYS[1:]}})

    def left(self):
        return self.slots.count_documents({"instance_id": {"$gt": ""}})

    def say(self, words, text):
        """The one line; there is no secret in what is said."""
        for secret in KEYS[1:]:
            expect("a secret is told", False, secret in text)
        lines = [line.split(" ERROR ", 1)[1] for line in text.splitlines() if " ERROR " in line]
        expect("lines of errors: " + text, words is not None, len(lines) == 1)
        if words is not None and not re.search(words, lines[0]):
            raise AssertionError(f"'{words}' is not in '{lines[0]}'")
        return lines[0] if lines else ""

    def once(self, code, words, *options, env=None):
        start = time.monotonic()
        done = subprocess.run([*self.argv, "--once", *options], env={**self.env, **(env or {})},
                              text=True, stdin=subprocess.DEVNULL, timeout=ONCE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        expect("exit code: " + done.stdout, code, done.returncode)
        return time.monotonic() - start, self.say(words if code else None, done.stdout)

    def run(self):
        whole = self.row.kind == WHOLE
        self.tell("good", GONE)
        self.once(0, None, *self.good_at)
        self.tell(self.row.mode, *(() if whole else [GONE]))
        times = []
        for _ in range(self.row.passes[form == "long"]):
            took, line = self.once(self.row.code, self.row.words, *BOLD, *self.fault_at,
                                   env=self.row.env)
            times.append(took)
            expect("names left under the fault", len(FLEET), self.left())
        expect("certificates", 0, client[self.name].nodes.count_documents({"dead": {
            "$exists": True}}))
        self.tell("good", GONE, ended=[ENDED])
        left = [19, 19, 18] if whole else [19, 18]
        for i, n in enumerate(left):
            self.once(0, None, *self.good_at)
            expect(f"names left after good pass {i + 1}", n, self.left())
        with open(asked, encoding="utf-8") as file:
            expect("followed", False, "/elsewhere " in file.read())
        return (self.row.fault, len(times), 0, self.row.code, f"{max(times):.1f}",
                line.replace("aerostatd: nobody is judged dead: the cloud: ", "") or "-")


class Daemon(Trial):
    """The same with passes a second apart."""

    def start(self):
        self.server = Server(os.path.join(folder, self.name + ".log"),
                             [*self.argv, *BOLD, *self.good_at, "--poll=1"], self.env)

    def run(self):
        try:
            return self.cycle()
        finally:
            self.server.kill()

    def failing(self, seconds, before=0):
        """The line of the next pass that fails."""
        self.server.wait(seconds, "the fault", lambda: " ERROR " in self.server.read()[before:])
        line = self.server.read()[before:].partition(" ERROR ")[2].splitlines()[0]
        if not re.search(self.row.words, line):
            raise AssertionError(f"'{self.row.words}' is not in '{line}'")

    def cycle(self):
        self.tell(self.row.mode)
        if self.row.code is not None:
            self.start()
            self.failing(ONCE)
            if self.row.code:
                expect("exit code", self.row.code, self.server.process.wait(ONCE))
        self.tell("good")
        if not self.row.code == 0:
            self.start()
        before = len(self.server.read())
        self.server.wait(60, "a good pass", lambda: re.search(r"names=20.*\n.*names=20",
                                                       self.server.read()[before:]))
        before = len(self.server.read())
        self.tell(self.row.mode, GONE)
        start = time.monotonic()
        self.failing(150, before)
        failed = time.monotonic() - start
        expect("names left under the fault", len(FLEET), self.left())
        self.tell("good", GONE, ended=[ENDED])
        start = time.monotonic()
        self.server.wait(60, "the dead to go", lambda: self.left() == 18)
        mended = time.monotonic() - start
        expect("still the same process", None, self.server.process.poll())
        self.tell("silent", GONE)
        time.sleep(1.5)  # most likely in the middle of a request
        took = self.server.stop()
        for secret in KEYS[1:]:
            expect("a secret is told", False, secret in self.server.read())
        return (self.row.fault, {None: "-", 0: "lives on"}.get(self.row.code, self.row.code),
                0, f"{failed:.1f}", f"{mended:.1f}", f"{took:.1f}")


def attempt(trial):
    try:
        return trial.run()
    except (AssertionError, subprocess.TimeoutExpired) as error:
        print(f"FAIL: {trial.row.fault}: {error}", flush=True)
        return None


uri, folder, server, form = sys.argv[1:5]
only = sys.argv[5] if len(sys.argv) > 5 else None
client = pymongo.MongoClient(uri, w="majority")
asked = os.path.join(folder, "asked")
fakes = []
os.mkdir(os.path.join(folder, "control"))
try:
    told = "--control=" + os.path.join(folder, "control")
    plain = fake(fakes, server, "good", asked, "40", told)
    ENDPOINTS = {"http": f"http://127.0.0.1:{plain}", "no-tls": f"https://127.0.0.1:{plain}",
                 "closed": "http://127.0.0.1:9"}
    for kind in "good", "self", "other", "late":
        ENDPOINTS["tls-" + kind] = "https://127.0.0.1:%d" % fake(
            fakes, server, "good", asked, "40", told, f"--tls={folder}/pki/{kind}.pem")
    register_fleet(uri, folder)
    trials = [Trial(n, one) for n, one in enumerate(ROWS) if only in (None, one.fault)]
    trials += [Daemon(100 + n, one) for n, one in enumerate(DAEMONS)
               if only in (None, one.fault)]
    with ThreadPoolExecutor(len(trials)) as pool:
        rows = list(pool.map(attempt, trials))
finally:
    for process in fakes:
        process.kill()
print("asked: %d requests" % sum(1 for _ in open(asked, encoding="utf-8")))
table(["fault", "passes", "names lost", "exit", "slowest s", "what the operator sees"],
      [one for one, trial in zip(rows, trials) if not isinstance(trial, Daemon)])
print()
table(["fault, under a daemon", "at its start", "names lost", "s until its line",
       "s until the dead go", "s to stop"],
      [one for one, trial in zip(rows, trials) if isinstance(trial, Daemon)])
sys.exit(None in rows)
