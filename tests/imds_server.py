#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A metadata service that misbehaves as told. The port is printed on the first line.

usage: imds_server.py MODE [LOGFILE [TAGS [KEYS]]]

TAGS is a JSON object, {"aerostat-service": "web"}. Without one the instance's tags are not
in its metadata (InstanceMetadataTags disabled): 404.

KEYS is a file, read at each request for the keys of the role; while it is missing, the service
is out of order (503).

Modes:
  v2        tokens required, as HttpTokens=required
  v2only-paths  the same, without the identity document
  v1        no tokens known (404), paths answer without
  disabled  403 to everything
  expiry    each token is good for one request, then 401
  unauthorized  401 to every GET, whatever the token
  silent-token  the PUT gets no answer (hop limit), GETs without token do
  silent    nothing gets an answer
  garbage   200 and noise for everything but the token
  flaky     503 to the first 3 requests, then v2
  ipv6      an instance without IPv4
  nothing   404 to every GET
  tags-silent  v2, but what is below tags gets no answer
  tags-gone v2; tags are listed, but gone when they are asked for
  role      v2, with keys of a role, and as a container's service at /keys
  role-bad  the same, but the keys are an error
  role-none the list of roles is there, the role is not
"""
import http.server
import json
import os
import sys
import threading
import time

mode = sys.argv[1]
log = open(sys.argv[2], "a", buffering=1) if len(sys.argv) > 2 else None
keys_file = sys.argv[4] if len(sys.argv) > 4 else None
lock = threading.Lock()
tokens = {}
seen = 0

ID = "i-0123456789abcdef0"
PATHS = {
    "/latest/dynamic/instance-identity/document": json.dumps(
        {"accountId": "123456789012", "instanceId": ID, "privateIp": "10.1.2.3",
         "region": "us-east-1", "billingProducts": None}, indent=2),
    "/latest/meta-data/instance-id": ID,
    "/latest/meta-data/local-ipv4": "10.1.2.3",
}
if mode == "v2only-paths":
    del PATHS["/latest/dynamic/instance-identity/document"]
if mode == "ipv6":
    PATHS["/latest/dynamic/instance-identity/document"] = json.dumps(
        {"instanceId": ID, "privateIp": None})
    del PATHS["/latest/meta-data/local-ipv4"]
    PATHS["/latest/meta-data/ipv6"] = "2001:db8::7"
KEYS = {"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIAROLE",
        "SecretAccessKey": "role/secret+key=", "Token": "role-token==",
        "Expiration": "2030-01-02T03:04:05Z"}
ROLES = "/latest/meta-data/iam/security-credentials/"
if mode.startswith("role"):
    PATHS[ROLES] = "web-role"
if mode == "role":
    PATHS[ROLES + "web-role"] = PATHS["/keys"] = json.dumps(KEYS)
if mode == "role-bad":
    PATHS[ROLES + "web-role"] = json.dumps({"Code": "AssumeRoleUnauthorizedAccess",
                                            "Message": "secret"})
tags = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
TAGS = "/latest/meta-data/tags/instance"
if tags:
    PATHS[TAGS] = PATHS[TAGS + "/"] = "\n".join(tags)
    if mode != "tags-gone":
        PATHS.update({f"{TAGS}/{key}": value for key, value in tags.items()})
if mode == "nothing":
    PATHS = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, code, text):
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def note(self):
        global seen
        with lock:
            seen += 1
            if log:
                log.write(f"{self.command} {self.path} "
                          f"{'token' if 'X-aws-ec2-metadata-token' in self.headers else '-'}\n")
            return seen

    def do_PUT(self):
        n = self.note()
        if mode == "disabled":
            return self.answer(403, "forbidden")
        if keys_file and not os.path.exists(keys_file):
            return self.answer(503, "later")
        if mode == "flaky" and n <= 3:
            return self.answer(503, "later")
        if mode == "v1":
            return self.answer(404, "not found")
        if mode in ("silent", "silent-token"):
            time.sleep(30)
            return None
        ttl = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token" or not ttl.isdigit():
            return self.answer(400, "bad request")
        token = f"token-{n}=="
        tokens[token] = 1 if mode == "expiry" else 1000
        return self.answer(200, token)

    def do_GET(self):
        n = self.note()
        if mode == "disabled":
            return self.answer(403, "forbidden")
        if mode == "silent" or (mode == "tags-silent" and self.path.startswith(TAGS)):
            time.sleep(30)
            return None
        if mode == "flaky" and n <= 3:
            return self.answer(503, "later")
        if self.path == "/keys":
            if self.headers.get("Authorization") != "Basic right":
                return self.answer(401, "unauthorized")
            return self.answer(200, PATHS["/keys"])
        if mode not in ("v1", "silent-token"):
            token = self.headers.get("X-aws-ec2-metadata-token", "")
            if mode == "unauthorized" or tokens.get(token, 0) <= 0:
                return self.answer(401, "unauthorized")
            tokens[token] -= 1
        if mode == "garbage":
            return self.answer(200, "<html>\x01\xff no such thing {" + "x" * 300)
        if keys_file and self.path == ROLES + "web-role":
            with open(keys_file, encoding="ascii") as file:
                return self.answer(200, file.read())
        if self.path not in PATHS:
            return self.answer(404, "not found")
        return self.answer(200, PATHS[self.path])


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
