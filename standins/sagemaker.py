"""Corrects moto's model registry where it answers unlike SageMaker, and lets it show what is new late.

Each function names what moto does.
"""

import copy
import os
import threading
import time
from contextlib import contextmanager

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse
from moto.sts.models import sts_backends

DESCRIBE_GROUP = SageMakerModelBackend.describe_model_package_group
CREATE_GROUP = SageMakerModelBackend.create_model_package_group
CREATE = SageMakerModelBackend.create_model_package
CREATE_REQUEST = SageMakerResponse.create_model_package
UPDATE = SageMakerModelBackend.update_model_package
DESCRIBE = SageMakerModelBackend.describe_model_package
LIST = SageMakerModelBackend.list_model_packages
KEPT = ("model_approval_status", "approval_description")

# For how long Describe and List do not show new versions, updates and deletions yet; and whether client tokens count.
LAG = float(os.environ.get("STANDINS_LAG", "0"))
TOKENS = os.environ.get("STANDINS_TOKENS", "1") == "1"
# moto serves each connection in a thread of its own, and its functions expect to be alone.
LOCK = threading.RLock()


def describe_group(backend, model_package_group_name):
    """By name or by ARN; moto knows groups by their name only. An ARN of another account is not the caller's group."""
    account, _, name = model_package_group_name.rpartition(":model-package-group/")
    if account and account.rpartition(":")[2] != backend.account_id:
        raise ValidationError(f"ModelPackageGroup {model_package_group_name} does not exist.")
    return DESCRIBE_GROUP(backend, name)


def create_group(backend, model_package_group_name, *rest, **members):
    """Refuses a name that is taken; moto makes a new group in its place. Refuses tags that AWS reserves."""
    tags = rest[1] if len(rest) > 1 else members.get("tags")
    if any(tag["Key"].lower().startswith("aws:") for tag in tags or []):
        raise ValidationError("aws: prefixed tag key names are not allowed for external use.")
    with LOCK:
        if model_package_group_name in backend.model_package_groups:
            raise ValidationError(f"Model Package Group already exists: {model_package_group_name}")
        return CREATE_GROUP(backend, model_package_group_name, *rest, **members)


def create_request(response):
    """Refuses a SourceUri beside an AdditionalS3DataSource, as AWS does; moto reads no SourceUri. Notes the principal;
    moto names the same user of a domain for every version."""
    specification = response._get_param("InferenceSpecification") or {}
    containers = specification.get("Containers", [])
    if response._get_param("SourceUri") and any("AdditionalS3DataSource" in container for container in containers):
        raise ValidationError("AdditionalS3DataSource is not supported with SourceUri.")
    with LOCK:
        before = set(response.sagemaker_backend.model_packages)
        created = CREATE_REQUEST(response)
        for arn in response.sagemaker_backend.model_packages.keys() - before:
            package = response.sagemaker_backend.model_packages[arn]
            package.created_by = package.last_modified_by = {"IamIdentity": {"Arn": caller(response)}}
        return created


def caller(response):
    """The ARN of the principal of a request."""
    backend = sts_backends[response.current_account][response.partition]
    return backend.get_caller_identity(response.get_access_key(), response.region)[1]


def create(backend, **members):
    """Creates one version for a client token, which moto does not read."""
    with LOCK:
        token = members["client_token"]
        for package in backend.model_packages.values() if TOKENS and token else ():
            if package.client_token == token:
                return package.arn
        arn = CREATE(backend, **members)
        package = backend.model_packages[arn]
        package.created, package.before, package.deleted = time.monotonic(), [], None
        return arn


def update(backend, **members):
    """Keeps what the request does not name, and merges the customer metadata; moto clears and replaces."""
    with LOCK:
        package = existing(backend, members["model_package_arn"])
        members |= {name: getattr(package, name) for name in KEPT if members[name] is None}
        before, given = package.customer_metadata_properties, members["customer_metadata_properties"]
        members["customer_metadata_properties"] = (before or {}) | (given or {})
        package.before.append((time.monotonic(), copy.deepcopy(package)))
        return UPDATE(backend, **members)


def delete(response):
    """Deletes a version, which moto cannot. It is kept, so that moto does not give its number out again."""
    with LOCK:
        package = existing(response.sagemaker_backend, response._get_param("ModelPackageName"))
        package.deleted = time.monotonic()
        return EmptyResult()


def delete_group(response):
    """Deletes an empty group, which moto cannot."""
    backend, name = response.sagemaker_backend, response._get_param("ModelPackageGroupName")
    with LOCK, shown(backend) as packages:
        if name not in backend.model_package_groups:
            raise ValidationError(f"ModelPackageGroup {name} does not exist.")
        if any(package.model_package_group_name == name for package in packages.values()):
            raise ValidationError(f"ModelPackageGroup {name} is not empty.")
        del backend.model_package_groups[name]
        return EmptyResult()


def put_group_policy(response):
    """Keeps the policy of a group, which moto cannot."""
    group = response.sagemaker_backend.model_package_groups[response._get_param("ModelPackageGroupName")]
    group.resource_policy = response._get_param("ResourcePolicy")
    return ActionResult({"ModelPackageGroupArn": group.arn})


def owner(backend, name, group):
    """The backend that answers for an ARN: another account's if the group has a policy that names the caller's."""
    account = name.split(":")[4] if name.startswith("arn:") else backend.account_id
    if account == backend.account_id:
        return backend
    theirs = sagemaker_backends[account][backend.region_name]
    groups = [found for name, found in theirs.model_package_groups.items() if name.lower() == group.lower()]
    policies = [getattr(found, "resource_policy", "") for found in groups]
    return theirs if any(f":{backend.account_id}:" in policy for policy in policies) else backend


def describe(backend, model_package_name):
    """Shows a version as it was; moto shows it as it is, and has another message for one that does not exist."""
    backend = owner(backend, model_package_name, model_package_name.split("/")[-2])
    with shown(backend) as packages:
        if backend.model_package_name_mapping.get(model_package_name, model_package_name) not in packages:
            raise absent(model_package_name)
        return DESCRIBE(backend, model_package_name)


def list_versions(backend, **members):
    """Shows versions as they were."""
    name = members["model_package_group_name"]
    backend = owner(backend, name, name.rpartition("/")[2])
    with shown(backend):
        return LIST(backend, **members)


def existing(backend, name):
    """The version that a request changes."""
    package = backend.model_packages.get(backend.model_package_name_mapping.get(name, name))
    if package is None or package.deleted is not None or package.created > time.monotonic() - LAG:
        raise absent(name)
    return package


def absent(name):
    """What Describe says of a version that does not exist."""
    return ValidationError(f"ModelPackage {name} does not exist.")


@contextmanager
def shown(backend):
    """In the block, the backend has the versions that Describe and List show now."""
    with LOCK:
        packages = backend.model_packages
        backend.model_packages = {arn: seen for arn, package in packages.items() if (seen := as_shown(package))}
        try:
            yield backend.model_packages
        finally:
            backend.model_packages = packages


def as_shown(package):
    """A version as it was the lag ago; nothing if it did not exist."""
    then = time.monotonic() - LAG
    if package.created > then or package.deleted is not None and package.deleted <= then:
        return None
    return next((before for changed, before in package.before if changed > then), package)


def correct():
    """Replaces moto's functions."""
    SageMakerModelBackend.describe_model_package_group = describe_group
    SageMakerModelBackend.create_model_package_group = create_group
    SageMakerModelBackend.create_model_package = create
    SageMakerModelBackend.update_model_package = update
    SageMakerModelBackend.describe_model_package = describe
    SageMakerModelBackend.list_model_packages = list_versions
    SageMakerResponse.create_model_package = create_request
    SageMakerResponse.delete_model_package = delete
    SageMakerResponse.delete_model_package_group = delete_group
    SageMakerResponse.put_model_package_group_policy = put_group_policy
