#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The commands of doc/mongodb.md, run as they stand there.

doc_commands.py PAGE URI DATABASE [WORD]: those that hold WORD; prints what was run.
"""
import json
import re
import sys

import pymongo

BLOCK = re.compile(r"^```js\n(.*?)^```$", re.M | re.S)
COMMAND = re.compile(r'db(?:\.getSiblingDB\("([^"]+)"\))?\.runCommand\((.*)\)\s*', re.S)


def main(page, uri, database, word=""):
    client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=30000)
    blocks = BLOCK.findall(open(page, encoding="utf-8").read())
    if len(blocks) < 7:
        sys.exit("doc_commands.py: only %d commands in %s" % (len(blocks), page))
    for block in blocks:
        found = COMMAND.fullmatch(block)
        if not found:
            sys.exit("doc_commands.py: not understood: " + block)
        command = json.loads(found.group(2))
        if word in block and (word or not found.group(1)):
            client[found.group(1) or database].command(command)
            name = next(iter(command))
            print(name, command[name])


main(*sys.argv[1:])
