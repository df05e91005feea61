#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Nodes by the hundred: registrars that are started, killed, frozen, and their journal
(storm_check.py says what stands in it).

storm.py --server=S --dir=DIR --tool=tests/store_tool [--nodes=N] [--services=S]
         [--each=E] [--seconds=T] [--width=W] [--seed=X]

1. N nodes of one masterful service at once; then S services of E nodes each at once.
2. For T seconds, W at a time: nodes die and are replaced, are released, register again,
   several slaves of a service want to be its master; one program in four is killed or
   frozen at some moment.
3. DIR/calm is waited for (whoever makes the weather makes it, once DIR/over is there);
   who was never told its name registers once more; what the dead hold is taken. DIR/rest.
"""
import argparse
import asyncio
import os
import random
import signal
import sys
import time

ENOUGH = 150  # s: for what has to succeed, with the weather over


class Node:
    def __init__(self, number, service, masterful):
        self.id = "i-%s-%d" % (service, number)
        self.ip = "10.%d.%d.%d" % (number >> 16, number >> 8 & 255, number & 255)
        self.service, self.masterful = service, masterful
        self.told = self.ended = False
        self.lock = asyncio.Lock()  # one program of a node at a time
        self.child = None


class Storm:
    def __init__(self, args):
        self.args, self.random = args, random.Random(args.seed)
        self.journal = open(os.path.join(args.dir, "journal"), "a", buffering=1,
                            encoding="ascii")
        self.nodes, self.dead, self.count = [], [], 0
        self.calm = False

    def note(self, word, node, *more):
        self.journal.write(" ".join(["%.4f" % time.time(), word, node.id, node.service,
                                     *more]) + "\n")

    def node(self, service, masterful):
        self.count += 1
        node = Node(self.count, service, masterful)
        self.nodes.append(node)
        return node

    # ---- programs ----

    async def spawn(self, *command):
        return await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE)

    def command(self, node, program, *more):
        return [program, "--server=" + self.args.server, "--loglevel=CRITICAL",
                "--root=%s/nodes/%s" % (self.args.dir, node.id), "--instance-id", node.id,
                "--register-deadline=20", *more]

    async def trouble(self, child):
        """Killed or frozen at a moment of its run that nobody chose."""
        await asyncio.sleep(self.random.random() ** 2)
        if self.random.random() < 0.6:
            send(child, signal.SIGKILL)
        else:
            send(child, signal.SIGSTOP)
            await asyncio.sleep(0.2 + self.random.random())
            send(child, signal.SIGCONT)

    async def run(self, node, *more):
        """A registrar. True if it acknowledged."""
        kind = "masterful" if node.masterful else "iterative"
        began = time.time()
        self.note("begin", node, node.ip, kind)
        child = node.child = await self.spawn(*self.command(
            node, "aerostat-register", "--service", node.service, "--type", kind,
            "--ip", node.ip, *more))
        trouble = None
        if not self.calm and self.random.random() < 0.25:
            trouble = asyncio.create_task(self.trouble(child))
        out, err = await child.communicate()
        if trouble is not None:
            await trouble
        node.child = None
        if child.returncode != 0:
            self.note("over", node)
            if child.returncode not in (-signal.SIGKILL, 1, 69, 75):
                sys.exit("%s ended with %d: %s" % (
                    node.id, child.returncode, err.decode(errors="replace")))
            return False
        self.note("master" if more else "told", node, out.split()[0].decode(),
                  "%.4f" % began)
        node.told = node.told or not more
        return True

    async def register(self, node):
        async with node.lock:
            return not node.ended and await self.run(node)

    async def promote(self, node):
        async with node.lock:
            return not node.ended and node.told and await self.run(
                node, "--change-master")

    async def insist(self, node, *command):
        """Until it succeeds: what the fleet's own keepers would do again and again."""
        end = time.monotonic() + ENOUGH
        while True:
            child = await self.spawn(*command)
            out = b"".join(await child.communicate()).decode(errors="replace")
            if child.returncode == 0:
                return
            if time.monotonic() > end and self.calm:
                sys.exit("%s of %s: %s" % (command[0], node.id, out))
            await asyncio.sleep(0.2)

    async def reap(self, node):
        await self.insist(node, self.args.tool, "reap", self.args.server, node.id)

    # ---- what nodes do ----

    async def die(self, node):
        """The machine is gone, with what runs on it; then its name is taken away. False
        if it was gone already."""
        if node.ended:
            return False
        node.ended = True
        if node.child is not None:
            send(node.child, signal.SIGKILL)
        async with node.lock:
            self.note("ending", node)
            self.nodes.remove(node)
            self.dead.append(node)
            await self.reap(node)
        return True

    async def release(self, node):
        """Given back, and mostly registered again under the same id."""
        async with node.lock:
            if node.ended:
                return
            node.told = False
            self.note("ending", node)
            await self.insist(node, *self.command(node, "aerostat", "release"))
        await self.register(node)

    def some(self, service, n):
        there = [x for x in self.nodes if x.service == service.service and not x.ended]
        return self.random.sample(there, min(n, len(there)))

    async def act(self):
        chance, one = self.random.random(), self.random.choice(self.nodes)
        if chance < 0.4:
            gone = await asyncio.gather(*map(
                self.die, self.some(one, self.random.randint(1, 4))))
            await asyncio.gather(*(self.register(self.node(one.service, one.masterful))
                                   for died in gone if died))
        elif chance < 0.7 and one.masterful:
            await asyncio.gather(*map(
                self.promote, self.some(one, self.random.randint(1, 4))))
        elif chance < 0.8:
            await self.release(one)
        else:
            await asyncio.gather(*map(self.register, self.some(one, 3)))

    # ---- the whole ----

    async def crowd(self, what, nodes):
        start = time.monotonic()
        told = await asyncio.gather(*map(self.register, nodes))
        print("%s: %d of %d told their name in %.1f s" % (
            what, sum(told), len(told), time.monotonic() - start), flush=True)

    async def weather(self):
        end = time.monotonic() + self.args.seconds

        async def worker():
            while time.monotonic() < end:
                await self.act()
        await asyncio.gather(*(worker() for _ in range(self.args.width)))

    async def settle(self):
        """With the weather over: who has no word yet asks again, what is open is helped,
        and what the dead or released hold, perhaps by a late claim, is taken away."""
        for _ in range(2):
            todo = {n for n in self.nodes if not n.told}
            # Whoever registers finishes an open change-over: one of each service.
            todo |= set({n.service: n for n in self.nodes if n.masterful}.values())
            await self.few(self.assure, todo)
            await self.few(self.reap, self.dead)
            await asyncio.sleep(1)

    async def few(self, act, nodes):
        """All of them, so many at once."""
        nodes = list(nodes)
        for i in range(0, len(nodes), self.args.width):
            await asyncio.gather(*map(act, nodes[i:i + self.args.width]))

    async def assure(self, node):
        while not await self.register(node):
            pass

    async def all(self):
        args = self.args
        await self.crowd("%d nodes of one service at once" % args.nodes,
                         [self.node("db", True) for _ in range(args.nodes)])
        await self.crowd("%d services of %d nodes at once" % (args.services, args.each),
                         [self.node("s%d" % i, i % 2 == 0) for i in range(args.services)
                          for _ in range(args.each)])
        await self.weather()
        touch(args.dir, "over")
        while not os.path.exists(os.path.join(args.dir, "calm")):
            await asyncio.sleep(0.1)
        self.calm = True
        print("calm; %d nodes, %d died" % (len(self.nodes), len(self.dead)), flush=True)
        await self.settle()
        touch(args.dir, "rest")


def send(child, number):
    """Not by its own method, which takes the exit code from whoever waits for it."""
    if child.returncode is None:
        try:
            os.kill(child.pid, number)
        except ProcessLookupError:
            pass


def touch(folder, name):
    with open(os.path.join(folder, name), "w", encoding="ascii"):
        pass


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("server", "dir", "tool"):
        parser.add_argument("--" + name, required=True)
    for name, value in (("nodes", 24), ("services", 3), ("each", 4), ("seconds", 10),
                        ("width", 6), ("seed", int(time.time()))):
        parser.add_argument("--" + name, type=int, default=value)
    args = parser.parse_args()
    os.setpgid(0, 0)  # so that all that was started can be ended at once
    os.makedirs(os.path.join(args.dir, "nodes"), exist_ok=True)
    asyncio.run(Storm(args).all())


if __name__ == "__main__":
    main()
