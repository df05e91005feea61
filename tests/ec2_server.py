#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An EC2 that misbehaves as told; DescribeInstances only. The port is on the first line.

usage: ec2_server.py MODE [LOGFILE [COUNT]]

Each request is logged with its region, its token and its signature's fate; a wrong
signature (keys AKIATEST, secret "secret/test+key", session token "" or "session") is
answered as EC2 does. Regions: us-east-1 has COUNT instances (7), eu-west-1 has 40 others,
the rest none.

Modes:
  good      pages of MaxResults at most
  pages     pages of 3, and an empty one with a token before the last
  circle    the last page names the first token again
  throttle  RequestLimitExceeded for the first 2 requests
  busy      500 and a page of HTML, always
  cut       the body ends in the middle, and so does its length
  lost      the connection ends in the middle of the body
  doctype   a DOCTYPE and an entity
  later-cut the second page is cut
  skew      RequestExpired, by a clock that is an hour ahead
  expired   ExpiredToken for the first request
  denied    UnauthorizedOperation
  moved     301 to another host
  slow      a byte a second
  silent    takes the connection and says nothing
"""
import hashlib
import hmac
import http.server
import sys
import threading
import time
import urllib.parse
from email.utils import formatdate

mode = sys.argv[1]
log = open(sys.argv[2], "a", buffering=1) if len(sys.argv) > 2 else None
count = int(sys.argv[3]) if len(sys.argv) > 3 else 7
lock = threading.Lock()
seen = 0

SECRETS = {"AKIATEST": "secret/test+key"}
STATES = ["running", "running", "stopped", "terminated", "pending"]
NS = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'


def instance(prefix, n):
    return (f"<item><reservationId>r-{prefix}{n:08x}</reservationId><instancesSet><item>"
            f"<instanceId>i-{prefix}{n:016x}</instanceId><instanceState><code>16</code>"
            f"<name>{STATES[n % 5]}</name></instanceState>"
            f"<privateIpAddress>10.{n >> 16}.{n >> 8 & 255}.{n & 255}</privateIpAddress>"
            "</item></instancesSet></item>")


def page(region, form):
    size = int(form.get("MaxResults", "1000"))
    at = int(form.get("NextToken", "t+/=0")[4:])
    total = {"us-east-1": count, "eu-west-1": 40}.get(region, 0)
    prefix = "0" if region == "us-east-1" else "1"
    token = None
    if mode in ("pages", "circle", "later-cut"):
        size = 3
    if mode == "pages" and at == 6:  # an empty page, then the rest
        return [], "t+/=1000006"
    at %= 1000000
    items = [instance(prefix, n) for n in range(at, min(at + size, total))]
    if at + size < total:
        token = f"t+/={at + size}"
    elif mode == "circle":
        token = "t+/=3"
    return items, token


def answer(items, token):
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<DescribeInstancesResponse {NS}>'
            f"<requestId>x</requestId><reservationSet>{''.join(items)}</reservationSet>"
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

    def log_message(self, *args):
        pass

    def date_time_string(self, timestamp=None):
        return formatdate(time.time() + (3600 if mode == "skew" else 0), usegmt=True)

    def say(self, status, text, length=None):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/xml;charset=UTF-8")
        self.send_header("Content-Length", str(length or len(body)))
        if status == 301:
            self.send_header("Location", "http://127.0.0.2:1/")
        self.end_headers()
        if mode == "slow":
            for byte in body:
                self.wfile.write(bytes([byte]))
                time.sleep(1)
        self.wfile.write(body)
        if length:
            self.close_connection = True

    def check(self, body):
        """The region, or the code of an error."""
        try:
            kind, rest = self.headers["Authorization"].split(" ", 1)
            parts = dict(p.strip().split("=", 1) for p in rest.split(","))
            key_id, date, region, service, _ = parts["Credential"].split("/")
            names = parts["SignedHeaders"].split(";")
            stamp = self.headers["X-Amz-Date"]
        except (KeyError, ValueError, AttributeError, TypeError):
            return None, "MissingAuthenticationToken"
        if key_id not in SECRETS:
            return None, "AuthFailure"
        if self.headers.get("X-Amz-Security-Token", "") not in ("", "session"):
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
                or sign(SECRETS[key_id], text, date, region) != parts["Signature"]):
            return None, "SignatureDoesNotMatch"
        return region, None

    def do_POST(self):
        global seen
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        region, code = self.check(body)
        with lock:
            seen += 1
            n = seen
            if log:
                log.write(f"{region or code} {form.get('NextToken', '-')}\n")
        if mode == "silent":
            time.sleep(60)
        if mode == "moved":
            return self.say(301, "")
        if mode == "busy":
            return self.say(500, "<html><body>busy<br></body></html>")
        if mode == "throttle" and n <= 2:
            return self.say(503, error("RequestLimitExceeded", "Request limit exceeded."))
        if mode == "skew":
            return self.say(400, error("RequestExpired", "Request has expired."))
        if mode == "expired" and n == 1:
            return self.say(400, error("ExpiredToken", "The token has expired."))
        if code:
            return self.say(401, error(code, "AWS was not able to validate the provided "
                                       "access credentials"))
        if mode == "denied":
            return self.say(403, error("UnauthorizedOperation", "You are not authorized."))
        if (form.get("Action") != "DescribeInstances" or form.get("Version") != "2016-11-15"
                or not 5 <= int(form.get("MaxResults", "1000")) <= 1000):
            return self.say(400, error("InvalidParameterValue", "no"))
        text = answer(*page(region, form))
        if mode == "cut" or (mode == "later-cut" and n > 1):
            return self.say(200, text[:len(text) // 2])
        if mode == "lost":
            return self.say(200, text[:len(text) // 2], len(text))
        if mode == "doctype":
            text = text.replace("\n", '\n<!DOCTYPE x [<!ENTITY e "i-0">]>\n', 1)
        return self.say(200, text)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
