"""A source account as data scientists leave it: a group of four versions, of which the third is the latest approved."""

import hashlib
import random
from dataclasses import dataclass

from standins.principals import REGION, SOURCE_ACCOUNT

GROUP = "Churn-Model"
GROUP_ARN = f"arn:aws:sagemaker:{REGION}:{SOURCE_ACCOUNT}:model-package-group/{GROUP}"
IMAGE = f"{SOURCE_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/churn-inference:2.3.1"
MIB = 1 << 20


@dataclass(frozen=True)
class Churn:
    """The approved version and the objects that it refers to, as (bucket, key)."""

    group_arn: str
    package_arn: str
    objects: tuple[tuple[str, str], ...]


def seed_churn(aws):
    """Fills the source account and returns what a promotion should bring to the target."""
    sagemaker = aws.client("sagemaker", "source")
    sagemaker.create_model_package_group(
        ModelPackageGroupName=GROUP,
        ModelPackageGroupDescription="Who is about to leave, from a year of usage",
        Tags=[{"Key": "team", "Value": "retention"}, {"Key": "cost-center", "Value": "4711"}],
    )
    objects = {}
    packages = [
        register(sagemaker, trained(aws, day, size, objects), status, remark)
        for day, size, status, remark in (
            ("2026-09-01", MIB, "Approved", "First version that beats the rules"),
            ("2026-10-05", MIB, "Rejected", "Too many false alarms"),
            ("2026-11-02", 64 * MIB, "Approved", "AUC 0.91 on holdout, approved by M. Weber"),
            ("2026-11-20", MIB, "PendingManualApproval", None),
        )
    ]
    approved = tuple(name for name, day in objects.items() if day == "2026-11-02")
    return Churn(GROUP_ARN, packages[2], approved)


def layers():
    """The layers of the image: a base and what serves the model."""
    noise = random.Random("churn-inference")
    return [noise.randbytes(size) for size in (22 * MIB, 3 * MIB, 4096)]


def trained(aws, day, size, objects):
    """Puts one training run's artifacts, notes them in `objects`, and returns the members that describe them."""
    s3, noise = aws.client("s3", "source"), random.Random(day)

    def put(bucket, name, body, content_type, **headers):
        key = f"churn/{day}/{name}"
        headers = {"ContentType": content_type, "ChecksumAlgorithm": "CRC64NVME", **headers}
        s3.put_object(Bucket=bucket, Key=key, Body=body, **headers)
        objects[bucket, key] = day
        return f"s3://{bucket}/{key}"

    metrics = b'{"binary_classification_metrics": {"auc": {"value": 0.91, "standard_deviation": 0.004}}}\n'
    weights = noise.randbytes(size)
    model = put("source-models", "model.tar.gz", weights, "application/gzip", Metadata={"trained-on": day})
    code = put("source-models", "sourcedir.tar.gz", noise.randbytes(4096), "application/gzip")
    for number in range(10):
        put("source-models", f"embeddings/shard-{number:02}.bin", noise.randbytes(MIB // 4), "application/octet-stream")
    put("source-models", "embeddings/index/vocabulary.txt", b"stay\nleave\n", "text/plain; charset=utf-8")
    put("source-models", "embeddings/index/config.json", b'{"dimensions": 128}\n', "application/json")
    quality = put("source-metrics", "metrics.json", metrics, "application/json", CacheControl="max-age=3600")
    return {
        "ModelPackageDescription": f"Churn model trained on {day}",
        "Domain": "MACHINE_LEARNING",
        "Task": "CLASSIFICATION",
        "InferenceSpecification": {
            "Containers": [
                {
                    "ContainerHostname": "classifier",
                    "Image": IMAGE,
                    "ModelDataUrl": model,
                    "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": code},
                },
                {
                    "ContainerHostname": "embeddings",
                    "Image": IMAGE,
                    "ModelDataSource": {
                        "S3DataSource": {
                            "S3Uri": f"s3://source-models/churn/{day}/embeddings/",
                            "S3DataType": "S3Prefix",
                            "CompressionType": "None",
                        }
                    },
                },
            ],
            "SupportedTransformInstanceTypes": ["ml.m5.xlarge"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large", "ml.m5.xlarge"],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json",
                    "ContentDigest": f"sha256:{hashlib.sha256(metrics).hexdigest()}",
                    "S3Uri": quality,
                }
            }
        },
        # The same object again: it is copied once.
        "DriftCheckBaselines": {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": quality}}},
        "MetadataProperties": {"CommitId": hashlib.sha1(day.encode()).hexdigest(), "GeneratedBy": "training-pipeline"},
        "CustomerMetadataProperties": {"team": "retention", "training-day": day},
    }


def register(sagemaker, members, status, remark, group=GROUP):
    """Registers a version and gives it its status; as on AWS, only an update can carry the remark."""
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group, ModelApprovalStatus="PendingManualApproval", **members
    )["ModelPackageArn"]
    if status != "PendingManualApproval":
        sagemaker.update_model_package(
            ModelPackageArn=package,
            ModelApprovalStatus=status,
            ApprovalDescription=remark,
        )
    return package
