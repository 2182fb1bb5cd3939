"""Many small objects on an S3 that is no limit: there the client decides, by how many requests it keeps under way, and
by what it does until the first copy."""

from functools import partial

from bench.runs import STREAMS, rounds, timed
from bench.tireless import copied, tireless
from bench.trips import DELAY


def measure(bench, tools, workload, count, patience):
    """The tools in turns; the first round warms up."""
    runs, _ = rounds({tool.name: partial(one, bench, tool, workload) for tool in tools}, count, patience)
    return {"objects": len(workload.sizes), "delay": DELAY, "runs": runs}


def one(bench, tool, workload):
    """One run into an empty target; a tool that has not asked for every copy must not be in the table."""
    with tireless(bench.aws.folder, f"{workload.slug}/", len(workload.sizes)) as url:
        values = bench.values(workload, url) | {"streams": STREAMS}
        command, environment = tool.command(workload.mode, values), bench.environment(tool, values)
        run = timed(command, environment, bench.aws.folder, tool.good_codes)
        if copied(url) != len(workload.sizes):
            raise RuntimeError(f"{tool.name} asked for {copied(url)} of {len(workload.sizes)} copies")
        return run
