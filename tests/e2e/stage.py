"""What tests do: fill a source group, run the program, look at both accounts."""

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError
from jsonschema import Draft202012Validator

from standins.churn import IMAGE, register
from standins.principals import REGION, SOURCE_ACCOUNT, TARGET_BUCKET

SCHEMA = Draft202012Validator(json.loads((Path(__file__).parents[2] / "docs/record.schema.json").read_text()))
PROMOTE = Path(os.environ.get("PROMOTE_BIN", "target/debug/promote")).resolve()
# The account's own principal on each side; or one of the target that may read the source's buckets.
TWO_PRINCIPALS = ("--source-profile", "source", "--target-profile", "target")
ONE_PRINCIPAL = ("--source-profile", "source", "--target-profile", "pipeline")


@dataclass(frozen=True)
class Run:
    """How a run of the program ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self):
        """The JSON document on stdout, which holds nothing else, and nothing that its schema does not know."""
        assert self.stdout, f"exit code {self.code} and no document: {self.stderr}"
        return valid(json.loads(self.stdout))

    @property
    def failure(self):
        """The document of a run that failed."""
        document = json.loads(self.stdout)
        FAILURE.validate(document)
        return document


FAILURE = Draft202012Validator(json.loads((Path(__file__).parents[2] / "docs/failure.schema.json").read_text()))


def valid(document):
    """The document, which follows the schema that the repository publishes."""
    SCHEMA.validate(document)
    return document


class Stage:
    """One source group, and the accounts it can be promoted between."""

    def __init__(self, aws, group, target_group=None):
        self.aws, self.group, self.target_group = aws, group, target_group or group
        self.group_arn = f"arn:aws:sagemaker:{REGION}:{SOURCE_ACCOUNT}:model-package-group/{group}"
        self.source_s3, self.source_registry = aws.client("s3", "source"), aws.client("sagemaker", "source")
        self.target_s3, self.target_registry = aws.client("s3", "target"), aws.client("sagemaker", "target")

    def put(self, name, body, bucket="source-models", **headers):
        """Puts an object of this group into a source bucket, and returns its URI."""
        key = f"{self.group}/{name}"
        self.source_s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumAlgorithm="CRC64NVME", **headers)
        return f"s3://{bucket}/{key}"

    def put_all(self, bodies):
        """Puts many, by name."""
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda item: self.put(*item), bodies.items()))

    def register(self, *containers, status="Approved", **members):
        """Registers a version of the group with these containers, and returns its ARN."""
        inference = {
            "Containers": [{"Image": IMAGE, **container} for container in containers],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        members = {"InferenceSpecification": inference, **members}
        return register(self.source_registry, members, status, "Good enough", group=self.group)

    def register_prefix(self):
        """Registers a version that refers to all that was put below `model/`."""
        source = {"S3Uri": self.uri("model/"), "S3DataType": "S3Prefix", "CompressionType": "None"}
        return self.register({"ModelDataSource": {"S3DataSource": source}})

    def uri(self, name, bucket="source-models"):
        """Where `put` puts it."""
        return f"s3://{bucket}/{self.group}/{name}"

    def run(self, *arguments, stdin=None, environment=None):
        """Runs the program to its end."""
        running = self.start(*arguments, stdin=subprocess.PIPE, environment=environment)
        stdout, stderr = running.communicate(stdin, timeout=120)
        # Long messages are folded.
        return Run(running.returncode, stdout, re.sub(r"\n {6,}(?=\S)", " ", stderr))

    def start(self, *arguments, stdin=subprocess.DEVNULL, environment=None):
        """Starts the program."""
        environment = environment or self.aws.environment()
        pipe, command = subprocess.PIPE, [PROMOTE, *arguments]
        return subprocess.Popen(command, env=environment, stdin=stdin, stdout=pipe, stderr=pipe, text=True)

    def full_command(self, *arguments, principals=ONE_PRINCIPAL, output="json"):
        """`promote full` of this group, unless told otherwise with its document as JSON."""
        target = ("--target-bucket", TARGET_BUCKET, "--target-group", self.target_group)
        return ("full", "--group", self.group_arn, *principals, *target, "--output", output, *arguments)

    def full(self, *arguments, principals=ONE_PRINCIPAL, environment=None):
        """Runs it; the records that lie beside the artifacts then follow their schema as well."""
        run = self.run(*self.full_command(*arguments, principals=principals), environment=environment)
        self.records()
        return run

    def records(self):
        """Every record of this group in the target bucket, by its key."""
        keys = [key for key in self.copies() if key.rpartition("/")[2].startswith("promotion") and key.endswith(".json")]
        return {key: valid(json.load(self.read(f"s3://{TARGET_BUCKET}/{key}")["Body"])) for key in sorted(keys)}

    def decide(self, package, status, remark):
        """Approves or rejects a version of the source."""
        self.source_registry.update_model_package(
            ModelPackageArn=package, ModelApprovalStatus=status, ApprovalDescription=remark
        )

    def promote(self, *arguments, **settings):
        """Runs it, expecting the promotion, and returns its document."""
        run = self.full(*arguments, **settings)
        assert (run.code, run.document["outcome"]) == (0, "promoted"), run.stderr
        return run.document

    def versions(self):
        """All versions of the target's group as described there, the first one first."""
        list_packages = self.target_registry.get_paginator("list_model_packages")
        pages = list_packages.paginate(ModelPackageGroupName=self.target_group)
        found = [found for page in pages for found in page["ModelPackageSummaryList"]]
        arns = sorted((one["ModelPackageVersion"], one["ModelPackageArn"]) for one in found)
        return [self.target_registry.describe_model_package(ModelPackageName=arn) for _, arn in arns]

    def approved(self):
        """The versions of the target that may be deployed."""
        return [version for version in self.versions() if version["ModelApprovalStatus"] == "Approved"]

    def model_urls(self):
        """The ModelDataUrl of each container of the target's only version."""
        (version,) = self.versions()
        return [container["ModelDataUrl"] for container in version["InferenceSpecification"]["Containers"]]

    def bodies(self, uris):
        """The bytes at each URI."""
        return [self.read(uri)["Body"].read() for uri in uris]

    def group_exists(self):
        """Whether the target has the group."""
        try:
            self.target_registry.describe_model_package_group(ModelPackageGroupName=self.target_group)
        except ClientError:
            return False
        return True

    def copies(self):
        """ETag by key of all that the target bucket holds of this group, unfinished uploads included."""
        ours = {"Bucket": TARGET_BUCKET, "Prefix": f"{self.target_group.lower()}/"}
        pages = self.target_s3.get_paginator("list_objects_v2").paginate(**ours)
        found = {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", [])}
        unfinished = self.target_s3.list_multipart_uploads(**ours).get("Uploads", [])
        return found | {upload["Key"]: f"unfinished {upload['UploadId']}" for upload in unfinished}

    def has_copies(self, document):
        """Whether the target bucket lists every artifact of the document."""
        here = f"s3://{TARGET_BUCKET}/"
        return {artifact["target"].removeprefix(here) for artifact in document["artifacts"]} <= self.copies().keys()

    def read(self, uri):
        """The object at a URI, as its own account sees it."""
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        s3 = self.target_s3 if bucket == TARGET_BUCKET else self.source_s3
        return s3.get_object(Bucket=bucket, Key=key)

    def assert_same_bytes(self, document):
        """Every artifact of the document is at its target with the source's bytes."""

        def compare(artifact):
            body = self.read(artifact["target"])["Body"].read()
            assert body == self.read(artifact["source"])["Body"].read(), artifact
            assert len(body) == artifact["bytes"], artifact

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(compare, document["artifacts"]))


def headers(answer):
    """What travels with an object, but for what the program adds and a server adds by mistake."""
    names = ("ContentType", "CacheControl", "ContentDisposition", "ContentLanguage")
    metadata = {name: value for name, value in answer["Metadata"].items() if not name.startswith("promote-")}
    # Unlike S3, SeaweedFS keeps the framing of an upload in Content-Encoding.
    encodings = [name for name in answer.get("ContentEncoding", "").split(",") if name not in ("", "aws-chunked")]
    return {name: answer.get(name) for name in names} | {"Metadata": metadata, "ContentEncoding": encodings}
