#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A name server of one answer: A 192.0.2.53 for every name under example.com and for
single labels, NXDOMAIN otherwise. tiny_dns.py ADDRESS PORT LOG: one line per question."""
import socket
import struct
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
with open(sys.argv[3], "a", buffering=1, encoding="ascii") as log:
    while True:
        data, peer = sock.recvfrom(4096)
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
            at += 1 + data[at]
        kind = struct.unpack(">H", data[at + 1:at + 3])[0]
        question = data[12:at + 5]
        name = ".".join(labels)
        print(name, kind, file=log)
        known = len(labels) == 1 or name.endswith("example.com")
        answer = b""
        if known and kind == 1:
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4" + bytes([192, 0, 2, 53])
        sock.sendto(data[:2] + struct.pack(">HHHHH", 0x8580 | (0 if known else 3), 1,
                                           1 if answer else 0, 0, 0) + question + answer,
                    peer)
