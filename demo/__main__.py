"""`make demo`: promotes a model package from one AWS account into another before your eyes, both on this machine."""

import hashlib
import json
import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from standins import cloud
from standins.churn import GROUP, GROUP_ARN, IMAGE, seed_churn
from standins.principals import SOURCE_ACCOUNT, TARGET_ACCOUNT, TARGET_BUCKET
from standins.proxy import artifact_bytes, counting

PROMOTE = Path(os.environ.get("PROMOTE_BIN", "target/debug/promote")).resolve()
FIND = ["find-latest", "--group", GROUP_ARN, "--source-profile", "source"]
FULL = ["full", *FIND[1:], "--target-profile", "pipeline", "--target-bucket", TARGET_BUCKET]


def main():
    """The five things to see; a result that is not what it should be ends the demo with an error."""
    say("Starting two AWS accounts on this machine: moto for SageMaker, SeaweedFS for S3, and a small server for ECR.")
    with cloud() as aws, counting(aws.objects) as (s3, calls):
        demo = Demo(aws, aws.environment(objects=s3))
        churn = seed_churn(aws)
        demo.show_latest(churn)
        demo.show_plan(churn)
        demo.promote(churn)
        demo.show_target(churn, calls)
        demo.promote_again(churn)
    say("\nDone. Both accounts are stopped. Nothing that the promoted version needs has stayed at the source.")


class Demo:
    """The steps, in the order in which they are shown."""

    def __init__(self, aws, environment):
        self.registry, self.s3 = aws.client("sagemaker", "target"), aws.client("s3", "target")
        self.source_s3 = aws.client("s3", "source")
        self.environment, self.folder, self.images = environment, aws.folder, aws.images

    def show_latest(self, churn):
        """What the source account offers."""
        heading(f"1. Source account {SOURCE_ACCOUNT}: the latest approved version of {GROUP}")
        self.run(*FIND)
        found = json.loads(self.run(*FIND, "--output", "json", quiet=True))
        expect(churn.package_arn in json.dumps(found), f"find-latest finds {churn.package_arn}")

    def show_plan(self, churn):
        """What a promotion would do, in one line."""
        heading("2. A dry run: what would be done?")
        plan = json.loads(self.run(*FULL, "--dry-run", "--output", "json", quiet=True))
        outcome, sizes = plan["outcome"], [artifact["bytes"] for artifact in plan["artifacts"]]
        say("$ promote full … --dry-run")
        (image,) = plan["images"]
        say(f"{outcome}: {len(sizes)} objects, {mebibytes(sum(sizes))}, and an image of {image['layers']} layers,")
        say(f"{mebibytes(image['bytes'])}; nothing is written")
        expect((outcome, len(sizes)) == ("planned", len(churn.objects)), f"{len(churn.objects)} objects are planned")
        written = self.copies(), self.versions(), self.images.pushed(TARGET_ACCOUNT)
        expect(written == ({}, [], {}), "a dry run writes nothing")

    def promote(self, churn):
        """The promotion."""
        heading(f"3. Promote it into account {TARGET_ACCOUNT}")
        self.run(*FULL, "--record", "record.json")
        done = json.loads((self.folder / "record.json").read_text())
        expect(done["outcome"] == "promoted", "the outcome is promoted")
        expect(done["source"]["model_package_arn"] == churn.package_arn, "the approved version was promoted")

    def show_target(self, churn, calls):
        """What is in the target now, and how it got there."""
        heading(f"4. Target account {TARGET_ACCOUNT}: what it holds now")
        (version,) = self.versions()
        package = self.registry.describe_model_package(ModelPackageName=version["ModelPackageArn"])
        say(f"{package['ModelPackageArn']}\n{package['ModelApprovalStatus']}: {package['ApprovalDescription']}\n")
        expect(package["ModelApprovalStatus"] == "Approved", "the target's version is approved")
        copies = self.copies()
        show_objects(copies)
        same = sum(self.digest(key) == digest(self.source_s3, *source) for source, key in self.targets(churn, copies))
        through = artifact_bytes(calls)
        say(f"\n{same} of {len(churn.objects)} objects have the same SHA-256 on both sides.")
        say(f"{through} of their bytes passed through promote: S3 copied them itself.")
        expect(same == len(churn.objects), "all objects are the same")
        expect(through == 0, "S3 copies on its own")
        self.show_image()
        left = [text for text in texts(package) if f"{SOURCE_ACCOUNT}.dkr" in text or text.startswith("s3://source-")]
        expect(left == [], f"the version does not refer to {left}")

    def show_image(self):
        """The image, which is the same to the last byte."""
        source, target = self.images.pushed(SOURCE_ACCOUNT), self.images.pushed(TARGET_ACCOUNT)
        say(f"The image {IMAGE.rpartition('/')[2]} is the same on both sides, with {len(target)} manifests and layers.")
        same = all(digest == f"sha256:{hashlib.sha256(content).hexdigest()}" for digest, content in target.items())
        expect(same and target == source, "the image is the same")

    def promote_again(self, churn):
        """A second run has nothing to do."""
        heading("5. Promote it again")
        done = json.loads(self.run(*FULL, "--output", "json", quiet=True))
        there = sum(artifact["result"] == "already-there" for artifact in done["artifacts"])
        say("$ promote full …")
        say(f"{done['outcome']}: {there} of {len(churn.objects)} objects are there; nothing is copied or registered")
        expect((done["outcome"], there) == ("already-promoted", len(churn.objects)), "the version is there already")
        expect(len(self.versions()) == 1, "the target still has one version")

    def run(self, *arguments, quiet=False):
        """Runs promote where you can see it, or quietly for its document."""
        if not quiet:
            say("$ promote " + " ".join(arguments).replace(" --", " \\\n    --"))
            sys.stdout.flush()
        command = [PROMOTE, *arguments]
        output = subprocess.PIPE if quiet else None
        done = subprocess.run(command, cwd=self.folder, env=self.environment, stdout=output, stderr=output, text=True)
        expect(done.returncode == 0, f"promote {arguments[0]} exits 0, not {done.returncode}. {done.stderr or ''}")
        return done.stdout

    def versions(self):
        """The versions of the target's group, if there is one."""
        return self.registry.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]

    def copies(self):
        """Size by key of all that the target bucket holds."""
        return {item["Key"]: item["Size"] for item in self.s3.list_objects_v2(Bucket=TARGET_BUCKET).get("Contents", [])}

    def targets(self, churn, copies):
        """Each source object with the key of its copy, which ends in the source's bucket and key."""
        for bucket, key in churn.objects:
            found = [copy for copy in copies if copy.endswith(f"/{bucket}/{key}")]
            expect(len(found) == 1, f"s3://{bucket}/{key} has one copy")
            yield (bucket, key), found[0]

    def digest(self, key):
        """The SHA-256 of a copy."""
        return digest(self.s3, TARGET_BUCKET, key)


def texts(value):
    """Every text in a description."""
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from texts(member)
    elif isinstance(value, str):
        yield value


def digest(s3, bucket, key):
    """The SHA-256 of an object's bytes."""
    return hashlib.sha256(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).hexdigest()


def show_objects(copies):
    """The bucket's content, a line for each object; the many of a folder share one."""
    root = os.path.commonpath(copies) + "/"
    say(f"s3://{TARGET_BUCKET}/{root}")
    for folder, keys in groupby(sorted(copies), key=lambda key: key.partition("/embeddings/")[1] and "embeddings"):
        keys = list(keys)
        if folder:
            size = sum(copies[key] for key in keys)
            name = keys[0].removeprefix(root).partition("embeddings/")[0]
            say(f"  {mebibytes(size):>9}  {name}embeddings/… ({len(keys)} objects)")
        else:
            for key in keys:
                say(f"  {mebibytes(copies[key]):>9}  {key.removeprefix(root)}")


def mebibytes(size):
    """A size as people read it."""
    return f"{size / 1024:.1f} KiB" if size < 1 << 20 else f"{size / (1 << 20):.1f} MiB"


def heading(text):
    """Says what comes next."""
    say(f"\n{text}\n{'─' * len(text)}")


def say(text):
    """One place that prints."""
    print(text, flush=True)


def expect(true, what):
    """Ends the demo with an error when something is not as it should be."""
    if not true:
        sys.exit(f"demo: not as it should be: {what}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
