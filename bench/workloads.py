"""What is copied: names and sizes, seeded once into the source bucket."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

from boto3.s3.transfer import TransferConfig

from standins.principals import SOURCE_BUCKETS

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
BUCKET = SOURCE_BUCKETS[0]
SMALL = 100 * KIB
# What SDKs do with a model that a training job leaves: parts, and metadata that should survive.
HEADERS = {"ContentType": "application/gzip", "CacheControl": "max-age=3600", "Metadata": {"trained-by": "bench"}}
UPLOAD = TransferConfig(multipart_threshold=MIB, multipart_chunksize=64 * MIB, max_concurrency=4)


@dataclass(frozen=True)
class Workload:
    """Objects below one prefix, and who moves their bytes: S3 (`server-side`) or the client (`stream`)."""

    name: str
    mode: str
    sizes: tuple[int, ...]
    # The first so many are large models; the others lie beside them.
    large: int = 1
    # A delayed run of thousands of objects says how many are under way at once, not how many calls wait for another.
    delayed_runs: int = 3

    @property
    def slug(self):
        """Its prefix in the source bucket; workloads of the same objects share it."""
        return f"bench-{len(self.sizes)}-objects-{sum(self.sizes)}-bytes"

    @property
    def bytes(self):
        """All bytes of it."""
        return sum(self.sizes)

    def objects(self):
        """Relative key and size of each object."""
        for number, size in enumerate(self.sizes):
            yield (f"model-{number:02}.tar.gz" if number < self.large else f"files/{number:05}.bin"), size

    def scaled(self, scale):
        """Smaller for a quick look: large objects shrink, and thousands become fewer."""
        if scale >= 1:
            return self
        if not self.large:
            return replace(self, sizes=self.sizes[: max(50, int(len(self.sizes) * scale))])
        large = tuple(max(MIB, int(size * scale)) for size in self.sizes[: self.large])
        return replace(self, sizes=large + self.sizes[self.large :])


ONE_MODEL = (500 * MIB,) + (SMALL,) * 6

WORKLOADS = (
    Workload("500 MiB + 6 small", "server-side", ONE_MODEL),
    Workload("20 × 256 MiB + 10 small", "server-side", (256 * MIB,) * 20 + (SMALL,) * 10, large=20, delayed_runs=1),
    Workload("5,000 × 16 KiB", "server-side", (16 * KIB,) * 5000, large=0, delayed_runs=1),
    Workload("one 4 GiB object", "server-side", (4 * GIB,), delayed_runs=1),
    Workload("500 MiB + 6 small", "stream", ONE_MODEL),
    Workload("20 × 256 MiB + 10 small", "stream", (256 * MIB,) * 20 + (SMALL,) * 10, large=20, delayed_runs=1),
    Workload("5,000 × 16 KiB", "stream", (16 * KIB,) * 5000, large=0, delayed_runs=1),
    Workload("one 4 GiB object", "stream", (4 * GIB,), delayed_runs=1),
)


def seed(s3, workload):
    """Puts the objects of a workload that are not there yet."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{workload.slug}/")
    there = {item["Key"] for page in pages for item in page.get("Contents", [])}
    missing = [(key, size) for name, size in workload.objects() if (key := f"{workload.slug}/{name}") not in there]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda item: put(s3, *item), missing))


def put(s3, key, size):
    """Uploads one object of noise, which no server can compress."""
    headers = {**HEADERS, "ChecksumAlgorithm": "CRC64NVME"}
    if size < UPLOAD.multipart_threshold:
        s3.put_object(Bucket=BUCKET, Key=key, Body=noise()[:size], **headers)
    else:
        s3.upload_fileobj(Noise(size), BUCKET, key, ExtraArgs=headers, Config=UPLOAD)


@cache
def noise():
    """A part's worth of random bytes."""
    return os.urandom(UPLOAD.multipart_chunksize)


class Noise:
    """A file of a given size that was never on a disk; it repeats, which SeaweedFS does not notice."""

    def __init__(self, size):
        self.left = size

    def read(self, length=-1):
        """The next bytes."""
        length = self.left if length < 0 else min(length, self.left)
        self.left -= length
        times = -(-length // len(noise()))
        return (noise() * times)[:length] if times > 1 else noise()[:length]
