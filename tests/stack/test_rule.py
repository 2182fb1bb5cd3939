"""The rule that starts the pipeline: which events match its pattern, and what the pipeline is told.

The event is the one that AWS documents ("Events that Amazon SageMaker AI sends to Amazon EventBridge", model package
state change), with this group's names.
"""

import copy
import json

import pytest
from conftest import ACCOUNT, GROUP_ARN
from moto.events.models import EventPattern

from standins.principals import REGION, SOURCE_ACCOUNT

BUS = {"event-bus-name": "mlops-bus"}
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
    ("group", "starts"),
    [("Team-a", True), ("team-a", True), ("Team-", True), ("Team", False), ("A-Team-a", False), ("Churn-Model", False)],
)
def test_an_event_of_a_group_that_matches_the_pattern_starts_the_pipeline(many, group, starts):
    pattern = many.properties("SageMakerModelPackageStateChange")["EventPattern"]
    matches = EventPattern.load(json.dumps(pattern)).matches_event
    assert matches(event({"ModelPackageGroupName": group})) == starts
    assert not matches(event({"ModelPackageGroupName": group}, account=ACCOUNT))


def test_one_group_is_still_compared_as_a_whole(everything, deploy):
    lower = deploy("lower-pattern", {"source-model-package-group-arn": GROUP_ARN.replace("Churn-Model", "team-*")} | BUS)
    for stack, names in ((everything, [{"equals-ignore-case": "Churn-Model"}]), (lower, [{"wildcard": "team-*"}])):
        detail = stack.properties("SageMakerModelPackageStateChange")["EventPattern"]["detail"]
        assert detail["ModelPackageGroupName"] == names


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
    rule, scheduled, results = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert rule == stack.outputs["EventRuleArn"] and len({rule, scheduled, results}) == 3
    assert tls["Effect"] == "Deny"


def test_the_rule_may_start_this_pipeline_and_nothing_else(everything):
    stack = everything
    (policy,) = stack.properties("EventRole")["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "codepipeline:StartPipelineExecution"
    assert statement["Resource"] == stack.outputs["PipelineArn"]


def test_a_schedule_starts_the_pipeline_with_and_without_a_rule_for_events(everything, deploy):
    alone = deploy("scheduled", {"schedule": "cron(0 6 * * ? *)"})
    assert "SageMakerModelPackageStateChange" not in alone.resources
    for stack, expression in ((everything, "rate(1 day)"), (alone, "cron(0 6 * * ? *)")):
        rule = stack.properties("ScheduledStart")
        (target,) = rule["Targets"]
        assert rule["ScheduleExpression"] == expression and target["Arn"] == stack.outputs["PipelineArn"]
        # Rules with a schedule are on the default bus only.
        assert "EventBusName" not in rule
        (policy,) = stack.properties("EventRole")["Policies"]
        assert policy["PolicyDocument"]["Statement"][0]["Resource"] == stack.outputs["PipelineArn"]
        statement = stack.properties("UndeliveredEventsPolicy")["PolicyDocument"]["Statement"][0]
        assert target["DeadLetterConfig"]["Arn"] == statement["Resource"]
