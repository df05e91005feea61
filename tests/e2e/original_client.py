#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the original (the Python program) does to the collection, operation by operation.

Not its code, but its reads and writes in their order: it looks, decides, and then writes
without a condition and without asking whether the write was taken (w=0, one connection,
no retries). Each action is a generator that stops before what others may come between:
`look` (a name is chosen, and now it is looked for), `pick` (before a name is chosen in the
middle of a change-over) and `write`.
"""
import pymongo


def connect(host, port):
    """As its pymongo.Connection: one member, one socket, nothing acknowledged."""
    return pymongo.MongoClient(host, port, directConnection=True, w=0, maxPoolSize=1,
                               retryWrites=False, retryReads=False)


class Original:
    """One machine: its instance, its address, the words of its aerostat_info."""

    def __init__(self, servers, instance, ip, service, kind="iterative", aliases=None):
        self.servers = servers
        self.instance, self.ip = instance, ip
        self.service, self.kind, self.aliases = service, kind, aliases

    # --- reads ---------------------------------------------------------------------------

    def named(self, hostname):
        return self.servers.count_documents({"hostname": hostname}) > 0

    def name_of(self, instance):
        doc = self.servers.find_one({"instance_id": instance})
        return doc["hostname"] if doc else None

    def master(self):
        found = list(self.servers.find({"hostname": self.service + "-master"}))
        return found[0]["instance_id"] if len(found) == 1 else None

    def gap(self):
        """The first in string order: db-10 before db-2, and nothing before both."""
        gaps = self.servers.find({"instance_id": "", "service": self.service})
        names = sorted(doc["hostname"] or "" for doc in gaps)
        return names[0] if names else None

    def pick(self, instance):
        """A gap, else the number of documents that have a name: right without holes."""
        if self.name_of(instance):
            return None
        docs = list(self.servers.find({"service": self.service}))
        n = sum(1 for doc in docs if doc["hostname"])
        if self.kind != "masterful":
            return self.gap() or "%s-%d" % (self.service, n)
        master = self.service + "-master"
        if n == 0:
            return master
        found = self.servers.find_one({"hostname": master})
        if found and not found["instance_id"]:
            return master
        return self.gap() or "%s-slave-%d" % (self.service, n)

    # --- writes --------------------------------------------------------------------------

    def set(self, query, fields):
        self.servers.update_one(query, {"$set": fields})

    def strip_aliases(self):
        """All aliases of whoever has one of mine, by an instance that may be ''."""
        taken = []
        for doc in self.servers.find({"aliases": {"$in": self.aliases}}):
            taken.extend(doc["aliases"])
        if not taken:
            return
        for doc in self.servers.find({"aliases": {"$in": taken}}):
            yield "write"
            self.set({"instance_id": doc["instance_id"]},
                     {"aliases": list(set(doc["aliases"]) - set(taken))})

    def register(self):
        name = self.pick(self.instance)
        if not name:
            return
        if self.aliases:
            yield from self.strip_aliases()
        fields = {"ip": self.ip, "service": self.service, "service_type": self.kind,
                  "instance_id": self.instance, "aliases": self.aliases}
        yield "look"
        if self.named(name):
            yield "write"
            self.set({"hostname": name}, fields)
        else:
            yield "write"
            self.servers.insert_one({"hostname": name, **fields})

    def change_master(self):
        """Names go from document to document; in between nobody is master."""
        old = self.master()
        if self.kind != "masterful" or old == self.instance:
            return
        if old:
            yield "write"
            self.set({"instance_id": old}, {"hostname": ""})
        yield "write"
        self.set({"instance_id": self.instance}, {"hostname": ""})
        yield "write"
        self.set({"instance_id": self.instance}, {"hostname": self.service + "-master"})
        if old:
            yield "pick"
            name = self.pick(old)  # None where old has got one meanwhile: written as it is
            yield "write"
            self.set({"instance_id": old}, {"hostname": name})

    def reap(self, running):
        """One pass of its aerostatd over the fleet; '' is among what does not run."""
        known = {doc["instance_id"] for doc in self.servers.find()}
        for gone in sorted(known - set(running)):
            yield "write"
            self.set({"instance_id": gone}, {"instance_id": "", "ip": ""})


def run(action):
    """To its end."""
    for _ in action:
        pass
