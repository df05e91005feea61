#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A second MongoDB client for the tests: puts and reads documents with pymongo.

mongo.py URI COMMAND [ARGUMENT ...]; documents and filters are (extended) JSON.
"""
import os
import sys
import time

try:
    import pymongo
    from bson import json_util
except ImportError:
    sys.exit("mongo.py: no pymongo: apt-get install python3-pymongo")

WAIT = 30


def load(text):
    return json_util.loads(text)


def show(value):
    print(json_util.dumps(value, json_options=json_util.RELAXED_JSON_OPTIONS))


def init(client, name, *ports):
    """init NAME PORT...: make one replica set of the members, wait for its primary."""
    members = [{"_id": i, "host": "127.0.0.1:" + p} for i, p in enumerate(ports)]
    settings = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 300}
    client.admin.command("replSetInitiate",
                         {"_id": name, "members": members, "settings": settings})
    primary(client)


def member_state(client):
    try:
        return client.admin.command("isMaster")
    except pymongo.errors.PyMongoError:
        return {}


def primary(client):
    """primary: wait for a primary that takes writes, print HOST:PORT."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        hello = member_state(client)
        if hello.get("ismaster"):
            print(hello.get("me", ""))
            return
        time.sleep(0.05)
    sys.exit("mongo.py: no primary after %d s" % WAIT)


def ping(client):
    """ping: exit 0 if the server answers."""
    client.admin.command("ping")


def insert(db, coll, *docs):
    """insert COLLECTION JSON...: a line of `-` reads them from standard input."""
    texts = sys.stdin if docs == ("-",) else docs
    batch = [load(t) for t in texts if t.strip()]
    db[coll].insert_many(batch, ordered=True)


def update(db, coll, query, change):
    """update COLLECTION FILTER UPDATE: one document; prints how many it matched."""
    print(db[coll].update_one(load(query), load(change)).matched_count)


def replace(db, coll, query, doc):
    """replace COLLECTION FILTER DOCUMENT: upsert."""
    db[coll].replace_one(load(query), load(doc), upsert=True)


def delete(db, coll, query):
    """delete COLLECTION FILTER: all that match; prints how many."""
    print(db[coll].delete_many(load(query)).deleted_count)


def find(db, coll, query="{}"):
    """find COLLECTION [FILTER]: one line of JSON for each, sorted by hostname."""
    for doc in db[coll].find(load(query)).sort([("hostname", 1), ("_id", 1)]):
        show(doc)


def count(db, coll, query="{}"):
    """count COLLECTION [FILTER]"""
    print(db[coll].count_documents(load(query)))


def indexes(db, coll):
    """indexes COLLECTION: their names"""
    for name in sorted(db[coll].index_information()):
        print(name)


def drop(db, coll=None):
    """drop [COLLECTION]: it, or the whole database"""
    if coll:
        db.drop_collection(coll)
    else:
        db.client.drop_database(db.name)


def command(client, doc, database="admin"):
    """command JSON [DATABASE]: any command; prints the reply"""
    show(client[database].command(load(doc)))


ON_CLIENT = {f.__name__: f for f in (init, primary, ping, command)}
ON_DATABASE = {f.__name__: f for f in (insert, update, replace, delete, find, count,
                                       indexes, drop)}


def usage():
    lines = [__doc__]
    lines += [f.__doc__ for f in list(ON_CLIENT.values()) + list(ON_DATABASE.values())]
    sys.exit("\n".join(lines))


def main(argv):
    if len(argv) < 3 or argv[2] not in {**ON_CLIENT, **ON_DATABASE}:
        usage()
    uri, name, args = argv[1], argv[2], argv[3:]
    client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=WAIT * 1000,
                                 connectTimeoutMS=3000, socketTimeoutMS=WAIT * 1000,
                                 w=1 if name == "init" else "majority")
    try:
        if name in ON_CLIENT:
            ON_CLIENT[name](client, *args)
        else:
            ON_DATABASE[name](client[os.environ.get("MONGO_DB", "aerostat")], *args)
    except pymongo.errors.PyMongoError as err:
        sys.exit("mongo.py: %s: %s" % (name, err))
    finally:
        client.close()


if __name__ == "__main__":
    main(sys.argv)
