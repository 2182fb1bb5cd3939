"""Every belief of `make aws` can be refuted: each is tried against services that answer otherwise."""

import copy
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from acceptance import about_access, about_registry, beliefs
from acceptance.accounts import Accounts
from acceptance.answers import Late
from acceptance.model import IMAGES, Source
from standins.owners import owned
from standins.principals import REGION


class Contrary:
    """A client some of whose calls answer otherwise. Each is given the real call first."""

    def __init__(self, client, **calls):
        self.client, self.calls = client, calls

    def __getattr__(self, name):
        real = getattr(self.client, name)
        if name not in self.calls:
            return real
        return lambda **members: self.calls[name](real, **members)


def fails(code, message="no"):
    def call(_, **__):
        raise ClientError({"Error": {"Code": code, "Message": message}}, "Call")

    return call


def without(member):
    """The call without a member of the request."""
    return lambda real, **members: real(**{name: value for name, value in members.items() if name != member})


def answering(change):
    """The call with a changed answer."""

    def call(real, **members):
        answer = copy.deepcopy(real(**members))
        change(answer)
        return answer

    return call


def only_spelled_right(real, ModelPackageName):
    if ModelPackageName.lower() == ModelPackageName:
        fails("ValidationException", "does not exist")(real)
    return real(ModelPackageName=ModelPackageName)


def other_version(real, **members):
    real(**members)
    other_version.number = getattr(other_version, "number", 0) + 1
    return {"ModelPackageArn": f"arn/{other_version.number}"}


def renamed(answer):
    for summary in answer["ModelPackageSummaryList"]:
        summary["ModelPackageArn"] = summary["ModelPackageArn"].replace("promote-acceptance", "other")


def late(*_):
    raise Late("not within 60 s")


def grown(source):
    source.described = copy.deepcopy(source.described)
    source.described["InferenceSpecification"]["Containers"][0]["Environment"]["ADDED"] = "1"


def listed_late(source):
    source.seconds_to_list = 9.0


# For each belief, what answers otherwise: calls of the source's registry, the target's S3 or its own members.
OTHERWISE = {
    "spelling": {"registry": {"list_model_packages": answering(renamed)}},
    "lower_case_names": {"registry": {"describe_model_package": only_spelled_right}},
    "added_members": {"source": grown},
    "absent_version": {"registry": {"describe_model_package": fails("ResourceNotFound", "no such version")}},
    "taken_group_name": {"registry": {"create_model_package_group": lambda *_, **__: {}}},
    "client_token": {"registry": {"create_model_package": other_version}},
    "version_numbers": {
        "registry": {
            "create_model_package": lambda *_, **__: {"ModelPackageArn": "arn/3"},
            "delete_model_package": lambda *_, **__: {},
        },
        "waits": lambda *_: 0.0,
    },
    "new_version_lag": {"source": listed_late},
    "update_lag": {"waits": lambda *_: 9.0},
    "merged_metadata": {"registry": {"describe_model_package": answering(lambda answer: forgetful(answer))}},
    "group_policy": {"waits": late},
    "conditional_put": {"s3": {"put_object": without("IfNoneMatch")}},
    "conditional_copy": {"s3": {"copy_object": without("IfNoneMatch")}},
    "conditional_completion": {"s3": {"complete_multipart_upload": without("IfNoneMatch")}},
    "copied_checksum": {"s3": {"head_object": answering(lambda answer: answer.update(ETag='"other"'))}},
    "customer_key": {"s3": {"head_object": fails("403")}},
    "created_by": {"registry": {"describe_model_package": answering(lambda answer: answer.update(CreatedBy={}))}},
    "explicit_denial": {"s3": {"get_object": fails("AccessDenied", "Access Denied")}},
    "implicit_denial": {"s3": {"get_object_tagging": fails("AccessDenied", "Access Denied")}},
    "bucket_owner": {"s3": {"list_objects_v2": without("ExpectedBucketOwner")}},
    "role_trust": {"stack": SimpleNamespace(status=None, failure="not authorized to perform AssumeRole on role x")},
}


def forgetful(answer):
    """After the update that the belief makes, only what that has set is left."""
    metadata = answer["CustomerMetadataProperties"]
    if "merged" in metadata:
        answer["CustomerMetadataProperties"] = {"merged": metadata["merged"]}


@pytest.fixture(scope="module")
def created(aws):
    """The source of a run in both accounts."""
    with pytest.MonkeyPatch.context() as patch, owned(aws.objects, aws.principals) as s3:
        for name, value in aws.environment(objects=s3).items():
            patch.setenv(name, value)
        options = {"source_profile": "source-admin", "target_profile": "target-admin", "region": REGION, "remove": None}
        accounts = Accounts(SimpleNamespace(**options))
        try:
            yield accounts, Source.create(accounts, IMAGES[REGION])
        finally:
            assert accounts.remove() == []


@pytest.mark.parametrize("belief", beliefs.BELIEFS, ids=lambda belief: belief.__name__)
def test_every_belief_can_be_refuted(created, belief, monkeypatch):
    accounts, source = created
    otherwise, source = OTHERWISE[belief.__name__], copy.copy(source)
    monkeypatch.setattr(beliefs, "BELIEFS", (belief,))
    if "registry" in otherwise:
        monkeypatch.setattr(accounts.source, "registry", Contrary(accounts.source.registry, **otherwise["registry"]))
    if "s3" in otherwise:
        monkeypatch.setattr(accounts.target, "s3", Contrary(accounts.target.s3, **otherwise["s3"]))
    if "waits" in otherwise:
        for module in (about_registry, about_access):
            monkeypatch.setattr(module, "seconds_until", otherwise["waits"])
    otherwise.get("source", lambda _: None)(source)
    (found,) = beliefs.beliefs(beliefs.Tried(accounts, source, otherwise.get("stack")))
    assert found.verdict == "refuted", found
