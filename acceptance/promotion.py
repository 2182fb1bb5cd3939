"""The life of a promoted version, with the built binary: promoted, repeated, rejected, approved again, changed."""

import hashlib
import json
import os
import subprocess

from botocore.exceptions import ClientError

from acceptance.accounts import has_group


# Without them, ECR may convert a manifest.
MANIFESTS = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]


class Failed(Exception):
    """A step that did not end as it should."""


class Promotion:
    """The steps, in their order. Each is described by its first line."""

    def __init__(self, accounts, source, binary):
        self.accounts, self.source, self.binary = accounts, source, binary
        self.registry, self.s3 = accounts.target.registry, accounts.target.s3
        self.arn = None

    def steps(self):
        """All steps."""
        return (
            self.plan,
            self.promote,
            self.compare_fields,
            self.compare_bytes,
            self.verify,
            self.repeat,
            self.withdraw,
            self.approve_again,
            self.follow,
            self.verify,
        )

    def plan(self):
        """A dry run plans 4 objects and writes nothing."""
        planned = self.full("--dry-run")
        expect(planned["outcome"] == "planned", f"the outcome is {planned['outcome']}, not planned")
        expect(len(planned["artifacts"]) == len(self.source.objects), "every object is planned")
        expect(not has_group(self.registry, self.accounts.target_group), "the target group does not exist")

    def promote(self):
        """`promote full` registers the version, approved."""
        done = self.full()
        expect(done["outcome"] == "promoted", f"the outcome is {done['outcome']}, not promoted")
        self.arn = done["target"]["model_package_arn"]
        self.expect_approval("Approved")

    def compare_fields(self):
        """Every field is that of the source, with references into the target bucket."""
        target, request = self.described(), self.source.request
        for member in ("ModelPackageDescription", "InferenceSpecification", "ModelMetrics"):
            expected = json.dumps(request[member])
            found = json.dumps(reduced(target.get(member), request[member]))
            for image, copy in self.copied_images():
                found = found.replace(f'"{copy}"', f'"{image}"')
            for url in sorted(set(references(target.get(member))), key=len, reverse=True):
                inner = url.partition(f"/{self.accounts.source_bucket}/")[2]
                expect(url.startswith(f"s3://{self.accounts.target_bucket}/"), f"{url} is in the target bucket")
                found = found.replace(f'"{url}"', f'"s3://{self.accounts.source_bucket}/{inner}"')
            expect(found == expected, f"{member} is {found}, not {expected}")
        metadata = target["CustomerMetadataProperties"]
        for name, value in self.source.request["CustomerMetadataProperties"].items():
            expect(metadata.get(name) == value, f"the customer metadata has {name}={value}")
        source = metadata["promote:source-arn"].lower()
        expect(source == self.source.version_arn.lower(), f"promote:source-arn is {source}")

    def compare_bytes(self):
        """Every copied object and image manifest equals its source."""
        listed = self.s3.list_objects_v2(Bucket=self.accounts.target_bucket)["Contents"]
        for key, body in self.source.objects.items():
            ending = f"/{self.accounts.source_bucket}/{key}"
            copies = [item["Key"] for item in listed if item["Key"].endswith(ending)]
            expect(len(copies) == 1, f"{key} has one copy")
            copy = self.s3.get_object(Bucket=self.accounts.target_bucket, Key=copies[0])["Body"].read()
            expect(digest(copy) == digest(body), f"the copy of {key} has the bytes of its source")
        for image, copy in self.copied_images():
            same = manifest(self.accounts.source, image) == manifest(self.accounts.target, copy)
            expect(same, f"{copy} has the manifest of {image}")

    def verify(self):
        """`promote verify` finds nothing changed."""
        self.run("verify", "--model-package", self.arn, *self.target_flags())

    def repeat(self):
        """A repeated `promote full` registers nothing."""
        done = self.full()
        expect(done["outcome"] == "already-promoted", f"the outcome is {done['outcome']}, not already-promoted")
        expect(self.versions() == 1, "the target group has one version")

    def withdraw(self):
        """After the source rejects the version, `promote full` withdraws it."""
        self.decide("Rejected", "Tried a rejection")
        self.full()
        self.expect_approval("Rejected")

    def approve_again(self):
        """After the source approves the version again, `promote full` approves it again."""
        self.decide("Approved", "Tried an approval")
        self.full()
        self.expect_approval("Approved")

    def follow(self):
        """Changed metadata of the source follows."""
        changed = {"stage": "second"}
        self.accounts.source.registry.update_model_package(
            ModelPackageArn=self.source.version_arn, CustomerMetadataProperties=changed
        )
        self.full()
        found = self.described()["CustomerMetadataProperties"].get("stage")
        expect(found == "second", f"the customer metadata has stage={found}, not second")
        expect(self.versions() == 1, "the target group has one version")

    def copied_images(self):
        """Pairs of source image and copy. Images of AWS are not copied, so they have no pair."""
        pairs = zip(images(self.source.request), images(self.described()), strict=True)
        copied = {(image, copy) for image, copy in pairs if image != copy}
        repositories = f"{self.accounts.target.account}.dkr.ecr.{self.accounts.region}."
        for image, copy in copied:
            own = copy.startswith(repositories) and f"/{self.accounts.repository_prefix}" in copy
            expect(own, f"{copy} is the copy of {image}")
        return copied

    def decide(self, status, why):
        """Changes the approval of the source version."""
        self.accounts.source.registry.update_model_package(
            ModelPackageArn=self.source.version_arn, ModelApprovalStatus=status, ApprovalDescription=why
        )

    def described(self):
        """The promoted version."""
        try:
            return self.registry.describe_model_package(ModelPackageName=self.arn)
        except ClientError as error:
            raise Failed(f"{self.arn}: {error}") from error

    def expect_approval(self, status):
        """The promoted version has this approval status."""
        found = self.described()["ModelApprovalStatus"]
        expect(found == status, f"{self.arn} is {found}, not {status}")

    def versions(self):
        """The number of versions in the target group."""
        listed = self.registry.list_model_packages(
            ModelPackageGroupName=self.accounts.target_group, ModelPackageType="Versioned"
        )
        return len(listed["ModelPackageSummaryList"])

    def full(self, *more):
        """Runs `promote full`, and returns its document."""
        flags = ["--group", self.source.group_arn, "--target-group", self.accounts.target_group]
        flags += ["--target-bucket", self.accounts.target_bucket, "--output", "json"]
        flags += ["--image-repository-prefix", self.accounts.repository_prefix]
        if self.accounts.source_profile:
            flags += ["--source-profile", self.accounts.source_profile]
        return json.loads(self.run("full", *flags, *self.target_flags(), *more))

    def target_flags(self):
        """The flags that select the target."""
        flags = ["--target-region", self.accounts.region]
        profile = self.accounts.target_profile
        return [*flags, "--target-profile", profile] if profile else flags

    def run(self, *arguments):
        """Runs the binary, and returns what it wrote to standard output."""
        command = [str(self.binary), *arguments]
        try:
            done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        except OSError as error:
            raise Failed(f"{self.binary}: {error}") from error
        expect(done.returncode == 0, f"`promote {arguments[0]}` exits {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout


def environment():
    """The environment without settings of promote, which the flags give."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PROMOTE_")}


def reduced(described, request):
    """What Describe answers, without what the service adds to the members of the request."""
    if isinstance(request, dict) and isinstance(described, dict):
        return {name: reduced(described.get(name), value) for name, value in request.items()}
    if isinstance(request, list) and isinstance(described, list) and len(request) == len(described):
        return [reduced(*pair) for pair in zip(described, request, strict=True)]
    return described


def images(version):
    """The images of the containers."""
    return [container["Image"] for container in version["InferenceSpecification"]["Containers"]]


def manifest(account, image):
    """The manifest of an image in the account's registry."""
    name = image.partition("/")[2]
    repository, _, reference = name.partition("@") if "@" in name else name.partition(":")
    image_id = {"imageDigest": reference} if "@" in name else {"imageTag": reference}
    ecr = account.session.client("ecr")
    found = ecr.batch_get_image(repositoryName=repository, imageIds=[image_id], acceptedMediaTypes=MANIFESTS)["images"]
    expect(len(found) == 1, f"{image} exists")
    return found[0]["imageManifest"]


def references(value):
    """Every S3 URL in a member."""
    if isinstance(value, str):
        if value.startswith("s3://"):
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def digest(body):
    """The SHA-256 of bytes."""
    return hashlib.sha256(body).hexdigest()


def expect(true, what):
    """Fails the run when something does not hold."""
    if not true:
        raise Failed(what)
