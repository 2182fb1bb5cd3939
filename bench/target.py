"""The buckets on SeaweedFS: emptied between runs and workloads, and checked after each run."""

import boto3

from bench.workloads import BUCKET
from standins.objects import ROOT
from standins.principals import REGION, TARGET_BUCKET


class Target:
    """Both buckets as their owner sees them."""

    def __init__(self, url):
        self.s3 = boto3.Session(*ROOT, region_name=REGION).client("s3", endpoint_url=url)

    def renew(self, bucket=TARGET_BUCKET):
        """Empties a bucket by removing it: SeaweedFS then drops the volumes at once and keeps no deleted objects."""
        self.clear(bucket)
        self.s3.delete_bucket(Bucket=bucket)
        self.s3.create_bucket(Bucket=bucket)
        # The first object makes a volume, which is not the client's time.
        self.s3.put_object(Bucket=bucket, Key="ready", Body=b"ready")
        self.s3.delete_object(Bucket=bucket, Key="ready")

    def clear(self, bucket):
        """Deletes its objects and aborts its uploads."""
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if keys:
                self.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        for upload in self.s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            self.s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])

    def keep_only(self, workload):
        """Empties the target, and the source unless it has this workload: one workload takes space at a time."""
        self.renew()
        if not self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{workload.slug}/", MaxKeys=1)["KeyCount"]:
            self.renew(BUCKET)

    def objects(self):
        """Size by key."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=TARGET_BUCKET)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def keeps_metadata(self):
        """Whether the first objects have the source's type and metadata."""
        heads = [self.s3.head_object(Bucket=TARGET_BUCKET, Key=key) for key in list(self.objects())[:40]]
        return all(
            (head["ContentType"], head.get("CacheControl"), head["Metadata"].get("trained-by"))
            == ("application/gzip", "max-age=3600", "bench")
            for head in heads
        )


def expect(workload, tool, objects):
    """Raises an error unless a tool has copied everything: otherwise it must not be in the table."""
    # promote's keys have more segments in front.
    there = sorted((key.rpartition(f"{workload.slug}/")[2], size) for key, size in objects.items())
    if there != sorted(workload.objects()):
        raise RuntimeError(f"{tool.name} did not copy '{workload.title}' completely: {there[:10]} …")
