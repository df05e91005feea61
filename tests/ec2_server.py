#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An EC2 that misbehaves as told; DescribeInstances only. The port is on the first line.

usage: ec2_server.py MODE [LOGFILE [COUNT]] [--control=DIR] [--tls=PEM]

Each request is logged with its path, its region or its signature's fate, its token, and its
key id; a wrong signature (keys AKIATEST, secret "secret/test+key", session token "" or "session")
is answered as EC2 does. Regions: us-east-1 has COUNT instances (7), eu-west-1 has 40
others, the rest none.

--control: DIR/NAME.json is read at each request to the path /NAME, so that one server
serves many tests and changes under them: {"mode": ..., "fleet": {ID: STATE, ...}, "count":
COUNT, "keys": {KEY ID: [SECRET, SESSION TOKEN], ...}}. us-east-1 lists half of a fleet, the
COUNT others, the other half. What is left out is as without it. Keys that are not in there
are those of nobody; with false in place of the pair they have expired.

Modes:
  good      pages of MaxResults at most
  pages     pages of 3, and an empty one with a token before the last
  date      good, but its Date is an hour ahead
  circle    pages of 3; the last one names the first token again
  endless   empty pages, each with a new token
  throttle  RequestLimitExceeded for the first 2 requests
  expired   ExpiredToken for the first request
and always, or from the second page on where later- stands before it (pages of 3 then):
"""
import argparse
import collections
import gzip
import hashlib
import hmac
import http.server
import json
import os
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from email.utils import formatdate

# mode: status, code, words
ERRORS = {
    "throttled": (503, "RequestLimitExceeded", "Request limit exceeded."),
    "internal": (500, "InternalError", "An internal error has occurred"),
    "unavailable": (503, "Unavailable", "The service is unavailable."),
    "skew": (400, "RequestExpired", "Request has expired."),
    "skew-auth": (401, "AuthFailure", "AWS was not able to validate the provided access "
                  "credentials"),
    "ended": (400, "ExpiredToken", "The security token included in the request is expired"),
    "denied": (403, "UnauthorizedOperation", "You are not authorized to perform this "
               "operation."),
    "blocked": (403, "Blocked", "This account is currently blocked."),
    "opt-in": (401, "OptInRequired", "You are not subscribed to this service."),
    "unknown": (400, "InvalidInstanceID.NotFound", "The instance IDs 'i-0, i-1, i-2' do not "
                "exist"),
    "invalid": (400, "InvalidParameterValue", "no"),
}
BOMB = ("<!DOCTYPE x [<!ENTITY a0 'i-0000'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)) + "]>")
HTML = "<html><body>please log in<br></body></html>"
# mode: what becomes of a good answer
BODIES = {
    "cut": lambda text: text[:len(text) // 2],  # and so does its length
    "item": lambda text: text[:text.rindex("<item><reservationId>")],  # behind a whole item
    "lost": lambda text: text[:len(text) // 2],  # but its length says more
    "doctype": lambda text: text.replace("\n", '\n<!DOCTYPE x [<!ENTITY e "i-0">]>\n', 1),
    "bomb": lambda text: text.replace("\n", "\n" + BOMB, 1).replace("i-", "&a9;", 1),
    "html": lambda text: HTML,
    "empty": lambda text: "",
    "text": lambda text: "no instances here",
    "gzip": lambda text: "\x1f\x8b\x08" + text[:200][::-1],
    "gzip-whole": lambda text: text,  # asked for or not
}
# mode: bytes a second
SLOW = {"slow": 1, "trickle": 400}
WORDS = {
    "busy": "500 and a page of HTML", "moved": "301 to another host",
    "moved-307": "307 to this one, where all is good", "silent": "takes the connection and "
    "says nothing", "reset": "resets the connection", "flood": "instances without end",
}
__doc__ += "".join(f"  {mode:12}{words}\n" for mode, words in [
    *((m, f"{e[0]} {e[1]}") for m, e in ERRORS.items()), *((m, "a body of that kind")
    for m in BODIES), *((m, f"{n} bytes a second") for m, n in SLOW.items()), *WORDS.items()])

SECRETS = {"AKIATEST": ["secret/test+key", None]}  # None: "" or "session"
STATES = ["running", "running", "stopped", "terminated", "pending"]
NS = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'
HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<DescribeInstancesResponse {NS}>'


def instance(one, state, n):
    return (f"<item><reservationId>r-{n:08x}</reservationId><instancesSet><item>"
            f"<instanceId>{one}</instanceId><instanceState><code>16</code>"
            f"<name>{state}</name></instanceState>"
            f"<privateIpAddress>10.{n >> 16}.{n >> 8 & 255}.{n & 255}</privateIpAddress>"
            "</item></instancesSet></item>")


def page(told, mode, region, form):
    """The items and the token of one page."""
    size = int(form.get("MaxResults", "1000"))
    at = int(form.get("NextToken", "t+/=0")[4:])
    fleet = list(told["fleet"].items()) if region == "us-east-1" else []
    others = {"us-east-1": told["count"], "eu-west-1": 40}.get(region, 0)
    prefix = "1" if region == "eu-west-1" else "2" if fleet else "0"
    total, half = others + len(fleet), len(fleet) // 2

    def item(n):
        if half <= n < half + others:
            n -= half
            return instance(f"i-{prefix}{n:016x}", STATES[n % 5], n)
        return instance(*fleet[n if n < half else n - others], n)

    token = None
    if mode == "endless":
        return [], f"t+/={at + 1}"
    if mode in ("pages", "circle") or mode.startswith("later-"):
        size = 3
    if mode == "pages" and at == 6:  # an empty page, then the rest
        return [], "t+/=1000006"
    at %= 1000000
    items = [item(n) for n in range(at, min(at + size, total))]
    if at + size < total:
        token = f"t+/={at + size}"
    elif mode == "circle":
        token = "t+/=3"
    return items, token


def answer(items, token):
    return (f"{HEAD}<requestId>x</requestId><reservationSet>{''.join(items)}</reservationSet>"
            + (f"<nextToken>{token}</nextToken>" if token else "")
            + "</DescribeInstancesResponse>")


def error(code, words):
    return (f"<Response><Errors><Error><Code>{code}</Code><Message>{words}</Message>"
            "</Error></Errors><RequestID>x</RequestID></Response>")


def sign(secret, text, date, region):
    key = ("AWS4" + secret).encode()
    for word in (date, region, "ec2", "aws4_request", text):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return key.hex()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def date_time_string(self, timestamp=None):
        ahead = {"skew": 3600, "date": 3600, "skew-auth": -3600}.get(self.mode, 0)
        return formatdate(time.time() + ahead, usegmt=True)

    def say(self, status, text, length=None):
        body = text.encode("latin-1")
        self.send_response(status)
        self.send_header("Content-Type", "text/xml;charset=UTF-8")
        if self.mode.startswith("gzip"):
            self.send_header("Content-Encoding", "gzip")
        if self.mode == "gzip-whole":
            body = gzip.compress(body)
        self.send_header("Content-Length", str(length or len(body)))
        if status in (301, 307):
            self.send_header("Location", "http://127.0.0.2:1/" if status == 301
                             else "/elsewhere")
        self.end_headers()
        rate = SLOW.get(self.mode)
        for at in range(0, len(body) if rate else 0, max(1, (rate or 0) // 10)):
            self.wfile.write(body[at:at + max(1, rate // 10)])
            time.sleep(max(0.1, 1 / rate))
        self.wfile.write(b"" if rate else body)
        if length:
            self.close_connection = True

    def refuse(self, mode):
        status, code, words = ERRORS[mode]
        return self.say(status, error(code, words))

    def flood(self):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write((HEAD + "<reservationSet>").encode())
        n = 0
        while True:  # until nobody reads it any more
            self.wfile.write("".join(instance(f"i-2{n + i:016x}", "running", n + i)
                                     for i in range(1000)).encode())
            n = (n + 1000) % 10000000

    def check(self, told, body):
        """The region, or the code of an error."""
        self.key_id = "-"
        try:
            kind, rest = self.headers["Authorization"].split(" ", 1)
            parts = dict(p.strip().split("=", 1) for p in rest.split(","))
            key_id, date, region, service, _ = parts["Credential"].split("/")
            self.key_id = key_id
            names = parts["SignedHeaders"].split(";")
            stamp = self.headers["X-Amz-Date"]
        except (KeyError, ValueError, AttributeError, TypeError):
            return None, "MissingAuthenticationToken"
        if key_id not in told["keys"]:
            return None, "AuthFailure"
        if told["keys"][key_id] is False:
            return None, "ExpiredToken"
        secret, token = told["keys"][key_id]
        session = self.headers.get("X-Amz-Security-Token", "")
        if session != token and (token is not None or session not in ("", "session")):
            return None, "AuthFailure"
        must = {"host", "x-amz-date"}
        if "X-Amz-Security-Token" in self.headers:
            must.add("x-amz-security-token")
        canonical = "\n".join(
            [self.command, self.path, ""]
            + [f"{n}:{' '.join(self.headers.get(n, '').split())}" for n in names]
            + ["", ";".join(names), hashlib.sha256(body).hexdigest()])
        text = "\n".join([kind, stamp, f"{date}/{region}/{service}/aws4_request",
                          hashlib.sha256(canonical.encode()).hexdigest()])
        if (kind != "AWS4-HMAC-SHA256" or service != "ec2" or not must <= set(names)
                or names != sorted(names) or not stamp.startswith(date)
                or sign(secret, text, date, region) != parts["Signature"]):
            return None, "SignatureDoesNotMatch"
        return region, None

    def told(self):
        told = {"mode": args.mode, "fleet": {}, "count": args.count, "keys": SECRETS}
        path = os.path.join(args.control or "", self.path.strip("/") + ".json")
        if args.control and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                told.update(json.load(file))
        return told

    def before(self, n):
        """What happens whoever asks. True: the request is done with."""
        if self.mode == "silent":
            time.sleep(120)
            self.close_connection = True
        elif self.mode == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif self.mode in ("moved", "moved-307"):
            self.say(307 if self.mode == "moved-307" else 301, "")
        elif self.mode == "busy":
            self.say(500, HTML)
        elif self.mode == "throttle" and n <= 2:
            self.refuse("throttled")
        elif self.mode == "expired" and n == 1:
            self.refuse("ended")
        elif self.mode in ("skew", "skew-auth"):
            self.refuse(self.mode)
        else:
            return False
        return True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        told = self.told()
        mode = self.mode = told["mode"]
        region, code = self.check(told, body)
        with lock:
            seen[self.path] += 1
            n = seen[self.path]
            if log:
                log.write(f"{self.path} {region or code} {form.get('NextToken', '-')} "
                          f"{self.key_id}\n")
        if mode.startswith("later-"):  # the first page is good
            self.mode = mode[6:] if "NextToken" in form else "good"
        if self.before(n):
            return None
        if code:
            return self.say(400 if code == "ExpiredToken" else 401,
                            error(code, ERRORS["skew-auth"][2]))
        if (form.get("Action") != "DescribeInstances" or form.get("Version") != "2016-11-15"
                or not 5 <= int(form.get("MaxResults", "1000")) <= 1000):
            self.mode = "invalid"
        if self.mode in ERRORS:
            return self.refuse(self.mode)
        if self.mode == "flood":
            return self.flood()
        text = answer(*page(told, mode, region, form))
        return self.say(200, BODIES.get(self.mode, str)(text),
                        len(text) if self.mode == "lost" else None)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that went away


parser = argparse.ArgumentParser(usage=__doc__)
parser.add_argument("mode")
parser.add_argument("log", nargs="?")
parser.add_argument("count", nargs="?", type=int, default=7)
parser.add_argument("--control")
parser.add_argument("--tls")
args = parser.parse_args()
log = open(args.log, "a", buffering=1, encoding="utf-8") if args.log else None
lock = threading.Lock()
seen = collections.Counter()
server = Server(("127.0.0.1", 0), Handler)
if args.tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.tls)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
