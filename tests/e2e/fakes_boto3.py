# SPDX-License-Identifier: MIT
"""The scripted EC2 and metadata service as boto3 sees them: a fake that a real client reads
otherwise than ours would prove nothing. Run by the Python of scripts/moto.

fakes_boto3.py FOLDER TESTS
"""
import datetime
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.exceptions as bx
from botocore.config import Config
from botocore.credentials import InstanceMetadataProvider
from botocore.parsers import ResponseParserError as Unparsed
from botocore.utils import InstanceMetadataFetcher

from ec2_lib import FLEET, expect, fake, put

KEYS = ["AKIAFAULTS", "s3cret/of+the+faults", "t0ken/of+the+faults=="]
STATES = {one: "running" for one in FLEET}
STATES[FLEET[13]] = "terminated"


def ask(name, mode, region="us-east-1", keys=KEYS, fleet=STATES, count=40, tries=1, at="http",
        page=1000):
    """All that boto3 reads, and how often it tried the first page again."""
    put(os.path.join(folder, "control", name + ".json"),
        {"mode": mode, "fleet": fleet, "count": count, "keys": {KEYS[0]: KEYS[1:]}})
    client = boto3.client(
        "ec2", region_name=region, endpoint_url=f"{ENDPOINTS[at]}/{name}",
        aws_access_key_id=keys[0], aws_secret_access_key=keys[1], aws_session_token=keys[2],
        config=Config(retries={"total_max_attempts": tries, "mode": "standard"},
                      connect_timeout=2, read_timeout=2))
    read, again, pages = {}, 0, 0
    for answer in client.get_paginator("describe_instances").paginate(
            PaginationConfig={"PageSize": page}):
        again += answer["ResponseMetadata"]["RetryAttempts"]
        pages += 1
        if pages == 150:
            return read, "without end"
        for reservation in answer["Reservations"]:
            for one in reservation["Instances"]:
                read[one["InstanceId"]] = one["State"]["Name"]
    return read, again


def listed(fleet=STATES, others=40, prefix="2"):
    states = ["running", "running", "stopped", "terminated", "pending"]
    return {**fleet, **{f"i-{prefix}{n:016x}": states[n % 5] for n in range(others)}}


# mode: what comes of it, or (the kind of botocore's error, words of it)
ROWS = [
    ("good", {}, (listed(), 0)),
    ("good", {"page": 5}, (listed(), 0)),
    ("pages", {}, (listed(), 0)),
    ("date", {}, (listed(), 0)),
    ("good", {"count": 99980}, (listed(others=99980), 0)),
    ("good", {"region": "us-west-2"}, ({}, 0)),
    ("good", {"region": "eu-west-1"}, (listed({}, prefix="1"), 0)),
    ("throttle", {"tries": 3}, (listed(), 2)),
    ("expired", {}, (bx.ClientError, "(ExpiredToken)")),
    ("throttled", {"tries": 2}, (bx.ClientError, "(RequestLimitExceeded) when calling the "
                                 "DescribeInstances operation (reached max retries: 1)")),
    ("later-throttled", {}, (bx.ClientError, "(RequestLimitExceeded)")),
    ("busy", {}, (bx.ClientError, "(500)")),
    ("internal", {}, (bx.ClientError, "(InternalError)")),
    ("unavailable", {}, (bx.ClientError, "(Unavailable)")),
    ("reset", {}, (bx.ConnectionClosedError, "Connection was closed")),
    ("later-reset", {}, (bx.ConnectionClosedError, "Connection was closed")),
    ("silent", {}, (bx.ReadTimeoutError, "Read timeout")),
    ("later-silent", {}, (bx.ReadTimeoutError, "Read timeout")),
    ("cut", {}, (Unparsed, "Unable to parse response")),
    ("item", {}, (Unparsed, "Unable to parse response")),
    ("lost", {}, (Unparsed, "Unable to parse response")),
    ("later-cut", {}, (Unparsed, "Unable to parse response")),
    ("circle", {}, (listed(), "without end")),
    ("endless", {}, ({}, "without end")),
    ("html", {}, (Unparsed, "mismatched tag")),
    ("text", {}, (Unparsed, "syntax error")),
    ("empty", {}, (Unparsed, "Unable to parse response")),
    ("gzip", {}, (Unparsed, "not well-formed")),
    ("gzip-whole", {}, (Unparsed, "not well-formed")),
    ("ended", {}, (bx.ClientError, "(ExpiredToken)")),
    ("skew", {}, (bx.ClientError, "(RequestExpired)")),
    ("skew-auth", {}, (bx.ClientError, "(AuthFailure)")),
    ("denied", {}, (bx.ClientError, "(UnauthorizedOperation)")),
    ("blocked", {}, (bx.ClientError, "(Blocked)")),
    ("opt-in", {}, (bx.ClientError, "(OptInRequired)")),
    ("unknown", {}, (bx.ClientError, "(InvalidInstanceID.NotFound)")),
    ("good", {"page": 4}, (bx.ClientError, "(InvalidParameterValue)")),
    ("good", {"keys": [KEYS[0], "wrong", KEYS[2]]}, (bx.ClientError, "(SignatureDoesNotMatch)")),
    ("good", {"keys": ["AKIANOBODY", *KEYS[1:]]}, (bx.ClientError, "(AuthFailure)")),
    ("good", {"keys": [*KEYS[:2], "other"]}, (bx.ClientError, "(AuthFailure)")),
    ("good", {"at": "tls"}, (bx.SSLError, "self-signed certificate")),
]


def check(numbered):
    number, (mode, options, wanted) = numbered
    what = f"{mode} {', '.join(options)}".strip()
    try:
        got = ask(f"row{number}", mode, **options)
    except (bx.BotoCoreError, bx.ClientError, Unparsed) as error:
        got = error
    if isinstance(wanted[0], type):
        if isinstance(got, wanted[0]) and wanted[1] in str(got):
            return True
        got = (type(got).__name__, str(got)) if isinstance(got, Exception) else "an answer"
    elif got == wanted:
        return True
    print(f"FAIL: {what}: wanted {str(wanted)[:300]}, got {str(got)[:300]}", flush=True)
    return False


def role():
    """botocore takes a role's keys from the metadata service, and the next ones later."""
    path = os.path.join(folder, "role.json")
    for n in range(2):
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        put(path, {"Code": "Success", "AccessKeyId": f"ASIA{n}", "SecretAccessKey": f"secret{n}",
                   "Token": f"token{n}", "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")})
        if n == 0:
            port = fake(fakes, os.path.join(tests, "imds_server.py"), "role",
                        os.path.join(folder, "imds"), "{}", path)
        keys = InstanceMetadataProvider(InstanceMetadataFetcher(
            base_url=f"http://127.0.0.1:{port}/")).load().get_frozen_credentials()
        expect("keys of a role", (f"ASIA{n}", f"secret{n}", f"token{n}"), tuple(keys)[:3])
    os.unlink(path)
    keys = InstanceMetadataFetcher(base_url=f"http://127.0.0.1:{port}/").retrieve_iam_role_credentials()
    expect("keys of a service out of order", {}, keys)


folder, tests = sys.argv[1:3]
fakes = []
os.mkdir(os.path.join(folder, "control"))
server = [os.path.join(tests, "ec2_server.py"), "good", os.path.join(folder, "asked"), "40",
          "--control=" + os.path.join(folder, "control")]
try:
    ENDPOINTS = {"http": f"http://127.0.0.1:{fake(fakes, *server)}",
                 "tls": f"https://127.0.0.1:{fake(fakes, *server, f'--tls={folder}/pki/self.pem')}"}
    with ThreadPoolExecutor(4) as pool:
        good = list(pool.map(check, enumerate(ROWS)))
    role()
finally:
    for process in fakes:
        process.kill()
print(f"{sum(good)} of {len(ROWS)} rows as boto3 {boto3.__version__} should see them")
sys.exit(not all(good))
