"""SageMaker's model registry, STS, IAM and CloudFormation: moto, which keeps accounts apart by their credentials."""

import sys
import urllib.request
from contextlib import contextmanager

import boto3

from standins.principals import IDENTITIES, REGION, Principal
from standins.server import free_ports, serving


@contextmanager
def registry(folder, lag, tokens):
    """Runs moto while the block runs, and yields its URL.

    What is new is shown `lag` seconds late; `tokens`: a client token creates one version.
    """
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    serve = "from standins.cloudformation import serve; serve()"
    command = [sys.executable, "-c", serve, "-H", "127.0.0.1", "-p", str(port)]
    environment = {"STANDINS_LAG": str(lag), "STANDINS_TOKENS": str(int(tokens))}
    with serving(command, folder / "moto.log", lambda: answers(f"{url}/moto-api/"), environment):
        yield url


def answers(url):
    """Whether an HTTP server is there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def create_principals(url):
    """Makes each identity an IAM user of its account; moto enters an account by assuming a role in it."""
    return [create_principal(url, identity) for identity in IDENTITIES]


def create_principal(url, identity):
    """The user with a new access key."""
    anyone = boto3.Session("anyone", "anything", region_name=REGION)
    role = f"arn:aws:iam::{identity.account}:role/administrator"
    keys = anyone.client("sts", endpoint_url=url).assume_role(RoleArn=role, RoleSessionName="standins")["Credentials"]
    administrator = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)
    iam = administrator.client("iam", endpoint_url=url)
    iam.create_user(UserName=identity.name)
    key = iam.create_access_key(UserName=identity.name)["AccessKey"]
    return Principal(identity, key["AccessKeyId"], key["SecretAccessKey"])
