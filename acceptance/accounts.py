"""The two accounts, or one account in both roles, and the removal of everything that a run creates in them."""

import secrets
import time
from functools import cached_property

import boto3
from botocore.exceptions import BotoCoreError, ClientError

PREFIX = "promote-acceptance-"
# Deleting the versions of a group takes effect with a delay.
PATIENCE = 60


class Refused(Exception):
    """The run cannot begin."""


class Account:
    """The clients of one account."""

    def __init__(self, profile, region):
        try:
            self.session = boto3.Session(profile_name=profile, region_name=region)
            self.region = self.session.region_name
            if not self.region:
                raise Refused("no region: pass --region")
            self.caller = self.session.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise Refused(f"profile {profile or 'default'}: {error}") from error
        self.account, self.partition = self.caller["Account"], self.caller["Arn"].split(":")[1]

    @cached_property
    def s3(self):
        """Amazon S3."""
        return self.session.client("s3")

    @cached_property
    def registry(self):
        """SageMaker."""
        return self.session.client("sagemaker")


class Accounts:
    """Both accounts, and the names of what is created in them."""

    def __init__(self, options):
        self.source_profile, self.target_profile = options.source_profile, options.target_profile
        self.source = Account(options.source_profile, options.region)
        self.region = self.source.region
        self.target = Account(options.target_profile, self.region)
        name = options.remove or f"{PREFIX}{time.strftime('%m%d%H%M')}-{secrets.token_hex(3)}"
        if not name.startswith(PREFIX):
            raise Refused(f"{name} is not the name of a run: it begins with {PREFIX}")
        self.name = name
        self.source_bucket, self.target_bucket = f"{name}-source", f"{name}-target"
        # A name with capitals: SageMaker spells it in more than one way.
        self.source_group, self.target_group = f"{name}-Source", f"{name}-Target"

    @property
    def repository_prefix(self):
        """The beginning of the names of repositories that are created for images."""
        return f"{self.name}/"

    @property
    def are_two(self):
        """Whether the source and the target are different accounts."""
        return self.source.account != self.target.account

    def remove(self):
        """Removes everything with the name of this run, and returns what is left, each with the reason."""
        left = []
        for remove, account, name, what in (
            # What may still write into the others goes first.
            (remove_stack, self.target, self.name, "stack"),
            (remove_group, self.target, self.target_group, "group"),
            (remove_bucket, self.target, self.target_bucket, "bucket"),
            (remove_repositories, self.target, self.repository_prefix, "repositories"),
            (remove_group, self.source, self.source_group, "group"),
            (remove_bucket, self.source, self.source_bucket, "bucket"),
        ):
            try:
                remove(account, name)
            except (BotoCoreError, ClientError) as error:
                left.append(f"{what} {name} in account {account.account}: {error}")
        return left


def remove_stack(account, name):
    """Deletes the stack, if there is one."""
    cloudformation = account.session.client("cloudformation")
    try:
        cloudformation.describe_stacks(StackName=name)
    except ClientError as error:
        # Who may not even describe a stack has created none.
        if error.response["Error"]["Code"] in ("ValidationError", "AccessDenied"):
            return
        raise
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 5})


def remove_group(account, name):
    """Deletes the versions of a group, its policy and the group itself, if there is one."""
    registry, deadline = account.registry, time.monotonic() + PATIENCE
    while True:
        try:
            pages = registry.get_paginator("list_model_packages").paginate(
                ModelPackageGroupName=name, ModelPackageType="Versioned"
            )
            for version in [version for page in pages for version in page["ModelPackageSummaryList"]]:
                registry.delete_model_package(ModelPackageName=version["ModelPackageArn"])
            registry.delete_model_package_group(ModelPackageGroupName=name)
            return
        except ClientError as error:
            if "does not exist" in str(error) and not has_group(registry, name):
                return
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def has_group(registry, name):
    """Whether there is a group of this name."""
    try:
        registry.describe_model_package_group(ModelPackageGroupName=name)
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return True


def remove_bucket(account, name):
    """Deletes a bucket with all its objects, and aborts its uploads, if there is one."""
    s3 = account.s3
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for item in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=name, Key=item["Key"], VersionId=item["VersionId"])
        for upload in s3.list_multipart_uploads(Bucket=name).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
        s3.delete_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchBucket", "404"):
            raise


def remove_repositories(account, prefix):
    """Deletes the repositories whose names begin with the prefix, with their images."""
    ecr = account.session.client("ecr")
    try:
        pages = ecr.get_paginator("describe_repositories").paginate()
        names = [repository["repositoryName"] for page in pages for repository in page["repositories"]]
    except ClientError as error:
        # Who may not even list repositories has created none.
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return
        raise
    for name in names:
        if name.startswith(prefix):
            ecr.delete_repository(repositoryName=name, force=True)
