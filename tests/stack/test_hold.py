"""A rollback, and events of the source meanwhile, on the pipeline's own definition and buildspec."""

import os
import random
import subprocess
import threading

import pytest
from pipeline import PROMOTE, TIMEOUT, Pipeline

from standins import cloud
from standins.churn import GROUP, GROUP_ARN, seed_churn
from standins.proxy import counting

INPUTS = {"source-model-package-group-arn": GROUP_ARN}
REVIEWED = INPUTS | {"review-before-promotion": "true"}


@pytest.fixture(scope="module", params=[INPUTS, REVIEWED], ids=["unreviewed", "reviewed"])
def stack(deploy, request):
    return deploy(f"held-{len(request.param)}", request.param)


@pytest.fixture
def aws():
    """Two accounts with something to promote."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        with cloud() as aws:
            seed_churn(aws)
            yield aws


@pytest.fixture
def pipeline(stack, aws, tmp_path):
    """The pipeline after two promotions: version 1 is that of the source's version 3, version 2 that of its version 4."""
    pipeline = Pipeline(stack, aws, tmp_path)
    run(pipeline, 3)
    decide(pipeline, 4, "Approved")
    run(pipeline, 4)
    assert pipeline.versions(GROUP) == {1: "Approved", 2: "Approved"}
    return pipeline


def arn(number):
    """A version of the source."""
    return GROUP_ARN.replace(f"model-package-group/{GROUP}", f"model-package/{GROUP.lower()}/{number}")


def decide(pipeline, number, status):
    """The source decides about a version."""
    pipeline.aws.client("sagemaker", "source").update_model_package(
        ModelPackageArn=arn(number), ModelApprovalStatus=status, ApprovalDescription="Decided anew"
    )


def run(pipeline, number):
    """An execution that the event of a version has started; whoever reviews it approves it."""
    if "Approval" in pipeline.names:
        pipeline.run_until_review()
    return build(pipeline, number)


def build(pipeline, number):
    """The build that promotes."""
    done = pipeline.build("Promote", ModelPackageArn=arn(number))
    assert done.code == 0, done.log
    return done.log


def promote(pipeline, *arguments, **variables):
    """A command of an operator of the target account."""
    environment = pipeline.aws.environment() | {"AWS_PROFILE": "pipeline"} | variables
    command = [PROMOTE, *arguments, "--target-group", GROUP]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_rolled_back_is_not_approved_again_whatever_events_come(pipeline, seed):
    promote(pipeline, "rollback", "--reason", "Latency alarm", "--settle-seconds", "0")
    assert pipeline.versions(GROUP) == {1: "Approved", 2: "Rejected"}
    events = [(4, "Rejected"), (4, "Approved"), (3, "Approved"), (1, "Rejected"), (1, "Approved")]
    random.Random(seed).shuffle(events)
    for number, status in events:
        decide(pipeline, number, status)
        # EventBridge delivers an event at least once.
        for _ in range(2):
            assert "Latency alarm" in run(pipeline, number)
            assert pipeline.versions(GROUP) == {1: "Approved", 2: "Rejected"}, (number, status)
    decide(pipeline, 4, "Approved")
    promote(pipeline, "release")
    run(pipeline, 4)
    assert pipeline.versions(GROUP) == {1: "Approved", 2: "Rejected"}


class Meanwhile:
    """Acts once, when a call arrives: the first of an operation on a key that contains a text."""

    def __init__(self, operation, key, act):
        self.moment, self.act, self.lock = (operation, key), act, threading.Lock()
        self.has_begun, self.ended = False, threading.Event()

    def before(self, operation, key):
        """Is told of each call before it is carried out."""
        with self.lock:
            if self.has_begun or operation != self.moment[0] or self.moment[1] not in key:
                return
            self.has_begun = True
        self.act()
        self.ended.set()


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        # Before the hold, before the rejection, and when the rejection is read again and recorded.
        ("PutObject", "_hold-"),
        ("UpdateModelPackage", ""),
        ("PutObject", "-v4/"),
    ],
)
def test_what_is_rolled_back_is_not_approved_again_by_executions_during_the_rollback(pipeline, operation, key):
    def events():
        for status in ("Rejected", "Approved"):
            decide(pipeline, 4, status)
            run(pipeline, 4)

    meanwhile = Meanwhile(operation, key, events)
    aws = pipeline.aws
    before = meanwhile.before
    with counting(aws.registry, before=before) as registry, counting(aws.objects, before=before) as s3:
        services = {f"AWS_ENDPOINT_URL_{service}": registry[0] for service in ("SAGEMAKER", "STS", "KMS")}
        rollback = ("rollback", "--to", "1", "--reason", "Latency alarm", "--settle-seconds", "0")
        promote(pipeline, *rollback, AWS_ENDPOINT_URL_S3=s3[0], **services)
        # A rollback whose call takes longer than it waits for asks again, and may end before the executions.
        assert meanwhile.ended.wait(TIMEOUT)
    assert pipeline.versions(GROUP) == {1: "Approved", 2: "Rejected"}
    assert "Latency alarm" in run(pipeline, 4)
    assert pipeline.versions(GROUP) == {1: "Approved", 2: "Rejected"}
    promote(pipeline, "release")
    run(pipeline, 4)
    assert pipeline.versions(GROUP) == {1: "Approved", 2: "Rejected"}


def test_a_hold_while_a_plan_waits_for_its_review_stops_the_plan_until_the_release(deploy, aws, tmp_path):
    pipeline = Pipeline(deploy("held-review", REVIEWED), aws, tmp_path)
    run(pipeline, 3)
    decide(pipeline, 4, "Approved")
    pipeline.run_until_review()
    promote(pipeline, "hold", "--reason", "Audit")
    assert "Audit" in build(pipeline, 4)
    assert pipeline.versions(GROUP) == {1: "Approved"}
    promote(pipeline, "release")
    build(pipeline, 4)
    assert pipeline.versions(GROUP) == {1: "Approved", 2: "Approved"}
