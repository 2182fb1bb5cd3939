"""Streaming through a proxy that is as far away as Amazon S3, and on each connection slow: there the number of requests
under way decides, and memory decides how many there may be."""

from functools import partial

from bench.runs import rounds
from bench.trips import DELAY
from standins.proxy import counting

# Amazon S3 moves some 90 MB/s on a connection, which no proxy on this machine does forty times at once.
RATE = 4 << 20
# promote treats it as it does Amazon's.
NAME = "AmazonS3"
# As many as promote comes to by itself; the others have to be told.
STREAMS = 40


def measure(bench, tools, workload, count, patience):
    """The tools in turns; the first round warms up."""
    runs, _ = rounds({tool.name: partial(through, bench, tool, workload) for tool in tools}, count, patience)
    return {"bytes": workload.bytes, "delay": DELAY, "rate": RATE, "runs": runs}


def through(bench, tool, workload):
    """One run into an empty target."""
    with counting(bench.aws.objects, DELAY, RATE, NAME) as (url, _):
        return bench.run(tool, workload, url, STREAMS)
