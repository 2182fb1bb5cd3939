"""What promote expects of SageMaker's model registry."""

import secrets
import time
import uuid

from botocore.exceptions import ClientError

from acceptance.about_access import GRANTED
from acceptance.answers import described, describes, lists, refusal, seconds_until
from acceptance.model import grant_group

# The tests of promote try delays of up to this many seconds.
LATEST = 5
# What Describe answers of every version.
OF_EVERY_VERSION = {
    *("ModelPackageGroupName", "ModelPackageArn", "ModelPackageVersion"),
    *("ModelPackageStatus", "ModelPackageStatusDetails"),
    *("CreationTime", "CreatedBy", "LastModifiedTime", "LastModifiedBy"),
    *("ApprovalDescription", "CertifyForMarketplace", "ResponseMetadata"),
}
# Members whose keys the user chooses.
MAPS = {"Environment", "CustomerMetadataProperties"}


def spelling(tried):
    """ARNs of a group with capitals differ from its name in capitals only."""
    registry, group = tried.accounts.source.registry, tried.accounts.source_group
    listed = registry.list_model_packages(ModelPackageGroupName=group, ModelPackageType="Versioned")
    spelled = {
        "CreateModelPackageGroup": tried.source.group_arn.rpartition("/")[2],
        "CreateModelPackage": tried.source.version_arn.split("/")[-2],
        "ListModelPackages": listed["ModelPackageSummaryList"][0]["ModelPackageArn"].split("/")[-2],
        "DescribeModelPackage": described(registry, tried.source.version_arn)["ModelPackageArn"].split("/")[-2],
    }
    lower = [call for call, name in spelled.items() if name == group.lower()]
    seen = f"in lower case from {', '.join(lower)}" if lower else "as it was created, from every call"
    return all(name.lower() == group.lower() for name in spelled.values()), seen


def lower_case_names(tried):
    """Describe finds a version by its ARN in lower case."""
    prefix, _, name = tried.source.version_arn.partition("model-package/")
    try:
        described(tried.accounts.source.registry, f"{prefix}model-package/{name.lower()}")
    except ClientError as error:
        return False, str(error)
    return True, "found"


def added_members(tried):
    """SageMaker adds members to a version, and changes none, drops none and adds no item to a list or a map."""
    added, changed = [], []
    # How the name of the group is spelled is another belief.
    asked = {name: value for name, value in tried.source.request.items() if name != "ModelPackageGroupName"}
    compare("", tried.source.described, asked, added, changed)
    added = [name for name in added if name not in OF_EVERY_VERSION]
    if changed:
        return False, f"changed: {', '.join(sorted(changed))}"
    return True, f"added: {', '.join(sorted(added))}" if added else "it adds nothing"


def absent_version(tried):
    """Describe of a version that does not exist is a ValidationException that says `does not exist`."""
    arn = f"{tried.source.version_arn.rpartition('/')[0]}/99999"
    return refusal(tried.accounts.source.registry.describe_model_package, "does not exist", ModelPackageName=arn)


def taken_group_name(tried):
    """Creating a group whose name is taken is refused with `already exist`."""
    create = tried.accounts.source.registry.create_model_package_group
    return refusal(create, "already exist", ModelPackageGroupName=tried.accounts.source_group)


def client_token(tried):
    """Two requests with one client token create one version."""
    create, token = tried.accounts.source.registry.create_model_package, str(uuid.uuid4())
    request = tried.source.request | {"ModelApprovalStatus": "PendingManualApproval", "ClientToken": token}
    first, second = (create(**request)["ModelPackageArn"] for _ in range(2))
    return first == second, "one version" if first == second else f"two versions: {first} and {second}"


def version_numbers(tried):
    """The number of a deleted version is not used again."""
    registry = tried.accounts.source.registry
    request = tried.source.request | {"ModelApprovalStatus": "PendingManualApproval"}
    first = registry.create_model_package(**request)["ModelPackageArn"]
    seconds_until(time.monotonic(), lambda: describes(registry, first))
    registry.delete_model_package(ModelPackageName=first)
    second = registry.create_model_package(**request)["ModelPackageArn"]
    numbers = [int(arn.rpartition("/")[2]) for arn in (first, second)]
    return numbers[1] > numbers[0], f"{numbers[0]}, deleted, then {numbers[1]}"


def new_version_lag(tried):
    """A new version is shown within 5 s."""
    describe, listed = tried.source.seconds_to_describe, tried.source.seconds_to_list
    return max(describe, listed) <= LATEST, f"described after {describe:.1f} s, listed after {listed:.1f} s"


def update_lag(tried):
    """An update is shown within 5 s."""
    registry, value = tried.accounts.source.registry, secrets.token_hex(4)
    began = time.monotonic()
    change(registry, tried.source, CustomerMetadataProperties={"tried": value})
    metadata = lambda: described(registry, tried.source.version_arn)["CustomerMetadataProperties"]  # noqa: E731
    took = seconds_until(began, lambda: metadata().get("tried") == value)
    return took <= LATEST, f"after {took:.1f} s"


def merged_metadata(tried):
    """UpdateModelPackage merges customer metadata, and keeps what it does not name."""
    registry = tried.accounts.source.registry
    before = described(registry, tried.source.version_arn)
    change(registry, tried.source, CustomerMetadataProperties={"merged": "yes"})
    seconds_until(
        time.monotonic(),
        lambda: "merged" in described(registry, tried.source.version_arn)["CustomerMetadataProperties"],
    )
    after = described(registry, tried.source.version_arn)
    lost = sorted(before["CustomerMetadataProperties"].keys() - after["CustomerMetadataProperties"].keys())
    kept = before.get("ApprovalDescription") == after.get("ApprovalDescription")
    seen = f"metadata lost: {', '.join(lost) or 'none'}; the approval description is {'kept' if kept else 'lost'}"
    return not lost and kept, seen


def group_policy(tried):
    """A policy of the group lets the target account list and describe its versions, by ARN."""
    if not tried.accounts.are_two:
        return None, "needs two accounts"
    grant_group(tried.accounts)
    registry = tried.accounts.target.registry
    seconds_until(time.monotonic(), lambda: lists(registry, tried.source.group_arn, tried.source.version_arn), GRANTED)
    described(registry, tried.source.version_arn)
    return True, "listed and described"


def change(registry, source, **members):
    """Updates the source version."""
    registry.update_model_package(ModelPackageArn=source.version_arn, **members)


def compare(path, found, asked, added, changed):
    """Notes the members that only the answer has, and what is unlike in the request."""
    if isinstance(found, dict) and isinstance(asked, dict):
        for name in found.keys() | asked.keys():
            inner = f"{path}.{name}".lstrip(".")
            if name not in found or name not in asked and path.rpartition(".")[2] in MAPS:
                changed.append(inner)
            elif name not in asked:
                added.append(inner)
            else:
                compare(inner, found[name], asked[name], added, changed)
    elif isinstance(found, list) and isinstance(asked, list) and len(found) == len(asked):
        for pair in zip(found, asked, strict=True):
            compare(f"{path}[]", *pair, added, changed)
    elif found != asked:
        changed.append(path)
