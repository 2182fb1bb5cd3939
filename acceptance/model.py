"""The model that is promoted: a few kilobytes, in a bucket and a group of the source account."""

import json
import secrets
import time
from dataclasses import dataclass

from acceptance.accounts import Refused
from acceptance.answers import described, describes, lists, seconds_until

# AWS's scikit-learn images. The accounts are those of the registry paths in the SageMaker documentation.
SCIKIT_LEARN = {
    "ap-northeast-1": "354813040037",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ca-central-1": "341280168497",
    "eu-central-1": "492215442770",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
IMAGES = {
    region: f"{account}.dkr.ecr.{region}.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    for region, account in SCIKIT_LEARN.items()
}


@dataclass
class Source:
    """The source version, its objects, and how SageMaker answered when it was created."""

    group_arn: str
    version_arn: str
    request: dict
    # What Describe answered when the version was completed.
    described: dict
    objects: dict[str, bytes]
    seconds_to_describe: float
    seconds_to_list: float

    @classmethod
    def create(cls, accounts, image):
        """Creates the buckets, the group and one approved version."""
        if image is None:
            raise Refused(f"no image of AWS is known for {accounts.region}: pass --image")
        create_bucket(accounts.source, accounts.source_bucket)
        create_bucket(accounts.target, accounts.target_bucket)
        if accounts.are_two:
            grant(accounts)
        objects = {
            "model.tar.gz": secrets.token_bytes(4096),
            "weights/shard-0.bin": secrets.token_bytes(1024),
            "weights/config.json": b'{"layers": 2}\n',
            "metrics.json": b'{"auc": 0.91}\n',
        }
        for key, body in objects.items():
            accounts.source.s3.put_object(Bucket=accounts.source_bucket, Key=key, Body=body)
        registry = accounts.source.registry
        group = registry.create_model_package_group(ModelPackageGroupName=accounts.source_group)
        request = members(accounts, image)
        began = time.monotonic()
        arn = registry.create_model_package(**request)["ModelPackageArn"]
        seconds_to_describe = seconds_until(began, lambda: describes(registry, arn))
        seconds_to_list = seconds_until(began, lambda: lists(registry, accounts.source_group, arn))
        seconds = seconds_to_describe, seconds_to_list
        return cls(group["ModelPackageGroupArn"], arn, request, described(registry, arn), objects, *seconds)


def members(accounts, image):
    """The request that registers the version."""
    bucket = f"s3://{accounts.source_bucket}"
    weights = {"S3Uri": f"{bucket}/weights/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    return {
        "ModelPackageGroupName": accounts.source_group,
        "ModelPackageDescription": "A model that was made to try a promotion",
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {
            "Containers": [
                {"Image": image, "ModelDataUrl": f"{bucket}/model.tar.gz", "Environment": {"MODE": "acceptance"}},
                {"Image": image, "ModelDataSource": {"S3DataSource": weights}},
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"{bucket}/metrics.json"}}
        },
        "CustomerMetadataProperties": {"team": "acceptance", "stage": "first"},
    }


def create_bucket(account, name):
    """A bucket in the account's region. us-east-1 does not take its own name."""
    where = {} if account.region == "us-east-1" else {"LocationConstraint": account.region}
    account.s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))


def grant(accounts):
    """Lets the target account read the source bucket."""
    partition = accounts.source.partition
    reader = {"AWS": f"arn:{partition}:iam::{accounts.target.account}:root"}

    def statement(actions, *resources):
        return {"Effect": "Allow", "Principal": reader, "Action": actions, "Resource": list(resources)}

    bucket = f"arn:{partition}:s3:::{accounts.source_bucket}"
    policy = [statement(["s3:ListBucket"], bucket), statement(["s3:GetObject"], f"{bucket}/*")]
    accounts.source.s3.put_bucket_policy(Bucket=accounts.source_bucket, Policy=document(policy))


def grant_group(accounts):
    """Lets the target account read the source group, and returns its policy."""
    source = accounts.source
    resource = f"arn:{source.partition}:sagemaker:{accounts.region}:{source.account}"
    policy = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{source.partition}:iam::{accounts.target.account}:root"},
            "Action": [
                "sagemaker:DescribeModelPackageGroup",
                "sagemaker:DescribeModelPackage",
                "sagemaker:ListModelPackages",
            ],
            "Resource": [
                f"{resource}:model-package-group/{accounts.source_group}",
                f"{resource}:model-package/{accounts.source_group}/*",
                f"{resource}:model-package/{accounts.source_group.lower()}/*",
            ],
        }
    ]
    source.registry.put_model_package_group_policy(
        ModelPackageGroupName=accounts.source_group, ResourcePolicy=document(policy)
    )


def document(statements):
    """A policy of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
