"""The target account, ready for the CDK, and a manifest for each test."""

import itertools
import os
import subprocess

import pytest

from project import CDK, LOCAL, Project
from readme import sample_manifest
from standins import cloud
from standins.principals import REGION, TARGET_ACCOUNT

numbers = itertools.count(1)
said = []


def leave_out(reason):
    """Leaves tests out and says so; continuous integration leaves nothing out."""
    (pytest.fail if os.environ.get("LEAVE_NOTHING_OUT") else pytest.skip)(f"left out: {reason}")


@pytest.fixture
def say():
    """Says something in the summary."""
    return said.append


def pytest_terminal_summary(terminalreporter):
    """Shows what the tests said."""
    for line in said:
        terminalreporter.line(line)


@pytest.fixture(scope="session")
def aws():
    """The running stand-ins."""
    with cloud() as running:
        yield running


@pytest.fixture(scope="session")
def cdk():
    """The CDK's command line, where Node.js is."""
    if not CDK.exists():
        leave_out("the CDK needs Node.js 18 or later with npm")
    return CDK


@pytest.fixture(scope="session")
def environment(aws, tmp_path_factory):
    """The variables of a command that finds the target account, and nothing beyond this machine."""
    others = {name: value for name, value in aws.environment().items() if not name.startswith("AWS_ENDPOINT_URL")}
    return others | {
        "AWS_PROFILE": "target",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": aws.registry,
        # How CloudFormation would name the bucket in which the CDK puts the template; moto knows that name.
        "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": f"https://s3.{REGION}.amazonaws.com",
        "HOME": str(tmp_path_factory.mktemp("home")),
        # Whoever asks for anything else is refused at once.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "NO_COLOR": "1",
    }


@pytest.fixture(scope="session")
def bootstrapped(aws, cdk, environment):
    """The target account after `cdk bootstrap`, with the bus of the sample manifest; its environment."""
    aws.client("events", "target").create_event_bus(Name="mlops-bus")
    command = [cdk, "bootstrap", f"aws://{TARGET_ACCOUNT}/{REGION}", "--no-notices", "--ci"]
    done = subprocess.run(command, env=environment, cwd=LOCAL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return environment


@pytest.fixture
def project(tmp_path):
    """A SeedFarmer project with the README's sample manifest, under a name that no other test uses."""
    return sample_project(tmp_path)


def sample_project(folder):
    """Such a project in a folder."""
    manifest = sample_manifest()
    return Project(folder, manifest | {"name": f"{manifest['name']}-{next(numbers)}"})
