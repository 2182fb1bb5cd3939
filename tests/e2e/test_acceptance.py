"""`make aws`, tried on the stand-ins: what it finds, and that it removes everything."""

import functools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from standins.churn import IMAGE
from standins.owners import owned
from standins.principals import REGION, TARGET_ACCOUNT
from standins.proxy import counting

ROOT = Path(__file__).parents[2]
TWO_ACCOUNTS = ("--source-profile", "source-admin", "--target-profile", "target-admin")
ONE_ACCOUNT = ("--source-profile", "source-admin")
STACK_IMAGE = f"{TARGET_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/promote:1"
NEEDS_TWO_ACCOUNTS = {"group-policy", "implicit-denial"}


@pytest.fixture(scope="module")
def s3(aws):
    """S3 whose buckets have owners."""
    with owned(aws.objects, aws.principals) as url:
        yield url


@pytest.mark.parametrize(
    ("flags", "untested"),
    [
        (TWO_ACCOUNTS, {"role-trust"}),
        (ONE_ACCOUNT, {"role-trust"} | NEEDS_TWO_ACCOUNTS),
        ((*TWO_ACCOUNTS, "--stack-image", STACK_IMAGE), set()),
        ((*TWO_ACCOUNTS, "--image", IMAGE), {"role-trust"}),
    ],
    ids=["two-accounts", "one-account", "with-the-stack", "with-an-image-that-is-copied"],
)
def test_it_promotes_a_model_and_confirms_what_promote_expects(aws, s3, tmp_path, flags, untested):
    done = acceptance(aws, s3, *flags, "--report", str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["failure"], report["left"]) == (None, []), done.stdout
    verdicts = {belief["name"]: belief["verdict"] for belief in report["beliefs"]}
    expected = {name: "not tested" if name in untested else "confirmed" for name in verdicts}
    assert verdicts == expected and len(verdicts) == 21, done.stdout
    assert done.returncode == 0, done.stdout
    assert left(aws) == []


def test_it_sends_no_more_requests_than_the_guide_says(aws, s3):
    guide = " ".join((ROOT / "docs/guides/try-on-aws.md").read_text().split())
    stated = re.search(r"at most (\d+) requests to Amazon S3, and at most (\d+) to Amazon SageMaker AI", guide).groups()
    with counting(s3) as (objects, to_s3), counting(aws.registry) as (registry, to_others):
        environment = aws.environment(objects=objects)
        environment = {name: registry if value == aws.registry else value for name, value in environment.items()}
        assert acceptance(aws, s3, *TWO_ACCOUNTS, environment=environment).returncode == 0
    for calls, most in zip((to_s3, to_others), map(int, stated), strict=True):
        assert most * 2 / 3 < len(calls) <= most


def test_a_step_that_fails_ends_it_and_everything_is_removed(aws, s3):
    done = acceptance(aws, s3, *TWO_ACCOUNTS, binary="/bin/false")
    assert done.returncode == 1
    assert "FAILED  `promote full` exits 1" in done.stdout
    assert left(aws) == []


def test_an_interrupted_run_removes_everything(aws, s3):
    running = start(aws, s3, *TWO_ACCOUNTS)
    for line in running.stdout:
        if line.startswith("ok"):
            break
    running.send_signal(signal.SIGTERM)
    rest = running.stdout.read()
    assert running.wait(60) == 1, rest
    assert "FAILED  interrupted" in rest
    assert left(aws) == []


def test_what_a_killed_run_has_left_is_removed_by_its_name(aws, s3):
    running = start(aws, s3, *TWO_ACCOUNTS)
    name = None
    for line in running.stdout:
        if "--remove " in line:
            name = line.split("--remove ")[1].strip()
        if line.startswith("ok"):
            break
    # Kill the whole process group: otherwise, the promote that the acceptance run has started goes on.
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert left(aws) != []
    assert acceptance(aws, s3, *TWO_ACCOUNTS, "--remove", name).returncode == 0
    assert left(aws) == []


def acceptance(aws, s3, *arguments, **settings):
    """Runs it to its end."""
    running = start(aws, s3, *arguments, **settings)
    stdout, _ = running.communicate(timeout=180)
    return subprocess.CompletedProcess(arguments, running.returncode, stdout)


def start(aws, s3, *arguments, binary=None, environment=None):
    """Starts it."""
    command = [sys.executable, "-m", "acceptance", "--region", REGION, *arguments]
    environment = (environment or aws.environment(objects=s3)) | {"PYTHONPATH": str(ROOT)}
    environment |= {"PROMOTE_BIN": binary or os.environ.get("PROMOTE_BIN", "target/debug/promote")}
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, **output)


def left(aws):
    """What is left of any run, in both accounts."""
    found = []
    for profile in ("source-admin", "target-admin"):
        client = functools.partial(clients, aws, profile)
        buckets = client("s3").list_buckets()["Buckets"]
        found += [bucket["Name"] for bucket in buckets if "acceptance" in bucket["Name"]]
        groups = client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
        found += [group["ModelPackageGroupName"] for group in groups if "acceptance" in group["ModelPackageGroupName"]]
        stacks = client("cloudformation").describe_stacks()["Stacks"]
        found += [stack["StackName"] for stack in stacks if "acceptance" in stack["StackName"]]
    return found + [name for _, name in aws.images.repositories if "acceptance" in name]


def clients(aws, profile, service, made={}):  # noqa: B006
    """A client, which is made once: that takes longer than its calls."""
    key = aws.registry, profile, service
    made[key] = made.get(key) or aws.client(service, profile)
    return made[key]
