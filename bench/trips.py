"""Requests by kind, and how many of them wait for another one: what the proxy saw comes in, numbers come out."""

from collections import Counter
from dataclasses import asdict, dataclass

from standins.proxy import artifact_bytes, counting

# Per request: about what a transatlantic one takes, and far above what this machine adds itself.
DELAY = 0.1
SHORTER = {
    "GetBucket": "List",
    "ListMultipartUploads": "ListUploads",
    "CreateMultipartUpload": "Create",
    "CompleteMultipartUpload": "Complete",
    "HeadObject": "Head",
    "GetObject": "Get",
    "PutObject": "Put",
    "CopyObject": "Copy",
}


@dataclass(frozen=True)
class Seen:
    """One run through the proxy."""

    wall: float
    requests: dict[str, int]
    artifact_bytes: int
    chain: int


def seen(wall, calls):
    """What the calls of one run amount to."""
    kinds = Counter(SHORTER.get(call.operation, call.operation) for call in calls)
    return Seen(wall, dict(kinds.most_common()), artifact_bytes(calls), chain(calls))


def chain(calls):
    """The most requests of which each began after the one before had ended.

    With the delay these are the dependent round trips, and requests that queued for a free place. The wall time that
    the delay adds says the same where the server always takes equally long, which no machine of two cores does.
    """
    length, end = 0, float("-inf")
    for call in sorted(calls, key=lambda call: call.ended):
        # The proxy notes the end of a call a little after the client has its answer.
        if call.began >= end - DELAY / 4:
            length, end = length + 1, call.ended
    return length


def passes(bench, tool, workload, number):
    """Runs through the proxy that are not timed: requests by kind, and what a delay before each of them does."""
    near, far = [], []
    for _ in range(max(1, number)):
        near.append(through_proxy(bench, tool, workload, 0.0))
        keeps = bench.target.keeps_metadata()
        if number:
            far.append(through_proxy(bench, tool, workload, DELAY))
    return {
        "requests": near[0].requests,
        "artifact_bytes": near[0].artifact_bytes,
        "keeps_metadata": keeps,
        "delayed": [asdict(run) for run in far],
        "added": [after.wall - before.wall for before, after in zip(near, far, strict=False)],
        "chain": min((run.chain for run in far), default=None),
    }


def through_proxy(bench, tool, workload, delay):
    """One run whose requests to S3 all wait for a while."""
    with counting(bench.aws.objects, delay) as (url, calls):
        return seen(bench.run(tool, workload, s3=url).wall, calls)
