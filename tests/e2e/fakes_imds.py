#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""botocore and boto3 read what our scripted metadata service says.

usage: fakes_imds.py TESTS-DIR; run by tests/e2e/fakes_imds.sh with scripts/moto's Python.
"""
import contextlib
import json
import os
import subprocess
import sys

import boto3
import botocore.exceptions
import botocore.utils

tests = sys.argv[1]
ID = "i-0123456789abcdef0"
TAGS = {"Name": "x", "aerostat-service": "web", "aerostat-aliases": "www, \u00e4"}
failed = 0
done = 0


@contextlib.contextmanager
def server(script, *words):
    with subprocess.Popen(["/usr/bin/python3", "-u", f"{tests}/{script}", *words],
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def equal(what, wanted, got):
    global failed, done
    done += 1
    if wanted != got:
        failed += 1
        print(f"FAIL: {what}: wanted {wanted!r}, got {got!r}")


class Fetcher(botocore.utils.IMDSFetcher):
    """Any path, as botocore asks for those that it knows."""

    def __init__(self, endpoint):
        super().__init__(timeout=1, num_attempts=4, base_url=endpoint)

    def ask(self, *paths):
        try:
            token = self._fetch_metadata_token()
            return [self._get_request(path, None, token).content.decode() for path in paths]
        except (self._RETRIES_EXCEEDED_ERROR_CLS, botocore.exceptions.ClientError,
                botocore.exceptions.ConnectTimeoutError) as error:
            return type(error).__name__


def keys(endpoint):
    fetcher = botocore.utils.InstanceMetadataFetcher(timeout=1, num_attempts=2,
                                                     base_url=endpoint)
    found = fetcher.retrieve_iam_role_credentials()
    return [found.get(key) for key in ("role_name", "access_key", "secret_key", "token",
                                       "expiry_time")]


DOCUMENT = "latest/dynamic/instance-identity/document"
META = "latest/meta-data/"
with server("imds_server.py", "v2", "/dev/null", json.dumps(TAGS)) as endpoint:
    document, instance, tags, *values = Fetcher(endpoint).ask(
        DOCUMENT, META + "instance-id", META + "tags/instance",
        *(f"{META}tags/instance/{key}" for key in TAGS))
    equal("document", [ID, "10.1.2.3"],
          [json.loads(document)[key] for key in ("instanceId", "privateIp")])
    equal("id", ID, instance)
    equal("keys of tags", list(TAGS), tags.split("\n"))
    equal("values of tags", list(TAGS.values()), values)
for mode, wanted in (
        ("v1", [ID]), ("expiry", [ID]), ("flaky", [ID]),
        ("disabled", "_RetriesExceededError"), ("unauthorized", "_RetriesExceededError"),
        ("nothing", "_RetriesExceededError"), ("silent", "_RetriesExceededError")):
    with server("imds_server.py", mode) as endpoint:
        equal(mode, wanted, Fetcher(endpoint).ask(META + "instance-id"))
with server("imds_server.py", "ipv6") as endpoint:
    equal("ipv6", ["2001:db8::7"], Fetcher(endpoint).ask(META + "ipv6"))
    equal("no IPv4", "_RetriesExceededError", Fetcher(endpoint).ask(META + "local-ipv4"))
KEYS = ["ASIAROLE", "role/secret+key=", "role-token==", "2030-01-02T03:04:05Z"]
with server("imds_server.py", "role") as endpoint:
    equal("role", ["web-role", *KEYS], keys(endpoint))
    found = botocore.utils.ContainerMetadataFetcher().retrieve_full_uri(
        endpoint + "/keys", {"Authorization": "Basic right"})
    equal("container", KEYS, [found[key] for key in ("AccessKeyId", "SecretAccessKey",
                                                     "Token", "Expiration")])
    os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = endpoint
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent"
    equal("boto3", KEYS[:3], list(boto3.Session().get_credentials().get_frozen_credentials()
                                  )[:3])
    del os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
for mode in ("role-bad", "role-none"):
    with server("imds_server.py", mode) as endpoint:
        equal(mode, [None] * 5, keys(endpoint))

print(f"{done} answers, {failed} wrong")
sys.exit(failed > 0)
