"""Corrects moto's model registry where it answers unlike SageMaker. Each function names what moto does."""

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend

DESCRIBE_GROUP = SageMakerModelBackend.describe_model_package_group
CREATE_GROUP = SageMakerModelBackend.create_model_package_group
UPDATE = SageMakerModelBackend.update_model_package
KEPT = ("model_approval_status", "approval_description")


def describe_group(backend, model_package_group_name):
    """By name or by ARN; moto knows groups by their name only. An ARN of another account is not the caller's group."""
    account, _, name = model_package_group_name.rpartition(":model-package-group/")
    if account and account.rpartition(":")[2] != backend.account_id:
        raise ValidationError(f"ModelPackageGroup {model_package_group_name} does not exist.")
    return DESCRIBE_GROUP(backend, name)


def create_group(backend, model_package_group_name, *rest, **members):
    """Refuses a name that is taken; moto makes a new group in its place."""
    if model_package_group_name in backend.model_package_groups:
        raise ValidationError(f"Model Package Group already exists: {model_package_group_name}")
    return CREATE_GROUP(backend, model_package_group_name, *rest, **members)


def update(backend, **members):
    """Keeps what the request does not name, and merges the customer metadata; moto clears and replaces."""
    arn = members["model_package_arn"]
    if package := backend.model_packages.get(backend.model_package_name_mapping.get(arn, arn)):
        members |= {name: getattr(package, name) for name in KEPT if members[name] is None}
        before, given = package.customer_metadata_properties, members["customer_metadata_properties"]
        members["customer_metadata_properties"] = (before or {}) | (given or {})
    return UPDATE(backend, **members)


def correct():
    """Replaces moto's functions."""
    SageMakerModelBackend.describe_model_package_group = describe_group
    SageMakerModelBackend.create_model_package_group = create_group
    SageMakerModelBackend.update_model_package = update
