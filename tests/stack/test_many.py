"""The events of many groups on the pipeline's definition: in any order, superseded, or lost."""

import json
import os
import random
import subprocess

import pytest
from conftest import GROUP_ARN
from moto.events.models import EventPattern
from pipeline import PROMOTE, Pipeline
from test_rule import event

from standins import cloud
from standins.churn import IMAGE, register
from standins.principals import SOURCE_BUCKETS, TARGET_BUCKET

GROUPS = [f"team-{number:02}" for number in range(20)]
MANY = {
    "source-model-package-group-arn": GROUP_ARN.replace("Churn-Model", "team-*"),
    "target-model-package-group-name": "prod-{group}",
    "target-bucket-name": TARGET_BUCKET,
    "event-bus-name": "mlops-bus",
    "schedule": "rate(1 day)",
    "status-page": "true",
    "images": "keep",
}


class Executions:
    """CodePipeline's mode SUPERSEDED: one execution runs and one waits, whose place a newer one takes."""

    def __init__(self, pipeline, rule):
        self.pipeline, self.target = pipeline, rule["Targets"][0]
        self.pattern = EventPattern.load(json.dumps(rule["EventPattern"]))
        self.running, self.waiting, self.ended, self.superseded = None, None, [], 0

    def deliver(self, version):
        """The event of an approval, as the rule matches it and tells the pipeline."""
        name = version.split("/")[-2]
        happened = event({"ModelPackageGroupName": name, "ModelPackageArn": version})
        assert self.pattern.matches_event(happened)
        told = self.target["InputTransformer"]["InputTemplate"].replace("<package>", json.dumps(version))
        self.start({one["name"]: one["value"] for one in json.loads(told)["variables"]})

    def start(self, variables):
        """Starts an execution, which waits if another one runs."""
        if self.running:
            self.superseded += self.waiting is not None
            self.waiting = variables
        else:
            # A run sees only what was approved before it began.
            self.running = (variables, self.pipeline.build("Promote", **variables))

    def end(self):
        """The execution that runs ends, and the one that waits begins."""
        self.ended.append(self.running)
        waiting, self.running, self.waiting = self.waiting, None, None
        if waiting is not None:
            self.start(waiting)


@pytest.fixture(scope="module")
def stack(deploy):
    return deploy("many-events", MANY)


@pytest.fixture
def executions(stack, tmp_path):
    """The pipeline, and twenty groups each with a version that waits for its approval."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        with cloud() as aws:
            source, s3 = aws.client("sagemaker", "source"), aws.client("s3", "source")
            for name in [*GROUPS, "other"]:
                key = f"{name}/model.tar.gz"
                s3.put_object(Bucket=SOURCE_BUCKETS[0], Key=key, Body=name.encode())
                container = {"Image": IMAGE, "ModelDataUrl": f"s3://{SOURCE_BUCKETS[0]}/{key}"}
                source.create_model_package_group(ModelPackageGroupName=name)
                members = {"InferenceSpecification": {"Containers": [container], "SupportedContentTypes": ["text/csv"],
                                                      "SupportedResponseMIMETypes": ["text/csv"]}}
                register(source, members, "PendingManualApproval", None, group=name)
            yield Executions(Pipeline(stack, aws, tmp_path), stack.properties("SageMakerModelPackageStateChange"))


def approve(executions, name):
    """The source approves the version of a group."""
    version = GROUP_ARN.replace("model-package-group/Churn-Model", f"model-package/{name}/1")
    source = executions.pipeline.aws.client("sagemaker", "source")
    source.update_model_package(ModelPackageArn=version, ModelApprovalStatus="Approved")
    return version


def assert_promoted(executions, names):
    """Each of the groups has one version, which is approved."""
    for variables, build in executions.ended:
        assert build.code == 0, f"{variables}: {build.log}"
    found = {name: executions.pipeline.versions(f"prod-{name}") for name in names}
    assert found == {name: {1: "Approved"} for name in names}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_events_of_twenty_groups_in_any_order_promote_every_group_once(executions, seed):
    chance = random.Random(seed)
    names = chance.sample(GROUPS, len(GROUPS))
    undelivered = []
    while names or undelivered:
        act = chance.choices(["approve", "deliver", "end"], weights=[8, 8, 1])[0]
        if act == "approve" and names:
            undelivered.append(approve(executions, names.pop()))
        if act == "deliver" and undelivered:
            executions.deliver(undelivered.pop(chance.randrange(len(undelivered))))
        if act == "end" and executions.running:
            executions.end()
    while executions.running:
        executions.end()
    assert_promoted(executions, GROUPS)
    assert executions.superseded > 0 and len(executions.ended) < len(GROUPS)
    for variables, build in executions.ended:
        assert build.first == variables["ModelPackageArn"].split("/")[-2]
    target = executions.pipeline.aws.client("sagemaker", "target")
    groups = target.list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert {one["ModelPackageGroupName"] for one in groups} == {f"prod-{name}" for name in GROUPS}


def test_a_lost_event_heals_with_the_schedule(executions):
    """The schedule starts the pipeline without variables."""
    executions.deliver(approve(executions, GROUPS[0]))
    executions.end()
    approve(executions, GROUPS[1])
    executions.start({})
    executions.end()
    assert_promoted(executions, GROUPS[:2])
    assert [build.first for _, build in executions.ended] == [GROUPS[0], ""]


def test_a_held_group_stops_no_other_and_is_promoted_after_its_release(executions):
    def of_operator(verb):
        flags = ["--target-group", f"prod-{GROUPS[0]}", "--target-bucket", TARGET_BUCKET, "--reason", "Audit"]
        environment = executions.pipeline.aws.environment() | {"AWS_PROFILE": "pipeline"}
        subprocess.run([PROMOTE, verb, *flags], env=environment, check=True, capture_output=True)

    of_operator("hold")
    for name in GROUPS[:2]:
        executions.deliver(approve(executions, name))
    while executions.running:
        executions.end()
    assert_promoted(executions, GROUPS[1:2])
    assert "Audit" in executions.ended[-1][1].log
    groups = executions.pipeline.aws.client("sagemaker", "target").list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert [one["ModelPackageGroupName"] for one in groups] == [f"prod-{GROUPS[1]}"]
    of_operator("release")
    executions.start({})
    executions.end()
    assert_promoted(executions, GROUPS[:2])


def test_each_run_keeps_the_page_and_one_that_fails_does_not_keep_less(executions):
    s3 = executions.pipeline.aws.client("s3", "target")

    def page():
        found = s3.get_object(Bucket=TARGET_BUCKET, Key="many-events/status.html")
        assert found["ContentType"].startswith("text/html")
        return found["Body"].read().decode()

    approve(executions, GROUPS[0])
    approve(executions, GROUPS[1])
    executions.pipeline.aws.client("s3", "source").delete_object(Bucket=SOURCE_BUCKETS[0], Key=f"{GROUPS[1]}/model.tar.gz")
    build = executions.pipeline.build("Promote")
    assert build.code == 1 and f"{GROUPS[1]}: " in build.log, build.log
    first = page()
    assert all(name in first for name in GROUPS) and "prod-team-00" in first and "other" not in first
    s3.put_object(Bucket=TARGET_BUCKET, Key="many-events/status.html", Body=b"the page before", ContentType="text/html")
    for variable in executions.pipeline.project["Environment"]["EnvironmentVariables"]:
        if variable["Name"] == "PROMOTE_GROUP":
            variable["Value"] = GROUP_ARN.replace("Churn-Model", "nothing-*")
    build = executions.pipeline.build("Promote")
    assert build.code == 1 and "The page was not written" in build.log
    assert page() == "the page before"


def test_one_review_is_for_the_plan_of_all_groups(executions, deploy, tmp_path):
    reviewed = deploy("many-reviewed", MANY | {"review-before-promotion": "true"})
    pipeline = Pipeline(reviewed, executions.pipeline.aws, tmp_path)
    for name in GROUPS[:2]:
        approve(executions, name)
    pipeline.run_until_review()
    planned = json.loads(pipeline.artifacts["Plan"])
    assert pipeline.request() == (f"Plan {planned['plan']['digest']}", "https://console.example/promote:DryRun")
    approve(executions, GROUPS[2])
    done = pipeline.build("Promote")
    assert done.code == 1 and f"{GROUPS[2]}: the plan sha256:" in " ".join(done.log.split()), done.log
    for name in GROUPS[:2]:
        assert pipeline.versions(f"prod-{name}") == {1: "Approved"}
    pipeline.run_until_review()
    done = pipeline.build("Promote")
    assert done.code == 0, done.log
    assert pipeline.versions(f"prod-{GROUPS[2]}") == {1: "Approved"}


def test_a_group_that_fails_is_left_out_of_the_reviewed_plan_and_fails_the_run_after_the_others(executions, deploy, tmp_path):
    reviewed = deploy("many-reviewed-failing", MANY | {"review-before-promotion": "true"})
    pipeline = Pipeline(reviewed, executions.pipeline.aws, tmp_path)
    for name in GROUPS[:3]:
        approve(executions, name)
    # Its target group has too long a name, so that it fails in every stage.
    long = f"team-{'x' * 58}"
    pipeline.aws.client("sagemaker", "source").create_model_package_group(ModelPackageGroupName=long)
    s3, key = pipeline.aws.client("s3", "source"), f"{GROUPS[1]}/model.tar.gz"
    s3.delete_object(Bucket=SOURCE_BUCKETS[0], Key=key)
    pipeline.run_until_review()
    assert f"error: {GROUPS[1]}: " in pipeline.reviewed.log, pipeline.reviewed.log
    planned = json.loads(pipeline.artifacts["Plan"])
    assert pipeline.request() == (f"Plan {planned['plan']['digest']}", "https://console.example/promote:DryRun")
    failed = {one["group"].split("/")[-1]: one["document"] for one in planned["groups"] if one["exit_code"] != 0}
    assert set(failed) == {GROUPS[1], long} and key in failed[GROUPS[1]]["error"]["message"]
    done = pipeline.build("Promote")
    assert done.code == 1 and f"{GROUPS[1]}: the plan leaves out " in " ".join(done.log.split()), done.log
    for name in (GROUPS[0], GROUPS[2]):
        assert pipeline.versions(f"prod-{name}") == {1: "Approved"}
    s3.put_object(Bucket=SOURCE_BUCKETS[0], Key=key, Body=b"again")
    pipeline.aws.client("sagemaker", "source").delete_model_package_group(ModelPackageGroupName=long)
    pipeline.run_until_review()
    done = pipeline.build("Promote")
    assert done.code == 0, done.log
    assert pipeline.versions(f"prod-{GROUPS[1]}") == {1: "Approved"}
