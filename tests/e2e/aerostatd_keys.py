#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""aerostatd as a daemon while its keys change: no pass is lost, nobody restarts it.

aerostatd_keys.py URI FOLDER TESTS quick|long

Keys of a role end every TURN seconds; EC2 refuses them from that moment, and knows the
next ones from the beginning. The metadata service has the next ones some time before
(ahead), or after (late).
"""
import datetime
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pymongo

from ec2_lib import FLEET, Server, copy_fleet, expect, fake, put, register_fleet, table

TURN = 6


def keys(n):
    return [f"ASIAROLE{n}", f"s3cret/of+the+role+{n}", f"t0ken/of+the+role+{n}=="]


class Trial:
    """One daemon, its EC2 and its metadata service."""

    def __init__(self, name, title):
        self.name, self.title = name, title
        self.slots = copy_fleet(client, name)
        self.home = os.path.join(folder, name)
        os.mkdir(self.home)
        self.asked = os.path.join(self.home, "asked")
        self.role = os.path.join(self.home, "role.json")
        self.file = os.path.join(self.home, "keys")
        control = os.path.join(self.home, "control")
        os.mkdir(control)
        self.control = os.path.join(control, "ec2.json")
        self.imds_log = os.path.join(self.home, "imds")
        self.ec2 = fake(fakes, os.path.join(tests, "ec2_server.py"), "good", self.asked, "40",
                        "--control=" + control)
        self.imds = fake(fakes, os.path.join(tests, "imds_server.py"), "role", self.imds_log, "{}",
                         self.role)

    def start(self, *options):
        self.server = Server(os.path.join(folder, self.name + ".log"), [
            "aerostatd", f"--server={uri}", f"--database={self.name}", f"--root={self.home}",
            "--grace=0", "--poll=1", "--regions=us-east-1", "--force", "--absent-passes=1",
            f"--endpoint=http://127.0.0.1:{self.ec2}/ec2",
            f"--metadata-endpoint=http://127.0.0.1:{self.imds}", *options],
            {"PATH": os.environ["PATH"], "HOME": self.home})

    def tell(self, known, ended=()):
        put(self.control, {
            "mode": "good", "keys": known, "count": 40,
            "fleet": {one: "terminated" if one in ended else "running" for one in FLEET}})

    def serve(self, n, end):
        """Keys n, which end then, are what the metadata service has; or nothing is."""
        if n is None:
            os.unlink(self.role)
            return
        when = datetime.datetime.fromtimestamp(end + self.longer, datetime.timezone.utc)
        key_id, secret, token = keys(n)
        put(self.role, {"Code": "Success", "AccessKeyId": key_id, "SecretAccessKey": secret,
                        "Token": token, "Expiration": when.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def good(self, known):
        """A good pass with what EC2 knows now; then the end."""
        before = len(self.server.read())
        self.tell(known, ended=FLEET[3:4])
        self.server.wait(20, "a name to go", lambda: self.slots.count_documents(
            {"instance_id": {"$gt": ""}}) == len(FLEET) - 1)
        text = self.server.read()
        expect("errors at the end", 0, text[before:].count(" ERROR "))
        expect("the same process", None, self.server.process.poll())
        self.server.stop()
        for n in range(20):
            for secret in keys(n)[1:]:
                expect("a secret is told", False, secret in text)
        return text

    def used(self):
        with open(self.asked, encoding="utf-8") as file:
            lines = [line.split() for line in file]
        refused = [line for line in lines if line[1] != "us-east-1"]
        with open(self.imds_log, encoding="utf-8") as file:
            questions = sum(1 for line in file if "security-credentials/web-role" in line)
        return {line[-1] for line in lines if line not in refused}, len(refused), questions

    def turn(self, first, ahead, away, turns):
        """Keys 0, 1, ... one after the other."""
        for n in range(turns):
            end = first + n * TURN
            events = [(end - ahead, lambda n=n, end=end: self.serve(n + 1, end + TURN)),
                      (end, lambda n=n: self.tell({keys(i)[0]: False if i <= n else keys(i)[1:]
                                                   for i in range(turns + 1)}))]
            if away:
                events.append((end - TURN + 2.5, lambda: self.serve(None, 0)))
            for at, event in sorted(events, key=lambda one: one[0]):
                time.sleep(max(0, at - time.time()))
                event()

    def rotate(self, ahead, away=False, longer=0):
        self.longer = longer
        turns = {"quick": 4, "long": 20}[form]
        known = {keys(n)[0]: keys(n)[1:] for n in range(turns + 1)}
        first = int(time.time()) + TURN
        self.tell(known)
        self.serve(0, first)
        self.start()
        self.turn(first, ahead, away, turns)
        time.sleep(2)
        text = self.good({keys(turns)[0]: keys(turns)[1:]})
        ids, refused, questions = self.used()
        expect("keys used", set(known), ids)
        return text, refused, questions

    def replaced(self):
        """A credentials file that changes, first to keys that are not known yet."""
        def write(n):
            with open(os.open(self.file + ".new", os.O_WRONLY | os.O_CREAT, 0o600), "w",
                      encoding="ascii") as file:
                file.write("\n".join(keys(n)[:2]) + "\n")
            os.rename(self.file + ".new", self.file)
        write(0)
        pair = lambda n: [keys(n)[1], ""]
        self.tell({keys(0)[0]: pair(0), keys(1)[0]: pair(1)})
        self.start(f"--credentials-file={self.file}")
        self.server.wait(20, "a pass", lambda: "pass: done" in self.server.read())
        write(1)
        time.sleep(2.5)
        text = self.good({keys(1)[0]: pair(1)})  # the old ones are refused
        ids, refused, questions = self.used()
        expect("keys used", {keys(0)[0], keys(1)[0]}, ids)
        return text, refused, questions


# title, what runs, passes that may fail
ROWS = [
    ("the next keys come 4 s ahead", lambda one: one.rotate(4), 0),
    ("1 s ahead", lambda one: one.rotate(1), 0),
    ("1.5 s late: refused in between", lambda one: one.rotate(-1.5), None),
    ("1 s ahead, the service away until then", lambda one: one.rotate(1, away=True), 0),
    ("1 s ahead, refused an hour before they end", lambda one: one.rotate(1, longer=3600), 0),
    ("a credentials file replaced", lambda one: one.replaced(), 0),
]


def attempt(one):
    trial, run, may_fail = one
    try:
        text, refused, questions = run(trial)
        failed = text.count(" ERROR ")
        if may_fail is not None:
            expect("passes that failed: " + text, may_fail, failed)
        return trial.title, text.count("pass: done"), failed, refused, questions
    except AssertionError as error:
        print(f"FAIL: {trial.title}: {error}", flush=True)
        return None
    finally:
        trial.server.kill()


uri, folder, tests, form = sys.argv[1:5]
client = pymongo.MongoClient(uri, w="majority")
fakes = []
try:
    register_fleet(uri, folder)
    trials = [(Trial(f"keys{n}", title), run, may_fail)
              for n, (title, run, may_fail) in enumerate(ROWS)]
    with ThreadPoolExecutor(len(trials)) as pool:
        rows = list(pool.map(attempt, trials))
finally:
    for process in fakes:
        process.kill()
table(["keys", "passes", "failed", "requests refused", "questions to the service"], rows)
sys.exit(None in rows)
