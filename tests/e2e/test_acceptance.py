"""`make aws`, tried on the stand-ins: what it finds, and that it removes everything."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from standins.principals import REGION, TARGET_ACCOUNT

ROOT = Path(__file__).parents[2]
TWO_ACCOUNTS = ("--source-profile", "source-admin", "--target-profile", "target-admin")
ONE_ACCOUNT = ("--source-profile", "source-admin")
# SeaweedFS has no owners of buckets.
UNLIKE_AWS = {"bucket-owner"}


@pytest.mark.parametrize("accounts", [TWO_ACCOUNTS, ONE_ACCOUNT], ids=["two-accounts", "one-account"])
def test_it_promotes_a_model_and_tells_what_the_services_do(aws, tmp_path, accounts):
    done = acceptance(aws, *accounts, "--report", str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["failure"], report["left"]) == (None, []), done.stdout
    refuted = {belief["name"] for belief in report["beliefs"] if belief["verdict"] == "refuted"}
    not_tested = {belief["name"] for belief in report["beliefs"] if belief["verdict"] == "not tested"}
    assert refuted == UNLIKE_AWS, done.stdout
    assert not_tested == ({"group-policy"} if accounts == ONE_ACCOUNT else set()), done.stdout
    assert done.returncode == 3, done.stdout
    assert left(aws) == []


def test_it_deploys_and_deletes_the_stack_if_asked(aws):
    image = f"{TARGET_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/promote:1"
    done = acceptance(aws, *TWO_ACCOUNTS, "--stack-image", image)
    assert "The pipeline's first run: Succeeded" in done.stdout, done.stdout
    assert done.returncode == 3, done.stdout
    assert left(aws) == []


def test_a_step_that_fails_ends_it_and_everything_is_removed(aws):
    done = acceptance(aws, *TWO_ACCOUNTS, binary="/bin/false")
    assert done.returncode == 1
    assert "FAILED  `promote full` exits 1" in done.stdout
    assert left(aws) == []


def test_an_interrupted_run_removes_everything(aws):
    running = start(aws, *TWO_ACCOUNTS)
    for line in running.stdout:
        if line.startswith("ok"):
            break
    running.send_signal(signal.SIGTERM)
    rest = running.stdout.read()
    assert running.wait(60) == 1, rest
    assert "FAILED  interrupted" in rest
    assert left(aws) == []


def test_what_a_killed_run_has_left_is_removed_by_its_name(aws):
    running = start(aws, *TWO_ACCOUNTS)
    name = None
    for line in running.stdout:
        if "--remove " in line:
            name = line.split("--remove ")[1].strip()
        if line.startswith("ok"):
            break
    running.kill()
    running.communicate()
    assert left(aws) != []
    assert acceptance(aws, *TWO_ACCOUNTS, "--remove", name).returncode == 0
    assert left(aws) == []


def acceptance(aws, *arguments, binary=None):
    """Runs it to its end."""
    running = start(aws, *arguments, binary=binary)
    stdout, _ = running.communicate(timeout=180)
    return subprocess.CompletedProcess(arguments, running.returncode, stdout)


def start(aws, *arguments, binary=None):
    """Starts it."""
    command = [sys.executable, "-m", "acceptance", "--region", REGION, *arguments]
    environment = aws.environment() | {"PYTHONPATH": str(ROOT)}
    environment |= {"PROMOTE_BIN": binary or os.environ.get("PROMOTE_BIN", "target/debug/promote")}
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **output)


def left(aws):
    """What is left of any run, in both accounts."""
    found = []
    for profile in ("source-admin", "target-admin"):
        buckets = aws.client("s3", profile).list_buckets()["Buckets"]
        found += [bucket["Name"] for bucket in buckets if "acceptance" in bucket["Name"]]
        groups = aws.client("sagemaker", profile).list_model_package_groups()["ModelPackageGroupSummaryList"]
        found += [group["ModelPackageGroupName"] for group in groups if "acceptance" in group["ModelPackageGroupName"]]
        stacks = aws.client("cloudformation", profile).describe_stacks()["Stacks"]
        found += [stack["StackName"] for stack in stacks if "acceptance" in stack["StackName"]]
    return found
