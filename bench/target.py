"""The target bucket, made anew for each run: otherwise what earlier runs left would fill the disk."""

import boto3

from standins.objects import ROOT
from standins.principals import REGION, TARGET_BUCKET


class Target:
    """The bucket as its owner sees it."""

    def __init__(self, url):
        self.s3 = boto3.Session(*ROOT, region_name=REGION).client("s3", endpoint_url=url)

    def renew(self):
        """Empties it by removing it: SeaweedFS then drops the volumes at once instead of keeping what is deleted."""
        self.clear()
        self.s3.delete_bucket(Bucket=TARGET_BUCKET)
        self.s3.create_bucket(Bucket=TARGET_BUCKET)
        # The first object makes a volume, which is not the client's time.
        self.s3.put_object(Bucket=TARGET_BUCKET, Key="ready", Body=b"ready")
        self.s3.delete_object(Bucket=TARGET_BUCKET, Key="ready")

    def clear(self):
        """Deletes its objects and aborts its uploads."""
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=TARGET_BUCKET):
            keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
            if keys:
                self.s3.delete_objects(Bucket=TARGET_BUCKET, Delete={"Objects": keys, "Quiet": True})
        for upload in self.s3.list_multipart_uploads(Bucket=TARGET_BUCKET).get("Uploads", []):
            self.s3.abort_multipart_upload(Bucket=TARGET_BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])

    def objects(self):
        """Size by key."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=TARGET_BUCKET)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def expect(self, workload, tool):
        """A tool that did not copy everything must not be in the table."""
        # promote's keys say more in front.
        there = sorted((key.rpartition(f"{workload.slug}/")[2], size) for key, size in self.objects().items())
        if there != sorted(workload.objects()):
            raise RuntimeError(f"{tool.name} did not copy '{workload.name}' completely: {there[:10]} …")

    def keeps_metadata(self):
        """Whether every object that can be looked at quickly has the source's type and metadata."""
        heads = [self.s3.head_object(Bucket=TARGET_BUCKET, Key=key) for key in list(self.objects())[:40]]
        return all(
            (head["ContentType"], head.get("CacheControl"), head["Metadata"].get("trained-by"))
            == ("application/gzip", "max-age=3600", "bench")
            for head in heads
        )
