"""The function of the custom resources: what it deletes with the stack, and the digest of the image. It runs against
services that note every call, and against botocore's own checks of requests and answers."""

import gzip
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3
import botocore
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from conftest import GROUP_ARN

from standins.principals import REGION

VERSIONS = GROUP_ARN.replace("model-package-group/Churn-Model", "model-package/churn-model/")
BUILD_ROLE = "mlops-BuildRole-1A2B3C4D5E6F"
STACK = f"arn:aws:cloudformation:{REGION}:111222333444:stack/mlops/1"


class Registry:
    """SageMaker's side: versions by ARN with their provenance; two a page."""

    class exceptions:
        ClientError = ClientError

    @property
    def meta(self):
        return boto3.session.Session().client("sagemaker").meta

    def __init__(self, versions, broken=(), absent=False):
        self.versions, self.broken, self.absent = dict(versions), set(broken), absent
        self.calls = []

    def get_paginator(self, operation):
        return SimpleNamespace(paginate={"list_model_packages": self.pages, "list_model_package_groups": self.groups}[operation])

    def groups(self):
        self.calls.append("list groups")
        for name in ("prod-team-a", "Prod-Team-B", "prod-other"):
            yield {"ModelPackageGroupSummaryList": [{"ModelPackageGroupName": name}]}

    def pages(self, ModelPackageGroupName, ModelPackageType):
        self.calls.append(f"list {ModelPackageGroupName} {ModelPackageType}")
        if self.absent:
            raise failure("ListModelPackages", "ValidationException", "ModelPackageGroup Churn-Prod does not exist.")
        names = list(self.versions)
        for start in range(0, len(names), 2):
            # As a service pages: what is gone from the list moves the rest up.
            assert list(self.versions) == names, "nothing may be deleted while the list is read"
            yield {"ModelPackageSummaryList": [{"ModelPackageArn": name} for name in names[start : start + 2]]}

    def describe_model_package(self, ModelPackageName, IncludedData):
        assert IncludedData == "MetadataOnly", "a model card may be encrypted with a key that is not ours"
        return self.versions[ModelPackageName]

    def delete_model_package(self, ModelPackageName):
        if ModelPackageName in self.broken:
            raise failure("DeleteModelPackage", "AccessDeniedException", "explicit deny")
        self.calls.append(f"delete {ModelPackageName}")
        del self.versions[ModelPackageName]


class Stacks:
    """CloudFormation's side."""

    def __init__(self, status="DELETE_IN_PROGRESS", failed_before=False):
        self.status = status
        self.events = [
            {"LogicalResourceId": "Other", "ResourceStatus": "DELETE_FAILED"},
            {"LogicalResourceId": "BuildRole", "ResourceStatus": "DELETE_COMPLETE", "PhysicalResourceId": BUILD_ROLE},
            {"LogicalResourceId": "BuildRole", "ResourceStatus": "CREATE_IN_PROGRESS"},
        ]
        if failed_before:
            self.events.append({"LogicalResourceId": "PackagesRemoved", "ResourceStatus": "DELETE_FAILED"})

    def describe_stacks(self, StackName):
        assert StackName == STACK
        return {"Stacks": [{"StackStatus": self.status}]}

    def get_paginator(self, operation):
        assert operation == "describe_stack_events"
        return SimpleNamespace(paginate=lambda StackName: [{"StackEvents": [event]} for event in self.events])


def failure(operation, code, message):
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def promoted(*numbers):
    """Versions of the target that were promoted from these of the source group."""
    return {f"target/{number}": provenance(f"{VERSIONS}{number}") for number in numbers}


def provenance(arn, creator=f"arn:aws:sts::111222333444:assumed-role/{BUILD_ROLE}/AWSCodeBuild-1"):
    metadata = {"promote:source-arn": arn, "team": "growth"}
    return {"CustomerMetadataProperties": metadata, "CreatedBy": {"IamIdentity": {"Arn": creator}}}


@pytest.fixture
def function(everything, monkeypatch):
    """Runs the function for a custom resource with these clients; gives what it answers to CloudFormation."""
    types = {"RemovePackages": "PackagesRemoved", "EmptyBucket": "ArtifactBucketEmptied", "ImageDigest": "ImageDigest"}

    def run(name, clients, request="Delete", properties=None, milliseconds=900_000):
        answers = []

        def send(event, context, status, data, physical_id, reason=None):
            answers.append(SimpleNamespace(status=status, id=physical_id, reason=reason, data=data))

        response = SimpleNamespace(SUCCESS="SUCCESS", FAILED="FAILED", send=send)
        monkeypatch.setitem(sys.modules, "cfnresponse", response)
        monkeypatch.setattr(boto3, "client", lambda service, config=None: clients[service])
        code = {}
        resources = everything.template["Resources"]
        assert resources[types[name]]["Type"] == f"Custom::{name}"
        exec(resources["StackFunction"]["Properties"]["Code"]["ZipFile"], code)
        properties = {"SourceGroup": GROUP_ARN, "TargetGroup": "Churn-Prod", "Bucket": "artifacts"} | (properties or {})
        event = {
            "RequestType": request,
            "StackId": STACK,
            "ResourceType": f"Custom::{name}",
            "LogicalResourceId": types[name],
            "ResourceProperties": properties,
        }
        code["handler"](event, SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds))
        (answer,) = answers
        return answer

    return run


def removal(function, registry, stacks=None, **more):
    return function("RemovePackages", {"sagemaker": registry, "cloudformation": stacks or Stacks()}, **more)


def test_the_versions_that_were_promoted_go_and_somebody_else_s_stay(function):
    others = {
        "trained-here/1": {"CustomerMetadataProperties": {"team": "growth"}},
        "without-metadata/1": {},
        "of-another-group/1": provenance(VERSIONS.replace("churn-model", "churn-model-2") + "1"),
        "of-a-longer-group/1": provenance(VERSIONS.replace("churn-model/", "churn-model/x/") + "1"),
        "of-another-account/1": provenance(VERSIONS.replace("444333666777", "555666777888") + "1"),
        "of-another-region/1": provenance(VERSIONS.replace(REGION, "us-east-1") + "1"),
        "without-a-number/1": provenance(VERSIONS),
        "with-copied-metadata/1": provenance(f"{VERSIONS}1", "arn:aws:iam::111222333444:user/somebody"),
        "from-another-pipeline/1": provenance(
            f"{VERSIONS}1", "arn:aws:sts::111222333444:assumed-role/mlops-BuildRole-OTHER/AWSCodeBuild-1"
        ),
        "from-a-user-of-the-role-s-name/1": provenance(
            f"{VERSIONS}1", f"arn:aws:iam::111222333444:user/{BUILD_ROLE}/somebody"
        ),
        "without-a-creator/1": {"CustomerMetadataProperties": {"promote:source-arn": f"{VERSIONS}1"}},
    }
    registry = Registry(promoted(1, 2, 3) | others | promoted(4, 5))
    answer = removal(function, registry)
    assert (answer.status, answer.id) == ("SUCCESS", "PackagesRemoved")
    assert registry.versions == others
    assert registry.calls == ["list Churn-Prod Versioned", *(f"delete target/{number}" for number in (1, 2, 3, 4, 5))]


def test_the_versions_of_every_group_of_a_pattern_go_and_those_of_other_sources_stay(function):
    source = {"SourceGroup": GROUP_ARN.replace("Churn-Model", "Team-*"), "TargetGroup": "Prod-Team-*"}
    own = {f"target/{name}": provenance(VERSIONS.replace("churn-model", name) + "1") for name in ("team-a", "team-b")}
    others = {f"target/{name}": provenance(VERSIONS.replace("churn-model", name) + "1") for name in ("team", "a-team-a")}
    registry = Registry(own | others)
    registry.pages = lambda ModelPackageGroupName, ModelPackageType: (
        {"ModelPackageSummaryList": [{"ModelPackageArn": arn}]} for arn in list(registry.versions)
    ) if ModelPackageGroupName == "prod-team-a" else ()
    assert removal(function, registry, properties=source).status == "SUCCESS"
    assert registry.versions == others
    registry = Registry({})
    assert removal(function, registry, properties=source).status == "SUCCESS"
    assert registry.calls == ["list groups", "list prod-team-a Versioned", "list Prod-Team-B Versioned"]


def test_only_for_a_pattern_it_may_list_groups(everything, many):
    lists = ["sagemaker:ListModelPackageGroups" in json.dumps(stack.properties("StackFunctionRole")) for stack in (everything, many)]
    assert lists == [False, True]
    target = [one for one in many.properties("StackFunctionRole")["Policies"][0]["PolicyDocument"]["Statement"] if isinstance(one, dict)]
    (versions,) = [one["Resource"] for one in target if one["Sid"] == "FindAndDeleteVersionsOfTheTargetGroup"]
    assert {arn.rpartition(":")[2].lower() for arn in versions} == {"model-package-group/prod-team-*", "model-package/prod-team-*/*"}


def test_the_group_s_name_is_compared_without_regard_to_case(function):
    registry = Registry({"target/1": provenance(VERSIONS.replace("churn-model", "Churn-Model") + "1")})
    assert removal(function, registry).status == "SUCCESS"
    assert registry.versions == {}


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_creating_and_updating_the_stack_deletes_nothing(function, request_type):
    registry = Registry(promoted(1))
    assert removal(function, registry, request=request_type).status == "SUCCESS"
    assert registry.calls == []


@pytest.mark.parametrize(
    "status", ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"]
)
def test_a_stack_that_stays_or_is_rolled_back_deletes_nothing(function, status):
    """Switching to retain_on_delete=true removes this resource from the stack; a failed creation does, too."""
    registry = Registry(promoted(1))
    assert removal(function, registry, Stacks(status)).status == "SUCCESS"
    assert registry.calls == []


def test_a_group_that_is_gone_already_is_fine(function):
    assert removal(function, Registry({}, absent=True)).status == "SUCCESS"


def test_what_cannot_be_deleted_is_reported_and_the_rest_goes(function):
    registry = Registry(promoted(1, 2, 3), broken={"target/2"})
    answer = removal(function, registry)
    assert answer.status == "FAILED"
    assert "target/2" in answer.reason and "AccessDenied" in answer.reason and "target/1" not in answer.reason
    assert list(registry.versions) == ["target/2"]


def test_the_second_deletion_leaves_what_cannot_be_deleted(function):
    registry = Registry(promoted(1, 2), broken={"target/2"})
    assert removal(function, registry, Stacks(failed_before=True)).status == "SUCCESS"
    assert list(registry.versions) == ["target/2"]


def test_running_out_of_time_is_reported(function):
    registry = Registry(promoted(1, 2))
    answer = removal(function, registry, milliseconds=50_000)
    assert answer.status == "FAILED" and "out of time" in answer.reason and "target/1" in answer.reason
    assert list(registry.versions) == ["target/1", "target/2"]


def test_a_failure_of_any_kind_is_answered(function):
    class Broken(Stacks):
        def describe_stacks(self, StackName):
            raise failure("DescribeStacks", "Throttling", "Rate exceeded")

    answer = removal(function, Registry(promoted(1)), Broken())
    assert answer.status == "FAILED" and "Rate exceeded" in answer.reason


def test_a_long_reason_fits_into_the_answer(function):
    """CloudFormation takes an answer of 4096 bytes."""
    many = promoted(*range(1, 100))
    answer = removal(function, Registry(many, broken=set(many)))
    assert answer.status == "FAILED" and len(answer.reason) <= 1000


def test_it_may_only_read_and_delete_versions_of_the_target_group(everything):
    (policy,) = everything.properties("StackFunctionRole")["Policies"]
    statements = {one["Sid"]: one for one in policy["PolicyDocument"]["Statement"]}
    registry = statements.pop("FindAndDeleteVersionsOfTheTargetGroup")
    assert all(re.search(r":model-package(/churn-prod/\*|-group/churn-prod)$", arn, re.I) for arn in registry["Resource"])
    assert statements.pop("ListTheBucket")["Resource"] == everything.properties("ArtifactBucketPolicy")["PolicyDocument"][
        "Statement"
    ][0]["Resource"][0]
    assert statements.pop("DeleteItsObjects")["Action"] == "s3:DeleteObject"
    assert not re.search("sagemaker:|s3:|kms:", json.dumps([one["Action"] for one in statements.values()]))


def test_a_stack_that_keeps_its_versions_may_not_even_read_them(minimal):
    assert "sagemaker:" not in json.dumps(minimal.properties("StackFunctionRole")["Policies"])


@pytest.fixture(params=["with IncludedData", "without IncludedData"])
def sagemaker(request, tmp_path, monkeypatch):
    """A client whose service model knows a member of DescribeModelPackage, or is older, and its stubs."""
    folder = Path("sagemaker/2017-07-24")
    packed = Path(botocore.__file__).parent / "data" / folder / "service-2.json.gz"
    model = json.loads(gzip.decompress(packed.read_bytes()))
    members = model["shapes"]["DescribeModelPackageInput"]["members"]
    assert "IncludedData" in members
    if request.param.startswith("without"):
        del members["IncludedData"]
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "service-2.json").write_text(json.dumps(model))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    client = boto3.session.Session().client("sagemaker", REGION)
    known = client.meta.service_model.operation_model("DescribeModelPackage").input_shape.members
    assert ("IncludedData" in known) == request.param.startswith("with ")
    with Stubber(client) as stubber:
        yield client, stubber, {"IncludedData": "MetadataOnly"} if "IncludedData" in known else {}
        stubber.assert_no_pending_responses()


def test_a_boto3_of_any_age_deletes_the_versions(function, sagemaker):
    """Lambda decides which boto3 runs; botocore refuses members that its model does not know."""
    client, stubber, included = sagemaker
    arn = f"arn:aws:sagemaker:{REGION}:111222333444:model-package/churn-prod/1"
    status = {"ModelPackageStatus": "Completed", "CreationTime": 0}
    summary = status | {"ModelPackageArn": arn}
    details = {"ModelPackageStatusDetails": {"ValidationStatuses": []}}
    described = provenance(f"{VERSIONS}1") | status | details | {"ModelPackageName": arn, "ModelPackageArn": arn}
    listed = {"ModelPackageGroupName": "Churn-Prod", "ModelPackageType": "Versioned"}
    stubber.add_response("list_model_packages", {"ModelPackageSummaryList": [summary]}, listed)
    stubber.add_response("describe_model_package", described, {"ModelPackageName": arn} | included)
    stubber.add_response("delete_model_package", {}, {"ModelPackageName": arn})
    answer = function("RemovePackages", {"sagemaker": client, "cloudformation": Stacks()})
    assert (answer.status, answer.reason) == ("SUCCESS", None)


def test_the_build_runs_the_image_that_the_tag_had_when_the_stack_was_deployed(function, everything):
    image = everything.template["Resources"]["Project"]["Properties"]["Environment"]["Image"]
    assert image["Fn::Sub"].endswith("/${ImageRepositoryName}@${ImageDigest.Digest}")
    digest = f"sha256:{'a' * 64}"
    client = boto3.session.Session().client("ecr", REGION)
    asked = {"repositoryName": "promote", "imageIds": [{"imageTag": "1.0"}]}
    given = {"Repository": "promote", "Tag": "1.0"}
    with Stubber(client) as stubber:
        stubber.add_response("describe_images", {"imageDetails": [{"imageDigest": digest}]}, asked)
        answer = function("ImageDigest", {"ecr": client}, request="Create", properties=given)
        assert (answer.status, answer.data) == ("SUCCESS", {"Digest": digest})
        stubber.add_client_error("describe_images", "ImageNotFoundException", "no such tag", expected_params=asked)
        answer = function("ImageDigest", {"ecr": client}, request="Update", properties=given)
        assert answer.status == "FAILED" and "no such tag" in answer.reason
        assert function("ImageDigest", {}, properties=given).status == "SUCCESS", "nothing is looked up to delete it"


def test_the_artifact_bucket_is_emptied_before_it_goes(function):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
    for number in range(1100):
        s3.put_object(Bucket="artifacts", Key=f"run/{number}")
    assert function("EmptyBucket", {"s3": s3}, request="Update").status == "SUCCESS"
    assert s3.list_objects_v2(Bucket="artifacts")["KeyCount"] == 1000
    answer = function("EmptyBucket", {"s3": s3})
    assert (answer.status, answer.id) == ("SUCCESS", "ArtifactBucketEmptied")
    s3.delete_bucket(Bucket="artifacts")
    assert function("EmptyBucket", {"s3": s3}).status == "SUCCESS", "a bucket that is gone is fine"


def test_packages_go_after_the_build_s_role_and_the_bucket_s_objects_after_the_pipeline(everything):
    resources = everything.template["Resources"]
    assert resources["Pipeline"]["DependsOn"] == "ArtifactBucketEmptied"
    assert "${PackagesRemoved}" in str(resources["BuildRole"]["Properties"]["Description"])
