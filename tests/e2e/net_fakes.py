#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Bad servers, and a bad line to good ones.

net_fakes.py silent ADDRESS PORT        takes connections and never says a word
net_fakes.py garbage ADDRESS PORT       answers everything with noise
net_fakes.py full ADDRESS PORT          its queue of connections is full, nobody takes them
net_fakes.py relay ADDRESS PORT DELAY_MS BYTES_PER_S REPLIES
    passes on connections that were redirected here (SO_ORIGINAL_DST) or, for those made
    to it, to 127.0.0.1:27017, each way so much later and so slowly; REPLIES > 0: closes a
    connection after so many replies. Its own connections have mark 7.
"""
import os
import socket
import struct
import sys
import threading
import time

SO_ORIGINAL_DST = 80
MARK = 7


def listen(address, port, queue):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, int(port)))
    s.listen(queue)
    return s


def silent(address, port):
    held = []
    s = listen(address, port, 100)
    while True:
        held.append(s.accept())


def noise(conn):
    try:
        while conn.recv(4096):
            conn.sendall(b"\xff" * 4 + os.urandom(200))
    except OSError:
        pass
    conn.close()


def garbage(address, port):
    s = listen(address, port, 100)
    while True:
        threading.Thread(target=noise, args=(s.accept()[0],), daemon=True).start()


def full(address, port):
    s = listen(address, port, 0)
    held = []
    for _ in range(4):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex((address, int(port)))
        held.append(c)
    time.sleep(1e6)
    print(s, held)


class Line:
    """One direction: chunks go on delay later, and not faster than rate."""

    def __init__(self, source, target, delay, rate, replies):
        self.source, self.target, self.delay, self.rate = source, target, delay, rate
        self.replies, self.queue, self.ready = replies, [], threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=self.write, daemon=True).start()

    def read(self):
        data = b"x"
        while data:
            try:
                data = self.source.recv(65536)
            except OSError:
                data = b""
            with self.ready:
                self.queue.append((time.monotonic() + self.delay, data))
                self.ready.notify()

    def pass_on(self, data):
        while data:
            part, data = data[:1400], data[1400:]
            self.target.sendall(part)
            if self.rate:
                time.sleep(len(part) / self.rate)

    def write(self):
        replies = 0
        while True:
            with self.ready:
                while not self.queue:
                    self.ready.wait()
                due, data = self.queue.pop(0)
            time.sleep(max(0, due - time.monotonic()))
            try:
                self.pass_on(data)
            except OSError:
                break
            replies += 1
            if not data or replies == self.replies:
                break
        for s in (self.source, self.target):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def relay(address, port, delay, rate, replies):
    s = listen(address, port, 1000)
    while True:
        conn, _ = s.accept()
        to = ("127.0.0.1", 27017)
        try:
            raw = conn.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
            found = (socket.inet_ntoa(raw[4:8]), struct.unpack(">H", raw[2:4])[0])
            if found != conn.getsockname():
                to = found
        except OSError:
            pass
        out = socket.socket()
        out.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
        try:
            out.connect(to)
        except OSError:
            conn.close()
            continue
        for one in (conn, out):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Line(conn, out, int(delay) / 1000, int(rate), 0)
        Line(out, conn, int(delay) / 1000, int(rate), int(replies))


globals()[sys.argv[1]](*sys.argv[2:])
