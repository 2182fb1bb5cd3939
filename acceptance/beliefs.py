"""What promote expects of AWS, each tried on AWS itself: confirmed, refuted, or not tested."""

import secrets
import time
import uuid
from dataclasses import dataclass

from botocore.exceptions import ClientError

from acceptance.model import Late, describes, grant_group, lists, seconds_until

CONFIRMED, REFUTED, NOT_TESTED = "confirmed", "refuted", "not tested"
# The tests of promote try delays of up to this many seconds.
LATEST = 5
# For how many seconds a new policy may have no effect yet.
GRANTED = 60
# What Describe answers of every version, and what promote itself writes.
OF_EVERY_VERSION = {
    *("ModelPackageArn", "ModelPackageVersion", "ModelPackageStatus", "ModelPackageStatusDetails"),
    *("CreationTime", "CreatedBy", "LastModifiedTime", "LastModifiedBy"),
    *("ApprovalDescription", "CertifyForMarketplace", "ResponseMetadata"),
}


@dataclass
class Belief:
    """One expectation, what was seen, and whether they agree."""

    name: str
    what: str
    verdict: str
    seen: str


def beliefs(accounts, source, promotion):
    """All beliefs, one after the other. What AWS does not allow here is not tested."""
    for belief in BELIEFS:
        name, what = belief.__name__.replace("_", "-"), belief.__doc__.rstrip(".")
        try:
            agrees, seen = belief(accounts, source, promotion)
            verdict = NOT_TESTED if agrees is None else CONFIRMED if agrees else REFUTED
        except Late as error:
            verdict, seen = REFUTED, str(error)
        except ClientError as error:
            verdict, seen = NOT_TESTED, str(error)
        yield Belief(name, what, verdict, seen)


def spelling(accounts, source, _):
    """ARNs of a group with capitals differ from its name in capitals only."""
    registry, group = accounts.source.registry, accounts.source_group
    listed = registry.list_model_packages(ModelPackageGroupName=group, ModelPackageType="Versioned")
    spelled = {
        "CreateModelPackageGroup": source.group_arn.rpartition("/")[2],
        "CreateModelPackage": source.version_arn.split("/")[-2],
        "ListModelPackages": listed["ModelPackageSummaryList"][0]["ModelPackageArn"].split("/")[-2],
        "DescribeModelPackage": described(registry, source.version_arn)["ModelPackageArn"].split("/")[-2],
    }
    lower = [call for call, name in spelled.items() if name == group.lower()]
    seen = f"in lower case from {', '.join(lower)}" if lower else "as it was created, from every call"
    return all(name.lower() == group.lower() for name in spelled.values()), seen


def lower_case_names(accounts, source, _):
    """Describe finds a version by its ARN in lower case."""
    prefix, _, name = source.version_arn.partition("model-package/")
    try:
        described(accounts.source.registry, f"{prefix}model-package/{name.lower()}")
    except ClientError as error:
        return False, str(error)
    return True, "found"


def added_members(accounts, source, promotion):
    """What SageMaker adds to the members of a request stops no promotion."""
    added = []
    compare("", promotion.described(), source.request, added)
    added = [name for name in added if name not in OF_EVERY_VERSION and ".promote:" not in name]
    return True, ", ".join(sorted(added)) or "it adds nothing"


def absent_version(accounts, source, _):
    """Describe of a version that does not exist is a ValidationException that says `does not exist`."""
    arn = f"{source.version_arn.rpartition('/')[0]}/99999"
    return refusal(accounts.source.registry.describe_model_package, "does not exist", ModelPackageName=arn)


def taken_group_name(accounts, *_):
    """Creating a group whose name is taken is refused with `already exist`."""
    create = accounts.source.registry.create_model_package_group
    return refusal(create, "already exist", ModelPackageGroupName=accounts.source_group)


def client_token(accounts, source, _):
    """Two requests with one client token create one version."""
    create, token = accounts.source.registry.create_model_package, str(uuid.uuid4())
    request = source.request | {"ModelApprovalStatus": "PendingManualApproval", "ClientToken": token}
    first, second = (create(**request)["ModelPackageArn"] for _ in range(2))
    return first == second, "one version" if first == second else f"two versions: {first} and {second}"


def version_numbers(accounts, source, _):
    """The number of a deleted version is not used again."""
    registry = accounts.source.registry
    request = source.request | {"ModelApprovalStatus": "PendingManualApproval"}
    first = registry.create_model_package(**request)["ModelPackageArn"]
    seconds_until(time.monotonic(), lambda: describes(registry, first))
    registry.delete_model_package(ModelPackageName=first)
    second = registry.create_model_package(**request)["ModelPackageArn"]
    numbers = [int(arn.rpartition("/")[2]) for arn in (first, second)]
    return numbers[1] > numbers[0], f"{numbers[0]}, deleted, then {numbers[1]}"


def new_version_lag(_, source, __):
    """A new version is shown within 5 s."""
    seen = f"described after {source.seconds_to_describe:.1f} s, listed after {source.seconds_to_list:.1f} s"
    return max(source.seconds_to_describe, source.seconds_to_list) <= LATEST, seen


def update_lag(accounts, source, _):
    """An update is shown within 5 s."""
    registry, value = accounts.source.registry, secrets.token_hex(4)
    began = time.monotonic()
    change(registry, source, CustomerMetadataProperties={"tried": value})
    metadata = lambda: described(registry, source.version_arn)["CustomerMetadataProperties"]  # noqa: E731
    took = seconds_until(began, lambda: metadata().get("tried") == value)
    return took <= LATEST, f"after {took:.1f} s"


def merged_metadata(accounts, source, _):
    """UpdateModelPackage merges customer metadata, and keeps what it does not name."""
    registry = accounts.source.registry
    before = described(registry, source.version_arn)
    change(registry, source, CustomerMetadataProperties={"merged": "yes"})
    seconds_until(
        time.monotonic(),
        lambda: "merged" in described(registry, source.version_arn)["CustomerMetadataProperties"],
    )
    after = described(registry, source.version_arn)
    lost = sorted(before["CustomerMetadataProperties"].keys() - after["CustomerMetadataProperties"].keys())
    kept = before.get("ApprovalDescription") == after.get("ApprovalDescription")
    seen = f"metadata lost: {', '.join(lost) or 'none'}; the approval description is {'kept' if kept else 'lost'}"
    return not lost and kept, seen


def group_policy(accounts, source, _):
    """A policy of the group lets the target account list and describe its versions, by ARN."""
    if not accounts.are_two:
        return None, "needs two accounts"
    grant_group(accounts)
    registry = accounts.target.registry
    seconds_until(time.monotonic(), lambda: lists(registry, source.group_arn, source.version_arn), GRANTED)
    described(registry, source.version_arn)
    return True, "listed and described"


def conditional_put(accounts, *_):
    """PutObject with If-None-Match does not overwrite."""
    where = {"Bucket": accounts.target_bucket, "Key": "belief/put"}
    accounts.target.s3.put_object(**where, Body=b"1")
    return refusal(accounts.target.s3.put_object, "PreconditionFailed", **where, Body=b"2", IfNoneMatch="*")


def conditional_copy(accounts, *_):
    """CopyObject with If-None-Match does not overwrite."""
    s3, bucket = accounts.target.s3, accounts.target_bucket
    s3.put_object(Bucket=bucket, Key="belief/copy", Body=b"1")
    source = {"Bucket": bucket, "Key": "belief/copy-source"}
    s3.put_object(**source, Body=b"2")
    where = {"Bucket": bucket, "Key": "belief/copy", "CopySource": source}
    return refusal(s3.copy_object, "PreconditionFailed", **where, IfNoneMatch="*")


def conditional_completion(accounts, *_):
    """CompleteMultipartUpload with If-None-Match does not overwrite."""
    s3, where = accounts.target.s3, {"Bucket": accounts.target_bucket, "Key": "belief/parts"}
    s3.put_object(**where, Body=b"1")
    upload = where | {"UploadId": s3.create_multipart_upload(**where)["UploadId"]}
    try:
        part = {"PartNumber": 1, "ETag": s3.upload_part(**upload, PartNumber=1, Body=b"2")["ETag"]}
        parts = {"Parts": [part]}
        complete = s3.complete_multipart_upload
        return refusal(complete, "PreconditionFailed", **upload, MultipartUpload=parts, IfNoneMatch="*")
    finally:
        try:
            s3.abort_multipart_upload(**upload)
        except ClientError:
            pass  # It was completed, so nothing is open.


def copied_checksum(accounts, *_):
    """A copy has the ETag and a full-object checksum of its source."""
    s3, bucket = accounts.target.s3, accounts.target_bucket
    body = secrets.token_bytes(2048)
    put = s3.put_object(Bucket=bucket, Key="belief/checksum", Body=body, ChecksumAlgorithm="CRC64NVME")
    source = {"Bucket": bucket, "Key": "belief/checksum"}
    s3.copy_object(Bucket=bucket, Key="belief/checksum-copy", CopySource=source)
    head = s3.head_object(Bucket=bucket, Key="belief/checksum-copy", ChecksumMode="ENABLED")
    same = head["ETag"] == put["ETag"], head.get("ChecksumCRC64NVME") == put.get("ChecksumCRC64NVME")
    return all(same), f"ETag {'equal' if same[0] else 'differs'}, CRC64NVME {'equal' if same[1] else 'differs'}"


def bucket_owner(accounts, *_):
    """A request that expects another owner of the bucket is denied."""
    where = {"Bucket": accounts.target_bucket}
    accounts.target.s3.list_objects_v2(**where, ExpectedBucketOwner=accounts.target.account)
    where["ExpectedBucketOwner"] = "000000000000"
    return refusal(accounts.target.s3.list_objects_v2, "AccessDenied", **where)


BELIEFS = (
    spelling,
    lower_case_names,
    added_members,
    absent_version,
    taken_group_name,
    client_token,
    version_numbers,
    new_version_lag,
    update_lag,
    merged_metadata,
    group_policy,
    conditional_put,
    conditional_copy,
    conditional_completion,
    copied_checksum,
    bucket_owner,
)


def described(registry, arn):
    """A version."""
    return registry.describe_model_package(ModelPackageName=arn)


def change(registry, source, **members):
    """Updates the source version."""
    registry.update_model_package(ModelPackageArn=source.version_arn, **members)


def refusal(call, words, **members):
    """Whether AWS refuses a call with these words, and what it answers."""
    try:
        call(**members)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # A permission that is missing tells nothing.
        if code.startswith("AccessDenied") and words != code:
            raise
        return words in str(error) or words == code, str(error)
    return False, "the call succeeded"


def compare(path, found, asked, added):
    """Notes the members that the answer has and the request has not."""
    if isinstance(found, dict) and isinstance(asked, dict):
        for name, value in found.items():
            inner = f"{path}.{name}".lstrip(".")
            if name not in asked:
                added.append(inner)
            else:
                compare(inner, value, asked[name], added)
    elif isinstance(found, list) and isinstance(asked, list):
        for pair in zip(found, asked, strict=False):
            compare(f"{path}[]", *pair, added)
