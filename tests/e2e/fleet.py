# SPDX-License-Identifier: MIT
"""What fleet.sh asks of a simulated EC2, through boto3. Run by the Python of scripts/moto.

usage: fleet.py ENDPOINT KEYFILE COMMAND [ARGUMENT...]
"""
import json
import sys
import urllib.request

import boto3

POLICY = {"Version": "2012-10-17",
          "Statement": [{"Effect": "Allow", "Action": ["ec2:*", "iam:*", "sts:*"],
                         "Resource": "*"}]}


def client(service, region="us-east-1"):
    try:
        with open(keyfile, encoding="ascii") as file:
            pair = file.read().split()
    except FileNotFoundError:  # not yet enforced: any keys do
        pair = ["none", "none"]
    return boto3.client(service, region_name=region, endpoint_url=endpoint,
                        aws_access_key_id=pair[0], aws_secret_access_key=pair[1])


def keys(policy="allow", name="fleet"):
    """keys allow|deny NAME: a user's pair, printed as a credentials file."""
    iam = client("iam")
    iam.create_user(UserName=name)
    if policy == "allow":
        iam.put_user_policy(UserName=name, PolicyName="ec2", PolicyDocument=json.dumps(POLICY))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    print(key["AccessKeyId"], key["SecretAccessKey"])


def session():
    """session: key id, secret key and token of a session that may do all with EC2."""
    iam = client("iam")
    try:
        iam.create_role(RoleName="server", AssumeRolePolicyDocument=json.dumps(POLICY))
        iam.put_role_policy(RoleName="server", PolicyName="ec2", PolicyDocument=json.dumps(POLICY))
    except iam.exceptions.EntityAlreadyExistsException:
        pass
    one = client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/server",
                                    RoleSessionName="server")["Credentials"]
    print(one["AccessKeyId"], one["SecretAccessKey"], one["SessionToken"])


def enforce():
    """enforce: from now on signatures and policies count."""
    with urllib.request.urlopen(urllib.request.Request(
            endpoint + "/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})):
        pass


def run(region, count):
    """run REGION COUNT: new instances, a line of id and address each."""
    answer = client("ec2", region).run_instances(ImageId="ami-12c6146b", MinCount=int(count),
                                                 MaxCount=int(count))
    for one in answer["Instances"]:
        print(one["InstanceId"], one["PrivateIpAddress"])


def terminate(region, *ids):
    """terminate REGION ID..."""
    client("ec2", region).terminate_instances(InstanceIds=list(ids))


def listed(region):
    """listed REGION: id, state and address of all pages of five."""
    pages = client("ec2", region).get_paginator("describe_instances").paginate(
        PaginationConfig={"PageSize": 5})
    for page in pages:
        for reservation in page["Reservations"]:
            for one in reservation["Instances"]:
                print(one["InstanceId"], one["State"]["Name"], one["PrivateIpAddress"])


endpoint, keyfile, command = sys.argv[1:4]
{f.__name__: f for f in (keys, session, enforce, run, terminate, listed)}[command](*sys.argv[4:])
