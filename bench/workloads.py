"""What is copied, between which servers, and how it gets into the source bucket."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

from boto3.s3.transfer import TransferConfig

from standins.principals import SOURCE_BUCKETS

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
BUCKET = SOURCE_BUCKETS[0]
SMALL = 100 * KIB
# Large models have several parts, as SDKs upload them, and metadata that should survive.
PART = 64 * MIB
HEADERS = {"ContentType": "application/gzip", "CacheControl": "max-age=3600", "Metadata": {"trained-by": "bench"}}
UPLOAD = TransferConfig(multipart_threshold=MIB, multipart_chunksize=PART, max_concurrency=4)

# The server, and who moves the bytes. Each tool has its flags for each of them (`tools.py`).
SERVER_SIDE = "server-side"  # SeaweedFS copies
STREAM = "stream"  # the client copies, from SeaweedFS to SeaweedFS, with two principals
FAR = "far"  # the same, through a proxy with slow connections
LATENCY_STUB = "latency-stub"  # a stub copies, without a limit
RATE_STUB = "rate-stub"  # a stub copies, each request at a limited rate


@dataclass(frozen=True)
class Workload:
    """Objects below one prefix, and the setting in which they are copied."""

    name: str
    setting: str
    sizes: tuple[int, ...]
    # The first objects are large models; the others are small files.
    large: int = 1
    # Runs with a delay before each request. Thousands of objects need one: it shows how many requests are under way.
    delayed_runs: int = 3

    @property
    def title(self):
        """The name that `--only` selects by."""
        return f"{self.name}, {self.setting}"

    @property
    def streamed(self):
        """Whether the bytes pass through the client."""
        return self.setting in (STREAM, FAR)

    @property
    def slug(self):
        """Its prefix in the source bucket; workloads of the same objects share it."""
        return f"bench-{len(self.sizes)}-objects-{sum(self.sizes)}-bytes"

    @property
    def bytes(self):
        """The size of all objects."""
        return sum(self.sizes)

    def objects(self):
        """Relative key and size of each object."""
        for number, size in enumerate(self.sizes):
            yield (f"model-{number:02}.tar.gz" if number < self.large else f"files/{number:05}.bin"), size

    def scaled(self, scale):
        """A smaller one for a quick look: large objects shrink, and thousands become fewer."""
        if scale >= 1:
            return self
        if not self.large:
            return replace(self, sizes=self.sizes[: max(50, int(len(self.sizes) * scale))])
        large = tuple(max(MIB, int(size * scale)) for size in self.sizes[: self.large])
        return replace(self, sizes=large + self.sizes[self.large :])


def workloads():
    """Those that have the same objects follow each other, so that these are uploaded once."""
    model = (500 * MIB,) + (SMALL,) * 6
    for setting in (SERVER_SIDE, STREAM, RATE_STUB):
        yield Workload("500 MiB + 6 small", setting, model)
    models = (256 * MIB,) * 20 + (SMALL,) * 10
    for setting in (SERVER_SIDE, STREAM, RATE_STUB):
        yield Workload("20 × 256 MiB + 10 small", setting, models, large=20, delayed_runs=1)
    for setting in (SERVER_SIDE, STREAM, LATENCY_STUB):
        yield Workload("5,000 × 16 KiB", setting, (16 * KIB,) * 5000, large=0, delayed_runs=1)
    for setting in (SERVER_SIDE, STREAM, RATE_STUB):
        yield Workload("one 4 GiB object", setting, (4 * GIB,), delayed_runs=1)
    # A few rounds of forty parts.
    yield Workload("one 512 MiB object", FAR, (512 * MIB,))


WORKLOADS = tuple(workloads())


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
    return os.urandom(PART)


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
