"""Counts requests by kind, and the dependent round trips among them, from what the proxy has seen."""

from collections import Counter
from dataclasses import asdict, dataclass

from standins.proxy import counting

# Per request: about what a transatlantic one takes, and far above what this machine adds itself.
DELAY = 0.1
# The name of servers that should be taken for Amazon S3: promote 0.1.0 treats it in a way of its own.
NAME = "AmazonS3"
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
    chain: int


def seen(wall, calls):
    """The numbers of one run's calls."""
    kinds = Counter(SHORTER.get(call.operation, call.operation) for call in calls)
    return Seen(wall, dict(kinds.most_common()), chain(calls))


def chain(calls):
    """The longest chain of requests in which each began after the one before had ended: the dependent round trips, and
    requests that waited for a free connection."""
    length, end = 0, float("-inf")
    for call in sorted(calls, key=lambda call: call.ended):
        # The proxy notes the end of a call a little after the client has its answer.
        if call.began >= end - DELAY / 4:
            length, end = length + 1, call.ended
    return length


def passes(bench, tool, workload, number):
    """Runs through the proxy, which do not count as timed ones: requests by kind, and the effect of a delay."""
    near = through_proxy(bench, tool, workload, 0.0)
    keeps = bench.target.keeps_metadata()
    far = [through_proxy(bench, tool, workload, DELAY) for _ in range(number)]
    return {
        "requests": near.requests,
        "keeps_metadata": keeps,
        "delayed": [asdict(run) for run in far],
        "chain": min((run.chain for run in far), default=None),
    }


def through_proxy(bench, tool, workload, delay):
    """One run whose requests to S3 all wait for a while."""
    with counting(bench.aws.objects, delay) as (url, calls):
        return seen(bench.run(tool, workload, s3=url).wall, calls)
