"""The rule that starts the pipeline: which events match its pattern, and what the pipeline is told.

The event is the one that AWS documents ("Events that Amazon SageMaker AI sends to Amazon EventBridge", model package
state change), with this group's names.
"""

import copy
import json

import pytest
from conftest import ACCOUNT
from moto.events.models import EventPattern

from standins.principals import REGION, SOURCE_ACCOUNT

EVENT = {
    "version": "0",
    "id": "844e2571-85d4-695f-b930-0153b71dcb42",
    "detail-type": "SageMaker Model Package State Change",
    "source": "aws.sagemaker",
    "account": SOURCE_ACCOUNT,
    "time": "2021-02-24T17:00:14Z",
    "region": REGION,
    "resources": [f"arn:aws:sagemaker:{REGION}:{SOURCE_ACCOUNT}:model-package/churn-model/2"],
    "detail": {
        "ModelPackageGroupName": "Churn-Model",
        "ModelPackageVersion": 2,
        "ModelPackageArn": f"arn:aws:sagemaker:{REGION}:{SOURCE_ACCOUNT}:model-package/churn-model/2",
        "CreationTime": "2021-02-24T17:00:14Z",
        "InferenceSpecification": {"Containers": [{"Image": "image", "ModelDataUrl": "s3://models/model.tar.gz"}]},
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ModelApprovalStatus": "Approved",
    },
}


def event(detail=None, **members):
    """The documented event with other members."""
    changed = copy.deepcopy(EVENT) | {name.replace("_", "-"): value for name, value in members.items()}
    changed["detail"] |= detail or {}
    return changed


@pytest.fixture
def rule(everything):
    return everything.properties("SageMakerModelPackageStateChange")


@pytest.fixture
def matches(rule):
    pattern = EventPattern.load(json.dumps(rule["EventPattern"]))
    return pattern.matches_event


@pytest.mark.parametrize(
    "wanted",
    [
        event(),
        event({"ModelApprovalStatus": "Rejected"}),
        event({"ModelPackageGroupName": "churn-model"}),
    ],
    ids=["approved", "rejected", "the group in lower case"],
)
def test_an_approval_or_a_rejection_in_the_group_starts_the_pipeline(matches, wanted):
    assert matches(wanted)


@pytest.mark.parametrize(
    "other",
    [
        event(account="555666777888"),
        event(account=ACCOUNT),
        event(region="us-east-1"),
        event({"ModelPackageGroupName": "Churn-Model-2"}),
        event({"ModelPackageGroupName": "Churn"}),
        event({"ModelApprovalStatus": "PendingManualApproval"}),
        event(source="mine.sagemaker"),
        event(detail_type="SageMaker Model State Change"),
    ],
    ids=["another account", "the target", "another region", "a longer name", "a shorter name", "pending", "a forgery", "a model"],
)
def test_nothing_else_starts_it(matches, other):
    assert not matches(other)


def test_the_pipeline_is_told_which_version_it_was(rule):
    (target,) = rule["Targets"]
    assert target["Arn"].endswith(":mlops-model-package-Pipeline")
    transformer = target["InputTransformer"]
    assert transformer["InputPathsMap"] == {"package": "$.detail.ModelPackageArn"}
    # EventBridge puts a text in with its quotes.
    told = transformer["InputTemplate"].replace("<package>", json.dumps(EVENT["detail"]["ModelPackageArn"]))
    assert json.loads(told) == {"variables": [{"name": "ModelPackageArn", "value": EVENT["detail"]["ModelPackageArn"]}]}


def test_what_cannot_be_delivered_is_tried_again_and_kept(everything):
    stack = everything
    (target,) = stack.properties("SageMakerModelPackageStateChange")["Targets"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 3
    statement, tls = stack.properties("UndeliveredEventsPolicy")["PolicyDocument"]["Statement"]
    (published,) = stack.properties("Results")["Targets"]
    assert target["DeadLetterConfig"]["Arn"] == published["DeadLetterConfig"]["Arn"] == statement["Resource"]
    assert target["RetryPolicy"] == published["RetryPolicy"]
    rule, results = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert rule == stack.outputs["EventRuleArn"] and "/" in results and results != rule
    assert tls["Effect"] == "Deny"


def test_the_rule_may_start_this_pipeline_and_nothing_else(everything):
    stack = everything
    (policy,) = stack.properties("EventRole")["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "codepipeline:StartPipelineExecution"
    assert statement["Resource"] == stack.outputs["PipelineArn"]
